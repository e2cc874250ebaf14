"""The tables that were there before the first statement, and every name by which SQL could reach one of them."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from checks.witnesses.wire import Wire

# From weak to strong: https://www.postgresql.org/docs/current/explicit-locking.html#LOCKING-TABLES
MODES = (
    "AccessShareLock",
    "RowShareLock",
    "RowExclusiveLock",
    "ShareUpdateExclusiveLock",
    "ShareLock",
    "ShareRowExclusiveLock",
    "ExclusiveLock",
    "AccessExclusiveLock",
)
STRENGTH = {mode: number for number, mode in enumerate(MODES, 1)}

_TABLES = """
select c.oid::int8, n.nspname::text, c.relname::text, c.relkind::text,
  coalesce(pg_catalog.pg_relation_filenode(c.oid), 0)::int8,
  c.relkind OPERATOR(pg_catalog.=) 'r' and not c.relispartition and not c.relhassubclass and not exists (
    select from pg_catalog.pg_inherits i where i.inhrelid OPERATOR(pg_catalog.=) c.oid),
  not (c.relhastriggers or c.relhasrules or c.relrowsecurity)
from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid OPERATOR(pg_catalog.=) c.relnamespace
where c.relkind OPERATOR(pg_catalog.=) any ('{r,p,m}'::"char"[]) and c.oid OPERATOR(pg_catalog.>=) 16384::oid
  and c.relpersistence OPERATOR(pg_catalog.<>) 't' and n.nspname OPERATOR(pg_catalog.<>) 'pg_toast'
"""
_NAMES = """
select c.relname::text from pg_catalog.pg_class c
  where c.oid OPERATOR(pg_catalog.>=) 16384::oid and c.relkind OPERATOR(pg_catalog.<>) 't'
union select t.typname::text from pg_catalog.pg_type t
  where t.oid OPERATOR(pg_catalog.>=) 16384::oid and t.typtype OPERATOR(pg_catalog.=) 'd'
union select n.nspname::text from pg_catalog.pg_namespace n where n.oid OPERATOR(pg_catalog.>=) 16384::oid
"""
# What C code of an extension reads it is told by name, in the statement.
_FUNCTIONS = """
select distinct p.proname::text from pg_catalog.pg_proc p
join pg_catalog.pg_language l on l.oid OPERATOR(pg_catalog.=) p.prolang
where p.oid OPERATOR(pg_catalog.>=) 16384::oid and l.lanname OPERATOR(pg_catalog.<>) 'c'
"""

_INDEXES = """
select i.indrelid::int8, i.indexrelid::int8, coalesce(pg_catalog.pg_relation_filenode(i.indexrelid), 0)::int8
from pg_catalog.pg_index i where i.indrelid OPERATOR(pg_catalog.=) any (%s::oid[])
"""


@dataclass(frozen=True, slots=True)
class Table:
    """A table, partitioned table or materialized view that existed before the first statement.

    Attributes:
        lonely: it inherits from nothing, and nothing from it.
        quiet: no foreign key, trigger, rule or policy says more about its rows than a statement does.
    """

    oid: int
    schema: str
    name: str
    kind: str
    lonely: bool = False
    quiet: bool = False

    @property
    def full_name(self) -> str:
        """`schema.name`."""
        return f"{self.schema}.{self.name}"


@dataclass(frozen=True, slots=True)
class Before:
    """What was there.

    Attributes:
        tables: by oid.
        nodes: the file of each.
        names: of tables, indexes, sequences, views, domains and schemas.
        functions: the names of those that were written in SQL or a language of the server.
    """

    tables: dict[int, Table]
    nodes: dict[int, int]
    names: frozenset[str]
    functions: frozenset[str]


def look(wire: Wire) -> Before:
    """What is there now."""
    rows = wire.ask(_TABLES)
    return Before(
        tables={
            oid: Table(oid, schema, name, kind, lonely, quiet) for oid, schema, name, kind, _, lonely, quiet in rows
        },
        nodes={oid: node for oid, _, _, _, node, _, _ in rows},
        names=frozenset(name for (name,) in wire.ask(_NAMES)) if rows else frozenset(),
        functions=frozenset(name for (name,) in wire.ask(_FUNCTIONS)) if rows else frozenset(),
    )


def files(wire: Wire) -> dict[int, int]:
    """The file of each table that is there now."""
    return {oid: node for oid, _, _, _, node, _, _ in wire.ask(_TABLES)}


def indexes(wire: Wire, tables: Mapping[int, Table]) -> set[tuple[int, int, int]]:
    """Table, index and file of each index of a table that another one shares its name with."""
    often = Counter(table.name for table in tables.values())
    namesakes = [oid for oid, table in tables.items() if often[table.name] > 1]
    return {(table, index, node) for table, index, node in wire.ask(_INDEXES, (namesakes,))} if namesakes else set()
