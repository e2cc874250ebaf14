"""What a statement's text says by itself: what goes, what opens, what ends."""

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from checks import facts
from checks.evidence import types
from checks.evidence.release import Release
from checks.evidence.steps import Some, Step
from checks.facts import Fact
from checks.witnesses import clauses as c
from checks.witnesses import long_names

_QUIET = frozenset({c.Lock, c.SetNotNull, c.ValidateConstraint, c.CreateView, c.AddEnumValue, c.Dml, c.RenameType})
# Those of which `Whole` is made.
_ASKED = frozenset(
    {
        *(c.AddColumn, c.AddConstraint, c.AlterType, c.CreateEnum, c.CreateIndex, c.CreateTable, c.CreateView),
        *(c.Drop, c.DropColumn, c.DropConstraint, c.Rename, c.RenameSchema),
    }
)
_MOST_NAMES = 20  # of one statement; rubbish of megabytes is full of them
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
        over_text: all those columns.
        made: tables and views that the release makes (again), by name, and columns, by table and name.
        views: the views among them.
        named: what gets a name that something else had: columns, by table and name.
        dropped: tables and views that a statement names for good or under another name, and columns, by table and name.
        indexes: unique indexes that the release makes, by name.
        constraints: constraints that the release adds, by table and name, and by table and kind.
        keyed: tables that get a primary key from a later statement.
    """

    recreated: dict[str, tuple[str, ...]]
    over_text: frozenset[str]
    made: frozenset[object]
    views: frozenset[str]
    named: frozenset[tuple[str, str]]
    dropped: frozenset[object]
    indexes: frozenset[str]
    constraints: frozenset[tuple[str, object]]
    keyed: frozenset[str]


def whole(steps: list[Step]) -> Whole:
    """Look at the whole release."""
    every: dict[type, list[Any]] = {kind: [] for kind in _ASKED}
    for step in steps:
        if not _ASKED.isdisjoint(step.kinds):
            for clause in step.reading.clauses:
                if (kind := type(clause)) in every:
                    every[kind].append(clause)

    def of(kind: type[Some]) -> list[Some]:
        return every[kind]

    recreated: dict[str, tuple[str, ...]] = {}
    through: dict[str, list[tuple[int, str]]] = {}
    for number, a in enumerate(of(c.AlterType)):
        through.setdefault(a.type.replace("[]", ""), []).append((number, f"{a.table}.{a.column}"))
    for enum in _recreated(steps) if of(c.CreateEnum) else ():
        found = sorted(each for name in {enum, enum.removeprefix("public.")} for each in through.get(name, ()))
        recreated[enum] = tuple(dict.fromkeys(column for _, column in found))
    added = of(c.AddConstraint) if of(c.DropConstraint) or of(c.CreateTable) else []  # nobody else asks
    views = {clause.table for clause in of(c.CreateView)}
    made: set[object] = {*views, *(clause.table for clause in of(c.CreateTable))}
    made |= {(clause.table, clause.column) for clause in of(c.AddColumn)}
    made |= {(clause.table, clause.new) if clause.column else clause.new for clause in of(c.Rename)}
    return Whole(
        recreated=recreated,
        over_text=frozenset(column for columns in recreated.values() for column in columns),
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


def claims(step: Step, release: Release, seen: Whole, long: Collection[str]) -> list[Fact]:
    """The facts of one statement's text. `long`: the statements that may have names that PostgreSQL cuts."""
    said: list[Fact] = []
    if not _QUIET.issuperset(step.kinds):
        for clause in step.reading.clauses:
            if (tells := _TELL.get(type(clause))) is not None:
                said += tells(step, clause, release, seen)
    if step.reading.kind == "notify_stmt":
        why = "who listens, and what they do once it commits, is not known here"
        said.append(facts.NotObserved(place=step.place, why=why))
    if long and step.statement.sql in long:
        for name, becomes in long_names.of(step.statement.sql)[:_MOST_NAMES]:
            said.append(facts.TruncatedName(place=step.place, name=name, becomes=becomes))
    return said


