"""A database's schema as data: objects that are equal when PostgreSQL could not tell them apart."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from checks.catalog.code import Aggregate, EventTrigger, Function, Policy, Rule, Trigger
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
from checks.catalog.tables import Column, Constraint, Default, Index, Statistics, Table, View
from checks.catalog.types import Collation, Composite, Domain, DomainCheck, Enum, Range, Schema, Sequence

Key = tuple[str, ...]

Object = (
    Schema
    | Extension
    | Role
    | Enum
    | Domain
    | DomainCheck
    | Composite
    | Range
    | Collation
    | Sequence
    | Table
    | Column
    | Default
    | Constraint
    | Index
    | Statistics
    | View
    | Function
    | Aggregate
    | Trigger
    | Rule
    | Policy
    | EventTrigger
    | Publication
    | Subscription
    | ForeignDataWrapper
    | Server
    | UserMapping
    | DefaultPrivileges
    | Other
)


class Need(NamedTuple):
    """One object cannot be without another."""

    dependant: Key
    needed: Key


@dataclass(frozen=True, slots=True, eq=False)
class Catalog:
    """The schema of one database. Two are compared by `difference.equal`.

    Attributes:
        version: `server_version_num` of the server it was read from.
        objects: every object by its key, whose first word is its kind.
        needs: what each object cannot be without (only what PostgreSQL records and the names do not tell).
        roles: roles of the cluster that are not PostgreSQL's own; equality looks at them only where they are in `objects`.
        unread: what could not be looked at, in words.
    """

    version: int = 0
    objects: Mapping[Key, Object] = field(default_factory=dict[Key, Object])
    needs: Mapping[Key, frozenset[Key]] = field(default_factory=dict[Key, frozenset[Key]])
    roles: Mapping[str, Role] = field(default_factory=dict[str, Role])
    unread: tuple[str, ...] = ()

    def __iter__(self) -> Iterator[Object]:
        return iter(self.objects.values())
