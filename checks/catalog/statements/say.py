"""The statements of each step."""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from checks.catalog import names, titles
from checks.catalog.code import Trigger
from checks.catalog.model import Key, Object
from checks.catalog.statements import about, decide, heirs, make
from checks.catalog.statements.model import Statement
from checks.catalog.statements.plan import Plan
from checks.catalog.statements.steps import RANK, Step
from checks.catalog.tables import Column, Constraint, Default, Index, Table
from checks.catalog.types import Sequence


def say(plan: Plan, step: Step) -> Iterator[Statement]:  # noqa: C901, PLR0912 - one short case a verb
    """What PostgreSQL is told for a step."""
    verb, key = step
    found = plan.b.objects.get(key) or plan.a.objects[key]
    match verb:
        case "drop":
            yield from _plain(plan, key, _drop(plan, key))
        case "create":
            yield from _plain(plan, key, _create(plan, step))
        case "alter":
            before, after = plan.a.objects[key], plan.b.objects[key]
            if ("disown", key) in plan.steps and isinstance(before, Sequence):
                before = replace(before, owned_by=None)
            yield from _plain(plan, key, plan.done.altered[key])
            yield from about.statements(before, after, plan.b)
        case "rename":
            yield Statement(
                f"ALTER {_type_word(plan.a.objects[key])} {names.qualified(*key[1:])} RENAME TO {decide.aside(key)}"
            )
        case "finish":
            yield Statement(f"DROP {_type_word(plan.a.objects[key])} {names.quoted(key[1])}.{decide.aside(key)}")
        case "hold":
            yield from heirs.hold(plan.done, key)
        case "detach":
            for parent in plan.together.parents(plan.a, key):
                yield _leave(plan, key, parent)
        case "attach":
            table = plan.b.objects[key]
            if isinstance(table, Table):
                yield from _join(table)
            if key in plan.done.held:
                yield from heirs.let_go(key)
        case "attach index" if isinstance(found, Index | Constraint):
            up = found.parent if isinstance(found, Index) else found.index_parent
            if up is not None:
                yield Statement(
                    f"ALTER INDEX {names.qualified(*up)} ATTACH PARTITION {names.qualified(found.schema, found.name)}"
                )
        case "own" if isinstance(found, Sequence) and found.owned_by:
            yield Statement(f"ALTER SEQUENCE {names.qualified(*key[1:])} OWNED BY {names.qualified(*found.owned_by)}")
        case "disown":
            yield Statement(f"ALTER SEQUENCE {names.qualified(*key[1:])} OWNED BY NONE")
        case "untype":
            yield Statement(f"ALTER TABLE {names.qualified(*key[1:])} NOT OF")
        case "type" if isinstance(found, Table):
            yield Statement(f"ALTER TABLE {names.qualified(*key[1:])} OF {found.of_type}")
        case "replica" if isinstance(found, Table):
            yield make.replica_identity(found)
        case _:
            return


def _plain(plan: Plan, key: Key, statements: Iterable[Statement]) -> Iterator[Statement]:
    """ONLY is said of tables that have children."""
    children = key[1:3] in plan.together.with_children
    for each in statements:
        sql = each.sql if children else each.sql.replace("ALTER TABLE ONLY ", "ALTER TABLE ", 1)
        yield each if sql == each.sql else Statement(sql, each.loses_data, each.why)


def _drop(plan: Plan, key: Key) -> Iterator[Statement]:
    found = plan.a.objects[key]
    if (
        isinstance(found, Constraint)
        and found.inherited
        and ("table", found.schema, found.table) not in plan.done.detached
    ):
        return
    if isinstance(found, Column) and key in plan.done.handed and ("table", *key[1:3]) in plan.done.held:
        yield heirs.put_aside(found)
        return
    if isinstance(found, Column) and found.inherited and ("table", found.schema, found.table) in plan.done.detached:
        yield from make.drop(replace(found, inherited=False))
        return
    if isinstance(found, Trigger) and not found.definition and ("table", *key[1:3]) in plan.done.detached:
        return
    parts = plan.folded.get(("drop", key), ())
    if isinstance(found, Index) and any(part[0] == "constraint" for part in parts):
        yield Statement(
            f"DROP INDEX {names.qualified(found.schema, found.name)} CASCADE",
            why="with the constraints of its partitions",
        )
        return
    yield from make.drop(found)


def _create(plan: Plan, step: Step) -> Iterator[Statement]:
    key = step[1]
    found = plan.b.objects[key]
    folded = plan.folded.get(step, set())
    if _comes_by_itself(plan, found):
        yield from about.statements(None, found, plan.b)
        return
    if isinstance(found, Column | Constraint) and ("table", *key[1:3]) in plan.done.held and key in plan.done.handed:
        yield from _hand_down(plan, key, found)
        yield from about.statements(None, found, plan.b)
        return
    if (
        isinstance(found, Column)
        and found.inherited
        and ("table", found.schema, found.table) in plan.done.attached
        and key in plan.done.created
    ):
        found = replace(found, inherited=False)
    yield from make.create(found, plan.b, folded)
    yield from about.statements(None, found, plan.b)
    for part in sorted(folded, key=lambda part: (RANK.get(part[0], 0), part)):
        yield from about.statements(None, plan.b.objects[part], plan.b)


def _hand_down(plan: Plan, key: Key, found: Column | Constraint) -> Iterator[Statement]:
    if isinstance(found, Constraint):
        yield from heirs.hand_down_check(found, plan.b)
        return
    was = plan.a.objects.get(key)
    table = plan.b.objects.get(("table", *key[1:3]))
    foreign = isinstance(table, Table) and table.relkind == "f"
    yield from heirs.hand_down(was if isinstance(was, Column) else None, found, foreign=foreign)
    yield from make.column_extras(found)


def _comes_by_itself(plan: Plan, found: Object) -> bool:
    """Constraints that a parent hands down."""
    if isinstance(found, Default):
        for parent in plan.together.parents(plan.b, ("table", found.schema, found.table)):
            column, default = ("column", *parent, found.column), ("default", *parent, found.column)
            theirs = plan.b.objects.get(default)
            if (
                column in plan.done.created
                and isinstance(theirs, Default)
                and theirs.expression == found.expression
                and default in plan.done.created
            ):
                return ("table", found.schema, found.table) not in plan.done.attached
        return False
    if not isinstance(found, Constraint) or not found.inherited:
        return False
    table = ("table", found.schema, found.table)
    if found.contype == "f":
        return True
    return found.contype == "c" and table not in plan.done.attached


def _leave(plan: Plan, key: Key, parent: tuple[str, str]) -> Statement:
    was = plan.a.objects[key]
    up, child = names.qualified(*parent), names.qualified(*key[1:])
    if isinstance(was, Table) and was.bound:
        return Statement(f"ALTER TABLE {up} DETACH PARTITION {child}")
    return Statement(f"ALTER TABLE {child} NO INHERIT {up}")


def _join(table: Table) -> Iterator[Statement]:
    child = names.qualified(table.schema, table.name)
    for parent in table.parents:
        up = names.qualified(*parent)
        if table.bound:
            yield Statement(f"ALTER TABLE {up} ATTACH PARTITION {child} {table.bound}")
        else:
            yield Statement(f"ALTER TABLE {child} INHERIT {up}")


def _type_word(found: Object) -> str:
    return "DOMAIN" if titles.called(found).startswith("DOMAIN") else "TYPE"
