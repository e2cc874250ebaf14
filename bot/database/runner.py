"""Runs pending migrations so that, whenever it is stopped, the tracking table and the schema say the same.

Ordinary migrations share one transaction with their rows, as with Drizzle. A file that ends its transaction, or holds what
PostgreSQL refuses inside one, runs in steps; how far it came is committed together with the step.
"""

import random
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace

import psycopg
from psycopg import sql

from bot.database import indexes, steps, tracking
from bot.database.steps import Step
from bot.database.target import Session, Target
from bot.progress import Say
from checks.drizzle.model import Chain, Migration
from checks.errors import CouldNotJudge, UserError
from checks.witnesses.model import Failure
from checks.witnesses.wire import IDLE, Wire

BUSY = {"55P03", "40P01", "40001"}  # lock timeout, deadlock, serialization: worth another try
_UNSAFE_ENUM = "55P04"
_FULL = {"53100", "53200", "53300", "25006", "57P01", "57P02", "57P03"}  # the world, not the migration
_LOCK = 7_237_021_944_806_153_216  # any number of our own


@dataclass(frozen=True, slots=True)
class Patience:
    """How long locks are waited for.

    Attributes:
        lock: seconds that a statement waits before its transaction is rolled back, so that others are not held up behind it.
        tries: how often a transaction is begun again.
        turn: seconds to wait for another run to end.
    """

    lock: float = 5.0
    tries: int = 12
    turn: float = 60.0


@dataclass(frozen=True, slots=True)
class Failed:
    """A migration that did not run; `statement` is its 0-based statement, None where the failure came at its end."""

    migration: Migration
    statement: int | None
    failure: Failure
    kept: bool = False

    @property
    def world(self) -> bool:
        """The server is the reason (disk, memory, read-only), not the migration."""
        return self.failure.sqlstate in _FULL or self.failure.stopped

    @property
    def place(self) -> str:
        """Path and line."""
        found = [s for s in self.migration.statements if s.index == self.statement]
        return f"{self.migration.path}:{found[0].line}" if found else self.migration.path


