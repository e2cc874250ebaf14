"""Remembers, in the database, which state of its catalogs was seen to be what the files build, so that the next run need not look anew.

The mark is a sum over the row versions (`xmin`) of everything that makes up a schema: whatever anybody creates, alters or drops
changes it, and then the schemas are compared as if there were no mark. `db status` and `db verify` never rely on it.
"""

# ruff: noqa: S608 - the names in these queries are our own

import contextlib
import hashlib
from collections.abc import Collection

import psycopg
from psycopg import sql

from bot.database.source import Source
from bot.database.target import Session

STATE = ("drizzle", "__bulletproof_state")
_FORMAT = "1"  # of the sum; another number makes all marks void

# Each catalog by what says whose schema a row is in. Toast, temporary tables and our own schema are nobody's change.
_IN_TABLE = {
    "pg_attribute": "attrelid", "pg_attrdef": "adrelid", "pg_index": "indexrelid", "pg_trigger": "tgrelid", "pg_rewrite": "ev_class",
    "pg_policy": "polrelid", "pg_sequence": "seqrelid", "pg_inherits": "inhrelid", "pg_partitioned_table": "partrelid",
    "pg_foreign_table": "ftrelid",
}  # fmt: skip
_IN_SCHEMA = {
    "pg_constraint": "connamespace", "pg_type": "typnamespace", "pg_proc": "pronamespace", "pg_statistic_ext": "stxnamespace",
    "pg_collation": "collnamespace", "pg_operator": "oprnamespace", "pg_opclass": "opcnamespace", "pg_opfamily": "opfnamespace",
    "pg_conversion": "connamespace", "pg_ts_config": "cfgnamespace", "pg_ts_dict": "dictnamespace", "pg_ts_parser": "prsnamespace",
    "pg_ts_template": "tmplnamespace",
}  # fmt: skip
_OF_THE_DATABASE = (
    "pg_extension", "pg_cast", "pg_event_trigger", "pg_publication", "pg_publication_rel", "pg_default_acl", "pg_foreign_server",
    "pg_foreign_data_wrapper", "pg_enum", "pg_language", "pg_transform", "pg_am", "pg_amop", "pg_amproc",
)  # fmt: skip


def catalog(session: Session) -> str:
    """The sum over all that makes up the schema of the database."""
    parts = ["select pg_catalog.hash_record_extended(row(0, oid, xmin), 0) h from rel"]
    number = 0
    for name, column in _IN_TABLE.items():
        number += 1
        more = ", attnum" if name == "pg_attribute" else ""
        parts.append(
            f"select pg_catalog.hash_record_extended(row({number}, {column}{more}, xmin), 0) from pg_catalog.{name} where {column} in (select oid from rel)"
        )
    for name, column in _IN_SCHEMA.items():
        number += 1
        parts.append(
            f"select pg_catalog.hash_record_extended(row({number}, oid, xmin), 0) from pg_catalog.{name} where {column} in (select oid from home)"
        )
    for name in _later(session):
        number += 1
        parts.append(
            f"select pg_catalog.hash_record_extended(row({number}, oid, xmin), 0) from pg_catalog.{name} where oid >= 16384"
        )
    parts.append("select pg_catalog.hash_record_extended(row(999, oid, xmin), 0) from home")
    query = (
        "with home as materialized (select oid, xmin from pg_catalog.pg_namespace where nspname !~ '^pg_' and nspname not in "
        f"('information_schema', '{STATE[0]}')), rel as materialized (select oid, xmin from pg_catalog.pg_class "
        "where relnamespace in (select oid from home) and oid >= 16384) "
        f"select pg_catalog.count(*), pg_catalog.sum(h)::text from ({' union all '.join(parts)}) each"
    )
    row = session.execute(query.encode()).fetchone()
    return f"{_FORMAT} {row}"


def _later(session: Session) -> tuple[str, ...]:
    return (
        (*_OF_THE_DATABASE, "pg_publication_namespace") if session.info.server_version >= 150000 else _OF_THE_DATABASE
    )


def files(source: Source, tags: Collection[str]) -> str:
    """What the migrations with these tags are, to the byte, and what they were to run on."""
    digest = hashlib.sha256()
    for word in (
        _FORMAT,
        *source.extensions,
        "",
        *(f"{m.tag} {m.hash}" for m in source.chain.migrations if m.tag in tags),
    ):
        digest.update(word.encode("utf-8", "surrogateescape") + b"\0")
    return digest.hexdigest()


def holds(session: Session, source: Source, tags: Collection[str], now: str) -> bool:
    """The catalogs are still as they were when they were seen to be what these migrations build."""
    there = session.execute("select pg_catalog.to_regclass(%s)", (".".join(STATE),)).fetchone()
    if there is None or there[0] is None:
        return False
    query = sql.SQL("select 1 from {}.{} where files = %s and catalog = %s")
    with contextlib.suppress(psycopg.Error):  # no right to read it: then it says nothing
        return (
            session.execute(query.format(*map(sql.Identifier, STATE)), (files(source, tags), now)).fetchone()
            is not None
        )
    return False


def write(session: Session, source: Source, tags: Collection[str]) -> None:
    """Remember the catalogs as they are now; a role that may not is none the worse for it."""
    place = sql.SQL("{}.{}").format(*map(sql.Identifier, STATE))
    table = "create table if not exists {} (id int primary key default 1 check (id = 1), files text not null, catalog text not null, at timestamptz not null)"
    keep = (
        "insert into {} (files, catalog, at) values (%s, %s, now()) on conflict (id) do update set files = excluded.files, "
        "catalog = excluded.catalog, at = excluded.at"
    )
    with contextlib.suppress(psycopg.Error), session.transaction():
        if session.execute("select 1 from pg_catalog.pg_namespace where nspname = %s", (STATE[0],)).fetchone() is None:
            return  # the rows are kept elsewhere, and no schema is made for this alone
        session.execute(sql.SQL(table).format(place))
        session.execute(sql.SQL(keep).format(place), (files(source, tags), catalog(session)))
