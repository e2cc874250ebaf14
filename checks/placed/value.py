"""A value of a YAML or JSON file, and the line it stands on."""

from collections.abc import Iterator
from dataclasses import dataclass

DEEPEST = 60
MOST_VALUES = 200_000

Scalar = str | int | float | bool | None


class Unreadable(ValueError):  # noqa: N818 - it is said in this word
    """The text is not what it should be; `line` is where."""

    def __init__(self, line: int, why: str) -> None:
        super().__init__(why)
        self.line = line
        self.why = why


@dataclass(frozen=True, slots=True)
class Key:
    """A key of a mapping, and the line it stands on."""

    name: str
    line: int


@dataclass(frozen=True, slots=True)
class Placed:
    """A value and its 1-based line.

    Attributes:
        value: a scalar, a list of placed values, or pairs of a key and a placed value in the order of the file.
        block: a block of YAML (`|` or `>`): its text begins on the line after.
    """

    value: "Scalar | tuple[Placed, ...] | Mapping"
    line: int
    block: bool = False

    def get(self, name: str) -> "Placed | None":
        """The value under a key; None where this is no mapping or has no such key."""
        if isinstance(self.value, Mapping):
            return next((v for k, v in self.value.pairs if k.name == name), None)
        return None

    def at(self, *names: str) -> "Placed | None":
        """The value under a path of keys."""
        here: Placed | None = self
        for name in names:
            here = None if here is None else here.get(name)
        return here

    def pairs(self) -> "tuple[tuple[Key, Placed], ...]":
        """The pairs of a mapping; none of anything else."""
        return self.value.pairs if isinstance(self.value, Mapping) else ()

    def items(self) -> "tuple[Placed, ...]":
        """The items of a list; none of anything else."""
        return self.value if isinstance(self.value, tuple) else ()

    def string(self) -> str | None:
        """The text of a string; None of anything else."""
        return self.value if isinstance(self.value, str) else None


@dataclass(frozen=True, slots=True)
class Mapping:
    """Keys and values in the order of the file; the first of two equal keys is the one that `get` finds."""

    pairs: tuple[tuple[Key, Placed], ...]


def strings(value: Placed, *, most: int = MOST_VALUES) -> Iterator[tuple[tuple[str, ...], Placed]]:
    """Every string below a value with its path of keys (items of a list are `*`); shared aliases count each time, up to `most`."""
    stack: list[tuple[tuple[str, ...], Placed]] = [((), value)]
    seen = 0
    while stack and seen < most:
        path, here = stack.pop()
        seen += 1
        if isinstance(here.value, str):
            yield path, here
        elif len(path) < DEEPEST:
            stack.extend(reversed([((*path, k.name), v) for k, v in here.pairs()]))
            stack.extend(reversed([((*path, "*"), v) for v in here.items()]))
