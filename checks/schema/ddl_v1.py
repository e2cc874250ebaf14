"""DDL in the words of drizzle-kit 1.0."""

from itertools import chain

from checks.schema.ddl_v0 import VIEW_OPTIONS_V1, identity_clause, ordered, policy_clauses, view_tail
from checks.schema.model import Column, ForeignKey, Index, Key, Role, Schema, Sequence, Table, View
from checks.schema.names import qualified
from checks.schema.sqltext import literal
from checks.typescript.values import text_of

_SERIAL = frozenset({"serial", "bigserial", "smallserial"})


def statements(schema: Schema) -> list[str]:
    """All statements, in drizzle-kit's order."""
    out = [f'CREATE SCHEMA "{name}";\n' for name in schema.schemas]
    for enum in schema.enums:
        values = ", ".join(literal(value) for value in enum.values)
        out.append(f"CREATE TYPE {qualified(enum.schema, enum.name)} AS ENUM({values});")
    out += [_sequence(sequence) for sequence in schema.sequences]
    out += [_role(role) for role in schema.roles]
    linked = {f"{policy.schema}.{policy.table}" for policy in schema.policies}
    out += chain.from_iterable(_table(table, protected=table.key in linked) for table in schema.tables)
    out += [_index(table, index) for table in schema.tables for index in table.indexes]
    out += [_foreign_key(table, key) for table in schema.tables for key in table.foreign_keys]
    out += [_view(view) for view in ordered([v for v in schema.views if v.definition is not None])]
    return out + _policies(schema)


def _policies(schema: Schema) -> list[str]:
    """Those that are linked to a table first, and together those of one table."""
    found: dict[str, list[str]] = {}
    for policy in schema.policies:
        name = qualified(policy.schema, policy.table or "")
        found.setdefault(name, []).append(policy_clauses(policy, name))
    for table in schema.tables:
        name = qualified(table.schema, table.name)
        found.setdefault(name, []).extend(policy_clauses(policy, name) for policy in table.policies)
    return list(chain.from_iterable(found.values()))


def _sequence(sequence: Sequence) -> str:
    return (
        f'CREATE SEQUENCE "{sequence.schema}"."{sequence.name}" INCREMENT BY {sequence.increment} MINVALUE {sequence.min_value}'
        f" MAXVALUE {sequence.max_value} START WITH {sequence.start_with} CACHE {sequence.cache}"
        f"{' CYCLE' if sequence.cycle else ''};"
    )


def _role(role: Role) -> str:
    words = [
        w
        for w, yes in (("CREATEDB", role.create_db), ("CREATEROLE", role.create_role), ("NOINHERIT", not role.inherit))
        if yes
    ]
    return f'CREATE ROLE "{role.name}"{" WITH " + " ".join(words) if words else ""};'


def default_text(column: Column) -> str:
    """A default with the cast that drizzle-kit puts behind it."""
    if column.type_schema:
        prefix = f'"{column.type_schema}".' if column.type_schema != "public" else ""
        return f'{column.default}::{prefix}"{column.type}"{"[]" if column.dimensions else ""}'
    return f"{column.default}{f'::{column.type}[]' if column.dimensions else ''}"


def _column(table: Table, column: Column, pk: Key | None) -> str:
    own = pk is not None and pk.columns == (column.name,) and pk.name == f"{table.name}_pkey"
    prefix = f'"{column.type_schema}".' if column.type_schema and column.type_schema != "public" else ""
    name = f'"{column.type}"' if column.type_schema else column.type
    text = f'\t"{column.name}" {prefix}{name}{"[]" * column.dimensions}'
    if own:
        text += " PRIMARY KEY"
    if column.default:
        text += f" DEFAULT {default_text(column)}"
    if column.generated is not None:
        text += f" GENERATED ALWAYS AS ({column.generated}) STORED"
    in_key = pk is not None and column.name in pk.columns
    if column.not_null and not in_key and column.type.lower() not in _SERIAL and column.identity is None:
        text += " NOT NULL"
    unique = next((key for key in table.uniques if key.columns == (column.name,)), None)
    if unique is not None:
        text += f' CONSTRAINT "{unique.name}" UNIQUE' if unique.explicit else " UNIQUE"
        text += " NULLS NOT DISTINCT" if unique.nulls_not_distinct else ""
    if column.identity is not None:
        text += identity_clause(column.identity, qualified(table.schema, column.identity.name))
    return text


def _table(table: Table, *, protected: bool) -> list[str]:
    name = qualified(table.schema, table.name)
    pk = next(iter(table.primary_keys), None)
    lines = [_column(table, column, pk) for column in table.columns]
    if pk is not None and (len(pk.columns) > 1 or pk.name != f"{table.name}_pkey"):
        lines.append(f'\tCONSTRAINT "{pk.name}" PRIMARY KEY({_listed(pk.columns)})')
    for key in table.uniques:
        if len(key.columns) > 1:
            nulls = " NULLS NOT DISTINCT" if key.nulls_not_distinct else ""
            lines.append(f'\tCONSTRAINT "{key.name}" UNIQUE{nulls}({_listed(key.columns)})')
    lines += [f'\tCONSTRAINT "{check.name}" CHECK ({check.value})' for check in table.checks]
    out = [f"CREATE TABLE {name} (\n" + ",\n".join(lines) + "\n);\n"]
    if table.rls or table.policies or protected:
        out.append(f"ALTER TABLE {name} ENABLE ROW LEVEL SECURITY;")
    return out


def _listed(columns: tuple[str, ...]) -> str:
    return ",".join(f'"{column}"' for column in columns)


def _foreign_key(table: Table, key: ForeignKey) -> str:
    actions = "".join(
        f" ON {word} {action.upper()}"
        for word, action in (("DELETE", key.on_delete), ("UPDATE", key.on_update))
        if action and action != "no action"
    )
    return (
        f'ALTER TABLE {qualified(table.schema, table.name)} ADD CONSTRAINT "{key.name}" FOREIGN KEY ({_listed(key.columns)})'
        f" REFERENCES {qualified(key.schema_to, key.table_to)}({_listed(key.columns_to)}){actions};"
    )


def _index(table: Table, index: Index) -> str:
    terms: list[str] = []
    for column in index.columns:
        term = column.expression if column.is_expression else f'"{column.expression}"'
        term += f" {column.opclass}" if column.opclass else ""
        term += "" if column.asc else " DESC"
        if column.asc == (column.nulls == "first"):
            term += f" NULLS {column.nulls.upper()}"
        terms.append(term)
    method = "" if index.method == "btree" else f" USING {index.method}"
    options = f" WITH ({', '.join(f'{key}={text_of(value)}' for key, value in index.options)})" if index.options else ""
    where = f" WHERE {index.where}" if index.where else ""
    return (
        f"CREATE {'UNIQUE INDEX' if index.is_unique else 'INDEX'}{' CONCURRENTLY' if index.concurrently else ''}"
        f' "{index.name}" ON {qualified(table.schema, table.name)}{method} ({",".join(terms)}){options}{where};'
    )


def _view(view: View) -> str:
    kind = "MATERIALIZED VIEW" if view.materialized else "VIEW"
    return view_tail(view, f"CREATE {kind} {qualified(view.schema, view.name)}", VIEW_OPTIONS_V1)
