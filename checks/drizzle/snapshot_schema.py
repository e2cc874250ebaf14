"""A snapshot file as a schema: versions 5, 6 and 7 of drizzle-kit 0.x; 8 and 9 of 1.0, whose rows `entities` puts together."""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any, Literal, cast

from checks.drizzle import entities
from checks.drizzle.entities import Unreconstructable
from checks.drizzle.model import Chain, Snapshot
from checks.schema import model

_BRACKETS = re.compile(r"(?:\[\d*\])+$")
_MIXED_CASE = re.compile(r"[A-Za-z_]\w*")

Row = Mapping[str, Any]


def of(chain: Chain, snapshot: Snapshot) -> model.Schema:
    """The schema that a snapshot describes.

    Raises:
        Unreconstructable: its file is damaged, or (v1) one that it builds on is missing.
    """
    try:
        if snapshot.version in {"8", "9"}:
            return _Rows(entities.of(chain, snapshot)).schema()
        return _of_v0(snapshot.data)
    except Unreconstructable:
        raise
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise Unreconstructable(f"{snapshot.path} is not as drizzle-kit writes it ({error!r}).") from None


# -- versions 5, 6, 7 -------------------------------------------------------------------------------------------------


def _of_v0(data: Row) -> model.Schema:
    enums = [_enum_v0(enum) for enum in _values(data.get("enums"))]
    homes = {enum.name: enum.schema for enum in reversed(enums)}
    return model.Schema(
        "v1",
        tables=tuple(_table_v0(table, homes) for table in _values(data["tables"])),
        enums=tuple(enums),
        schemas=tuple(_keys(data.get("schemas"))),
        sequences=tuple(
            model.Sequence(
                *(_text(s.get("schema")) or "public", _text(s["name"]), _text(s["increment"]), _text(s["minValue"])),
                *(_text(s["maxValue"]), _text(s["startWith"]), _text(s["cache"]), bool(s.get("cycle"))),
            )
            for s in _values(data.get("sequences"))
        ),
        roles=tuple(_role(role) for role in _values(data.get("roles"))),
        policies=tuple(_policy_v0(policy) for policy in _values(data.get("policies"))),
        views=_with_needs(_view(view) for view in _values(data.get("views")) if not view.get("isExisting")),
    )


def _enum_v0(enum: Row) -> model.Enum:
    return model.Enum(enum.get("schema") or "public", enum["name"], tuple(_listed(enum["values"])))


def _table_v0(table: Row, enums: Mapping[str, str]) -> model.Table:
    columns = tuple(_column_v0(column, enums) for column in _values(table["columns"]))
    pks = [
        model.Key(pk.get("name") or key, tuple(_listed(pk["columns"])), explicit=True)
        for key, pk in _object(table.get("compositePrimaryKeys")).items()
    ]
    own = tuple(column.name for column in columns if column.primary)
    if own and not pks:
        pks = [model.Key(f"{table['name']}_pkey", own)]
    return model.Table(
        table.get("schema") or "public",
        table["name"],
        columns=columns,
        indexes=tuple(_index_v0(index) for index in _values(table.get("indexes"))),
        foreign_keys=tuple(
            model.ForeignKey(
                *(fk["name"], tuple(fk["columnsFrom"]), fk.get("schemaTo") or "public", fk["tableTo"]),
                *(tuple(fk["columnsTo"]), fk.get("onDelete"), fk.get("onUpdate")),
            )
            for fk in _values(table.get("foreignKeys"))
        ),
        primary_keys=tuple(pks[:1]),
        uniques=tuple(
            model.Key(u["name"], tuple(u["columns"]), bool(u.get("nullsNotDistinct")), explicit=True)
            for u in _values(table.get("uniqueConstraints"))
        ),
        checks=tuple(model.Check(c["name"], c["value"]) for c in _values(table.get("checkConstraints"))),
        policies=tuple(_policy_v0(policy) for policy in _values(table.get("policies"))),
        rls=bool(table.get("isRLSEnabled")),
    )


