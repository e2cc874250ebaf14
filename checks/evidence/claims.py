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

_TAKES_AWAY = frozenset({c.DropColumn, c.Rename, c.RenameSchema, c.DropConstraint, c.Drop, c.AlterType})
_QUIET = frozenset({c.Lock, c.SetNotNull, c.ValidateConstraint, c.CreateView, c.AddEnumValue, c.Dml, c.RenameType})
_MOST_NAMES = 20  # of one statement; rubbish of megabytes is full of them
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
        named: what gets a name that something else had: columns, by table and name.
        dropped: tables and views that a statement names for good or under another name, and columns, by table and name.
        indexes: unique indexes that the release makes, by name.
        constraints: constraints that the release adds, by table and name, and by table and kind.
        keyed: tables that get a primary key from a later statement.
    """

    recreated: dict[str, tuple[str, ...]]
    made: frozenset[object]
    views: frozenset[str]
    named: frozenset[tuple[str, str]]
    dropped: frozenset[object]
    indexes: frozenset[str]
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

    recreated: dict[str, tuple[str, ...]] = {}
    for enum in _recreated(steps) if c.CreateEnum in every else ():
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
        named=frozenset((r.table, r.new) for r in of(c.Rename) if r.column),
        dropped=frozenset(_dropped(of(c.Drop), of(c.DropColumn), of(c.Rename), of(c.RenameSchema))),
        indexes=frozenset(index.name for index in of(c.CreateIndex) if index.unique),
        constraints=frozenset((a.table, name) for a in added for name in (a.name, a.kind)),
        keyed=frozenset(a.table for a in added if a.kind == "primary key"),
    )


def _dropped(
    drops: list[c.Drop], columns: list[c.DropColumn], renames: list[c.Rename], schemas: list[c.RenameSchema]
) -> Iterator[object]:
    yield from (name for drop in drops if drop.kind in _RELATIONS for name in drop.names)
    yield from ((drop.table, drop.column) for drop in columns)
    for rename in renames:
        yield rename.table if rename.column is None else (rename.table, rename.column)
    yield from (f"{schema.old}." for schema in schemas)


def _recreated(steps: list[Step]) -> Iterator[str]:
    """Enums that are made anew after their like was dropped or renamed."""
    gone: set[str] = set()
    for step in steps:
        for clause in step.reading.clauses:
            match clause:
                case c.Drop(kind="type", names=names):
                    gone.update(names)
                case c.RenameType(old=old):
                    gone.add(old)
                case c.CreateEnum(enum=enum) if enum in gone:
                    yield enum
                case _:
                    pass


def claims(step: Step, release: Release, seen: Whole) -> Iterator[Fact]:
    """The facts of one statement's text."""
    if not _QUIET.issuperset(step.by_kind):
        yield from _told(step, release, seen)
    if step.reading.kind == "notify_stmt":
        yield facts.NotObserved(
            place=step.place, why="who listens, and what they do once it commits, is not known here"
        )
    for name, becomes in text.long_names(step.statement.sql)[:_MOST_NAMES]:
        yield facts.TruncatedName(place=step.place, name=name, becomes=becomes)


def _told(step: Step, release: Release, seen: Whole) -> Iterator[Fact]:  # noqa: C901, PLR0912 - one case a clause
    for clause in step.reading.clauses:
        kind = type(clause)
        if kind in _QUIET or (kind in _SELDOM and _says_nothing(clause, release)):
            continue
        if kind in _TAKES_AWAY:
            yield from _takes_away(step, clause, release, seen)
            continue
        place = step.place
        match clause:
            case c.AddColumn(table=table, column=column, type=kind):
                yield facts.LimitsText(place=place, table=table, column=column, type=kind)
            case c.CreateTable(table=table, if_not_exists=True) if release.existed(step, table):
                pass
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
            case c.AlterPolicy() as altered:
                yield from _opens(step, altered, release)
            case c.DefinerFunction(name=name, altered=altered):
                unsafe = release.known.open_functions
                if name in unsafe if unsafe is not None else not altered:
                    yield facts.UnsafeFunction(place=place, name=name)
            case c.AddConstraint() as key:
                yield from _lacks_index(step, key, release)
            case _:
                pass


def _opens(step: Step, altered: c.AlterPolicy, release: Release) -> Iterator[Fact]:
    """A policy that lets everybody through, and did not before."""
    was = release.known.policies.get((release.original(altered.table), altered.name))
    if was is None or not was.permissive or was.command in {"r", "SELECT"}:
        return
    public = was.roles == ("public",) or not was.roles if altered.public is None else altered.public
    through = altered.lets_through or "true" in {was.using, was.check}
    if public and through and (altered.lets_through or altered.public):
        how = f"policy `{altered.name}` lets everybody through"
        yield facts.OpensRls(place=step.place, table=altered.table, how=how)


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


