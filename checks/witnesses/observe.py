"""What PostgreSQL did between two looks: new locks, rewritten and scanned tables, scans it could skip.

Three signals that do not depend on each other: DEBUG1 notices told apart by the function that sent them (a user's RAISE
cannot forge that), file nodes, and the scan counters of the running transaction. One query a statement looks at all of it,
and answers with what is new. Names are those of the tables before the first statement; later ones come and go.
"""

import re
import struct
import sys
from array import array
from collections.abc import Iterable
from dataclasses import dataclass, field

from psycopg import pq

from checks.witnesses import looks
from checks.witnesses.familiar import Names
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

_MODE_OF = {len(mode): mode for mode in MODES}
_OID = struct.Struct("!I")
_NAME = 19  # the type `name`


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


@dataclass(frozen=True, slots=True)
class Seen:
    """What one statement did."""

    locks: tuple[Held, ...] = ()
    rewrites: tuple[str, ...] = ()
    scans: tuple[str, ...] = ()
    proved: tuple[str, ...] = ()
    changes: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


_NOTHING = Seen()


@dataclass(slots=True)
class _Notice:
    file: str
    function: str
    text: str


@dataclass(slots=True)
class _Delta:
    """Tables by oid."""

    new: dict[int, str] = field(default_factory=dict[int, str])
    scanned: dict[int, int] = field(default_factory=dict[int, int])
    moved: set[int] = field(default_factory=set[int])


