"""The tracking table of a real database: what it says, what of that is true of the files, and rows written as Drizzle writes them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import psycopg
from psycopg import sql

from bot.database.target import Session, Target
from checks.drizzle.model import Chain, Migration, Project
from checks.errors import CouldNotJudge, UserError
from checks.witnesses.tracking import Row

LOG = ("drizzle", "__bulletproof_log")
STEPS = ("drizzle", "__bulletproof_steps")

_SHAPE = """
select c.relkind::text, a.attname::text, pg_catalog.format_type(a.atttypid, a.atttypmod)
from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
left join pg_catalog.pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
where n.nspname = %s and c.relname = %s
"""
_ELSEWHERE = """
select n.nspname::text, c.relname::text from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
where c.relkind = 'r' and pg_catalog.has_table_privilege(c.oid, 'select') and (
  select count(*) from pg_catalog.pg_attribute a where a.attrelid = c.oid and not a.attisdropped
  and (a.attname, a.atttypid) in (('hash', 'text'::regtype), ('created_at', 'int8'::regtype))) = 2
"""
_NUMBERS = {"bigint", "integer", "numeric"}
_TEXTS = {"text", "character varying"}


@dataclass(frozen=True, slots=True)
class Forced:
    """Somebody went on where the command would have refused: what was overridden, by whom, and why."""

    action: str
    detail: str
    reason: str
    who: str


@dataclass(frozen=True, slots=True)
class Table:
    """The tracking table as it is. `shape` is the generation that made it; rows are in the order of their ids."""

    shape: Literal["absent", "v0", "v1"]
    rows: tuple[Row, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Ledger:
    """What the rows say of the migrations in the files.

    Attributes:
        applied: the row of each migration that has one.
        pending: without a row, in the order of the chain.
        would_skip: of those, tags that Drizzle's own migrator would pass over in silence.
        edited: tags whose file is not the one that ran.
        moved: tags that were renumbered or renamed since they ran (same content, another time or name).
        doubled: rows that say again what another says.
        unknown: rows of no migration in the files.
    """

    applied: dict[str, Row] = field(default_factory=dict[str, Row])
    pending: tuple[Migration, ...] = ()
    would_skip: tuple[str, ...] = ()
    edited: tuple[str, ...] = ()
    moved: tuple[str, ...] = ()
    doubled: tuple[Row, ...] = ()
    unknown: tuple[Row, ...] = ()

    @property
    def tidy(self) -> bool:
        """The rows need no repair; an edited file is not a matter of rows."""
        return not (self.moved or self.doubled or self.unknown)


def read(session: Session, target: Target, project: Project) -> Table:
    """The tracking table.

    Raises:
        UserError: something else has its name, or the role may not read it.
    """
    schema, name = project.table
    found = session.execute(_SHAPE, (schema, name)).fetchall()
    if not found:
        return Table("absent")
    types = {column: kind for _, column, kind in found if column is not None}
    fits = types.get("hash", "").split("(")[0] in _TEXTS and types.get("created_at", "").split("(")[0] in _NUMBERS
    if found[0][0] not in {"r", "p"} or not fits or "id" not in types:
        raise UserError(
            f"{schema}.{name} in {target.name} is not a migrations table of Drizzle (id, hash, created_at). Name the right one as "
            "`drizzle: {table: SCHEMA.NAME}` in the policy file, or in drizzle.config. Nothing was written."
        )
    name_column = sql.SQL("name" if types.get("name") == "text" else "null::text")
    query = sql.SQL("select id::int8, hash::text, created_at::int8, {} from {}.{} order by id").format(
        name_column, sql.Identifier(schema), sql.Identifier(name)
    )
    try:
        rows = session.execute(query).fetchall()
    except psycopg.errors.InsufficientPrivilege:
        raise UserError(f"The role may not read {schema}.{name} in {target.name}. Grant it SELECT there.") from None
    return Table("v1" if "name" in types else "v0", tuple(Row(*row) for row in rows))


def elsewhere(session: Session, chain: Chain) -> tuple[str, int] | None:
    """Another table that holds rows of this chain: the configured name is wrong then. Its name, and how many rows."""
    hashes = [m.hash for m in chain.migrations]
    for schema, name in session.execute(_ELSEWHERE).fetchall():
        if (schema, name) == chain.project.table:
            continue
        query = sql.SQL("select count(*) from {}.{} where hash = any(%s)").format(
            sql.Identifier(schema), sql.Identifier(name)
        )
        row = session.execute(query, (hashes,)).fetchone()
        if row is not None and row[0]:
            return f"{schema}.{name}", int(row[0])
    return None


def compare(table: Table, chain: Chain) -> Ledger:
    """What the rows say of the chain: by name (v1), hash and time, then hash, then time."""
    left = list(table.rows)
    applied: dict[str, Row] = {}
    named = chain.project.format == "v1" and table.shape == "v1"
    known = {m.tag for m in chain.migrations}
    ways: list[Callable[[Row, Migration], bool]] = [
        lambda r, m: r.hash == m.hash and r.created_at == m.when,
        lambda r, m: r.hash == m.hash,
        lambda r, m: _same_time(r, m, chain),
    ]
    if named:  # the name is the identity; a row of a name that is in the files is of no other migration
        by_name: Callable[[Row, Migration], bool] = lambda r, m: r.name == m.tag  # noqa: E731 - one of several ways
        ways = [by_name, *(lambda r, m, way=way: r.name not in known and way(r, m) for way in ways[:2])]
    for way in ways:
        for migration in chain.migrations:
            row = None if migration.tag in applied else next((r for r in left if way(r, migration)), None)
            if row is not None:
                left.remove(row)
                applied[migration.tag] = row
    pending = tuple(m for m in chain.migrations if m.tag not in applied)
    moved: list[str] = []
    edited: list[str] = []
    for migration in chain.migrations:
        row = applied.get(migration.tag)
        if row is None:
            continue
        if row.hash != migration.hash:
            edited.append(migration.tag)
        elif (row.name != migration.tag) if named else not _same_time(row, migration, chain):
            moved.append(migration.tag)
    said = {(row.hash, row.name) for row in applied.values()} | {(row.created_at, row.name) for row in applied.values()}
    doubled = [row for row in left if (row.hash, row.name) in said or (row.created_at, row.name) in said]
    return Ledger(
        applied=applied,
        pending=pending,
        would_skip=() if named else _skipped(table.rows, pending),
        edited=tuple(edited),
        moved=tuple(moved),
        doubled=tuple(doubled),
        unknown=tuple(row for row in left if row not in doubled),
    )


def _same_time(row: Row, migration: Migration, chain: Chain) -> bool:
    """v1 reads a table of v0 by the second."""
    if row.created_at is None:
        return False
    return row.created_at == migration.when or (
        chain.project.format == "v1" and row.created_at // 1000 == migration.when // 1000
    )


def _skipped(rows: Sequence[Row], pending: Sequence[Migration]) -> tuple[str, ...]:
    """v0 remembers one time only, and runs what is younger."""
    if not rows:
        return ()
    watermark = 0 if any(r.created_at is None for r in rows) else max(r.created_at or 0 for r in rows)
    return tuple(m.tag for m in pending if m.when <= watermark)


# --- writing ----------------------------------------------------------------------------------------------------------


def ensure(session: Session, target: Target, chain: Chain, table: Table) -> None:
    """Make what is missing: the schema, the table, and v1's columns in a table of v0.

    Raises:
        UserError: the role may not.
    """
    schema, name = chain.project.table
    v1 = chain.project.format == "v1"
    if table.shape != "absent" and (table.shape == "v1" or not v1):
        return
    place = sql.SQL("{}.{}").format(sql.Identifier(schema), sql.Identifier(name))
    try:
        with session.transaction():
            if table.shape == "absent":
                _schema(session, schema)
                more = ", name text, applied_at timestamp with time zone DEFAULT now()" if v1 else ""
                shape = sql.SQL("id SERIAL PRIMARY KEY, hash text NOT NULL, created_at bigint" + more)
                session.execute(sql.SQL("CREATE TABLE IF NOT EXISTS {} ({})").format(place, shape))
            else:  # as drizzle-orm 1.0 does it (up-migrations/pg.js); the rows get their names afterwards
                session.execute(sql.SQL("ALTER TABLE {} ADD COLUMN IF NOT EXISTS name text").format(place))
                stamp = "ALTER TABLE {} ADD COLUMN IF NOT EXISTS applied_at timestamp with time zone DEFAULT now()"
                session.execute(sql.SQL(stamp).format(place))
                _name_rows(session, place, compare(table, chain), chain)
    except psycopg.errors.InsufficientPrivilege as error:
        raise UserError(_refused(target, f"{schema}.{name}", error)) from None


def _schema(session: Session, schema: str) -> None:
    """CREATE SCHEMA IF NOT EXISTS asks for a right that is not needed where the schema is there."""
    row = session.execute("select 1 from pg_catalog.pg_namespace where nspname = %s", (schema,)).fetchone()
    if row is None:
        session.execute(sql.SQL("CREATE SCHEMA IF NOT EXISTS {}").format(sql.Identifier(schema)))


def _refused(target: Target, table: str, error: psycopg.Error) -> str:
    return (
        f"The role may not make {table} in {target.name}: {target.words(error)}. Grant it CREATE there, or make the table "
        "as its owner once. Nothing was written."
    )


def _name_rows(session: Session, place: sql.Composed, ledger: Ledger, chain: Chain) -> None:
    for migration in chain.migrations:
        row = ledger.applied.get(migration.tag)
        if row is not None:
            query = sql.SQL("update {} set name = %s, applied_at = null where id = %s").format(place)
            session.execute(query, (migration.tag, row.id))


def insert(project: Project, migrations: Sequence[Migration]) -> tuple[sql.Composed, tuple[Any, ...]]:
    """The query that records migrations, and its parameters: the rows are drizzle-orm's own."""
    place = (sql.Identifier(project.table[0]), sql.Identifier(project.table[1]))
    if project.format == "v1":
        rows = sql.SQL(", ").join([sql.SQL("(%s, %s, %s)")] * len(migrations))
        query = sql.SQL('insert into {}.{} ("hash", "created_at", "name") values {}').format(*place, rows)
        return query, tuple(value for m in migrations for value in (m.hash, m.when, m.tag))
    rows = sql.SQL(", ").join([sql.SQL("(%s, %s)")] * len(migrations))
    query = sql.SQL('insert into {}.{} ("hash", "created_at") values {}').format(*place, rows)
    return query, tuple(value for m in migrations for value in (m.hash, m.when))


def log(session: Session, target: Target, said: Forced) -> None:
    """Keep who overrode what, and why, in a table beside Drizzle's.

    Raises:
        CouldNotJudge: it cannot be kept, so it may not be done.
    """
    place = sql.SQL("{}.{}").format(*map(sql.Identifier, LOG))
    try:
        with session.transaction():
            _schema(session, LOG[0])
            session.execute(
                sql.SQL(
                    "create table if not exists {} (id bigserial primary key, at timestamptz not null default now(), "
                    "who text not null, role text not null default current_user, action text not null, detail text not null, reason text not null)"
                ).format(place)
            )
            query = sql.SQL("insert into {} (who, action, detail, reason) values (%s, %s, %s, %s)").format(place)
            session.execute(query, (said.who, said.action, target.redacted(said.detail), said.reason))
    except psycopg.Error as error:
        raise CouldNotJudge(
            f"What is forced must be recorded, and {'.'.join(LOG)} cannot be written: {target.words(error)}."
        ) from None
