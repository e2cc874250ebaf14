"""Work that grows with a table while others wait: from what PostgreSQL did, or from what the text makes certain."""

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import replace
from typing import Any

from checks import facts, quick
from checks.evidence import types
from checks.evidence.release import Release
from checks.evidence.steps import BLOCKS_READS, BLOCKS_WRITES, STRENGTH, Step
from checks.facts import Fact, Place
from checks.witnesses import clauses as c
from checks.witnesses.model import Observation

_adds_foreign_key, _REST = quick.parted(facts.AddsForeignKey, "place", "table", "name", "columns", "referenced")
_adds_unique = quick.made(facts.AddsUnique)
_blocks_writes = quick.made(facts.BlocksWrites)

AX, SHARE_ROW, SHARE = "AccessExclusiveLock", "ShareRowExclusiveLock", "ShareLock"
_KEY = facts.AddsForeignKey(
    place=Place(path="", line=1, end_line=1), table="", name="", columns=(), referenced="", mode=SHARE_ROW
)
_KEYS = {seen: tuple(getattr(replace(_KEY, observed=seen), name) for name in _REST) for seen in (True, False)}
DATA = frozenset({"select_stmt", "insert_stmt", "update_stmt", "delete_stmt", "merge_stmt", "copy_stmt"})
# They read under a lock that lets others write; what an earlier statement locked is that one's cost.
_PROVE = frozenset({c.AddColumn, c.AddConstraint, c.SetNotNull, c.ValidateConstraint})
_BUILD = frozenset({c.CreateIndex, c.Reindex, c.RewriteAll, c.Refresh})
_ADDED = frozenset({c.AddColumn, c.Lock})
_CERTAIN = (_PROVE | _BUILD) - {c.SetNotNull}
_WORK = _PROVE | {c.CreateIndex, c.RewriteAll}
_GENTLE = DATA | {
    "create_table_as_stmt",
    "truncate_stmt",
    "vacuum_stmt",
    "explain_stmt",
    "execute_stmt",
    "declare_cursor_stmt",
}


def costs(step: Step, release: Release) -> Iterable[Fact]:
    """What a statement costs those who wait for it."""
    observation = step.observation
    if observation is not None and observation.executed:
        return _observed(step, observation, release)
    # Whether a validated CHECK spares SET NOT NULL its look at every row, only the database knows.
    if _CERTAIN.isdisjoint(step.kinds) or (observation is not None and observation.failure is not None):
        return ()
    if _ADDED.issuperset(step.kinds) and all(map(_is_free, step.reading.clauses)):
        return ()
    return () if release.born and _young(step, release) else _certain(step, release)


def _is_free(clause: c.Clause) -> bool:
    """A new column that asks nothing of the rows that are there: most of all that is added."""
    return not (isinstance(clause, c.AddColumn) and (clause.default == "volatile" or clause.not_null))


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


def _causes(step: Step, release: Release, *, observed: bool) -> Iterable[facts.Costs]:
    """What may need a look at every row of a table that was not born here, the most telling first, one of a kind."""
    if _PROVE.isdisjoint(step.kinds):
        return ()
    made: dict[type[Fact], facts.Costs] = {}
    born = release.born
    for clause in step.reading.clauses:
        finds = _CAUSES.get(type(clause))
        if finds is not None and clause[0] not in born:  # the first field is the table
            fact = finds(step, clause, release, observed)
            if fact is not None:
                made.setdefault(type(fact), fact)
    return made.values()


def _new_column(step: Step, clause: c.AddColumn, _: Release, observed: bool) -> facts.Costs | None:  # noqa: FBT001 - as all of them
    if not clause.not_null or clause.default != "none" or clause.filled:
        return None
    return facts.AddsRequiredColumn(place=step.place, table=clause.table, column=clause.column, observed=observed)


def _new_constraint(step: Step, clause: c.AddConstraint, _: Release, observed: bool) -> facts.Costs | None:  # noqa: FBT001 - as all of them
    table, name, kind, columns, not_valid, using_index, referenced, column = clause
    if not_valid or using_index or (kind == "foreign key" and column and _empty(step, table, column)):
        return None
    if kind == "check":
        return facts.AddsCheck(place=step.place, table=table, name=name, observed=observed)
    if kind == "foreign key":
        return _adds_foreign_key(step.place, table, name, columns, referenced, _KEYS[observed])
    if kind == "exclusion" and not observed:
        why = "building the exclusion constraint's index"
        return facts.BlocksReads(place=step.place, table=table, mode=AX, why=why, observed=False)
    if kind not in {"unique", "primary key"} or (kind == "primary key" and column and _required(step, table, column)):
        return None  # what fails as soon as there is a row says more
    return _adds_unique(place=step.place, table=table, kind=kind, name=name, columns=columns, observed=observed)


