"""Functions and what calls them: triggers, rules, policies, as data."""

from dataclasses import dataclass, field

from checks.catalog.types import Acl


@dataclass(frozen=True, slots=True)
class Function:
    """A function, procedure or window function.

    Attributes:
        args: the types that tell it from its namesakes, as DROP FUNCTION wants them.
        prokind: `f`, `p` or `w`, as in pg_proc.
        definition: the whole CREATE OR REPLACE statement.
        shape: what CREATE OR REPLACE cannot change: result, and names and modes of the arguments.
        defaults: how many arguments have a default; CREATE OR REPLACE cannot take one away.
        text_body: the body is a string, so PostgreSQL does not know what it needs.
    """

    schema: str
    name: str
    args: str
    prokind: str
    definition: str
    shape: tuple[str, ...] = field(default=(), compare=False)
    defaults: int = field(default=0, compare=False)
    text_body: bool = field(default=True, compare=False)
    owner: str = ""
    acl: Acl = None
    comment: str = ""

    @property
    def key(self) -> tuple[str, ...]:
        """Its identity."""
        return ("function", self.schema, self.name, self.args)


@dataclass(frozen=True, slots=True)
class Aggregate:
    """An aggregate; `options` are those of CREATE AGGREGATE, `signature` its arguments with their modes."""

    schema: str
    name: str
    args: str
    signature: str
    options: tuple[str, ...]
    owner: str = ""
    acl: Acl = None
    comment: str = ""

    @property
    def key(self) -> tuple[str, ...]:
        """Its identity."""
        return ("function", self.schema, self.name, self.args)


@dataclass(frozen=True, slots=True)
class Trigger:
    """A trigger.

    Attributes:
        definition: the CREATE statement; empty where a partition has its parent's, switched otherwise.
        enabled: `O`, `D`, `R` or `A`, as in pg_trigger.
        above: the same of the parent's.
    """

    schema: str
    table: str
    name: str
    definition: str
    enabled: str = "O"
    comment: str = ""
    above: str = field(default="O", compare=False)

    @property
    def key(self) -> tuple[str, ...]:
        """Its identity."""
        return ("trigger", self.schema, self.table, self.name)


@dataclass(frozen=True, slots=True)
class Rule:
    """A rewrite rule (not the one behind a view)."""

    schema: str
    table: str
    name: str
    definition: str
    enabled: str = "O"
    comment: str = ""

    @property
    def key(self) -> tuple[str, ...]:
        """Its identity."""
        return ("rule", self.schema, self.table, self.name)


@dataclass(frozen=True, slots=True)
class Policy:
    """A row-level security policy; `roles` are sorted, `public` is everyone."""

    schema: str
    table: str
    name: str
    permissive: bool
    command: str
    roles: tuple[str, ...]
    using: str
    check: str
    comment: str = ""

    @property
    def key(self) -> tuple[str, ...]:
        """Its identity."""
        return ("policy", self.schema, self.table, self.name)


@dataclass(frozen=True, slots=True)
class EventTrigger:
    """An event trigger; only a superuser makes one."""

    name: str
    event: str
    function: str
    tags: tuple[str, ...]
    enabled: str = "O"
    owner: str = ""
    comment: str = ""

    @property
    def key(self) -> tuple[str, ...]:
        """Its identity."""
        return ("event trigger", self.name)
