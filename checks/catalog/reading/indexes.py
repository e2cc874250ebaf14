"""Reads constraints of tables and domains, and indexes."""

from collections import defaultdict
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from checks import quick
from checks.catalog import names
from checks.catalog.reading.columns import Columns
from checks.catalog.reading.session import Row, Session, options
from checks.catalog.tables import Constraint, Index
from checks.catalog.types import DomainCheck

_PARENTS_OF_INDEXES = """
SELECT i.inhrelid, i.inhparent FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid WHERE c.relkind IN ('i', 'I')
"""

_CONSTRAINTS = """
SELECT con.oid, con.conrelid, con.conname, con.contype::text,
       CASE WHEN con.contype NOT IN ('p', 'u', 'f') OR con.condeferrable OR NOT con.convalidated OR {period}
                 OR con.contype = 'f' AND (con.confmatchtype <> 's' OR {special}) THEN pg_get_constraintdef(con.oid) END,
       con.conkey, con.confrelid,
       con.confkey, con.coninhcount > 0 AND NOT con.conislocal, con.coninhcount > 0 AND con.conislocal, con.contypid,
       con.confupdtype::text, con.confdeltype::text
FROM pg_constraint con
WHERE con.contype IN ('p', 'u', 'c', 'f', 'x') AND con.connamespace = ANY (%(schemas)s::oid[]) /*near con.conrelid*/
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
WHERE c.relnamespace = ANY (%(schemas)s::oid[]) /*near i.indrelid*/
"""

_INDEX_DEFINITIONS = "SELECT oid, pg_get_indexdef(oid) FROM unnest(%(indexes)s::oid[]) AS oid"

_BTREE_DEFAULTS = "SELECT opcintype, oid FROM pg_opclass WHERE opcmethod = 403 AND opcdefault"

_CONSTRAINT_DEFINITION = "SELECT pg_get_constraintdef(oid) FROM unnest(%(oid)s::oid[]) AS oid"

_INDEX_STATISTICS = """
SELECT a.attrelid, a.attnum || '=' || a.attstattarget
FROM pg_attribute a
WHERE a.attrelid = ANY (%(indexes)s::oid[]) AND a.attstattarget >= 0
ORDER BY a.attrelid, a.attnum
"""

_index, _constraint = quick.made(Index), quick.made(Constraint)


def constraints(session: Session, columns: Columns) -> None:  # noqa: C901, PLR0912 - indexes and constraints name each other
    """Constraints of tables and of domains, and indexes."""
    parents = dict(session.ask(_PARENTS_OF_INDEXES))
    statistics: dict[int, list[str]] = defaultdict(list)
    rows = session.ask(_indexes(session.version))
    if expressive := [row[0] for row in rows if row[9]]:
        for oid, text in session.ask(_INDEX_STATISTICS, indexes=expressive):
            statistics[oid].append(text)
    definitions = _definitions(session, rows, columns)
    places = {row[0]: (session.schemas[row[2]], row[3]) for row in rows}
    of_constraint: dict[int, Row] = {}
    for row in rows:
        oid, relid, _, _, numbers, valid, clustered, _, _, expression, constraint, *_ = row
        if relid not in session.relations:
            continue
        if constraint is not None:
            of_constraint[constraint] = row
            continue
        parent = places.get(parents.get(oid, 0))
        index = _index(
            *places[oid], session.relations[relid][1], definitions[oid], _named(session, relid, _numbers(numbers)), parent,
            valid, clustered, tuple(statistics[oid]), session.comment(session.pg_class, oid),
        )  # fmt: skip
        session.add(index, (session.pg_class, oid))
        session.need(index.key, ("table", *session.relations[relid]))
        if expression:
            session.expression_indexes.add(oid)
    for row in session.ask(_constraints(session.version)):
        (oid, relid, name, contype, definition, numbers, target, target_numbers, inherited, also_here, domain,
         *actions) = row  # fmt: skip
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
                "valid": index[5],
                "clustered": index[6],
                "index_comment": session.comment(session.pg_class, index[0]),
            }
        named = _named(session, relid, numbers or ())
        if definition is None and index is not None and index[-1]:
            definition = f"{'PRIMARY KEY' if contype == 'p' else 'UNIQUE'} ({names.listed(named)})"
        elif definition is None and contype == "f":
            definition = _foreign_key(session, row, named, actions)
        if definition is None:
            definition = session.ask(_CONSTRAINT_DEFINITION, oid=[oid])[0][0]
        constraint = _constraint(
            *session.relations[relid], name, contype, definition, tuple(sorted(named)) if contype == "c" else named,
            session.relations.get(target), _named(session, target, target_numbers or ()), inherited,
            comment=session.comment(session.pg_constraint, oid), also_here=also_here and contype == "c", **details,
        )  # fmt: skip
        session.add(constraint, (session.pg_constraint, oid))
        if index is not None:
            session.keys[session.pg_class, index[0]] = constraint.key


