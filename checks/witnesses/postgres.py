"""The witness that runs: one statement after the other, as a driver would send them, each with what PostgreSQL did."""

import contextlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import lru_cache

import psycopg

from checks.drizzle.model import Statement
from checks.witnesses import concurrently, deeds, existing, zones
from checks.witnesses.existing import STRENGTH
from checks.witnesses.model import NOTHING_HELD, Failure, Holding, Observation, Seen
from checks.witnesses.observe import Observer
from checks.witnesses.wire import IDLE, INERROR, INTRANS, Opens, Outcome, Wire

Words = tuple[str, str, str]
REFUSES_TRANSACTION = ("25001", "2D000")  # CREATE INDEX CONCURRENTLY and its like; a procedure that commits

_FIRST = re.compile(r"(?:\s|--[^\n]*(?:\n|$)|/\*.*?\*/)*([A-Za-z]+)(?:\s+([A-Za-z]+))?(?:\s+([A-Za-z]+))?", re.DOTALL)
CONTROL = frozenset({"BEGIN", "START", "COMMIT", "END", "ROLLBACK", "ABORT", "SAVEPOINT", "RELEASE"})
# They need a transaction of their own making, or none at all; in one of ours they would succeed where they fail in truth.
_BARE = frozenset({"LOCK", "DECLARE", "DISCARD"})
# They lock nothing, and a look after them would take the snapshot that SET TRANSACTION must come before.
_CODE = frozenset({"DO", "CALL", "EXECUTE"})
# A function may change the schema; what is PostgreSQL's own, as pg_dump's files call it by the hundred, does not.
_CALLS = re.compile(
    r"select\s+(?!(?:pg_catalog\.)?(?:setval|nextval|currval|set_config|count|now|max|min|sum|coalesce|exists|pg_\w+)\s*\()"
    r"(?:\*\s+from\s+)?[\w.\"]+\s*\(",
    re.IGNORECASE,
)
_SHARE, _WATCHED = "ShareLock", "ShareUpdateExclusiveLock"
_UNSEEN = frozenset({"SET", "RESET", "SHOW", "LISTEN", "UNLISTEN", "NOTIFY"})
_SETTINGS = re.compile(r"client_min_messages|deallocate|discard|\breset\s+all\b|timeout|set_config", re.IGNORECASE)
_HINTS = (
    "client_min_messages",
    "deallocate",
    "discard",
    "reset",
    "timeout",
    "set_config",
)  # found much faster in megabytes


