"""The tables that change as a Mermaid ER diagram: small by construction, and nothing in it but letters, digits and our own words."""

import re
from collections.abc import Iterable, Iterator

from checks.catalog import difference
from checks.catalog.model import Catalog
from checks.catalog.tables import Column, Constraint, Table

TABLES = 8
COLUMNS = 12
_NAME = re.compile(r"[^A-Za-z0-9_]+")

Name = tuple[str, str]


def mermaid(a: Catalog, b: Catalog) -> str:
    """The diagram (https://mermaid.js.org/syntax/entityRelationshipDiagram.html); empty where no table changes.

    Changed columns are marked, keys are shown, the rest is counted.
    """
    changes = {change.key: change.what for change in difference.changes(a, b)}
    touched = [name for name in _tables(a, b) if any(_about(key, name) for key in changes)]
    if not touched:
        return ""
    lines = ["erDiagram"]
    for name in touched[:TABLES]:
        lines += _table(name, a, b, changes)
    if len(touched) > TABLES:
        lines.append(f"    %% {len(touched) - TABLES} more tables change")
    shown = set(touched[:TABLES])
    lines += sorted({line for catalog in (a, b) for line in _references(catalog, shown)})
    return "\n".join(lines) + "\n"


def _tables(a: Catalog, b: Catalog) -> list[Name]:
    names = {(each.schema, each.name) for catalog in (a, b) for each in catalog if isinstance(each, Table)}
    return sorted(names)


def _about(key: tuple[str, ...], name: Name) -> bool:
    return key[0] in {"table", "column", "default", "constraint"} and key[1:3] == name


def _table(name: Name, a: Catalog, b: Catalog, changes: dict[tuple[str, ...], str]) -> Iterator[str]:
    whole = changes.get(("table", *name))
    yield f"    {_entity(name)} {{"
    keys = _keys(b, name) or _keys(a, name)
    rows: list[tuple[bool, int, str]] = []
    for column in _columns(a, b, name):
        mark = changes.get(column.key) or ("changed" if ("default", *column.key[1:]) in changes else "")
        mark = "" if whole in {"created", "dropped"} else {"created": "added"}.get(mark, mark)
        key = keys.get(column.name, "")
        words = [_word(column.type), _word(column.name), *([key] if key else []), *([f'"{mark}"'] if mark else [])]
        if whole or mark or key:
            rows.append((not mark and not key, column.position, f"        {' '.join(words)}"))
    yield from (line for _, _, line in sorted(rows)[:COLUMNS])
    yield "    }"
    if whole in {"created", "dropped"}:
        yield f"    %% {_entity(name)} is {whole}"


def _columns(a: Catalog, b: Catalog, name: Name) -> Iterable[Column]:
    """The table's columns on either side; of one that changed, as it becomes."""
    both = {
        each.key: each
        for catalog in (a, b)
        for each in catalog
        if isinstance(each, Column) and (each.schema, each.table) == name
    }
    return both.values()


def _keys(catalog: Catalog, name: Name) -> dict[str, str]:
    """`PK` and `FK` by column."""
    found: dict[str, str] = {}
    for each in catalog:
        if isinstance(each, Constraint) and (each.schema, each.table) == name and each.contype in "fp":
            for column in each.columns:
                found[column] = "PK" if each.contype == "p" or found.get(column) == "PK" else "FK"
    return found


def _references(catalog: Catalog, shown: set[Name]) -> Iterator[str]:
    for each in catalog:
        if (
            isinstance(each, Constraint)
            and each.contype == "f"
            and each.references
            and (each.schema, each.table) in shown
        ):
            yield f"    {_entity((each.schema, each.table))} }}o--|| {_entity(each.references)} : {_word('_'.join(each.columns))}"


def _entity(name: Name) -> str:
    schema, table = name
    return _word(table if schema == "public" else f"{schema}_{table}")


def _word(text: str) -> str:
    """A word that Mermaid takes as one, whatever somebody called a table."""
    word = _NAME.sub("_", text).strip("_")[:63]
    return word if word[:1].isalpha() else f"x_{word}"