def _takes_away(step: Step, clause: c.Clause, release: Release, seen: Whole) -> Iterator[Fact]:  # noqa: C901, PLR0912 - one case a clause
    place = step.place
    match clause:
        case c.DropColumn(table=table, column=column) | c.Rename(table=table, column=str(column)) if (
            table,
            column,
        ) in release.fresh:
            pass  # nobody knew it
        case c.DropColumn(table=table, column=column, cascade=cascade, missing_ok=missing_ok):
            if not (missing_ok and _has_no_column(release, table, column)):
                yield facts.DropsColumn(place=place, table=table, column=column, returns=(table, column) in seen.made)
            if cascade:
                yield from _cascades(
                    step, f"ALTER TABLE {table.removeprefix('public.')} DROP COLUMN {column} CASCADE", release, seen
                )
        case c.Rename(table=table, column=None, new=new):
            yield facts.RenamesTable(place=place, table=table, new=new, returns=table in seen.made)
        case c.RenameSchema(old=old, new=new):
            for name in release.in_schema(old):
                moved = f"{new}.{name.partition('.')[2]}"
                yield facts.RenamesTable(place=place, table=name, new=moved, returns=name in seen.made)
        case c.Rename(table=table, column=str(column), new=new):
            yield facts.RenamesColumn(
                place=place, table=table, column=column, new=new, returns=(table, column) in seen.named
            )
        case c.DropConstraint(table=table, name=name, missing_ok=missing_ok) if table not in release.born:
            kind = release.known.constraints.get((release.original(table), name), "")
            if (missing_ok and not kind and not release.lacks(table) and release.known.relations is not None) or (
                (table, name) in seen.constraints or (table, kind or "constraint") in seen.constraints
            ):
                return
            yield facts.DropsConstraint(place=place, table=table, name=name, kind=kind or "constraint")
        case c.Drop():
            yield from _drops(step, clause, release, seen)
        case c.AlterType(table=table, column=column, type=new):
            yield from _changes_type(step, clause, release, f"{table}.{column}" in sum(seen.recreated.values(), ()))
        case _:
            pass


def _drops(step: Step, drop: c.Drop, release: Release, seen: Whole) -> Iterator[Fact]:
    place, kind = step.place, drop.kind
    for name in drop.names:
        if drop.missing_ok and kind in _RELATIONS and step.executed and release.lacks(name):
            continue
        if kind in _RELATIONS and not ("view" in kind and name in seen.views):
            was = release.original(name)
            renamed = was if was != name and name not in release.born else ""
            yield facts.DropsTable(place=place, table=name, kind=kind, returns=name in seen.made, was=renamed)
        elif kind in _RELATIONS:  # a view that is made anew may give less
            for column in sorted(column for table, column in release.known.gone if table == name and column):
                yield facts.DropsColumn(place=place, table=name, column=column)
        elif kind == "index" and name in release.known.unique and name.partition(".")[2] not in seen.indexes:
            table = release.known.unique[name]
            yield facts.DropsConstraint(place=place, table=table, name=name.partition(".")[2], kind="unique index")
    if drop.cascade and not any(name in release.born for name in drop.names):
        what = f"DROP {kind.upper()} {', '.join(name.removeprefix('public.') for name in drop.names)} CASCADE"
        yield from _cascades(step, what, release, seen, always=kind in _TAKEN_ALONG)


def _cascades(step: Step, what: str, release: Release, seen: Whole, *, always: bool = False) -> Iterator[Fact]:
    """What nobody named and is not there any more, where somebody looked; told once, of the first CASCADE."""
    gone = [
        (table, column)
        for table, column in release.known.gone
        if not seen.dropped.intersection({table, (table, column), f"{table.partition('.')[0]}."})
    ]
    whole = {table for table, column in gone if column is None}
    also = sorted((table, column or "") for table, column in gone if column is None or table not in whole)
    if release.cascaded:
        also = []
    release.cascaded = True
    if always or also:
        named = tuple(f"{table}.{column}" if column else table for table, column in also)
        yield facts.Cascades(place=step.place, what=what, also=named)
    for table, column in also:
        if column:
            yield facts.DropsColumn(place=step.place, table=table, column=column)
        else:
            kind = "table" if any(key[0] == table for key in release.known.columns) else "view"
            yield facts.DropsTable(place=step.place, table=table, kind=kind)


def _has_no_column(release: Release, table: str, column: str) -> bool:
    """IF EXISTS did nothing: the table was looked at, and has no such column."""
    return (table, column) not in release.types and any(key[0] == table for key in release.types)


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
