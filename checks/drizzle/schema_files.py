"""The files that `schema` names, and why a commit does not show one of them."""

from collections.abc import Iterable
from dataclasses import dataclass

from checks.drizzle import globs
from checks.tree import Tree


@dataclass(frozen=True, slots=True)
class Named:
    """What patterns name.

    Attributes:
        files: each once.
        astray: the patterns that lead to no file of the commit, each with its reason.
        unseen: those of them that may well lead to a file elsewhere.
    """

    files: tuple[str, ...]
    astray: tuple[str, ...]
    unseen: tuple[str, ...]


def named(tree: Tree, patterns: Iterable[str]) -> Named:
    """The files of a tree that patterns name, which are counted from the root of the repository."""
    files: dict[str, None] = {}
    absent: list[str] = []
    unseen: list[str] = []
    for pattern in dict.fromkeys(patterns):
        found = globs.expand(tree, pattern)
        files.update(dict.fromkeys(found))
        if found:
            continue
        why = tree.elsewhere(pattern)
        if why is None:
            absent.append(f"`{pattern}` is not there")
        else:
            unseen.append(f"`{pattern}` {why}")
    return Named(tuple(files), (*unseen, *absent), tuple(unseen))
