"""The SQL of each step, in the words of drizzle-kit 1.0."""

from collections.abc import Callable, Mapping
from typing import Any

from checks.drizzle.entities import Row
from checks.drizzle.generating.v1 import columns, enums
from checks.drizzle.generating.v1.step import Step
from checks.schema.ddl_v0 import snake
from checks.schema.names import qualified
from checks.schema.sqltext import literal
from checks.typescript.values import text_of

_BUILT_IN_ROLES = frozenset({"public", "current_role", "current_user", "session_user"})


def of(step: Step) -> list[str]:
    """The statements of a step."""
    made = _WORDS[step.kind](step)
    return [made] if isinstance(made, str) else made


def name(row: Row) -> str:
    """A thing of a schema, `public` unsaid."""
    return qualified(row["schema"], row["name"])


def table(row: Row) -> str:
    """The table that something belongs to."""
    return qualified(row["schema"], row["table"])


def _listed(found: list[str]) -> str:
    return ",".join(f'"{each}"' for each in found)


# -- tables -----------------------------------------------------------------------------------------------------------


def _create_table(step: Step) -> list[str]:
    row, parts = step.row, step.parts
    pk: Row | None = parts["pk"]
    lines = [columns.line(column, pk, parts["uniques"]) for column in parts["columns"]]
    if pk is not None and (len(pk["columns"]) > 1 or pk["name"] != f"{row['name']}_pkey"):
        lines.append(f'\tCONSTRAINT "{pk["name"]}" PRIMARY KEY({_listed(pk["columns"])})')
    lines += [
        f'\tCONSTRAINT "{unique["name"]}" UNIQUE{_nulls(unique)}({_listed(unique["columns"])})'
        for unique in parts["uniques"]
        if len(unique["columns"]) > 1
    ]
    lines += [f'\tCONSTRAINT "{check["name"]}" CHECK ({check["value"]})' for check in parts["checks"]]
    made = [f"CREATE TABLE {name(row)} (\n" + ",\n".join(lines) + "\n);\n"]
    if parts["policies"] or row["isRlsEnabled"]:
        made.append(f"ALTER TABLE {name(row)} ENABLE ROW LEVEL SECURITY;")
    return made


def _nulls(unique: Row) -> str:
    return " NULLS NOT DISTINCT" if unique.get("nullsNotDistinct") else ""


def _constraint(step: Step, verb: str) -> str:
    return f"ALTER TABLE {table(step.row)} {verb}"


def _dropped(row: Row) -> str:
    return f'ALTER TABLE {table(row)} DROP CONSTRAINT "{row["name"]}";'


def _added_pk(row: Row) -> str:
    if not row["nameExplicit"]:
        return f"ALTER TABLE {table(row)} ADD PRIMARY KEY ({_listed(row['columns'])});"
    return f'ALTER TABLE {table(row)} ADD CONSTRAINT "{row["name"]}" PRIMARY KEY({_listed(row["columns"])});'


def _added_unique(row: Row) -> str:
    return f'ALTER TABLE {table(row)} ADD CONSTRAINT "{row["name"]}" UNIQUE{_nulls(row)}({_listed(row["columns"])});'


def _foreign_key(row: Row) -> str:
    actions = "".join(
        f" ON {word} {row[field]}"
        for word, field in (("DELETE", "onDelete"), ("UPDATE", "onUpdate"))
        if row[field] and row[field].upper() != "NO ACTION"
    )
    target = qualified(row["schemaTo"], row["tableTo"])
    return (
        f'ADD CONSTRAINT "{row["name"]}" FOREIGN KEY ({_listed(row["columns"])})'
        f" REFERENCES {target}({_listed(row['columnsTo'])}){actions};"
    )


def _check(row: Row) -> str:
    return f'ADD CONSTRAINT "{row["name"]}" CHECK ({row["value"]});'


def _added_index(row: Row) -> str:
    terms: list[str] = []
    for column in row["columns"]:
        opclass = column.get("opclass")
        term = column["value"] if column["isExpression"] else f'"{column["value"]}"'
        term += f" {opclass['name']}" if opclass and not opclass.get("default") else ""
        term += "" if column["asc"] else " DESC"
        if bool(column["asc"]) == bool(column["nullsFirst"]):
            term += " NULLS FIRST" if column["nullsFirst"] else " NULLS LAST"
        terms.append(term)
    method = "" if row["method"] == "btree" else f" USING {row['method']}"
    options = f" WITH ({row['with']})" if row["with"] else ""
    where = f" WHERE {row['where']}" if row["where"] else ""
    return (
        f"CREATE {'UNIQUE INDEX' if row['isUnique'] else 'INDEX'}{' CONCURRENTLY' if row['concurrently'] else ''}"
        f' "{row["name"]}" ON {table(row)}{method} ({",".join(terms)}){options}{where};'
    )


def _again(step: Step, added: str) -> str:
    return _constraint(step, f'DROP CONSTRAINT "{step.row["name"]}", {added}')


# -- views ------------------------------------------------------------------------------------------------------------


def _view_kind(row: Row) -> str:
    return "MATERIALIZED VIEW" if row["materialized"] else "VIEW"


