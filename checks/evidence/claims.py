"""What a statement's text says by itself: what goes, what opens, what ends."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from checks import facts
from checks.evidence import types
from checks.evidence.release import Release
from checks.evidence.steps import Some, Step
from checks.facts import Fact
from checks.witnesses import clauses as c
from checks.witnesses import text

_TAKES_AWAY = frozenset({c.DropColumn, c.Rename, c.DropConstraint, c.Drop, c.AlterType})
_QUIET = frozenset({c.Lock, c.SetNotNull, c.ValidateConstraint, c.CreateView, c.AddEnumValue, c.Dml, c.RenameType})
_SELDOM = frozenset({c.AddColumn, c.AddConstraint, c.CreateIndex})
# Of the others nothing depends, or drizzle-kit itself writes CASCADE behind them (tables, policies).
_TAKEN_ALONG = {
    "view",
    "materialized view",
    "schema",
    "type",
    "domain",
    "function",
    "procedure",
    "sequence",
    "extension",
}
_RELATIONS = {"table", "foreign table", "view", "materialized view"}


@dataclass(frozen=True, slots=True)
class Whole:
    """What only a look at the whole release tells.

    Attributes:
        recreated: enums that are dropped and made anew, with the columns that take the way over text.
        made: tables and views that the release makes (again), by name, and columns, by table and name.
        views: the views among them.
        constraints: constraints that the release adds, by table and name, and by table and columns.
        keyed: tables that get a primary key from a later statement.
    """

    recreated: dict[str, tuple[str, ...]]
    made: frozenset[object]
    views: frozenset[str]
    constraints: frozenset[tuple[str, object]]
    keyed: frozenset[str]


def whole(steps: list[Step]) -> Whole:
    """Look at the whole release."""
    every: dict[type, list[Any]] = {}
    for step in steps:
        for kind, clauses in step.by_kind.items():
            every.setdefault(kind, []).extend(clauses)

    def of(kind: type[Some]) -> list[Some]:
        return every.get(kind, [])

    gone = {name for drop in of(c.Drop) if drop.kind == "type" for name in drop.names} | {
        t.old for t in of(c.RenameType)
    }
    recreated: dict[str, tuple[str, ...]] = {}
    for enum in {clause.enum for clause in of(c.CreateEnum)} & gone:
        names = {enum, enum.removeprefix("public.")}
        through = (f"{a.table}.{a.column}" for a in of(c.AlterType) if a.type.replace("[]", "") in names)
        recreated[enum] = tuple(dict.fromkeys(through))
    added = of(c.AddConstraint)
    views = {clause.table for clause in of(c.CreateView)}
    made: set[object] = {*views, *(clause.table for clause in of(c.CreateTable))}
    made |= {(clause.table, clause.column) for clause in of(c.AddColumn)}
    made |= {(clause.table, clause.new) if clause.column else clause.new for clause in of(c.Rename)}
    return Whole(
        recreated=recreated,
        made=frozenset(made),
        views=frozenset(views),
        constraints=frozenset((a.table, name) for a in added for name in (a.name, a.kind)),
        keyed=frozenset(a.table for a in added if a.kind == "primary key"),
    )


def claims(step: Step, release: Release, seen: Whole) -> Iterator[Fact]:
    """The facts of one statement's text."""
    if not _QUIET.issuperset(step.by_kind):
        yield from _told(step, release, seen)
    for name, becomes in text.long_names(step.statement.sql):
        yield facts.TruncatedName(place=step.place, name=name, becomes=becomes)


def _told(step: Step, release: Release, seen: Whole) -> Iterator[Fact]:  # noqa: C901, PLR0912 - one case a clause
    for clause in step.reading.clauses:
        kind = type(clause)
        if kind in _QUIET or (kind in _SELDOM and _says_nothing(clause, release)):
            continue
        place = step.place
        if kind in _TAKES_AWAY:
            yield from _takes_away(step, clause, release, seen)
            continue
        match clause:
            case c.AddColumn(table=table, column=column, type=kind):
                yield facts.LimitsText(place=place, table=table, column=column, type=kind)
            case c.CreateTable(table=table, primary_key=key, temporary=temporary, limited=limited):
                for column, kind in limited:
                    yield facts.LimitsText(place=place, table=table, column=column, type=kind)
                later = key == () and table in seen.keyed
                yield facts.CreatesTable(
                    place=place, table=table, primary_key=None if later else key, temporary=temporary
                )
            case c.Truncate(tables=tables, cascade=cascade):
                for table in tables:
                    yield facts.Truncates(place=place, table=table, cascades=cascade)
            case c.CreateEnum(enum=enum) if enum in seen.recreated:
                yield facts.RecreatesEnum(place=place, enum=enum, columns=seen.recreated[enum])
            case c.Concurrently(what=what, name=name) if _in_transaction(step):
                yield facts.ConcurrentlyInTransaction(place=place, what=what, index=name)
            case c.CreateIndex(table=table, name=name, concurrently=True, if_not_exists=True) if not _in_transaction(
                step
            ):
                yield facts.LeavesInvalidIndex(place=place, table=table, index=name)
            case c.Transaction(verb=verb) if verb not in {"BEGIN", "START TRANSACTION"} and step.migrators:
                yield facts.EndsTransaction(place=place, verb=verb)
            case c.Trigger(table=table, trigger=trigger):
                yield facts.DisablesTrigger(place=place, table=table, trigger=trigger)
            case c.Rls(table=table, how=how):
                yield facts.OpensRls(place=place, table=table, how=how)
            case c.Grant(privileges=privileges, what=what, to=to, table=table) if table not in release.born:
                yield facts.WidensGrant(place=place, privileges=privileges, what=what, to=to)
            case c.DefinerFunction(name=name):
                yield facts.UnsafeFunction(place=place, name=name)
            case c.AddConstraint() as key:
                yield from _lacks_index(step, key, release)
            case _:
                pass


