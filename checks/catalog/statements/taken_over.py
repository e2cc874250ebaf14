"""What the columns and checks of a child take over from its parents' when those change."""

from dataclasses import replace

from checks.catalog import names
from checks.catalog.model import Key
from checks.catalog.statements import alter
from checks.catalog.statements.decisions import Decisions
from checks.catalog.statements.model import Statement
from checks.catalog.tables import Column, Constraint, Table


def settle(done: Decisions) -> None:
    """Say of children what their parents do not say for them, and nothing else."""
    _alone(done)
    _stays_filled(done)


def _alone(done: Decisions) -> None:
    """What a table would take over from its parents it is told itself while it is apart from them, and not otherwise."""
    for key in done.altered:
        before, after = done.a.objects[key], done.b.objects[key]
        moves = ("table", *key[1:3]) in done.detached | done.attached
        if isinstance(after, Constraint) and isinstance(before, Constraint) and moves:
            done.altered[key] = alter.alter(replace(before, inherited=False), after) or []
        if not isinstance(after, Column) or not (after.inherited or after.also_here):
            continue
        if moves:
            if isinstance(before, Column) and any(type_ in done.kept_aside for type_ in done.needs_a[key]):
                before = replace(before, type=f"renamed {before.type}")
            done.altered[key] = alter.alter(before, replace(after, inherited=False, also_here=False)) or []
        elif isinstance(before, Column) and _fills(before, after) and _filled_above(done, after):
            done.altered[key] = alter.alter(replace(before, not_null=after.not_null), after) or []


def _fills(before: object, after: object) -> bool:
    """A column becomes NOT NULL, in a way that children take over."""
    return (
        isinstance(before, Column)
        and isinstance(after, Column)
        and before.not_null not in {after.not_null, "yes", "no inherit"}
        and after.not_null in {"yes", "not valid"}
    )


def _filled_above(done: Decisions, column: Column) -> bool:
    """A parent's becomes so too, and takes its children along."""
    return any(
        key in done.altered
        and _fills(done.a.objects[key], after := done.b.objects[key])
        and getattr(after, "not_null", "") == column.not_null
        for key in _above(done, column)
    )


def _above(done: Decisions, column: Column) -> list[Key]:
    table = done.b.objects.get(("table", column.schema, column.table))
    return [("column", *parent, column.name) for parent in table.parents] if isinstance(table, Table) else []


def _stays_filled(done: Decisions) -> None:
    """A child's NOT NULL goes with its parent's, and is said again where it is to stay."""
    for key, column in done.b.objects.items():
        if not isinstance(column, Column) or column.not_null != "yes" or not (column.inherited or column.also_here):
            continue
        was = done.a.objects.get(key)
        if key in done.dropped or not isinstance(was, Column) or was.not_null != "yes":
            continue
        for each in _above(done, column):
            before, after = done.a.objects.get(each), done.b.objects.get(each)
            goes = isinstance(before, Column) and isinstance(after, Column) and before.not_null and not after.not_null
            if each in done.altered and goes:
                table, name = names.qualified(*key[1:3]), names.quoted(key[3])
                done.altered.setdefault(key, []).append(
                    Statement(f"ALTER TABLE {table} ALTER COLUMN {name} SET NOT NULL")
                )
                break
