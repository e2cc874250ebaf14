"""What is taken away from those who read: tables, columns, types that held more, constraints."""

from dataclasses import dataclass

from checks.facts.base import OnTable


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
    """A table, view or materialized view goes. `kind` in words; `was`: its name before the release, where that is another."""

    kind: str = "table"
    was: str = ""


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
