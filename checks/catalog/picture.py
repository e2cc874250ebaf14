"""The tables that change as a Mermaid ER diagram: small by construction, and nothing in it but letters, digits and our own words."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from checks.catalog import difference, part
from checks.catalog.model import Catalog
from checks.catalog.tables import Column, Constraint

TABLES = 8
COLUMNS = 12
_OF_TABLES = {"table", "column", "default", "constraint"}
_NAME = re.compile(r"[^A-Za-z0-9_]+")

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
    lines = ["erDiagram"]
    for name, drawn in shown.items():
        lines += _table(name, drawn, changes)
    if len(touched) > TABLES:
        lines.append(f"    %% {len(touched) - TABLES} more tables change")
    references = {(name, other, columns) for name, drawn in shown.items() for other, columns in drawn.references}
    lines += sorted(
        f"    {_entity(one)} }}o--|| {_entity(other)} : {_word('_'.join(columns))}"
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


def _table(name: Name, drawn: _Drawn, changes: Mapping[tuple[str, ...], str]) -> Iterator[str]:
    whole = changes.get(("table", *name))
    yield f"    {_entity(name)} {{"
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
        yield f"    %% {_entity(name)} is {whole}"


def _entity(name: Name) -> str:
    schema, table = name
    return _word(table if schema == "public" else f"{schema}_{table}")


def _word(text: str) -> str:
    """A word that Mermaid takes as one, whatever somebody called a table."""
    word = _NAME.sub("_", text).strip("_")[:63]
    return word if word[:1].isalpha() else f"x_{word}"