def _column_v0(column: Row, enums: Mapping[str, str]) -> model.Column:
    name, kind = column["name"], column["type"]
    brackets = _BRACKETS.search(kind)
    bare = kind[: brackets.start()] if brackets else kind
    home = column.get("typeSchema") or enums.get(bare)
    if home is None and bare != bare.lower() and _MIXED_CASE.fullmatch(bare):
        bare = f'"{bare}"'  # drizzle-kit 0.x quotes what it does not know
    default = column.get("default")
    return model.Column(
        name=name,
        type=bare,
        type_schema=home,
        primary=bool(column.get("primaryKey")),
        not_null=bool(column.get("notNull")),
        default=None if default is None else _literal(default),
        generated=_generated(column.get("generated")),
        identity=_identity(column.get("identity")),
        dimensions=brackets[0].count("[") if brackets else 0,
    )


def _index_v0(index: Row) -> model.Index:
    columns = tuple(
        model.IndexColumn(column, is_expression=False, asc=True, nulls="last")
        if isinstance(column, str)
        else model.IndexColumn(
            column["expression"],
            bool(column.get("isExpression")),
            column.get("asc", True),
            column.get("nulls") or "last",
            column.get("opclass") or None,
        )
        for column in index["columns"]
    )
    options = tuple((key, _literal(value)) for key, value in _object(index.get("with")).items())
    method = index.get("method") or "btree"
    return model.Index(index["name"], columns, bool(index.get("isUnique")), method, index.get("where"), options=options)


def _policy_v0(policy: Row) -> model.Policy:
    schema, table = "public", None
    if policy.get("on"):
        *before, table = (part.strip('"') for part in policy["on"].split("."))
        schema = before[0] if before else "public"
    return model.Policy(
        *(policy["name"], policy.get("as") or "PERMISSIVE", policy.get("for") or "ALL"),
        *(tuple(policy.get("to") or ("public",)), policy.get("using"), policy.get("withCheck"), schema, table),
    )


# -- versions 8, 9 ----------------------------------------------------------------------------------------------------


class _Rows:
    """The rows of a v1 snapshot, by kind and by table."""

    def __init__(self, rows: Iterable[Row]) -> None:
        self._of: dict[str, list[Row]] = defaultdict(list)
        self._in: dict[tuple[str, str, str], list[Row]] = defaultdict(list)
        for row in rows:
            self._of[row["entityType"]].append(row)
            if "table" in row:
                self._in[row["entityType"], row.get("schema") or "public", row["table"]].append(row)

    def schema(self) -> model.Schema:
        return model.Schema(
            "v1",
            tables=tuple(
                self._table(row["schema"], row["name"], bool(row.get("isRlsEnabled"))) for row in self._of["tables"]
            ),
            enums=tuple(model.Enum(row["schema"], row["name"], tuple(row["values"])) for row in self._of["enums"]),
            schemas=tuple(row["name"] for row in self._of["schemas"] if row["name"] != "public"),
            sequences=tuple(
                model.Sequence(
                    *(s["schema"], s["name"], _text(s["incrementBy"]), _text(s["minValue"]), _text(s["maxValue"])),
                    *(_text(s["startWith"]), _text(s["cacheSize"]), bool(s.get("cycle"))),
                )
                for s in self._of["sequences"]
            ),
            roles=tuple(_role(row) for row in self._of["roles"]),
            views=_with_needs(_view(row) for row in self._of["views"] if row.get("definition") is not None),
        )

    def _table(self, schema: str, name: str, rls: bool) -> model.Table:  # noqa: FBT001 - a fact of the table
        def rows(kind: str) -> list[Row]:
            return self._in[kind, schema, name]

        return model.Table(
            schema,
            name,
            columns=tuple(_column_v1(row) for row in rows("columns")),
            indexes=tuple(_index_v1(row) for row in rows("indexes")),
            foreign_keys=tuple(
                model.ForeignKey(
                    *(fk["name"], tuple(fk["columns"]), fk.get("schemaTo") or "public", fk["tableTo"]),
                    *(tuple(fk["columnsTo"]), _lower(fk.get("onDelete")), _lower(fk.get("onUpdate"))),
                )
                for fk in rows("fks")
            ),
            primary_keys=tuple(model.Key(row["name"], tuple(row["columns"]), explicit=True) for row in rows("pks")[:1]),
            uniques=tuple(
                model.Key(row["name"], tuple(row["columns"]), bool(row.get("nullsNotDistinct")), explicit=True)
                for row in rows("uniques")
            ),
            checks=tuple(model.Check(row["name"], row["value"]) for row in rows("checks")),
            policies=tuple(
                model.Policy(
                    *(row["name"], row.get("as") or "PERMISSIVE", row.get("for") or "ALL"),
                    *(tuple(row.get("roles") or ("public",)), row.get("using"), row.get("withCheck"), schema, name),
                )
                for row in rows("policies")
            ),
            rls=rls,
        )


