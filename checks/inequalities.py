"""Facts about schema file, snapshot and chain that do not say the same."""

from dataclasses import dataclass

from checks.facts import Fact


@dataclass(frozen=True, kw_only=True, slots=True)
class MissingMigration(Fact):
    """The schema file asks for something that no migration builds.

    Attributes:
        table: of what is missing, or the enum, view, … itself.
        what: in words, e.g. "column `handle`".
    """

    table: str
    what: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class PendingDrop(Fact):
    """A column left the schema file and stays in the database: the safe order, until its drop is generated."""

    table: str
    column: str


@dataclass(frozen=True, kw_only=True, slots=True)
class HandEditedMigration(Fact):
    """The migrations build something that neither the schema file nor the snapshot knows."""

    what: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class SnapshotDiffers(Fact):
    """The last snapshot describes another database than the migrations build: the next `generate` starts from the wrong state."""

    table: str
    what: tuple[str, ...]
