"""Draws a snapshot upon an older one that is kept drawn: only the tables that they tell differently are made anew."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from checks.catalog.model import Catalog
from checks.drizzle.model import Snapshot

_NAME = r'((?:"(?:[^"]|"")+"\.)?"(?:[^"]|"")+")'
_TABLE = re.compile(rf"CREATE TABLE {_NAME} \(")
_INDEX = re.compile(rf'CREATE (?:UNIQUE )?INDEX "(?:[^"]|"")+" ON {_NAME} ')
_KEY = re.compile(rf'ALTER TABLE {_NAME} ADD CONSTRAINT ("(?:[^"]|"")+") FOREIGN KEY \([^)]*\) REFERENCES {_NAME}\(')
_NUMBERED = re.compile(r"\d$")
_CHOSEN = frozenset({"index", "constraint", "sequence"})
"""Kinds of objects whose names PostgreSQL may choose."""


@dataclass(frozen=True, slots=True)
class _Said:
    """What a statement is about: a table of its own, and for a foreign key its name and the table that it points to."""

    sql: str
    table: str
    key: str = ""
    to: str = ""

    def on(self, tables: Iterable[str]) -> bool:
        """Whether it goes with one of these tables."""
        return self.table in tables or self.to in tables


def narrowed(old: Snapshot, new: Snapshot) -> tuple[Snapshot, Snapshot] | None:
    """Both with no more tables than differ, and those that point to them; None where more than plain tables would have to be made.

    Views and policies say in words of their own what they stand on, so there must be none.
    """
    try:
        return _narrowed(old, new)
    except (KeyError, TypeError, AttributeError):
        return None  # not as drizzle-kit writes it


def _narrowed(old: Snapshot, new: Snapshot) -> tuple[Snapshot, Snapshot] | None:
    before, after = old.data, new.data
    own = {"id", "prevId", "_meta", "tables"}
    plain = old.version == new.version == "7" and _rest(before, own) == _rest(after, own)
    if not plain or before.get("views") or before.get("policies"):
        return None
    tables: tuple[Mapping[str, Any], ...] = (before["tables"], after["tables"])
    if any(table.get("policies") for some in tables for table in some.values()):
        return None
    changed = {key for some in tables for key in some if tables[0].get(key) != tables[1].get(key)}
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


def between(old: Sequence[str], new: Sequence[str]) -> list[str] | None:
    """The statements that make, of what `old` drew, what `new` draws on an empty database; None where that is not so plain.

    Args:
        old: as `snapshot_sql` writes them.
        new: likewise.
    """
    kept = set(old) & set(new)
    changed = [_said(sql) for sql in (*old, *new) if sql not in kept]
    here, there = ([each for sql in some if (each := _said(sql)) is not None] for some in (old, new))
    if any(each is None for each in changed):
        return None
    tables = {each.table for each in changed if each is not None and not each.key}
    loose = [each for each in here if each.key and (each.sql not in kept or each.on(tables))]
    made = [each for each in there if each.sql not in kept or each.on(tables)]
    gone = [each.table for each in here if each.table in tables and _TABLE.match(each.sql)]
    return [*_dropped(loose, gone), *(each.sql for each in made)]


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
    if found := _TABLE.match(sql) or _INDEX.match(sql):
        return _Said(sql, found[1])
    if found := _KEY.match(sql):
        return _Said(sql, found[1], found[2], found[3])
    return None


def _dropped(keys: Iterable[_Said], tables: Sequence[str]) -> Iterator[str]:
    for each in keys:
        yield f"ALTER TABLE {each.table} DROP CONSTRAINT {each.key};"
    if tables:
        yield f"DROP TABLE {', '.join(tables)};"
