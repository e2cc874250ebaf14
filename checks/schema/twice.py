"""Names that a schema uses twice: drizzle-kit refuses most of them, and takes the first or the last of the others."""

from collections.abc import Iterable, Sequence
from typing import TypeVar

from checks.schema import model
from checks.schema.notes import Notes
from checks.typescript.values import Site, Unknown

_Named = TypeVar("_Named", model.Enum, model.Sequence, model.Role)
_REFUSED = "has a name that the schema uses twice, which drizzle-kit refuses"


def note(notes: Notes, what: str, name: str, site: Site, key: str | None = None) -> None:
    """Note that an object is the second of its name."""
    notes.refused(site, _REFUSED, f"{what} {name}", key)


def _note(notes: Notes, what: str, name: str, table: model.Table) -> None:
    notes.add(Unknown(table.path, table.line, _REFUSED), f"{what} {name}", table.key)


def kept(notes: Notes, what: str, found: Iterable[tuple[_Named, Site]], *, v1: bool) -> tuple[_Named, ...]:
    """Objects, one a name: 0.x keeps the last (of sequences the first), 1.0 refuses a second."""
    kept: dict[tuple[str, str], _Named] = {}
    for each, site in found:
        key = ("" if isinstance(each, model.Role) else each.schema, each.name)
        if v1 and key in kept:
            note(notes, what, each.name, site)
        if not isinstance(each, model.Sequence) or key not in kept:
            kept[key] = each
    return tuple(kept.values())


def tables(notes: Notes, found: Sequence[model.Table], *, v1: bool) -> list[model.Table]:
    """The tables, one a name: 0.x keeps the last, 1.0 refuses a second."""
    kept: dict[str, model.Table] = {}
    for table in found:
        if v1 and table.key in kept:
            _note(notes, "table", table.name, table)
        kept[table.key] = table
    return list(kept.values())


def indexes(notes: Notes, found: Sequence[model.Table]) -> None:
    """Note every index whose name another one of its schema has, on whatever table."""
    seen: set[tuple[str, str]] = set()
    for table in found:
        for index in table.indexes:
            if (table.schema, index.name) in seen:
                _note(notes, "index", index.name, table)
            seen.add((table.schema, index.name))
