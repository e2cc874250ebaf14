"""Which Drizzle table a name of a module means: through imports, re-exports, `tsconfig` paths and the workspace."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from checks.readers.names import is_called
from checks.tree import Tree
from checks.typescript import outline
from checks.typescript.modules import Missing, Resolver
from checks.typescript.queries import Declared

_DEEPEST = 12
_LONGEST = 1_000_000


@dataclass(frozen=True, slots=True)
class Whole:
    """Everything that a module exports (`import * as schema`)."""

    path: str


@dataclass(frozen=True, slots=True)
class Table:
    """A Drizzle table as code means it: as head declares it, as base did, or both."""

    head: Declared | None
    base: Declared | None

    @property
    def variable(self) -> str:
        """Its name in the schema file."""
        return (self.head or self.base).variable  # type: ignore[union-attr]  # pyright: ignore[reportOptionalMemberAccess] - one of them is there

    def is_named(self, schema: str, table: str) -> bool:
        """Whether it is that table of the database: head's word goes before base's."""
        meant = self.head or self.base
        return meant is not None and (meant.schema, meant.table) == (schema, table)

    def column(self, prop: str, column: str) -> bool | None:
        """Whether a property is that column: True, False (perhaps), None (no)."""
        if self.head is not None and prop in self.head.properties:
            return True if is_called(self.head.properties[prop], column) else None
        if self.base is not None and prop in self.base.properties and is_called(self.base.properties[prop], column):
            return self.head is None or self.head.whole
        return None


Meant = Table | Whole


@dataclass(slots=True)
class Exports:
    """The modules of one tree, and the tables that they declare.

    Attributes:
        declared: tables by file and variable.
    """

    tree: Tree
    declared: Mapping[tuple[str, str], Declared]
    resolver: Resolver = field(init=False)
    _answers: dict[tuple[str, str], tuple[str, str] | None] = field(
        default_factory=dict[tuple[str, str], tuple[str, str] | None]
    )

    def __post_init__(self) -> None:
        self.resolver = Resolver(self.tree)

    def imported(self, specifier: str, name: str, importer: str) -> tuple[str, str] | None:
        """Where the export of a module is declared: file and name there (`*`: all of the file); None where it is not."""
        found = self.resolver.resolve(specifier, importer)
        if not isinstance(found, str):
            return None
        return (found, "*") if name == "*" else self.exported(found, name)

    def lacks(self, specifier: str, importer: str) -> bool:
        """Whether the file that an import means is not there."""
        return isinstance(self.resolver.resolve(specifier, importer), Missing)

    def exported(self, path: str, name: str, depth: int = 0) -> tuple[str, str] | None:
        """Where what a file exports under a name is declared."""
        key = (path, name)
        if key not in self._answers:
            self._answers[key] = None  # for modules that import each other
            self._answers[key] = self._exported(path, name, depth)
        return self._answers[key]

    def _exported(self, path: str, name: str, depth: int) -> tuple[str, str] | None:
        entry = self.tree.entry(path)
        data = self.tree.read(path) if entry is not None and depth < _DEEPEST else None
        if entry is None or data is None or len(data) > _LONGEST or path.endswith(".json"):
            return None
        seen = outline.of(data, path, entry.oid)
        export = seen.exports.get(name)
        if export is not None and export.source is not None:
            return self._from(export.source, export.local, path, depth)
        if export is not None and export.local in seen.imports:
            taken = seen.imports[export.local]
            return self._from(taken.specifier, taken.name, path, depth)
        if export is not None:
            return path, export.local
        for specifier, _ in seen.stars if name != "default" else ():
            if (found := self._from(specifier, name, path, depth)) is not None:
                return found
        return None

    def _from(self, specifier: str, name: str, path: str, depth: int) -> tuple[str, str] | None:
        target = self.resolver.resolve(specifier, path)
        if not isinstance(target, str):
            return None
        return (target, "*") if name == "*" else self.exported(target, name, depth + 1)


@dataclass(frozen=True, slots=True)
class Schema:
    """Head's modules, and base's for what head has lost."""

    head: Exports
    base: Exports | None = None

    def imported(self, specifier: str, name: str, importer: str) -> Meant | None:
        """What an import means."""
        found = self.head.imported(specifier, name, importer)
        if found is None and self.base is not None and (name != "*" or self.head.lacks(specifier, importer)):
            return self.told(None, self.base.imported(specifier, name, importer))
        return self.told(found, found)

    def member(self, path: str, name: str) -> Meant | None:
        """What a file exports under a name."""
        found = self.head.exported(path, name)
        if found is None and self.base is not None:
            return self.told(None, self.base.exported(path, name))
        return self.told(found, found)

    def told(self, head: tuple[str, str] | None, base: tuple[str, str] | None) -> Meant | None:
        """The table that is declared there."""
        place = head or base
        if place is not None and place[1] == "*":
            return Whole(place[0])
        here = self.head.declared.get(head) if head is not None else None
        there = self.base.declared.get(base) if self.base is not None and base is not None else None
        if head is not None and here is None:
            return None  # head has something else under this name
        return Table(here, there) if here is not None or there is not None else None

    def keyed(self, variable: str, paths: Iterable[str]) -> Table | None:
        """The table behind `db.query.VARIABLE`: the only one of the schema files that is called so."""
        known = set(paths)
        for exports in (self.head, self.base):
            if exports is None:
                continue
            places = [place for place in exports.declared if place[1] == variable and (not known or place[0] in known)]
            if len(places) == 1:
                found = self.told(places[0] if exports is self.head else None, places[0])
                return found if isinstance(found, Table) else None
            if places:
                return None
        return None
