"""The content of a v0 snapshot, with everything filled in that older writers left out."""

import copy
from collections.abc import Mapping
from typing import Any, cast

Json = dict[str, Any]

_TABLE_PARTS = (
    "columns", "indexes", "foreignKeys", "compositePrimaryKeys", "uniqueConstraints", "policies", "checkConstraints",
)  # fmt: skip
_PARTS = ("tables", "enums", "schemas", "sequences", "roles", "policies", "views")
EMPTY: Mapping[str, Any] = {part: {} for part in _PARTS}


def of(data: Mapping[str, Any]) -> Json:
    """A copy that may be changed, every part there."""
    found: Json = {part: copy.deepcopy(dict(cast("Json", data.get(part) or {}))) for part in _PARTS}
    for table in found["tables"].values():
        table["schema"] = table.get("schema") or ""
        for part in _TABLE_PARTS:
            table[part] = table.get(part) or {}
        table["isRLSEnabled"] = bool(table.get("isRLSEnabled"))
    return found


def key(item: Mapping[str, Any]) -> str:
    """`schema.name`."""
    return f"{item.get('schema') or 'public'}.{item['name']}"


def label(found: str) -> str:
    """A key as people write it: without `public`."""
    return found.removeprefix("public.")


def quoted(item: Mapping[str, Any]) -> str:
    """A table as drizzle-kit writes it."""
    return f'"{item["schema"]}"."{item["name"]}"' if item.get("schema") else f'"{item["name"]}"'


def same(a: Any, b: Any) -> bool:  # noqa: ANN401 - JSON
    """JavaScript's `===` over JSON: `true` is not `1`."""
    if isinstance(a, bool) or isinstance(b, bool):
        return a is b
    if isinstance(a, Mapping) and isinstance(b, Mapping):
        one, other = cast("Json", a), cast("Json", b)
        return one.keys() == other.keys() and all(same(one[k], other[k]) for k in one)
    if isinstance(a, list) and isinstance(b, list):
        left, right = cast("list[Any]", a), cast("list[Any]", b)
        return len(left) == len(right) and all(map(same, left, right))
    return bool(a == b)


# -- what of a part counts when it is compared (drizzle-kit flattens each to a string) --


def index(found: Json) -> Json:
    """An index."""
    columns = [
        (c["expression"], bool(c.get("isExpression")), c.get("asc"), c.get("nulls"), c.get("opclass") or "")
        for c in found["columns"]
    ]
    rest = {k: found.get(k) for k in ("name", "isUnique", "where")}
    method, options = found.get("method") or "btree", cast("Json", found.get("with") or {})
    concurrently = bool(found.get("concurrently"))
    return {**rest, "columns": repr(columns), "method": method, "with": options, "concurrently": concurrently}


def foreign_key(found: Json) -> Json:
    """A foreign key."""
    rest = {k: found[k] for k in ("name", "tableFrom", "columnsFrom", "tableTo", "columnsTo")}
    actions = {k: found.get(k) or "" for k in ("onUpdate", "onDelete")}
    return {**rest, **actions, "schemaTo": found.get("schemaTo") or "public"}


def key_columns(found: Json) -> Json:
    """A primary key or a unique constraint."""
    nulls = bool(found.get("nullsNotDistinct"))
    return {"name": found["name"], "columns": found["columns"], "nulls": nulls}


def check(found: Json) -> Json:
    """A check constraint."""
    return {"name": found["name"], "value": found["value"]}


def policy(found: Json) -> Json:
    """A policy."""
    return {k: found.get(k) for k in ("name", "as", "for", "to", "using", "withCheck", "on")}


def identity(found: Json) -> Json:
    """What makes a column an identity."""
    names = ("name", "type", "minValue", "maxValue", "increment", "startWith", "cache")
    return {**{k: found.get(k) for k in names}, "cycle": bool(found.get("cycle"))}


def sequence(found: Json) -> Json:
    """A sequence."""
    names = ("minValue", "maxValue", "increment", "startWith", "cache")
    return {**{k: found.get(k) for k in names}, "cycle": bool(found.get("cycle"))}
