"""Work that grows with a table while others wait: from what PostgreSQL did, or from what the text makes certain."""

from collections.abc import Collection, Iterator
from dataclasses import replace

from checks import facts
from checks.evidence import types
from checks.evidence.release import Release
from checks.evidence.steps import BLOCKS_READS, BLOCKS_WRITES, STRENGTH, Step
from checks.facts import Fact
from checks.witnesses import clauses as c
from checks.witnesses.model import Observation

AX, SHARE_ROW, SHARE = "AccessExclusiveLock", "ShareRowExclusiveLock", "ShareLock"
DATA = frozenset({"select_stmt", "insert_stmt", "update_stmt", "delete_stmt", "merge_stmt", "copy_stmt"})
# They read under a lock that lets others write; what an earlier statement locked is that one's cost.
_PROVE = frozenset({c.AddColumn, c.AddConstraint, c.SetNotNull, c.ValidateConstraint})
_BUILD = frozenset({c.CreateIndex, c.Reindex, c.RewriteAll, c.AddConstraint, c.Refresh})
_COSTLY = _PROVE | _BUILD
_WORK = _PROVE | {c.CreateIndex, c.RewriteAll}
_GENTLE = DATA | {
    "create_table_as_stmt",
    "truncate_stmt",
    "vacuum_stmt",
    "explain_stmt",
    "execute_stmt",
    "declare_cursor_stmt",
}


def costs(step: Step, release: Release) -> Iterator[Fact]:
    """What a statement costs those who wait for it."""
    observation = step.observation
    if observation is not None and observation.executed:
        yield from _observed(step, observation, release)
    elif (
        (observation is None or observation.failure is None)
        and not _COSTLY.isdisjoint(step.by_kind)
        and not _young(step, release)
    ):
        yield from _certain(step, release)


def _young(step: Step, release: Release) -> bool:
    """Every table that it works on was born in the release."""
    worked = [clause for clause in step.reading.clauses if type(clause) is not c.Lock]
    tables = [getattr(clause, "table", "") for clause in worked if type(clause) in _WORK]
    return len(tables) == len(worked) and release.born.issuperset(tables)


def slow(step: Step, release: Release) -> list[str]:
    """The tables that a statement reads or writes from end to end, whatever lock it takes."""
    observation = step.observation
    if observation is None or not (observation.rewrites or observation.scans):
        return []
    born = {release.original(table) for table in release.born}
    return [t for t in dict.fromkeys((*observation.rewrites, *observation.scans)) if t not in born]


def _observed(step: Step, observation: Observation, release: Release) -> Iterator[Fact]:
    if not (observation.rewrites or observation.scans):
        return
    gentle = step.reading.kind in _GENTLE and not step.of(c.RewriteAll)
    if gentle and step.reading.kind not in DATA:
        return
    # Rows are read and written under locks that let others write; what a function does meanwhile need not be so mild.
    modes = _own_modes(observation) if gentle else _modes(step, observation, release)
    slow_ones = {t for t, mode in modes.items() if STRENGTH[mode] >= BLOCKS_WRITES} - _harmless(step, release)
    rewritten = [t for t in observation.rewrites if t in slow_ones]
    scanned = [t for t in observation.scans if t in slow_ones and t not in rewritten]
    for table, also in _families(step, rewritten, modes, release):
        yield replace(_rewrite(step, table, release), mode=modes[table], also=also)
    caused = [fact for fact in _causes(step, release, observed=True) if _touches(fact, scanned, modes, release)]
    strongest = max((modes[t] for t in scanned), key=STRENGTH.__getitem__, default="")
    yield from (replace(fact, mode=strongest) for fact in caused)
    if not caused or step.of(c.AttachPartition):
        for table, also in _families(step, scanned, modes.keys() - set(rewritten), release):
            yield replace(_scan(step, table, modes[table], release), mode=modes[table], also=also)


def _families(
    step: Step, tables: list[str], modes: Collection[str], release: Release
) -> Iterator[tuple[str, tuple[str, ...]]]:
    """ALTER TABLE and CREATE INDEX go through a table and its partitions: that is told once, of the table they name."""
    named = _named(step, release)
    if named is None or not tables:
        yield from ((table, ()) for table in tables)
        return
    head = named if named in modes and not step.of(c.AttachPartition) else tables[0]
    yield head, tuple(t for t in tables if t != head)


def _named(step: Step, release: Release) -> str | None:
    if step.reading.kind not in {"alter_table_stmt", "index_stmt"}:
        return None
    first = next(iter(step.of(c.CreateIndex) or step.of(c.AttachPartition) or step.of(c.Lock)[-1:]), None)
    return release.original(first.table) if first is not None else None


