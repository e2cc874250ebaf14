"""The vocabulary between witnesses and rules: a place, and what is so at that place."""

from dataclasses import dataclass

from checks.place import Place


@dataclass(frozen=True, kw_only=True, slots=True)
class Fact:
    """Something that is so. A rule subscribes to a subclass by the annotation of its first parameter.

    Attributes:
        place: where it is so.
        introduced: head made it so; what base already had never blocks.
    """

    place: Place
    introduced: bool = True


@dataclass(frozen=True, kw_only=True, slots=True)
class OnTable(Fact):
    """Something about one table (`schema.name`)."""

    table: str


# What PostgreSQL does while it works: seen by the postgres witness, or certain from the text where nothing ran.


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
    """Every row is read under a lock that stops reads and writes, to prove what the statement claims."""


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


# What is taken away from those who read.


@dataclass(frozen=True, kw_only=True, slots=True)
class Removes(OnTable):
    """A table or column is no longer there, or no longer what it was, for the release that still runs.

    Attributes:
        returns: the same release makes something of that name again, so that readers find it.
    """

    returns: bool = False

    @property
    def gone(self) -> tuple[str | None, ...]:
        """The columns that code may not name any more; None is the table itself."""
        return (None,)


@dataclass(frozen=True, kw_only=True, slots=True)
class DropsTable(Removes):
    """A table, view or materialized view goes. `kind` in words."""

    kind: str = "table"


@dataclass(frozen=True, kw_only=True, slots=True)
class RenamesTable(Removes):
    """A table gets another name or schema."""

    new: str


@dataclass(frozen=True, kw_only=True, slots=True)
class RemovesColumn(Removes):
    """One column is no longer what it was."""

    column: str

    @property
    def gone(self) -> tuple[str | None, ...]:
        """That column."""
        return (self.column,)


@dataclass(frozen=True, kw_only=True, slots=True)
class DropsColumn(RemovesColumn):
    """A column goes."""


@dataclass(frozen=True, kw_only=True, slots=True)
class RenamesColumn(RemovesColumn):
    """A column gets another name."""

    new: str


@dataclass(frozen=True, kw_only=True, slots=True)
class ChangesType(OnTable):
    """A column gets another type, nothing is rewritten, and values that it holds fit.

    Attributes:
        old: its type before, `""` where unknown.
        new: its type as written.
        depends_on_zone: in another time zone of the session than UTC, the table would be rewritten.
    """

    column: str
    old: str
    new: str
    depends_on_zone: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class NarrowsType(RemovesColumn):
    """The new type holds less than the old: rows that do not fit make the migration fail. `rewrites`: it rewrites the table, too."""

    old: str
    new: str
    rewrites: bool = False
    mode: str = "AccessExclusiveLock"
    also: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class DropsConstraint(OnTable):
    """A constraint goes, and what it forbade may be written."""

    name: str
    kind: str = "constraint"


# Other things that a statement's text says.


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


@dataclass(frozen=True, kw_only=True, slots=True)
class Fails(Fact):
    """The migration does not run.

    Attributes:
        complete: the branch database had all that the chain asks for; otherwise our limits may be the reason.
        from_zero: it runs on base's state, and fails where the whole chain runs on an empty database.
    """

    sqlstate: str
    message: str
    complete: bool = True
    from_zero: bool = False
    half_applied: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Unreadable(Fact):
    """A statement that no witness could look into."""

    why: str


# What is wrong with a waiver (`-- migrate:allow RULE: reason`).


@dataclass(frozen=True, kw_only=True, slots=True)
class WaiverWithoutReason(Fact):
    """It does not say why."""

    rule: str


@dataclass(frozen=True, kw_only=True, slots=True)
class WaiverUnknownRule(Fact):
    """It names no rule. `nearest` asks whether a similar one was meant."""

    rule: str
    nearest: str


@dataclass(frozen=True, kw_only=True, slots=True)
class WaiverUnused(Fact):
    """Nothing was found that it could excuse."""

    rule: str
