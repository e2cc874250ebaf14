"""The steps about indexes."""

from checks.drizzle.entities import Row
from checks.drizzle.generating.v1.decide import Decided
from checks.drizzle.generating.v1.step import Step, altering

_REBUILT = frozenset({"isUnique", "method", "with", "columns", "where"})


def indexes(made: Decided, again: list[Row]) -> tuple[list[Step], list[Step], list[Step], list[Step]]:
    """Those that are dropped, renamed, made again, and created; `again`: columns that are made again, and lose theirs."""
    created, dropped = made.part("indexes")
    found = made.compared.of("indexes").altered
    dropped = [*dropped, *(each.old for each in found if "table" in each.change)]
    created = [*created, *(each.new for each in found if "table" in each.change)]
    new = [Step("create_index", row) for row in created]
    rebuilt: list[Step] = []
    gone = {(row["schema"], row["table"], row["name"]) for row in made.part("columns")[1]}
    for each in found:
        if "table" in each.change or not each.change.keys() & _REBUILT:
            continue
        place = (each.new["schema"], each.new["table"])
        if any((*place, column["value"]) in gone for column in each.old["columns"]):
            new.append(Step("create_index", each.new))  # it went with its column
        else:
            rebuilt.append(altering("recreate_index", each))
    known = {(s.row["schema"], s.row["name"]) for s in new}
    for column in again:
        for row in made.after.inside("indexes", column["schema"], column["table"]):
            on_it = any(part["value"].strip("`") == column["name"] for part in row["columns"])
            if on_it and (row["schema"], row["name"]) not in known:
                known.add((row["schema"], row["name"]))
                new.append(Step("create_index", row))
    return (
        [Step("drop_index", row) for row in dropped if not made.is_gone(row)],
        [Step("rename_index", now, old) for old, now in made.renamed["indexes"]],
        rebuilt,
        new,
    )
