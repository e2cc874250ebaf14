"""What PostgreSQL did between two looks: new locks, rewritten and scanned tables, scans it could skip.

Three signals that do not depend on each other: DEBUG1 notices told apart by the function that sent them (a user's RAISE
cannot forge that), file nodes, and the scan counters of the running transaction. One query a statement looks at all of it,
and answers with what is new. Names are those of the tables before the first statement; later ones come and go.
"""

import re
import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from psycopg import pq

from checks.witnesses.model import Held
from checks.witnesses.wire import INTRANS, Wire

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

_MAP = """
select c.oid::int8, n.nspname::text, c.relname::text, c.relkind::text, coalesce(pg_catalog.pg_relation_filenode(c.oid), 0)::int8
from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid OPERATOR(pg_catalog.=) c.relnamespace
where c.relkind OPERATOR(pg_catalog.=) any ('{r,p,m}'::"char"[]) and c.oid OPERATOR(pg_catalog.>=) 16384::oid
  and c.relpersistence OPERATOR(pg_catalog.<>) 't' and n.nspname OPERATOR(pg_catalog.<>) 'pg_toast'
"""

# $1: the tables that existed; $2: what was held before, as table * 32 + length of the mode's name (no two are equally long).
# The first row sums up what was held before: where the sums are as expected nothing there was scanned or rewritten.
_LOOK = """
with held as materialized (
  select relation, mode, relation::int8 OPERATOR(pg_catalog.*) 32 OPERATOR(pg_catalog.+) pg_catalog.length(mode) as key,
    pg_catalog.pg_stat_get_xact_numscans(relation) as scans,
    coalesce(pg_catalog.pg_relation_filenode(relation), 0)::int8 as node
  from pg_catalog.pg_lock_status()
  where pid OPERATOR(pg_catalog.=) pg_catalog.pg_backend_pid() and locktype OPERATOR(pg_catalog.=) 'relation'
    and granted and relation OPERATOR(pg_catalog.=) any ($1::oid[])
), marked as materialized (select *, key OPERATOR(pg_catalog.=) any ($2::int8[]) as known from held)
select 0::int8, pg_catalog.current_setting('client_min_messages'), pg_catalog.count(*),
  coalesce(pg_catalog.sum(scans) filter (where known), 0)::int8, coalesce(pg_catalog.sum(node) filter (where known), 0)::int8,
  '' {flush}
from marked
union all select relation::int8, mode, 0, scans, node, '' from marked where not known
"""
_FLUSH = "OPERATOR(pg_catalog.||) pg_catalog.left(pg_catalog.pg_stat_force_next_flush()::text, 0)"
_DETAIL = """
select distinct relation::int8, mode, pg_catalog.pg_stat_get_xact_numscans(relation)::int8,
  coalesce(pg_catalog.pg_relation_filenode(relation), 0)::int8
from pg_catalog.pg_lock_status()
where pid OPERATOR(pg_catalog.=) pg_catalog.pg_backend_pid() and locktype OPERATOR(pg_catalog.=) 'relation'
  and granted and relation OPERATOR(pg_catalog.=) any (%s::oid[])
"""
_COUNTERS = """
select o::int8, pg_catalog.pg_stat_get_xact_numscans(o)::int8 from pg_catalog.unnest(%s::oid[]) o
where pg_catalog.pg_stat_get_xact_numscans(o) OPERATOR(pg_catalog.>) 0
"""
_EVER = """
select o::int8, (pg_catalog.pg_stat_get_numscans(o) OPERATOR(pg_catalog.+) pg_catalog.pg_stat_get_xact_numscans(o))::int8
from pg_catalog.unnest(%s::oid[]) o
"""

_INT8, _OID = 20, 26
_ARRAY = struct.Struct("!iiIii")  # dimensions, has nulls, type, size, lower bound
_TYPES = (1028, 1016)  # oid[], int8[]


@dataclass(frozen=True, slots=True)
class Table:
    """A table, partitioned table or materialized view that existed before the first statement."""

    oid: int
    schema: str
    name: str
    kind: str

    @property
    def full_name(self) -> str:
        """`schema.name`."""
        return f"{self.schema}.{self.name}"


@dataclass(slots=True)
class Seen:
    """What one statement did."""

    locks: tuple[Held, ...] = ()
    rewrites: tuple[str, ...] = ()
    scans: tuple[str, ...] = ()
    proved: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(slots=True)
class _Notice:
    file: str
    function: str
    text: str


