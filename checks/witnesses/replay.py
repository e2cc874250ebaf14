"""Runs a chain as Drizzle's migrator does: the same queries, the same transaction, the same rows in the tracking table.

What is pending the database says, as it does to Drizzle. drizzle-orm 0.45: `pg-core/dialect.js`, `neon-http/migrator.js`;
1.0: `pg-core/async/session.js`, `up-migrations/pg.js`.
"""

import re
from collections.abc import Iterator, Sequence
from itertools import groupby
from operator import attrgetter

from checks.branch import Branch
from checks.drizzle.model import Chain, Migration, Project, Statement
from checks.witnesses import grammar, leftovers, tracking
from checks.witnesses.model import Failure, MigrationRun, Observation, Run
from checks.witnesses.postgres import CONTROL, Session, first_words, is_work
from checks.witnesses.wire import IDLE, INTRANS, Wire

_SCHEMA = frozenset({"CREATE", "ALTER", "DROP", "COMMENT", "GRANT", "REVOKE"})  # give no rows, end no transaction
_PARAMETER = re.compile(r"\$\d|\0")
_MOST = 50  # chunks on their way at once


def run(branch: Branch, chain: Chain, *, seconds: float | None = None) -> Run:
    """Run what is pending of a chain, and observe each statement.

    Args:
        branch: at the state of base, its tracking table filled.
        chain: all migrations, those that ran included.
        seconds: how long all of it may take; then it is stopped, which is a failure of the statement that ran.
    """
    project = chain.project
    session = Session(branch, seconds=seconds)
    try:
        tracking.ensure(session.wire, chain)
        pending, skipped = tracking.pending(session.wire, chain)
        session.existing_now(bookkeeping=project.table)
        migrator = _Migrator(session, project, pending)
        migrator.migrate()
    except tracking.RefusedError as error:
        return Run(state="failed", transaction=project.transaction, failure=error.failure, why=error.failure.message)
    finally:
        session.close()
    recorded = tracking.read(branch, chain)
    return Run(
        state="ok" if migrator.failure is None else "failed",
        transaction=project.transaction,
        runs=migrator.runs(),
        failed=migrator.failed,
        failure=migrator.failure,
        rolled_back=tuple(m.tag for m in pending if m.tag in migrator.undone and m.tag not in recorded),
        half_applied=tuple(m.tag for m in pending if m.tag in migrator.kept and m.tag not in recorded),
        skipped=skipped,
        recorded=recorded,
    )


def build_base(
    branch: Branch,
    chain: Chain,
    *,
    seconds: float | None = None,
    watch: leftovers.Watch | None = None,
    recorded: bool = True,
) -> Run:
    """Bring a branch to the state after a chain, as Drizzle would and as fast as it would: nothing is observed.

    Args:
        branch: where.
        chain: all migrations, those that ran included.
        seconds: as for `run`.
        watch: looks at what the chain leaves in the session.
        recorded: tell what is recorded afterwards; another session reads it.

    Returns:
        A run without observations; `failed` and `failure` say where it ended, if it did.
    """
    project = chain.project
    wire = Wire(branch, seconds=seconds)
    failed: tuple[str, int] | None = None
    failure: Failure | None = None
    skipped: tuple[str, ...] = ()
    try:
        tracking.ensure(wire, chain)
        pending, skipped = tracking.pending(wire, chain)
        if watch is not None:
            watch.begin(wire)
        failed, failure = _build(wire, project, pending, watch)
    except tracking.RefusedError as error:
        failure = error.failure
    finally:
        wire.close()
    return Run(
        state="ok" if failure is None else "failed",
        transaction=project.transaction,
        failed=failed,
        failure=failure,
        skipped=skipped,
        recorded=tracking.read(branch, chain) if recorded else (),
        why=None if failure is None or failed else failure.message,
    )