def _create_view(step: Step) -> str:
    row = step.row
    text = f"CREATE {_view_kind(row)} {name(row)}" + (f' USING "{row["using"]}"' if row["using"] else "")
    if row["with"]:
        text += f" WITH ({_options(_given(row))})"
    text += f" TABLESPACE {row['tablespace']}" if row["tablespace"] else ""
    return f"{text} AS ({row['definition']}){' WITH NO DATA' if row['withNoData'] else ''};"


def _given(row: Row) -> dict[str, Any]:
    found: Row = row.get("with") or {}
    return {key: value for key, value in found.items() if value is not None}


def _options(found: Mapping[str, Any]) -> str:
    return ", ".join(f"{snake(key)} = {text_of(value)}" for key, value in found.items())


def _alter_view(step: Step) -> list[str]:
    row, head = step.row, f"ALTER {_view_kind(step.row)} {name(step.row)}"
    made: list[str] = []
    if "with" in step.change:
        was, now = _given(step.old), _given(row)
        to_set = {key: value for key, value in now.items() if was.get(key) != value or key not in was}
        gone = [snake(key) for key in was if key not in now]
        made += [f"{head} SET ({_options(to_set)});"] if to_set else []
        made += [f"{head} RESET ({', '.join(gone)});"] if gone else []
    if "tablespace" in step.change:
        made.append(f'{head} SET TABLESPACE "{row["tablespace"] or "pg_default"}";')
    if "using" in step.change:
        made.append(f'{head} SET ACCESS METHOD "{row["using"] or "heap"}";')
    return made


# -- policies, roles, sequences ---------------------------------------------------------------------------------------


def _clauses(row: Row) -> str:
    to = ", ".join(role if role in _BUILT_IN_ROLES else f'"{role}"' for role in row["roles"])
    using = f" USING ({row['using']})" if row["using"] else ""
    check = f" WITH CHECK ({row['withCheck']})" if row["withCheck"] else ""
    return f"TO {to}{using}{check};"


def _create_policy(row: Row) -> str:
    kind = f"AS {row['as'].upper()} FOR {row['for'].upper()}"
    return f'CREATE POLICY "{row["name"]}" ON {table(row)} {kind} {_clauses(row)}'


def _drop_policy(row: Row) -> str:
    return f'DROP POLICY "{row["name"]}" ON {table(row)};'


_RIGHTS = (
    ("superuser", "SUPERUSER"), ("createDb", "CREATEDB"), ("createRole", "CREATEROLE"), ("inherit", "INHERIT"),
    ("canLogin", "LOGIN"), ("replication", "REPLICATION"), ("bypassRls", "BYPASSRLS"),
)  # fmt: skip


def _create_role(step: Step) -> str:
    row = step.row
    words = [
        f"NO{word}" if field == "inherit" else word
        for field, word in _RIGHTS
        if bool(row[field]) != (field == "inherit")
    ]
    if isinstance(row["connLimit"], int) and row["connLimit"] != -1:
        words.append(f"CONNECTION LIMIT {row['connLimit']}")
    words += [f"PASSWORD {literal(row['password'])}"] if row["password"] else []
    words += [f"VALID UNTIL '{row['validUntil']}'"] if row["validUntil"] else []
    return f'CREATE ROLE "{row["name"]}"{" WITH " + " ".join(words) if words else ""};'


def _alter_role(step: Step) -> str:
    words = [word if step.row[field] else f"NO{word}" for field, word in _RIGHTS if field in step.change]
    if "connLimit" in step.change:
        words.append(f"CONNECTION LIMIT {-1 if step.row['connLimit'] is None else step.row['connLimit']}")
    if "password" in step.change:
        words.append(f"PASSWORD {literal(step.row['password'])}" if step.row["password"] else "PASSWORD NULL")
    if "validUntil" in step.change:
        words.append(f"VALID UNTIL '{step.row['validUntil'] or 'infinity'}'")
    return f'ALTER ROLE "{step.row["name"]}" WITH {" ".join(words)};'


def _sequence(verb: str, place: str, row: Row) -> str:
    words = (
        ("incrementBy", "INCREMENT BY"), ("minValue", "MINVALUE"), ("maxValue", "MAXVALUE"), ("startWith", "START WITH"),
        ("cacheSize", "CACHE"),
    )  # fmt: skip
    text = "".join(f" {word} {row[field]}" for field, word in words if row[field])
    return f"{verb} SEQUENCE {place}{text}{' CYCLE' if row['cycle'] else ''};"


def _in_schema(row: Row) -> str:
    return f'"{row["schema"]}"."{row["name"]}"'


# -- renames and moves ------------------------------------------------------------------------------------------------


def _renamed(kind: str) -> Callable[[Step], str]:
    """`ALTER … RENAME TO`; the schema is the one that the thing is in by then."""
    return lambda step: (
        f'ALTER {kind} {qualified(step.row["schema"], step.old["name"])} RENAME TO "{step.row["name"]}";'
    )


def _moved(kind: str) -> Callable[[Step], str]:
    return lambda step: f'ALTER {kind} {name(step.old)} SET SCHEMA "{step.row["schema"]}";'


