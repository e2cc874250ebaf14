"""What each step touches, as a v9 snapshot keeps it: `check` tells by it whether two branches get in each other's way."""

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from checks.drizzle.entities import Row
from checks.drizzle.generating.v1 import columns
from checks.drizzle.generating.v1.step import Step

Nodes = list[str]
_BUILT_IN_ROLES = frozenset({"public", "current_role", "current_user", "session_user"})
# A step that does the same when it is done twice is known by its SQL.
_REPEATABLE = frozenset({
    "recreate_column", "recreate_index", "recreate_fk", "alter_unique", "alter_check", "recreate_enum", "alter_sequence", "alter_view",
    "alter_policy", "recreate_policy", "alter_rls", "alter_role",
})  # fmt: skip


def of(step: Step, statements: Sequence[str]) -> Row:
    """The footprint of a step."""
    found: Row = {"statementType": step.kind, "statementTarget": _target(step), **_NODES[step.kind](step)}
    if _repeatable(step):
        found["sqlHash"] = hashlib.sha256("\n".join(statements).encode()).hexdigest()[:16]
    return found


def _repeatable(step: Step) -> bool:
    if step.kind == "alter_pk":
        return not step.parts["gone"]
    if step.kind != "alter_column":
        return step.kind in _REPEATABLE
    sizes = step.change.get("dimensions")
    turned = sizes is not None and 0 in sizes
    own = columns.serial(step.old) != columns.serial(step.row)
    return not (own or turned or "generated" in step.change or "identity" in step.change)


# -- what a step is about ---------------------------------------------------------------------------------------------


def _target(step: Step) -> Nodes:
    row = step.old if step.kind.startswith(("rename_", "move_")) else step.row
    noun = _NOUNS.get(step.kind.rpartition("_")[2], "table")
    if noun in {"schema", "role"}:
        return [noun, row["name"]]
    if noun in {"column", "index"}:
        place = step.row if step.kind == "rename_index" else row
        return [noun, place["schema"], place["table"], row["name"]]
    if "table" in row:
        own = step.row if step.kind == "rename_constraint" else row
        return ["table", own["schema"], own["table"]]
    if step.kind.startswith("rename_") and noun in {"enum", "sequence"}:
        return [noun, step.row["schema"], row["name"]]
    return [noun, row["schema"], step.row["name"] if step.kind in {"move_table", "move_view"} else row["name"]]


_NOUNS = {
    "schema": "schema", "role": "role", "column": "column", "index": "index", "enum": "enum", "sequence": "sequence", "view": "view",
}  # fmt: skip


# -- what it writes and reads -----------------------------------------------------------------------------------------


def _self(kind: str, *parts: str) -> str:
    return f"s|{kind}|{'.'.join(parts)}"


def _name(kind: str, *parts: str) -> str:
    return f"n|{kind}|{'.'.join(parts)}"


def _exists(kind: str, *parts: str) -> str:
    return f"e|{kind}|{'.'.join(parts)}"


def _shared(kind: str, parts: Sequence[str]) -> Nodes:
    """The other things that may not bear the name."""
    relation, type_name = _name("rel", *parts), _name("type", *parts)
    if kind in {"tbl", "view"}:
        return [relation, type_name]
    if kind in {"seq", "idx"}:
        return [relation]
    if kind == "enum":
        return [type_name]
    if kind == "uq":
        return [_name("con", *parts), _name("rel", parts[0], parts[2])]
    return [_name("con", *parts)] if kind in {"ck", "fk"} else []


def _made(kind: str, *parts: str) -> Nodes:
    return [_self(kind, *parts), _name(kind, *parts), _exists(kind, *parts), *_shared(kind, parts)]


def _end(kind: str, *parts: str) -> Nodes:
    return [_self(kind, *parts), _name(kind, *parts), *_shared(kind, parts)]


def _schema(name: str) -> str:
    return _name("sch", name)


def _under(row: Row) -> Nodes:
    return [_name("tbl", row["schema"], row["table"]), _schema(row["schema"])]


def _home(row: Row) -> Nodes:
    return [_exists("tbl", row["schema"], row["table"]), _schema(row["schema"])]


