"""A schema in the form of drizzle-kit's snapshots: version 7 (v0), or the entities of version 8 and 9 (v1)."""

from collections.abc import Mapping
from typing import Any

from checks.schema.model import Check, Column, ForeignKey, Identity, Index, Policy, Schema, Sequence, Table, View
from checks.typescript.values import text_of

Json = dict[str, Any]

_VIEW_OPTIONS = (
    "checkOption", "securityBarrier", "securityInvoker", "autovacuumEnabled", "autovacuumFreezeMaxAge",
    "autovacuumFreezeMinAge", "autovacuumFreezeTableAge", "autovacuumMultixactFreezeMaxAge",
    "autovacuumMultixactFreezeMinAge", "autovacuumMultixactFreezeTableAge", "autovacuumVacuumCostDelay",
    "autovacuumVacuumCostLimit", "autovacuumVacuumScaleFactor", "autovacuumVacuumThreshold", "fillfactor",
    "logAutovacuumMinDuration", "parallelWorkers", "toastTupleTarget", "userCatalogTable", "vacuumIndexCleanup",
    "vacuumTruncate",
)  # fmt: skip


_KINDS = (
    "schemas", "tables", "enums", "columns", "indexes", "fks", "pks", "uniques", "checks", "sequences", "roles", "privileges", "policies",
    "views",
)  # fmt: skip


def to_snapshot(schema: Schema) -> Json:
    """What a snapshot file of a v0 schema holds, without `id` and `prevId`."""
    return {
        "version": "7",
        "dialect": "postgresql",
        "tables": {table.key: _table(table) for table in schema.tables},
        "enums": {
            f"{enum.schema}.{enum.name}": {"name": enum.name, "schema": enum.schema, "values": list(enum.values)}
            for enum in schema.enums
        },
        "schemas": {name: name for name in schema.schemas},
        "sequences": {f"{sequence.schema}.{sequence.name}": _sequence(sequence) for sequence in schema.sequences},
        "roles": {
            role.name: {
                "name": role.name,
                "createDb": role.create_db,
                "createRole": role.create_role,
                "inherit": role.inherit,
            }
            for role in schema.roles
        },
        "policies": {
            policy.name: {**_policy(policy), "schema": policy.schema, "on": f'"{policy.schema}"."{policy.table}"'}
            for policy in schema.policies
        },
        "views": {f"{view.schema}.{view.name}": _view(view) for view in schema.views},
        "_meta": {"schemas": {}, "tables": {}, "columns": {}},
    }


def _known(fields: Mapping[str, Any]) -> Json:
    """The fields that have a value, as JSON leaves `undefined` out."""
    return {key: value for key, value in fields.items() if value is not None}


def _table(table: Table) -> Json:
    return {
        "name": table.name,
        "schema": "" if table.schema == "public" else table.schema,
        "columns": {column.name: _column(column, table.schema) for column in table.columns},
        "indexes": {index.name: _index(index) for index in table.indexes},
        "foreignKeys": {key.name: _foreign_key(key, table.name) for key in table.foreign_keys},
        "compositePrimaryKeys": {
            key.name: {"name": key.name, "columns": list(key.columns)} for key in table.primary_keys
        },
        "uniqueConstraints": {
            key.name: {"name": key.name, "nullsNotDistinct": key.nulls_not_distinct, "columns": list(key.columns)}
            for key in table.uniques
        },
        "policies": {policy.name: _policy(policy) for policy in table.policies},
        "checkConstraints": {check.name: {"name": check.name, "value": check.value} for check in table.checks},
        "isRLSEnabled": table.rls,
    }


def _column(column: Column, schema: str) -> Json:
    fields: Json = {
        "name": column.name,
        "type": column.type,
        "typeSchema": column.type_schema,
        "primaryKey": column.primary,
        "notNull": column.not_null,
        "generated": None if column.generated is None else {"as": column.generated, "type": "stored"},
        "identity": None if column.identity is None else _identity(column.identity, schema),
    }
    found = _known(fields)
    if column.default is not None:
        found["default"] = column.default_json
    return found