def _adds_column(step: Step, clause: c.AddColumn, _: Release, __: Whole) -> Iterable[Fact]:
    if not clause.type.startswith(c.LIMITED):
        return ()
    return (facts.LimitsText(place=step.place, table=clause.table, column=clause.column, type=clause.type),)


def _creates_table(step: Step, clause: c.CreateTable, release: Release, seen: Whole) -> Iterator[Fact]:
    table, key = clause.table, clause.primary_key
    if clause.if_not_exists and release.existed(step, table):
        return
    for column, kind in clause.limited:
        yield facts.LimitsText(place=step.place, table=table, column=column, type=kind)
    later = key == () and table in seen.keyed
    yield facts.CreatesTable(
        place=step.place, table=table, primary_key=None if later else key, temporary=clause.temporary
    )


def _truncates(step: Step, clause: c.Truncate, _: Release, __: Whole) -> Iterator[Fact]:
    for table in clause.tables:
        yield facts.Truncates(place=step.place, table=table, cascades=clause.cascade)


def _creates_enum(step: Step, clause: c.CreateEnum, _: Release, seen: Whole) -> Iterator[Fact]:
    if clause.enum in seen.recreated:
        yield facts.RecreatesEnum(place=step.place, enum=clause.enum, columns=seen.recreated[clause.enum])


def _concurrently(step: Step, clause: c.Concurrently, _: Release, __: Whole) -> Iterator[Fact]:
    if _in_transaction(step):
        yield facts.ConcurrentlyInTransaction(place=step.place, what=clause.what, index=clause.name)


def _creates_index(step: Step, clause: c.CreateIndex, _: Release, __: Whole) -> Iterable[Fact]:
    if not (clause.concurrently and clause.if_not_exists) or _in_transaction(step):
        return ()
    return (facts.LeavesInvalidIndex(place=step.place, table=clause.table, index=clause.name),)


def _ends(step: Step, clause: c.Transaction, _: Release, __: Whole) -> Iterator[Fact]:
    if clause.verb not in {"BEGIN", "START TRANSACTION"} and step.migrators:
        yield facts.EndsTransaction(place=step.place, verb=clause.verb)


def _disables(step: Step, clause: c.Trigger, _: Release, __: Whole) -> Iterator[Fact]:
    yield facts.DisablesTrigger(place=step.place, table=clause.table, trigger=clause.trigger)


def _lets_through(step: Step, clause: c.Rls, _: Release, __: Whole) -> Iterator[Fact]:
    yield facts.OpensRls(place=step.place, table=clause.table, how=clause.how)


def _grants(step: Step, clause: c.Grant, release: Release, _: Whole) -> Iterator[Fact]:
    if clause.table not in release.born:
        yield facts.WidensGrant(place=step.place, privileges=clause.privileges, what=clause.what, to=clause.to)


def _defines(step: Step, clause: c.DefinerFunction, release: Release, _: Whole) -> Iterator[Fact]:
    unsafe = release.known.open_functions
    if clause.name in unsafe if unsafe is not None else not clause.altered:
        yield facts.UnsafeFunction(place=step.place, name=clause.name)


def _opens(step: Step, altered: c.AlterPolicy, release: Release, _: Whole) -> Iterator[Fact]:
    """A policy that lets everybody through, and did not before."""
    was = release.known.policies.get((release.original(altered.table), altered.name))
    if was is None or not was.permissive or was.command in {"r", "SELECT"}:
        return
    public = was.roles == ("public",) or not was.roles if altered.public is None else altered.public
    through = altered.lets_through or "true" in {was.using, was.check}
    if public and through and (altered.lets_through or altered.public):
        how = f"policy `{altered.name}` lets everybody through"
        yield facts.OpensRls(place=step.place, table=altered.table, how=how)


