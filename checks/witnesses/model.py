"""What PostgreSQL did: one observation a statement, one run for what was pending."""

from dataclasses import dataclass
from typing import Literal

from checks.drizzle.model import Migration, Statement, Transaction


@dataclass(frozen=True, slots=True)
class Held:
    """A lock on a relation.

    Attributes:
        relation: `schema.name`, as it was called before the migration.
        mode: PostgreSQL's name, e.g. `AccessExclusiveLock`.
        existed: the relation was there before the first pending migration (for `trace`: after the set-up).
    """

    relation: str
    mode: str
    existed: bool = True


@dataclass(frozen=True, slots=True)
class Failure:
    """PostgreSQL's own words.

    Attributes:
        position: the 0-based character in the statement, where it gave one.
        stopped: it did not fail: its time was up, or the server went away under it.
    """

    sqlstate: str
    message: str
    position: int | None = None
    detail: str | None = None
    hint: str | None = None
    stopped: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Observation:
    """What one statement did.

    Attributes:
        executed: it ran to its end.
        ms: wall milliseconds, the observing not counted.
        locks: the strongest mode that this statement newly took on each table, partitioned table or materialized view; what its
            transaction held before in the same mode cannot be told apart.
        held: what the open transaction holds after it (empty outside a transaction).
        rewrites, scans: `schema.name` of tables rewritten, or read from end to end.
        proved: scans that PostgreSQL skipped because existing constraints prove the new one.
        changes: schema changes in words.
        rows: rows touched, where it is DML.
        in_transaction: it ran inside a transaction that outlives it.
        notes: what could not be observed, and what would be otherwise under other settings of the session.
    """

    statement: Statement
    executed: bool = False
    ms: float | None = None
    failure: Failure | None = None
    locks: tuple[Held, ...] = ()
    held: tuple[Held, ...] = ()
    rewrites: tuple[str, ...] = ()
    scans: tuple[str, ...] = ()
    proved: tuple[str, ...] = ()
    changes: tuple[str, ...] = ()
    rows: int | None = None
    in_transaction: bool = True
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class MigrationRun:
    """One migration's statements, observed, in order (those after a failure are there too, not executed)."""

    migration: Migration
    observations: tuple[Observation, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Run:
    """What Drizzle's migrator would do with what is pending.

    Attributes:
        state: `skipped` where nothing could be run at all; `why` says so then.
        failed: tag and statement index of the statement that failed.
        rolled_back: tags whose work the failure undid.
        half_applied: tags that stay applied in part and unrecorded.
        skipped: tags that the migrator passes over in silence.
        recorded: tags that have a row in the tracking table afterwards.
    """

    state: Literal["ok", "failed", "skipped"]
    transaction: Transaction
    runs: tuple[MigrationRun, ...] = ()
    failed: tuple[str, int] | None = None
    failure: Failure | None = None
    rolled_back: tuple[str, ...] = ()
    half_applied: tuple[str, ...] = ()
    skipped: tuple[str, ...] = ()
    recorded: tuple[str, ...] = ()
    why: str | None = None
