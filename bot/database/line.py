"""One session at work: sends what it is given, waits for locks that others hold, and records what was done."""

import random
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import psycopg
from psycopg import sql

from bot.database import tracking
from bot.database.target import Session, Target
from bot.progress import Say
from checks.drizzle.model import Chain, Migration
from checks.witnesses.model import Failure
from checks.witnesses.wire import Wire

BUSY = {"55P03", "40P01", "40001"}  # lock timeout, deadlock, serialization: worth another try
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


class Line:
    """One session, which holds the advisory lock."""

    def __init__(self, target: Target, chain: Chain, patience: Patience, say: Say) -> None:
        self.target, self.chain, self.patience, self.say = target, chain, patience, say
        self.wire = Wire(target)
        self.session: Session = self.wire.connection

    def locked(self) -> bool:
        """Take the advisory lock; False where another run has it."""
        row = self.session.execute("select pg_catalog.pg_try_advisory_lock(%s)", (_LOCK,)).fetchone()
        return row is not None and bool(row[0])

    def settings(self) -> None:
        """Set what the session needs: nobody waits behind us for long, and nothing ends us."""
        for name, value in (
            ("lock_timeout", f"{int(self.patience.lock * 1000)}ms"),
            ("statement_timeout", "0"),
            ("idle_in_transaction_session_timeout", "0"),
        ):
            self.session.execute("select pg_catalog.set_config(%s, %s, false)", (name, value))

    def told(self, failure: Failure) -> str:
        """PostgreSQL's last words to a session that it lost, as a sentence."""
        said = failure.message.splitlines()[0].rpartition("the server ended the session: ")[2]
        return self.target.redacted(said.rstrip(".") + ".")

    def attempts(self, act: Callable[[], Failed | None]) -> Failed | None:
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

    def sent(self, migration: Migration, query: str, *, last: bool = False) -> Failed | None:
        """Send a query of ours; `last`: a COMMIT, which PostgreSQL answers with ROLLBACK where the transaction had failed."""
        outcome = self.wire.execute(query)
        if outcome.failure is None and last and outcome.tag == "ROLLBACK":
            return Failed(migration, None, Failure("25P02", "the transaction had failed before its end"))
        return None if outcome.failure is None else Failed(migration, None, outcome.failure)

    def record(self, *migrations: Migration) -> Failed | None:
        """Write the rows of migrations."""
        query, values = tracking.insert(self.chain.project, migrations)
        return self.own(migrations[-1], query, values)

    def own(self, migration: Migration, query: sql.Composed, values: tuple[object, ...] = ()) -> Failed | None:
        """Send a query of ours with values; a session that is lost is noted."""
        try:
            self.session.execute(query, values)
        except psycopg.Error as error:
            if self.session.closed or error.sqlstate is None:
                self.wire.gone = self.wire.gone or Failure("08006", self.target.words(error), stopped=True)
            return Failed(migration, None, Failure(error.sqlstate or "08006", self.target.words(error)))
        return None

    def relock(self, group: Iterable[Migration]) -> None:
        """DISCARD ALL lets go of the lock, RESET ALL of the settings."""
        if self.wire.gone is None and any(
            "discard" in m.text.lower() or "timeout" in m.text.lower() or "reset" in m.text.lower() for m in group
        ):
            if any("discard" in m.text.lower() for m in group):
                self.locked()
            self.settings()
