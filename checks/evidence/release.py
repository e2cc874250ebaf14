"""What a release has changed by a given statement: births, names, types, and what its open transaction did."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from checks.evidence.known import Known
from checks.evidence.steps import Step
from checks.witnesses import clauses as c


@dataclass(slots=True)
class Open:
    """What the transaction that is open did so far.

    Attributes:
        unproved: NOT VALID constraints that it added, by table and name.
        values: enum values that it added.
        locks: the strongest lock on each table that existed, with the number of the statement that took it.
    """

    unproved: set[tuple[str, str]] = field(default_factory=set[tuple[str, str]])
    values: set[tuple[str, str]] = field(default_factory=set[tuple[str, str]])
    locks: dict[str, tuple[str, int]] = field(default_factory=dict[str, tuple[str, int]])


class Release:
    """The state that statements leave behind; `learn` moves on by one.

    Attributes:
        born: tables, views and enums that the release makes.
        types: of each column.
        columns: of each table, those that ever were in `types` or `fresh`.
        cascaded: what went by CASCADE, named by nobody, is told.
        fresh: columns that the release adds, or that got their name in it.
    """

    def __init__(self, known: Known) -> None:
        self.known = known
        self.born: set[str] = set()
        self.types: dict[tuple[str, str], str] = dict(known.columns)
        self.columns: dict[str, set[str]] = {}
        self.fresh: set[tuple[str, str]] = set()
        self.open = Open()
        self.cascaded = False
        self._was: dict[str, str] = {}
        self._transaction: int | None = None
        for table, column in known.columns:
            self.columns.setdefault(table, set()).add(column)

    def enter(self, step: Step) -> None:
        """A statement is about to be judged."""
        if step.transaction is None or step.transaction != self._transaction:
            self.open = Open()
            self._transaction = step.transaction

    def original(self, table: str) -> str:
        """What a table was called before the release: the name that PostgreSQL's witness uses."""
        return self._was.get(table, table)

    def learn(self, step: Step) -> None:
        """A statement has been judged."""
        if _TEACHES.isdisjoint(step.kinds):
            return
        for clause in step.reading.clauses:
            if (teach := _TEACH.get(type(clause))) is not None:
                teach(self, clause, step)

    def existed(self, step: Step, table: str) -> bool:
        """IF NOT EXISTS did nothing, as far as can be told."""
        return step.executed and table in (self.known.relations or ())

    def in_schema(self, schema: str) -> list[str]:
        """The tables and views of a schema that were there before."""
        return sorted(name for name in self.known.relations or () if name.startswith(f"{schema}."))

    def lacks(self, relation: str) -> bool:
        """No table or view of that name is there, whatever the search path: IF EXISTS did nothing."""
        if self.known.relations is None:
            return False
        short = relation.rpartition(".")[2]
        return not any(
            name.rpartition(".")[2] == short for some in (self.known.relations, self.born, self._was) for name in some
        )

    def rename(self, old: str, new: str) -> None:
        """A table got another name."""
        self._was[new] = self._was.pop(old, old)
        if old in self.born:
            self.born.discard(old)
            self.born.add(new)
        for column in self.columns.pop(old, ()):
            self.has(new, column)
            if (kind := self.types.pop((old, column), None)) is not None:
                self.types[new, column] = kind
            if (old, column) in self.fresh:
                self.fresh.discard((old, column))
                self.fresh.add((new, column))

    def has(self, table: str, column: str) -> None:
        """A column got a type or a name."""
        if table in self.columns:
            self.columns[table].add(column)
        else:
            self.columns[table] = {column}


def _adds_column(release: Release, clause: c.AddColumn, _: Step) -> None:
    table, column = key = clause[:2]
    if key not in release.types:  # IF NOT EXISTS
        release.fresh.add(key)
    release.has(table, column)
    release.types[key] = clause.type


def _alters_type(release: Release, clause: c.AlterType, _: Step) -> None:
    release.has(clause.table, clause.column)
    release.types[clause.table, clause.column] = clause.type


def _adds_constraint(release: Release, clause: c.AddConstraint, _: Step) -> None:
    if clause.not_valid:
        release.open.unproved.add((clause.table, clause.name))


def _creates_table(release: Release, clause: c.CreateTable, step: Step) -> None:
    if not (clause.if_not_exists and release.existed(step, clause.table)):
        release.born.add(clause.table)


def _creates(release: Release, clause: c.CreateView | c.CreateEnum, _: Step) -> None:
    release.born.add(clause[0])


def _drops(release: Release, clause: c.Drop, _: Step) -> None:
    release.born.difference_update(clause.names)


def _renames(release: Release, clause: c.Rename, _: Step) -> None:
    table, column, new = clause
    if column is None:
        release.rename(table, new)
        return
    if (kind := release.types.pop((table, column), None)) is not None:
        release.types[table, new] = kind
    release.has(table, new)
    release.fresh.discard((table, column))
    release.fresh.add((table, new))


def _renames_schema(release: Release, clause: c.RenameSchema, _: Step) -> None:
    for name in release.in_schema(clause.old):
        release.rename(name, f"{clause.new}.{name.partition('.')[2]}")


def _drops_column(release: Release, clause: c.DropColumn, _: Step) -> None:
    key = clause[:2]
    release.types.pop(key, None)
    release.fresh.discard(key)


def _adds_value(release: Release, clause: c.AddEnumValue, _: Step) -> None:
    release.open.values.add((clause.enum, clause.value))


_TEACH: dict[type, Callable[[Release, Any, Step], None]] = {
    c.AddColumn: _adds_column,
    c.AddConstraint: _adds_constraint,
    c.AddEnumValue: _adds_value,
    c.AlterType: _alters_type,
    c.CreateEnum: _creates,
    c.CreateTable: _creates_table,
    c.CreateView: _creates,
    c.Drop: _drops,
    c.DropColumn: _drops_column,
    c.Rename: _renames,
    c.RenameSchema: _renames_schema,
}
_TEACHES = frozenset(_TEACH)