def _identity(identity: Identity, schema: str) -> Json:
    return {
        "type": identity.type,
        "name": identity.name,
        "schema": schema,
        "increment": identity.increment,
        "startWith": identity.start_with,
        "minValue": identity.min_value,
        "maxValue": identity.max_value,
        "cache": identity.cache,
        "cycle": identity.cycle,
    }


def _index(index: Index) -> Json:
    columns: list[Json] = []
    for column in index.columns:
        if column.is_expression:
            columns.append({"expression": column.expression, "asc": True, "isExpression": True, "nulls": "last"})
        else:
            term = {"expression": column.expression, "isExpression": False, "asc": column.asc, "nulls": column.nulls}
            columns.append(_known({**term, "opclass": column.opclass}))
    fields = {
        "name": index.name,
        "columns": columns,
        "isUnique": index.is_unique,
        "where": index.where,
        "concurrently": index.concurrently,
        "method": index.method,
        "with": dict(index.options),
    }
    return _known(fields)


def _foreign_key(key: ForeignKey, table: str) -> Json:
    fields = {
        "name": key.name,
        "tableFrom": table,
        "tableTo": key.table_to,
        "schemaTo": None if key.schema_to == "public" else key.schema_to,
        "columnsFrom": list(key.columns),
        "columnsTo": list(key.columns_to),
        "onDelete": key.on_delete,
        "onUpdate": key.on_update,
    }
    return _known(fields)


def _policy(policy: Policy) -> Json:
    fields = {
        "name": policy.name,
        "as": policy.permissive,
        "for": policy.command,
        "to": list(policy.to),
        "using": policy.using,
        "withCheck": policy.with_check,
    }
    return _known(fields)


def _sequence(sequence: Sequence) -> Json:
    return {
        "name": sequence.name,
        "schema": sequence.schema,
        "increment": sequence.increment,
        "startWith": sequence.start_with,
        "minValue": sequence.min_value,
        "maxValue": sequence.max_value,
        "cache": sequence.cache,
        "cycle": sequence.cycle,
    }


def _view(view: View) -> Json:
    fields: Json = {
        "columns": {column.name: _column(column, view.schema) for column in view.columns},
        "definition": view.definition,
        "name": view.name,
        "schema": view.schema,
        "isExisting": view.definition is None,
        "with": dict(view.options) if view.options else None,
        "withNoData": view.with_no_data or None,
        "materialized": view.materialized,
        "tablespace": view.tablespace,
        "using": view.using,
    }
    return _known(fields)


def entities(schema: Schema) -> list[Json]:
    """The entities of a v1 schema, as `ddl` of a snapshot lists them, in its order."""
    found: list[Json] = [{"name": name, "entityType": "schemas"} for name in schema.schemas]
    for enum in schema.enums:
        found.append({"schema": enum.schema, "name": enum.name, "values": list(enum.values), "entityType": "enums"})  # noqa: PERF401 - reads better
    linked = {f"{policy.schema}.{policy.table}" for policy in schema.policies}
    found += [_policy_entity(policy, policy.schema, policy.table or "") for policy in schema.policies]
    for table in schema.tables:
        found += _entities_of(table, protected=table.key in linked)
    for sequence in schema.sequences:
        found.append({
            "schema": sequence.schema,
            "name": sequence.name,
            "incrementBy": sequence.increment,
            "minValue": sequence.min_value,
            "maxValue": sequence.max_value,
            "startWith": sequence.start_with,
            "cacheSize": int(sequence.cache),
            "cycle": sequence.cycle,
            "entityType": "sequences",
        })  # fmt: skip
    for role in schema.roles:
        rights = {"createDb": role.create_db, "createRole": role.create_role, "inherit": role.inherit}
        off = dict.fromkeys(("canLogin", "replication", "bypassRls"), False)
        rest = {"connLimit": -1, "password": None, "validUntil": None, "entityType": "roles"}
        found.append({"name": role.name, "superuser": False, **rights, **off, **rest})
    found += [_view_entity(view) for view in schema.views if view.definition is not None]
    found.sort(key=lambda row: (_KINDS.index(row["entityType"]), row.pop("inline", False)))
    return found