def _touches(fact: facts.Costs, scanned: list[str], modes: dict[str, str], release: Release) -> bool:
    """The scans are this one's doing: of its table, of the one it refers to, or of partitions."""
    touched = {release.original(fact.table)}
    if isinstance(fact, facts.AddsForeignKey):
        touched.add(release.original(fact.referenced))
    if any(table in scanned or _alike(table, scanned) for table in touched):
        return True
    return bool(scanned) and release.original(fact.table) in modes


def _modes(step: Step, observation: Observation, release: Release) -> dict[str, str]:
    """The strongest lock on each table that existed, as the statement holds it while it works."""
    modes = _own_modes(observation)
    if not _only_validates(step, release):
        named = (release.original(getattr(clause, "table", "")) for clause in step.reading.clauses)
        for table in (*observation.rewrites, *observation.scans, *named):
            if mode := _stronger(observation.held.mode(table), modes.get(table, "")):
                modes[table] = mode
    return modes


def _own_modes(observation: Observation) -> dict[str, str]:
    """The strongest lock that this statement newly took on each table."""
    modes: dict[str, str] = {}
    for lock in observation.locks:
        if lock.existed:
            modes[lock.relation] = _stronger(lock.mode, modes.get(lock.relation, ""))
    return modes


def _stronger(mode: str, other: str) -> str:
    return mode if STRENGTH.get(mode, 0) > STRENGTH.get(other, 0) else other


def _only_validates(step: Step, release: Release) -> bool:
    """It proves constraints of an earlier release, under a lock that lets others write."""
    return bool(step.reading.clauses) and all(
        isinstance(clause, c.ValidateConstraint) and (clause.table, clause.name) not in release.open.unproved
        for clause in step.reading.clauses
    )


def _rewrite(step: Step, table: str, release: Release) -> facts.Costs | facts.NarrowsType:
    zone = False
    for clause in step.of(c.AlterType):
        old = release.types.get((clause.table, clause.column), "")
        if old and types.compare(old, clause.type) == "narrower":
            return facts.NarrowsType(
                place=step.place, table=clause.table, column=clause.column, old=old, new=clause.type, rewrites=True
            )
        zone = zone or types.stamps(old, clause.type)
    if step.of(c.Refresh):
        return facts.BlocksReads(place=step.place, table=table, why="the refresh")
    return facts.RewritesTable(place=step.place, table=table, why=_why(step, release), depends_on_zone=zone)


def _why(step: Step, release: Release) -> str:
    """What asks for a rewrite, in words."""
    for clause in step.reading.clauses:
        match clause:
            case c.AlterType(table=of, column=column, type=new):
                old = release.types.get((of, column))
                return f"Changing `{column}` {f'from {old} ' if old else ''}to {new}"
            case c.AddColumn(column=column, filled=filled) if filled not in {"", "virtual"}:
                return f"Filling the new {filled} column `{column}`"
            case c.AddColumn(column=column, default="volatile" | "unknown"):
                return f"Filling the new column `{column}` with a value of its own for each row"
            case c.RewriteAll(why=why):
                return why
            case _:
                pass
    return "This statement"


def _scan(step: Step, table: str, mode: str, release: Release) -> facts.Costs:
    place = step.place
    for index in step.of(c.CreateIndex):
        why = f"building index `{index.name}`" if index.name else "building the index"
        return facts.BlocksWrites(place=place, table=table, why=why, index=index.name)
    if step.of(c.Reindex):
        return facts.BlocksWrites(place=place, table=table, why="building its indexes anew")
    if STRENGTH[mode] < BLOCKS_READS:
        domain = step.reading.kind == "alter_domain_stmt"
        why = "proving the domain's new condition" if domain else "this statement"
        return facts.BlocksWrites(place=place, table=table, why=why)
    if altered := step.of(c.AlterType):
        own = table in {release.original(clause.table) for clause in altered}
        why = "building its indexes anew" if own else "proving foreign keys anew"
        return facts.BlocksReads(place=place, table=table, why=why)
    if any(clause.kind == "exclusion" for clause in step.of(c.AddConstraint)):
        return facts.BlocksReads(place=place, table=table, why="building the exclusion constraint's index")
    why = "attaching the partition" if step.of(c.AttachPartition) else "this statement"
    if any(clause.using_index for clause in step.of(c.AddConstraint)):
        why = "making the key's columns NOT NULL"
    return facts.ScansTable(place=place, table=table, why=why)


def _causes(step: Step, release: Release, *, observed: bool) -> Iterator[facts.Costs]:
    """What may need a look at every row of a table that was not born here, the most telling first, one of a kind."""
    made: dict[type[Fact], facts.Costs] = {}
    for clause in step.reading.clauses:
        if type(clause) not in _PROVE:
            continue
        fact = _cause(step, clause, release, observed=observed)
        if fact is not None and fact.table not in release.born:
            made.setdefault(type(fact), fact)
    yield from made.values()


