"""Reads schemas, types, collations and sequences."""

from collections import defaultdict

from checks import quick
from checks.catalog import acl, names
from checks.catalog.outside import Other
from checks.catalog.reading.session import Session
from checks.catalog.types import (
    Attribute,
    Collation,
    Composite,
    Counting,
    Domain,
    Enum,
    Identity,
    Range,
    Schema,
    Sequence,
)

SCHEMAS = """
SELECT n.oid, n.nspname, pg_get_userbyid(n.nspowner), n.nspacl::text[]
FROM pg_namespace n
WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
  AND NOT EXISTS (SELECT FROM pg_depend own WHERE own.classid = 'pg_namespace'::regclass AND own.objid = n.oid AND own.deptype = 'e')
"""

_TYPES = """
SELECT t.oid, t.typarray, t.typnamespace, t.typname, t.typtype::text, t.typrelid, pg_get_userbyid(t.typowner), t.typacl::text[],
       CASE WHEN t.typtype = 'd' THEN format_type(t.typbasetype, t.typtypmod) ELSE '' END,
       CASE WHEN t.typtype = 'd' AND t.typcollation <> b.typcollation THEN t.typcollation ELSE 0 END,
       t.typnotnull,
       CASE WHEN t.typtype = 'd' THEN coalesce(pg_get_expr(t.typdefaultbin, 0), '') ELSE '' END,
       t.typinput::text || ' ' || t.typoutput::text || ' ' || t.typlen || ' ' || t.typalign::text || ' ' || t.typisdefined
FROM pg_type t
LEFT JOIN pg_type b ON b.oid = t.typbasetype
LEFT JOIN pg_class c ON c.oid = t.typrelid
WHERE t.typnamespace = ANY (%(schemas)s::oid[]) AND t.typtype IN ('e', 'd', 'c', 'r', 'b', 'p')
  AND (t.typrelid = 0 OR c.relkind = 'c')
  AND NOT EXISTS (SELECT FROM pg_type e WHERE e.typarray = t.oid)
  AND NOT EXISTS (SELECT FROM pg_depend own WHERE own.classid = 'pg_type'::regclass AND own.objid = t.oid AND own.deptype = 'e')
"""

_LABELS = "SELECT enumtypid, enumlabel FROM pg_enum WHERE enumtypid >= 16384 ORDER BY enumtypid, enumsortorder"

_RANGES = """
SELECT r.rngtypid, format_type(r.rngsubtype, NULL),
       CASE WHEN o.opcdefault THEN '' ELSE quote_ident(n.nspname) || '.' || quote_ident(o.opcname) END,
       CASE WHEN r.rngcollation = s.typcollation THEN 0 ELSE r.rngcollation END,
       CASE WHEN r.rngcanonical = 0 THEN '' ELSE r.rngcanonical::text END,
       CASE WHEN r.rngsubdiff = 0 THEN '' ELSE r.rngsubdiff::text END,
       m.typname, m.oid, m.typarray
FROM pg_range r
JOIN pg_opclass o ON o.oid = r.rngsubopc
JOIN pg_namespace n ON n.oid = o.opcnamespace
JOIN pg_type s ON s.oid = r.rngsubtype
JOIN pg_type m ON m.oid = r.rngmultitypid
WHERE r.rngtypid >= 16384
"""

_COLLATION_NAMES = """
SELECT c.oid, quote_ident(n.nspname) || '.' || quote_ident(c.collname)
FROM pg_collation c JOIN pg_namespace n ON n.oid = c.collnamespace
"""

_COLLATIONS = """
SELECT c.oid, c.collnamespace, c.collname, c.collprovider::text, c.collisdeterministic, c.collcollate, c.collctype,
       {locale}, {rules}, pg_get_userbyid(c.collowner), c.tableoid
FROM pg_collation c
WHERE c.collnamespace = ANY (%(schemas)s::oid[])
  AND NOT EXISTS (SELECT FROM pg_depend own WHERE own.classid = 'pg_collation'::regclass AND own.objid = c.oid AND own.deptype = 'e')
"""

_SEQUENCES = """
SELECT s.seqrelid, c.relnamespace, c.relname, format_type(s.seqtypid, NULL), s.seqstart, s.seqincrement, s.seqmin, s.seqmax,
       s.seqcache, s.seqcycle, c.relpersistence = 'u', pg_get_userbyid(c.relowner), c.relacl::text[],
       d.refobjid, d.refobjsubid, d.deptype::text
FROM pg_sequence s
JOIN pg_class c ON c.oid = s.seqrelid
LEFT JOIN pg_depend d ON d.classid = 'pg_class'::regclass AND d.objid = s.seqrelid AND d.objsubid = 0
                     AND d.refclassid = 'pg_class'::regclass AND d.deptype IN ('a', 'i')
WHERE c.relnamespace = ANY (%(schemas)s::oid[])
"""

_FIELDS = """
SELECT a.attrelid, a.attnum, a.attname, format_type(a.atttypid, a.atttypmod),
       CASE WHEN a.attcollation = t.typcollation THEN 0 ELSE a.attcollation END
FROM pg_attribute a
JOIN pg_class c ON c.oid = a.attrelid
JOIN pg_type t ON t.oid = a.atttypid
WHERE c.relkind = 'c' AND c.relnamespace = ANY (%(schemas)s::oid[]) AND a.attnum > 0 AND NOT a.attisdropped
ORDER BY a.attrelid, a.attnum
"""

