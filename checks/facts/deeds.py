"""What else a statement does or says: rows changed, enums, transactions, rights, names."""

from dataclasses import dataclass

from checks.facts.base import Fact, OnTable


@dataclass(frozen=True, kw_only=True, slots=True)
class LacksIndex(OnTable):
    """A foreign key whose columns no index begins with."""

    name: str
    columns: tuple[str, ...]
    referenced: str


@dataclass(frozen=True, kw_only=True, slots=True)
class CreatesTable(OnTable):
    """A table is born.

    Attributes:
        primary_key: the columns of its primary key, with their types; None where a later statement or a parent may give it one.
        temporary: only this session sees it.
    """

    primary_key: tuple[tuple[str, str], ...] | None = None
    temporary: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class LimitsText(OnTable):
    """A new column takes texts up to a length that its `type` fixes."""

    column: str
    type: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Truncates(OnTable):
    """All rows go. `cascades`: those of referencing tables too."""

    cascades: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class TouchesAllRows(OnTable):
    """UPDATE or DELETE without WHERE. `verb` is `UPDATE` or `DELETE`."""

    verb: str
    rows: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class MixesDataAndSchema(OnTable):
    """Rows are changed while the transaction holds a lock that stops reads and writes of `locked`."""

    verb: str
    locked: str
    since: int


@dataclass(frozen=True, kw_only=True, slots=True)
class UsesNewEnumValue(Fact):
    """A value that was added to an enum is used in the same transaction."""

    enum: str
    value: str


@dataclass(frozen=True, kw_only=True, slots=True)
class RecreatesEnum(Fact):
    """An enum is dropped and made anew with other values. `columns` take the way over text."""

    enum: str
    columns: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class ConcurrentlyInTransaction(Fact):
    """CONCURRENTLY where the migrator has a transaction open. `what` names the statement (`CREATE INDEX CONCURRENTLY`)."""

    what: str
    index: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class LeavesInvalidIndex(OnTable):
    """CREATE INDEX CONCURRENTLY IF NOT EXISTS: after a failure, the retry keeps the broken index."""

    index: str


@dataclass(frozen=True, kw_only=True, slots=True)
class EndsTransaction(Fact):
    """COMMIT, ROLLBACK or the like inside a migration."""

    verb: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Cascades(Fact):
    """DROP … CASCADE. `also` lists what went with it, where it was seen."""

    what: str
    also: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class DisablesTrigger(OnTable):
    """A trigger (`ALL`, `USER` or a name) no longer fires."""

    trigger: str


@dataclass(frozen=True, kw_only=True, slots=True)
class OpensRls(OnTable):
    """Row level security no longer stands between a role and a table's rows. `how` in words."""

    how: str


@dataclass(frozen=True, kw_only=True, slots=True)
class WidensGrant(Fact):
    """Somebody may do more than before."""

    privileges: str
    what: str
    to: str


@dataclass(frozen=True, kw_only=True, slots=True)
class UnsafeFunction(Fact):
    """A SECURITY DEFINER function that looks names up where its caller says."""

    name: str


@dataclass(frozen=True, kw_only=True, slots=True)
class TruncatedName(Fact):
    """PostgreSQL cuts a name at 63 bytes."""

    name: str
    becomes: str
