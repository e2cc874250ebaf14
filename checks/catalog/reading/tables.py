"""Reads tables, views, and all that belongs to them."""

from collections import defaultdict
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from checks.catalog import names
from checks.catalog.code import Policy, Rule, Trigger
from checks.catalog.reading.session import Row, Session, options
from checks.catalog.tables import Column, Constraint, Default, Index, Output, Statistics, Table, View
from checks.catalog.types import DomainCheck, Identity

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
       pg_get_userbyid(c.relowner), c.relacl::text[], c.relispopulated
FROM pg_class c
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

_PARENTS_OF_INDEXES = """
SELECT i.inhrelid, i.inhparent FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid WHERE c.relkind IN ('i', 'I')
"""

_CLASSES = """
SELECT relname, oid FROM pg_class
WHERE relnamespace = 'pg_catalog'::regnamespace AND relname IN ('pg_statistic_ext', 'pg_trigger', 'pg_policy')
"""

_COLUMNS = """
SELECT a.attrelid, a.attnum, a.attname, a.atttypid, a.atttypmod, a.attcollation, a.attnotnull, a.attgenerated,
       a.attidentity, a.attstorage, a.attcompression, a.attstattarget, a.attoptions, a.attfdwoptions,
       a.attacl::text[], a.attinhcount > 0 AND NOT a.attislocal
FROM pg_attribute a
WHERE a.attnum > 0 AND NOT a.attisdropped
  AND a.attrelid IN (SELECT oid FROM pg_class
                     WHERE relkind IN ('r', 'p', 'f', 'v', 'm') AND relnamespace = ANY (%(schemas)s::oid[]))
ORDER BY a.attrelid, a.attnum
"""

# Few types have many columns: their names are spelt once.
_COLUMN_TYPES = """
SELECT a.atttypid, a.atttypmod, format_type(a.atttypid, a.atttypmod), t.typcollation, t.typstorage
FROM (SELECT DISTINCT atttypid, atttypmod FROM pg_attribute
      WHERE attrelid >= 16384 AND attnum > 0 AND NOT attisdropped) a
JOIN pg_type t ON t.oid = a.atttypid
"""

_UNUSUAL_NOT_NULLS = """
SELECT con.conrelid, con.conkey[1], CASE WHEN con.convalidated THEN 'no inherit' ELSE 'not valid' END
FROM pg_constraint con
WHERE con.contype = 'n' AND con.conrelid <> 0 AND (con.connoinherit OR NOT con.convalidated)
  AND con.connamespace = ANY (%(schemas)s::oid[])
"""

_DEFAULTS = """
SELECT d.oid, d.adrelid, d.adnum, pg_get_expr(d.adbin, d.adrelid)
FROM pg_attrdef d
JOIN pg_class c ON c.oid = d.adrelid
WHERE c.relnamespace = ANY (%(schemas)s::oid[])
"""

_CONSTRAINTS = """
SELECT con.oid, con.conrelid, con.conname, con.contype::text,
       CASE WHEN con.contype NOT IN ('p', 'u') OR con.condeferrable OR {period} THEN pg_get_constraintdef(con.oid) END, con.conkey, con.confrelid,
       con.confkey, con.coninhcount > 0 AND NOT con.conislocal, con.conindid, con.contypid
FROM pg_constraint con
WHERE con.contype IN ('p', 'u', 'c', 'f', 'x') AND con.connamespace = ANY (%(schemas)s::oid[])
  AND NOT (con.contype = 'f' AND con.conparentid <> 0
           AND con.conrelid = (SELECT up.conrelid FROM pg_constraint up WHERE up.oid = con.conparentid))
"""