def _column_v1(row: Row) -> model.Column:
    return model.Column(
        name=row["name"],
        type=row["type"],
        type_schema=row.get("typeSchema"),
        primary=False,
        not_null=bool(row.get("notNull")),
        default=None if row.get("default") is None else _literal(row["default"]),
        generated=_generated(row.get("generated")),
        identity=_identity(row.get("identity")),
        dimensions=int(row.get("dimensions") or 0),
    )


def _index_v1(row: Row) -> model.Index:
    columns = tuple(
        model.IndexColumn(
            column["value"],
            bool(column.get("isExpression")),
            column.get("asc", True),
            "first" if column.get("nullsFirst") else "last",
            _opclass(column.get("opclass")),
        )
        for column in row["columns"]
    )
    written = row.get("with") or ""
    options = tuple(
        cast("tuple[str, str]", tuple(p.strip() for p in pair.split("=", 1)))
        for pair in written.split(",")
        if "=" in pair
    )
    method = row.get("method") or "btree"
    return model.Index(row["name"], columns, bool(row.get("isUnique")), method, row.get("where"), options=options)


def _opclass(found: Any) -> str | None:  # noqa: ANN401 - JSON
    if isinstance(found, Mapping):
        known = cast("Row", found)
        return None if known.get("default") else known.get("name")
    return found or None


# -- both -------------------------------------------------------------------------------------------------------------


def _role(row: Row) -> model.Role:
    return model.Role(row["name"], bool(row.get("createDb")), bool(row.get("createRole")), row.get("inherit", True))


def _view(row: Row) -> model.View:
    return model.View(
        row.get("schema") or "public",
        row["name"],
        row.get("definition"),
        materialized=bool(row.get("materialized")),
        options=tuple(_object(row.get("with")).items()),
        with_no_data=bool(row.get("withNoData")),
        tablespace=row.get("tablespace"),
        using=row.get("using"),
    )


def _with_needs(views: Iterable[model.View]) -> tuple[model.View, ...]:
    """Say of each view which others its query names."""
    all_views = list(views)
    keys = {view.name: f"{view.schema}.{view.name}" for view in all_views}
    pattern = re.compile(
        "|".join(rf"(?<![\w$]){re.escape(name)}(?![\w$])" for name in sorted(keys, key=len, reverse=True))
    )
    return tuple(
        model.View(
            *(
                view.schema,
                view.name,
                view.definition,
                view.materialized,
                view.options,
                view.with_no_data,
                view.tablespace,
            ),
            view.using,
            needs=tuple({keys[name]: None for name in pattern.findall(view.definition or "") if name != view.name}),
        )
        for view in all_views
    )


def _identity(found: Row | None) -> model.Identity | None:
    if not found:
        return None
    kind: Literal["always", "byDefault"] = "always" if found["type"] == "always" else "byDefault"
    numbers = (_text(found[key]) for key in ("increment", "minValue", "maxValue", "startWith", "cache"))
    return model.Identity(kind, found["name"], *numbers, cycle=bool(found.get("cycle")))


def _generated(found: Row | None) -> str | None:
    return found["as"] if found else None


def _literal(value: Any) -> str:  # noqa: ANN401 - JSON
    """A default as SQL: v0 keeps numbers and booleans as such, and everything else as the SQL text."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def _text(value: Any) -> str:  # noqa: ANN401 - JSON
    return "" if value is None else str(value)


def _lower(value: str | None) -> str | None:
    return value.lower() if value else None


def _object(found: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    return dict(cast("Row", found or {}))


def _values(found: Any) -> list[Row]:  # noqa: ANN401 - JSON
    return list(_object(found).values())


def _keys(found: Any) -> list[str]:  # noqa: ANN401 - JSON
    return list(_object(found))


def _listed(found: Any) -> list[str]:  # noqa: ANN401 - JSON: a list, or (version 5) an object of equal keys and values
    return [*_object(found).values()] if isinstance(found, Mapping) else list(found)
