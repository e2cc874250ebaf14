"""The part of two catalogs that their difference can touch: what differs, what hangs on it, and what stands beside it."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import lru_cache

from checks.catalog.model import Catalog, Key, Object
from checks.catalog.tables import Column, Constraint, Index, Statistics, Table, View
from checks.catalog.types import DomainCheck, Sequence

Name = tuple[str, str]

_NAMED = frozenset({"table", "view", "column", "default", "constraint", "trigger", "rule", "policy", "domain check"})
_UNREAD = frozenset({"column", "default", "constraint", "index", "view", "domain check"})  # of what is not near
_ALWAYS = frozenset({"default privileges", "role", "schema", "extension"})


def of(a: Catalog, b: Catalog) -> tuple[Catalog, Catalog]:
    """Both catalogs without what has nothing to do with their difference; empty where there is none.

    Every question about a difference is asked of this part, so five changes in a thousand tables cost five changes.
    """
    if id(a) <= id(b):
        return _of(a, b)
    there, back = _of(b, a)
    return back, there


@lru_cache(maxsize=4)
def _of(a: Catalog, b: Catalog) -> tuple[Catalog, Catalog]:
    theirs = b.objects.get
    changed = [key for key, found in a.objects.items() if (other := theirs(key)) is not found and other != found]
    changed += [key for key in b.objects if key not in a.objects]
    if not changed:
        return only(a, frozenset()), only(b, frozenset())
    if 2 * len(changed) > len(a.objects) + len(b.objects):
        return a, b
    maps = (mapped(a), mapped(b))
    reach = _Reach(maps)
    reach.follow(changed)
    for one in maps:
        reach.wanted.update(one.always)
    return only(a, reach.wanted), only(b, reach.wanted)


def only(catalog: Catalog, wanted: Collection[Key]) -> Catalog:
    """The catalog without what is not wanted, in its order."""
    objects = catalog.objects
    return Catalog(
        catalog.version,
        {key: objects[key] for key in filter(wanted.__contains__, objects)},
        {key: needed for key, needed in catalog.needs.items() if key in wanted},
        catalog.roles,
        catalog.unread,
    )


def with_tables(whole: Catalog, some: Catalog, near: Collection[Name]) -> Catalog:
    """A catalog with these tables, and all types, as another has them (`read`'s `near`)."""
    objects = {key: found for key, found in whole.objects.items() if key[0] != "type" and place(key, found) not in near}
    theirs = {key: found for key, found in some.objects.items() if key[0] == "type" or place(key, found) in near}
    return replace(whole, objects=objects | theirs)


def gone_on(whole: Catalog, some: Catalog, names: Collection[Name]) -> Catalog | None:
    """A catalog after changes to these tables and to types, of which `some` was read.

    None where something else differs, of all that is read in full.

    Args:
        whole: before.
        some: after: these tables, and those to which they point, in full (`read`'s `near`), with all needs.
        names: the tables.
    """
    if _elsewhere(whole, names) != _elsewhere(some, names):
        return None
    after = with_tables(whole, some, names)
    objects = after.objects

    def unread(key: Key) -> bool:
        return key[0] in _UNREAD and key in objects and place(key, objects[key]) not in names

    needs = {
        key: frozenset(filter(unread, needed)) | some.needs.get(key, frozenset()) if key in some.objects else needed
        for key, needed in whole.needs.items()
        if key in objects
    }
    more = {key: needed for key, needed in some.needs.items() if key in objects and key not in needs}
    return replace(after, needs={key: needed for key, needed in (needs | more).items() if needed})


def _elsewhere(catalog: Catalog, names: Collection[Name]) -> dict[Key, object]:
    """What stands outside these tables, of what is always read in full: no types, and of sequences not whose they are."""
    apart = _UNREAD | {"type"}
    return {
        key: (found.counting, found.unlogged, found.owner, found.acl, found.comment)
        if isinstance(found, Sequence)
        else found
        for key, found in catalog.objects.items()
        if key[0] not in apart and place(key, found) not in names
    }


@dataclass(frozen=True, slots=True)
class Tables:
    """The tables in which all of a difference stands.

    Attributes:
        names: theirs, and those of the tables that may have to be touched with them.
        near: those, and the tables that their foreign keys point to (`read`'s `near`).
    """

    names: frozenset[Name]
    near: frozenset[Name]


def tables(a: Catalog, b: Catalog) -> Tables | None:
    """The tables in which two catalogs differ; None where they differ in more than tables, what stands in them, and types."""
    theirs, few = b.objects.get, of(a, b)
    changed = [found for key, found in few[0].objects.items() if (other := theirs(key)) is not found and other != found]
    changed += [found for key, found in few[1].objects.items() if key not in a.objects]
    names = frozenset((found.schema, found.name) for one in few for found in one if isinstance(found, Table))
    if any(found.key[0] != "type" and place(found.key, found) not in names for found in changed):
        return None
    return Tables(names, near(few[0], names) | near(few[1], names))


def near(catalog: Catalog, names: Collection[Name]) -> frozenset[Name]:
    """These tables, and those that their foreign keys point to (`read`'s `near`)."""
    keys = (each for each in catalog if isinstance(each, Constraint) and each.references)
    return frozenset(names) | {
        each.references for each in keys if (each.schema, each.table) in names and each.references
    }


class Map:
    """Who belongs to whom in one catalog.

    Attributes:
        parts: a table or view, and all that stands in it, by its name.
        kin: the tables that one inherits from, and those that inherit from it.
        pointing: the tables whose foreign keys point to one.
        dependants: what PostgreSQL says cannot be without an object.
        always: what stands beside every difference.
    """

    def __init__(self, catalog: Catalog) -> None:
        self.objects = catalog.objects
        self.parts: dict[Name, list[Key]] = defaultdict(list)
        self.kin: dict[Name, list[Name]] = defaultdict(list)
        self.pointing: dict[Name, list[Name]] = defaultdict(list)
        self.dependants: dict[Key, list[Key]] = defaultdict(list)
        self.always: list[Key] = []
        parts = self.parts
        for key, found in catalog.objects.items():
            kind = key[0]
            table = (key[1], key[2]) if kind in _NAMED else place(key, found)
            if table is None:
                if kind in _ALWAYS:
                    self.always.append(key)
                continue
            parts[table].append(key)
            if kind == "table" and isinstance(found, Table):
                for parent in found.parents:
                    self.kin[parent].append(table)
                    self.kin[table].append(parent)
            elif kind == "constraint" and isinstance(found, Constraint) and found.references:
                self.pointing[found.references].append(table)
        for dependant, needed in catalog.needs.items():
            for key in needed:
                self.dependants[key].append(dependant)


@lru_cache(maxsize=4)
def mapped(catalog: Catalog) -> Map:
    """Its map."""
    return Map(catalog)


def place(key: Key, found: Object) -> Name | None:
    """The table or view that an object is, or stands in; a domain for its checks."""
    if key[0] in _NAMED:
        return (key[1], key[2])
    if isinstance(found, Index):
        return (found.schema, found.table)
    if isinstance(found, Statistics):
        return (found.table_schema, found.table)
    if isinstance(found, Sequence) and found.owned_by:
        return found.owned_by[:2]
    return None


class _Reach:
    """Follows what differs to whatever may have to be made anew because of it."""

    def __init__(self, maps: tuple[Map, Map]) -> None:
        self._maps = maps
        self.wanted: set[Key] = set()
        self._affected: set[Key] = set()
        self._whole: set[Name] = set()
        self._beside: set[Name] = set()
        self._queue: list[Key] = []

    def follow(self, changed: Iterable[Key]) -> None:
        """From what differs to all that can be touched."""
        self._queue.extend(changed)
        while self._queue:
            key = self._queue.pop()
            if key in self._affected:
                continue
            self._affected.add(key)
            self.wanted.add(key)
            for one in self._maps:
                found = one.objects.get(key)
                if found is not None:
                    self._place(
                        found, alone=isinstance(found, Column) and not all(key in other.objects for other in self._maps)
                    )
                self._queue.extend(one.dependants.get(key, ()))

    def _place(self, found: Object, *, alone: bool) -> None:
        table = place(found.key, found)
        if table is None:
            if found.key[0] == "type":  # the checks of a domain
                self._stand((found.key[1], found.key[2]))
            return
        if isinstance(found, DomainCheck):
            self._queue.append(("type", found.schema, found.domain))
        if alone:  # nothing that stays the same can need it
            self._stand(table)
        elif isinstance(found, Column | Table | View) or (isinstance(found, Constraint) and found.contype in "pux"):
            self._change(table)
        else:
            self._stand(table)

    def _change(self, table: Name) -> None:
        """A table's shape changes: so may all that stands in it or its kin, and the foreign keys to it."""
        for each in self._family(table, self._whole):
            for one in self._maps:
                self._queue.extend(one.parts.get(each, ()))
                for other in one.pointing.get(each, ()):
                    self._stand(other)

    def _stand(self, table: Name) -> None:
        """Something in a table changes: the rest of it stands beside."""
        for each in self._family(table, self._beside):
            for one in self._maps:
                self.wanted.update(one.parts.get(each, ()))

    def _family(self, table: Name, seen: set[Name]) -> Iterator[Name]:
        stack = [table]
        while stack:
            each = stack.pop()
            if each in seen:
                continue
            seen.add(each)
            yield each
            for one in self._maps:
                stack.extend(one.kin.get(each, ()))