_INDEXES = """
SELECT i.indexrelid, i.indrelid, c.relnamespace, c.relname, i.indkey::text, i.indisvalid, i.indisclustered, c.reloptions,
       coalesce(ts.spcname, ''), i.indexprs IS NOT NULL OR i.indpred IS NOT NULL, con.oid,
       i.indisunique, c.relkind::text, i.indclass::text, i.indcollation::text, i.indoption::text,
       c.relam = 403 AND i.indexprs IS NULL AND i.indpred IS NULL AND c.reloptions IS NULL AND i.indnatts = i.indnkeyatts
       AND {plain}, i.indnatts = i.indnkeyatts AND {plain}
FROM pg_index i
JOIN pg_class c ON c.oid = i.indexrelid
LEFT JOIN pg_constraint con ON con.conindid = i.indexrelid AND con.contype IN ('p', 'u', 'x') AND con.conrelid = i.indrelid
LEFT JOIN pg_tablespace ts ON ts.oid = c.reltablespace
WHERE c.relnamespace = ANY (%(schemas)s::oid[])
"""

_INDEX_DEFINITIONS = "SELECT oid, pg_get_indexdef(oid) FROM unnest(%(indexes)s::oid[]) AS oid"

_BTREE_DEFAULTS = "SELECT opcintype, oid FROM pg_opclass WHERE opcmethod = 403 AND opcdefault"

_CONSTRAINT_DEFINITION = "SELECT pg_get_constraintdef(%(oid)s::oid)"

_INDEX_STATISTICS = """
SELECT a.attrelid, a.attnum || '=' || a.attstattarget
FROM pg_index i
JOIN pg_attribute a ON a.attrelid = i.indexrelid
JOIN pg_class c ON c.oid = i.indexrelid
WHERE i.indexprs IS NOT NULL AND c.relnamespace = ANY (%(schemas)s::oid[]) AND coalesce(a.attstattarget, -1) >= 0
ORDER BY a.attrelid, a.attnum
"""

_STATISTICS = """
SELECT s.oid, s.stxnamespace, s.stxname, s.stxrelid, pg_get_statisticsobjdef(s.oid), coalesce(s.stxstattarget, -1)::int,
       pg_get_userbyid(s.stxowner), pg_get_statisticsobjdef_columns(s.oid),
       array_to_string(
           ARRAY(SELECT quote_ident(a.attname) FROM pg_attribute a
                 WHERE a.attrelid = s.stxrelid AND a.attnum = ANY (s.stxkeys) ORDER BY 1)
           || pg_get_statisticsobjdef_expressions(s.oid), ', ')
FROM pg_statistic_ext s
WHERE s.stxnamespace = ANY (%(schemas)s::oid[])
"""

_TRIGGERS = """
SELECT t.oid, t.tgrelid, t.tgname, pg_get_triggerdef(t.oid), t.tgenabled::text
FROM pg_trigger t
WHERE NOT t.tgisinternal AND t.tgparentid = 0
"""

_RULES = """
SELECT r.oid, r.ev_class, r.rulename, CASE WHEN r.rulename = '_RETURN' THEN '' ELSE pg_get_ruledef(r.oid) END, r.ev_enabled::text
FROM pg_rewrite r
WHERE r.ev_class >= 16384
"""

_POLICIES = """
SELECT p.oid, p.polrelid, p.polname, p.polpermissive, p.polcmd::text,
       ARRAY(SELECT CASE WHEN r = 0 THEN 'public' ELSE pg_get_userbyid(r)::text END FROM unnest(p.polroles) r),
       coalesce(pg_get_expr(p.polqual, p.polrelid), ''), coalesce(pg_get_expr(p.polwithcheck, p.polrelid), '')
FROM pg_policy p
"""


def relations(session: Session) -> list[Row]:
    """The tables and views there are; their rows, for those who come later."""
    rows = [row for row in session.ask(_TABLES) if (session.pg_class, row[0]) not in session.members]
    for oid, _, namespace, name, *_ in rows:
        session.relations[oid] = (session.schemas[namespace], name)
    return rows


def columns(session: Session) -> list[Row]:
    """The columns there are; their rows, for those who come later."""
    for typid, modifier, *described in session.ask(_COLUMN_TYPES):
        session.types[typid, modifier] = tuple(described)
    rows = session.ask(_COLUMNS)
    session.columns = {(row[0], row[1]): row[2] for row in rows}
    return rows


