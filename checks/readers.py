"""Who reads it: the places of the repository that name what a migration drops, renames or narrows. The only importer of sqlglot."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from checks.facts import Fact
from checks.so_far import Reader, Target

if TYPE_CHECKING:
    from checks.change import Change
    from checks.drizzle.model import Project


def of(facts: Sequence[Fact], change: "Change", project: "Project") -> Mapping[Target, Sequence[Reader]]:
    """The readers of everything that the facts take away."""
    del facts, change, project
    return {}