@dataclass(slots=True)
class Result:
    """What became of the pending migrations."""

    applied: list[str] = field(default_factory=list[str])
    failed: list[Failed] = field(default_factory=list[Failed])
    notes: list[str] = field(default_factory=list[str])


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a migration came that runs in steps: `done` are committed; `started`: the next was begun, and is not known to have ended."""

    hash: str
    done: int
    started: bool


class Runner:
    """One run over one session, which holds the advisory lock."""

    def __init__(self, target: Target, chain: Chain, patience: Patience, say: Say) -> None:
        self.target, self.chain, self.patience, self.say = target, chain, patience, say
        self.wire = Wire(target)
        self.session: Session = self.wire.connection
        self.result = Result()

    def close(self) -> None:
        """End the session, and with it the lock."""
        self.wire.close()

    def take_turn(self) -> None:
        """Wait until no other run is at work, and set what the session needs.

        Raises:
            CouldNotJudge: another run did not end in time.
        """
        deadline = time.monotonic() + self.patience.turn
        while not self._locked():
            self.say("waiting for another run to end")
            if time.monotonic() > deadline:
                raise CouldNotJudge(
                    f"Another run has been at work in {self.target.name} for {self.patience.turn:.0f} seconds. Nothing was written."
                )
            time.sleep(0.2)
        self._settings()

    def _locked(self) -> bool:
        row = self.session.execute("select pg_catalog.pg_try_advisory_lock(%s)", (_LOCK,)).fetchone()
        return row is not None and bool(row[0])

    def _settings(self) -> None:
        for name, value in (
            ("lock_timeout", f"{int(self.patience.lock * 1000)}ms"),
            ("statement_timeout", "0"),
            ("idle_in_transaction_session_timeout", "0"),
        ):
            self.session.execute("select pg_catalog.set_config(%s, %s, false)", (name, value))

    # --- all that is pending ---

    def run(self, pending: Sequence[Migration], *, force: bool) -> Result:
        """Run what is pending, up to the first failure; with `force` each file by itself, past those that fail."""
        progress = self.progress()
        for group in _groups(pending, apart=force):
            went_well = (
                self._together(group)
                if steps.ordinary(group[0])
                else self._in_steps(group[0], progress.get(group[0].tag), force=force)
            )
            if self.wire.gone is not None:
                raise CouldNotJudge(
                    f"The connection to {self.target.name} was lost: {self._told(self.wire.gone)} What was not committed was "
                    "undone by PostgreSQL; run the command again, and it goes on from there."
                )
            if not went_well and (not force or self.result.failed[-1].world):
                break
        return self.result

    def _told(self, failure: Failure) -> str:
        said = failure.message.splitlines()[0].rpartition("the server ended the session: ")[2]
        return self.target.redacted(said.rstrip(".") + ".")

    def _together(self, group: Sequence[Migration]) -> bool:
        """One transaction for ordinary migrations and their rows."""
        failed = self._attempts(lambda: self._transaction(group))
        if failed is None:
            self.result.applied += [m.tag for m in group]
            return True
        if failed.failure.sqlstate == _UNSAFE_ENUM and len(group) > 1:
            self.result.notes.append(
                f"{failed.migration.tag} uses an enum value that the same run added, so each file had a transaction of its own."
            )
            return all(self._together([migration]) for migration in group)
        self.result.failed.append(failed)
        return False

    def _attempts(self, act: Callable[[], Failed | None]) -> Failed | None:
        """Do it again while others are in the way, waiting longer each time."""
        failed: Failed | None = None
        for attempt in range(self.patience.tries):
            failed = act()
            if failed is None or failed.failure.sqlstate not in BUSY:
                return failed
            if attempt + 1 < self.patience.tries:
                self.say(f"{failed.migration.tag} waits for a lock (try {attempt + 2} of {self.patience.tries})")
                time.sleep(min(0.1 * 2**attempt, 5.0) * random.uniform(0.5, 1.5))  # noqa: S311 - so that two runs do not meet again
        return failed

    def _transaction(self, group: Sequence[Migration]) -> Failed | None:
        failed = self._sent(group[0], "begin")
        for number, migration in enumerate(group):
            if failed is not None:
                break
            self.say(
                f"running {migration.tag} ({number + 1} of {len(group)})"
                if len(group) > 1
                else f"running {migration.tag}"
            )
            failed = self._chunks(migration)
        failed = failed or self._record(*group) or self._sent(group[-1], "commit", last=True)
        if failed is not None:
            self.wire.execute("rollback")
        self._relock(group)
        return failed

    def _chunks(self, migration: Migration) -> Failed | None:
        """Send a migration as Drizzle sends it."""
        for number, chunk in enumerate(migration.chunks):
            if not chunk.strip():
                continue
            outcome = self.wire.execute(chunk)
            if outcome.failure is not None:
                first = next((s.index for s in migration.statements if s.chunk == number), 0)
                return Failed(migration, first + outcome.done, outcome.failure)
            if self.wire.status == IDLE:  # `steps` saw no end of the transaction, and there was one
                self.wire.execute("begin")
        return None

    def _sent(self, migration: Migration, query: str, *, last: bool = False) -> Failed | None:
        outcome = self.wire.execute(query)
        if outcome.failure is None and last and outcome.tag == "ROLLBACK":
            return Failed(migration, None, Failure("25P02", "the transaction had failed before its end"))
        return None if outcome.failure is None else Failed(migration, None, outcome.failure)

    def _record(self, *migrations: Migration) -> Failed | None:
        query, values = tracking.insert(self.chain.project, migrations)
        return self._own(migrations[-1], query, values)

    def _own(self, migration: Migration, query: sql.Composed, values: tuple[object, ...] = ()) -> Failed | None:
        try:
            self.session.execute(query, values)
        except psycopg.Error as error:
            if self.session.closed or error.sqlstate is None:
                self.wire.gone = self.wire.gone or Failure("08006", self.target.words(error), stopped=True)
            return Failed(migration, None, Failure(error.sqlstate or "08006", self.target.words(error)))
        return None

    def _relock(self, group: Iterable[Migration]) -> None:
        """DISCARD ALL lets go of the lock, RESET ALL of the settings."""
        if self.wire.gone is None and any(
            "discard" in m.text.lower() or "timeout" in m.text.lower() or "reset" in m.text.lower() for m in group
        ):
            if any("discard" in m.text.lower() for m in group):
                self._locked()
            self._settings()

    # --- one that runs in steps ---

    def progress(self) -> dict[str, Progress]:
        """How far migrations in steps came in an earlier run that was stopped."""
        return self.progress_of(self.session)

    @staticmethod
    def progress_of(session: Session) -> dict[str, Progress]:
        """The same, by any session."""
        found = session.execute("select pg_catalog.to_regclass(%s)", (".".join(tracking.STEPS),)).fetchone()
        if found is None or found[0] is None:
            return {}
        query = sql.SQL("select tag, hash, done, started from {}").format(_place())
        return {tag: Progress(*rest) for tag, *rest in session.execute(query).fetchall()}

    def _in_steps(self, migration: Migration, before: Progress | None, *, force: bool) -> bool:
        _refuse_edited(migration, before, force=force)
        self._make_room()
        cut = steps.of(migration)
        done = before.done if before is not None and before.hash == migration.hash else 0
        started = before is not None and before.started
        if done:
            self.result.notes.append(f"{migration.tag} goes on at step {done + 1} of {len(cut)}.")
            for step in cut[:done]:
                for setting in step.settings:
                    self.wire.execute(setting)
        for number, step in enumerate(cut[done:], start=done):
            if started and step.kind == "code" and not force:
                raise UserError(
                    f"{migration.path}:{_line(migration, step)} was running when the last run stopped, and nothing tells whether it ended. "
                    "Look, then run it again with --force, or finish the file by hand and run `db sync`."
                )
            self.say(f"running {migration.tag} (step {number + 1} of {len(cut)})")
            last = number + 1 == len(cut)
            again = started
            failed = self._attempts(lambda step=step, number=number, last=last, again=again: self._step(migration, step, number, again=again, last=last))  # fmt: skip
            started = False
            if failed is not None:
                if number == 0:
                    self._own(migration, sql.SQL("delete from {} where tag = %s").format(_place()), (migration.tag,))
                self.result.failed.append(replace(failed, kept=number > 0))
                return False
        if not cut:
            failed = self._record(migration)
            if failed is not None:
                self.result.failed.append(failed)
                return False
        self._relock([migration])
        self.result.applied.append(migration.tag)
        return True

    def _make_room(self) -> None:
        try:
            with self.session.transaction():
                if not self._has_schema():
                    self.session.execute("create schema if not exists drizzle")
                self.session.execute(
                    sql.SQL(
                        "create table if not exists {} (tag text primary key, hash text not null, done int not null, started bool not null)"
                    ).format(_place())
                )
        except psycopg.errors.InsufficientPrivilege as error:
            raise UserError(
                f"A migration that runs in steps needs {'.'.join(tracking.STEPS)}, and the role may not make it: {self.target.words(error)}."
            ) from None

    def _has_schema(self) -> bool:
        query = "select 1 from pg_catalog.pg_namespace where nspname = %s"
        return self.session.execute(query, (tracking.STEPS[0],)).fetchone() is not None

    def _step(self, migration: Migration, step: Step, number: int, *, again: bool, last: bool) -> Failed | None:
        if step.kind == "together":
            return self._whole_step(migration, step, number, last=last)
        if again and indexes.done(self.session, step):
            return self._note(migration, number + 1, last=last)
        failed = self._mark(migration, number, started=True)
        if failed is not None:
            return failed
        self.session.execute(
            "set lock_timeout = 0"
        )  # it holds nobody up while it waits, and a timeout would leave an invalid index
        indexes.clean(self.session, step)
        outcome = self.wire.execute(step.queries[0])
        if outcome.failure is not None:
            if self.wire.gone is None:
                indexes.clean(self.session, step)
                self._settings()
            return Failed(migration, step.first, outcome.failure)
        self._settings()
        return self._note(migration, number + 1, last=last)

    def _whole_step(self, migration: Migration, step: Step, number: int, *, last: bool) -> Failed | None:
        failed = self._sent(migration, "begin")
        for place, query in enumerate(step.queries):
            if failed is None:
                outcome = self.wire.execute(query)
                if outcome.failure is not None:
                    failed = Failed(migration, step.first + place, outcome.failure)
        failed = (
            failed
            or self._note(migration, number + 1, last=last, inside=True)
            or self._sent(migration, "commit", last=True)
        )
        if failed is not None:
            self.wire.execute("rollback")
        return failed

    def _note(self, migration: Migration, done: int, *, last: bool, inside: bool = False) -> Failed | None:
        """Keep that a step is done; with the last, the migration's row instead."""
        if not last:
            return self._mark(migration, done, started=False)
        failed = None if inside else self._sent(migration, "begin")
        forget = sql.SQL("delete from {} where tag = %s").format(_place())
        failed = failed or self._record(migration) or self._own(migration, forget, (migration.tag,))
        if inside:
            return failed
        return failed or self._sent(migration, "commit", last=True)

    def _mark(self, migration: Migration, done: int, *, started: bool) -> Failed | None:
        query = sql.SQL(
            "insert into {} (tag, hash, done, started) values (%s, %s, %s, %s) "
            "on conflict (tag) do update set hash = excluded.hash, done = excluded.done, started = excluded.started"
        ).format(_place())
        return self._own(migration, query, (migration.tag, migration.hash, done, started))