def tables(  # noqa: C901, PLR0912 - columns, defaults and tables name each other
    session: Session, relation_rows: list[Row], column_rows: list[Row], identities: dict[tuple[int, int], Identity]
) -> None:
    """Tables with their columns and defaults, and views."""
    parents: dict[int, list[tuple[str, str]]] = defaultdict(list)
    for child, parent in session.ask(_PARENTS):
        if parent in session.relations:
            parents[child].append(session.relations[parent])
    definitions: dict[int, str] = {oid: text.rstrip().removesuffix(";") for oid, text in session.ask(_VIEW_DEFINITIONS)}
    outputs: dict[int, list[Output]] = defaultdict(list)
    views = {row[0] for row in relation_rows if row[4] in "vm"}
    owners = {row[0]: row[18] for row in relation_rows}
    expressions = {(relid, number): (oid, text) for oid, relid, number, text in session.ask(_DEFAULTS)}
    not_nulls = {(relid, number): how for relid, number, how in session.ask(_UNUSUAL_NOT_NULLS)}
    make = _ColumnMaker(session, identities, expressions, not_nulls)
    objects = session.objects
    for row in column_rows:
        relid = row[0]
        if relid in views:
            outputs[relid].append(_output(session, row, owners[relid]))
        elif relid in owners:
            where = session.relations[relid]
            objects["column", *where, row[2]] = make.column(row, where, owners[relid])
    for (relid, number), (oid, text) in expressions.items():
        name = session.columns.get((relid, number))
        if name is None or relid not in owners:
            continue
        where = session.relations[relid]
        column = session.objects.get(("column", *where, name))
        if isinstance(column, Column) and column.generated:
            session.keys[session.pg_attrdef, oid] = column.key
        else:
            session.add(Default(*where, name, text, relid in views), (session.pg_attrdef, oid))
    for row in relation_rows:
        (oid, rowtype, _, _, relkind, unlogged, partition_key, bound, reloptions, toast, method, tablespace, replica, of_type,
         rls, force_rls, server, server_options, role, items, populated) = row  # fmt: skip
        where = session.relations[oid]
        common = (session.owner(role), session.acl(items, "r", role), session.comment(session.pg_class, oid))
        settings = options([*(reloptions or ()), *("toast." + each for each in toast or ())])
        identity = ((session.pg_class, oid), (session.pg_type, rowtype))
        if relkind in "vm":
            heap = method if method != "heap" else ""
            view = View(
                *where,
                relkind == "m",
                definitions[oid],
                tuple(outputs[oid]),
                settings,
                heap,
                tablespace,
                populated,
                *common,
            )
            session.add(view, *identity)
        else:
            table = Table(
                *where, relkind, unlogged, partition_key, tuple(parents[oid]), bound, settings,
                method if method != "heap" else "", tablespace, replica, of_type, rls, force_rls,
                server, tuple(server_options or ()), *common,
            )  # fmt: skip
            session.add(table, *identity)
            for parent in table.parents:
                session.need(table.key, ("table", *parent))


def _output(session: Session, row: Row, owner: str) -> Output:
    relid, number, name, typid, modifier, collation = row[:6]
    kind, usual, _ = session.types[typid, modifier]
    return Output(
        name,
        kind,
        "" if collation == usual else session.collations[collation],
        session.acl(row[14], "c", owner),
        session.comment(session.pg_class, relid, number),
    )


