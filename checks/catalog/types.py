"""Schemas, types, collations and sequences, as data."""

from dataclasses import dataclass

Acl = tuple[str, ...] | None
"""Privileges other than the default, one `grantee=letters` each; `@owner` is the owner, no grantee is PUBLIC."""


@dataclass(frozen=True, slots=True)
class Schema:
    """A namespace. `owner` is empty where it is the database's own role; so everywhere."""

    name: str
    owner: str = ""
    acl: Acl = None
    comment: str = ""

    @property
    def key(self) -> tuple[str, ...]:
        """Its identity."""
        return ("schema", self.name)


@dataclass(frozen=True, slots=True)
class Enum:
    """An enumerated type and its labels, in order."""

    schema: str
    name: str
    labels: tuple[str, ...]
    owner: str = ""
    acl: Acl = None
    comment: str = ""

    @property
    def key(self) -> tuple[str, ...]:
        """Its identity."""
        return ("type", self.schema, self.name)


@dataclass(frozen=True, slots=True)
class Domain:
    """A domain; its checks are objects of their own. `collation` is qualified SQL, empty where it is the base type's."""

    schema: str
    name: str
    type: str
    collation: str
    not_null: bool
    default: str
    owner: str = ""
    acl: Acl = None
    comment: str = ""

    @property
    def key(self) -> tuple[str, ...]:
        """Its identity."""
        return ("type", self.schema, self.name)


@dataclass(frozen=True, slots=True)
class DomainCheck:
    """A CHECK of a domain; `definition` says NOT VALID where it is."""

    schema: str
    domain: str
    name: str
    definition: str
    comment: str = ""

    @property
    def key(self) -> tuple[str, ...]:
        """Its identity."""
        return ("domain check", self.schema, self.domain, self.name)


@dataclass(frozen=True, slots=True)
class Attribute:
    """A field of a composite type."""

    name: str
    type: str
    collation: str
    comment: str = ""


@dataclass(frozen=True, slots=True)
class Composite:
    """A composite type of its own (not a table's); the order of its fields matters."""

    schema: str
    name: str
    attributes: tuple[Attribute, ...]
    owner: str = ""
    acl: Acl = None
    comment: str = ""

    @property
    def key(self) -> tuple[str, ...]:
        """Its identity."""
        return ("type", self.schema, self.name)


@dataclass(frozen=True, slots=True)
class Range:
    """A range type; what is empty is the default."""

    schema: str
    name: str
    subtype: str
    opclass: str
    collation: str
    canonical: str
    difference: str
    multirange: str
    owner: str = ""
    acl: Acl = None
    comment: str = ""

    @property
    def key(self) -> tuple[str, ...]:
        """Its identity."""
        return ("type", self.schema, self.name)


@dataclass(frozen=True, slots=True)
class Collation:
    """A collation, as the options of CREATE COLLATION."""

    schema: str
    name: str
    options: tuple[str, ...]
    owner: str = ""
    comment: str = ""

    @property
    def key(self) -> tuple[str, ...]:
        """Its identity."""
        return ("collation", self.schema, self.name)


@dataclass(frozen=True, slots=True)
class Counting:
    """How a sequence counts."""

    type: str
    start: int
    increment: int
    minimum: int
    maximum: int
    cache: int
    cycle: bool


@dataclass(frozen=True, slots=True)
class Sequence:
    """A sequence that is not an identity column's; `owned_by` is schema, table, column."""

    schema: str
    name: str
    counting: Counting
    unlogged: bool
    owned_by: tuple[str, str, str] | None
    owner: str = ""
    acl: Acl = None
    comment: str = ""

    @property
    def key(self) -> tuple[str, ...]:
        """Its identity."""
        return ("sequence", self.schema, self.name)


@dataclass(frozen=True, slots=True)
class Identity:
    """The sequence behind an identity column; `always` or by default."""

    always: bool
    schema: str
    name: str
    counting: Counting
    acl: Acl = None
    comment: str = ""
