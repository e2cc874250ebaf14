"""What each object of a catalog cannot be without: what its name and definition tell, and what PostgreSQL records."""

from collections import defaultdict
from collections.abc import Iterator, Mapping

from checks.catalog.code import Aggregate, EventTrigger, Function, Policy, Rule, Trigger
from checks.catalog.model import Catalog, Key, Object
from checks.catalog.outside import DefaultPrivileges, Role, UserMapping
from checks.catalog.tables import Column, Constraint, Default, Index, Statistics, Table, View
from checks.catalog.types import Collation, Composite, Domain, DomainCheck, Enum, Range, Sequence

_IN_SCHEMA = (Enum, Domain, Composite, Range, Collation, Sequence, Table, View, Function, Aggregate, Index, Statistics)


def needs(catalog: Catalog) -> dict[Key, set[Key]]:
    """Every object that an object needs, by the key of the one that needs."""
    found: dict[Key, set[Key]] = {}
    objects = catalog.objects
    for each in catalog:
        wanted = {key for key in _told(each, catalog) if key in objects}
        wanted.update(key for key in catalog.needs.get(each.key, ()) if key in objects)
        wanted.discard(each.key)
        found[each.key] = wanted
    return found


def reverse(needed: Mapping[Key, set[Key]]) -> dict[Key, set[Key]]:
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


def _told(each: Object, catalog: Catalog) -> Iterator[Key]:  # noqa: C901, PLR0912 - one short case a kind
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
        case EventTrigger() | _:
            pass