ALWAYS = (_COLLATION_NAMES, _SEQUENCES, _RANGES, _FIELDS, _TYPES)
"""What every catalog is asked."""

_counting, _sequence = quick.made(Counting), quick.made(Sequence)


def schemas(session: Session, ignored: frozenset[str]) -> None:
    """Which schemas are in view; must come first."""
    for oid, name, owner, items in session.ask(SCHEMAS):
        if name in ignored:
            continue
        session.schemas[oid] = name
        kind = acl.of_schema(name, session.version)
        privileges = session.acl(items, kind, owner)
        if items is None and kind != "n":  # initdb did not make it
            privileges = acl.collapse(acl.builtin("n"), kind)
        comment = session.comment(session.pg_namespace, oid)
        session.add(
            Schema(name, session.owner(owner), privileges, "" if comment == "standard public schema" else comment),
            (session.pg_namespace, oid),
        )


def collations(session: Session) -> None:
    """Collations of its own, and the names of all that something refers to."""
    for oid, name in session.ask(_COLLATION_NAMES):
        session.collations[oid] = name
    locale = "c.colllocale" if session.version >= 170000 else "c.colliculocale" if session.version >= 150000 else "NULL"
    rules = "c.collicurules" if session.version >= 160000 else "NULL"
    query = _COLLATIONS.replace("{locale}", locale).replace("{rules}", rules)
    for row in session.ask(query) if session.has("pg_collation") else ():
        oid, namespace, name, provider, deterministic, collate, ctype, where, tailoring, owner, catalog = row
        options = [f"provider = {_PROVIDERS.get(provider, provider)}"]
        where = where or (collate if provider != "c" else None)
        if where is not None:
            options.append(f"locale = {names.literal(where)}")
        elif collate == ctype:
            options.append(f"locale = {names.literal(collate)}")
        else:
            options += [f"lc_collate = {names.literal(collate)}", f"lc_ctype = {names.literal(ctype)}"]
        if not deterministic:
            options.append("deterministic = false")
        if tailoring:
            options.append(f"rules = {names.literal(tailoring)}")
        session.add(
            Collation(
                session.schemas[namespace], name, tuple(options), session.owner(owner), session.comment(catalog, oid)
            ),
            (catalog, oid),
        )


_PROVIDERS = {"c": "libc", "i": "icu", "b": "builtin", "d": "default"}


def types(session: Session) -> None:
    """Enums, domains, composite types, ranges; others are told by their input function."""
    labels: dict[int, list[str]] = defaultdict(list)
    for oid, label in session.ask(_LABELS) if session.has("pg_enum") else ():
        labels[oid].append(label)
    ranges = {row[0]: row[1:] for row in session.ask(_RANGES)}
    fields: dict[int, list[Attribute]] = defaultdict(list)
    for relid, number, name, kind, collation in session.ask(_FIELDS):
        fields[relid].append(
            Attribute(name, kind, session.collations[collation], session.comment(session.pg_class, relid, number))
        )
    for row in session.ask(_TYPES):
        oid, array, namespace, name, typtype, relid, role, items, base, collation, not_null, default, extra = row
        schema = session.schemas[namespace]
        common = (session.owner(role), session.acl(items, "T", role), session.comment(session.pg_type, oid))
        identity = [(session.pg_type, oid), (session.pg_type, array)]
        if typtype == "e":
            session.add(Enum(schema, name, tuple(labels[oid]), *common), *identity)
        elif typtype == "d":
            session.add(
                Domain(schema, name, base, session.collations[collation], not_null, default, *common), *identity
            )
        elif typtype == "c":
            comment = common[2] or session.comment(session.pg_class, relid)
            session.add(
                Composite(schema, name, tuple(fields[relid]), *common[:2], comment),
                *identity,
                (session.pg_class, relid),
            )
        elif typtype == "r":
            subtype, opclass, collated, canonical, difference, multirange, multi, multi_array = ranges[oid]
            identity += [(session.pg_type, multi), (session.pg_type, multi_array)]
            described = (subtype, opclass, session.collations[collated], canonical, difference, multirange)
            session.add(Range(schema, name, *described, *common), *identity)
        else:
            identity_text = names.qualified(schema, name)
            session.add(Other("TYPE", identity_text, extra, made=False, owner=common[0], comment=common[2]), *identity)


def sequences(session: Session) -> dict[tuple[int, int], Identity]:
    """Sequences; those of identity columns are returned by table and column number. Tables must be known."""
    identities: dict[tuple[int, int], Identity] = {}
    for row in session.ask(_SEQUENCES):
        (oid, namespace, name, kind, start, step, least, most, cache, cycle, unlogged, role, items,
         table, number, how) = row  # fmt: skip
        if (session.pg_class, oid) in session.members:
            continue
        schema = session.schemas[namespace]
        counts = _counting(kind, start, step, least, most, cache, cycle)
        if how == "i":
            about = (session.acl(items, "S", role), session.comment(session.pg_class, oid))
            identities[table, number] = Identity(False, schema, name, counts, *about)  # the column knows better
            continue
        owned_by = (
            (*session.relations[table], session.columns[table, number]) if (table, number) in session.columns else None
        )
        session.add(
            _sequence(
                schema,
                name,
                counts,
                unlogged,
                owned_by,
                session.owner(role),
                session.acl(items, "S", role),
                session.comment(session.pg_class, oid),
            ),
            (session.pg_class, oid),
        )
    return identities
