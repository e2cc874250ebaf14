"""Tables, views and what belongs to them, as data."""

from dataclasses import dataclass, field

from checks.catalog.types import Acl, Identity


@dataclass(frozen=True, slots=True)
class Table:
    """A table, partitioned table or foreign table.

    Attributes:
        relkind: `r`, `p` or `f`, as in pg_class.
        partition_key: what stands after PARTITION BY.
        parents: schema and name of each table it inherits from, in order.
        bound: its partition bound; empty where it is no partition.
        options: storage parameters, `name=value`, sorted.
        replica_identity: `d`, `n`, `f`, or the name of an index.
    """

    schema: str
    name: str
    relkind: str
    unlogged: bool
    partition_key: str
    parents: tuple[tuple[str, str], ...]
    bound: str
    options: tuple[str, ...]
    access_method: str
    tablespace: str
    replica_identity: str
    of_type: str
    rls: bool
    force_rls: bool
    server: str = ""
    server_options: tuple[str, ...] = ()
    owner: str = ""
    acl: Acl = None
    comment: str = ""

    @property
    def key(self) -> tuple[str, ...]:
        """Its identity."""
        return ("table", self.schema, self.name)


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table. What PostgreSQL would choose by itself is empty or None.

    Attributes:
        not_null: empty, `yes`, `not valid` or `no inherit`.
        generated: empty, `s` stored or `v` virtual; `expression` is its expression.
        inherited: a parent has it and it is not declared here; that alone makes no difference.
        also_here: a parent has it and it is declared here too, so that it stays when the parent loses it.
        position: its place in the table; two tables that differ in it alone are equal.
    """

    schema: str
    table: str
    name: str
    type: str
    collation: str
    not_null: str
    generated: str
    expression: str
    identity: Identity | None
    storage: str
    compression: str
    statistics: int
    options: tuple[str, ...]
    server_options: tuple[str, ...]
    inherited: bool = field(compare=False)
    acl: Acl = None
    comment: str = ""
    position: int = field(default=0, compare=False)
    also_here: bool = False

    @property
    def key(self) -> tuple[str, ...]:
        """Its identity."""
        return ("column", self.schema, self.table, self.name)


@dataclass(frozen=True, slots=True)
class Default:
    """The default of a column of a table or view."""

    schema: str
    table: str
    column: str
    expression: str
    of_view: bool = False

    @property
    def key(self) -> tuple[str, ...]:
        """Its identity."""
        return ("default", self.schema, self.table, self.column)


@dataclass(frozen=True, slots=True)
class Constraint:
    """A constraint of a table; `definition` says NOT VALID, DEFERRABLE and the rest.

    Attributes:
        contype: `p`, `u`, `c`, `f` or `x`, as in pg_constraint.
        columns: of its own table.
        references: schema and table that a foreign key points to.
        referenced: the columns it points to.
        inherited: a parent has it and it is not declared here.
        also_here: a parent has it and it is declared here too (a CHECK alone).
        index_options: storage parameters and tablespace of its index.
        index_parent: schema and name of the partitioned index that its index is a part of.
        valid: False where a partition lacks its part of the index.
    """

    schema: str
    table: str
    name: str
    contype: str
    definition: str
    columns: tuple[str, ...] = ()
    references: tuple[str, str] | None = None
    referenced: tuple[str, ...] = ()
    inherited: bool = field(default=False, compare=False)
    index_options: tuple[str, ...] = ()
    index_parent: tuple[str, str] | None = None
    valid: bool = True
    clustered: bool = False
    comment: str = ""
    index_comment: str = ""
    also_here: bool = False

    @property
    def key(self) -> tuple[str, ...]:
        """Its identity."""
        return ("constraint", self.schema, self.table, self.name)


@dataclass(frozen=True, slots=True)
class Index:
    """An index that no constraint owns.

    Attributes:
        columns: the table's columns that it reads.
        parent: schema and name of the partitioned index that it is a part of.
        valid: False where CREATE INDEX CONCURRENTLY failed, or a partition lacks its part.
    """

    schema: str
    name: str
    table: str
    definition: str
    columns: tuple[str, ...] = ()
    parent: tuple[str, str] | None = None
    valid: bool = True
    clustered: bool = False
    statistics: tuple[str, ...] = ()
    comment: str = ""

    @property
    def key(self) -> tuple[str, ...]:
        """Its identity."""
        return ("index", self.schema, self.name)


@dataclass(frozen=True, slots=True)
class Statistics:
    """Extended statistics; `table` is qualified by `table_schema`."""

    schema: str
    name: str
    table_schema: str
    table: str
    definition: str
    target: int
    owner: str = ""
    comment: str = ""

    @property
    def key(self) -> tuple[str, ...]:
        """Its identity."""
        return ("statistics", self.schema, self.name)


@dataclass(frozen=True, slots=True)
class Output:
    """A column that a view gives; `settings` are what ALTER COLUMN said of a materialized one."""

    name: str
    type: str
    collation: str = ""
    acl: Acl = None
    comment: str = ""
    settings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class View:
    """A view, or a materialized one; the order of its columns matters."""

    schema: str
    name: str
    materialized: bool
    definition: str
    columns: tuple[Output, ...]
    options: tuple[str, ...] = ()
    access_method: str = ""
    tablespace: str = ""
    populated: bool = True
    owner: str = ""
    acl: Acl = None
    comment: str = ""

    @property
    def key(self) -> tuple[str, ...]:
        """Its identity."""
        return ("view", self.schema, self.name)