def _says_nothing(clause: c.Clause, release: Release) -> bool:
    """Most clauses of most migrations: they are passed over before any case is tried."""
    match clause:
        case c.AddColumn(type=kind):
            return not kind.startswith(c.LIMITED)
        case c.AddConstraint(table=table, kind=kind):
            return kind != "foreign key" or table in release.born
        case c.CreateIndex(concurrently=concurrently):
            return not concurrently
        case _:
            return False


def _takes_away(step: Step, clause: c.Clause, release: Release, seen: Whole) -> Iterator[Fact]:  # noqa: C901 - one case a clause
    place = step.place
    match clause:
        case c.DropColumn(table=table, column=column):
            yield facts.DropsColumn(place=place, table=table, column=column, returns=(table, column) in seen.made)
        case c.Rename(table=table, column=None, new=new):
            yield facts.RenamesTable(place=place, table=table, new=new, returns=table in seen.made)
        case c.Rename(table=table, column=str(column), new=new):
            yield facts.RenamesColumn(
                place=place, table=table, column=column, new=new, returns=(table, column) in seen.made
            )
        case c.DropConstraint(table=table, name=name) if table not in release.born:
            kind = release.known.constraints.get((release.original(table), name), "constraint")
            if (table, name) not in seen.constraints and (table, kind) not in seen.constraints:
                yield facts.DropsConstraint(place=place, table=table, name=name, kind=kind)
        case c.Drop(kind=kind, names=names, cascade=cascade):
            for name in names:
                if kind in _RELATIONS and not ("view" in kind and name in seen.views):
                    yield facts.DropsTable(place=place, table=name, kind=kind, returns=name in seen.made)
            if cascade and kind in _TAKEN_ALONG and not any(name in release.born for name in names):
                what = f"DROP {kind.upper()} {', '.join(name.removeprefix('public.') for name in names)} CASCADE"
                yield facts.Cascades(place=place, what=what)
        case c.AlterType(table=table, column=column, type=new):
            yield from _changes_type(step, clause, release, f"{table}.{column}" in sum(seen.recreated.values(), ()))
        case _:
            pass


def _changes_type(step: Step, clause: c.AlterType, release: Release, over_text: bool) -> Iterator[Fact]:  # noqa: FBT001 - one question
    """Speaks only where nothing is rewritten: a rewrite is the more telling fact."""
    old = release.types.get((clause.table, clause.column), "")
    observation = step.observation
    if over_text or not old or (observation is not None and observation.rewrites):
        return
    how = types.compare(old, clause.type)
    if how == "narrower" and observation is not None and observation.executed and not observation.scans:
        how = "other"  # PostgreSQL looked at no row, so every value fits
    place, table, column, new = step.place, clause.table, clause.column, clause.type
    if how == "narrower":
        yield facts.NarrowsType(place=place, table=table, column=column, old=old, new=new)
    elif how == "other":
        zone = types.stamps(old, new)
        yield facts.ChangesType(place=place, table=table, column=column, old=old, new=new, depends_on_zone=zone)


def _lacks_index(step: Step, key: c.AddConstraint, release: Release) -> Iterator[Fact]:
    indexes = release.known.indexes
    if indexes is None or not key.columns:
        return
    first = set(key.columns)
    if not any(set(index[: len(first)]) == first for index in indexes.get(key.table, ())):
        yield facts.LacksIndex(
            place=step.place, table=key.table, name=key.name, columns=key.columns, referenced=key.referenced
        )


def _in_transaction(step: Step) -> bool:
    """CONCURRENTLY would meet an open transaction (it ran in none where it ran)."""
    return step.transaction is not None and not (
        step.executed and step.observation and not step.observation.in_transaction
    )
