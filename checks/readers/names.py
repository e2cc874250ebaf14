"""What Drizzle code calls the tables and columns of the database."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from checks.so_far import Target
from checks.typescript import queries


@dataclass(frozen=True, slots=True)
class Code:
    """What Drizzle code calls the tables of the database.

    Attributes:
        names: `schema.table` and its properties (name in code → column), by variable.
        columns: the columns of each table that is declared, by `schema.table`.
    """

    names: dict[str, tuple[str, dict[str, str]]] = field(default_factory=dict[str, tuple[str, dict[str, str]]])
    columns: dict[str, set[str]] = field(default_factory=dict[str, set[str]])

    def learn(self, declared: queries.Declared) -> None:
        """One more table; the first to claim a variable keeps it, later ones add what it lost."""
        table = f"{declared.schema}.{declared.table}"
        if declared.variable:
            _, properties = self.names.setdefault(declared.variable, (table, {}))
            for name, column in declared.properties.items():
                properties.setdefault(name, column)
        self.columns.setdefault(table, set()).update(declared.columns)

    def words(self, target: Target, deployed: Mapping[str, queries.Declared]) -> "Words":
        """What a file must hold to mean a target.

        Args:
            target: a table or column.
            deployed: tables as base declares them, by variable: head may call another column so by now.
        """
        tables, columns = {target.table}, {target.column} if target.column is not None else set[str]()
        each = [(variable, table, properties) for variable, (table, properties) in self.names.items()]
        each += [(v, f"{d.schema}.{d.table}", d.properties) for v, d in deployed.items()]
        for variable, table, properties in each:
            if table == f"{target.schema}.{target.table}":
                tables.add(variable)
                columns |= {p for p, column in properties.items() if is_called(column, target.column)}
        return Words(frozenset(tables), frozenset(columns))


@dataclass(frozen=True, slots=True)
class Words:
    """The names, in code and in the database, of a target's table, and of its column where it is one."""

    tables: frozenset[str]
    columns: frozenset[str]

    def in_(self, data: bytes, small: bytes) -> bool:
        """Whether a file may mean the target; small letters may stand for capitals in SQL."""

        def holds(some: frozenset[str]) -> bool:
            return any(word.encode() in data or word.encode() in small for word in some)

        return holds(self.tables) and (not self.columns or holds(self.columns))


def is_called(written: str, column: str | None) -> bool:
    """Whether a column of the database is what a declaration calls it: Drizzle's `casing` makes snake_case of it."""
    return column is not None and column in {written, queries.snake(written)}
