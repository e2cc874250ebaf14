"""Lifts v0 snapshots to a later version, as `drizzle-kit up` does, so that two of different versions can be merged."""

from collections.abc import Mapping
from typing import Any, cast

Data = Mapping[str, Any]


def lift(data: Data, version: str) -> Data:
    """A snapshot in this version (5, 6 or 7), if its own is lower; else as it is."""
    if data.get("version") == "5" and version in {"6", "7"}:
        data = _six(data)
    if data.get("version") == "6" and version == "7":
        data = _seven(data)
    return data


def _six(data: Data) -> Data:
    """drizzle-kit 0.31, `updateUpToV6`."""
    tables = {f"{t.get('schema') or 'public'}.{t['name']}": t for t in _values(data, "tables")}
    enums = {
        f"public.{e['name']}": {"name": e["name"], "schema": "public", "values": list(_object(e["values"]).values())}
        for e in _values(data, "enums")
    }
    return {**data, "version": "6", "dialect": "postgresql", "tables": tables, "enums": enums}


def _seven(data: Data) -> Data:
    """drizzle-kit 0.31, `updateUpToV7`."""
    tables: dict[str, Any] = {}
    for key, table in _object(data.get("tables")).items():
        indexes: dict[str, Any] = {
            name: {"columns": [_index_column(c) for c in index["columns"]], "with": {}, **_without(index, "columns")}
            for name, index in _object(table.get("indexes")).items()
        }
        tables[key] = {**table, "indexes": indexes, "policies": {}, "isRLSEnabled": False, "checkConstraints": {}}
    more: dict[str, Any] = {"sequences": {}, "tables": tables, "policies": {}, "views": {}, "roles": {}}
    return {**data, "version": "7", "dialect": "postgresql", **more}


def _index_column(column: Any) -> Any:  # noqa: ANN401 - JSON
    if not isinstance(column, str):
        return column
    return {"expression": column, "isExpression": False, "asc": True, "nulls": "last"}


def _without(data: Data, key: str) -> Data:
    return {k: v for k, v in data.items() if k != key}


def _object(found: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    return dict(cast("Data", found)) if isinstance(found, Mapping) else {}


def _values(data: Data, key: str) -> list[dict[str, Any]]:
    return list(_object(data.get(key)).values())
