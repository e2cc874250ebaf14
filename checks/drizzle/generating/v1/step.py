"""One thing that a v1 migration does, in the words of drizzle-kit's plan."""

from dataclasses import dataclass, field
from typing import Any

from checks.drizzle.entities import Row
from checks.drizzle.generating.v1.state import Altered, Change


@dataclass(frozen=True, slots=True)
class Step:
    """A step.

    Attributes:
        kind: drizzle-kit's word, e.g. `add_column`.
        row: what it is about, as it is afterwards (a thing that goes: as it was).
        old: as it was before, where that is not the same.
        change: the fields that change.
        parts: for a table, its rows by kind; else what the kind of step needs to know besides.
    """

    kind: str
    row: Row
    old: Row = field(default_factory=Row)
    change: Change = field(default_factory=Change)
    parts: dict[str, Any] = field(default_factory=dict[str, Any])


def altering(kind: str, found: Altered, **parts: Any) -> Step:  # noqa: ANN401 - what the kind needs
    """A step that changes a row."""
    return Step(kind, found.new, found.old, found.change, parts)
