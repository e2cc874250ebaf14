"""Reads columns and their defaults: ten thousand are a few kinds, each told once, and many names."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from checks import quick
from checks.catalog import spelling
from checks.catalog.reading.session import Names, Session, options, unescaped
from checks.catalog.tables import Column, Default, Output
from checks.catalog.types import Identity

# Ten thousand rows, so as plain text: PostgreSQL sorts and groups nothing, and what is alike in all but its place is read once.
COLUMNS = """
COPY (SELECT a.attrelid, a.attnum, a.attname,
             a.atttypid, a.atttypmod, a.attcollation, a.attnotnull, a.attgenerated, a.attidentity, a.attstorage,
             a.attcompression, a.attstattarget, a.attoptions, a.attfdwoptions, a.attacl,
             CASE WHEN a.attinhcount = 0 THEN 'o' WHEN a.attislocal THEN 'b' ELSE 'i' END
      FROM pg_attribute a
      WHERE a.attrelid::int8 >= 16384 AND a.attnum > 0 AND NOT a.attisdropped /*near a.attrelid*/
        AND a.attrelid IN (SELECT oid FROM pg_class WHERE relkind IN ('r', 'p', 'f', 'v', 'm'))) TO STDOUT (NULL '')
"""

_TYPES = """
SELECT t.oid, used.typmod, format_type(t.oid, used.typmod), t.typcollation, t.typstorage
FROM unnest(%(types)s::oid[], %(typmods)s::int[]) used (type, typmod) JOIN pg_type t ON t.oid = used.type
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
            THEN pg_get_expr((SELECT d.adbin FROM pg_attrdef d WHERE d.oid = alike.one), 0) END,
       alike.oids, alike.relids, alike.numbers
FROM (SELECT d.adbin::text AS adbin, min(d.oid) AS one,
             array_agg(d.oid) AS oids, array_agg(d.adrelid) AS relids, array_agg(d.adnum) AS numbers
      FROM pg_attrdef d WHERE true /*near d.adrelid*/
      GROUP BY d.adbin::text) alike
"""

_DEFAULT = """
SELECT pg_get_expr(d.adbin, d.adrelid), ARRAY[d.oid], ARRAY[d.adrelid], ARRAY[d.adnum]
FROM pg_attrdef d WHERE d.oid = ANY (%(oids)s::oid[])
"""

ALWAYS = (_DEFAULTS, _UNUSUAL_NOT_NULLS)
"""What every catalog is asked."""

_default = quick.made(Default)
_column, _SHARED = quick.parted(Column, "schema", "table", "name", "position")

Place = tuple[int, int]
"""A column's table and number."""


@dataclass(slots=True)
class Kind:
    """What columns have in common.

    Attributes:
        said: what PostgreSQL said of it, from the type on.
        column: one of them, without a place.
        shared: its other attributes.
        type: the type's oid.
        collation: the collation's oid.
        identity: empty, `a` always or `d` by default.
        acl: privileges as PostgreSQL prints them.
        alone: more is to be said of each of them.
    """

    said: Sequence[str]
    type: int
    typmod: int
    collation: int
    identity: str
    column: Column = field(init=False)
    shared: tuple[Any, ...] = field(init=False)
    acl: tuple[str, ...] | None = None
    alone: bool = False


class Columns(dict[int, dict[int, tuple[str, Kind]]]):
    """All columns there are: by relation and number, in order, the name and the kind."""

    def kind(self, relid: int, number: int) -> Kind:
        """The kind of one."""
        return self[relid][number][1]


def text(session: Session) -> tuple[Columns, list[Kind]]:
    """The columns there are, and their kinds; `spell` has to tell what those are."""
    of: dict[str, dict[int, tuple[str, Kind]]] = defaultdict(dict)
    kinds: dict[str, Kind] = {}
    lines, escaped = session.lines(COLUMNS)
    for line in lines:
        relid, number, name, said = line.split("\t", 3)
        kind = kinds.get(said)
        if kind is None:
            kind = kinds[said] = _kind(said)
        of[relid][int(number)] = (unescaped(name) if escaped else name, kind)
    columns = Columns((int(relid), _ordered(found)) for relid, found in of.items())
    session.columns = Names(columns)
    return columns, list(kinds.values())


