"""Renames in snapshots: what head calls by a new name, base still knows by the old one."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast

from checks.drizzle import snapshot_parts as parts
from checks.drizzle.snapshot_parts import Clash, Data, Path


def renamed(data: Data, head: Data) -> Data:
    """A snapshot with the renames applied that head's migration makes (`_meta`)."""
    meta = parts.mapping(head.get("_meta"))
    tables = {parts.unquoted(old): parts.unquoted(new) for old, new in parts.mapping(meta.get("tables")).items()}
    columns = {
        parts.unquoted_column(old): parts.unquoted_column(new)
        for old, new in parts.mapping(meta.get("columns")).items()
    }
    if not tables and not columns:
        return data
    result: dict[str, Any] = {}
    for key, table in parts.mapping(data.get("tables")).items():
        new_key = tables.get(parts.full_name(key, table), key)
        result[parts.like(key, new_key)] = _renamed_table(table, key, tables, columns)
    return {**data, "tables": result}


def lost_names(base: Data, head: Data) -> Iterator[Clash]:
    """What head gives a new name, and base has under neither."""
    meta = parts.mapping(head.get("_meta"))
    there = {
        parts.full_name(key, table): parts.mapping(parts.mapping(table).get("columns"))
        for key, table in parts.mapping(base.get("tables")).items()
    }
    tables = {parts.unquoted(old): parts.unquoted(new) for old, new in parts.mapping(meta.get("tables")).items()}
    for old, new in tables.items():
        if old not in there and new not in there:
            yield Clash(f"table {parts.short(old)}", "dropped it or renamed it", f"renames it to {parts.short(new)}")
    for old, new in parts.mapping(meta.get("columns")).items():
        was, now = parts.unquoted_column(str(old)), parts.unquoted_column(str(new))
        full = ".".join(was[:-1])
        before = next((o for o, n in tables.items() if n == full), full)
        columns = {**there.get(full, {}), **there.get(before, {})}
        if columns and was[-1] not in columns and now[-1] not in columns:
            yield Clash(f"column {was[-2]}.{was[-1]}", "dropped it or renamed it", f"renames it to {now[-1]}")


def _renamed_table(table: Data, key: str, tables: Mapping[str, str], columns: Mapping[Path, Path]) -> dict[str, Any]:
    here = parts.full_name(key, table)
    now = tables.get(here, here)
    made = dict(table)
    if now != here:
        made["schema"], _, made["name"] = now.rpartition(".")
        made["schema"] = "" if made["schema"] == "public" else made["schema"]
    names = {old[-1]: new[-1] for old, new in columns.items() if ".".join(old[:-1]) in {here, now}}
    if names:
        made["columns"] = {
            names.get(name, name): {**column, "name": names.get(name, name)}
            for name, column in parts.mapping(table.get("columns")).items()
        }
    keys: dict[str, Any] = {}
    for name, fk in parts.mapping(table.get("foreignKeys")).items():
        fk = dict(cast("Data", fk))  # noqa: PLW2901 - a copy to write on
        to = f"{fk.get('schemaTo') or 'public'}.{fk.get('tableTo')}"
        there = tables.get(to, to)
        far = {old[-1]: new[-1] for old, new in columns.items() if ".".join(old[:-1]) in {to, there}}
        if there != to:
            fk["tableTo"] = there.rpartition(".")[2]
        if now != here and fk.get("tableFrom") == table.get("name"):
            fk["tableFrom"] = made["name"]
        fk["columnsFrom"] = [names.get(c, c) for c in fk.get("columnsFrom") or ()]
        fk["columnsTo"] = [far.get(c, c) for c in fk.get("columnsTo") or ()]
        keys[name] = fk
    if "foreignKeys" in table:
        made["foreignKeys"] = keys
    for part in ("indexes", "compositePrimaryKeys", "uniqueConstraints"):
        if names and part in table:
            made[part] = {n: _renamed_part(p, names) for n, p in parts.mapping(table[part]).items()}
    return made


def _renamed_part(part: Data, names: Mapping[str, str]) -> dict[str, Any]:
    return {**part, "columns": [_renamed_item(c, names) for c in cast("Sequence[Any]", part.get("columns") or ())]}


def _renamed_item(item: Any, names: Mapping[str, str]) -> Any:  # noqa: ANN401 - a name, or an index column
    if isinstance(item, str):
        return names.get(item, item)
    column = parts.mapping(item)
    if column.get("isExpression") or "expression" not in column:
        return item
    return {**column, "expression": names.get(column["expression"], column["expression"])}
