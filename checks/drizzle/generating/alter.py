"""The statements that change a table which stays: its columns, keys, constraints, indexes and policies."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from checks.drizzle.generating import content
from checks.drizzle.generating.content import Json
from checks.schema import ddl_v0
from checks.typescript.values import text_of

_IDENTIFIER = 63  # bytes of a name in PostgreSQL


@dataclass(slots=True)
class Part:
    """What of one kind goes, comes, or changes in one table, in drizzle-kit's order."""

    added: list[Json] = field(default_factory=list[Json])
    deleted: list[Json] = field(default_factory=list[Json])
    changed: list[tuple[Json, Json]] = field(default_factory=list[tuple[Json, Json]])

    def __bool__(self) -> bool:
        return bool(self.added or self.deleted or self.changed)


def part(before: Json, after: Json, of: Callable[[Json], Json]) -> Part:
    """Compare one part (indexes, …) of a table."""
    return Part(
        [item for name, item in after.items() if name not in before],
        [item for name, item in before.items() if name not in after],
        [
            (item, after[name])
            for name, item in before.items()
            if name in after and not content.same(of(item), of(after[name]))
        ],
    )


@dataclass(slots=True)
class Altered:
    """A table that stays, and everything in it that changes (columns that come or go aside)."""

    before: Json
    after: Json
    indexes: Part
    foreign_keys: Part
    primary_keys: Part
    uniques: Part
    checks: Part
    policies: Part
    columns: list[tuple[Json, Json]]

    @property
    def any(self) -> bool:
        """Something changes."""
        parts = (self.indexes, self.foreign_keys, self.primary_keys, self.uniques, self.checks, self.policies)
        rls = self.before["isRLSEnabled"] != self.after["isRLSEnabled"]
        return bool(any(parts) or self.columns or rls)


def compare(before: Json, after: Json) -> Altered:
    """What changes in a table."""
    return Altered(
        before,
        after,
        part(before["indexes"], after["indexes"], content.index),
        part(before["foreignKeys"], after["foreignKeys"], content.foreign_key),
        part(before["compositePrimaryKeys"], after["compositePrimaryKeys"], content.key_columns),
        part(before["uniqueConstraints"], after["uniqueConstraints"], content.key_columns),
        part(before["checkConstraints"], after["checkConstraints"], content.check),
        part(before["policies"], after["policies"], content.policy),
        [
            (column, after["columns"][name])
            for name, column in before["columns"].items()
            if name in after["columns"] and not content.same(_flat(column), _flat(after["columns"][name]))
        ],
    )


def _flat(column: Json) -> Json:
    kept = {k: v for k, v in column.items() if v is not None or k == "default"}  # a default of null is one
    if column.get("identity"):
        kept["identity"] = content.identity(column["identity"])
    return kept


# -- columns ----------------------------------------------------------------------------------------------------------


def added_column(table: Json, column: Json) -> str:
    """`ADD COLUMN`."""
    text = f'ALTER TABLE {content.quoted(table)} ADD COLUMN "{column["name"]}" '
    text += ddl_v0.sql_type(column["type"], column.get("typeSchema"))
    text += " PRIMARY KEY" if column.get("primaryKey") else ""
    text += f" DEFAULT {text_of(column['default'])}" if "default" in column else ""
    text += f" GENERATED ALWAYS AS ({column['generated']['as']}) STORED" if column.get("generated") else ""
    text += " NOT NULL" if column.get("notNull") else ""
    return f"{text}{_identity(table, column['identity']) if column.get('identity') else ''};"


def _identity(table: Json, found: Json) -> str:
    name = f'"{table["schema"]}"."{found["name"]}"' if table["schema"] else f'"{found["name"]}"'
    words = {"increment": "INCREMENT BY", "minValue": "MINVALUE", "maxValue": "MAXVALUE", "startWith": "START WITH"}
    text = f" GENERATED {_kind(found)} AS IDENTITY (sequence name {name}"
    text += "".join(f" {word} {found[key]}" for key, word in (words | {"cache": "CACHE"}).items() if found.get(key))
    return f"{text}{' CYCLE' if found.get('cycle') else ''})"


def _kind(identity: Json) -> str:
    return "ALWAYS" if identity["type"] == "always" else "BY DEFAULT"


