"""The part of a schema that a difference touches, with all that it stands on: enough to try the difference elsewhere."""

from dataclasses import replace

from checks.catalog import part
from checks.catalog.code import EventTrigger
from checks.catalog.model import Catalog, Key, Object
from checks.catalog.statements import graph
from checks.catalog.tables import Column, Constraint


def of(a: Catalog, b: Catalog, *, watchers: bool = False) -> tuple[Catalog, Catalog]:
    """Both parts (`part.of`) and what they cannot be without; each can be made from nothing.

    Args:
        a: where the difference starts.
        b: where it leads.
        watchers: with the event triggers of `a`, which see every statement, whatever it touches.
    """
    near = part.of(a, b)
    wanted = {key for catalog in near for key in catalog.objects}
    if watchers and wanted:
        wanted |= {key for key, each in a.objects.items() if isinstance(each, EventTrigger) and each.enabled in "OA"}
    wanted |= _below(a, wanted) | _below(b, wanted)
    near = _closed(a, wanted), _closed(b, wanted)
    return at_home(*near) if watchers else near


def at_home(a: Catalog, b: Catalog) -> tuple[Catalog, Catalog]:
    """Both, with event triggers that stay as anybody's own: only a superuser may own one, and elsewhere there is but one."""
    stay = {key for key, each in a.objects.items() if isinstance(each, EventTrigger) and each == b.objects.get(key)}
    return _anybodys(a, stay), _anybodys(b, stay)


def _anybodys(catalog: Catalog, keys: set[Key]) -> Catalog:
    owned = {key: each for key in keys if isinstance(each := catalog.objects[key], EventTrigger)}
    return replace(
        catalog, objects={**catalog.objects, **{key: replace(each, owner="") for key, each in owned.items()}}
    )


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
