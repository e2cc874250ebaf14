"""What is decided about the objects of two catalogs."""

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field

from checks.catalog.model import Catalog, Key
from checks.catalog.statements.model import Statement


@dataclass(slots=True)
class Decisions:
    """What to do with every object that differs.

    Attributes:
        dropped, created: keys; an object that is replaced is in both.
        altered: the statements for what changes in place.
        kept_aside: types that columns use: renamed, made anew, dropped when the columns have moved over.
        detached, attached: tables that leave, or join, the tables they inherit from.
        held: those whose inherited columns a table beside them holds meanwhile, so that they do not become their own.
        handed: their columns and checks that become inherited ones.
        needs_a, needs_b: what each object needs, on either side.
    """

    a: Catalog
    b: Catalog
    needs_a: Mapping[Key, AbstractSet[Key]]
    needs_b: Mapping[Key, AbstractSet[Key]]
    dropped: set[Key] = field(default_factory=set[Key])
    created: set[Key] = field(default_factory=set[Key])
    altered: dict[Key, list[Statement]] = field(default_factory=dict[Key, list[Statement]])
    kept_aside: set[Key] = field(default_factory=set[Key])
    detached: set[Key] = field(default_factory=set[Key])
    attached: set[Key] = field(default_factory=set[Key])
    held: set[Key] = field(default_factory=set[Key])
    handed: set[Key] = field(default_factory=set[Key])

    def replace(self, key: Key) -> None:
        """Drop it and make it anew."""
        self.dropped.add(key)
        self.created.add(key)
        self.altered.pop(key, None)