def columns(altered: Altered, before: Json, after: Json, shrunk: set[str]) -> list[str]:
    """The statements of the columns that change.

    Args:
        altered: the table.
        before: the whole content before, for its enums.
        after: the whole content after.
        shrunk: enums that lose values; their columns get their defaults with the type.
    """
    table = altered.after
    changes = [(old, new) for old, new in altered.columns if not _same_type(old, new)]
    gains = any(not old.get("identity") and new.get("identity") for old, new in changes)
    loses = any(old.get("identity") and not new.get("identity") for old, new in changes)
    dropped: list[str] = []
    keyed: list[str] = []
    rest: list[str] = []
    for old, new in changes:
        name = new["name"]
        head = f'ALTER TABLE {content.quoted(table)} ALTER COLUMN "{name}"'
        own_key = f"{table['name']}_{name}" in table["compositePrimaryKeys"]
        if old.get("primaryKey") and not new.get("primaryKey") and not own_key:
            dropped.append(_dropped_key(table))
        if new.get("primaryKey") and not old.get("primaryKey"):
            keyed.append(f'ALTER TABLE {content.quoted(table)} ADD PRIMARY KEY ("{name}");')
        retyped = old["type"] != new["type"]
        if retyped:
            rest += _set_type(head, old, new, before, after)
        told = retyped or _enum(new) in shrunk
        rest += _default(head, old, new, told=told)
        if bool(old.get("notNull")) != bool(new.get("notNull")) and not (gains if new.get("notNull") else loses):
            rest.append(f"{head} {'SET' if new.get('notNull') else 'DROP'} NOT NULL;")
        rest += _changed_identity(head, table, old.get("identity"), new.get("identity"))
        rest += _generated(head, table, old, new)
    return [*dropped, *keyed, *rest]


def _dropped_key(table: Json) -> str:
    """The primary key of a column, under the name that PostgreSQL gave it; drizzle-kit leaves a comment instead."""
    bare = table["name"].encode()[: _IDENTIFIER - len("_pkey")].decode(errors="ignore")
    return f'ALTER TABLE {content.quoted(table)} DROP CONSTRAINT "{bare}_pkey";'


def _same_type(old: Json, new: Json) -> bool:
    """The type is spelled with a blank before its bracket on one side only: drizzle-kit leaves such a column alone."""
    return old["type"] != new["type"] and old["type"].replace(" (", "(", 1) == new["type"].replace(" (", "(", 1)


def _enum(column: Json) -> str:
    return f"{column.get('typeSchema')}.{column['type'].partition('[')[0]}"


def typed(column: Json) -> str:
    """A type with its schema, as it is written where a column changes."""
    schema = column.get("typeSchema")
    if schema == "public" and ddl_v0.sql_type(column["type"], None).startswith('"'):
        return f'"public".{ddl_v0.sql_type(column["type"], None)}'
    return ddl_v0.sql_type(column["type"], schema)


def _set_type(head: str, old: Json, new: Json, before: Json, after: Json) -> list[str]:
    was, is_enum = _enum(old) in before["enums"], _enum(new) in after["enums"]
    kind, name = typed(new), f'"{new["name"]}"'
    value = new.get("default")
    default = text_of(value) if value else ""
    if not is_enum:
        return [f"{head} SET DATA TYPE {kind};", *([f"{head} SET DEFAULT {default};"] if default else [])]
    if not was:
        first = [f"{head} SET DEFAULT {default}::{kind};"] if default else []
        return [*first, f"{head} SET DATA TYPE {kind} USING {name}::{kind};"]
    change = f"{head} SET DATA TYPE {kind} USING {name}::text::{kind};"
    return [f"{head} DROP DEFAULT;", change, f"{head} SET DEFAULT {default};"] if default else [change]


def _default(head: str, old: Json, new: Json, *, told: bool) -> list[str]:
    """`told`: the default is set together with the type."""
    if "default" not in new:
        return [f"{head} DROP DEFAULT;"] if "default" in old else []
    if told or ("default" in old and content.same(old["default"], new["default"])):
        return []
    return [f"{head} SET DEFAULT {text_of(new['default'])};"]