def _drops_column(step: Step, clause: c.DropColumn, release: Release, seen: Whole) -> Iterator[Fact]:
    table, column = key = (clause.table, clause.column)
    if key in release.fresh:
        return  # nobody knew it
    if not (clause.missing_ok and _has_no_column(release, table, column)):
        yield facts.DropsColumn(place=step.place, table=table, column=column, returns=key in seen.made)
    if clause.cascade:
        yield from _cascades(
            step, f"ALTER TABLE {table.removeprefix('public.')} DROP COLUMN {column} CASCADE", release, seen
        )


def _renames(step: Step, clause: c.Rename, release: Release, seen: Whole) -> Iterator[Fact]:
    table, column, new = clause
    if column is None:
        yield facts.RenamesTable(place=step.place, table=table, new=new, returns=table in seen.made)
    elif (table, column) not in release.fresh:
        returns = (table, column) in seen.named
        yield facts.RenamesColumn(place=step.place, table=table, column=column, new=new, returns=returns)


def _renames_schema(step: Step, clause: c.RenameSchema, release: Release, seen: Whole) -> Iterator[Fact]:
    for name in release.in_schema(clause.old):
        moved = f"{clause.new}.{name.partition('.')[2]}"
        yield facts.RenamesTable(place=step.place, table=name, new=moved, returns=name in seen.made)


def _drops_constraint(step: Step, clause: c.DropConstraint, release: Release, seen: Whole) -> Iterator[Fact]:
    table, name = clause.table, clause.name
    if table in release.born:
        return
    kind = release.known.constraints.get((release.original(table), name), "")
    if (clause.missing_ok and not kind and not release.lacks(table) and release.known.relations is not None) or (
        (table, name) in seen.constraints or (table, kind or "constraint") in seen.constraints
    ):
        return
    yield facts.DropsConstraint(place=step.place, table=table, name=name, kind=kind or "constraint")


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
    others = release.columns.get(table, ())
    return (table, column) not in release.types and any((table, other) in release.types for other in others)


def _changes_type(step: Step, clause: c.AlterType, release: Release, seen: Whole) -> Iterator[Fact]:
    """Speaks only where nothing is rewritten: a rewrite is the more telling fact."""
    old = release.types.get((clause.table, clause.column), "")
    observation = step.observation
    if not old or (observation is not None and observation.rewrites):
        return
    if f"{clause.table}.{clause.column}" in seen.over_text:
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


def _lacks_index(step: Step, key: c.AddConstraint, release: Release, _: Whole) -> Iterable[Fact]:
    indexes = release.known.indexes
    if indexes is None or not key.columns or key.kind != "foreign key" or key.table in release.born:
        return ()
    first = set(key.columns)
    if any(set(index[: len(first)]) == first for index in indexes.get(key.table, ())):
        return ()
    name, columns, referenced = key.name, key.columns, key.referenced
    return (facts.LacksIndex(place=step.place, table=key.table, name=name, columns=columns, referenced=referenced),)


def _in_transaction(step: Step) -> bool:
    """CONCURRENTLY would meet an open transaction (it ran in none where it ran)."""
    return step.transaction is not None and not (
        step.executed and step.observation and not step.observation.in_transaction
    )


# Each clause has its own: most statements have one or two.
_TELL: dict[type, Callable[[Step, Any, Release, Whole], Iterable[Fact]]] = {
    c.AddColumn: _adds_column,
    c.AddConstraint: _lacks_index,
    c.AlterPolicy: _opens,
    c.AlterType: _changes_type,
    c.Concurrently: _concurrently,
    c.CreateEnum: _creates_enum,
    c.CreateIndex: _creates_index,
    c.CreateTable: _creates_table,
    c.DefinerFunction: _defines,
    c.Drop: _drops,
    c.DropColumn: _drops_column,
    c.DropConstraint: _drops_constraint,
    c.Grant: _grants,
    c.Rename: _renames,
    c.RenameSchema: _renames_schema,
    c.Rls: _lets_through,
    c.Transaction: _ends,
    c.Trigger: _disables,
    c.Truncate: _truncates,
}
