"""The statements of a release in the order in which they run, each as both witnesses saw it."""

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple, TypeVar, cast

from checks import quick
from checks.drizzle.model import Migration, Statement, Transaction
from checks.evidence import blocks
from checks.facts import Place
from checks.witnesses import clauses as c
from checks.witnesses import text
from checks.witnesses.model import Observation, Run

Some = TypeVar("Some", bound=c.Clause)

_place = cast("Callable[[str, int, int, str, int], Place]", quick.made(Place))

# From weak to strong: https://www.postgresql.org/docs/current/explicit-locking.html#LOCKING-TABLES
STRENGTH = {
    "AccessShareLock": 1,
    "RowShareLock": 2,
    "RowExclusiveLock": 3,
    "ShareUpdateExclusiveLock": 4,
    "ShareLock": 5,
    "ShareRowExclusiveLock": 6,
    "ExclusiveLock": 7,
    "AccessExclusiveLock": 8,
}
_NOTHING: frozenset[type] = frozenset()
_FURTHER = frozenset({"do_stmt", "prepare_stmt", "execute_stmt"})
BLOCKS_WRITES = STRENGTH["ShareLock"]
# A file of millions of rows as single statements would take minutes; what comes after is said to be unread, and only that
# of it is judged which failed, or which others will have to wait for.
MOST = 50_000
_MOST_LATER = 5_000
BLOCKS_READS = STRENGTH["AccessExclusiveLock"]


class Step(NamedTuple):
    """One statement.

    Attributes:
        number: 1-based, over all migrations that run.
        transaction: which transaction it is in; steps with equal numbers share one. None: it has one of its own.
        migrators: that transaction is the migrator's, not one that the SQL opened.
        observation: what PostgreSQL did; None where there was no database.
        kinds: of its clauses.
    """

    number: int
    migration: Migration
    statement: Statement
    reading: text.Reading
    transaction: int | None
    migrators: bool
    observation: Observation | None
    kinds: frozenset[type]

    @property
    def place(self) -> Place:
        """Where it stands; made when asked for, because of most statements nothing is said."""
        return place_of(self.migration, self.statement)

    @property
    def executed(self) -> bool:
        """It ran to its end."""
        return self.observation is not None and self.observation.executed

    def of(self, kind: type[Some]) -> list[Some]:
        """Its clauses of a kind."""
        return [clause for clause in self.reading.clauses if type(clause) is kind] if kind in self.kinds else []


def place_of(migration: Migration, statement: Statement) -> Place:
    """Where a statement stands."""
    return _place(migration.path, statement.line, statement.end_line, migration.tag, statement.index)


def steps(run: Run | None, migrations: Iterable[Migration], transaction: Transaction) -> list[Step]:
    """The statements of the pending migrations, as many as are judged. Where nothing was run, the text stands alone."""
    seen = {} if run is None or run.state == "skipped" else {r.migration.tag: r.observations for r in run.runs}
    skipped = set(run.skipped) if run is not None else set[str]()
    looked: list[tuple[Migration, Sequence[Statement], Sequence[Observation]]] = []
    room = MOST
    for migration in migrations:
        if migration.tag not in skipped:
            observations = seen.get(migration.tag, ())
            statements = judged(migration.statements, observations, max(0, room))
            room -= len(statements)
            looked.append((migration, statements, observations))
    readings = iter(text.read_all([statement.sql for _, statements, _ in looked for statement in statements]))
    every = _kinds()
    prepared: dict[str, tuple[c.Clause, ...]] = {}
    made: list[Step] = []
    number, is_open, migrators = 0, transaction != "none", transaction != "none"
    before = 1
    for migration, statements, observations in looked:
        if transaction == "each":
            number, is_open, migrators = number + 1, True, True
        watched = len(observations)
        for statement, reading in zip(statements, readings, strict=False):  # as many more follow in the next migration
            observation = observations[statement.index] if statement.index < watched else None
            if reading.kind in _FURTHER and (observation is not None or reading.kind != "do_stmt"):
                reading = _further(reading, statement, observation, prepared)  # noqa: PLW2901 - the same, read further
            kinds = every(reading.clauses)
            verb = _verb(reading) if c.Transaction in kinds else None
            inside = is_open
            if observation is not None and verb is None and observation.executed:
                inside = observation.in_transaction  # a transaction may also end in a procedure or open in a chunk
            which, migrators_own = (number, migrators) if inside else (None, False)
            index = before + statement.index
            made.append(
                quick.new(Step, (index, migration, statement, reading, which, migrators_own, observation, kinds))
            )
            if verb is None:
                continue
            if verb in {"BEGIN", "START TRANSACTION"}:
                is_open = True
            else:
                number, is_open, migrators = number + 1, False, False
        before += len(migration.statements)
    return made


def _further(
    reading: text.Reading,
    statement: Statement,
    observation: Observation | None,
    prepared: dict[str, tuple[c.Clause, ...]],
) -> text.Reading:
    """What a statement asks for that another one says, or a text in it."""
    if reading.kind == "do_stmt":  # the clauses of a block of code that ran stand behind its own
        if observation is None or not observation.executed:
            return reading
        return reading._replace(clauses=(*reading.clauses, *blocks.clauses(statement.sql, observation)))
    asked: tuple[c.Clause, ...] = ()  # what was prepared is asked for where it is executed
    for clause in reading.clauses:
        if isinstance(clause, c.Prepare):
            prepared[clause.name] = clause.clauses
        elif isinstance(clause, c.Execute):
            asked = prepared.get(clause.name, ())
    return reading._replace(clauses=asked)


def _verb(reading: text.Reading) -> str | None:
    return next((clause.verb for clause in reading.clauses if isinstance(clause, c.Transaction)), None)


def _kinds() -> Callable[[tuple[c.Clause, ...]], frozenset[type]]:
    """Tells the kinds of clauses; most statements have the same few."""
    known: dict[tuple[type, ...], frozenset[type]] = {(): _NOTHING}

    def kinds(clauses: tuple[c.Clause, ...]) -> frozenset[type]:
        types = tuple(map(type, clauses))
        found = known.get(types)
        if found is None:
            found = known[types] = frozenset(types)
        return found

    return kinds


def judged(
    statements: Sequence[Statement], observations: Sequence[Observation], room: int = MOST
) -> Sequence[Statement]:
    """The first of too many statements, and those after them of which PostgreSQL has something to tell."""
    if len(statements) <= room:
        return statements
    later = [s for s, seen in zip(statements[room:], observations[room:], strict=False) if _tells(seen)]
    failed = [s for s in later[_MOST_LATER:] if observations[s.index].failure is not None]
    return [*statements[:room], *later[:_MOST_LATER], *failed]


def _tells(seen: Observation) -> bool:
    strong = any(lock.existed and STRENGTH[lock.mode] >= BLOCKS_WRITES for lock in seen.locks)
    return strong or bool(seen.failure or seen.rewrites or seen.scans or seen.notes or seen.changes)
