"""The queries by which the observer looks; every name is qualified, for the search_path is the migration's."""

import itertools
import sys
from array import array
from collections.abc import Collection, Iterable, Mapping

from psycopg import pq

from checks.witnesses.wire import Wire

_NAME, _OID, _OIDS, _TEXTS = 19, 26, 1028, 1009  # the types `name`, `oid`, `oid[]` and `text[]`

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


# Plans that came over the protocol, which no SQL can make.
OURS = b"""
select pg_catalog.count(*)::text from pg_catalog.pg_prepared_statement()
where not from_sql and name OPERATOR(pg_catalog.=) any ($1)
"""

_numbers = itertools.count(1)


class Queries:
    """Those that are asked again and again of one session, planned once where that can be kept."""

    def __init__(self, wire: Wire, tables: Iterable[int], *, flush: bool) -> None:
        """For the tables that existed, by oid; `flush`: each look has the session hand its counters on."""
        self._wire = wire
        self._planned: bytes | None = None
        look = LOOK.format(flush=FLUSH if flush else "", tables=",".join(map(str, tables)))
        self._queries: dict[str, tuple[bytes, list[int]]] = {
            "look": (look.encode(), []),
            "glance": (GLANCE, [_OID]),
            "glances": (GLANCES, [_OIDS]),
            "constrained": (CONSTRAINED, [_NAME]),
        }

    @property
    def planned(self) -> bool:
        """Whether the session knows their plans."""
        return self._planned is not None

    def plan(self) -> None:
        """Plan them; not in a transaction, which a refusal would end."""
        self._planned = b"bulletproof_%d_" % next(_numbers)
        for name, (sql, kinds) in self._queries.items():
            if self._wire.pgconn.prepare(self._planned + name.encode(), sql, kinds).status != pq.ExecStatus.COMMAND_OK:
                self._planned = None
                return

    def forget(self) -> None:
        """The plans may be gone."""
        self._planned = None

    def doubt(self) -> None:
        """Keep the plans only if they are still our own: code may have put others in their place, which `PREPARE` makes."""
        if self._planned is None:
            return
        names = b"{%s}" % b",".join(self._planned + name.encode() for name in self._queries)
        answer = self._wire.pgconn.exec_params(OURS, [names], [_TEXTS], None, 1)
        if answer.status != pq.ExecStatus.TUPLES_OK or answer.get_value(0, 0) != b"%d" % len(self._queries):
            self._planned = None

    def ask(self, name: str, *values: bytes) -> pq.abc.PGresult:
        """The answer to one of them."""
        if self._planned:
            return self._wire.pgconn.exec_prepared(self._planned + name.encode(), values or None, None, 1)
        sql, kinds = self._queries[name]
        return self._wire.pgconn.exec_params(sql, values or None, kinds or None, None, 1)

    def glance(self, oids: Collection[int]) -> pq.abc.PGresult:
        """Scans and file of each of these tables."""
        if len(oids) == 1:
            return self.ask("glance", b"%d" % next(iter(oids)))
        return self.ask("glances", packed(oids))


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