def _sets_not_null(step: Step, clause: c.SetNotNull, _: Release, observed: bool) -> facts.Costs | None:  # noqa: FBT001 - as all of them
    return facts.SetsNotNull(place=step.place, table=clause.table, column=clause.column, observed=observed)


def _validates(step: Step, clause: c.ValidateConstraint, release: Release, observed: bool) -> facts.Costs | None:  # noqa: FBT001 - as all of them
    if (clause.table, clause.name) not in release.open.unproved:
        return None
    return facts.ValidatesAtOnce(place=step.place, table=clause.table, name=clause.name, observed=observed)


_CAUSES: dict[type, Callable[[Step, Any, Release, bool], facts.Costs | None]] = {
    c.AddColumn: _new_column,
    c.AddConstraint: _new_constraint,
    c.SetNotNull: _sets_not_null,
    c.ValidateConstraint: _validates,
}


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


def _certain(step: Step, release: Release) -> list[Fact]:
    """Without a look at the database: only what holds whatever the tables are like."""
    causes = _causes(step, release, observed=False)
    said: list[Fact]
    if c.AddColumn in step.kinds:
        said = _upon_columns(step, release, causes)
    else:
        said = [fact for fact in causes if type(fact) is not facts.SetsNotNull]  # see `costs`
    if _BUILD.isdisjoint(step.kinds):
        return said
    for clause in step.reading.clauses:
        builds = _BUILDS.get(type(clause))
        if builds is not None and clause[0] not in release.born and (fact := builds(step, clause)) is not None:
            said.append(fact)
    return said


def _upon_columns(step: Step, release: Release, causes: Iterable[facts.Costs]) -> list[Fact]:
    """Where columns are added, they may have the table written anew, which tells more than what is proved on the way."""
    said: list[Fact] = []
    columns = {(a.table, a.column): a.default for a in step.of(c.AddColumn)}
    rewritten: set[str] = set()
    for (table, _), default in columns.items():
        if default == "volatile" and table not in release.born and table not in rewritten:
            rewritten.add(table)
            said.append(facts.RewritesTable(place=step.place, table=table, why=_why(step, release), observed=False))
    for fact in causes:
        # See `costs`; and whether a new column's default needs a look-up is not known either.
        unsure = isinstance(fact, facts.SetsNotNull) or (
            isinstance(fact, facts.AddsForeignKey) and (fact.table, *fact.columns[:1]) in columns
        )
        if fact.table not in rewritten and not unsure:
            said.append(fact)
    return said


def _indexes(step: Step, clause: c.CreateIndex) -> facts.Costs | None:
    if clause.concurrently or clause.if_not_exists:
        return None
    why = f"building index `{clause.name}`" if clause.name else "building the index"
    return _blocks_writes(place=step.place, table=clause.table, mode=SHARE, why=why, index=clause.name, observed=False)


def _reindexes(step: Step, clause: c.Reindex) -> facts.Costs | None:
    if not clause.table:
        return None
    why = "building its indexes anew"
    return _blocks_writes(place=step.place, table=clause.table, mode=SHARE, why=why, observed=False)


def _rewrites(step: Step, clause: c.RewriteAll) -> facts.Costs | None:
    return facts.RewritesTable(place=step.place, table=clause.table, why=clause.why, observed=False)


def _refreshes(step: Step, clause: c.Refresh) -> facts.Costs | None:
    if clause.gently:
        return None
    return facts.BlocksReads(place=step.place, table=clause.table, mode=AX, why="the refresh", observed=False)


# What builds something from every row.
_BUILDS: dict[type, Callable[[Step, Any], facts.Costs | None]] = {
    c.CreateIndex: _indexes,
    c.Refresh: _refreshes,
    c.Reindex: _reindexes,
    c.RewriteAll: _rewrites,
}


def _alike(table: str, others: list[str]) -> bool:
    """The same name in another schema: the text does not know the search path."""
    return table.startswith("public.") and any(o.rpartition(".")[2] == table.rpartition(".")[2] for o in others)
