"""The steps about keys and constraints: primary and foreign keys, unique and check constraints."""

from checks.drizzle.entities import Row
from checks.drizzle.generating.v1 import named
from checks.drizzle.generating.v1.decide import Decided
from checks.drizzle.generating.v1.step import Step, altering


class Keys:
    """What of each kind comes, goes, changes, or is renamed.

    Args:
        made: the two schemas, names settled.
        again: columns that are made again, and with them what stands on them.
    """

    def __init__(self, made: Decided, again: list[Row]) -> None:
        self._made = made
        created, dropped = made.part("uniques")
        self.added_uniques = [Step("add_unique", row) for row in created if not made.is_new(row)]
        self.dropped_uniques = [Step("drop_unique", row) for row in dropped if not made.is_gone(row)]
        self.renamed_uniques = self._renamed("uniques")
        self.altered_uniques = [
            altering("alter_unique", each)
            for each in made.compared.of("uniques").altered
            if each.change.keys() - {"nameExplicit"}
        ]
        self._uniques_again(again)
        self._primary()
        self._foreign(again)
        self._checks()

    def _renamed(self, kind: str) -> list[Step]:
        made = self._made
        return [
            Step("rename_constraint", new, old, parts={"columns": new.get("columns") or []})
            for old, new in made.renamed[kind]
        ]

    def _uniques_again(self, again: list[Row]) -> None:
        known = {(s.row["schema"], s.row["table"], s.row["name"]) for s in self.added_uniques}
        for column in again:
            for row in self._made.after.inside("uniques", column["schema"], column["table"]):
                place = (row["schema"], row["table"], row["name"])
                if column["name"] in row["columns"] and place not in known:
                    known.add(place)
                    self.added_uniques.append(Step("add_unique", row))

    def _primary(self) -> None:
        made = self._made
        created, dropped = made.part("pks")
        gone = {row["name"] for row in made.part("columns")[1]}
        self.added_primary = [Step("add_pk", row) for row in created if not made.is_new(row)]
        self.dropped_primary = [Step("drop_pk", row) for row in dropped if not made.is_gone(row)]
        self.renamed_primary = self._renamed("pks")
        self.altered_primary = [
            altering("alter_pk", each, gone=bool(gone & set(each.old["columns"])))
            for each in made.compared.of("pks").altered
            if "columns" in each.change
        ]

    def _foreign(self, again: list[Row]) -> None:
        made = self._made
        created, dropped = made.part("fks")
        tables = {(row["schema"], row["name"]) for row in made.compared.of("tables").dropped}
        self.created_foreign = [Step("create_fk", row) for row in created]
        self.dropped_foreign = [Step("drop_fk", row) for row in dropped if not _goes_with_its_table(row, tables)]
        redone = _standing_on(made, again)
        new, old_names = {_place(row) for row in created}, {_place(now): old for old, now in made.renamed["fks"]}
        for row in redone:
            if _place(row) not in new:
                self.dropped_foreign.append(Step("drop_fk", old_names.get(_place(row), row)))
                self.created_foreign.append(Step("create_fk", row))
        done = {_place(row) for row in redone}
        self.renamed_foreign = [s for s in self._renamed("fks") if _place(s.row) not in done]
        self.altered_foreign = [
            altering("recreate_fk", each)
            for each in made.compared.of("fks").altered
            if each.change.keys() - {"nameExplicit"} and _place(each.new) not in done
        ]

    def _checks(self) -> None:
        made = self._made
        created, dropped = made.part("checks")

        def inside(row: Row, *, later: bool) -> list[str]:
            return named.columns(row["value"], made.after if later else made.before, row["schema"], row["table"])

        self.added_checks = [
            Step("add_check", row, parts={"columns": inside(row, later=True)})
            for row in created
            if not made.is_new(row)
        ]
        self.dropped_checks = [
            Step("drop_check", row, parts={"columns": inside(row, later=False)})
            for row in dropped
            if not made.is_gone(row)
        ]
        self.renamed_checks = [
            Step("rename_constraint", new, old, parts={"columns": inside(new, later=True)})
            for old, new in made.renamed["checks"]
        ]
        self.altered_checks = [
            altering(
                "alter_check", each, columns=inside(each.new, later=True), old_columns=inside(each.old, later=False)
            )
            for each in made.compared.of("checks").altered
        ]


def _place(row: Row) -> tuple[str, str, str]:
    return row["schema"], row["table"], row["name"]


def _goes_with_its_table(row: Row, tables: set[tuple[str, str]]) -> bool:
    """DROP TABLE takes it; one between two tables that both go is dropped first."""
    to_another = row["table"] != row["tableTo"] and (row["schemaTo"], row["tableTo"]) in tables
    return (row["schema"], row["table"]) in tables and not to_another


def _standing_on(made: Decided, again: list[Row]) -> list[Row]:
    """The foreign keys from and to columns that are made again."""
    found: dict[tuple[str, str, str], Row] = {}
    for column in again:
        place = (column["schema"], column["table"])
        for row in made.after.inside("fks", *place):
            if column["name"] in row["columns"]:
                found.setdefault(_place(row), row)
        for row in made.after.of("fks"):
            if (row["schemaTo"], row["tableTo"]) == place and column["name"] in row["columnsTo"]:
                found.setdefault(_place(row), row)
    return list(found.values())
