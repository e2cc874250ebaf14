"""The lock that a statement waits for, where it refuses a transaction and so cannot be looked at from inside.

Other sessions hold weak locks on every table that existed; the statement comes to each table, waits, is seen waiting, and is
let go on. Share keeps off everything from ShareUpdateExclusive up and tolerates itself, so while one session lets a table
go, the other still holds the rest; AccessShare catches what comes for AccessExclusive later on.
"""

import contextlib
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import psycopg
from psycopg import sql

from checks.errors import CouldNotJudge
from checks.witnesses.existing import STRENGTH, Table
from checks.witnesses.wire import Opens, Outcome, Wire

_MOST_STEPS = 40
_MOST_TABLES = 3_000
_SHARE = "SHARE"
_ACCESS_SHARE = "ACCESS SHARE"

_WAITING = """
select relation::int8, mode, locktype from pg_catalog.pg_lock_status()
where not granted and pid OPERATOR(pg_catalog.=) %s
"""


@dataclass(frozen=True, slots=True)
class Watched:
    """A statement that ran while others watched.

    Attributes:
        locks: the strongest mode that it asked for on each table, by oid.
        waited: milliseconds it was held up.
    """

    outcome: Outcome
    locks: Mapping[int, str]
    waited: float
    notes: tuple[str, ...]


def watch(branch: Opens, wire: Wire, statement: str, tables: Mapping[int, Table]) -> Watched:
    """Run a statement outside a transaction and see what it locks."""
    lockable = [table for table in tables.values() if table.kind != "m"]
    views = [table for table in tables.values() if table.kind == "m"]
    if len(tables) > _MOST_TABLES:
        note = f"its locks were not observed: there are {len(tables)} tables"
        return Watched(wire.execute(statement), {}, 0.0, (note,))
    try:
        watcher = _Watcher(branch, wire.pgconn.backend_pid, lockable, views)
    except (psycopg.Error, CouldNotJudge) as error:
        return Watched(wire.execute(statement), {}, 0.0, (f"its locks were not observed: {error}",))
    try:
        outcome = wire.execute(statement, meanwhile=watcher.step)
    finally:
        watcher.close()
    return Watched(outcome, watcher.seen, watcher.waited, tuple(watcher.notes))