class Observer:
    """Looks at one session. Call `begin` when a transaction starts, `look` after each statement in it, `end` when it is over."""

    def __init__(self, wire: Wire) -> None:
        """Take the names of the tables that are there now."""
        self._wire = wire
        self._old = wire.connection.info.server_version < 150000  # no pg_stat_force_next_flush
        self._sql = looks.LOOK.format(flush="" if self._old else looks.FLUSH).encode()
        self._notices: list[_Notice] = []
        self._quiet = True
        self._wary = False
        self._prepared: bytes | None = None
        self._preparations = 0
        self._timed = False
        self._counted = False
        self._counts = wire.ask("show track_counts") == [("on",)]
        self.bookkeeping: str | None = None
        self.tables: dict[int, Table] = {}
        self._nodes: dict[int, int] = {}  # committed
        wire.pgconn.notice_handler = self._hear
        wire.execute("set client_min_messages = debug1")
        self.remap()

    def remap(self) -> None:
        """Take the names anew: what is there now is what existed."""
        self.tables = {oid: Table(oid, schema, name, kind) for oid, schema, name, kind, _ in self._wire.ask(looks.MAP)}
        self._refresh_nodes()
        functions = self._wire.ask(
            "select distinct proname::text from pg_catalog.pg_proc where oid OPERATOR(pg_catalog.>=) 16384::oid"
        )
        self._words = Names({table.name for table in self.tables.values()}, {name for (name,) in functions})
        self._youngest = _OID.pack(max(self.tables, default=0))
        self._forget()
        self._prepare_look()

    def begin(self) -> None:
        """A transaction has started, and nothing has happened in it."""
        self._forget()
        if self._old and self.tables:
            self._scans = dict(self._wire.ask(looks.COUNTERS, (list(self.tables),)))
        self._quiet = False

    def settle(self) -> None:
        """What was done up to now is not to be observed (bookkeeping, a rollback to a savepoint)."""
        if self._wire.status == INTRANS:
            self.look()

    def end(self, *, committed: bool) -> None:
        """The transaction is over: what it held is free, and its file nodes are either committed or gone."""
        if committed:
            self._nodes.update(self._moved)
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

    def look(self, sql: str = "") -> Seen:
        """What the statement that has just ended in an open transaction did."""
        self._quiet = True
        delta = _Delta()
        notes: list[str] = []
        self._counted = self._counts
        if self._watches:
            try:
                if (named := self._familiar(sql)) is None:
                    self._ask(delta)
                else:
                    self._glance(named, delta)
            except _BlindError as error:
                self._counted = False
                notes.append(str(error))
        if not (self._notices or delta.new or delta.scanned or delta.moved or notes):
            return _NOTHING
        seen = self._tell(delta, tuple(notes))
        self._notices.clear()
        return seen

    @property
    def _watches(self) -> bool:
        """Whether there is anything to look at: an empty database has the migrator's own table at most."""
        return len(self.tables) > 1 or any(table.full_name != self.bookkeeping for table in self.tables.values())

    @property
    def held(self) -> tuple[Held, ...]:
        """The strongest mode that the open transaction holds on each table that existed."""
        if self._held is None:
            locks = (Held(self.tables[oid].full_name, mode) for oid, mode in self._strongest.items())
            self._held = tuple(lock for lock in locks if not self._own(lock))
        return self._held

    @property
    def keeps_books(self) -> bool:
        """Whether the lock on the migrator's own table was seen in this transaction."""
        return any(self.tables[oid].full_name == self.bookkeeping for oid in self._strongest)

    def _own(self, lock: Held) -> bool:
        """Whether a lock is what the migrator itself takes to write its rows."""
        return lock.relation == self.bookkeeping and STRENGTH[lock.mode] <= STRENGTH["RowExclusiveLock"]

    def counters(self) -> dict[int, int]:
        """How often each table was scanned since ever; for statements that no transaction can be looked at from inside of."""
        if not self._old:
            self._wire.ask("select pg_catalog.pg_stat_force_next_flush()")
        return dict(self._wire.ask(looks.EVER, (list(self.tables),)))

    def hear_outside(self, scanned: dict[int, int]) -> Seen:
        """What the notices of a statement outside a transaction tell, beside the tables known to be scanned."""
        self._counted = False
        moved = {oid for oid, node in self._current_nodes().items() if node != self._nodes.get(oid, node)}
        seen = self._tell(_Delta(scanned=scanned, moved=moved))
        self._refresh_nodes()
        self._notices.clear()
        return seen

    # -- one look ---------------------------------------------------------------------------------------------------

    def _forget(self) -> None:
        self._packed: tuple[bytes, bytes, bytes] = (b"", b"", b"")
        self._keys: set[int] = set()
        self._strongest: dict[int, str] = {}
        self._scans: dict[int, int] = {}
        self._moved: dict[int, int] = {}
        self._held: tuple[Held, ...] | None = None
        self._looks = 0
        self._notices.clear()

    def _ask(self, delta: _Delta) -> None:
        patience = self._hurry() if self._timed else "0"
        packed, messages = self._row()
        self._wary = self._wary or messages != "debug1"
        if packed != self._packed:
            self._packed = packed
            self._compare(delta)
        if patience != "0":
            self._wire.ask("select pg_catalog.set_config('statement_timeout', %s, true)", (patience,))

    def _familiar(self, sql: str) -> list[int] | None:
        """The tables to glance at, where looking at every lock would cost much and tell nothing more."""
        self._words.notice(sql)
        self._looks += 1
        if self._looks < _LONG or self._timed or (names := self._words.only(sql)) is None:
            return None
        named = [oid for oid, table in self.tables.items() if table.name.lower() in names] if names else []
        return named if all(self._strongest.get(oid) == MODES[-1] for oid in named) else None

    def _glance(self, named: list[int], delta: _Delta) -> None:
        if not named:
            return
        oids = "{" + ",".join(map(str, named)) + "}"
        result = self._wire.pgconn.exec_params(looks.GLANCE, [oids.encode()], [_OIDS], [0], 1)
        if result.status != pq.ExecStatus.TUPLES_OK:
            raise _BlindError(f"what this statement did could not be observed: {result.get_error_message().strip()}")
        values = _integers(result.get_value(0, 0) or b"")
        for oid, scans, node in zip(named, values[::2], values[1::2], strict=True):
            self._count(oid, scans, node, delta)
        self._packed = (b"", b"", b"")

    def _count(self, oid: int, scans: int, node: int, delta: _Delta) -> None:
        if scans != (before := self._scans.get(oid, 0)):
            delta.scanned[oid] = max(scans - before, 1)
            self._scans[oid] = scans
        if node != self._moved.get(oid, self._nodes.get(oid, 0)):
            self._moved[oid] = node
            if node:
                delta.moved.add(oid)

    def _compare(self, delta: _Delta) -> None:
        """What is otherwise than at the last look."""
        keys: set[int] = set()
        strongest: dict[int, str] = {}
        for key, scans, node in zip(*map(_integers, self._packed), strict=True):
            oid = key >> 5
            if oid not in self.tables:
                continue
            keys.add(key)
            _strengthen(strongest, oid, _MODE_OF[key & 31])
            self._count(oid, scans, node, delta)
        for key in keys - self._keys:
            _strengthen(delta.new, key >> 5, _MODE_OF[key & 31])
        self._keys, self._strongest, self._held = keys, strongest, None

    def _hurry(self) -> str:
        """Lift a statement_timeout for our own looks: one of a millisecond would end the transaction."""
        ((patience,),) = self._wire.ask("show statement_timeout")
        if patience == "0":
            self._timed = False
        else:
            self._wire.execute("set local statement_timeout = 0")
        return patience

    def _row(self) -> tuple[tuple[bytes, bytes, bytes], str]:
        pgconn = self._wire.pgconn
        if self._prepared:
            result = pgconn.exec_prepared(self._prepared, [self._youngest], [1], 1)
        else:
            result = pgconn.exec_params(self._sql, [self._youngest], [26], [1], 1)
        if result.status != pq.ExecStatus.TUPLES_OK:
            words = result.get_error_message().strip()
            raise _BlindError(f"what this statement did could not be observed: {words}")
        keys, scans, nodes = (result.get_value(0, column) or b"" for column in (0, 1, 2))
        return (keys, scans, nodes), (result.get_value(0, 3) or b"").decode()

    def _prepare_look(self) -> None:
        """Plan the look once; not in a transaction, which a refusal would end."""
        self._preparations += 1
        name = b"bulletproof_look_%d" % self._preparations
        result = self._wire.pgconn.prepare(name, self._sql, [26])
        self._prepared = name if result.status == pq.ExecStatus.COMMAND_OK else None

    def _current_nodes(self) -> dict[int, int]:
        return {oid: node for oid, _, _, _, node in self._wire.ask(looks.MAP)}

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

    def _tell(self, delta: _Delta, notes: tuple[str, ...] = ()) -> Seen:
        rewritten: set[int] = set()
        proved: list[str] = []
        for notice in self._notices:
            verb, quoted = _MEANINGS[notice.file.encode(), notice.function.encode()], _QUOTED.findall(notice.text)
            if verb == "proves":
                proved.append(notice.text)
            elif verb == "validates" and quoted:
                delta.scanned |= dict.fromkeys(self._constrained(quoted[0]), 1)
            elif verb == "builds" and len(quoted) > 1:
                delta.scanned |= dict.fromkeys(self._named(quoted[1], delta), 1)
            elif notice.text.startswith("rewriting") and quoted:
                rewritten |= self._named(quoted[0], delta)
            elif notice.text.startswith("verifying") and quoted:
                delta.scanned |= dict.fromkeys(self._named(quoted[0], delta), 1)
        rewritten |= delta.moved - self._emptied(delta.moved - rewritten, delta)
        return Seen(
            locks=tuple(Held(self.tables[oid].full_name, mode) for oid, mode in sorted(delta.new.items())),
            rewrites=self._names(rewritten),
            scans=self._names(delta.scanned),
            proved=tuple(proved),
            notes=notes,
        )

    def _names(self, oids: Iterable[int]) -> tuple[str, ...]:
        return tuple(sorted(self.tables[oid].full_name for oid in oids if oid in self.tables))

    def _named(self, name: str, delta: _Delta) -> set[int]:
        """Which table a notice means: it gives no schema, and the table may have another name by now.

        Inside a transaction the counters know without asking; they count empty tables too.
        """
        if self._counted:
            return {oid for oid in delta.scanned.keys() | delta.moved if self.tables[oid].name == name}
        now = {
            oid
            for (oid,) in self._wire.ask(
                "select oid::int8 from pg_catalog.pg_class where relname OPERATOR(pg_catalog.=) %s::name", (name,)
            )
        }
        found = now & self.tables.keys()
        if len(found) > 1:
            found = found & (delta.scanned.keys() | delta.moved | delta.new.keys()) or found
        return found

    def _constrained(self, constraint: str) -> set[int]:
        """The tables that check the foreign keys of this name: the plan may read them by an index, which is not counted."""
        result = self._wire.pgconn.exec_params(
            b"select string_agg(pg_catalog.int8send(conrelid::int8), '') from pg_catalog.pg_constraint"
            b" where conname OPERATOR(pg_catalog.=) $1 and contype OPERATOR(pg_catalog.=) 'f'",
            [constraint.encode()],
            [_NAME],
            [0],
            1,
        )
        if result.status != pq.ExecStatus.TUPLES_OK:
            return set()
        held = {oid for oid, mode in self._strongest.items() if STRENGTH[mode] > STRENGTH["RowShareLock"]}
        return {
            oid for oid in _integers(result.get_value(0, 0) or b"") if oid in self.tables and (oid in held or not held)
        }

    def _emptied(self, oids: set[int], delta: _Delta) -> set[int]:
        """Of tables whose file is another though nothing said "rewriting", those that were emptied.

        TRUNCATE leaves an empty file of unknown size, and reads the table for its indexes at most; CLUSTER writes the size
        down, and whatever else makes a new file reads the old one too. REFRESH … WITH NO DATA leaves a view that cannot
        be read.
        """
        if not oids:
            return set()
        rows = self._wire.ask(looks.FILES, (list(oids),))
        return {
            oid
            for oid, view, populated, unknown, size, indexes in rows
            if (not populated if view else unknown and not size and delta.scanned.get(oid, 0) <= indexes)
        }


class _BlindError(Exception):
    """Why a look saw nothing."""


_MOST_NOTICES = 10_000
_LONG = 20  # statements, after which listing what a transaction holds costs more and more
_OIDS = 1028  # the type `oid[]`
_QUOTED = re.compile(r'"((?:[^"]|"")*)"')
_MEANINGS = {
    (b"tablecmds.c", b"ATRewriteTable"): "rewrites",
    (b"tablecmds.c", b"validateForeignKeyConstraint"): "validates",
    (b"tablecmds.c", b"NotNullImpliedByRelConstraints"): "proves",
    (b"tablecmds.c", b"QueuePartitionConstraintValidation"): "proves",
    (b"index.c", b"index_build"): "builds",
}


def _strengthen(modes: dict[int, str], oid: int, mode: str) -> None:
    if oid not in modes or STRENGTH[mode] > STRENGTH[modes[oid]]:
        modes[oid] = mode


def _integers(packed: bytes) -> "array[int]":
    numbers = array("q", packed)
    if sys.byteorder == "little":
        numbers.byteswap()
    return numbers
