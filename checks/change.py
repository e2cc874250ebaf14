"""What is under review: a base, a head, their merge base, and the files that differ."""

from dataclasses import dataclass
from typing import Literal

from checks.tree import Tree

TypeOfChange = Literal["added", "modified", "deleted", "renamed"]


@dataclass(frozen=True, slots=True)
class Commit:
    """A commit and its files."""

    sha: str
    tree: Tree


@dataclass(frozen=True, slots=True)
class Changed:
    """One file that differs between two commits.

    Attributes:
        path: where it is now (for a deleted file: where it was).
        old_path: where a renamed file was.
    """

    path: str
    change: TypeOfChange
    old_path: str | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """A head against a base.

    Attributes:
        base: the tip of the base branch: collisions are judged against it.
        merge_base: where head left base: what head introduces is counted from it.
        files: merge base → head.
        base_files: merge base → base, what happened on base meanwhile.
    """

    base: Commit
    head: Commit
    merge_base: Commit
    files: tuple[Changed, ...]
    base_files: tuple[Changed, ...] = ()

    @property
    def paths(self) -> frozenset[str]:
        """Every path that head changed, old names of renamed files included."""
        return frozenset(p for f in self.files for p in (f.path, f.old_path) if p is not None)
