"""How an object becomes another in place; None where it has to be dropped and made anew."""

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from checks.catalog import dump, names
from checks.catalog.code import EventTrigger, Function, Policy, Rule, Trigger
from checks.catalog.model import Catalog, Object
from checks.catalog.outside import (
    DefaultPrivileges,
    Extension,
    ForeignDataWrapper,
    Other,
    Publication,
    Role,
    Server,
    Subscription,
    UserMapping,
)
from checks.catalog.statements import alter_outside, alter_tables, make, pieces
from checks.catalog.statements.model import Statement
from checks.catalog.tables import Column, Constraint, Default, Index, Statistics, Table, View
from checks.catalog.types import Composite, Domain, Enum, Sequence

_SAID_ELSEWHERE = {"owner": "", "acl": None, "comment": ""}


def alter(before: Object, after: Object) -> list[Statement] | None:
    """The statements that make `before` into `after`, owner, privileges and comment apart."""
    if type(before) is not type(after):
        return None
    if _bare(before) == _bare(after):
        return []
    way = _WAYS.get(type(after))
    return None if way is None else way(before, after)


def _bare(found: Object) -> Object:
    if isinstance(found, DefaultPrivileges):
        return found
    return replace(found, **{name: value for name, value in _SAID_ELSEWHERE.items() if hasattr(found, name)})


def _enum(before: Enum, after: Enum) -> list[Statement] | None:
    kept = [label for label in after.labels if label in before.labels]
    if kept != list(before.labels):
        return None
    name = names.qualified(after.schema, after.name)
    done: list[Statement] = []
    known = list(before.labels)
    for place, label in enumerate(after.labels):
        if label in before.labels:
            continue
        if place and after.labels[place - 1] == known[-1]:
            where = ""
        elif place:
            where = f" AFTER {names.literal(after.labels[place - 1])}"
        else:
            where = f" BEFORE {names.literal(known[0])}" if known else ""
        done.append(Statement(f"ALTER TYPE {name} ADD VALUE {names.literal(label)}{where}"))
        known.insert(place, label)
    return done


def _domain(before: Domain, after: Domain) -> list[Statement] | None:
    if (before.type, before.collation) != (after.type, after.collation):
        return None
    name = names.qualified(after.schema, after.name)
    done: list[Statement] = []
    if before.default != after.default:
        done.append(
            Statement(f"ALTER DOMAIN {name} {'SET DEFAULT ' + after.default if after.default else 'DROP DEFAULT'}")
        )
    if before.not_null != after.not_null:
        done.append(Statement(f"ALTER DOMAIN {name} {'SET' if after.not_null else 'DROP'} NOT NULL"))
    return done


def _composite(before: Composite, after: Composite) -> list[Statement] | None:
    name = names.qualified(after.schema, after.name)
    old = {each.name: each for each in before.attributes}
    new = {each.name: each for each in after.attributes}
    kept = [each.name for each in before.attributes if each.name in new]
    added = [each.name for each in after.attributes if each.name not in old]
    if kept + added != [each.name for each in after.attributes]:
        return None
    done = [
        Statement(f"ALTER TYPE {name} DROP ATTRIBUTE {names.quoted(each)}", True, "its values are lost")
        for each in old
        if each not in new
    ]
    for each in kept:
        if (old[each].type, old[each].collation) != (new[each].type, new[each].collation):
            return None  # not allowed where a table uses the type
    for each in added:
        collation = f" COLLATE {new[each].collation}" if new[each].collation else ""
        done.append(Statement(f"ALTER TYPE {name} ADD ATTRIBUTE {names.quoted(each)} {new[each].type}{collation}"))
    return done + list(make.attribute_comments(before, after))


def _sequence(before: Sequence, after: Sequence) -> list[Statement]:
    name = names.qualified(after.schema, after.name)
    done: list[Statement] = []
    if words := pieces.counting(before.counting, after.counting):
        done.append(Statement(f"ALTER SEQUENCE {name} {' '.join(words)}"))
    if before.unlogged != after.unlogged and not (
        before.owned_by and before.owned_by == after.owned_by
    ):  # else its table takes it along
        done.append(Statement(f"ALTER SEQUENCE {name} SET {'UNLOGGED' if after.unlogged else 'LOGGED'}"))
    if before.owned_by != after.owned_by and not after.owned_by:
        done.append(Statement(f"ALTER SEQUENCE {name} OWNED BY NONE"))
    return done


def _default(_: Default, after: Default) -> list[Statement]:
    return list(make.create(after, Catalog()))


def _statistics(before: Statistics, after: Statistics) -> list[Statement] | None:
    if before.definition != after.definition or (before.table_schema, before.table) != (
        after.table_schema,
        after.table,
    ):
        return None
    return [Statement(f"ALTER STATISTICS {names.qualified(after.schema, after.name)} SET STATISTICS {after.target}")]


def _function(before: Function, after: Function) -> list[Statement] | None:
    if (before.prokind, before.shape) != (after.prokind, after.shape) or after.defaults < before.defaults:
        return None
    return [Statement(after.definition)]


def _trigger(before: Trigger, after: Trigger) -> list[Statement] | None:
    return [make.enabled(after)] if before.definition == after.definition else None


def _rule(before: Rule, after: Rule) -> list[Statement] | None:
    return [make.enabled(after)] if before.definition == after.definition else None


def _event_trigger(before: EventTrigger, after: EventTrigger) -> list[Statement] | None:
    if (before.event, before.function, before.tags) != (after.event, after.function, after.tags):
        return None
    return [Statement(f"ALTER EVENT TRIGGER {names.quoted(after.name)} {dump.ENABLED[after.enabled]}")]


def _default_privileges(before: DefaultPrivileges, after: DefaultPrivileges) -> list[Statement]:
    return [Statement(line) for line in dump.default_privileges(before, after)]


_MEMBER = re.compile(r" ADD (OPERATOR|FUNCTION) ([0-9]+) [^(]*(\([^()]*\))")


def _other(before: Other, after: Other) -> list[Statement] | None:
    """The members that an operator family has of its own come and go; anything else is made anew."""
    if after.kind != "OPERATOR FAMILY":
        return None
    old, new = before.definition.split(";\n")[1:], after.definition.split(";\n")[1:]
    gone = [(each, _MEMBER.search(each)) for each in old if each not in new]
    if not all(found for _, found in gone):
        return None
    done = [
        Statement(f"{each[: found.start()]} DROP {found[1]} {found[2]} {found[3]}") for each, found in gone if found
    ]
    return done + [Statement(each) for each in new if each not in old]


_WAYS: dict[type, Callable[[Any, Any], list[Statement] | None]] = {
    Column: alter_tables.column,
    Composite: _composite,
    Constraint: alter_tables.constraint,
    Default: _default,
    DefaultPrivileges: _default_privileges,
    Domain: _domain,
    Enum: _enum,
    EventTrigger: _event_trigger,
    Extension: alter_outside.extension,
    ForeignDataWrapper: alter_outside.wrapper,
    Function: _function,
    Other: _other,
    Index: alter_tables.index,
    Policy: alter_tables.policy,
    Publication: alter_outside.publication,
    Role: alter_outside.role,
    Rule: _rule,
    Sequence: _sequence,
    Server: alter_outside.server,
    Statistics: _statistics,
    Subscription: alter_outside.subscription,
    Table: alter_tables.table,
    Trigger: _trigger,
    UserMapping: alter_outside.user_mapping,
    View: alter_tables.view,
}
