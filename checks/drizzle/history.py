"""Facts about the history of migrations: what a head does to it, and what was wrong with it before."""

from dataclasses import dataclass
from typing import Literal

from checks.facts import Fact


@dataclass(frozen=True, kw_only=True, slots=True)
class EditedAppliedMigration(Fact):
    """Head changes a migration that base has: databases that ran it never run the new text.

    Attributes:
        change: `edited` (the SQL), `renamed` (v1 runs it again, v0 does not notice), `restamped` (a later `when` runs it again).
        now: its new name, where it was renamed.
    """

    tag: str
    change: Literal["edited", "renamed", "restamped"] = "edited"
    now: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class SilentlySkipped(Fact):
    """A migration whose `when` is not greater than one that databases remember: v0's migrator passes over it.

    Attributes:
        when: of its entry; None where that is no number, which is greater than none.
        other: the migration with the greatest `when` before it.
        with_base: that one is on base, so every database that is up to date skips this one.
    """

    tag: str
    when: int | None
    other: str
    other_when: int
    with_base: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class OutOfOrder(Fact):
    """A v1 migration whose folder sorts before one that databases remember: it runs, after that one there, before it elsewhere.

    Attributes:
        other: the last migration of base.
    """

    tag: str
    other: str


@dataclass(frozen=True, kw_only=True, slots=True)
class NumberCollision(Fact):
    """Two migrations claim one place in the chain.

    Attributes:
        kind: what they share: the whole `name`, the journal's `idx`, the number in the file name (`prefix`), or the `parent` snapshot.
        number: the idx, prefix or name they share.
        with_base: the other one is on base and not in head; else both are in head.
    """

    tag: str
    other: str
    kind: Literal["name", "idx", "prefix", "parent"]
    number: str
    with_base: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class JournalMismatch(Fact):
    """Journal and files do not agree, or the journal cannot be read. Attributes as in `Damage`."""

    problem: str
    tag: str | None = None
    other: str | None = None
    detail: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class SnapshotChain(Fact):
    """The snapshots do not form the chain that the next `generate` needs. Attributes as in `Damage`."""

    problem: str
    tag: str | None = None
    other: str | None = None
    detail: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class DeletedMigration(Fact):
    """Head removes a migration that base has.

    Attributes:
        file_stays: only the journal's entry is gone.
        all_of_them: how many were removed, where all of base's were (a squash).
    """

    tag: str
    file_stays: bool = False
    all_of_them: int = 0
