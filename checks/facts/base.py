"""What all facts share: a place, and whether head made them so."""

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
