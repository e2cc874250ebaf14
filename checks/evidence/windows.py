"""Locks that outlive their statement: what others wait for until the transaction ends."""

from collections.abc import Iterator

from checks import facts
from checks.evidence.costs import DATA, slow
from checks.evidence.release import Release
from checks.evidence.steps import BLOCKS_READS, BLOCKS_WRITES, STRENGTH, Step
from checks.facts import Fact
from checks.witnesses import clauses as c
from checks.witnesses.model import NOTHING_HELD


class Windows:
    """Follows the open transaction; `see` each statement, then `close`."""

    def __init__(self) -> None:
        self._first: Step | None = None
        self._last: Step | None = None
        self._locks: dict[str, tuple[str, int]] = {}
        self._slow: list[str] = []
        self._mixed: set[str] = set()
        self._known = NOTHING_HELD
        self._places: dict[str, int] = {}  # which table was locked first
        self._shut = ""  # the first of those that nobody may read

    def see(self, step: Step, release: Release) -> list[Fact]:
        """A statement ran (or would)."""
        said: list[Fact] = []
        if self._last is not None and (step.transaction is None or step.transaction != self._last.transaction):
            said += self.close(at_end=False)
        if c.Dml in step.kinds:
            said += self._data(step, release)
        if step.transaction is None:
            return said
        if step.observation is None:
            if c.Lock in step.kinds:
                self._claim(step, release)
        else:
            if self._locks and step.reading.kind not in DATA:
                self._wait_for(step, release)
            for table, mode in self._held(step, release):
                self._hold(step, table, mode)
        self._last = step
        return said

    def _claim(self, step: Step, release: Release) -> None:
        """Others will wait for what a statement names."""
        for clause in step.reading.clauses:
            if type(clause) is c.Lock and clause.table not in release.born:
                table, mode = release.original(clause.table), clause.mode
                if (held := self._locks.get(table)) is None or held[0] != mode:
                    self._hold(step, table, mode)

    def _hold(self, step: Step, table: str, mode: str) -> None:
        """Others wait for what a statement locked."""
        strength = STRENGTH.get(mode, 0)
        held = self._locks.get(table)
        if strength < BLOCKS_WRITES or (held is not None and strength <= STRENGTH.get(held[0], 0)):
            return
        if self._first is None:
            self._first = step
        place = self._places.setdefault(table, len(self._locks))
        self._locks[table] = (mode, step.number)
        if strength >= BLOCKS_READS and (not self._shut or place < self._places[self._shut]):
            self._shut = table

    def close(self, *, at_end: bool = True) -> Iterator[Fact]:
        """The transaction ends."""
        first, last = self._first, self._last
        if first is not None and last is not None and last.number > first.number:
            tables = tuple(
                (table, "reads and writes" if STRENGTH[mode] >= BLOCKS_READS else "writes", number)
                for table, (mode, number) in self._locks.items()
            )
            yield facts.HoldsLocks(
                place=first.place, tables=tables, last=last.number, at_end=at_end, slow=tuple(self._slow)
            )
        self.__init__()

    def _data(self, step: Step, release: Release) -> Iterator[Fact]:
        for clause in step.of(c.Dml):
            if clause.table in release.born and clause.verb != "INSERT":
                continue
            locked = self._shut
            if locked and locked not in self._mixed:
                self._mixed.add(locked)
                since = self._locks[locked][1]
                yield facts.MixesDataAndSchema(
                    place=step.place, table=clause.table, verb=clause.verb, locked=locked, since=since
                )
            elif not locked and (
                not clause.where or (release.original(clause.table), clause.present) in release.known.required
            ):
                own = step.observation is not None and step.reading.kind == f"{clause.verb.lower()}_stmt"
                rows = step.observation.rows if own and step.observation is not None else None
                yield facts.TouchesAllRows(place=step.place, table=clause.table, verb=clause.verb, rows=rows)

    def _wait_for(self, step: Step, release: Release) -> None:
        """Somebody else's users wait while this statement goes through a table."""
        tables = slow(step, release)
        if not tables:
            return
        gentle = all(
            isinstance(clause, c.ValidateConstraint) and (clause.table, clause.name) not in release.open.unproved
            for clause in step.reading.clauses
        )
        waited = [t for t in tables if any(locked != t or gentle for locked in self._locks)]
        if waited:
            listed = " and ".join(f"`{table.removeprefix('public.')}`" for table in waited)
            self._slow.append(f"statement {step.number} goes through all of {listed}")

    def _held(self, step: Step, release: Release) -> Iterator[tuple[str, str]]:
        """What was locked since the last statement."""
        observation = step.observation
        if observation is not None and observation.executed:
            taken, self._known = observation.held.since(self._known), observation.held
            yield from ((held.relation, held.mode) for held in (*observation.locks, *taken) if held.existed)
        elif observation is None or observation.failure is None:
            for lock in step.of(c.Lock):
                if lock.table not in release.born:
                    yield release.original(lock.table), lock.mode
