"""What PostgreSQL does while it works: seen by the postgres witness, or certain from the text where nothing ran."""

from dataclasses import dataclass

from checks.facts.base import Fact, OnTable


@dataclass(frozen=True, kw_only=True, slots=True)
class Costs(OnTable):
    """Work that grows with the table, under a lock that makes others wait.

    Attributes:
        mode: the lock, e.g. `AccessExclusiveLock`.
        observed: PostgreSQL did it; otherwise the text says that it will.
        also: other tables that it goes through: partitions, children.
    """

    mode: str = "AccessExclusiveLock"
    observed: bool = True
    also: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class RewritesTable(Costs):
    """Every row is written anew. `why` is what asks for it, in words."""

    why: str = ""
    depends_on_zone: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class ScansTable(Costs):
    """Every row is read under a lock that stops reads and writes, to prove what the statement claims. `why` in words."""

    why: str = "this statement"


@dataclass(frozen=True, kw_only=True, slots=True)
class BlocksReads(Costs):
    """Something is built from every row under a lock that stops reads and writes."""

    why: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class BlocksWrites(Costs):
    """Every row is read under a lock that lets reads through and stops writes."""

    why: str = ""
    index: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class AddsUnique(Costs):
    """A unique, primary key or exclusion constraint that builds its index there and then."""

    kind: str
    name: str
    columns: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class AddsCheck(Costs):
    """A check constraint that is proved there and then."""

    name: str


@dataclass(frozen=True, kw_only=True, slots=True)
class AddsForeignKey(Costs):
    """A foreign key that is proved there and then; it locks both tables."""

    name: str
    columns: tuple[str, ...]
    referenced: str


@dataclass(frozen=True, kw_only=True, slots=True)
class SetsNotNull(Costs):
    """A column becomes NOT NULL, and every row is read to prove it."""

    column: str


@dataclass(frozen=True, kw_only=True, slots=True)
class AddsRequiredColumn(Costs):
    """A new column is NOT NULL and has nothing to fill the rows that are there."""

    column: str


@dataclass(frozen=True, kw_only=True, slots=True)
class ValidatesAtOnce(Costs):
    """A constraint is validated in the transaction that added it, so its lock is held while every row is read."""

    name: str


@dataclass(frozen=True, kw_only=True, slots=True)
class HoldsLocks(Fact):
    """Locks outlive the statements that take them: others wait until the transaction ends.

    Attributes:
        tables: name, what waits (`reads and writes` or `writes`), and the statement from which on (1-based, over all pending files).
        last: the statement at whose end the locks are let go.
        at_end: that is the end of all pending files.
        slow: what takes time while they wait, in words.
    """

    tables: tuple[tuple[str, str, int], ...]
    last: int
    at_end: bool = True
    slow: tuple[str, ...] = ()
