"""What each object of a catalog cannot be without: what its name and definition tell, and what PostgreSQL records."""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from functools import lru_cache

from checks.catalog.code import Aggregate, Function, Policy, Rule, Trigger
from checks.catalog.model import Catalog, Key, Object
from checks.catalog.outside import DefaultPrivileges, Other, Role, UserMapping
from checks.catalog.tables import Column, Constraint, Default, Index, Statistics, Table, View
from checks.catalog.types import Collation, Composite, Domain, DomainCheck, Enum, Range, Sequence

_FAMILY = re.compile(r" USING (\S+) FAMILY (.+?) AS (?:OPERATOR|FUNCTION|STORAGE) ")
_OPERATOR = re.compile(r"\bOPERATOR [0-9]+ (\S+\([^()]*\))")
_IN_SCHEMA = (Enum, Domain, Composite, Range, Collation, Sequence, Table, View, Function, Aggregate, Index, Statistics)


@lru_cache(maxsize=4)  # a difference is asked for both ways
def needs(catalog: Catalog) -> Mapping[Key, AbstractSet[Key]]:
    """Every object that an object needs, by the key of the one that needs."""
    found: dict[Key, set[Key]] = {}
    objects = catalog.objects
    for each in catalog:
        wanted = {key for key in told(each, catalog) if key in objects}
        wanted.update(key for key in catalog.needs.get(each.key, ()) if key in objects)
        wanted.discard(each.key)
        found[each.key] = wanted
    return found


def reverse(needed: Mapping[Key, AbstractSet[Key]]) -> dict[Key, set[Key]]:
    """Who needs it, by the key of what is needed."""
    found: dict[Key, set[Key]] = defaultdict(set)
    for dependant, keys in needed.items():
        for key in keys:
            found[key].add(dependant)
    return found


def relation(catalog: Catalog, schema: str, name: str) -> Key:
    """The table or view of that name."""
    key = ("table", schema, name)
    return key if key in catalog.objects else ("view", schema, name)


def told(each: Object, catalog: Catalog) -> Iterator[Key]:  # noqa: C901, PLR0912 - one short case a kind
    """What its name and definition say that it needs, whether that is there or not."""
    if isinstance(each, _IN_SCHEMA):
        yield ("schema", each.schema)
    owner = getattr(each, "owner", "")
    if owner:
        yield ("role", owner)
    match each:
        case Column(schema=schema, table=table):
            yield ("table", schema, table)
        case Default(schema=schema, table=table, column=column):
            yield ("column", schema, table, column)
            yield relation(catalog, schema, table)
        case Constraint() | Index():
            yield relation(catalog, each.schema, each.table)
            for column in each.columns:
                yield ("column", each.schema, each.table, column)
            if isinstance(each, Constraint) and each.references:
                yield ("table", *each.references)
                for column in each.referenced:
                    yield ("column", *each.references, column)
        case Statistics(table_schema=schema, table=table):
            yield relation(catalog, schema, table)
        case Trigger(schema=schema, table=table) | Rule(schema=schema, table=table):
            yield relation(catalog, schema, table)
        case Policy(schema=schema, table=table):
            yield relation(catalog, schema, table)
            for role in each.roles:
                yield ("role", role)
        case DomainCheck(schema=schema, domain=domain):
            yield ("type", schema, domain)
        case Table():
            for parent in each.parents:
                yield ("table", *parent)
        case Role():
            for group in each.member_of:
                yield ("role", group)
        case UserMapping(user=user):
            yield ("role", user)
        case DefaultPrivileges(role=role, schema=schema):
            yield ("role", role)
            yield ("schema", schema)
        case Other(kind="OPERATOR CLASS", definition=definition):
            for method, family in _FAMILY.findall(definition):
                yield ("operator family", f"{family} USING {method}")
            for operator in _OPERATOR.findall(definition):
                yield ("operator", operator)
        case _:
            pass