def _entities_of(table: Table, *, protected: bool) -> list[Json]:
    place = {"schema": table.schema, "table": table.name}
    rls = table.rls or bool(table.policies) or protected
    found: list[Json] = [{"schema": table.schema, "name": table.name, "isRlsEnabled": rls, "entityType": "tables"}]
    found += [{**place, **_column_fields(column), "entityType": "columns"} for column in table.columns]
    found += [{**place, **_index_fields(index), "entityType": "indexes"} for index in table.indexes]
    found += [{**place, **_foreign_key_fields(key), "entityType": "fks"} for key in table.foreign_keys]
    for key in table.primary_keys:
        named = {"columns": list(key.columns), "nameExplicit": key.explicit, "inline": key.inline, "entityType": "pks"}
        found.append({**place, "name": key.name, **named})
    for key in table.uniques:
        named = {"name": key.name, "nameExplicit": key.explicit, "columns": list(key.columns)}
        rest = {"nullsNotDistinct": key.nulls_not_distinct, "inline": key.inline, "entityType": "uniques"}
        found.append({**place, **named, **rest})
    found += [{**place, **_check_fields(check), "entityType": "checks"} for check in table.checks]
    found += [_policy_entity(policy, table.schema, table.name) for policy in table.policies]
    return found


def _column_fields(column: Column) -> Json:
    identity: Json | None = None
    if column.identity is not None:
        one = column.identity
        numbers = {
            "increment": one.increment,
            "startWith": one.start_with,
            "minValue": one.min_value,
            "maxValue": one.max_value,
        }
        identity = {"type": one.type, "name": one.name, **numbers, "cache": int(one.cache), "cycle": one.cycle}
    return {
        "name": column.name,
        "type": column.type,
        "typeSchema": column.type_schema,
        "notNull": column.not_null,
        "dimensions": column.dimensions,
        "default": column.default,
        "generated": None if column.generated is None else {"as": column.generated, "type": "stored"},
        "identity": identity,
    }


def _index_fields(index: Index) -> Json:
    columns = [
        {
            "value": column.expression,
            "isExpression": column.is_expression,
            "asc": column.asc,
            "nullsFirst": column.nulls == "first",
            "opclass": {"name": column.opclass, "default": False} if column.opclass else None,
        }
        for column in index.columns
    ]
    return {
        "name": index.name,
        "nameExplicit": index.explicit,
        "columns": columns,
        "isUnique": index.is_unique,
        "where": index.where,
        "with": ", ".join(f"{key}={text_of(value)}" for key, value in index.options),
        "method": index.method,
        "concurrently": index.concurrently,
    }


def _foreign_key_fields(key: ForeignKey) -> Json:
    return {
        "name": key.name,
        "nameExplicit": key.explicit,
        "columns": list(key.columns),
        "schemaTo": key.schema_to,
        "tableTo": key.table_to,
        "columnsTo": list(key.columns_to),
        "onUpdate": (key.on_update or "no action").upper(),
        "onDelete": (key.on_delete or "no action").upper(),
    }


def _check_fields(check: Check) -> Json:
    return {"name": check.name, "value": check.value}


def _policy_entity(policy: Policy, schema: str, table: str) -> Json:
    return {
        "schema": schema,
        "table": table,
        "name": policy.name,
        "as": policy.permissive,
        "for": policy.command,
        "roles": list(policy.to),
        "using": policy.using,
        "withCheck": policy.with_check,
        "entityType": "policies",
    }


def _view_entity(view: View) -> Json:
    options = dict(view.options)
    return {
        "schema": view.schema,
        "name": view.name,
        "definition": view.definition,
        "with": {key: options.get(key) for key in _VIEW_OPTIONS} if options else None,
        "withNoData": view.with_no_data or None,
        "using": view.using,
        "tablespace": view.tablespace,
        "materialized": view.materialized,
        "entityType": "views",
    }
