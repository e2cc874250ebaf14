"""Reads a database's schema from pg_catalog: a few plain questions, as whatever role the connection has."""

import contextlib
import gc
from collections.abc import Collection, Generator
from typing import Any

import psycopg

from checks.catalog.model import Catalog, Key
from checks.catalog.reading import code, columns, followers, indexes, outside, tables, types
from checks.catalog.reading.session import Session
from checks.catalog.tables import Table
from checks.catalog.types import Sequence

_COMMENTS = """
SELECT classoid, objoid, objsubid, description FROM pg_description
WHERE objoid >= 16384 OR classoid = 'pg_namespace'::regclass
"""

_MEMBERS = "SELECT classid, objid, refobjid FROM pg_depend WHERE deptype = 'e'"

_FIRST = (_COMMENTS, _MEMBERS, types.SCHEMAS, columns.COLUMNS)

_NEAR = "/*near 0::oid*/"  # of other tables nothing

# A young catalog has no statistics, so that an index looks like a shortcut; no index knows the numbers as `int8`.
# What names do not tell: normal dependencies, the columns that generated columns and expression and partial indexes read.
_NEEDS = """
SELECT d.classid, d.objid, d.objsubid, d.refclassid, d.refobjid, d.refobjsubid, d.deptype = 'a' AND d.objsubid = 0
FROM pg_depend d
WHERE d.deptype IN ('n', 'a') /*near 0::oid*/ AND d.objid::int8 >= 16384 AND d.refobjid::int8 >= 16384
  AND d.refclassid <> 'pg_namespace'::regclass AND (d.deptype = 'n' OR d.deptype = 'a' AND d.classid = 'pg_class'::regclass AND (d.objsubid > 0 OR d.objid IN
           (SELECT i.indexrelid FROM pg_index i WHERE i.indexprs IS NOT NULL OR i.indpred IS NOT NULL)))
"""

# Until PostgreSQL 14 the expression of a generated column depends on others, later the column itself does.
_NEEDS_OF_EXPRESSIONS = """
SELECT d.classid, d.objid, d.objsubid, d.refclassid, d.refobjid, d.refobjsubid, false
FROM pg_depend d JOIN pg_attrdef f ON f.oid = d.objid JOIN pg_attribute a ON a.attrelid = f.adrelid AND a.attnum = f.adnum
WHERE d.classid = 'pg_attrdef'::regclass AND d.deptype = 'a' AND a.attgenerated <> '' AND d.refobjid >= 16384
  AND d.refclassid <> 'pg_namespace'::regclass
"""


def read(
    connection: psycopg.Connection[Any],
    *,
    ignore: Collection[str] = (),
    roles: bool = False,
    owner: str | None = None,
    near: Collection[tuple[str, str]] | None = None,
    needs: bool = False,
) -> Catalog:
    """Read the schema of the database that `connection` is in. Nothing of the session is changed.

    Args:
        connection: any role; what it may not see is named in `Catalog.unread`.
        ignore: schemas (`drizzle`) or tables (`drizzle.__drizzle_migrations`) to leave out.
        roles: compare the roles of the cluster too.
        owner: a role that counts as the database's own, besides the database's owner and the connection's role.
        near: only these tables, by schema and name, are to be told in full, with what their foreign keys point to among them.
        needs: with `near`: tell all that needs something else, too.
    """
    asked = _NEEDS.replace(_NEAR, "") if needs else _NEEDS
    with (
        uncollected(),
        connection.transaction(force_rollback=True),
        contextlib.closing(Session(connection, owner, *_FIRST, near=near)) as session,
    ):
        session.comments = {(catalog, oid, sub): text for catalog, oid, sub, text in session.ask(_COMMENTS)}
        session.members = {(catalog, oid): extension for catalog, oid, extension in session.ask(_MEMBERS)}
        types.schemas(session, frozenset(ignore))
        _read(session, asked, roles=roles)
    return _without(session.finish(), ignore)


@contextlib.contextmanager
def uncollected() -> Generator[None]:
    """Rows by the ten thousand live on: looking for garbage among them takes longer than making objects of them."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if (
            was and not gc.get_freeze_count()
        ):  # there and back they are old at once: nobody looks through them as young ones
            gc.freeze()
            gc.unfreeze()
        if was:
            gc.enable()


def _read(session: Session, needs: str, *, roles: bool) -> None:
    session.ahead(*tables.ALWAYS, *outside.ALWAYS, *types.ALWAYS, needs)
    every_column, kinds = columns.text(session)
    session.ahead(
        columns.question(session, kinds), *columns.ALWAYS, *indexes.always(session.version), *followers.ALWAYS
    )
    relation_rows = tables.relations(session)
    types.collations(session)
    columns.spell(session, kinds)
    outside.extensions(session)
    outside.roles(session, compared=roles)
    identities = types.sequences(session)
    types.types(session)
    tables.tables(session, relation_rows, every_column, identities)
    indexes.constraints(session, every_column)
    followers.followers(session)
    code.functions(session)
    code.others(session)
    outside.replication(session)
    outside.servers(session)
    outside.default_privileges(session)
    _needs(session, needs)


def _needs(session: Session, asked: str) -> None:
    """Turn oids of pg_depend into keys."""
    keys, pg_class, names = session.keys, session.pg_class, session.columns
    objects = session.objects
    rows = session.ask(asked)
    if session.version < 150000:
        rows += session.ask(_NEEDS_OF_EXPRESSIONS)
    for catalog, oid, sub, needed_catalog, needed_oid, needed_sub, of_index in rows:
        if of_index and oid not in session.expression_indexes:
            continue
        dependant, needed = keys.get((catalog, oid)), keys.get((needed_catalog, needed_oid))
        if dependant is None or needed is None:
            continue
        if sub and catalog == pg_class and dependant[0] == "table":
            dependant = ("column", *dependant[1:], names.get((oid, sub), ""))
        if needed_sub and needed_catalog == pg_class and needed[0] == "table":
            needed = ("column", *needed[1:], names.get((needed_oid, needed_sub), ""))
        if dependant in objects and needed in objects:
            session.need(dependant, needed)


def _without(catalog: Catalog, ignore: Collection[str]) -> Catalog:
    """Leave out single tables, with all that is theirs."""
    wanted = {tuple(name.split(".", 1)) for name in ignore if "." in name}
    if not wanted:
        return catalog
    tables = {each.key[1:] for each in catalog if isinstance(each, Table) and each.key[1:] in wanted}
    if not tables:
        return catalog

    def theirs(key: Key) -> bool:
        found = catalog.objects[key]
        if isinstance(found, Sequence):
            return found.owned_by is not None and found.owned_by[:2] in tables
        if key[0] == "index":
            return (key[1], getattr(found, "table", "")) in tables
        return key[1:3] in tables and key[0] in _OF_TABLES

    gone = {key for key in catalog.objects if theirs(key)}
    return Catalog(
        catalog.version,
        {key: each for key, each in catalog.objects.items() if key not in gone},
        {key: needed - gone for key, needed in catalog.needs.items() if key not in gone},
        catalog.roles,
        catalog.unread,
    )


_OF_TABLES = frozenset({"table", "column", "default", "constraint", "trigger", "rule", "policy"})
