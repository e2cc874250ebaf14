"""`db migrate`: looks whether rows and schema agree, mends the rows where they do not, and runs what is pending."""

import getpass
import os
import socket
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bot.database import evidence, ours, sync, target, tracking
from bot.database import source as sources
from bot.database.evidence import Drift, Scratch
from bot.database.line import Failed, Patience
from bot.database.runner import Runner
from bot.database.source import Source
from bot.database.target import Target
from bot.database.tracking import Ledger, Table
from bot.progress import Say
from checks.errors import CouldNotJudge
from checks.witnesses.tracking import Row

if TYPE_CHECKING:
    from checks.catalog.model import Catalog


@dataclass(frozen=True, slots=True)
class Options:
    """How to migrate.

    Attributes:
        force: go on where it would refuse, and past a file that fails; recorded with `reason`.
        sync_only: mend the rows, run nothing.
        dry_run: write nothing at all.
        check: look whether the schema is what rows and files say before anything runs.
    """

    force: bool = False
    sync_only: bool = False
    dry_run: bool = False
    check: bool = True
    reason: str = ""
    patience: Patience = field(default_factory=Patience)


@dataclass(slots=True)
class Migrated:
    """What was done, or would be.

    Attributes:
        pending: tags that were to run; `out_of_order` those of them that Drizzle itself would skip.
        synced: how the rows were mended first, if they were.
        refused: why nothing was run.
        drift: what differs, where that is the reason.
    """

    applied: list[str] = field(default_factory=list[str])
    pending: list[str] = field(default_factory=list[str])
    out_of_order: list[str] = field(default_factory=list[str])
    failed: list[Failed] = field(default_factory=list[Failed])
    notes: list[str] = field(default_factory=list[str])
    synced: sync.Plan | None = None
    refused: str | None = None
    drift: Drift | None = None
    dry_run: bool = False

    @property
    def code(self) -> int:
        """The exit code: 3 where the server, not a migration, was in the way."""
        if self.failed:
            return 3 if self.failed[-1].world else 1
        return 1 if self.refused is not None or (self.dry_run and self.pending) else 0


def run(at: Target, source: Source, options: Options, say: Say) -> Migrated:
    """Bring a database to the state of the files.

    Raises:
        UserError, CouldNotJudge: nothing could be done, and nothing was.
    """
    sources.sound(source)
    say(f"connecting to {at.name}")
    worker = Runner(at, source.chain, options.patience, say)
    try:
        with target.trouble(at):
            return _Work(worker, at, source, options, say).do()
    finally:
        worker.close()