def _build(
    wire: Wire, project: Project, pending: Sequence[Migration], watch: leftovers.Watch | None
) -> tuple[tuple[str, int] | None, Failure | None]:
    together, http = project.transaction == "one", project.migrator == "neon-http"
    if together:
        wire.execute("begin")
    for migration in pending:
        if project.transaction == "each":
            wire.execute("begin")
        stopped = _apply(wire, migration, http=http)
        if stopped is not None:
            wire.execute("rollback")
            return stopped
        if project.transaction != "none":
            tracking.record(wire, project, migration)
        if project.transaction == "each":
            wire.execute("commit")
    if watch is not None:
        watch.end(wire)
    failure = wire.execute("commit").failure if together else None
    if project.transaction == "none":
        for migration in pending:
            tracking.record(wire, project, migration)
    return None, failure


def _apply(wire: Wire, migration: Migration, *, http: bool) -> tuple[tuple[str, int], Failure] | None:
    """Run one migration; where it stopped and why, if it did."""
    alone = [[number] for number in range(len(migration.chunks))]
    for numbers in alone if http else _together(migration):
        if len(numbers) > 1 and wire.status == INTRANS:
            done, failure = wire.batch([migration.chunks[n].encode(errors="replace") for n in numbers])
            if failure is not None:
                return _place(migration, numbers[min(done, len(numbers) - 1)], 0), failure
            continue
        for number in numbers:
            outcome = wire.execute(migration.chunks[number], extended=http)
            if outcome.failure is not None:
                return _place(migration, number, outcome.done), outcome.failure
    return None


def _place(migration: Migration, chunk: int, done: int) -> tuple[str, int]:
    """The statement that failed: the next after those of its chunk that were done."""
    first = next((s.index for s in migration.statements if s.chunk == chunk), 0)
    return migration.tag, first + done


def _together(migration: Migration) -> Iterator[list[int]]:
    """The chunks in groups: those that need not wait for one another's answer together, each other one alone.

    Inside a transaction a schema change is the same by either protocol, and so are its errors; `$1` is read differently.
    """
    group: list[int] = []
    plain: dict[int, bool] = {}
    for statement in migration.statements:
        alone = statement.chunk not in plain  # the only statement of its chunk, so far
        plain[statement.chunk] = alone and first_words(statement.sql)[0] in _SCHEMA
    for number, chunk in enumerate(migration.chunks):
        quiet = migration.unread is None and plain.get(number, False) and not _PARAMETER.search(chunk)
        if group and not (quiet and len(group) < _MOST):
            yield group
            group = []
        if quiet:
            group.append(number)
        else:
            yield [number]
    if group:
        yield group