class _Holder:
    """Two sessions that take turns in holding one mode on many tables."""

    def __init__(self, branch: Opens, mode: str, tables: Sequence[Table], views: Sequence[Table]) -> None:
        self.mode = mode
        self._tables = {table.oid: table for table in tables}
        self._views = {table.oid: table for table in views}
        self._holding = branch.connect()
        self._other = branch.connect()
        self._hold(self._holding)

    @property
    def pids(self) -> tuple[int, int]:
        return self._holding.info.backend_pid, self._other.info.backend_pid

    def holds(self, oid: int) -> bool:
        return oid in self._tables or oid in self._views

    def let_go(self, oids: Iterable[int]) -> None:
        """Let these tables go, and keep the others without a gap."""
        for oid in oids:
            self._tables.pop(oid, None)
            self._views.pop(oid, None)
        self._hold_tables(self._other)
        if self._views:  # a guard of a view keeps off its like, so only one session can have it
            self._holding.execute("rollback to savepoint views")
            self._guard_views(self._other)
        self._holding.execute("rollback")
        self._holding, self._other = self._other, self._holding

    def let_all_go(self) -> None:
        self._tables, self._views = {}, {}
        self._holding.execute("rollback")

    def close(self) -> None:
        for connection in (self._holding, self._other):
            with contextlib.suppress(psycopg.Error):
                connection.close()

    def _hold(self, connection: psycopg.Connection[tuple[object, ...]]) -> None:
        self._hold_tables(connection)
        self._guard_views(connection)

    def _hold_tables(self, connection: psycopg.Connection[tuple[object, ...]]) -> None:
        connection.execute("begin")
        tables = list(self._tables.values())
        if tables:
            try:
                self._lock(connection, tables)
            except psycopg.Error:  # one that this role may not lock, or that is gone: the others still count
                connection.execute("rollback")
                connection.execute("begin")
                self._lock_each(connection, tables)

    def _guard_views(self, connection: psycopg.Connection[tuple[object, ...]]) -> None:
        connection.execute("savepoint views")
        for view in list(self._views.values()):  # a guard that is refused leaves the map
            self._guard(connection, view)

    def _lock(self, connection: psycopg.Connection[tuple[object, ...]], tables: Sequence[Table]) -> None:
        names = sql.SQL(", ").join(sql.Identifier(table.schema, table.name) for table in tables)
        # A watcher must never wait for what it watches.
        connection.execute(sql.SQL("lock table only {} in {} mode nowait").format(names, sql.SQL(self.mode)))  # pyright: ignore[reportArgumentType] - one of two constants

    def _lock_each(self, connection: psycopg.Connection[tuple[object, ...]], tables: Sequence[Table]) -> None:
        for table in tables:
            connection.execute("savepoint one")
            try:
                self._lock(connection, [table])
            except psycopg.Error:
                connection.execute("rollback to savepoint one")
                self._tables.pop(table.oid, None)

    def _guard(self, connection: psycopg.Connection[tuple[object, ...]], view: Table) -> None:
        """LOCK TABLE refuses materialized views; a comment takes ShareUpdateExclusive, a query AccessShare."""
        name = sql.Identifier(view.schema, view.name)
        guard = "comment on materialized view {} is null" if self.mode == _SHARE else "select from {} limit 0"
        connection.execute("savepoint one")
        try:
            connection.execute("set local lock_timeout = '50ms'")
            connection.execute(sql.SQL(guard).format(name))  # pyright: ignore[reportArgumentType] - one of two constants
        except psycopg.Error:
            connection.execute("rollback to savepoint one")
            self._views.pop(view.oid, None)


class _Watcher:
    def __init__(self, branch: Opens, pid: int, tables: Sequence[Table], views: Sequence[Table]) -> None:
        self._pid = pid
        self.seen: dict[int, str] = {}
        self.waited = 0.0
        self.notes: list[str] = []
        self._steps = 0
        self._eyes = branch.connect()
        self._eyes.prepare_threshold = 0
        self._holders = [_Holder(branch, _SHARE, tables, views), _Holder(branch, _ACCESS_SHARE, tables, views)]

    def step(self) -> None:
        began = time.perf_counter()
        waiting = self._eyes.execute(_WAITING, (self._pid,)).fetchall()
        if not waiting:
            return
        self._steps += 1
        if self._steps > _MOST_STEPS:
            if self._steps == _MOST_STEPS + 1:
                self.notes.append(f"locks after the first {_MOST_STEPS} were not observed")
            for holder in self._holders:
                holder.let_all_go()
            return
        for oid, mode, locktype in waiting:
            if locktype != "relation":
                self._let_one_go()
                continue
            if oid not in self.seen or STRENGTH.get(mode, 0) > STRENGTH[self.seen[oid]]:
                self.seen[oid] = mode
            blockers = {
                pid
                for (pids,) in self._eyes.execute("select pg_catalog.pg_blocking_pids(%s)", (self._pid,))
                for pid in pids
            }
            for holder in self._holders:
                if blockers.intersection(holder.pids):
                    holder.let_go([oid])
        self.waited += (time.perf_counter() - began) * 1000

    def _let_one_go(self) -> None:
        """It waits for transactions to end, one of ours among them: for a table that it has come to already, the first first."""
        for oid in self.seen:
            for holder in self._holders:
                if holder.holds(oid):
                    holder.let_go([oid])
                    return
        for holder in self._holders:
            holder.let_all_go()

    def close(self) -> None:
        for holder in self._holders:
            holder.close()
        self._eyes.close()
