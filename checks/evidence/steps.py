"""The statements of a release in the order in which they run, each as both witnesses saw it."""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple, TypeVar

from checks.drizzle.model import Migration, Statement, Transaction
from checks.evidence import blocks
from checks.facts import Place
from checks.witnesses import clauses as c
from checks.witnesses import text
from checks.witnesses.model import Observation, Run

Some = TypeVar("Some", bound=c.Clause)

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
_NONE: list[c.Clause] = []
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
    """

    number: int
    migration: Migration
    statement: Statement
    reading: text.Reading
    transaction: int | None
    migrators: bool
    observation: Observation | None
    by_kind: Mapping[type, list[c.Clause]]

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
        return self.by_kind.get(kind, _NONE)  # pyright: ignore[reportReturnType] - the keys are the clauses' types


def place_of(migration: Migration, statement: Statement) -> Place:
    """Where a statement stands."""
    return Place(
        path=migration.path,
        line=statement.line,
        end_line=statement.end_line,
        migration=migration.tag,
        statement=statement.index,
    )


def steps(run: Run | None, migrations: Iterable[Migration], transaction: Transaction) -> list[Step]:
    """The statements of the pending migrations, as many as are judged. Where nothing was run, the text stands alone."""
    seen = {} if run is None or run.state == "skipped" else {r.migration.tag: r.observations for r in run.runs}
    skipped = set(run.skipped) if run is not None else set[str]()
    made: list[Step] = []
    number, is_open, migrators = 0, transaction != "none", transaction != "none"
    before = 0
    for migration in migrations:
        if migration.tag in skipped:
            continue
        if transaction == "each":
            number, is_open, migrators = number + 1, True, True
        observations = seen.get(migration.tag, ())
        statements = judged(migration.statements, observations, max(0, MOST - len(made)))
        readings = text.read_all([statement.sql for statement in statements])
        for statement, reading in zip(statements, readings, strict=True):
            observation = observations[statement.index] if statement.index < len(observations) else None
            reading, by_kind = _sorted(statement, reading, observation)  # noqa: PLW2901 - the same, read further
            control: list[c.Transaction] = by_kind.get(c.Transaction, _NONE)  # pyright: ignore[reportAssignmentType] - as in `of`
            verb = control[0].verb if control else None
            inside = is_open
            if verb is None and observation is not None and observation.executed:
                inside = observation.in_transaction  # a transaction may also end in a procedure or open in a chunk
            which, migrators_own = (number, migrators) if inside else (None, False)
            made.append(
                Step(
                    before + statement.index + 1,
                    migration,
                    statement,
                    reading,
                    which,
                    migrators_own,
                    observation,
                    by_kind,
                )
            )
            if verb in {"BEGIN", "START TRANSACTION"}:
                is_open = True
            elif verb is not None:
                number, is_open, migrators = number + 1, False, False
        before += len(migration.statements)
    return made


def _sorted(
    statement: Statement, reading: text.Reading, observation: Observation | None
) -> tuple[text.Reading, Mapping[type, list[c.Clause]]]:
    """The clauses by their kinds; those of a block of code that ran stand behind its own."""
    if reading.kind == "do_stmt" and observation is not None and observation.executed:
        reading = reading._replace(clauses=(*reading.clauses, *blocks.clauses(statement.sql, observation)))
    by_kind: dict[type, list[c.Clause]] = {}
    for clause in reading.clauses:
        if (kind := type(clause)) in by_kind:
            by_kind[kind].append(clause)
        else:
            by_kind[kind] = [clause]
    return reading, by_kind


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
