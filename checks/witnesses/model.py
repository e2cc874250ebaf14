"""What PostgreSQL did: one observation a statement, one run for what was pending."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, overload

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


class Ledger:
    """The locks that a transaction took, one after the other; it only grows."""

    __slots__ = ("entries", "places")

    def __init__(self) -> None:
        """Nothing was taken yet."""
        self.entries: list[Held] = []
        self.places: dict[str, list[int]] = {}

    def add(self, lock: Held) -> None:
        """A table was locked, or locked more strongly."""
        self.places.setdefault(lock.relation, []).append(len(self.entries))
        self.entries.append(lock)


class Holding(Sequence[Held]):
    """What an open transaction holds at one moment: the first part of a ledger.

    A transaction of thousands of statements would be remembered as millions of locks, were each moment a list of its own.
    A table that was locked more strongly stands there twice, the last one counts.
    """

    __slots__ = ("_ledger", "_length")

    def __init__(self, ledger: Ledger | None = None) -> None:
        """What is in the ledger now."""
        self._ledger = ledger or Ledger()
        self._length = len(self._ledger.entries)

    @overload
    def __getitem__(self, index: int) -> Held: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Held]: ...
    def __getitem__(self, index: int | slice) -> Held | Sequence[Held]:
        """As of a tuple."""
        return tuple(self)[index]

    def __len__(self) -> int:
        """How many locks."""
        return self._length

    def __iter__(self) -> Iterator[Held]:
        """From the first taken on."""
        return (self._ledger.entries[number] for number in range(self._length))

    def mode(self, relation: str) -> str:
        """The strongest mode held on a table, `""` where none is."""
        places = self._ledger.places.get(relation, ())
        return next((self._ledger.entries[n].mode for n in reversed(places) if n < self._length), "")

    def since(self, earlier: "Holding") -> Iterator[Held]:
        """What was taken after an earlier moment of the same transaction; all, after one of another transaction."""
        first = earlier._length if earlier._ledger is self._ledger else 0  # noqa: SLF001 - of the same class
        return (self._ledger.entries[number] for number in range(first, self._length))


NOTHING_HELD = Holding()


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
    held: Holding = NOTHING_HELD
    rewrites: tuple[str, ...] = ()
    scans: tuple[str, ...] = ()
    proved: tuple[str, ...] = ()
    changes: tuple[str, ...] = ()
    rows: int | None = None
    in_transaction: bool = True
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Seen:
    """What was seen of one statement: the fields of `Observation` that are the witness's own."""

    locks: tuple[Held, ...] = ()
    rewrites: tuple[str, ...] = ()
    scans: tuple[str, ...] = ()
    proved: tuple[str, ...] = ()
    changes: tuple[str, ...] = ()
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
