"""Drizzle's tracking table: made, upgraded, read and written in Drizzle's own way, and the only place that knows its columns."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import sql

from checks.branch import Branch
from checks.drizzle.model import Chain, Migration, Project
from checks.errors import CouldNotJudge
from checks.witnesses.model import Failure
from checks.witnesses.wire import Wire

_SERIAL = "id SERIAL PRIMARY KEY, hash text NOT NULL, created_at bigint"
_V1 = ", name text, applied_at timestamp with time zone DEFAULT now()"
_COLUMNS = """
select a.attname::text from pg_catalog.pg_attribute a
join pg_catalog.pg_class c on c.oid = a.attrelid join pg_catalog.pg_namespace n on n.oid = c.relnamespace
where a.attnum > 0 and not a.attisdropped and n.nspname = %s and c.relname = %s
"""


class RefusedError(Exception):
    """The migrator gives up before it runs anything."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.message)
        self.failure = failure


@dataclass(frozen=True, slots=True)
class Row:
    """A row of the tracking table; `name` is None in v0."""

    id: int
    hash: str
    created_at: int | None
    name: str | None = None


def ensure(wire: Wire, chain: Chain) -> None:
    """Make the table where it is missing, and give v0's table the columns of v1 where v1 runs.

    Raises:
        RefusedError: PostgreSQL, or Drizzle's upgrade of an old table, said no.
    """
    schema, table = _names(chain.project)
    _own(wire, sql.SQL("CREATE SCHEMA IF NOT EXISTS {}").format(schema))
    columns = {name for (name,) in _own(wire, sql.SQL(_COLUMNS), chain.project.table)}
    v1 = chain.project.format == "v1"
    if not columns or not v1:
        shape = sql.SQL(_SERIAL + _V1 if v1 else _SERIAL)
        _own(wire, sql.SQL("CREATE TABLE IF NOT EXISTS {}.{} ({})").format(schema, table, shape))
    elif "name" not in columns:
        _upgrade(wire, chain)


def pending(wire: Wire, chain: Chain) -> tuple[tuple[Migration, ...], tuple[str, ...]]:
    """The migrations that the migrator would run, and the tags that it passes over though they never ran.

    Raises:
        RefusedError: the table cannot be read.
    """
    rows = _rows(wire, chain.project)
    if chain.project.format == "v1":
        names = {row.name for row in rows}
        return tuple(m for m in chain.migrations if m.tag not in names), ()
    # `order by created_at desc limit 1` puts nulls first, and JavaScript's Number(null) is 0.
    watermark = (
        None if not rows else 0 if any(r.created_at is None for r in rows) else max(r.created_at or 0 for r in rows)
    )
    wanted = tuple(m for m in chain.migrations if watermark is None or watermark < m.when)
    runs, ran = set(wanted), set(recorded(rows, chain))
    return wanted, tuple(m.tag for m in chain.migrations if m not in runs and m.tag not in ran)


def recorded(rows: Sequence[Row], chain: Chain) -> tuple[str, ...]:
    """The tags that have a row: by name in v1; in v0 by hash and time, else by either (it may have been edited since)."""
    if chain.project.format == "v1":
        names = {row.name for row in rows}
        return tuple(m.tag for m in chain.migrations if m.tag in names)
    left = list(rows)
    found: set[str] = set()
    for same in (_same_both, _same_time, _same_hash):
        for migration in chain.migrations:
            row = next((row for row in left if same(row, migration)), None) if migration.tag not in found else None
            if row is not None:
                left.remove(row)
                found.add(migration.tag)
    return tuple(m.tag for m in chain.migrations if m.tag in found)


def record(wire: Wire, project: Project, migration: Migration) -> None:
    """Write the row of a migration.

    Raises:
        RefusedError: PostgreSQL said no.
    """
    schema, table = _names(project)
    if project.format == "v1":
        query = sql.SQL('insert into {}.{} ("hash", "created_at", "name") values(%s, %s, %s)').format(schema, table)
        _own(wire, query, (migration.hash, migration.when, migration.tag))
    else:
        query = sql.SQL('insert into {}.{} ("hash", "created_at") values(%s, %s)').format(schema, table)
        _own(wire, query, (migration.hash, migration.when))


