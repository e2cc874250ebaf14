"""The part of a schema that a difference touches, with all that it stands on: enough to try the difference elsewhere."""

from dataclasses import replace

from checks.catalog import part
from checks.catalog.model import Catalog, Key, Object
from checks.catalog.statements import graph
from checks.catalog.tables import Column, Constraint


def of(a: Catalog, b: Catalog) -> tuple[Catalog, Catalog]:
    """Both parts (`part.of`) and what they cannot be without; each can be made from nothing."""
    near = part.of(a, b)
    wanted = {key for catalog in near for key in catalog.objects}
    wanted |= _below(a, wanted) | _below(b, wanted)
    return _closed(a, wanted), _closed(b, wanted)


def _below(catalog: Catalog, wanted: set[Key]) -> set[Key]:
    """What objects need, and what that needs: of a table its columns, not its foreign keys, views or triggers."""
    parts = part.mapped(catalog).parts
    found: set[Key] = set()
    stack = list(wanted)
    while stack:
        key = stack.pop()
        if key in found or key not in catalog.objects:
            continue
        found.add(key)
        stack.extend(graph.told(catalog.objects[key], catalog))
        stack.extend(catalog.needs.get(key, ()))
        if key[0] == "table":
            stack.extend(each for each in parts.get((key[1], key[2]), ()) if _holds(catalog.objects[each]))
    return found


def _holds(found: Object) -> bool:
    """A table is not the same without it."""
    return isinstance(found, Column) or (isinstance(found, Constraint) and found.contype in "pu")


def _closed(catalog: Catalog, wanted: set[Key]) -> Catalog:
    found = part.only(catalog, wanted)
    return replace(found, needs={key: needed & wanted for key, needed in found.needs.items()})