def _ordered(found: dict[int, tuple[str, Kind]]) -> dict[int, tuple[str, Kind]]:
    numbers = list(found)
    if numbers == (ordered := sorted(numbers)):
        return found
    return {number: found[number] for number in ordered}


def _kind(said: str) -> Kind:
    fields = said.split("\t")
    return Kind(fields, int(fields[0]), int(fields[1]), int(fields[2]), fields[5])


def question(session: Session, kinds: Sequence[Kind]) -> str:
    """What `spell` asks."""
    used = sorted({(kind.type, kind.typmod) for kind in kinds})
    return session.filled(_TYPES, types=[each[0] for each in used], typmods=[each[1] for each in used])


def spell(session: Session, kinds: Sequence[Kind]) -> None:
    """Tell what the kinds are. Collations must be known."""
    types = {(oid, typmod): rest for oid, typmod, *rest in session.ask(question(session, kinds))}
    for kind in kinds:
        name, usual_collation, usual_storage = types[kind.type, kind.typmod]
        (_, _, _, not_null, generated, identity, storage, compression, target, given, fdw, acl, inherited) = kind.said
        kind.column = Column(
            "",
            "",
            "",
            name,
            "" if kind.collation == usual_collation else session.collations[kind.collation],
            "yes" if not_null == "t" else "",
            generated,
            "",
            None,
            "" if storage == usual_storage else storage,
            compression,
            int(target or -1),
            options(session.array(given)),
            tuple(session.array(fdw) or ()),
            inherited == "i",
            also_here=inherited == "b",
        )
        kind.shared = tuple(getattr(kind.column, name) for name in _SHARED)
        kind.acl = None if not acl else tuple(session.array(acl) or ())
        kind.alone = bool(identity or acl or generated)


def outputs(session: Session, columns: Columns, view: int, owner: str) -> tuple[Output, ...]:
    """What a view gives."""
    return tuple(
        Output(
            name,
            kind.column.type,
            kind.column.collation,
            session.acl(kind.acl, "c", owner),
            session.comment(session.pg_class, view, number),
            tuple(spelling.column_settings(kind.column)),
        )
        for number, (name, kind) in columns.get(view, {}).items()
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
    comments = {
        (relid, number): said
        for (catalog, relid, number), said in session.comments.items()
        if number and catalog == session.pg_class
    }
    remarkable = {relid for relid, _ in comments}.union(relid for relid, _ in not_nulls)

    def alone(relid: int, number: int, kind: Kind) -> tuple[Any, ...]:
        """What is shared, of a column that differs from its kind in more than its place."""
        place = (relid, number)
        sequence = identities.get(place) if kind.identity else None
        if sequence is not None and kind.identity == "a":
            sequence = replace(sequence, always=True)
        own = {
            "not_null": not_nulls.get(place, "yes") if kind.column.not_null else "",
            "expression": spelt[relid][number][1] if kind.column.generated else "",
            "identity": sequence,
            "acl": session.acl(kind.acl or None, "c", owners[relid]),
            "comment": comments.get(place, ""),
        }
        return tuple((dict(zip(_SHARED, kind.shared, strict=True)) | own).values())

    objects, keys, pg_attrdef = session.objects, session.keys, session.pg_attrdef
    for relid in sorted(owners):
        schema, table = session.relations[relid]
        of_view, rest, defaults = relid in views, relid in remarkable, spelt.get(relid, _NOTHING)
        for number, (name, kind) in columns.get(relid, _NOTHING).items():
            if not of_view:
                shared = kind.shared
                if kind.alone or (rest and ((relid, number) in comments or (relid, number) in not_nulls)):
                    shared = alone(relid, number, kind)
                objects["column", schema, table, name] = _column(schema, table, name, number, shared)
            if number in defaults:
                oid, text = defaults[number]
                key = ("column", schema, table, name)
                if not kind.column.generated:
                    key = ("default", schema, table, name)
                    objects[key] = _default(schema, table, name, text, of_view)
                keys[pg_attrdef, oid] = key


_NOTHING: dict[int, Any] = {}
