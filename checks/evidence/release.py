"""What a release has changed by a given statement: births, names, types, and what its open transaction did."""

from dataclasses import dataclass, field

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

    def learn(self, step: Step) -> None:  # noqa: C901, PLR0912 - one case a clause
        """A statement has been judged."""
        if _TEACH.isdisjoint(step.kinds):
            return
        for clause in step.reading.clauses:
            if type(clause) not in _TEACH:
                continue
            match clause:
                case c.AddColumn(table=table, column=column, type=kind):
                    if (table, column) not in self.types:  # IF NOT EXISTS
                        self.fresh.add((table, column))
                    self._has(table, column)
                    self.types[table, column] = kind
                case c.AlterType(table=table, column=column, type=kind):
                    self._has(table, column)
                    self.types[table, column] = kind
                case c.AddConstraint(table=table, name=name, not_valid=not_valid):
                    if not_valid:
                        self.open.unproved.add((table, name))
                case c.CreateTable(table=table, if_not_exists=maybe):
                    if not (maybe and self.existed(step, table)):
                        self.born.add(table)
                case c.CreateView(table=table) | c.CreateEnum(enum=table):
                    self.born.add(table)
                case c.Drop(names=names):
                    self.born.difference_update(names)
                case c.Rename(table=table, column=None, new=new):
                    self._rename(table, new)
                case c.Rename(table=table, column=str(column), new=new):
                    if (kind := self.types.pop((table, column), None)) is not None:
                        self.types[table, new] = kind
                    self._has(table, new)
                    self.fresh.discard((table, column))
                    self.fresh.add((table, new))
                case c.RenameSchema(old=old, new=new):
                    for name in self.in_schema(old):
                        self._rename(name, f"{new}.{name.partition('.')[2]}")
                case c.DropColumn(table=table, column=column):
                    self.types.pop((table, column), None)
                    self.fresh.discard((table, column))
                case c.AddEnumValue(enum=enum, value=value):
                    self.open.values.add((enum, value))
                case _:
                    pass

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

    def _rename(self, old: str, new: str) -> None:
        self._was[new] = self._was.pop(old, old)
        if old in self.born:
            self.born.discard(old)
            self.born.add(new)
        for column in self.columns.pop(old, ()):
            self._has(new, column)
            if (kind := self.types.pop((old, column), None)) is not None:
                self.types[new, column] = kind
            if (old, column) in self.fresh:
                self.fresh.discard((old, column))
                self.fresh.add((new, column))

    def _has(self, table: str, column: str) -> None:
        """A column got a type or a name."""
        if table in self.columns:
            self.columns[table].add(column)
        else:
            self.columns[table] = {column}


_TEACH = frozenset(
    {
        *(c.CreateTable, c.CreateView, c.Drop, c.Rename, c.AlterType, c.AddColumn, c.DropColumn),
        *(c.AddConstraint, c.AddEnumValue, c.CreateEnum, c.RenameSchema),
    }
)
