"""The tables that change as a Mermaid ER diagram: small by construction, and nothing in it but letters, digits and our own words."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from checks.catalog import difference, part
from checks.catalog.model import Catalog
from checks.catalog.tables import Column, Constraint

TABLES = 8
COLUMNS = 12
_OF_TABLES = {"table", "column", "default", "constraint"}
_NAME = re.compile(r"[^A-Za-z0-9_]+")
# Words of the grammar itself (mermaid's erDiagram.jison), whatever their case.
_RESERVED = frozenset({"pk", "fk", "uk", "one", "many", "zero", "only", "optionally", "to", "u", "title", "direction", "style", "class",
                       "classdef", "acctitle", "accdescr", "erdiagram", "end"})  # fmt: skip

Name = tuple[str, str]


def mermaid(a: Catalog, b: Catalog) -> str:
    """The diagram (https://mermaid.js.org/syntax/entityRelationshipDiagram.html); empty where no table changes.

    Changed columns are marked, keys are shown, the rest is left out.
    """
    changes = {change.key: change.what for change in difference.changes(a, b)}
    a, b = part.of(a, b)
    named = {key[1:3] for key in changes if key[0] in _OF_TABLES}
    touched = sorted(name for name in named if ("table", *name) in a.objects or ("table", *name) in b.objects)
    if not touched:
        return ""
    shown = {(schema, table): _Drawn() for schema, table in touched[:TABLES]}
    for catalog in (a, b):
        for each in catalog:
            if isinstance(each, Column | Constraint) and (drawn := shown.get((each.schema, each.table))) is not None:
                drawn.add(each)
    entities = _entities([*shown, *sorted(other for drawn in shown.values() for other, _ in drawn.references)])
    lines = ["erDiagram"]
    for name, drawn in shown.items():
        lines += _table(name, entities[name], drawn, changes)
    if len(touched) > TABLES:
        lines.append(f"    %% {len(touched) - TABLES} more tables change")
    references = {(name, other, columns) for name, drawn in shown.items() for other, columns in drawn.references}
    lines += sorted(
        f"    {entities[one]} }}o--|| {entities[other]} : {_word('_'.join(columns))}"
        for one, other, columns in references
    )
    return "\n".join(lines) + "\n"


@dataclass(slots=True)
class _Drawn:
    """What is drawn of one table: of what changed, as it becomes.

    Attributes:
        keys: `PK` or `FK` by column.
        references: the tables that its foreign keys point to, with their columns.
    """

    columns: dict[str, Column] = field(default_factory=dict[str, Column])
    keys: dict[str, str] = field(default_factory=dict[str, str])
    references: set[tuple[Name, tuple[str, ...]]] = field(default_factory=set[tuple[Name, tuple[str, ...]]])

    def add(self, found: Column | Constraint) -> None:
        """Take in a column, or what a constraint says of columns."""
        if isinstance(found, Column):
            self.columns[found.name] = found
        elif found.contype == "p":
            self.keys.update(dict.fromkeys(found.columns, "PK"))
        elif found.contype == "f":
            for column in found.columns:
                self.keys.setdefault(column, "FK")
            if found.references:
                self.references.add((found.references, found.columns))


def _table(name: Name, entity: str, drawn: _Drawn, changes: Mapping[tuple[str, ...], str]) -> Iterator[str]:
    whole = changes.get(("table", *name))
    yield f"    {entity} {{"
    rows: list[tuple[bool, int, str]] = []
    for column in drawn.columns.values():
        mark = changes.get(column.key) or ("changed" if ("default", *column.key[1:]) in changes else "")
        mark = "" if whole in {"created", "dropped"} else {"created": "added"}.get(mark, mark)
        key = drawn.keys.get(column.name, "")
        words = [_word(column.type), _word(column.name), *([key] if key else []), *([f'"{mark}"'] if mark else [])]
        if whole or mark or key:
            rows.append((not mark and not key, column.position, f"        {' '.join(words)}"))
    yield from (line for _, _, line in sorted(rows)[:COLUMNS])
    yield "    }"
    if whole in {"created", "dropped"}:
        yield f"    %% {entity} is {whole}"


def _entities(names: Iterable[Name]) -> dict[Name, str]:
    """A word for each table, and no word for two: what Mermaid cannot tell apart gets a number."""
    found: dict[Name, str] = {}
    taken: set[str] = set()
    for schema, table in names:
        word = first = _word(table if schema == "public" else f"{schema}_{table}")
        number = 1
        while word in taken and (schema, table) not in found:
            number += 1
            word = f"{first}_{number}"
        found.setdefault((schema, table), word)
        taken.add(word)
    return found


def _word(text: str) -> str:
    """A word that Mermaid takes as one, whatever somebody called a table."""
    word = _NAME.sub("_", text).strip("_")[:63]
    if word.lower() in _RESERVED:
        return f"{word}_"
    return word if word[:1].isalpha() else f"x_{word}"