class _Migrator:
    """One run of the migrator.

    Attributes:
        kept: tags of which at least a part was committed.
        undone: tags of which at least a part was rolled back.
    """

    def __init__(self, session: Session, project: Project, pending: Sequence[Migration]) -> None:
        self._session = session
        self._project = project
        self._pending = pending
        self._seen: dict[str, list[Observation]] = {migration.tag: [] for migration in pending}
        self._open: set[str] = set()
        self.kept: set[str] = set()
        self.undone: set[str] = set()
        self.failed: tuple[str, int] | None = None
        self.failure: Failure | None = None

    def migrate(self) -> None:
        """Run everything, up to the first failure."""
        if self._project.transaction == "one":
            self._session.quietly("begin")
        if not all(self._whole(migration) for migration in self._pending):
            return
        if self._project.transaction == "none":
            all(self._record(migration) for migration in self._pending)
        elif self._project.transaction == "one" and self._pending:
            self._commit(self._pending[-1])

    def _whole(self, migration: Migration) -> bool:
        """Run one migration and write its row, where it is written at once; false where that failed."""
        each = self._project.transaction == "each"
        if each:
            self._session.quietly("begin")
        if not self._apply(migration) or (self._project.transaction != "none" and not self._record(migration)):
            self._roll_back()
            return False
        return not each or self._commit(migration)

    def runs(self) -> tuple[MigrationRun, ...]:
        """What was observed, and after it what was not run."""
        return tuple(
            MigrationRun(
                migration,
                (
                    *self._seen[migration.tag],
                    *(
                        Observation(statement=statement)
                        for statement in migration.statements[len(self._seen[migration.tag]) :]
                    ),
                ),
            )
            for migration in self._pending
        )

    def _apply(self, migration: Migration) -> bool:
        for _, group in groupby(migration.statements, key=attrgetter("chunk")):
            statements = list(group)
            for observation in self._send(migration, statements):
                self._seen[migration.tag].append(observation)
                if observation.failure is not None:
                    self.failed = (migration.tag, observation.statement.index)
                    self.failure = observation.failure
                    if self._session.wire.status == IDLE and len(statements) > 1:
                        self._open.clear()  # the implicit transaction of the chunk
                        self.undone.add(migration.tag)
                    return False
                self._account(migration, observation)
            if self._session.wire.status == IDLE:
                self._keep()
        return True

    def _send(self, migration: Migration, statements: Sequence[Statement]) -> Iterator[Observation]:
        """Send a chunk, and give an observation for each of its statements that was reached."""
        session = self._session
        chunk = migration.chunks[statements[0].chunk]
        if len(statements) > 1:
            if self._project.migrator == "neon-http":  # the extended protocol takes one statement
                yield session.unobserved(statements[0], chunk, extended=True)
                return
            if _unreadable(statements):
                # The server reads a query to its end before it runs the start of it.
                outcome = session.unobserved(statements[0], chunk)
                if outcome.failure is None or outcome.failure.sqlstate == "42601":
                    yield from _spread(outcome, statements, chunk)
                    return
                yield outcome
                return
        yield from session.chunk(statements)
        if self._project.transaction == "none":
            session.forget()

    def _account(self, migration: Migration, observation: Observation) -> None:
        """What is committed by now, and what is not."""
        first, *_ = first_words(observation.statement.sql)
        if self._session.wire.status == INTRANS:
            if is_work(observation.statement.sql):
                self._open.add(migration.tag)
        elif first in {"ROLLBACK", "ABORT"}:
            self.undone |= self._open
            self._open.clear()
        else:
            if is_work(observation.statement.sql):
                self._open.add(migration.tag)
            self._keep()

    def _keep(self) -> None:
        self.kept |= self._open
        self._open.clear()

    def _record(self, migration: Migration) -> bool:
        try:
            tracking.record(self._session.wire, self._project, migration)
        except tracking.RefusedError as error:
            self._end(migration, error.failure)
            return False
        self._session.settle()
        return True

    def _commit(self, migration: Migration) -> bool:
        """Commit; what was deferred is checked now."""
        failure = self._session.quietly("commit").failure
        if failure is None:
            self._keep()
            return True
        self.undone |= self._open
        self._end(migration, failure)
        return False

    def _end(self, migration: Migration, failure: Failure) -> None:
        self.failure = failure
        self.failed = (migration.tag, max(0, len(migration.statements) - 1))

    def _roll_back(self) -> None:
        if self.failed is not None and self.failed[0] not in self.kept:
            self._open.add(self.failed[0])
        self.undone |= self._open
        self._session.quietly("rollback")


def _unreadable(statements: Sequence[Statement]) -> bool:
    """Whether the query ends transactions and may hold a syntax error: only then does it matter when that is found."""
    ends = any(first_words(statement.sql)[0] in CONTROL for statement in statements)
    return ends and any(grammar.parse(statement.sql).node is None for statement in statements)


def _spread(outcome: Observation, statements: Sequence[Statement], chunk: str) -> Iterator[Observation]:
    """Give what a whole query did to the statement that it is about."""
    failure = outcome.failure
    if failure is None:
        for statement in statements:
            yield Observation(statement=statement, executed=True, notes=outcome.notes)
        return
    at = failure.position or 0
    start = 0
    for statement in statements:
        start = chunk.find(statement.sql, start)
        end = start + len(statement.sql)
        if at <= end or statement is statements[-1]:
            inside = Failure(failure.sqlstate, failure.message, max(0, at - start), failure.detail, failure.hint)
            yield Observation(statement=statement, failure=inside)
            return
        yield Observation(statement=statement)
        start = end
