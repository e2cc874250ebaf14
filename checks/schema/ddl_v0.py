"""DDL in the words of drizzle-kit 0.x."""

import re
from itertools import chain

from checks.schema.model import Column, ForeignKey, Identity, Index, Policy, Role, Schema, Sequence, Table, View
from checks.schema.sqltext import literal
from checks.typescript.values import text_of

_NATIVE = (
    "uuid", "smallint", "integer", "bigint", "boolean", "text", "varchar", "serial", "bigserial", "decimal", "numeric",
    "real", "json", "jsonb", "time", "timestamp", "date", "interval", "double precision", "char", "vector", "geometry",
    "halfvec", "sparsevec", "bit",
)  # fmt: skip
VIEW_OPTIONS = (
    "checkOption", "securityBarrier", "securityInvoker", "fillfactor", "toastTupleTarget", "parallelWorkers",
    "autovacuumEnabled", "vacuumIndexCleanup", "vacuumTruncate", "autovacuumVacuumThreshold",
    "autovacuumVacuumScaleFactor", "autovacuumVacuumCostDelay", "autovacuumVacuumCostLimit", "autovacuumFreezeMinAge",
    "autovacuumFreezeMaxAge", "autovacuumFreezeTableAge", "autovacuumMultixactFreezeMinAge",
    "autovacuumMultixactFreezeMaxAge", "autovacuumMultixactFreezeTableAge", "logAutovacuumMinDuration", "userCatalogTable",
)  # fmt: skip
VIEW_OPTIONS_V1 = (*VIEW_OPTIONS[:3], *sorted(option for option in VIEW_OPTIONS[3:]))
_ARRAY = re.compile(r"\[\d*(?:\[\d*\])*\]")
_BARE_ROLES = frozenset({"current_user", "current_role", "session_user", "public"})
_CAPITAL = re.compile(r"[A-Z]")


def statements(schema: Schema) -> list[str]:
    """All statements, in drizzle-kit's order."""
    out = [f'CREATE SCHEMA "{name}";\n' for name in schema.schemas]
    for enum in schema.enums:
        values = ", ".join(literal(value) for value in enum.values)
        out.append(f'CREATE TYPE "{enum.schema}"."{enum.name}" AS ENUM({values});')
    out += [_sequence(sequence) for sequence in schema.sequences]
    out += [_role(role) for role in schema.roles]
    out += chain.from_iterable(_table(table) for table in schema.tables)
    out += [_foreign_key(table, key) for table in schema.tables for key in table.foreign_keys]
    out += [_index(table, index) for table in schema.tables for index in table.indexes]
    out += [_view(view) for view in ordered([view for view in schema.views if view.definition is not None])]
    out += [_policy(policy, _name(table)) for table in schema.tables for policy in table.policies]
    out += [_policy(policy, f'"{policy.schema}"."{policy.table}"') for policy in schema.policies]
    return out


def ordered(views: list[View]) -> list[View]:
    """Each view after those that it reads."""
    by_key = {f"{view.schema}.{view.name}": view for view in views}
    done: dict[str, View] = {}
    pending = list(reversed(by_key))
    opened: set[str] = set()
    while pending:
        key = pending[-1]
        needs = [need for need in by_key[key].needs if need in by_key and need not in opened]
        if key in done or not needs or key in opened:
            pending.pop()
            done.setdefault(key, by_key[key])
            opened.add(key)
        else:
            opened.add(key)
            pending += reversed(needs)
    return list(done.values())


def _name(table: Table) -> str:
    return f'"{table.name}"' if table.schema == "public" else f'"{table.schema}"."{table.name}"'


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


def sql_type(name: str, schema: str | None) -> str:
    """A type as drizzle-kit writes it: quoted, unless it begins like one that it knows."""
    brackets = "".join(_ARRAY.findall(name))
    bare = _ARRAY.sub("", name)
    if name.startswith(_NATIVE):
        return bare + brackets
    prefix = f'"{schema}".' if schema and schema != "public" else ""
    return f'{prefix}"{bare}"{brackets}'


def identity_clause(identity: Identity, sequence: str) -> str:
    """`GENERATED … AS IDENTITY (…)`."""
    kind = "ALWAYS" if identity.type == "always" else "BY DEFAULT"
    return (
        f" GENERATED {kind} AS IDENTITY (sequence name {sequence} INCREMENT BY {identity.increment}"
        f" MINVALUE {identity.min_value} MAXVALUE {identity.max_value} START WITH {identity.start_with}"
        f" CACHE {identity.cache}{' CYCLE' if identity.cycle else ''})"
    )