@dataclass(slots=True)
class _Delta:
    """Tables by oid."""

    new: dict[int, str] = field(default_factory=dict[int, str])
    scanned: set[int] = field(default_factory=set[int])
    moved: set[int] = field(default_factory=set[int])


class Observer:
    """Looks at one session. Call `begin` when a transaction starts, `look` after each statement in it, `end` when it is over."""

    def __init__(self, wire: Wire) -> None:
        """Take the names of the tables that are there now."""
        self._wire = wire
        self._old = wire.connection.info.server_version < 150000  # no pg_stat_force_next_flush
        self._sql = _LOOK.format(flush="" if self._old else _FLUSH).encode()
        self._notices: list[_Notice] = []
        self._quiet = True
        self._wary = False
        self._prepared: bytes | None = None
        self._preparations = 0
        self._timed = False
        self.bookkeeping: str | None = None
        self.tables: dict[int, Table] = {}
        self._nodes: dict[int, int] = {}  # committed
        wire.pgconn.notice_handler = self._hear
        wire.execute("set client_min_messages = debug1")
        self.remap()

    def remap(self) -> None:
        """Take the names anew: what is there now is what existed."""
        self.tables = {oid: Table(oid, schema, name, kind) for oid, schema, name, kind, _ in self._wire.ask(_MAP)}
        self._refresh_nodes()
        self._array = _array(_OID, "!iI", self.tables)
        self._forget()
        self._prepare_look()

    def begin(self) -> None:
        """A transaction has started, and nothing has happened in it."""
        self._forget()
        if self._old and self.tables:
            self._scans = dict(self._wire.ask(_COUNTERS, (list(self.tables),)))
        self._quiet = False

    def settle(self) -> None:
        """What was done up to now is not to be observed (bookkeeping, a rollback to a savepoint)."""
        if self._wire.status == INTRANS:
            self._detail(_Delta())
            self._notices.clear()

    def end(self) -> None:
        """The transaction is over: what it held is free, and its file nodes are either committed or gone."""
        if self._moved:
            self._refresh_nodes()
        self._forget()
        if self._prepared is None:
            self._prepare_look()

    def dirty(self) -> None:
        """The next look must not trust the session's settings and prepared statements."""
        self._prepared = None
        self._wary = self._timed = True

    def prepare(self) -> None:
        """Make the session talk, right before a statement: files of pg_dump set it silent."""
        if self._wary:
            self._wary = False
            if self._wire.status == INTRANS:
                self._wire.execute("set local client_min_messages = debug1")
            else:
                self._wire.execute("set client_min_messages = debug1")
        self._notices.clear()
        self._quiet = False

    def look(self) -> Seen:
        """What the statement that has just ended in an open transaction did."""
        self._quiet = True
        delta = _Delta()
        notes: list[str] = []
        if self.tables:
            try:
                self._ask(delta)
            except _BlindError as error:
                notes.append(str(error))
        seen = self._tell(delta)
        seen.notes = tuple(notes)
        self._notices.clear()
        return seen

    @property
    def held(self) -> tuple[Held, ...]:
        """The strongest mode that the open transaction holds on each table that existed."""
        if self._held is None:
            strongest: dict[int, str] = {}
            for oid, mode in self._known:
                if oid not in strongest or STRENGTH[mode] > STRENGTH[strongest[oid]]:
                    strongest[oid] = mode
            locks = (Held(self.tables[oid].full_name, mode) for oid, mode in strongest.items())
            self._held = tuple(lock for lock in locks if not self._own(lock))
        return self._held

    def _own(self, lock: Held) -> bool:
        """Whether a lock is what the migrator itself takes to write its rows."""
        return lock.relation == self.bookkeeping and STRENGTH[lock.mode] <= STRENGTH["RowExclusiveLock"]

    def counters(self) -> dict[int, int]:
        """How often each table was scanned since ever; for statements that no transaction can be looked at from inside of."""
        if not self._old:
            self._wire.ask("select pg_catalog.pg_stat_force_next_flush()")
        return dict(self._wire.ask(_EVER, (list(self.tables),)))

    def hear_outside(self, scanned: set[int]) -> Seen:
        """What the notices of a statement outside a transaction tell, beside the tables known to be scanned."""
        moved = {oid for oid, node in self._current_nodes().items() if node != self._nodes.get(oid, node)}
        seen = self._tell(_Delta(scanned=scanned, moved=moved))
        self._refresh_nodes()
        self._notices.clear()
        return seen

    # -- one look ---------------------------------------------------------------------------------------------------

    def _forget(self) -> None:
        self._known: dict[tuple[int, str], None] = {}
        self._keys = _array(_INT8, "!iq", ())
        self._scans: dict[int, int] = {}
        self._moved: dict[int, int] = {}
        self._sums = (0, 0)
        self._held: tuple[Held, ...] | None = None
        self._notices.clear()

    def _ask(self, delta: _Delta) -> None:
        patience = self._hurry() if self._timed else "0"
        (_, messages, count, scans, nodes, _), *new = self._rows()
        if messages != "debug1":
            self._wary = True
        for oid, mode, _, scanned, node, _ in new:
            self._take(oid, mode, scanned, node, delta)
        if (scans, nodes) != self._sums or count != len(self._known) + len(new):
            self._detail(delta)
        elif new:
            for oid, mode, _, _, _, _ in new:
                self._known[oid, mode] = None
            self._retotal()
        if patience != "0":
            self._wire.ask("select pg_catalog.set_config('statement_timeout', %s, true)", (patience,))

    def _hurry(self) -> str:
        """Lift a statement_timeout for our own looks: one of a millisecond would end the transaction."""
        ((patience,),) = self._wire.ask("show statement_timeout")
        if patience == "0":
            self._timed = False
        else:
            self._wire.execute("set local statement_timeout = 0")
        return patience

    def _take(self, oid: int, mode: str, scans: int, node: int, delta: _Delta) -> None:
        if (oid, mode) not in self._known and (oid not in delta.new or STRENGTH[mode] > STRENGTH[delta.new[oid]]):
            delta.new[oid] = mode
        before = self._scans.get(oid, 0)
        if scans != before:
            delta.scanned.add(oid)
            self._scans[oid] = scans
        if node and node != self._node(oid):
            delta.moved.add(oid)
            self._moved[oid] = node

    def _node(self, oid: int) -> int:
        return self._moved.get(oid, self._nodes.get(oid, 0))

    def _detail(self, delta: _Delta) -> None:
        """Look at each table for itself; rare."""
        known: dict[tuple[int, str], None] = {}
        for oid, mode, scans, node in self._wire.ask(_DETAIL, (list(self.tables),)):
            self._take(oid, mode, scans, node, delta)
            known[oid, mode] = None
            if not node:
                self._moved[oid] = 0
        self._known = known
        self._retotal()

    def _retotal(self) -> None:
        self._held = None
        self._keys = _array(_INT8, "!iq", (oid * 32 + len(mode) for oid, mode in self._known))
        scans = sum(self._scans.get(oid, 0) for oid, _ in self._known)
        nodes = sum(self._node(oid) for oid, _ in self._known)
        self._sums = (scans, nodes)

    def _rows(self) -> list[tuple[int, str, int, int, int, str]]:
        pgconn, values = self._wire.pgconn, [self._array, self._keys]
        if self._prepared:
            return _rows(pgconn.exec_prepared(self._prepared, values, [1, 1], 1))
        return _rows(pgconn.exec_params(self._sql, values, _TYPES, [1, 1], 1))

    def _prepare_look(self) -> None:
        """Plan the look once; not in a transaction, which a refusal would end."""
        self._preparations += 1
        name = b"bulletproof_look_%d" % self._preparations
        result = self._wire.pgconn.prepare(name, self._sql, _TYPES)
        self._prepared = name if result.status == pq.ExecStatus.COMMAND_OK else None

    def _current_nodes(self) -> dict[int, int]:
        return {oid: node for oid, _, _, _, node in self._wire.ask(_MAP)}

    def _refresh_nodes(self) -> None:
        self._nodes = self._current_nodes()

    # -- telling ----------------------------------------------------------------------------------------------------

    def _hear(self, result: pq.abc.PGresult) -> None:
        if self._quiet or len(self._notices) >= _MOST_NOTICES:
            return
        file = result.error_field(pq.DiagnosticField.SOURCE_FILE)
        function = result.error_field(pq.DiagnosticField.SOURCE_FUNCTION)
        meaning = (file or b"", function or b"")
        if meaning in _MEANINGS:
            words = result.error_field(pq.DiagnosticField.MESSAGE_PRIMARY) or b""
            self._notices.append(_Notice(meaning[0].decode(), meaning[1].decode(), words.decode(errors="replace")))

    def _tell(self, delta: _Delta) -> Seen:
        rewritten: set[int] = set()
        proved: list[str] = []
        for notice in self._notices:
            verb, quoted = _MEANINGS[notice.file.encode(), notice.function.encode()], _QUOTED.findall(notice.text)
            if verb == "proves":
                proved.append(notice.text)
            elif verb == "validates" and quoted:
                delta.scanned |= self._constrained(quoted[0])
            elif verb == "builds" and len(quoted) > 1:
                delta.scanned |= self._named(quoted[1], delta)
            elif notice.text.startswith("rewriting") and quoted:
                rewritten |= self._named(quoted[0], delta)
            elif notice.text.startswith("verifying") and quoted:
                delta.scanned |= self._named(quoted[0], delta)
        rewritten |= delta.moved - self._emptied(delta.moved - rewritten)
        return Seen(
            locks=tuple(Held(self.tables[oid].full_name, mode) for oid, mode in sorted(delta.new.items())),
            rewrites=self._names(rewritten),
            scans=self._names(delta.scanned),
            proved=tuple(proved),
        )

    def _names(self, oids: Iterable[int]) -> tuple[str, ...]:
        return tuple(sorted(self.tables[oid].full_name for oid in oids if oid in self.tables))

    def _named(self, name: str, delta: _Delta) -> set[int]:
        """Which table a notice means: it gives no schema, so of several the one that the counters saw, or that is held."""
        rows = self._wire.ask(
            "select c.oid::int8 from pg_catalog.pg_class c where c.relname OPERATOR(pg_catalog.=) %s::name", (name,)
        )
        now = {oid for (oid,) in rows}
        found = now & self.tables.keys()
        if not found and not now:  # renamed or dropped since
            found = {oid for oid, table in self.tables.items() if table.name == name}
        if len(now) > 1:
            touched = found & (delta.scanned | delta.moved)
            found = touched or found & ({oid for oid, _ in self._known} | delta.new.keys())
            if not touched and len(now - self.tables.keys()) > 0:
                return set()  # the new one of that name: the old one would have been counted
        return found

    def _constrained(self, constraint: str) -> set[int]:
        """The tables that check the foreign keys of this name."""
        rows = self._wire.ask(
            "select conrelid::int8 from pg_catalog.pg_constraint where conname OPERATOR(pg_catalog.=) %s::name and contype OPERATOR(pg_catalog.=) 'f'",
            (constraint,),
        )
        held = {oid for oid, mode in self._known if STRENGTH[mode] > STRENGTH["RowShareLock"]}
        return {oid for (oid,) in rows if oid in self.tables and (oid in held or not self._known)}

    def _emptied(self, oids: set[int]) -> set[int]:
        """Of tables whose file is another, those that were emptied.

        After TRUNCATE nothing is known of a table's size; REFRESH … WITH NO DATA leaves a view that cannot be read.
        """
        if not oids:
            return set()
        rows = self._wire.ask(
            "select oid::int8 from pg_catalog.pg_class where oid OPERATOR(pg_catalog.=) any (%s::oid[])"
            " and case when relkind OPERATOR(pg_catalog.=) 'm' then not relispopulated else reltuples OPERATOR(pg_catalog.<) 0 end",
            (list(oids),),
        )
        return {oid for (oid,) in rows}


