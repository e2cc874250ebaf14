"""What PostgreSQL did between two looks: new locks, rewritten and scanned tables, scans it could skip.

Three signals that do not depend on each other: what PostgreSQL says while it works (`hearing`), file nodes, and the scan
counters of the running transaction. One query looks at all of it, and answers with what is new; in a long transaction
`foresight` spares most of these queries. Names are those of the tables before the first statement; later ones come and go.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from psycopg import pq

from checks.witnesses import existing, looks
from checks.witnesses.existing import MODES, STRENGTH, Table
from checks.witnesses.foresight import NOTHING, Foreseen, Foresight
from checks.witnesses.hearing import Ear, Heard
from checks.witnesses.model import Held, Holding, Ledger, Seen
from checks.witnesses.wire import INTRANS, Wire

# A lock is written as relation * 32 + length of the mode's name (no two are equally long).
_MODE_OF = {len(mode): mode for mode in MODES}
_LONG = 40  # statements, after which listing what a transaction holds costs more and more
# Statements foreseen in a row, after which all locks are listed again: so many, and so many for each lock that is held.
_PROVE, _PROVE_FOR_EACH = 64, 1 / 8


_NOTHING = Seen()


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
        self._ear = Ear()
        self._wary = False
        self._timed = False
        self._counted = False
        self._counts = wire.ask("show track_counts") == [("on",)]
        self.bookkeeping: str | None = None
        self._ear.attach(wire.pgconn)
        wire.execute("set client_min_messages = debug1")
        self.remap()

    def remap(self) -> None:
        """Take the names anew: what is there now is what existed."""
        before = existing.look(self._wire)
        self.tables: dict[int, Table] = before.tables
        self._nodes = before.nodes  # committed
        self._foresight = Foresight(before)
        self._careful = False
        self._queries = looks.Queries(self._wire, self.tables, flush=not self._old)
        self._forget()
        self._queries.plan()

    def begin(self) -> None:
        """A transaction has started, and nothing has happened in it."""
        self._forget()
        self._carries = self._old and bool(self.tables)
        self._ear.awake = True

    def settle(self) -> None:
        """What was done up to now is not to be observed (bookkeeping, a rollback to a savepoint)."""
        if self._wire.status == INTRANS:
            self._carry()
            self._claimed.clear()  # a rollback has let go what was foreseen
            self._look_on(None)

    def end(self, *, committed: bool) -> None:
        """The transaction is over: what it held is free, and its file nodes are either committed or gone."""
        if committed:
            self._nodes.update(self._moved)
        self._forget()
        if not self._queries.planned:
            self._queries.plan()

    def dirty(self) -> None:
        """The next look must not trust the session's settings and prepared statements."""
        self._queries.forget()
        self._wary = self._timed = True

    def prepare(self) -> None:
        """Make the session talk, right before a statement: files of pg_dump set it silent."""
        if self._wary:
            self._wary = False
            where = "local " if self._wire.status == INTRANS else ""
            self._wire.execute(f"set {where}client_min_messages = debug1")
        if self._wire.status == INTRANS:
            self._carry()
        self._ear.heard.clear()
        self._ear.awake = True

    def read(self, sql: str) -> None:
        """Take the statement that is about to be looked at; there is time for it while the server works."""
        self._foresight.read(sql)

    def look(self) -> Seen:
        """What the statement that was read, and has just ended in an open transaction, did."""
        self._looks += 1
        foreseen = self._foresight.of(self._ear.heard)
        self._proves = foreseen.proves if foreseen is not None else ("", None)
        self._apart = foreseen is NOTHING
        proving = self._foreseen >= max(_PROVE, len(self._keys) * _PROVE_FOR_EACH)
        usual = self._looks < _LONG or self._timed or self._careful or proving
        seen = self._look_on(None if usual else foreseen)
        self._proves, self._apart = ("", None), False
        return seen

    def _look_on(self, foreseen: Foreseen | None) -> Seen:
        self._ear.awake = False
        delta = _Delta()
        notes: list[str] = []
        self._counted = self._counts
        if self._watches:
            try:
                if foreseen is None:
                    notes += self._ask(delta)
                else:
                    self._believe(foreseen, delta)
            except _BlindError as error:
                self._counted = False
                notes.append(str(error))
        if not (self._ear.heard or delta.new or delta.scanned or delta.moved or notes):
            return _NOTHING
        seen = self._tell(delta, tuple(notes))
        self._ear.heard.clear()
        return seen

    @property
    def _watches(self) -> bool:
        """Whether there is anything to look at: an empty database has the migrator's own table at most."""
        return len(self.tables) > 1 or any(table.full_name != self.bookkeeping for table in self.tables.values())

    @property
    def held(self) -> Holding:
        """The strongest mode that the open transaction holds on each table that existed."""
        return Holding(self._taken)

    @property
    def keeps_books(self) -> bool:
        """Whether the lock on the migrator's own table was seen in this transaction."""
        return any(self.tables[oid].full_name == self.bookkeeping for oid in self._strongest)

    def _own(self, lock: Held) -> bool:
        """Whether a lock is what the migrator itself takes to write its rows."""
        return lock.relation == self.bookkeeping and STRENGTH[lock.mode] <= STRENGTH["RowExclusiveLock"]

    def counters(self) -> dict[int, int]:
        """How often each table was scanned since ever; for statements that no transaction can be looked at from inside of."""
        # PostgreSQL 14 hands its counters to a process that answers with what it knew half a second ago.
        self._wire.ask(
            "select pg_catalog.pg_sleep(0.6)" if self._old else "select pg_catalog.pg_stat_force_next_flush()"
        )
        return dict(self._wire.ask(looks.EVER, (list(self.tables),)))

    @property
    def counts_late(self) -> bool:
        """Whether `counters` takes long."""
        return self._old

    def built(self, touched: Iterable[int]) -> set[int]:
        """The tables of which an index was built by a statement outside a transaction; of one name, those it touched."""
        self._counted = False
        heard = (each for each in self._ear.heard if each.verb == "builds")
        return {oid for each in heard for oid in self._named(each, _Delta(new=dict.fromkeys(touched, "")))}

    def hear_outside(self, scanned: dict[int, int], locked: dict[int, str]) -> Seen:
        """What PostgreSQL said of a statement outside a transaction, beside the tables known to be scanned or locked."""
        self._counted = False
        files = existing.files(self._wire)
        moved = {oid for oid, node in files.items() if node != self._nodes.get(oid, node)}
        seen = self._tell(_Delta(new=locked, scanned=scanned, moved=moved))
        self._nodes = files
        self._ear.heard.clear()
        return seen

    # -- one look ---------------------------------------------------------------------------------------------------

    def _forget(self) -> None:
        self._packed: tuple[bytes, bytes, bytes] = (b"", b"", b"")
        self._rows: set[tuple[int, int, int]] = set()
        self._keys: set[int] = set()
        self._claimed: set[int] = set()
        self._strongest: dict[int, str] = {}
        self._scans: dict[int, int] = {}
        self._moved: dict[int, int] = {}
        self._taken = Ledger()
        self._carries = False  # counters of the transaction before, until they are asked for
        self._looks = self._foreseen = 0
        self._proves: tuple[str, int | None] = ("", None)
        self._apart = False  # the statement reaches no table that existed
        self._ear.heard.clear()

    def _carry(self) -> None:
        """Take what the last transaction left in the counters; no earlier, for SET TRANSACTION must come before any query."""
        if self._carries:
            self._carries = False
            self._scans = dict(self._wire.ask(looks.COUNTERS, (list(self.tables),)))

    def _ask(self, delta: _Delta) -> list[str]:
        """List all locks."""
        patience = self._hurry() if self._timed else "0"
        self._queries.doubt()
        packed, messages = self._row()
        self._wary = self._wary or messages != "debug1"
        if packed != self._packed or self._claimed:
            self._packed = packed
            self._compare(delta)
        self._foreseen = 0
        wrong = self._claimed - self._keys
        self._claimed.clear()
        if patience != "0":
            self._wire.ask("select pg_catalog.set_config('statement_timeout', %s, true)", (patience,))
        if not wrong:
            return []
        self._careful = True
        names = ", ".join(sorted({f"`{self.tables[key >> 5].full_name}`" for key in wrong}))
        return [f"which statement before this one locks {names} was not observed"]

    def _believe(self, foreseen: Foreseen, delta: _Delta) -> None:
        """Take what a statement says for what it did, until all locks are listed again."""
        self._foreseen += 1
        for oid, mode in foreseen.locks:
            key = oid * 32 + len(mode)
            if key not in self._keys:
                self._keys.add(key)
                self._claimed.add(key)
                _strengthen(delta.new, oid, mode)
                self._take(oid, mode)
        if foreseen.scans is not None:
            self._scans[foreseen.scans] = self._scans.get(foreseen.scans, 0) + 1
            delta.scanned[foreseen.scans] = 1
        if foreseen.reads:
            self._glance(list(dict.fromkeys(oid for oid, _ in foreseen.locks)), delta)

    def _glance(self, named: list[int], delta: _Delta) -> None:
        result = self._queries.glance(named)
        if result.status != pq.ExecStatus.TUPLES_OK:
            raise _BlindError(f"what this statement did could not be observed: {result.get_error_message().strip()}")
        values = looks.integers(result.get_value(0, 0) or b"")
        for oid, scans, node in zip(named, values[::2], values[1::2], strict=True):
            self._count(oid, scans, node, delta)
        self._packed = (b"", b"", b"")

    def _count(self, oid: int, scans: int, node: int, delta: _Delta) -> None:
        if scans != (before := self._scans.get(oid, 0)):
            delta.scanned[oid] = max(scans - before, 1)
            self._scans[oid] = scans
        if node >= 0 and node != self._moved.get(oid, self._nodes.get(oid, 0)):
            self._moved[oid] = node
            if node:
                delta.moved.add(oid)

    def _compare(self, delta: _Delta) -> None:
        """What is otherwise than at the last look."""
        arrays = [looks.integers(each) for each in self._packed]
        rows, keys = set(zip(*arrays, strict=True)), set(arrays[0])
        for key, scans, node in rows - self._rows:
            self._count(key >> 5, scans, node, delta)
        new = keys - self._keys
        for key in new:
            _strengthen(delta.new, key >> 5, _MODE_OF[key & 31])
        if gone := self._keys - keys:  # let go by a rollback to a savepoint, and their files are the old ones again
            self._strongest, self._taken, new = {}, Ledger(), keys
            for key in gone:
                if _MODE_OF[key & 31] == MODES[-1]:
                    self._moved.pop(key >> 5, None)
        for key in sorted(new):
            self._take(key >> 5, _MODE_OF[key & 31])
        self._rows, self._keys = rows, keys

    def _take(self, oid: int, mode: str) -> None:
        """Remember a lock."""
        if oid not in self._strongest or STRENGTH[mode] > STRENGTH[self._strongest[oid]]:
            self._strongest[oid] = mode
            lock = Held(self.tables[oid].full_name, mode)
            if not self._own(lock):
                self._taken.add(lock)

    def _hurry(self) -> str:
        """Lift a statement_timeout for our own looks: one of a millisecond would end the transaction."""
        ((patience,),) = self._wire.ask("show statement_timeout")
        if patience == "0":
            self._timed = False
        else:
            self._wire.execute("set local statement_timeout = 0")
        return patience

    def _row(self) -> tuple[tuple[bytes, bytes, bytes], str]:
        result = self._queries.ask("look")
        if result.status != pq.ExecStatus.TUPLES_OK:
            words = result.get_error_message().strip()
            raise _BlindError(f"what this statement did could not be observed: {words}")
        keys, scans, nodes = (result.get_value(0, column) or b"" for column in (0, 1, 2))
        return (keys, scans, nodes), (result.get_value(0, 3) or b"").decode()

    # -- telling ----------------------------------------------------------------------------------------------------

    def _tell(self, delta: _Delta, notes: tuple[str, ...] = ()) -> Seen:
        rewritten: set[int] = set()
        for heard in self._ear.heard:
            match heard.verb:
                case "validates":
                    delta.scanned |= dict.fromkeys(self._checked(heard.name), 1)
                case "builds" | "verifies":
                    delta.scanned |= dict.fromkeys(self._named(heard, delta), 1)
                case "rewrites":
                    rewritten |= self._named(heard, delta)
                case "proves":
                    pass
        rewritten |= delta.moved - looks.emptied(self._wire, delta.moved - rewritten, delta.scanned)
        return Seen(
            locks=tuple(Held(self.tables[oid].full_name, mode) for oid, mode in sorted(delta.new.items())),
            rewrites=self._names(rewritten),
            scans=self._names(delta.scanned),
            proved=tuple(heard.words for heard in self._ear.heard if heard.verb == "proves"),
            notes=notes,
        )

    def _names(self, oids: Iterable[int]) -> tuple[str, ...]:
        return tuple(sorted(self.tables[oid].full_name for oid in oids if oid in self.tables))

    def _named(self, heard: Heard, delta: _Delta) -> set[int]:
        """Which table is meant: no schema is given, and the table may have another name by now.

        Inside a transaction the counters know without asking; they count empty tables too.
        """
        if self._counted:
            return {oid for oid in delta.scanned.keys() | delta.moved if self.tables[oid].name == heard.name}
        now = {
            oid
            for (oid,) in self._wire.ask(
                "select oid::int8 from pg_catalog.pg_class where relname OPERATOR(pg_catalog.=) %s::name", (heard.name,)
            )
        }
        found = now & self.tables.keys()
        if len(found) > 1:
            found = found & (delta.scanned.keys() | delta.moved | delta.new.keys()) or found
        return found

    def _checked(self, constraint: str) -> set[int]:
        """The tables that check a foreign key of this name: the one that the statement adds, where that is sure."""
        if self._apart or not self._watches:
            return set()
        name, table = self._proves
        if constraint != name:
            return self._constrained(constraint)
        return set() if table is None else {table}

    def _constrained(self, constraint: str) -> set[int]:
        """The tables that check the foreign keys of this name: the plan may read them by an index, which is not counted."""
        result = self._queries.ask("constrained", constraint.encode())
        if result.status != pq.ExecStatus.TUPLES_OK:
            return set()
        held = {oid for oid, mode in self._strongest.items() if STRENGTH[mode] > STRENGTH["RowShareLock"]}
        return {
            oid
            for oid in looks.integers(result.get_value(0, 0) or b"")
            if oid in self.tables and (oid in held or not held)
        }


class _BlindError(Exception):
    """Why a look saw nothing."""


def _strengthen(modes: dict[int, str], oid: int, mode: str) -> None:
    if oid not in modes or STRENGTH[mode] > STRENGTH[modes[oid]]:
        modes[oid] = mode