def _columns(row: Row, found: Iterable[str], node: Callable[..., str] = _name) -> Nodes:
    return [node("col", row["schema"], row["table"], column) for column in found]


def _enum(column: Row) -> Nodes:
    home = column["typeSchema"]
    return [_name("enum", home, column["type"])] if home and home != "pg_catalog" and column["type"] else []


def _place(row: Row) -> tuple[str, ...]:
    return (row["schema"], row["table"], row["name"])


def _uniqueness(schema: str, table: str, names: Iterable[str]) -> str:
    return _exists("uniqueness", schema, table, *sorted(names))


def _index_uniqueness(row: Row) -> Nodes:
    if not row["isUnique"] or row["where"] or any(column["isExpression"] for column in row["columns"]):
        return []
    return [_uniqueness(row["schema"], row["table"], [column["value"] for column in row["columns"]])]


def _plain(row: Row) -> list[str]:
    return [column["value"] for column in row["columns"] if not column["isExpression"]]


Footprint = dict[str, Nodes]


def _touch(writes: Nodes, reads: Nodes | None = None, shared: Nodes | None = None) -> Footprint:
    found = {"writes": writes}
    if reads is not None:
        found["reads"] = reads
    if shared is not None:
        found["sharedWrites"] = shared
    return found


def _thing(kind: str) -> Callable[[Step], Footprint]:
    """Something of a schema comes or goes."""
    return lambda s: _touch(_made(kind, s.row["schema"], s.row["name"]), [_schema(s.row["schema"])])


def _changed(kind: str) -> Callable[[Step], Footprint]:
    return lambda s: _touch([_self(kind, s.row["schema"], s.row["name"])], [_schema(s.row["schema"])])


def _renamed(kind: str) -> Callable[[Step], Footprint]:
    def build(s: Step) -> Footprint:
        schema = s.old["schema"] if kind in {"tbl", "view"} else s.row["schema"]
        return _touch([*_end(kind, schema, s.old["name"]), *_end(kind, schema, s.row["name"])], [_schema(schema)])

    return build


def _moved(kind: str) -> Callable[[Step], Footprint]:
    def build(s: Step) -> Footprint:
        schemas = (s.old["schema"], s.row["schema"])
        name = s.row["name"] if kind == "view" else s.old["name"]
        into = s.row["name"] if kind == "enum" else name
        writes = [*_end(kind, schemas[0], name), *_end(kind, schemas[1], into)]
        return _touch(writes, [_schema(each) for each in schemas])

    return build


def _created_table(s: Step) -> Footprint:
    schema, parts = s.row["schema"], s.parts
    keys = [parts["pk"]] if parts["pk"] else []
    writes = [
        *_made("tbl", schema, s.row["name"]),
        *(_name("rel", schema, k["name"]) for k in [*keys, *parts["uniques"]]),
    ]
    return _touch(writes, [_schema(schema), *(node for column in parts["columns"] for node in _enum(column))])


def _moved_table(s: Step) -> Footprint:
    was, now, name = s.old["schema"], s.row["schema"], s.row["name"]
    writes = [*_end("tbl", was, name), *_end("tbl", now, name), _exists("tbl", was, name), _exists("tbl", now, name)]
    writes += [_name("rel", schema, index) for index in s.parts["indexes"] for schema in (was, now)]
    return _touch(writes, [_schema(was), _schema(now)])


def _column(s: Step, *, typed: bool) -> Footprint:
    return _touch(_made("col", *_place(s.row)), [*_under(s.row), *(_enum(s.row) if typed else [])])


_PROPERTIES: tuple[tuple[tuple[str, ...], tuple[str, ...]], ...] = (
    (("notNull",), ("notNull",)),
    (("default",), ("default",)),
    (("type", "typeSchema", "dimensions"), ("type", "default")),
    (("generated",), ("generated", "default")),
    (("identity",), ("identity", "default", "notNull")),
)


