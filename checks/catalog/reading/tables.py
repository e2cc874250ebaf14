"""Reads tables and views."""

from collections import defaultdict

from checks import quick
from checks.catalog.reading import columns as reading_columns
from checks.catalog.reading.columns import Columns, Place
from checks.catalog.reading.session import Row, Session, options
from checks.catalog.tables import Table, View
from checks.catalog.types import Identity

_TABLES = """
SELECT c.oid, c.reltype, c.relnamespace, c.relname, c.relkind::text, c.relpersistence = 'u',
       CASE WHEN c.relkind = 'p' THEN pg_get_partkeydef(c.oid) ELSE '' END,
       CASE WHEN c.relispartition THEN pg_get_expr(c.relpartbound, c.oid) ELSE '' END,
       c.reloptions, t.reloptions, coalesce(am.amname, ''), coalesce(ts.spcname, ''),
       CASE c.relreplident WHEN 'i' THEN coalesce((SELECT ci.relname FROM pg_index i JOIN pg_class ci ON ci.oid = i.indexrelid
                                           WHERE i.indrelid = c.oid AND i.indisreplident), 'n')
                           ELSE c.relreplident::text END,
       CASE WHEN c.reloftype <> 0 THEN format_type(c.reloftype, NULL) ELSE '' END,
       c.relrowsecurity, c.relforcerowsecurity, coalesce(s.srvname, ''), ft.ftoptions,
       pg_get_userbyid(c.relowner), c.relacl::text[], c.relispopulated, rt.typarray
FROM pg_class c
LEFT JOIN pg_type rt ON rt.oid = c.reltype
LEFT JOIN pg_class t ON t.oid = c.reltoastrelid AND t.reloptions IS NOT NULL
LEFT JOIN pg_am am ON am.oid = c.relam
LEFT JOIN pg_tablespace ts ON ts.oid = c.reltablespace
LEFT JOIN pg_foreign_table ft ON ft.ftrelid = c.oid
LEFT JOIN pg_foreign_server s ON s.oid = ft.ftserver
WHERE c.relkind IN ('r', 'p', 'f', 'v', 'm') AND c.relnamespace = ANY (%(schemas)s::oid[])
"""

_VIEW_DEFINITIONS = """
SELECT c.oid, pg_get_viewdef(c.oid)
FROM pg_class c
WHERE c.relkind IN ('v', 'm') AND c.relnamespace = ANY (%(schemas)s::oid[])
"""

_PARENTS = "SELECT inhrelid, inhparent FROM pg_inherits ORDER BY inhrelid, inhseqno"

ALWAYS = (_TABLES, _PARENTS, _VIEW_DEFINITIONS)
"""What every catalog is asked."""

_table = quick.made(Table)


def relations(session: Session) -> list[Row]:
    """The tables and views there are; their rows, for those who come later."""
    rows = session.ask(_TABLES)
    session.columns.only({row[0] for row in rows})
    rows = [row for row in rows if (session.pg_class, row[0]) not in session.members]
    for oid, _, namespace, name, *_ in rows:
        session.relations[oid] = (session.schemas[namespace], name)
    return rows


def tables(session: Session, rows: list[Row], columns: Columns, identities: dict[Place, Identity]) -> None:
    """Tables with their columns and defaults, and views."""
    views = {row[0] for row in rows if row[4] in "vm"}
    reading_columns.make(session, columns, {row[0]: row[18] for row in rows}, views, identities)
    parents: dict[int, list[tuple[str, str]]] = defaultdict(list)
    for child, parent in session.ask(_PARENTS):
        if parent in session.relations:
            parents[child].append(session.relations[parent])
    definitions: dict[int, str] = {oid: text.rstrip().removesuffix(";") for oid, text in session.ask(_VIEW_DEFINITIONS)}
    for row in rows:
        (oid, rowtype, _, _, relkind, unlogged, partition_key, bound, reloptions, toast, method, tablespace, replica, of_type,
         rls, force_rls, server, server_options, role, items, populated, array) = row  # fmt: skip
        where = session.relations[oid]
        common = (session.owner(role), session.acl(items, "r", role), session.comment(session.pg_class, oid))
        settings = options([*(reloptions or ()), *("toast." + each for each in toast or ())])
        identity = ((session.pg_class, oid), (session.pg_type, rowtype), (session.pg_type, array))
        heap = method if method != "heap" else ""
        if oid in views:
            given = reading_columns.outputs(session, columns, oid, role)
            view = View(
                *where, relkind == "m", definitions[oid], given, settings, heap, tablespace, populated, *common,
            )  # fmt: skip
            session.add(view, *identity)
        else:
            table = _table(
                *where, relkind, unlogged, partition_key, tuple(parents[oid]), bound, settings,
                heap, tablespace, replica, of_type, rls, force_rls, server, tuple(server_options or ()), *common,
            )  # fmt: skip
            session.add(table, *identity)
            for parent in table.parents:
                session.need(table.key, ("table", *parent))