class _Work:
    """One migration run."""

    def __init__(self, worker: Runner, at: Target, source: Source, options: Options, say: Say) -> None:
        self._worker, self._at, self._source, self._options, self._say = worker, at, source, options, say
        self._session = worker.session
        self._done = Migrated(dry_run=options.dry_run)

    def do(self) -> Migrated:
        """Look, mend, run."""
        target.check_writable(self._session, self._at)
        self._worker.take_turn()
        table, ledger = self._look()
        if table.shape == "absent" and not self._options.force:
            sync.refuse_other_table(self._session, self._source)
        if ledger.moved or ledger.doubled:
            table, ledger = self._mend(table, sync.rows_only(self._source, table, ledger))
        if ledger.pending or self._options.sync_only:
            table, ledger = self._agree(table, ledger)
        if self._done.refused is None and not self._options.sync_only:
            self._run(table, ledger)
        return self._done

    def _look(self) -> tuple[Table, Ledger]:
        table = tracking.read(self._session, self._at, self._source.project)
        return table, tracking.compare(table, self._source.chain)

    def _mend(self, table: Table, plan: sync.Plan) -> tuple[Table, Ledger]:
        self._done.synced = plan
        if not plan.changes:
            return table, tracking.compare(table, self._source.chain)
        if self._options.dry_run:
            return _as_if(table, plan, self._source)
        sync.write(self._session, self._at, self._source, table, plan)
        return self._look()

    def _agree(self, table: Table, ledger: Ledger) -> tuple[Table, Ledger]:
        """Rows and schema say the same afterwards, or a refusal is noted."""
        half = [m.tag for m in ledger.pending if m.tag in self._worker.progress()]
        if half and not self._options.sync_only:
            self._done.notes.append(
                f"{half[0]} was stopped half way; it goes on, and the schema was not compared before."
            )
        elif self._options.check and (ledger.applied or ledger.unknown or not evidence.bare(self._session)):
            self._say("reading the schema")
            return self._compared(evidence.read(self._session, self._source.chain), table, ledger)
        return table, ledger

    def _compared(self, real: "Catalog", table: Table, ledger: Ledger) -> tuple[Table, Ledger]:
        """Look for drift; where there is some, for the point of the chain that the schema is at."""
        scratch = Scratch(self._source.chain, self._source.extensions, self._say)
        try:
            drift = self._drift(real, ledger, scratch)
            if drift is None and not (self._options.sync_only and not ledger.tidy):
                return table, ledger
            plan = sync.make(self._session, scratch, table, ledger, real)
        except CouldNotJudge as error:
            self._done.notes.append(f"Whether the schema has drifted could not be looked at. {error}")
            return table, ledger
        taken_back = _taken_back(plan, ledger)
        if plan.found and taken_back and not (self._options.force or self._options.sync_only):
            # What it did to rows is there still, and would be done twice.
            self._done.drift = drift
            self._done.refused = (
                f"The migrations table says that {', '.join(taken_back)} ran, and the schema is that of a time before; nothing was "
                "run. Put back what was taken away, or let `bulletproof db sync` remove the row, so that it runs again."
            )
            return table, ledger
        return self._mend(table, plan) if plan.found else self._refuse(table, ledger, plan, drift)

    def _refuse(self, table: Table, ledger: Ledger, plan: sync.Plan, drift: Drift | None) -> tuple[Table, Ledger]:
        self._done.drift = drift or plan.drift
        if drift is None:
            self._done.notes += plan.proof
            return table, ledger
        if self._options.force and not self._options.sync_only:
            self._forced("drift", "; ".join(drift.summary))
            self._done.notes.append("The schema is not what rows and files say; forced.")
            return table, ledger
        self._done.refused = "The schema of the database is neither what its migrations table says nor any other point of the chain; nothing was run."
        return table, ledger

    def _drift(self, real: "Catalog", ledger: Ledger, scratch: Scratch) -> Drift | None:
        expected = scratch.after(ledger.applied.keys())
        whole = ours.schemas([expected])
        if not ledger.applied:  # the schemas that the chain will make count, too
            within = ours.strange(real) & _named(self._source)
            whole |= within
        return evidence.compare(expected, real, whole)

    def _run(self, table: Table, ledger: Ledger) -> None:
        self._done.pending = [m.tag for m in ledger.pending]
        self._done.out_of_order = [tag for tag in ledger.would_skip if tag in self._done.pending]
        if ledger.unknown:
            count = f"{len(ledger.unknown)} row{'s are' if len(ledger.unknown) > 1 else ' is'}"
            self._done.notes.append(
                f"{count} of no migration in these files: the database is ahead of them, or shared with another project."
            )
        if ledger.edited:
            self._done.notes.append(f"Edited since applied, and not run again: {', '.join(ledger.edited)}.")
        if self._options.dry_run:
            return
        tracking.ensure(self._session, self._at, self._source.chain, table)
        if not ledger.pending:
            return
        result = self._worker.run(ledger.pending, force=self._options.force)
        self._done.applied, self._done.failed = result.applied, result.failed
        self._done.notes += result.notes
        if self._options.force and result.failed and self._worker.wire.gone is None:
            self._forced("failed", "; ".join(f"{f.migration.tag}: {f.failure.message}" for f in result.failed))

    def _forced(self, action: str, detail: str) -> None:
        if not self._options.dry_run:
            reason = self._options.reason or "no reason was given"
            tracking.log(self._session, self._at, tracking.Forced(action, detail, reason, _who()))


def _taken_back(plan: sync.Plan, ledger: Ledger) -> list[str]:
    """Migrations that are recorded, and whose rows would have to go."""
    gone = {change.row.id for change in plan.changes if change.migration is None and change.row is not None}
    return [tag for tag, row in ledger.applied.items() if row.id in gone]


def _as_if(table: Table, plan: sync.Plan, source: Source) -> tuple[Table, Ledger]:
    """The ledger as it would be after the rows were mended."""
    gone = {c.row.id for c in plan.changes if c.row is not None}
    kept = [row for row in table.rows if row.id not in gone]
    new = [Row(0, c.migration.hash, c.migration.when, c.migration.tag) for c in plan.changes if c.migration is not None]
    after = Table(source.project.format, (*kept, *new))
    return after, tracking.compare(after, source.chain)


def _named(source: Source) -> frozenset[str]:
    """Schemas that the chain's text names."""
    words: set[str] = set()
    for migration in source.chain.migrations:
        words.update(migration.text.replace('"', " ").replace(".", " ").replace(";", " ").split())
    return frozenset(words)


def _who() -> str:
    try:
        user = getpass.getuser()
    except (OSError, KeyError):
        user = str(os.getuid())
    return f"{user}@{socket.gethostname()}"
