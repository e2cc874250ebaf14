"""The queries by which the observer looks; every name is qualified, for the search_path is the migration's."""

import sys
from array import array
from collections.abc import Collection, Iterable, Mapping

from checks.witnesses.wire import Wire

# {tables}: the oids of those that existed, as literals, which the server hashes; what else is locked is none of our business.
# One row of packed integers instead of a row a lock, which Python would have to read one by one. A lock is written as
# relation * 32 + length of the mode's name (no two are equally long). A file can only be another under AccessExclusiveLock.
LOOK = """
select pg_catalog.string_agg(pg_catalog.int8send(key), ''),
  pg_catalog.string_agg(pg_catalog.int8send(scans), ''),
  pg_catalog.string_agg(pg_catalog.int8send(node), ''), pg_catalog.current_setting('client_min_messages') {flush}
from (
  select relation::int8 OPERATOR(pg_catalog.*) 32 OPERATOR(pg_catalog.+) pg_catalog.length(mode) as key,
    pg_catalog.pg_stat_get_xact_numscans(relation) as scans,
    case when mode OPERATOR(pg_catalog.=) 'AccessExclusiveLock'
      then coalesce(pg_catalog.pg_relation_filenode(relation), 0)::int8 else -1::int8 end as node
  from pg_catalog.pg_lock_status()
  where relation OPERATOR(pg_catalog.=) any ('{{{tables}}}'::oid[])
    and pid OPERATOR(pg_catalog.=) pg_catalog.pg_backend_pid() and granted
) held
"""
FLUSH = "OPERATOR(pg_catalog.||) pg_catalog.left(pg_catalog.pg_stat_force_next_flush()::text, 0)"
COUNTERS = """
select o::int8, pg_catalog.pg_stat_get_xact_numscans(o)::int8 from pg_catalog.unnest(%s::oid[]) o
where pg_catalog.pg_stat_get_xact_numscans(o) OPERATOR(pg_catalog.>) 0
"""
FILES = """
select c.oid::int8, c.relkind OPERATOR(pg_catalog.=) 'm', c.relispopulated, c.reltuples OPERATOR(pg_catalog.<) 0,
  pg_catalog.pg_relation_size(c.oid) OPERATOR(pg_catalog.>) 0,
  (select pg_catalog.count(*) from pg_catalog.pg_index i where i.indrelid OPERATOR(pg_catalog.=) c.oid)
from pg_catalog.pg_class c where c.oid OPERATOR(pg_catalog.=) any (%s::oid[])
"""
EVER = """
select o::int8, (pg_catalog.pg_stat_get_numscans(o) OPERATOR(pg_catalog.+) pg_catalog.pg_stat_get_xact_numscans(o))::int8
from pg_catalog.unnest(%s::oid[]) o
"""

# Of one table, which is most of what a statement names.
GLANCE = b"""
select pg_catalog.int8send(pg_catalog.pg_stat_get_xact_numscans($1)) OPERATOR(pg_catalog.||)
  pg_catalog.int8send(coalesce(pg_catalog.pg_relation_filenode($1), 0)::int8)
"""
GLANCES = b"""
select pg_catalog.string_agg(pg_catalog.int8send(pg_catalog.pg_stat_get_xact_numscans(o)) OPERATOR(pg_catalog.||)
  pg_catalog.int8send(coalesce(pg_catalog.pg_relation_filenode(o), 0)::int8), '' order by n)
from pg_catalog.unnest($1) with ordinality as named (o, n)
"""
CONSTRAINED = b"""
select string_agg(pg_catalog.int8send(conrelid::int8), '') from pg_catalog.pg_constraint
where conname OPERATOR(pg_catalog.=) $1 and contype OPERATOR(pg_catalog.=) 'f'
"""


def packed(numbers: Iterable[int]) -> bytes:
    """Numbers as an array in words."""
    return b"{%s}" % ",".join(map(str, numbers)).encode()


def integers(sent: bytes) -> "array[int]":
    """Numbers as `int8send` sends them."""
    numbers = array("q", sent)
    if sys.byteorder == "little":
        numbers.byteswap()
    return numbers


def emptied(wire: Wire, oids: Collection[int], scanned: Mapping[int, int]) -> set[int]:
    """Of tables whose file is another though nothing said "rewriting", those that were emptied.

    TRUNCATE leaves an empty file of unknown size, and reads the table for its indexes at most; CLUSTER writes the size
    down, and whatever else makes a new file reads the old one too. REFRESH … WITH NO DATA leaves a view that cannot
    be read.
    """
    if not oids:
        return set()
    rows = wire.ask(FILES, (list(oids),))
    return {
        oid
        for oid, view, populated, unknown, size, indexes in rows
        if (not populated if view else unknown and not size and scanned.get(oid, 0) <= indexes)
    }
