"""Runs pending migrations so that, whenever it is stopped, the tracking table and the schema say the same.

Ordinary migrations share one transaction with their rows, as with Drizzle. A file that ends its transaction, or holds what
PostgreSQL refuses inside one, runs in steps.
"""

import time
from collections.abc import Iterable, Sequence

from bot.database import stepping, steps
from bot.database.line import Failed, Line, Patience, Result
from bot.database.stepping import Progress, Stepper
from bot.database.target import Session, Target
from bot.progress import Say
from checks.drizzle.model import Chain, Migration
from checks.errors import CouldNotJudge
from checks.witnesses.wire import IDLE, Wire

_UNSAFE_ENUM = "55P04"


class Runner:
    """One run over one session."""

    def __init__(self, target: Target, chain: Chain, patience: Patience, say: Say) -> None:
        self._line = Line(target, chain, patience, say)
        self.wire: Wire = self._line.wire
        self.session: Session = self._line.session
        self.result = Result()

    def close(self) -> None:
        """End the session, and with it the lock."""
        self.wire.close()

    def progress(self) -> dict[str, Progress]:
        """How far migrations in steps came in an earlier run that was stopped."""
        return stepping.progress(self.session)

    def take_turn(self) -> None:
        """Wait until no other run is at work, and set what the session needs.

        Raises:
            CouldNotJudge: another run did not end in time.
        """
        deadline = time.monotonic() + self._line.patience.turn
        while not self._line.locked():
            self._line.say("waiting for another run to end")
            if time.monotonic() > deadline:
                raise CouldNotJudge(
                    f"Another run has been at work in {self._line.target.name} for {self._line.patience.turn:.0f} seconds. Nothing was written."
                )
            time.sleep(0.2)
        self._line.settings()

    def run(self, pending: Sequence[Migration], *, force: bool) -> Result:
        """Run what is pending, up to the first failure; with `force` each file by itself, past those that fail."""
        progress = self.progress()
        for group in _groups(pending, apart=force):
            went_well = (
                self._together(group)
                if steps.ordinary(group[0])
                else Stepper(self._line, self.result).run(group[0], progress.get(group[0].tag), force=force)
            )
            if self._line.wire.gone is not None:
                raise CouldNotJudge(
                    f"The connection to {self._line.target.name} was lost: {self._line.told(self._line.wire.gone)} What was not committed was "
                    "undone by PostgreSQL; run the command again, and it goes on from there."
                )
            if not went_well and (not force or self.result.failed[-1].world):
                break
        return self.result

    def _together(self, group: Sequence[Migration]) -> bool:
        """One transaction for ordinary migrations and their rows."""
        failed = self._line.attempts(lambda: self._transaction(group))
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

    def _transaction(self, group: Sequence[Migration]) -> Failed | None:
        failed = self._line.sent(group[0], "begin")
        for number, migration in enumerate(group):
            if failed is not None:
                break
            self._line.say(
                f"running {migration.tag} ({number + 1} of {len(group)})"
                if len(group) > 1
                else f"running {migration.tag}"
            )
            failed = self._chunks(migration)
        failed = failed or self._line.record(*group) or self._line.sent(group[-1], "commit", last=True)
        if failed is not None:
            self._line.wire.execute("rollback")
        self._line.relock(group)
        return failed

    def _chunks(self, migration: Migration) -> Failed | None:
        """Send a migration as Drizzle sends it."""
        for number, chunk in enumerate(migration.chunks):
            if not chunk.strip():
                continue
            outcome = self._line.wire.execute(chunk)
            if outcome.failure is not None:
                first = next((s.index for s in migration.statements if s.chunk == number), 0)
                return Failed(migration, first + outcome.done, outcome.failure)
            if self._line.wire.status == IDLE:  # `steps` saw no end of the transaction, and there was one
                self._line.wire.execute("begin")
        return None


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
