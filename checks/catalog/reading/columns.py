"""Reads columns and their defaults: ten thousand are a few kinds, each told once, and many names."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from operator import itemgetter
from typing import Any

from checks.catalog.reading.session import Session, options
from checks.catalog.tables import Column, Default, Output
from checks.catalog.types import Identity

_COLUMNS = """
SELECT kind.*, format_type(kind.atttypid, kind.atttypmod), t.typcollation, t.typstorage
FROM (SELECT array_agg(a.attrelid), array_agg(a.attnum), array_agg(a.attname),
             a.atttypid, a.atttypmod, a.attcollation, a.attnotnull, a.attgenerated, a.attidentity, a.attstorage,
             a.attcompression, a.attstattarget, a.attoptions, a.attfdwoptions, a.attacl::text[],
             a.attinhcount > 0 AND NOT a.attislocal
      FROM pg_attribute a
      WHERE a.attnum > 0 AND NOT a.attisdropped
        AND a.attrelid IN (SELECT oid FROM pg_class
                           WHERE relkind IN ('r', 'p', 'f', 'v', 'm') AND relnamespace = ANY (%(schemas)s::oid[]))
      GROUP BY 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16) kind
JOIN pg_type t ON t.oid = kind.atttypid
"""

_UNUSUAL_NOT_NULLS = """
SELECT con.conrelid, con.conkey[1], CASE WHEN con.convalidated THEN 'no inherit' ELSE 'not valid' END
FROM pg_constraint con
WHERE con.contype = 'n' AND con.conrelid <> 0 AND (con.connoinherit OR NOT con.convalidated)
  AND con.connamespace = ANY (%(schemas)s::oid[])
"""

# What is stored alike is spelt alike, unless it names columns of its own table: then it is asked for alone. (Before
# PostgreSQL 17 it is stored with its place in the statement, so that less is alike.)
_DEFAULTS = """
SELECT CASE WHEN alike.adbin NOT LIKE '%{VAR %'
            THEN pg_get_expr((SELECT d.adbin FROM pg_attrdef d WHERE d.oid = alike.one), alike.relid) END,
       alike.oids, alike.relids, alike.numbers
FROM (SELECT d.adbin::text AS adbin, min(d.oid) AS one, min(d.adrelid) AS relid,
             array_agg(d.oid) AS oids, array_agg(d.adrelid) AS relids, array_agg(d.adnum) AS numbers
      FROM pg_attrdef d
      GROUP BY d.adbin::text) alike
"""

_DEFAULT = """
SELECT pg_get_expr(d.adbin, d.adrelid), ARRAY[d.oid], ARRAY[d.adrelid], ARRAY[d.adnum]
FROM pg_attrdef d WHERE d.oid = ANY (%(oids)s::oid[])
"""

ALWAYS = (_COLUMNS, _DEFAULTS, _UNUSUAL_NOT_NULLS)
"""What every catalog is asked."""

Place = tuple[int, int]
"""A column's table and number."""


@dataclass(frozen=True, slots=True)
class Kind:
    """What columns have in common.

    Attributes:
        column: one of them, without a place.
        shape: its attributes.
        type: the type's oid.
        collation: the collation's oid.
        identity: empty, `a` always or `d` by default.
        acl: privileges as PostgreSQL prints them.
        alone: more is to be said of each of them.
    """

    column: Column
    shape: dict[str, Any]
    type: int
    collation: int
    identity: str
    acl: tuple[str, ...] | None
    alone: bool


@dataclass(frozen=True, slots=True)
class Columns:
    """All columns there are.

    Attributes:
        of: number, name and kind of each column of a table or view, in order.
        kinds: the kind of each column.
    """

    of: dict[int, list[tuple[int, str, Kind]]]
    kinds: dict[Place, Kind]