def play(wire: Wire, migration: Migration) -> Failure | None:
    """Run a migration on a database of ours, in the same steps, with no row."""
    for step in steps.of(migration):
        together = step.kind == "together"
        queries = ("begin", *step.queries, "commit") if together else step.queries
        for query in queries:
            failure = wire.execute(query).failure
            if failure is not None:
                wire.execute("rollback")
                return failure
    return None


def _refuse_edited(migration: Migration, before: Progress | None, *, force: bool) -> None:
    if before is not None and before.hash != migration.hash and not force:
        raise UserError(
            f"{migration.tag} was stopped after step {before.done} and edited since, so what is left of it cannot be known. "
            "Undo the edit, or finish it by hand and run `db sync`."
        )


def _groups(pending: Sequence[Migration], *, apart: bool) -> Iterable[list[Migration]]:
    """Neighbours that can share a transaction."""
    group: list[Migration] = []
    for migration in pending:
        alone = apart or not steps.ordinary(migration)
        if group and alone:
            yield group
            group = []
        if alone:
            yield [migration]
        else:
            group.append(migration)
    if group:
        yield group


def _line(migration: Migration, step: Step) -> int:
    return next((s.line for s in migration.statements if s.index == step.first), 1)


def _place() -> sql.Composed:
    return sql.SQL("{}.{}").format(*map(sql.Identifier, tracking.STEPS))