def record_all(branch: Branch, chain: Chain) -> None:
    """Say of a whole chain that it ran, without running it (its last snapshot was applied instead).

    Raises:
        RefusedError: PostgreSQL said no.
    """
    wire = Wire(branch)
    try:
        ensure(wire, chain)
        for migration in chain.migrations:
            record(wire, chain.project, migration)
    finally:
        wire.close()


def read(branch: Branch, chain: Chain) -> tuple[str, ...]:
    """The tags that have a row now; () where there is no table or no database any more."""
    try:
        wire = Wire(branch)
    except (psycopg.Error, CouldNotJudge):
        return ()
    try:
        return recorded(_rows(wire, chain.project), chain)
    except RefusedError:
        return ()
    finally:
        wire.close()


def _names(project: Project) -> tuple[sql.Identifier, sql.Identifier]:
    return sql.Identifier(project.table[0]), sql.Identifier(project.table[1])


def _rows(wire: Wire, project: Project) -> list[Row]:
    schema, table = _names(project)
    v0, v1 = (
        "select id, hash, created_at from {}.{} order by id",
        "select id, hash, created_at, name from {}.{} order by id",
    )
    query = sql.SQL(v1 if project.format == "v1" else v0)
    return [Row(*row) for row in _own(wire, query.format(schema, table))]


def _upgrade(wire: Wire, chain: Chain) -> None:
    """Give each row of v0 the name of the folder that has its second, or its hash; v1 refuses a table with strangers."""
    schema, table = _names(chain.project)
    by_second: dict[int, list[Migration]] = {}
    for migration in chain.migrations:
        by_second.setdefault(migration.when, []).append(migration)
    by_hash = {migration.hash: migration for migration in chain.migrations}
    named: list[tuple[int, str]] = []
    strangers: list[int] = []
    rows = _own(wire, sql.SQL("select id, hash, created_at from {}.{} order by id").format(schema, table))
    for number, digest, created_at in rows:
        second = (created_at or 0) // 1000 * 1000
        candidates = by_second.get(second, [])
        if len(candidates) > 1:
            match = next((m for m in candidates if m.hash == digest), None)
        else:
            match = candidates[0] if candidates else by_hash.get(digest)
        if match is None:
            strangers.append(number)
        else:
            named.append((number, match.tag))
    if strangers:
        ids = ", ".join(map(str, strangers))
        raise RefusedError(
            Failure(
                "P0001",
                f"Drizzle cannot upgrade its migrations table: {len(strangers)} of its rows (ids: {ids}) match no local migration",
            )
        )
    _own(wire, sql.SQL("begin"))
    _own(wire, sql.SQL("alter table {}.{} add column if not exists name text").format(schema, table))
    stamp = "alter table {}.{} add column if not exists applied_at timestamp with time zone default now()"
    _own(wire, sql.SQL(stamp).format(schema, table))
    for number, tag in named:
        update = sql.SQL("update {}.{} set name = %s, applied_at = null where id = %s").format(schema, table)
        _own(wire, update, (tag, number))
    _own(wire, sql.SQL("commit"))


def _own(wire: Wire, query: sql.SQL | sql.Composed, parameters: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    try:
        rows = wire.ask(query.as_string(wire.connection), parameters)
    except psycopg.Error as error:
        words = error.diag.message_primary or str(error)
        raise RefusedError(Failure(error.sqlstate or "XX000", words)) from error
    if wire.gone is not None:
        raise RefusedError(wire.gone)
    return rows


def _same_both(row: Row, migration: Migration) -> bool:
    return row.hash == migration.hash and row.created_at == migration.when


def _same_time(row: Row, migration: Migration) -> bool:
    return row.created_at == migration.when


def _same_hash(row: Row, migration: Migration) -> bool:
    return row.hash == migration.hash