class Session:
    """A session whose every statement is observed."""

    def __init__(self, branch: Opens, *, seconds: float | None = None) -> None:
        """Open it; what is there now is what existed."""
        self._branch = branch
        self.wire = Wire(branch, seconds=seconds)
        self.observer = Observer(self.wire)
        self._implicit = False
        self._changed = False

    def close(self) -> None:
        """End it; what was not committed is undone."""
        self.wire.close()

    def quietly(self, sql: str) -> Outcome:
        """Send something of the migrator's own, which is nobody's finding."""
        before = self.wire.status
        outcome = self.wire.execute(sql)
        self._moved(before, first_words(sql), outcome)
        return outcome

    def existing_now(self, *, bookkeeping: tuple[str, str] | None = None) -> None:
        """What is there now is what existed; the migrator's own locks on its table are nobody's finding."""
        self.observer.remap()
        self.observer.bookkeeping = None if bookkeeping is None else ".".join(bookkeeping)

    def choose(self, name: str, value: str) -> None:
        """Set a setting of the session; one that the branch role may not set stays as it is."""
        with contextlib.suppress(psycopg.Error):
            self.wire.ask("select pg_catalog.set_config(%s, %s, false)", (name, value))

    def settle(self) -> None:
        """The migrator has written a row; its lock on its own table is taken once a transaction."""
        if self.wire.status == INTRANS and not self.observer.keeps_books:
            self.observer.settle()

    def unobserved(self, statement: Statement, query: str, *, extended: bool = False) -> Observation:
        """Send a query as it is; what comes of it stands for `statement`."""
        before = self.wire.status
        outcome = self.wire.execute(query, extended=extended)
        self._moved(before, ("", "", ""), outcome)
        note = () if outcome.failure else ("it was sent as one query with its neighbours, and not observed",)
        return Observation(
            statement=statement, executed=outcome.failure is None, ms=outcome.ms, failure=outcome.failure, notes=note
        )

    def forget(self) -> None:
        """Be a new session, as every query over HTTP is."""
        if self.wire.status == IDLE and not self._changed:
            return
        self._changed = False
        for reset in (
            "rollback",
            "reset session authorization",
            "reset role",
            "reset all",
            "discard temp",
            "unlisten *",
        ):
            self.quietly(reset)
        self.observer.dirty()

    def chunk(self, statements: Sequence[Statement]) -> Iterator[Observation]:
        """Run what a driver sends as one query, up to the first failure.

        Several statements in one query are one transaction unless there is one already: the server opens an implicit one
        (https://www.postgresql.org/docs/current/protocol-flow.html#PROTOCOL-FLOW-MULTI-STATEMENT).
        """
        several = len(statements) > 1
        last: Observation | None = None
        for statement in statements:
            if last is not None:
                yield last
            last = self._one(statement, several=several)
            if last.failure is not None:
                break
        if last is None:
            return
        if self._implicit:
            self._implicit = False
            if last.failure is not None:
                self._finish("rollback")
            elif (failure := self._finish("commit").failure) is not None:
                last = _failed(last, failure)
        yield last

    def bare(self, statement: Statement) -> Observation:
        """Run one statement by the extended protocol, in no transaction but its own."""
        return self._one(statement, several=False)

    def _one(self, statement: Statement, *, several: bool) -> Observation:
        words = first_words(statement.sql)
        if self.wire.status != IDLE and not (self._implicit and words[0] in CONTROL):
            return self._inside(statement, words)
        if words[0] in CONTROL:
            return self._control(statement, words)
        if words[0] in _UNSEEN or (words[0] in _BARE and not several):
            return self._bare(statement, words)
        self._open()
        if several:
            self._implicit = True
            return self._inside(statement, words)
        return self._alone(statement, words)

    def _open(self) -> None:
        self.wire.execute("begin")
        self.observer.begin()

    def _finish(self, how: str) -> Outcome:
        outcome = self.wire.execute(how)
        self.observer.end(committed=outcome.tag == "COMMIT")
        return outcome

    def _control(self, statement: Statement, words: Words) -> Observation:
        if self._implicit and words[0] in {"BEGIN", "START"}:
            self._implicit = False  # the server makes the implicit transaction a regular one
            return Observation(statement=statement, executed=True, ms=0.0, held=self.observer.held)
        if self._implicit and words[0] in {"SAVEPOINT", "RELEASE"}:
            self._implicit = False  # refused in an implicit transaction, which ends with it
            self._finish("rollback")
        return self._bare(statement, words)

    def _bare(self, statement: Statement, words: Words) -> Observation:
        before = self.wire.status
        outcome = self.wire.execute(statement.sql)
        self._changed = True
        self._implicit = self._implicit and self.wire.status == INTRANS
        self._moved(before, words, outcome)
        self._mistrust(statement)
        return _observation(statement, outcome, Seen(), self._held(), in_transaction=self.wire.status == INTRANS)

    def _inside(self, statement: Statement, words: Words) -> Observation:
        """In a transaction that outlives the statement."""
        if words[0] in CONTROL or (words[0] in _UNSEEN and words[1] != "CONSTRAINTS"):
            return self._bare(statement, words)
        outcome, seen = self._watched(statement, words)
        return _observation(statement, outcome, seen, self._held(), in_transaction=True)

    def _watched(self, statement: Statement, words: Words) -> tuple[Outcome, Seen]:
        """Run a statement in an open transaction, and look."""
        runs_code = words[0] in _CODE or (words[0] == "SELECT" and _CALLS.match(statement.sql) is not None)
        before = deeds.schema(self.wire) if runs_code else None
        stamps = zones.stamps(self.wire) if zones.asks(statement.sql) else None
        self.observer.prepare()
        outcome = self.wire.execute(statement.sql, first=lambda: self.observer.read(statement.sql))
        if outcome.failure is not None or self.wire.status != INTRANS:
            return outcome, Seen()
        self._mistrust(statement)
        seen = self.observer.look()
        if before is not None:
            seen = replace(seen, changes=deeds.between(before, deeds.schema(self.wire)))
        if stamps is not None:
            names = {oid: table.full_name for oid, table in self.observer.tables.items()}
            seen = replace(seen, notes=(*seen.notes, *zones.spared(self.wire, stamps, set(seen.rewrites), names)))
        return outcome, seen

    def _alone(self, statement: Statement, words: Words) -> Observation:
        """In a transaction of its own, which was opened for it; where it refuses that, in none."""
        outcome, seen = self._watched(statement, words)
        if outcome.failure is not None:
            self._finish("rollback")
            if outcome.failure.sqlstate in REFUSES_TRANSACTION:
                return self._outside(statement)
            return _observation(statement, outcome, Seen(), NOTHING_HELD, in_transaction=False)
        committed = self._finish("commit")
        if committed.failure is not None:
            outcome = Outcome("", None, outcome.ms, committed.failure)
        return _observation(statement, outcome, seen, NOTHING_HELD, in_transaction=False)

    def _outside(self, statement: Statement) -> Observation:
        observer = self.observer
        count = not observer.counts_late or first_words(statement.sql)[0] in _CODE  # others say what they read
        counted = observer.counters() if count else {}
        indexes = existing.indexes(self.wire, observer.tables)
        observer.prepare()
        watched = concurrently.watch(self._branch, self.wire, statement.sql, observer.tables)
        outcome = watched.outcome
        after = observer.counters() if count else {}
        more = {oid: scans - counted.get(oid, 0) for oid, scans in after.items()}
        modes = dict(watched.locks)
        if not watched.notes:
            # Who watches holds ShareLock, which lets the like of it through: only that can build an index unseen.
            anew = {table for table, _, _ in indexes ^ existing.indexes(self.wire, observer.tables)}
            built = observer.built({*modes, *anew})
            modes |= {oid: _SHARE for oid in built if STRENGTH.get(modes.get(oid, ""), 0) < STRENGTH[_WATCHED]}
        modes = {oid: mode for oid, mode in modes.items() if oid in observer.tables}
        seen = observer.hear_outside({oid: scans for oid, scans in more.items() if scans > 0}, modes)
        seen = replace(seen, notes=watched.notes)
        outcome = Outcome(outcome.tag, outcome.rows, max(0.0, outcome.ms - watched.waited), outcome.failure)
        return _observation(statement, outcome, seen, NOTHING_HELD, in_transaction=False)

    def _mistrust(self, statement: Statement) -> None:
        low = statement.sql.lower()
        if any(hint in low for hint in _HINTS) and _SETTINGS.search(statement.sql):
            self._changed = True
            self.observer.dirty()

    def _held(self) -> Holding:
        return self.observer.held if self.wire.status == INTRANS else NOTHING_HELD

    def _moved(self, before: int, words: Words, outcome: Outcome) -> None:
        """Tell the observer where transactions begin and end."""
        now = self.wire.status
        if before == IDLE and now == INTRANS:
            self.observer.begin()
        elif before in {INTRANS, INERROR} and now == IDLE:
            self.observer.end(committed=outcome.tag == "COMMIT")
        elif words[0] in {"COMMIT", "END", "ROLLBACK", "ABORT"} and before != IDLE and now == INTRANS:
            if "TO" in (words[1], words[2]):
                self.observer.settle()
            else:  # AND CHAIN
                self.observer.end(committed=outcome.tag == "COMMIT")
                self.observer.begin()


def is_work(sql: str) -> bool:
    """Whether a statement can change anything that a rollback would undo."""
    return first_words(sql)[0] not in CONTROL | _UNSEEN


@lru_cache(4)  # asked again and again of the statement that runs
def first_words(sql: str) -> Words:
    """The first three words of a statement, in capitals."""
    found = _FIRST.match(sql)
    return (found[1].upper(), (found[2] or "").upper(), (found[3] or "").upper()) if found else ("", "", "")


def _failed(observation: Observation, failure: Failure) -> Observation:
    return Observation(
        statement=observation.statement, failure=failure, ms=observation.ms, in_transaction=observation.in_transaction
    )


def _observation(
    statement: Statement, outcome: Outcome, seen: Seen, held: Holding, *, in_transaction: bool
) -> Observation:
    return Observation(
        statement=statement,
        executed=outcome.failure is None,
        ms=outcome.ms,
        failure=outcome.failure,
        locks=seen.locks,
        held=held,
        rewrites=seen.rewrites,
        scans=seen.scans,
        proved=seen.proved,
        changes=seen.changes,
        rows=outcome.rows,
        in_transaction=in_transaction,
        notes=seen.notes,
    )