def _foreign_key(session: Session, row: Row, named: Sequence[str], actions: Sequence[str]) -> str | None:
    """How PostgreSQL spells one that says nothing unusual; None where its target is not in view."""
    target, numbers = row[6], row[7]
    if target not in session.relations:
        return None
    where = f"{names.qualified(*session.relations[target])}({names.listed(_named(session, target, numbers))})"
    done = zip(("UPDATE", "DELETE"), actions, strict=True)
    parts = [
        f"FOREIGN KEY ({names.listed(named)}) REFERENCES {where}",
        *(f"ON {what} {_ACTIONS[how]}" for what, how in done if how != "a"),
    ]
    return " ".join(parts)


_ACTIONS = {"r": "RESTRICT", "c": "CASCADE", "n": "SET NULL", "d": "SET DEFAULT"}


def _definitions(session: Session, rows: list[Row], columns: Columns) -> dict[int, str]:
    """CREATE INDEX of every index that no constraint owns; PostgreSQL spells only those that are not plain."""
    usual = dict(session.ask(_BTREE_DEFAULTS))
    found: dict[int, str] = {}
    hard: list[int] = []
    for row in rows:
        oid, relid, _, name, numbers, *_, constraint, unique, relkind, classes, collations, orders, plain, _ = row
        if constraint is not None or relid not in session.relations:
            continue
        terms: list[str] = []
        numbers = _numbers(numbers)
        keys = zip(numbers, _numbers(classes), _numbers(collations), _numbers(orders), strict=False) if plain else ()
        for number, opclass, collation, order in keys:
            kind = columns.kind(relid, number)
            if usual.get(kind.type) != opclass or collation != kind.collation or order not in _ORDERS:
                break
            terms.append(names.quoted(session.columns[relid, number]) + _ORDERS[order])
        if len(terms) < len(numbers) or not terms:
            hard.append(oid)
            continue
        found[oid] = (
            f"CREATE {'UNIQUE ' if unique else ''}INDEX {names.quoted(name)} ON {'ONLY ' if relkind == 'I' else ''}"
            f"{names.qualified(*session.relations[relid])} USING btree ({', '.join(terms)})"
        )
    found.update(session.ask(_INDEX_DEFINITIONS, indexes=hard) if hard else ())
    return found


@lru_cache(4096)
def _numbers(text: str) -> tuple[int, ...]:
    return tuple(map(int, text.split()))


_ORDERS = {0: "", 1: " DESC NULLS LAST", 2: " NULLS FIRST", 3: " DESC"}


def _named(session: Session, relid: int, numbers: Sequence[int]) -> tuple[str, ...]:
    columns = session.columns.of(relid)
    return tuple([columns[number][0] for number in numbers if number in columns])


def _constraints(version: int) -> str:
    special = "con.confdelsetcols IS NOT NULL" if version >= 150000 else "false"
    if version >= 180000:
        special += " OR NOT con.conenforced"
    return _CONSTRAINTS.replace("{period}", "con.conperiod" if version >= 180000 else "false").replace(
        "{special}", special
    )


def _indexes(version: int) -> str:
    return _INDEXES.replace("{plain}", "NOT i.indnullsnotdistinct" if version >= 150000 else "true")


def always(version: int) -> tuple[str, ...]:
    """What every catalog is asked."""
    return (_PARENTS_OF_INDEXES, _indexes(version), _constraints(version), _BTREE_DEFAULTS)
