"""The vocabulary between witnesses and rules: a place, and what is so at that place."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class Place:
    """Where a fact stands.

    Attributes:
        path: from the root of the repository.
        line, end_line: 1-based, in the file as head has it.
        migration: the tag of the migration, where there is one.
        statement: its 0-based index in the migration, where there is one.
    """

    path: str
    line: int = 1
    end_line: int = 1
    migration: str | None = None
    statement: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Fact:
    """Something that is so. A rule subscribes to a subclass by the annotation of its first parameter.

    Attributes:
        place: where it is so.
        introduced: head made it so; what base already had never blocks.
    """

    place: Place
    introduced: bool = True