def _altered_column(s: Step) -> Footprint:
    found: dict[str, None] = {}
    for fields, properties in _PROPERTIES:
        if any(field in s.change for field in fields):
            found.update(dict.fromkeys(properties))
    typed = _enum(s.row) if "default" in s.change or "type" in found else []
    writes = [_self("colprop", *_place(s.row), each) for each in found]
    return _touch(writes, [*_under(s.row), _name("col", *_place(s.row)), *typed])


def _index(s: Step) -> Footprint:
    writes = _made("idx", s.row["schema"], s.row["name"])
    if s.kind == "drop_index":
        unique = _index_uniqueness(s.row)
        reads = (_under if unique else _home)(s.row)
        return _touch(writes, [*reads, *_columns(s.row, _plain(s.row), _exists)], unique)
    reads = [*_under(s.row), *_columns(s.row, _plain(s.row))]
    return _touch(writes, reads, _index_uniqueness(s.old) if s.kind == "recreate_index" else None)


def _renamed_index(s: Step) -> Footprint:
    schema = s.row["schema"]
    writes = [*_end("idx", schema, s.old["name"]), *_end("idx", schema, s.row["name"])]
    return _touch(writes, [*_home(s.row), *_columns(s.row, _plain(s.row), _exists)])


def _key_names(row: Row) -> Nodes:
    return _shared("uq", _place(row))


def _primary_key(s: Step) -> Footprint:
    row = s.row
    own = (row["schema"], row["table"])
    if s.kind == "add_pk":
        return _touch([*_made("pk", *own), *_key_names(row)], [*_under(row), *_columns(row, row["columns"])])
    if s.kind == "drop_pk":
        reads = [*_under(row), *_columns(row, row["columns"], _exists)]
        return _touch([*_made("pk", *own), *_key_names(row)], reads, [_uniqueness(*own, row["columns"])])
    reads = [*_under(row), *_columns(row, row["columns"])]
    return _touch([_self("pk", *own)], reads, [_uniqueness(*own, s.old["columns"])])


def _foreign_key(s: Step) -> Footprint:
    row = s.row
    writes = _made("fk", *_place(row))
    if s.kind == "drop_fk":
        return _touch(writes, [*_under(row), *_columns(row, row["columns"], _exists)])
    target = {"schema": row["schemaTo"], "table": row["tableTo"]}
    return _touch(
        writes,
        [
            *_under(row), *_under(target), *_columns(row, row["columns"]), *_columns(target, row["columnsTo"]),
            _uniqueness(row["schemaTo"], row["tableTo"], row["columnsTo"]),
        ],
    )  # fmt: skip


def _unique(s: Step) -> Footprint:
    row = s.row
    own = (row["schema"], row["table"])
    if s.kind == "add_unique":
        return _touch(_made("uq", *_place(row)), [*_under(row), *_columns(row, row["columns"])])
    if s.kind == "drop_unique":
        reads = [*_under(row), *_columns(row, row["columns"], _exists)]
        return _touch(_made("uq", *_place(row)), reads, [_uniqueness(*own, row["columns"])])
    was = s.old["columns"]
    reads = [*_under(row), *_columns(row, row["columns"]), *_columns(row, was, _exists)]
    return _touch([_self("uq", *_place(row))], reads, [_uniqueness(*own, was)])


def _check(s: Step) -> Footprint:
    row, named = s.row, s.parts["columns"]
    if s.kind == "alter_check":
        reads = [*_under(row), *_columns(row, named), *_columns(row, s.parts["old_columns"], _exists)]
        return _touch([_self("ck", *_place(row))], reads)
    return _touch(
        _made("ck", *_place(row)), [*_under(row), *_columns(row, named, _name if s.kind == "add_check" else _exists)]
    )


def _renamed_constraint(s: Step) -> Footprint:
    row, kind = s.row, s.row["entityType"]
    old = {**row, "name": s.old["name"]}
    reads = [*_under(row), *_columns(row, s.parts["columns"], _exists)]
    if kind == "pks":
        return _touch([*_end("pk", row["schema"], row["table"]), *_key_names(old), *_key_names(row)], reads)
    short = {"uniques": "uq", "checks": "ck", "fks": "fk"}[kind]
    return _touch([*_end(short, *_place(old)), *_end(short, *_place(row))], reads)


