"""Snapshots that forget: what the snapshot before has and this one lacks, though its migration drops nothing of the kind."""

import posixpath
import re
from collections.abc import Iterator, Mapping
from typing import Any, cast

from checks.drizzle.model import Chain, Migration, Project, Snapshot
from checks.tree import Tree

MOST_FILES = 400
_CODE = (".ts", ".mts", ".cts", ".js", ".mjs", ".cjs")

# What a snapshot has no word for: SQL that only does such things needs none.
_TRACKED = re.compile(
    r"(create|alter|drop)\s+(unique\s+index|or\s+replace\s+view|(unlogged\s+)?table|type|index|schema|sequence|view|materialized\s+view|policy|role)\b",
    re.IGNORECASE,
)


def lost(chain: Chain, migration: Migration) -> str | None:
    """The first table or column that the migration's snapshot forgets, `table` or `table.column`; None where it forgets nothing."""
    by_tag = {s.tag: s for s in chain.snapshots if s.tag is not None}
    here = by_tag.get(migration.tag)
    earlier = [m for m in chain.migrations[: chain.migrations.index(migration)] if m.tag in by_tag]
    if here is None or not earlier or chain.project.format == "v1":
        return None
    before = by_tag[earlier[-1].tag]
    since = chain.migrations[chain.migrations.index(earlier[-1]) + 1 : chain.migrations.index(migration) + 1]
    words = {w for m in since for w in re.findall(r"\w+", m.text.lower())}
    if {"drop", "schema", "cascade"} <= words:  # takes tables along without naming them
        return None
    now = dict(_tables(here))
    for table, columns in _tables(before):
        if table not in now:
            if not _said(table, words):
                return table
            continue
        missing = (c for c in columns if c not in now[table] and not _said(c, words))
        if (column := next(missing, None)) is not None:
            return f"{table}.{column}"
    return None


def wanted(tree: Tree, project: Project, name: str) -> bool | None:
    """Whether schema.ts still has what a snapshot forgot (`table` or `table.column`); None where that cannot be told.

    A table that schema.ts no longer has was left in the database on purpose; one that it still has would be created again.
    """
    folders = {posixpath.dirname(f) for f in project.schema_files}
    paths = (
        [p for folder in folders for p in tree.under(folder) if p.endswith(_CODE)]
        if all(folders)
        else list(project.schema_files)
    )
    if (
        not paths or len(paths) > MOST_FILES or "." in name
    ):  # a column's name is common: only reading the schema would tell
        return None
    contents = tree.read_all(paths).values()
    plain = name.replace("_", "").lower().encode()
    return any(plain in content.replace(b"_", b"").lower() for content in contents)


def needs_snapshot(migration: Migration) -> bool:
    """Whether the SQL changes something that a snapshot would show."""
    return any(_TRACKED.match(s.sql) for s in migration.statements)


def _said(name: str, words: set[str]) -> bool:
    return all(word in words for word in re.findall(r"\w+", name.lower()))


def _tables(snapshot: Snapshot) -> Iterator[tuple[str, frozenset[str]]]:
    tables = snapshot.data.get("tables")
    if not isinstance(tables, Mapping):
        return
    for key, value in cast("Mapping[str, Any]", tables).items():
        if isinstance(value, Mapping):
            fields = cast("Mapping[str, Any]", value)
            columns = fields.get("columns")
            names = cast("Mapping[str, Any]", columns).keys() if isinstance(columns, Mapping) else ()
            yield str(fields.get("name") or key), frozenset(names)