def _renamed_view(step: Step) -> str:
    return f'ALTER {_view_kind(step.old)} {name(step.old)} RENAME TO "{step.row["name"]}";'


def _moved_view(step: Step) -> str:
    place = qualified(step.old["schema"], step.row["name"])
    return f'ALTER {_view_kind(step.old)} {place} SET SCHEMA "{step.row["schema"]}";'


_WORDS: Mapping[str, Callable[[Step], str | list[str]]] = {
    "create_schema": lambda s: f'CREATE SCHEMA "{s.row["name"]}";\n',
    "drop_schema": lambda s: f'DROP SCHEMA "{s.row["name"]}";\n',
    "rename_schema": lambda s: f'ALTER SCHEMA "{s.old["name"]}" RENAME TO "{s.row["name"]}";\n',
    "create_table": _create_table,
    "drop_table": lambda s: f"DROP TABLE {name(s.row)};",
    "rename_table": lambda s: f'ALTER TABLE {qualified(s.old["schema"], s.old["name"])} RENAME TO "{s.row["name"]}";',
    "move_table": lambda s: (
        f'ALTER TABLE {qualified(s.old["schema"], s.row["name"])} SET SCHEMA "{s.row["schema"]}";\n'
    ),
    "alter_rls": lambda s: f"ALTER TABLE {name(s.row)} {'ENABLE' if s.parts['on'] else 'DISABLE'} ROW LEVEL SECURITY;",
    "add_column": lambda s: columns.added(s.row, in_key=s.parts["in_key"]),
    "drop_column": lambda s: columns.dropped(s.row),
    "rename_column": lambda s: f'ALTER TABLE {table(s.old)} RENAME COLUMN "{s.old["name"]}" TO "{s.row["name"]}";',
    "recreate_column": lambda s: [
        columns.dropped(s.row),
        columns.added(s.row, in_key=False, is_key=s.parts["is_key"]),
    ],
    "alter_column": columns.altered,
    "create_index": lambda s: _added_index(s.row),
    "drop_index": lambda s: f"DROP INDEX {name(s.row)};",
    "recreate_index": lambda s: [f"DROP INDEX {name(s.row)};", _added_index(s.row)],
    "rename_index": _renamed("INDEX"),
    "add_pk": lambda s: _added_pk(s.row),
    "drop_pk": lambda s: _dropped(s.row),
    "alter_pk": lambda s: [*([] if s.parts["gone"] else [_dropped(s.row)]), _added_pk(s.row)],
    "create_fk": lambda s: _constraint(s, _foreign_key(s.row)),
    "recreate_fk": lambda s: _again(s, _foreign_key(s.row)),
    "drop_fk": lambda s: _dropped(s.row),
    "add_unique": lambda s: _added_unique(s.row),
    "drop_unique": lambda s: _dropped(s.row),
    "alter_unique": lambda s: [_dropped(s.old), _added_unique(s.row)],
    "add_check": lambda s: _constraint(s, _check(s.row)),
    "drop_check": lambda s: _dropped(s.row),
    "alter_check": lambda s: _again(s, _check(s.row)),
    "rename_constraint": lambda s: (
        f'ALTER TABLE {table(s.row)} RENAME CONSTRAINT "{s.old["name"]}" TO "{s.row["name"]}";'
    ),
    "create_enum": lambda s: enums.created(s.row),
    "drop_enum": lambda s: f"DROP TYPE {name(s.row)};",
    "rename_enum": _renamed("TYPE"),
    "move_enum": _moved("TYPE"),
    "alter_enum": lambda s: enums.grown(s.row, s.old),
    "recreate_enum": lambda s: enums.again(s.row, s.parts["columns"]),
    "create_sequence": lambda s: _sequence("CREATE", _in_schema(s.row), s.row),
    "alter_sequence": lambda s: _sequence("ALTER", name(s.row), s.row),
    "drop_sequence": lambda s: f"DROP SEQUENCE {_in_schema(s.row)};",
    "rename_sequence": _renamed("SEQUENCE"),
    "move_sequence": _moved("SEQUENCE"),
    "create_view": _create_view,
    "drop_view": lambda s: f"DROP {_view_kind(s.row)} {name(s.row)};",
    "rename_view": _renamed_view,
    "move_view": _moved_view,
    "alter_view": _alter_view,
    "create_policy": lambda s: _create_policy(s.row),
    "drop_policy": lambda s: _drop_policy(s.row),
    "recreate_policy": lambda s: [_drop_policy(s.row), _create_policy(s.row)],
    "alter_policy": lambda s: f'ALTER POLICY "{s.row["name"]}" ON {table(s.row)} {_clauses(s.row)}',
    "rename_policy": lambda s: f'ALTER POLICY "{s.old["name"]}" ON {table(s.row)} RENAME TO "{s.row["name"]}";',
    "create_role": _create_role,
    "drop_role": lambda s: f'DROP ROLE "{s.row["name"]}";',
    "rename_role": lambda s: f'ALTER ROLE "{s.old["name"]}" RENAME TO "{s.row["name"]}";',
    "alter_role": _alter_role,
}
