"""From what tells two schemas apart to the steps of a migration, in the order of drizzle-kit 1.0."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from checks.drizzle.entities import Row
from checks.drizzle.generating.content import same
from checks.drizzle.generating.v1 import enums
from checks.drizzle.generating.v1.decide import Decided
from checks.drizzle.generating.v1.indexes import indexes
from checks.drizzle.generating.v1.keys import Keys
from checks.drizzle.generating.v1.security import policies, switches
from checks.drizzle.generating.v1.state import Altered, State
from checks.drizzle.generating.v1.step import Step, altering

_JSON = frozenset({"json", "jsonb"})
Needs = Mapping[tuple[str, str], Iterable[tuple[str, str]]]


def steps(made: Decided, needs: Needs) -> list[Step]:
    """The steps.

    Args:
        made: the two schemas, names settled.
        needs: of a view, the views that it reads.
    """
    changed = _changed_columns(made)
    columns = _Columns(made, changed)
    keys = Keys(made, columns.again)
    dropped_indexes, renamed_indexes, again_indexes, created_indexes = indexes(made, columns.again)
    types = _Enums(made)
    views = _Views(made, needs)
    dropped_policies, other_policies = policies(made)
    moved = {(new["schema"], new["name"]) for old, new in made.renamed["tables"] if old["schema"] != new["schema"]}

    def stays(found: list[Step], *, inside: bool) -> list[Step]:
        return [s for s in found if ((s.row["schema"], s.row["table"]) in moved) is inside]

    return [
        *_simple(made, "schemas", "create_schema"),
        *_renames(made, "schemas", "rename_schema"),
        *_simple(made, "enums", "create_enum"),
        *_moves(made, "enums", "move_enum"),
        *_renames(made, "enums", "rename_enum"),
        *types.grown,
        *_simple(made, "sequences", "create_sequence"),
        *_moves(made, "sequences", "move_sequence"),
        *_renames(made, "sequences", "rename_sequence"),
        *(altering("alter_sequence", each) for each in made.compared.of("sequences").altered),
        *_renames(made, "roles", "rename_role"),
        *_simple(made, "roles", "create_role"),
        *(altering("alter_role", each) for each in made.compared.of("roles").altered),
        *_created_tables(made),
        *views.first,
        *_renames(made, "tables", "rename_table"),
        *stays(dropped_policies, inside=False),
        *stays(keys.dropped_foreign, inside=False),
        *_gone(made, "tables", "drop_table"),
        *_moved_tables(made),
        *stays(dropped_policies, inside=True),
        *stays(keys.dropped_foreign, inside=True),
        *switches(made),
        *(Step("rename_column", new, old) for old, new in made.renamed["columns"]),
        *keys.dropped_uniques,
        *keys.dropped_checks,
        *keys.renamed_checks,
        *renamed_indexes,
        *dropped_indexes,
        *keys.dropped_primary,
        *keys.renamed_foreign,
        *columns.added,
        *keys.added_primary,
        *keys.renamed_primary,
        *types.again,
        *columns.recreated,
        *columns.dropped,
        *keys.altered_primary,
        *_altered_columns(made, changed, types.used),
        *again_indexes,
        *keys.renamed_uniques,
        *keys.added_uniques,
        *keys.altered_uniques,
        *created_indexes,
        *keys.created_foreign,
        *keys.altered_foreign,
        *keys.added_checks,
        *keys.altered_checks,
        *views.created,
        *other_policies,
        *_gone(made, "roles", "drop_role"),
        *_gone(made, "enums", "drop_enum"),
        *_gone(made, "sequences", "drop_sequence"),
        *_gone(made, "schemas", "drop_schema"),
    ]


def _simple(made: Decided, kind: str, word: str) -> list[Step]:
    return [Step(word, row) for row in made.compared.of(kind).created]


def _gone(made: Decided, kind: str, word: str) -> list[Step]:
    return [Step(word, row) for row in made.compared.of(kind).dropped]


def _renames(made: Decided, kind: str, word: str) -> list[Step]:
    return [Step(word, new, old) for old, new in made.renamed[kind] if old["name"] != new["name"]]


def _moves(made: Decided, kind: str, word: str) -> list[Step]:
    return [Step(word, new, old) for old, new in made.renamed[kind] if old["schema"] != new["schema"]]


# -- tables and columns -----------------------------------------------------------------------------------------------


def _created_tables(made: Decided) -> list[Step]:
    found: list[Step] = []
    for row in made.compared.of("tables").created:
        place = (row["schema"], row["name"])
        parts: dict[str, Any] = {k: made.after.inside(k, *place) for k in ("columns", "uniques", "checks", "policies")}
        parts["pk"] = next(iter(made.after.inside("pks", *place)), None)
        found.append(Step("create_table", row, parts=parts))
    return found


def _moved_tables(made: Decided) -> list[Step]:
    found: list[Step] = []
    for step in _moves(made, "tables", "move_table"):
        place = (step.row["schema"], step.row["name"])
        names = [row["name"] for kind in ("indexes", "pks", "uniques") for row in made.before.inside(kind, *place)]
        found.append(Step(step.kind, step.row, step.old, parts={"indexes": sorted(names)}))
    return found


class _Columns:
    """Columns that come, go, or are made again since their expression changed."""

    def __init__(self, made: Decided, changed: list[Altered]) -> None:
        created, dropped = made.part("columns")
        self.added = [
            Step("add_column", row, parts={"in_key": _in_key(made.after, row)})
            for row in created
            if not made.is_new(row)
        ]
        self.dropped = [Step("drop_column", row) for row in dropped if not made.is_gone(row)]
        self.again = [each.new for each in changed if each.change.get("generated", (None, None))[1] is not None]
        self.recreated = [
            altering("recreate_column", each, is_key=_is_key(made.after, each.new))
            for each in changed
            if any(each.new is row for row in self.again)
        ]


def _in_key(state: State, row: Row) -> bool:
    return any(row["name"] in pk["columns"] for pk in state.inside("pks", row["schema"], row["table"]))


def _is_key(state: State, row: Row) -> bool:
    return any([row["name"]] == pk["columns"] for pk in state.inside("pks", row["schema"], row["table"]))


def _changed_columns(made: Decided) -> list[Altered]:
    """Columns whose change means something: not only another spelling of the same."""
    found: list[Altered] = []
    for each in made.compared.of("columns").altered:
        change = dict(each.change)
        if "default" in change and _same_default(each, typed="type" in change):
            del change["default"]
        if "type" in change and _same_type(*change["type"]):
            del change["type"]
        if "typeSchema" in change and "type" not in change and None in change["typeSchema"]:
            del change["typeSchema"]
        if change:
            found.append(Altered(each.old, each.new, change))
    return found


def _same_type(was: str, now: str) -> bool:
    if now in {was.replace("numeric", "decimal", 1), was.replace("decimal", "numeric", 1), was.replace(",0)", ")", 1)}:
        return True
    if not (was.startswith("geometry(point") and now.startswith("geometry(point")):
        return False
    ids = {(kind.split(",")[1].replace(")", "") if "," in kind else None) for kind in (was, now)}
    return ids == {None, "0"}


def _same_default(each: Altered, *, typed: bool) -> bool:
    was, now = each.change["default"]
    if was is None or now is None:
        return False
    if each.old["type"] == each.new["type"] and each.new["type"] in _JSON:
        try:
            if same(json.loads(was.strip("'")), json.loads(now.strip("'"))):
                return True
        except ValueError:
            pass
    if typed:
        return False
    if each.new["type"].startswith("vector") and was.replace(".0", "") == now:
        return True
    return was == f"({now})" or now == f"({was})"


def _altered_columns(made: Decided, changed: list[Altered], recast: set[tuple[str, str, str]]) -> list[Step]:
    found: list[Step] = []
    for each in changed:
        change, row = dict(each.change), each.new
        if change.get("generated", (None, None))[1] is not None:
            continue
        if (row["schema"], row["table"], row["name"]) in recast:
            change.pop("default", None)
        if "notNull" in change and (
            (row["notNull"] and (row["generated"] or row["identity"])) or _in_key(made.after, row)
        ):
            del change["notNull"]
        if not change:
            continue
        is_enum = made.after.get("enums", row["typeSchema"] or "public", row["type"]) is not None
        old = each.old
        retyped = any(field in change for field in ("type", "typeSchema", "dimensions"))
        was_enum = retyped and made.before.get("enums", old["typeSchema"] or "public", old["type"]) is not None
        found.append(Step("alter_column", row, old, change, {"is_enum": is_enum, "was_enum": was_enum}))
    return found


# -- enums ------------------------------------------------------------------------------------------------------------


class _Enums:
    """Enums that get values, and those that are made again since values go."""

    def __init__(self, made: Decided) -> None:
        self.grown: list[Step] = []
        self.again: list[Step] = []
        self.used: set[tuple[str, str, str]] = set()
        for each in made.compared.of("enums").altered:
            if not enums.shrinks(each.old["values"], each.new["values"]):
                self.grown.append(altering("alter_enum", each))
                continue
            used = list(_users(made, each.new))
            self.used |= {(row["schema"], row["table"], row["name"]) for row in used}
            self.again.append(altering("recreate_enum", each, columns=used))


def _users(made: Decided, enum: Row) -> Iterable[Row]:
    """The columns of its type that stay: as they were, with the default that they will have."""
    for row in made.before.of("columns"):
        if row["type"] != enum["name"]:
            continue
        later = made.after.get("columns", row["schema"], row["table"], row["name"])
        if later is None:
            continue
        home = row["typeSchema"] or (later["typeSchema"] if later["type"] == row["type"] else None)
        if home == enum["schema"]:
            yield {**row, "typeSchema": home, "before": row["default"], "default": later["default"]}


# -- views ------------------------------------------------------------------------------------------------------------


class _Views:
    """Views that go, are renamed, changed, or made anew."""

    def __init__(self, made: Decided, needs: Needs) -> None:
        new = [Step("create_view", row) for row in made.compared.of("views").created]
        again: list[Step] = []
        changed: list[Step] = []
        for each in made.compared.of("views").altered:
            change = dict(each.change)
            if change.get("using") == ("heap", None):
                del change["using"]
            if "definition" in change or "materialized" in change:
                again.append(Step("drop_view", each.old))
                new.append(Step("create_view", each.new))
            elif change:
                changed.append(Step("alter_view", each.new, each.old, change))
        self.first = [
            *_gone(made, "views", "drop_view"),
            *_renames(made, "views", "rename_view"),
            *_moves(made, "views", "move_view"),
            *again,
            *changed,
        ]
        self.created = _in_order(new, needs)


def _in_order(found: list[Step], needs: Needs) -> list[Step]:
    """A view behind those that it reads."""
    waiting = {(step.row["schema"], step.row["name"]): step for step in found}
    done: dict[tuple[str, str], Step] = {}
    seen: set[tuple[str, str]] = set()

    def visit(key: tuple[str, str]) -> None:
        if key in seen:
            return
        seen.add(key)
        for need in needs.get(key, ()):
            if need in waiting:
                visit(need)
        done[key] = waiting[key]

    for key in waiting:
        visit(key)
    return list(done.values())
