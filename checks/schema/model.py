"""A schema as data: what a snapshot of drizzle-kit would hold, in the same words, whichever generation wrote it."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

Format = Literal["v0", "v1"]
Json = str | int | float | bool | None


@dataclass(frozen=True, slots=True)
class Unresolved:
    """Something of the schema that reading alone cannot tell; nothing is guessed in its place.

    Attributes:
        path: of the file.
        line: 1-based.
        why: one phrase.
        what: the part of the schema that it leaves open, e.g. `column users.nick`, `default of users.nick`, `export things`.
        table: `schema.name` of the table it belongs to, where that is known.
        column: its column, where it is one.
    """

    path: str
    line: int
    why: str
    what: str
    table: str | None = None
    column: str | None = None


@dataclass(frozen=True, slots=True)
class Identity:
    """`GENERATED … AS IDENTITY`."""

    type: Literal["always", "byDefault"]
    name: str
    increment: str
    min_value: str
    max_value: str
    start_with: str
    cache: str
    cycle: bool


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table.

    Attributes:
        type: as Drizzle prints it; v0 with its array brackets, v1 without (see `dimensions`).
        type_schema: the schema of an enum's type (`public` too), else None.
        primary: the column itself is the primary key.
        default: its SQL text, or None.
        default_json: v0: the value as the snapshot keeps it (a number stays a number).
        generated: the expression of a generated column.
        line: where it is written.
    """

    name: str
    type: str
    type_schema: str | None
    primary: bool
    not_null: bool
    default: str | None = None
    default_json: str | int | float | bool | None = None
    generated: str | None = None
    identity: Identity | None = None
    dimensions: int = 0
    path: str = ""
    line: int = 0


@dataclass(frozen=True, slots=True)
class IndexColumn:
    """A column or an expression of an index."""

    expression: str
    is_expression: bool
    asc: bool
    nulls: Literal["first", "last"]
    opclass: str | None = None


@dataclass(frozen=True, slots=True)
class Index:
    """An index."""

    name: str
    columns: tuple[IndexColumn, ...]
    is_unique: bool
    method: str
    where: str | None = None
    concurrently: bool = False
    options: tuple[tuple[str, Json], ...] = ()
    explicit: bool = True


@dataclass(frozen=True, slots=True)
class ForeignKey:
    """A foreign key; actions in Drizzle's words (`no action`, `cascade`, …)."""

    name: str
    columns: tuple[str, ...]
    schema_to: str
    table_to: str
    columns_to: tuple[str, ...]
    on_delete: str | None
    on_update: str | None
    explicit: bool = False


@dataclass(frozen=True, slots=True)
class Key:
    """A primary key or a unique constraint; `inline`: written at its column, and behind all others in a v1 snapshot."""

    name: str
    columns: tuple[str, ...]
    nulls_not_distinct: bool = False
    explicit: bool = False
    inline: bool = False


@dataclass(frozen=True, slots=True)
class Check:
    """A check constraint."""

    name: str
    value: str


@dataclass(frozen=True, slots=True)
class Policy:
    """A policy of row-level security; `table` only where it was linked from elsewhere."""

    name: str
    permissive: str
    command: str
    to: tuple[str, ...]
    using: str | None
    with_check: str | None
    schema: str = "public"
    table: str | None = None


@dataclass(frozen=True, slots=True)
class Table:
    """A table.

    Attributes:
        schema: `public` where none is named.
        primary_keys: written at the table (v1: also the one of a column).
        uniques: v0: those of columns first.
        incomplete: it has columns or extras that are not known, so what is not listed may be there.
    """

    schema: str
    name: str
    columns: tuple[Column, ...] = ()
    indexes: tuple[Index, ...] = ()
    foreign_keys: tuple[ForeignKey, ...] = ()
    primary_keys: tuple[Key, ...] = ()
    uniques: tuple[Key, ...] = ()
    checks: tuple[Check, ...] = ()
    policies: tuple[Policy, ...] = ()
    rls: bool = False
    incomplete: bool = False
    path: str = ""
    line: int = 0

    @property
    def key(self) -> str:
        """`schema.name`."""
        return f"{self.schema}.{self.name}"


@dataclass(frozen=True, slots=True)
class Enum:
    """An enum type."""

    schema: str
    name: str
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Sequence:
    """A sequence."""

    schema: str
    name: str
    increment: str
    min_value: str
    max_value: str
    start_with: str
    cache: str
    cycle: bool


@dataclass(frozen=True, slots=True)
class Role:
    """A role that the schema creates."""

    name: str
    create_db: bool
    create_role: bool
    inherit: bool


@dataclass(frozen=True, slots=True)
class View:
    """A view or a materialized view; an existing one has no definition."""

    schema: str
    name: str
    definition: str | None
    materialized: bool = False
    options: tuple[tuple[str, str | int | float | bool], ...] = ()
    with_no_data: bool = False
    tablespace: str | None = None
    using: str | None = None
    columns: tuple[Column, ...] = ()
    needs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Schema:
    """All that the exports of the schema files mean.

    Attributes:
        format: the generation of drizzle-kit whose names it bears.
        policies: linked to tables that are not among these; v1: all that are linked to a table.
        unresolved: what is not known; empty where the schema is known completely.
        files: the schema files.
    """

    format: Format
    tables: tuple[Table, ...] = ()
    enums: tuple[Enum, ...] = ()
    schemas: tuple[str, ...] = ()
    sequences: tuple[Sequence, ...] = ()
    roles: tuple[Role, ...] = ()
    policies: tuple[Policy, ...] = ()
    views: tuple[View, ...] = ()
    unresolved: tuple[Unresolved, ...] = ()
    files: tuple[str, ...] = field(default=())

    def table(self, key: str) -> Table | None:
        """The table of that `schema.name`."""
        return next((table for table in self.tables if table.key == key), None)

    def __iter__(self) -> Iterator[Table]:
        return iter(self.tables)
