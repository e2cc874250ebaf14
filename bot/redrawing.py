"""Draws a snapshot upon an older one: only what the two tell differently is made, or made anew."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from checks.catalog.model import Catalog
from checks.drizzle.model import Snapshot
from checks.schema import ddl_v0
from checks.schema.model import Schema, Table

_NAME = r'((?:("(?:[^"]|"")+")\.)?"(?:[^"]|"")+")'
_TABLE = re.compile(rf"CREATE TABLE {_NAME} \(")
_ENUM = re.compile(rf"CREATE TYPE {_NAME} AS ENUM\(")
_POLICY = re.compile(rf'CREATE POLICY ("(?:[^"]|"")+") ON {_NAME} ')
_SECURED = re.compile(rf"ALTER TABLE {_NAME} ENABLE ROW LEVEL SECURITY;")
_INDEX = re.compile(rf'CREATE (?:UNIQUE )?INDEX ("(?:[^"]|"")+") ON {_NAME} ')
_KEY = re.compile(rf'ALTER TABLE {_NAME} ADD CONSTRAINT ("(?:[^"]|"")+") FOREIGN KEY \([^)]*\) REFERENCES {_NAME}\(')
_NUMBERED = re.compile(r"\d$")
_CHOSEN = frozenset({"index", "constraint", "sequence"})
"""Kinds of objects whose names PostgreSQL may choose."""


@dataclass(frozen=True, slots=True)
class _Said:
    """What a statement is about.

    Attributes:
        table: that it makes, or makes something of.
        undone: by which statement; empty for a table.
        to: of a foreign key, the table that it points to.
        makes: `table`, `type`, or empty for what is made of a table.
    """

    sql: str
    table: str
    undone: str = ""
    to: str = ""
    makes: Literal["table", "type", ""] = ""

    def on(self, tables: Iterable[str]) -> bool:
        """Whether it goes with one of these tables."""
        return self.table in tables or self.to in tables


def narrowed(old: Snapshot, new: Snapshot) -> tuple[Snapshot, Snapshot] | None:
    """Both with no more tables than differ, and those that point to them; None where more than tables and enums differ.

    What views and policies stand on they say in words of their own: where that has to go, PostgreSQL refuses.
    """
    try:
        return _narrowed(old, new)
    except (KeyError, TypeError, AttributeError):
        return None  # not as drizzle-kit writes it


def _narrowed(old: Snapshot, new: Snapshot) -> tuple[Snapshot, Snapshot] | None:
    before, after = old.data, new.data
    own = {"id", "prevId", "_meta", "tables", "enums"}
    if not (old.version == new.version == "7" and _rest(before, own) == _rest(after, own)):
        return None
    tables: tuple[Mapping[str, Any], ...] = (before["tables"], after["tables"])
    changed = {key for key, told in tables[1].items() if tables[0].get(key) != told} | tables[0].keys() - tables[
        1
    ].keys()
    names = {(_home(table), table["name"]) for some in tables for key, table in some.items() if key in changed}
    near = changed | {
        key
        for some in tables
        for key, table in some.items()
        for each in table.get("foreignKeys", {}).values()
        if (each.get("schemaTo") or "public", each["tableTo"]) in names
    }
    first, second = (
        replace(each, data={**each.data, "tables": {key: some[key] for key in some if key in near}})
        for each, some in zip((old, new), tables, strict=True)
    )
    return first, second


def grown(old: Schema, new: Schema) -> tuple[Schema, list[str]]:
    """The new schema without the columns that are all that its tables have more than the old ones, and the statements that add them."""
    were = {table.key: _alone(table) for table in old.tables}
    tables: list[Table] = []
    added: list[str] = []
    for table in new.tables:
        was = were.get(table.key)
        names = {column.name for column in was.columns} if was is not None else set[str]()
        less = replace(table, columns=tuple(column for column in table.columns if column.name in names))
        if was is not None and _alone(less) == was:
            added += [ddl_v0.added(table, column) for column in table.columns if column.name not in names]
            tables.append(less)
        else:
            tables.append(table)
    return replace(new, tables=tuple(tables)), added


def _alone(table: Table) -> Table:
    """A table without what is said of it in statements of their own."""
    return replace(table, indexes=(), foreign_keys=(), policies=(), rls=False)


def between(old: Sequence[str], new: Sequence[str], added: Sequence[str] = ()) -> list[str] | None:
    """The statements that make, of what `old` drew, what `new` draws on an empty database; None where that is not so plain.

    Args:
        old: as `snapshot_sql` writes them.
        new: likewise, but for columns that are `added`.
        added: as `grown` gives them.
    """
    kept = set(old) & set(new)
    if any(_said(sql) is None for sql in (*old, *new) if sql not in kept):
        return None
    here, there = ([each for sql in some if (each := _said(sql)) is not None] for some in (old, new))
    tables = {each.table for each in (*here, *there) if each.makes == "table" and each.sql not in kept}
    gone = [each for each in here if each.sql not in kept or each.on(tables)]
    keys = [each.undone for each in gone if each.to]
    parts = [each.undone for each in gone if not each.makes and not each.to and each.table not in tables]
    dropped = ", ".join(each.table for each in gone if each.makes == "table")
    types = [each.undone for each in gone if each.makes == "type"]
    made = [each for each in there if each.sql not in kept or each.on(tables)]
    return [
        *(*keys, *parts, *([f"DROP TABLE {dropped};"] if dropped else []), *types),
        *(each.sql for each in made if each.makes == "type"),
        *added,
        *(each.sql for each in made if each.makes != "type"),
    ]


def certain(drawn: Catalog, old: str, delta: Sequence[str]) -> bool:
    """Whether no name was chosen past one that was taken: which one gets the number depends on the order of making."""
    numbered = [key[-1] for key in drawn.objects if key[0] in _CHOSEN and _NUMBERED.search(key[-1])]
    text = "\n".join([old, *delta]) if numbered else ""
    return all(f'"{name}"' in text for name in numbered)


def _rest(data: Mapping[str, Any], own: set[str]) -> dict[str, Any]:
    return {key: value for key, value in data.items() if key not in own and value not in ({}, None)}


def _home(table: Mapping[str, Any]) -> str:
    return table.get("schema") or "public"


def _said(sql: str) -> _Said | None:
    return next((say(sql, found) for form, say in _FORMS if (found := form.match(sql))), None)


_FORMS: tuple[tuple[re.Pattern[str], Callable[[str, re.Match[str]], _Said]], ...] = (
    (_TABLE, lambda sql, of: _Said(sql, of[1], makes="table")),
    (_ENUM, lambda sql, of: _Said(sql, of[1], f"DROP TYPE {of[1]};", makes="type")),
    (_INDEX, lambda sql, of: _Said(sql, of[2], f"DROP INDEX {of[3] + '.' if of[3] else ''}{of[1]};")),
    (_KEY, lambda sql, of: _Said(sql, of[1], f"ALTER TABLE {of[1]} DROP CONSTRAINT {of[3]};", of[4])),
    (_POLICY, lambda sql, of: _Said(sql, of[2], f"DROP POLICY {of[1]} ON {of[2]};")),
    (_SECURED, lambda sql, of: _Said(sql, of[1], f"ALTER TABLE {of[1]} DISABLE ROW LEVEL SECURITY;")),
)