def _recreated_enum(s: Step) -> Footprint:
    used: list[Row] = s.parts["columns"]
    writes = [*_made("enum", s.row["schema"], s.row["name"])]
    writes += [_self("colprop", *_place(column), each) for column in used for each in ("type", "default")]
    reads = [node for column in used for node in (*_under(column), _name("col", *_place(column)))]
    return _touch(writes, [_schema(s.row["schema"]), *reads])


def _roles(row: Row) -> Nodes:
    return [_name("role", role) for role in row["roles"] if role not in _BUILT_IN_ROLES]


def _policy(s: Step) -> Footprint:
    row = s.row
    if s.kind == "create_policy":
        reads = [*_under(row), *_roles(row), _exists("rls", row["schema"], row["table"])]
        return _touch(_made("pol", *_place(row)), reads)
    if s.kind == "drop_policy":
        return _touch(_made("pol", *_place(row)), _under(row))
    if s.kind == "rename_policy":
        return _touch([*_end("pol", *_place(s.old)), *_end("pol", *_place(row))], _under(s.old))
    return _touch([_self("pol", *_place(row))], [*_under(row), *_roles(row)])


def _switch(s: Step) -> Footprint:
    own = (s.row["schema"], s.row["name"])
    writes = [_self("rls", *own), *([] if s.parts["on"] else [_exists("rls", *own)])]
    return _touch(writes, _under({"schema": own[0], "table": own[1]}))


def _alone(kind: str) -> Callable[[Step], Footprint]:
    """A schema or a role comes or goes."""
    return lambda s: _touch(_made(kind, s.row["name"]))


def _renamed_alone(kind: str) -> Callable[[Step], Footprint]:
    return lambda s: _touch([*_end(kind, s.old["name"]), *_end(kind, s.row["name"])])


def _renamed_column(s: Step) -> Footprint:
    return _touch([*_end("col", *_place(s.old)), *_end("col", *_place(s.row))], _under(s.old))


_NODES: Mapping[str, Callable[[Step], dict[str, Any]]] = {
    "create_schema": _alone("sch"), "drop_schema": _alone("sch"), "rename_schema": _renamed_alone("sch"),
    "create_role": _alone("role"), "drop_role": _alone("role"), "rename_role": _renamed_alone("role"),
    "alter_role": lambda s: _touch([_self("role", s.row["name"])]),
    "create_table": _created_table, "drop_table": _thing("tbl"), "rename_table": _renamed("tbl"), "move_table": _moved_table,
    "alter_rls": _switch,
    "add_column": lambda s: _column(s, typed=True), "recreate_column": lambda s: _column(s, typed=True),
    "drop_column": lambda s: _column(s, typed=False), "alter_column": _altered_column, "rename_column": _renamed_column,
    "create_index": _index, "drop_index": _index, "recreate_index": _index, "rename_index": _renamed_index,
    "add_pk": _primary_key, "drop_pk": _primary_key, "alter_pk": _primary_key,
    "create_fk": _foreign_key, "recreate_fk": _foreign_key, "drop_fk": _foreign_key,
    "add_unique": _unique, "drop_unique": _unique, "alter_unique": _unique,
    "add_check": _check, "drop_check": _check, "alter_check": _check, "rename_constraint": _renamed_constraint,
    "create_enum": _thing("enum"), "drop_enum": _thing("enum"), "alter_enum": _changed("enum"), "recreate_enum": _recreated_enum,
    "rename_enum": _renamed("enum"), "move_enum": _moved("enum"),
    "create_sequence": _thing("seq"), "drop_sequence": _thing("seq"), "alter_sequence": _changed("seq"),
    "rename_sequence": _renamed("seq"), "move_sequence": _moved("seq"),
    "create_view": _thing("view"), "drop_view": _thing("view"), "alter_view": _changed("view"),
    "rename_view": _renamed("view"), "move_view": _moved("view"),
    "create_policy": _policy, "drop_policy": _policy, "alter_policy": _policy, "recreate_policy": _policy, "rename_policy": _policy,
}  # fmt: skip