def _cause(step: Step, clause: c.Clause, release: Release, *, observed: bool) -> facts.Costs | None:  # noqa: PLR0911 - one answer a clause
    match clause:
        case c.AddColumn(table=table, column=column, not_null=True, default="none", filled=""):
            return facts.AddsRequiredColumn(place=step.place, table=table, column=column, observed=observed)
        case c.AddConstraint(not_valid=True) | c.AddConstraint(using_index=True):
            return None
        case c.AddConstraint(kind="primary key", table=table, column=str(column)) if column and _required(
            step, table, column
        ):
            return None  # it fails as soon as there is a row, which says more
        case c.AddConstraint(kind="foreign key", table=table, column=str(column)) if column and _empty(
            step, table, column
        ):
            return None
        case c.AddConstraint(table=table, name=name, kind="unique" | "primary key" as kind, columns=columns):
            return facts.AddsUnique(
                place=step.place, table=table, kind=kind, name=name, columns=columns, observed=observed
            )
        case c.AddConstraint(table=table, name=name, kind="check"):
            return facts.AddsCheck(place=step.place, table=table, name=name, observed=observed)
        case c.AddConstraint(table=table, name=name, kind="foreign key", columns=columns, referenced=referenced):
            return facts.AddsForeignKey(
                place=step.place,
                table=table,
                mode=SHARE_ROW,
                name=name,
                columns=columns,
                referenced=referenced,
                observed=observed,
            )
        case c.SetNotNull(table=table, column=column):
            return facts.SetsNotNull(place=step.place, table=table, column=column, observed=observed)
        case c.ValidateConstraint(table=table, name=name) if (table, name) in release.open.unproved:
            return facts.ValidatesAtOnce(place=step.place, table=table, name=name, observed=observed)
        case _:
            return None


def _required(step: Step, table: str, column: str) -> bool:
    return any((a.table, a.column, a.default, a.filled) == (table, column, "none", "") for a in step.of(c.AddColumn))


def _empty(step: Step, table: str, column: str) -> bool:
    """A new column without a default refers to nothing yet."""
    return any((a.table, a.column, a.default) == (table, column, "none") for a in step.of(c.AddColumn))


def _harmless(step: Step, release: Release) -> set[str]:
    """Tables that seem to be read: views that stay readable, and what new tables refer to.

    A table born here has no row to look up in the one that it refers to.
    """
    tables: set[str] = set()
    for clause in step.reading.clauses:
        match clause:
            case c.Refresh(table=table, gently=True):
                tables.add(release.original(table))
            case c.AddConstraint(kind="foreign key", table=table, referenced=referenced) if table in release.born:
                tables.add(release.original(referenced))
            case _:
                pass
    return tables


def _certain(step: Step, release: Release) -> Iterator[Fact]:  # noqa: C901 - one case a clause
    """Without a look at the database: only what holds whatever the tables are like."""
    columns = {(clause.table, clause.column): clause for clause in step.of(c.AddColumn)}
    rewritten: set[str] = set()
    for clause in columns.values():
        if clause.default == "volatile" and clause.table not in release.born and clause.table not in rewritten:
            rewritten.add(clause.table)
            why = _why(step, release)
            yield facts.RewritesTable(place=step.place, table=clause.table, why=why, observed=False)
    for fact in _causes(step, release, observed=False):
        # Whether a validated CHECK spares the scan, or a new column's default needs a look-up, only the database knows.
        unsure = isinstance(fact, facts.SetsNotNull) or (
            isinstance(fact, facts.AddsForeignKey) and (fact.table, *fact.columns[:1]) in columns
        )
        if fact.table not in rewritten and not unsure:
            yield fact
    for clause in step.reading.clauses:
        if type(clause) not in _BUILD:
            continue
        match clause:
            case c.CreateIndex(table=table, name=name, concurrently=False, if_not_exists=False) if (
                table not in release.born
            ):
                why = f"building index `{name}`" if name else "building the index"
                yield facts.BlocksWrites(place=step.place, table=table, mode=SHARE, why=why, index=name, observed=False)
            case c.Reindex(table=table) if table and table not in release.born:
                yield facts.BlocksWrites(
                    place=step.place, table=table, mode=SHARE, why="building its indexes anew", observed=False
                )
            case c.RewriteAll(table=table, why=why) if table not in release.born:
                yield facts.RewritesTable(place=step.place, table=table, why=why, observed=False)
            case c.AddConstraint(table=table, kind="exclusion") if table not in release.born and table not in rewritten:
                why = "building the exclusion constraint's index"
                yield facts.BlocksReads(place=step.place, table=table, mode=AX, why=why, observed=False)
            case c.Refresh(table=table, gently=False) if table not in release.born:
                yield facts.BlocksReads(place=step.place, table=table, mode=AX, why="the refresh", observed=False)
            case _:
                pass


def _alike(table: str, others: list[str]) -> bool:
    """The same name in another schema: the text does not know the search path."""
    return table.startswith("public.") and any(o.rpartition(".")[2] == table.rpartition(".")[2] for o in others)