def _changed_identity(head: str, table: Json, old: Json | None, new: Json | None) -> list[str]:
    if not old or not new:
        return [f"{head} ADD{_identity(table, new)};"] if new else [f"{head} DROP IDENTITY;"] if old else []
    a, b = content.identity(old), content.identity(new)
    words = {
        "minValue": "MINVALUE", "maxValue": "MAXVALUE", "increment": "INCREMENT BY", "startWith": "START WITH", "cache": "CACHE",
    }  # fmt: skip
    made = [f"{head} SET GENERATED {_kind(new)};"] if a["type"] != b["type"] else []
    made += [f"{head} SET {word} {b[key]};" for key, word in words.items() if a[key] != b[key]]
    return [*made, *([f"{head} SET {'CYCLE' if b['cycle'] else 'NO CYCLE'};"] if a["cycle"] != b["cycle"] else [])]


def _generated(head: str, table: Json, old: Json, new: Json) -> list[str]:
    was, now = old.get("generated"), new.get("generated")
    if not now:
        return [f"{head} DROP EXPRESSION;"] if was else []
    if was and content.same(was, now):
        return []
    column = {k: v for k, v in new.items() if k != "identity"}
    return [f'ALTER TABLE {content.quoted(table)} drop column "{new["name"]}";', added_column(table, column)]


# -- keys and constraints ---------------------------------------------------------------------------------------------


def dropped_constraint(table: Json, item: Json) -> str:
    """`DROP CONSTRAINT`."""
    return f'ALTER TABLE {content.quoted(table)} DROP CONSTRAINT "{item["name"]}";'


def _columns(item: Json) -> str:
    return '"' + '","'.join(item["columns"]) + '"'


def added_key(table: Json, item: Json) -> str:
    """A composite primary key."""
    return f'ALTER TABLE {content.quoted(table)} ADD CONSTRAINT "{item["name"]}" PRIMARY KEY({_columns(item)});'


def added_unique(table: Json, item: Json) -> str:
    """A unique constraint."""
    nulls = " NULLS NOT DISTINCT" if item.get("nullsNotDistinct") else ""
    return f'ALTER TABLE {content.quoted(table)} ADD CONSTRAINT "{item["name"]}" UNIQUE{nulls}({_columns(item)});'


def added_check(table: Json, item: Json) -> str:
    """A check constraint."""
    return f'ALTER TABLE {content.quoted(table)} ADD CONSTRAINT "{item["name"]}" CHECK ({item["value"]});'


def added_foreign_key(table: Json, item: Json) -> str:
    """A foreign key."""
    actions = "".join(
        f" ON {word} {item[key]}" for word, key in (("DELETE", "onDelete"), ("UPDATE", "onUpdate")) if item.get(key)
    )
    names, targets = (",".join(f'"{c}"' for c in item[key]) for key in ("columnsFrom", "columnsTo"))
    target = f'"{item.get("schemaTo") or "public"}"."{item["tableTo"]}"'
    return (
        f'ALTER TABLE {content.quoted(table)} ADD CONSTRAINT "{item["name"]}" FOREIGN KEY ({names})'
        f" REFERENCES {target}({targets}){actions};"
    )


def added_index(table: Json, item: Json) -> str:
    """An index."""
    terms: list[str] = []
    for column in item["columns"]:
        term = column["expression"] if column.get("isExpression") else f'"{column["expression"]}"'
        if column.get("opclass"):
            term += f" {column['opclass']}"
        else:
            term += "" if column["asc"] else " DESC"
            term += "" if column["asc"] and column["nulls"] == "last" else f" NULLS {column['nulls'].upper()}"
        terms.append(term)
    options: dict[str, Any] = item.get("with") or {}
    given = f" WITH ({','.join(f'{key}={text_of(value)}' for key, value in options.items())})" if options else ""
    where = f" WHERE {item['where']}" if item.get("where") else ""
    return (
        f"CREATE {'UNIQUE INDEX' if item.get('isUnique') else 'INDEX'}{' CONCURRENTLY' if item.get('concurrently') else ''}"
        f' "{item["name"]}" ON {content.quoted(table)} USING {item.get("method") or "btree"} ({",".join(terms)}){given}{where};'
    )


def dropped_index(table: Json, item: Json) -> str:
    """`DROP INDEX`."""
    return f'DROP INDEX "{table["schema"]}"."{item["name"]}";' if table["schema"] else f'DROP INDEX "{item["name"]}";'