class _BlindError(Exception):
    """Why a look saw nothing."""


_MOST_NOTICES = 10_000
_QUOTED = re.compile(r'"((?:[^"]|"")*)"')
_MEANINGS = {
    (b"tablecmds.c", b"ATRewriteTable"): "rewrites",
    (b"tablecmds.c", b"validateForeignKeyConstraint"): "validates",
    (b"tablecmds.c", b"NotNullImpliedByRelConstraints"): "proves",
    (b"tablecmds.c", b"QueuePartitionConstraintValidation"): "proves",
    (b"index.c", b"index_build"): "builds",
}


def _rows(result: pq.abc.PGresult) -> list[tuple[int, str, int, int, int, str]]:
    if result.status != pq.ExecStatus.TUPLES_OK:
        raise _BlindError(f"what this statement did could not be observed: {result.get_error_message().strip()}")
    value, number = result.get_value, struct.Struct("!q").unpack
    return [
        (
            number(value(row, 0) or b"")[0],
            (value(row, 1) or b"").decode(),
            number(value(row, 2) or b"")[0],
            number(value(row, 3) or b"")[0],
            number(value(row, 4) or b"")[0],
            (value(row, 5) or b"").decode(),
        )
        for row in range(result.ntuples)
    ]


def _array(of: int, item: str, values: Iterable[int]) -> bytes:
    """A one-dimensional array in PostgreSQL's binary form."""
    pack, size = struct.Struct(item), 8 if of == _INT8 else 4
    items: Sequence[bytes] = [pack.pack(size, value) for value in values]
    if not items:
        return struct.pack("!iiI", 0, 0, of)
    return _ARRAY.pack(1, 0, of, len(items), 1) + b"".join(items)
