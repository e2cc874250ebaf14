"""The rows of a v1 snapshot in drizzle-kit's order, looked up by what they belong to, renamed with all that names them."""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from checks.drizzle import entities
from checks.drizzle.entities import Key, Row
from checks.drizzle.generating.content import same

Change = dict[str, tuple[Any, Any]]

# The order of the kinds in a snapshot, and of the fields in a row (drizzle-kit 1.0, `dialects/postgres/ddl.ts`).
_TABLE = ("schema", "table", "name")
FIELDS: Mapping[str, tuple[str, ...]] = {
    "schemas": ("name",),
    "tables": ("schema", "name", "isRlsEnabled"),
    "enums": ("schema", "name", "values"),
    "columns": (*_TABLE, "type", "typeSchema", "notNull", "dimensions", "default", "generated", "identity"),
    "indexes": (*_TABLE, "nameExplicit", "columns", "isUnique", "where", "with", "method", "concurrently"),
    "fks": (*_TABLE, "nameExplicit", "columns", "schemaTo", "tableTo", "columnsTo", "onUpdate", "onDelete"),
    "pks": (*_TABLE, "columns", "nameExplicit"),
    "uniques": (*_TABLE, "nameExplicit", "columns", "nullsNotDistinct"),
    "checks": (*_TABLE, "value"),
    "sequences": ("schema", "name", "incrementBy", "minValue", "maxValue", "startWith", "cacheSize", "cycle"),
    "roles": (
        *("name", "superuser", "createDb", "createRole", "inherit", "canLogin", "replication", "bypassRls"),
        *("connLimit", "password", "validUntil"),
    ),
    "privileges": ("grantor", "grantee", "schema", "table", "type", "isGrantable"),
    "policies": (*_TABLE, "as", "for", "roles", "using", "withCheck"),
    "views": ("schema", "name", "definition", "with", "withNoData", "using", "tablespace", "materialized"),
}


def key(row: Mapping[str, Any]) -> Key:
    """What tells a row apart."""
    kind = str(row["entityType"])
    return kind, tuple(row.get(field) for field in entities.IDENTITY[kind])


def written(found: Key) -> str:
    """A key as a delta names it."""
    return f"{found[0]}\0{json.dumps(list(found[1]), separators=(',', ':'), ensure_ascii=False)}"


@dataclass(frozen=True, slots=True)
class Altered:
    """A row that is on both sides and not the same."""

    old: Row
    new: Row
    change: Change


@dataclass(frozen=True, slots=True)
class Compared:
    """What tells two states apart, in drizzle-kit's order."""

    created: list[Row]
    dropped: list[Row]
    altered: list[Altered]

    def of(self, kind: str) -> "Compared":
        """The part about one kind."""
        return Compared(
            [row for row in self.created if row["entityType"] == kind],
            [row for row in self.dropped if row["entityType"] == kind],
            [each for each in self.altered if each.new["entityType"] == kind],
        )


class State:
    """A schema as rows."""

    def __init__(self, rows: Iterable[Mapping[str, Any]]) -> None:
        ordered: dict[str, list[Row]] = {kind: [] for kind in FIELDS}
        for row in rows:
            kind = str(row["entityType"])
            ordered[kind].append({**{field: row.get(field) for field in FIELDS[kind]}, "entityType": kind})
        self._rows: dict[Key, Row] = {key(row): row for found in ordered.values() for row in found}
        self._places: dict[tuple[str, str, str], list[Row]] | None = None

    def __contains__(self, found: Key) -> bool:
        return found in self._rows

    def all(self) -> list[Row]:
        """Every row."""
        return sorted(self._rows.values(), key=lambda row: _ORDER[row["entityType"]])

    def of(self, kind: str) -> list[Row]:
        """The rows of a kind."""
        return [row for row in self._rows.values() if row["entityType"] == kind]

    def inside(self, kind: str, schema: str, table: str) -> list[Row]:
        """The rows of a kind that belong to a table."""
        if self._places is None:
            places: dict[tuple[str, str, str], list[Row]] = defaultdict(list)
            for row in self._rows.values():
                if "table" in row:
                    places[row["entityType"], row["schema"], row["table"]].append(row)
            self._places = places
        return self._places.get((kind, schema, table), [])

    def get(self, kind: str, *identity: str | None) -> Row | None:
        """One row by what tells it apart."""
        return self._rows.get((kind, identity))

    def add(self, row: Row) -> None:
        """Put a row in that is not there."""
        self._rows.setdefault(key(row), row)
        self._places = None

    def rename(self, row: Row, change: Row) -> Row | None:
        """Give a row new names, with all that names it; the delta that says so.

        Raises:
            Unreconstructable: the name is another row's.
        """
        changed = {field: value for field, value in change.items() if row.get(field) != value}
        if not changed:
            return None
        found = key(row)
        entities.rename(self._rows, found, changed)
        self._places = None
        return {"op": "rename", "key": written(found), "set": changed}


_ORDER = {kind: index for index, kind in enumerate(FIELDS)}


def compare(before: State, after: State) -> Compared:
    """What comes, goes and changes."""
    old, new = {key(row): row for row in before.all()}, {key(row): row for row in after.all()}
    altered: list[Altered] = []
    for each, row in old.items():
        other = new.get(each)
        if other is None:
            continue
        fields = FIELDS[each[0]]
        change = {field: (row[field], other[field]) for field in fields if not same(row[field], other[field])}
        if change:
            altered.append(Altered(row, other, change))
    return Compared(
        [row for each, row in new.items() if each not in old],
        [row for each, row in old.items() if each not in new],
        altered,
    )


def deltas(compared: Compared) -> list[Row]:
    """The comparison as a v9 snapshot keeps it."""
    out: list[Row] = [{"op": "create", "row": row} for row in compared.created]
    out += [{"op": "drop", "key": written(key(row))} for row in compared.dropped]
    return out + [
        {"op": "alter", "key": written(key(each.new)), "set": {field: new for field, (_, new) in each.change.items()}}
        for each in compared.altered
    ]


def grouped(found: Compared) -> tuple[list[Row], list[Row]]:
    """What comes and goes, table by table: tables with something new first, as drizzle-kit asks about them."""
    tables: dict[tuple[Any, Any], tuple[list[Row], list[Row]]] = {}
    for index, rows in enumerate((found.created, found.dropped)):
        for row in rows:
            tables.setdefault((row.get("schema"), row.get("table")), ([], []))[index].append(row)
    return [row for made, _ in tables.values() for row in made], [row for _, gone in tables.values() for row in gone]
