"""The steps about row-level security: the switch of each table, and its policies."""

from checks.drizzle.entities import Row
from checks.drizzle.generating.v1.decide import Decided
from checks.drizzle.generating.v1.step import Step, altering


def policies(made: Decided) -> tuple[list[Step], list[Step]]:
    """Those that are dropped; then those that are renamed, created, and changed."""
    created, dropped = made.part("policies")
    changed: list[Step] = []
    for each in made.compared.of("policies").altered:
        change = {
            field: pair for field, pair in each.change.items() if field != "withCheck" or not _only_brackets(*pair)
        }
        if change:
            again = "as" in change or "for" in change
            changed.append(altering("recreate_policy" if again else "alter_policy", each))
    renamed = [Step("rename_policy", new, old) for old, new in made.renamed["policies"]]
    made_new = [Step("create_policy", row) for row in created]
    return [Step("drop_policy", row) for row in dropped], [*renamed, *made_new, *changed]


def _only_brackets(was: str | None, now: str | None) -> bool:
    return bool(was and now) and (was == f"({now})" or now == f"({was})")


def switches(made: Decided) -> list[Step]:
    """ENABLE and DISABLE: where the table says so, or its first policy comes, or its last one goes."""
    found = [
        Step("alter_rls", each.new, each.old, parts={"on": bool(each.new["isRlsEnabled"])})
        for each in made.compared.of("tables").altered
        if "isRlsEnabled" in each.change
    ]
    told = {(s.row["schema"], s.row["name"]) for s in found}
    created, dropped = made.part("policies")
    for row, on in [*((row, False) for row in dropped), *((row, True) for row in created)]:
        place = (row["schema"], row["table"])
        table: Row | None = made.after.get("tables", *place)
        if place in told or table is None or made.is_new(row):
            continue
        old = made.before.get("tables", *place)
        had, has = bool(made.before.inside("policies", *place)), bool(made.after.inside("policies", *place))
        if on and not had and has and not table["isRlsEnabled"]:
            told.add(place)
            found.append(Step("alter_rls", table, parts={"on": True}))
        if not on and had and not has and old is not None and old["isRlsEnabled"] is False:
            told.add(place)
            found.append(Step("alter_rls", table, parts={"on": False}))
    return found
