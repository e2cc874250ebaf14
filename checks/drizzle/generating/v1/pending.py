"""Columns that left schema.ts and stay in the database until their drop is asked for by name.

The running release still names them in its queries, so the release that no longer does has to be out first.
"""

from collections import defaultdict

from checks.drizzle.entities import Row
from checks.drizzle.generating.v1.state import State

_ON_COLUMNS = ("uniques", "pks", "indexes", "fks")


class Pending:
    """The columns that are kept.

    Attributes:
        found: their names, as people write them.
    """

    def __init__(self, before: State, after: State) -> None:
        self._before, self._after = before, after
        self._kept: dict[tuple[str, str], list[Row]] = defaultdict(list)
        self.found: list[str] = []

    def free(self, column: Row) -> bool:
        """Rows can be written without it."""
        return not column["notNull"] or any(column[part] is not None for part in ("default", "generated", "identity"))

    def possible(self, column: Row) -> bool:
        """It is free, and not part of a primary key that another takes the place of."""
        place = (column["schema"], column["table"])
        in_key = any(column["name"] in pk["columns"] for pk in self._before.inside("pks", *place))
        return self.free(column) and not (in_key and self._after.inside("pks", *place))

    def keep(self, name: str, column: Row) -> None:
        """Leave it where it is."""
        self.found.append(name)
        self._kept[column["schema"], column["table"]].append(column)

    def complete(self) -> None:
        """Put the columns back into what is wanted, with what stands on them or carries them."""
        for place, kept in self._kept.items():
            for column in kept:
                self._after.add(column)
                self._type(column)
            names = {column["name"] for column in kept}
            there = {row["name"] for row in self._after.inside("columns", *place)}
            for kind in _ON_COLUMNS:
                for row in self._before.inside(kind, *place):
                    on = _columns(row)
                    if names & set(on) and there.issuperset(on) and self._target(row):
                        self._after.add(row)

    def _target(self, row: Row) -> bool:
        return "tableTo" not in row or self._after.get("tables", row["schemaTo"], row["tableTo"]) is not None

    def _type(self, column: Row) -> None:
        enum = self._before.get("enums", column["typeSchema"], column["type"])
        if enum is not None:
            self._after.add(enum)
            schema = self._before.get("schemas", enum["schema"])
            if schema is not None:
                self._after.add(schema)


def _columns(row: Row) -> list[str]:
    if row["entityType"] != "indexes":
        return row["columns"]
    return [column["value"] for column in row["columns"] if not column["isExpression"]]
