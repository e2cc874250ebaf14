"""The part of a schema that a difference touches, with all that it stands on: enough to try the difference elsewhere."""

from collections import defaultdict

from checks.catalog import part
from checks.catalog.model import Catalog, Key
from checks.catalog.statements import graph
from checks.catalog.tables import Column, Constraint


def of(a: Catalog, b: Catalog) -> tuple[Catalog, Catalog]:
    """Both parts (`part.of`) and what they cannot be without; each can be made from nothing."""
    near = part.of(a, b)
    wanted = {key for catalog in near for key in catalog.objects}
    wanted |= _below(a, wanted) | _below(b, wanted)
    return _only(a, wanted), _only(b, wanted)


def _below(catalog: Catalog, wanted: set[Key]) -> set[Key]:
    """What objects need, and what that needs: of a table its columns, not its foreign keys, views or triggers."""
    columns: dict[tuple[str, ...], list[Key]] = defaultdict(list)
    for key, each in catalog.objects.items():
        if isinstance(each, Column) or (isinstance(each, Constraint) and each.contype in "pu"):
            columns[key[1:3]].append(key)
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
            stack.extend(columns.get(key[1:3], ()))
    return found


def _only(catalog: Catalog, wanted: set[Key]) -> Catalog:
    return Catalog(
        catalog.version,
        {key: found for key, found in catalog.objects.items() if key in wanted},
        {key: needed & wanted for key, needed in catalog.needs.items() if key in wanted},
        catalog.roles,
        catalog.unread,
    )