class _ColumnMaker:
    """Makes columns, ten thousand at a time."""

    def __init__(
        self,
        session: Session,
        identities: dict[tuple[int, int], Identity],
        expressions: dict[tuple[int, int], tuple[int, str]],
        not_nulls: dict[tuple[int, int], str],
    ) -> None:
        self._session = session
        self._identities, self._expressions, self._not_nulls = identities, expressions, not_nulls

    def column(self, row: Row, where: tuple[str, str], owner: str) -> Column:
        """The column of a row."""
        (relid, number, name, typid, modifier, collation, not_null, generated, identity, storage, compression, target,
         given, fdw, items, inherited) = row  # fmt: skip
        session = self._session
        kind, usual_collation, usual_storage = session.types[typid, modifier]
        return Column(
            where[0],
            where[1],
            name,
            kind,
            "" if collation == usual_collation else session.collations[collation],
            self._not_nulls.get((relid, number), "yes") if not_null else "",
            generated,
            self._expressions[relid, number][1] if generated else "",
            self._identity(relid, number, identity) if identity else None,
            "" if storage == usual_storage else storage,
            "" if compression == "\0" else compression,
            -1 if target is None else target,
            options(given) if given else (),
            tuple(fdw) if fdw else (),
            inherited,
            session.acl(items, "c", owner) if items else None,
            session.comments.get((session.pg_class, relid, number), ""),
            number,
        )

    def _identity(self, relid: int, number: int, how: str) -> Identity | None:
        sequence = self._identities.get((relid, number))
        if sequence is not None and how == "a":
            return Identity(True, sequence.schema, sequence.name, sequence.counting)
        return sequence


def constraints(session: Session, column_rows: list[Row]) -> None:  # noqa: C901, PLR0912 - indexes and constraints name each other
    """Constraints of tables and of domains, and indexes."""
    parents = dict(session.ask(_PARENTS_OF_INDEXES))
    statistics: dict[int, list[str]] = defaultdict(list)
    for oid, text in session.ask(_INDEX_STATISTICS):
        statistics[oid].append(text)
    rows = session.ask(_indexes(session))
    definitions = _definitions(session, rows, column_rows)
    places = {row[0]: (session.schemas[row[2]], row[3]) for row in rows}
    of_constraint: dict[int, Row] = {}
    for row in rows:
        oid, relid, _, _, numbers, valid, clustered, _, _, expressive, constraint, *_ = row
        if relid not in session.relations:
            continue
        if constraint is not None:
            of_constraint[constraint] = row
            continue
        parent = places.get(parents.get(oid, 0))
        index = Index(
            *places[oid], session.relations[relid][1], definitions[oid], _named(session, relid, _numbers(numbers)), parent,
            valid, clustered, tuple(statistics[oid]), session.comment(session.pg_class, oid),
        )  # fmt: skip
        session.add(index, (session.pg_class, oid))
        session.need(index.key, ("table", *session.relations[relid]))
        if expressive:
            session.expression_indexes.append(oid)
    for row in session.ask(_constraints(session)):
        oid, relid, name, contype, definition, numbers, target, target_numbers, inherited, _, domain = row
        if domain:
            key = session.keys.get((session.pg_type, domain))
            if key is not None:
                check = DomainCheck(key[1], key[2], name, definition, session.comment(session.pg_constraint, oid))
                session.add(check, (session.pg_constraint, oid))
            continue
        if relid not in session.relations:
            continue
        index = of_constraint.get(oid)
        details: dict[str, Any] = {}
        if index is not None:
            settings = list(index[7] or ())
            details = {
                "index_options": options([*settings, f"tablespace={index[8]}"] if index[8] else settings),
                "index_parent": places.get(parents.get(index[0], 0)),
                "clustered": index[6],
                "index_comment": session.comment(session.pg_class, index[0]),
            }
        columns = _named(session, relid, numbers or ())
        if definition is None and index is not None and index[-1]:
            definition = f"{'PRIMARY KEY' if contype == 'p' else 'UNIQUE'} ({names.listed(columns)})"
        elif definition is None:
            definition = session.ask(_CONSTRAINT_DEFINITION, oid=oid)[0][0]
        constraint = Constraint(
            *session.relations[relid], name, contype, definition, tuple(sorted(columns)) if contype == "c" else columns,
            session.relations.get(target), _named(session, target, target_numbers or ()), inherited,
            comment=session.comment(session.pg_constraint, oid), **details,
        )  # fmt: skip
        session.add(constraint, (session.pg_constraint, oid))
        if index is not None:
            session.keys[session.pg_class, index[0]] = constraint.key


