"""`db reset-dev`: empties a development database and runs all migrations; what looks like production is not touched lightly."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field

import psycopg
from psycopg import sql

from bot.branches import platforms
from bot.database import migrate, target
from bot.database import source as sources
from bot.database.source import Source
from bot.database.target import Session, Target
from bot.progress import Say
from checks.errors import CouldNotJudge, UserError

LARGE = 1 << 30
BUSY = 3
_NAMES = re.compile(r"(?:^|[^a-z])(?:prod|production|live|main|master|primary)(?:$|[^a-z])", re.IGNORECASE)
_OTHERS = """
select count(*) from pg_catalog.pg_stat_activity
where datname = pg_catalog.current_database() and pid <> pg_catalog.pg_backend_pid() and backend_type = 'client backend'
"""
_SCHEMAS = """
select nspname::text from pg_catalog.pg_namespace n
where nspname !~ '^pg_' and nspname <> 'information_schema' and nspname <> all (%s)
and not exists (select from pg_catalog.pg_depend d where d.classid = 'pg_namespace'::regclass and d.objid = n.oid and d.deptype = 'e')
order by nspname
"""
_EXTENSION = re.compile(r'\bcreate\s+extension\s+(?:if\s+not\s+exists\s+)?"?([\w-]+)"?', re.IGNORECASE)
_EXTENSIONS = """
select extname::text, nspname::text from pg_catalog.pg_extension e join pg_catalog.pg_namespace n on n.oid = e.extnamespace
where extname <> 'plpgsql' and nspname !~ '^pg_' order by e.oid
"""


@dataclass(slots=True)
class Emptied:
    """What was there, and what became of it. `code` is that of the migration run after it."""

    signs: tuple[str, ...]
    schemas: tuple[str, ...] = ()
    migrated: migrate.Migrated = field(default_factory=migrate.Migrated)


def run(at: Target, source: Source, agree: Callable[[str, tuple[str, ...]], None], say: Say) -> Emptied:
    """Empty the database and run everything.

    Args:
        at: the database.
        source: the files.
        agree: is given the database's name and the signs that it is no development database; raises where nobody agrees.
        say: is told what is being done.

    Raises:
        UserError, CouldNotJudge: nothing was done.
    """
    sources.sound(source)
    with at.connect() as session:
        target.check_writable(session, at)
        name, signs = look(session, at)
        agree(name, signs)
        say("emptying the database")
        try:
            emptied = Emptied(signs, _empty(session, _made(source)))
        except psycopg.errors.InsufficientPrivilege as error:
            raise UserError(
                f"The role may not empty the database {name}: {at.words(error)}. Nothing was changed."
            ) from None
        except psycopg.Error as error:
            raise CouldNotJudge(
                f"The database {name} could not be emptied: {at.words(error)}. Nothing was changed."
            ) from None
    emptied.migrated = migrate.run(at, source, migrate.Options(check=False), say)
    return emptied


def look(session: Session, at: Target) -> tuple[str, tuple[str, ...]]:
    """The database's name, and the signs that it is production."""
    row = session.execute(
        "select pg_catalog.current_database()::text, pg_catalog.pg_database_size(pg_catalog.current_database())"
    ).fetchone()
    name, size = (row[0], int(row[1])) if row is not None else ("", 0)
    count = session.execute(_OTHERS).fetchone()
    others = int(count[0]) if count is not None else 0
    signs: list[str] = []
    if _NAMES.search(name):
        signs.append(f"its name is {name}")
    if not at.local:
        signs.append(f"it is not on this machine ({at.host})")
    if size > LARGE:
        signs.append(f"it holds {size / (1 << 30):.1f} GB")
    if others > BUSY:
        signs.append(f"{others} other sessions are using it")
    return name, tuple(signs)


def confirm(
    *, yes: bool, typed: str | None, ask: Callable[[str], str] | None
) -> Callable[[str, tuple[str, ...]], None]:
    """How agreement is had: `--yes`, the typed name, or a question in a terminal.

    Args:
        yes: `--yes` was given.
        typed: the name that was given with `--name`.
        ask: asks in a terminal; None where there is none.
    """

    def agree(name: str, signs: tuple[str, ...]) -> None:
        if typed is not None and typed != name:
            raise UserError(f"The database's name is not {typed}; nothing was changed.")
        if signs and (not yes or typed is None):
            why = f"This may be production: {'; '.join(signs)}."
            if ask is None or not yes:
                raise UserError(f"{why} If it is not, say so with --yes --name {name}. Nothing was changed.")
            if ask(f"{why} Type the name of the database to empty it: ") != name:
                raise UserError("That is not its name; nothing was changed.")
        elif not yes:
            if ask is None:
                raise UserError(
                    f"All of the database {name} would be lost. Say --yes if that is meant. Nothing was changed."
                )
            if ask(f"All of the database {name} will be lost. Go on? [y/N] ").strip().lower() not in {"y", "yes"}:
                raise UserError("Nothing was changed.")

    return agree


def _empty(session: Session, made: frozenset[str]) -> tuple[str, ...]:
    """Drop every schema that is not a platform's, all or none, and give back `public` and the extensions."""
    with session.transaction():
        schemas = [name for (name,) in session.execute(_SCHEMAS, (sorted(platforms.SCHEMAS),)).fetchall()]
        extensions = session.execute(_EXTENSIONS).fetchall()
        public = session.execute("select nspacl::text from pg_catalog.pg_namespace where nspname = 'public'").fetchone()
        for name in schemas:
            session.execute(sql.SQL("drop schema {} cascade").format(sql.Identifier(name)))
        session.execute("create schema public")
        if public is not None:
            _grants(session, public[0])
        for name, schema in extensions:
            if schema in schemas and name not in made:
                session.execute(sql.SQL("create schema if not exists {}").format(sql.Identifier(schema)))
                query = sql.SQL("create extension if not exists {} schema {} cascade")
                session.execute(query.format(sql.Identifier(name), sql.Identifier(schema)))
    return tuple(schemas)


def _made(source: Source) -> frozenset[str]:
    """Extensions that the migrations create."""
    return frozenset(name.lower() for m in source.chain.migrations for name in _EXTENSION.findall(m.text))


def _grants(session: Session, acl: str | None) -> None:
    """What others could do in `public` before."""
    if acl is None:
        return
    query = "select grantee::regrole::text, grantee = 0, privilege_type from pg_catalog.aclexplode(%s::aclitem[])"
    for role, everyone, privilege in session.execute(query, (acl,)).fetchall():
        who = b"public" if everyone else role.encode()  # regrole quotes it
        right = {"USAGE": b"usage", "CREATE": b"create"}.get(privilege)
        if right is not None:
            session.execute(b"grant " + right + b" on schema public to " + who)
