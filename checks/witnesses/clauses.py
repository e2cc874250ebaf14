"""What a statement asks for, in small records: the text witness's words. Tables are `schema.name`."""

from typing import Literal, NamedTuple

Default = Literal["none", "constant", "volatile", "unknown"]
LIMITED = ("character varying(", "character(")
"""How the types begin that say how long a text may be."""
Kind = Literal["check", "foreign key", "unique", "primary key", "exclusion", "not null"]


class AddColumn(NamedTuple):
    """`default` says whether filling it needs a look at each row; `filled` names serial, identity or generated columns."""

    table: str
    column: str
    type: str
    not_null: bool
    default: Default
    filled: str = ""


class DropColumn(NamedTuple):
    """ALTER TABLE … DROP COLUMN."""

    table: str
    column: str
    cascade: bool
    missing_ok: bool = False


class AlterType(NamedTuple):
    """ALTER COLUMN … TYPE."""

    table: str
    column: str
    type: str


class AddConstraint(NamedTuple):
    """A constraint of its own or on a new column. `column` is that new column, else `""`."""

    table: str
    name: str
    kind: Kind
    columns: tuple[str, ...]
    not_valid: bool = False
    using_index: bool = False
    referenced: str = ""
    column: str = ""


class ValidateConstraint(NamedTuple):
    """VALIDATE CONSTRAINT."""

    table: str
    name: str


class DropConstraint(NamedTuple):
    """DROP CONSTRAINT."""

    table: str
    name: str
    missing_ok: bool = False


class SetNotNull(NamedTuple):
    """ALTER COLUMN … SET NOT NULL."""

    table: str
    column: str


class RewriteAll(NamedTuple):
    """What always writes the table anew: VACUUM FULL, CLUSTER. `why` in words."""

    table: str
    why: str


class AttachPartition(NamedTuple):
    """ATTACH PARTITION."""

    table: str
    partition: str


class Rename(NamedTuple):
    """A table (`column` is None) or column gets another name. `new` is a full name for tables."""

    table: str
    column: str | None
    new: str


class RenameSchema(NamedTuple):
    """ALTER SCHEMA … RENAME TO: every table in it gets another name."""

    old: str
    new: str


class CreateIndex(NamedTuple):
    """CREATE INDEX. `columns` are the plain columns it begins with."""

    table: str
    name: str
    columns: tuple[str, ...]
    unique: bool
    concurrently: bool
    if_not_exists: bool


class Reindex(NamedTuple):
    """REINDEX of a table (`table`) or of something else (`""`)."""

    table: str
    name: str


class Concurrently(NamedTuple):
    """Something that refuses a transaction because of CONCURRENTLY."""

    what: str
    name: str = ""


class Refresh(NamedTuple):
    """REFRESH MATERIALIZED VIEW. `gently`: concurrently, or without data."""

    table: str
    gently: bool


class CreateTable(NamedTuple):
    """`primary_key` is None where a parent, a type or a query decides it; `if_not_exists` may do nothing; `limited`: columns for texts of a length."""

    table: str
    primary_key: tuple[tuple[str, str], ...] | None
    temporary: bool
    if_not_exists: bool = False
    limited: tuple[tuple[str, str], ...] = ()


class CreateView(NamedTuple):
    """A view or materialized view."""

    table: str


class Drop(NamedTuple):
    """DROP of tables, views, types and others. `kind` in words; `names` full where they are in a schema."""

    kind: str
    names: tuple[str, ...]
    cascade: bool
    missing_ok: bool = False


class Truncate(NamedTuple):
    """TRUNCATE."""

    tables: tuple[str, ...]
    cascade: bool


class Dml(NamedTuple):
    """UPDATE, DELETE, MERGE or INSERT … SELECT FROM. `where`: it names its rows; `present`: by this column's not being NULL alone."""

    verb: str
    table: str
    where: bool
    present: str = ""


class AddEnumValue(NamedTuple):
    """ALTER TYPE … ADD VALUE."""

    enum: str
    value: str


class CreateEnum(NamedTuple):
    """CREATE TYPE … AS ENUM."""

    enum: str


class RenameType(NamedTuple):
    """ALTER TYPE … RENAME TO."""

    old: str
    new: str


class Transaction(NamedTuple):
    """BEGIN, COMMIT, ROLLBACK and their kind."""

    verb: str


class Trigger(NamedTuple):
    """DISABLE TRIGGER."""

    table: str
    trigger: str


class Rls(NamedTuple):
    """Something that lets rows through. `how` in words."""

    table: str
    how: str


class Grant(NamedTuple):
    """GRANT. `table` where it is on one table."""

    privileges: str
    what: str
    to: str
    table: str = ""


class AlterPolicy(NamedTuple):
    """ALTER POLICY. `public` is None where its roles stay; `lets_through`: a condition becomes `true`."""

    table: str
    name: str
    public: bool | None
    lets_through: bool


class DefinerFunction(NamedTuple):
    """SECURITY DEFINER without a search_path of its own; `altered`: the function was there, and something of that changed."""

    name: str
    altered: bool = False


class Lock(NamedTuple):
    """A lock that the statement takes for sure, where the text says so."""

    table: str
    mode: str


class Prepare(NamedTuple):
    """PREPARE: what EXECUTE of that name will ask for."""

    name: str
    clauses: tuple["Clause", ...]


class Execute(NamedTuple):
    """EXECUTE of what was prepared."""

    name: str


class Opaque(NamedTuple):
    """Code that says what it does only when it runs."""

    what: str


Clause = (
    AddColumn
    | DropColumn
    | AlterType
    | AddConstraint
    | ValidateConstraint
    | DropConstraint
    | SetNotNull
    | RewriteAll
    | AttachPartition
    | Rename
    | RenameSchema
    | CreateIndex
    | Reindex
    | Concurrently
    | Refresh
    | CreateTable
    | CreateView
    | Drop
    | Truncate
    | Dml
    | AddEnumValue
    | CreateEnum
    | RenameType
    | Transaction
    | Trigger
    | Rls
    | Grant
    | AlterPolicy
    | DefinerFunction
    | Lock
    | Prepare
    | Execute
    | Opaque
)


class Reading(NamedTuple):
    """What the text says of one statement.

    Attributes:
        kind: the name of its node (`alter_table_stmt`), `""` where it could not be read.
        clauses: what it asks for.
        problem: why it could not be read.
        position: the 0-based character where reading stopped, where that is known.
    """

    kind: str
    clauses: tuple[Clause, ...] = ()
    problem: str | None = None
    position: int | None = None