def _definitions(session: Session, rows: list[Row], column_rows: list[Row]) -> dict[int, str]:
    """CREATE INDEX of every index that no constraint owns; PostgreSQL spells only those that are not plain."""
    usual = dict(session.ask(_BTREE_DEFAULTS))
    types = {(row[0], row[1]): (row[3], row[5]) for row in column_rows}
    found: dict[int, str] = {}
    hard: list[int] = []
    for row in rows:
        oid, relid, _, name, numbers, *_, constraint, unique, relkind, classes, collations, orders, plain, _ = row
        if constraint is not None or relid not in session.relations:
            continue
        columns: list[str] = []
        numbers = _numbers(numbers)
        keys = zip(numbers, _numbers(classes), _numbers(collations), _numbers(orders), strict=False) if plain else ()
        for number, opclass, collation, order in keys:
            typid, usual_collation = types.get((relid, number), (0, 0))
            if usual.get(typid) != opclass or collation != usual_collation or order not in _ORDERS:
                break
            columns.append(names.quoted(session.columns[relid, number]) + _ORDERS[order])
        if len(columns) < len(numbers) or not columns:
            hard.append(oid)
            continue
        found[oid] = (
            f"CREATE {'UNIQUE ' if unique else ''}INDEX {names.quoted(name)} ON {'ONLY ' if relkind == 'I' else ''}"
            f"{names.qualified(*session.relations[relid])} USING btree ({', '.join(columns)})"
        )
    found.update(session.ask(_INDEX_DEFINITIONS, indexes=hard) if hard else ())
    return found


@lru_cache(4096)
def _numbers(text: str) -> tuple[int, ...]:
    return tuple(map(int, text.split()))


_ORDERS = {0: "", 1: " DESC NULLS LAST", 2: " NULLS FIRST", 3: " DESC"}


def _named(session: Session, relid: int, numbers: Sequence[int]) -> tuple[str, ...]:
    columns = session.columns
    return tuple([columns[relid, number] for number in numbers if (relid, number) in columns])


def followers(session: Session) -> None:
    """Statistics, triggers, rules and policies."""
    pg: dict[str, int] = dict(session.ask(_CLASSES))
    for oid, namespace, name, relid, said, target, role, columns, ordered in (
        session.ask(_STATISTICS) if session.has("pg_statistic_ext") else ()
    ):
        if relid in session.relations:
            head, on, tail = said.rpartition(f" ON {columns} FROM ")  # in the order of the table's columns
            definition = f"{head} ON {ordered} FROM {tail}" if on else said
            comment = session.comment(pg["pg_statistic_ext"], oid)
            place = (session.schemas[namespace], name, *session.relations[relid])
            found = Statistics(*place, definition, target, session.owner(role), comment)
            session.add(found, (pg["pg_statistic_ext"], oid))
    for oid, relid, name, definition, enabled in session.ask(_TRIGGERS):
        if relid in session.relations:
            trigger = Trigger(
                *session.relations[relid], name, definition, enabled, session.comment(pg["pg_trigger"], oid)
            )
            session.add(trigger, (pg["pg_trigger"], oid))
    for oid, relid, name, definition, enabled in session.ask(_RULES):
        if relid not in session.relations:
            continue
        if name == "_RETURN":
            session.keys[session.pg_rewrite, oid] = session.keys[session.pg_class, relid]
            continue
        rule = Rule(*session.relations[relid], name, definition.rstrip().removesuffix(";"), enabled,
                    session.comment(session.pg_rewrite, oid))  # fmt: skip
        session.add(rule, (session.pg_rewrite, oid))
    for oid, relid, name, permissive, command, roles, using, check in (
        session.ask(_POLICIES) if session.has("pg_policy") else ()
    ):
        if relid in session.relations:
            policy = Policy(
                *session.relations[relid], name, permissive, command, tuple(sorted(roles)), using, check,
                session.comment(pg["pg_policy"], oid),
            )  # fmt: skip
            session.add(policy, (pg["pg_policy"], oid))


def _constraints(session: Session) -> str:
    return _CONSTRAINTS.replace("{period}", "con.conperiod" if session.version >= 180000 else "false")


def _indexes(session: Session) -> str:
    return _INDEXES.replace("{plain}", "NOT i.indnullsnotdistinct" if session.version >= 150000 else "true")