def read(session: Session) -> Columns:
    """The columns there are, their names noted in the session. Collations must be known."""
    of: dict[int, list[tuple[int, str, Kind]]] = defaultdict(list)
    kinds: dict[Place, Kind] = {}
    for relids, numbers, names, *described in session.ask(_COLUMNS):
        kind = _kind(session, described)
        for relid, number, name in zip(relids, numbers, names, strict=True):
            of[relid].append((number, name, kind))
            kinds[relid, number] = kind
            session.columns[relid, number] = name
    for columns in of.values():
        columns.sort(key=itemgetter(0))
    return Columns(of, kinds)


def _kind(session: Session, described: Sequence[Any]) -> Kind:
    (typid, _, collation, not_null, generated, identity, storage, compression, target, given, fdw, acl, inherited,
     name, usual_collation, usual_storage) = described  # fmt: skip
    column = Column(
        "",
        "",
        "",
        name,
        "" if collation == usual_collation else session.collations[collation],
        "yes" if not_null else "",
        generated,
        "",
        None,
        "" if storage == usual_storage else storage,
        "" if compression == "\0" else compression,
        -1 if target is None else target,
        options(given),
        tuple(fdw or ()),
        inherited,
    )
    alone = bool(identity or acl or generated)
    return Kind(column, dict(vars(column)), typid, collation, identity, None if acl is None else tuple(acl), alone)


def outputs(session: Session, columns: Columns, view: int, owner: str) -> tuple[Output, ...]:
    """What a view gives."""
    return tuple(
        Output(
            name,
            kind.column.type,
            kind.column.collation,
            session.acl(kind.acl, "c", owner),
            session.comment(session.pg_class, view, number),
        )
        for number, name, kind in columns.of.get(view, ())
    )


def _spelt(session: Session) -> dict[int, dict[int, tuple[int, str]]]:
    """By table and column number: the oid and the expression of what the column is when nothing is said."""
    rows = session.ask(_DEFAULTS)
    alone = [oid for text, oids, *_ in rows if text is None for oid in oids]
    if alone:
        rows += session.ask(_DEFAULT, oids=alone)
    found: dict[int, dict[int, tuple[int, str]]] = defaultdict(dict)
    for text, *places in rows:
        if text is not None:
            for oid, relid, number in zip(*places, strict=True):
                found[relid][number] = (oid, text)
    return found


def make(
    session: Session, columns: Columns, owners: dict[int, str], views: set[int], identities: dict[Place, Identity]
) -> None:
    """The columns of tables, and all defaults.

    Args:
        session: what is known so far.
        columns: of all relations.
        owners: of the tables and views, by oid.
        views: which of them are views.
        identities: the sequences behind identity columns.
    """
    spelt = _spelt(session)
    not_nulls = {(relid, number): how for relid, number, how in session.ask(_UNUSUAL_NOT_NULLS)}
    commented = {relid for catalog, relid, number in session.comments if number and catalog == session.pg_class}
    remarkable = commented.union(relid for relid, _ in not_nulls)

    def alone(column: Column, relid: int, kind: Kind) -> Column:
        """A column that differs from its kind in more than its place."""
        place = (relid, column.position)
        sequence = identities.get(place) if kind.identity else None
        if sequence is not None and kind.identity == "a":
            sequence = replace(sequence, always=True)
        return replace(
            column,
            not_null=not_nulls.get(place, "yes") if column.not_null else "",
            expression=spelt[relid][column.position][1] if column.generated else "",
            identity=sequence,
            acl=session.acl(kind.acl or None, "c", owners[relid]),
            comment=session.comment(session.pg_class, *place),
        )

    objects, keys, pg_attrdef = session.objects, session.keys, session.pg_attrdef
    placed = Column.placed
    for relid in sorted(owners):
        schema, table = session.relations[relid]
        of_view, rest, defaults = relid in views, relid in remarkable, spelt[relid]
        for number, name, kind in columns.of[relid]:
            key = ("column", schema, table, name)
            if not of_view:
                column = placed(kind.shape, schema, table, name, number)
                objects[key] = alone(column, relid, kind) if rest or kind.alone else column
            if number in defaults:
                oid, text = defaults[number]
                if not kind.column.generated:
                    key = ("default", schema, table, name)
                    objects[key] = Default(schema, table, name, text, of_view)
                keys[pg_attrdef, oid] = key