def _column(table: Table, column: Column) -> str:
    text = f'\t"{column.name}" {sql_type(column.type, column.type_schema)}'
    if column.primary:
        text += " PRIMARY KEY"
    if column.default is not None:
        text += f" DEFAULT {column.default}"
    if column.generated is not None:
        text += f" GENERATED ALWAYS AS ({column.generated}) STORED"
    if column.not_null and column.identity is None:
        text += " NOT NULL"
    if column.identity is not None:
        prefix = "" if table.schema == "public" else f'"{table.schema}".'
        text += identity_clause(column.identity, f'{prefix}"{column.identity.name}"')
    return text


def added(table: Table, column: Column) -> str:
    """A column of a table that is there."""
    return f"ALTER TABLE {_name(table)} ADD COLUMN {_column(table, column).lstrip()};"


def _table(table: Table) -> list[str]:
    lines = [_column(table, column) for column in table.columns]
    for key in table.primary_keys[:1]:
        lines.append(f'\tCONSTRAINT "{key.name}" PRIMARY KEY({_listed(key.columns)})')  # noqa: PERF401 - reads better
    for key in table.uniques:
        nulls = " NULLS NOT DISTINCT" if key.nulls_not_distinct else ""
        lines.append(f'\tCONSTRAINT "{key.name}" UNIQUE{nulls}({_listed(key.columns)})')
    lines += [f'\tCONSTRAINT "{check.name}" CHECK ({check.value})' for check in table.checks]
    out = [f"CREATE TABLE {_name(table)} (\n" + ",\n".join(lines) + "\n);\n"]
    if table.rls or table.policies:
        out.append(f"ALTER TABLE {_name(table)} ENABLE ROW LEVEL SECURITY;")
    return out


def _listed(columns: tuple[str, ...]) -> str:
    return ",".join(f'"{column}"' for column in columns)


def _foreign_key(table: Table, key: ForeignKey) -> str:
    return (
        f'ALTER TABLE {_name(table)} ADD CONSTRAINT "{key.name}" FOREIGN KEY ({_listed(key.columns)})'
        f' REFERENCES "{key.schema_to}"."{key.table_to}"({_listed(key.columns_to)})'
        f" ON DELETE {key.on_delete or 'no action'} ON UPDATE {key.on_update or 'no action'};"
    )


def _index(table: Table, index: Index) -> str:
    terms: list[str] = []
    for column in index.columns:
        term = column.expression if column.is_expression else f'"{column.expression}"'
        if column.opclass:
            term += f" {column.opclass}"  # the order is not printed beside an operator class
        elif not column.asc:
            term += f" DESC NULLS {column.nulls.upper()}"
        elif column.nulls != "last":
            term += f" NULLS {column.nulls.upper()}"
        terms.append(term)
    options = f" WITH ({','.join(f'{key}={text_of(value)}' for key, value in index.options)})" if index.options else ""
    where = f" WHERE {index.where}" if index.where else ""
    return (
        f"CREATE {'UNIQUE INDEX' if index.is_unique else 'INDEX'}{' CONCURRENTLY' if index.concurrently else ''}"
        f' "{index.name}" ON {_name(table)} USING {index.method} ({",".join(terms)}){options}{where};'
    )


def _view(view: View) -> str:
    text = f'CREATE {"MATERIALIZED VIEW" if view.materialized else "VIEW"} "{view.schema}"."{view.name}"'
    return view_tail(view, text)


def view_tail(view: View, text: str, order: tuple[str, ...] = VIEW_OPTIONS) -> str:
    """The rest of `CREATE VIEW name`."""
    given = dict(view.options)
    if view.using:
        text += f' USING "{view.using}"'
    if view.options:
        text += f" WITH ({', '.join(f'{snake(key)} = {text_of(value)}' for key in order if (value := given.get(key)) is not None)})"
    if view.tablespace:
        text += f" TABLESPACE {view.tablespace}"
    return f"{text} AS ({view.definition}){' WITH NO DATA' if view.with_no_data else ''};"


def snake(key: str) -> str:
    """`fillFactor` as `fill_factor`."""
    return _CAPITAL.sub(lambda letter: "_" + letter[0].lower(), key)


def policy_clauses(policy: Policy, table: str) -> str:
    """`CREATE POLICY …`."""
    to = ", ".join(role if role in _BARE_ROLES else f'"{role}"' for role in policy.to)
    using = f" USING ({policy.using})" if policy.using else ""
    check = f" WITH CHECK ({policy.with_check})" if policy.with_check else ""
    return (
        f'CREATE POLICY "{policy.name}" ON {table} AS {policy.permissive} FOR {policy.command} TO {to}{using}{check};'
    )


def _policy(policy: Policy, table: str) -> str:
    return policy_clauses(policy, table)
