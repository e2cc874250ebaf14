"""Objects beside the tables: extensions, roles, replication, foreign servers, and the rare rest, as data."""

from dataclasses import dataclass, field

from checks.catalog.types import Acl


@dataclass(frozen=True, slots=True)
class Extension:
    """An extension; `default_version` is what its server would install, `relocatable` whether SET SCHEMA works."""

    name: str
    schema: str
    version: str
    comment: str = ""
    default_version: str = field(default="", compare=False)
    relocatable: bool = field(default=True, compare=False)

    @property
    def key(self) -> tuple[str, ...]:
        """Its identity."""
        return ("extension", self.name)


@dataclass(frozen=True, slots=True)
class Role:
    """A role of the cluster; `attributes` are words of CREATE ROLE, `member_of` other roles."""

    name: str
    attributes: tuple[str, ...] = ()
    member_of: tuple[str, ...] = ()
    comment: str = ""

    @property
    def key(self) -> tuple[str, ...]:
        """Its identity."""
        return ("role", self.name)


@dataclass(frozen=True, slots=True)
class Published:
    """A table of a publication, with its columns and row filter where it has them."""

    schema: str
    table: str
    columns: tuple[str, ...] = ()
    where: str = ""


@dataclass(frozen=True, slots=True)
class Publication:
    """What logical replication sends."""

    name: str
    all_tables: bool
    options: tuple[str, ...]
    tables: tuple[Published, ...]
    schemas: tuple[str, ...]
    owner: str = ""
    comment: str = ""

    @property
    def key(self) -> tuple[str, ...]:
        """Its identity."""
        return ("publication", self.name)


@dataclass(frozen=True, slots=True)
class Subscription:
    """What logical replication receives; `connection` is None where the reader may not see it."""

    name: str
    connection: str | None
    publications: tuple[str, ...]
    options: tuple[str, ...]
    enabled: bool
    slot: str
    owner: str = ""
    comment: str = ""

    @property
    def key(self) -> tuple[str, ...]:
        """Its identity."""
        return ("subscription", self.name)


@dataclass(frozen=True, slots=True)
class ForeignDataWrapper:
    """A foreign-data wrapper."""

    name: str
    handler: str
    validator: str
    options: tuple[str, ...]
    owner: str = ""
    acl: Acl = None
    comment: str = ""

    @property
    def key(self) -> tuple[str, ...]:
        """Its identity."""
        return ("foreign-data wrapper", self.name)


@dataclass(frozen=True, slots=True)
class Server:
    """A foreign server."""

    name: str
    wrapper: str
    type: str
    version: str
    options: tuple[str, ...]
    owner: str = ""
    acl: Acl = None
    comment: str = ""

    @property
    def key(self) -> tuple[str, ...]:
        """Its identity."""
        return ("server", self.name)


@dataclass(frozen=True, slots=True)
class UserMapping:
    """Who a role is on a foreign server; `public` is everyone, empty the database's own role."""

    user: str
    server: str
    options: tuple[str, ...]

    @property
    def key(self) -> tuple[str, ...]:
        """Its identity."""
        return ("user mapping", self.server, self.user)


@dataclass(frozen=True, slots=True)
class DefaultPrivileges:
    """What a role's new objects grant; `schema` is empty for all schemas, `objects` is `r`, `S`, `f`, `T` or `n`."""

    role: str
    schema: str
    objects: str
    acl: Acl

    @property
    def key(self) -> tuple[str, ...]:
        """Its identity."""
        return ("default privileges", self.role, self.schema, self.objects)


@dataclass(frozen=True, slots=True)
class Other:
    """A rare object (cast, operator, text search…), compared by its definition.

    Attributes:
        kind: as DROP wants it, e.g. `OPERATOR`.
        identity: as DROP and COMMENT want it.
        definition: the CREATE statement, or words that tell it from another where `made` is False.
    """

    kind: str
    identity: str
    definition: str
    made: bool = True
    owner: str = ""
    comment: str = ""

    @property
    def key(self) -> tuple[str, ...]:
        """Its identity."""
        return (self.kind.lower(), self.identity)
