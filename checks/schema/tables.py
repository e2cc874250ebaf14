"""Tables, their schemas and the functions that make them: pgTable, pgSchema, pgTableCreator, snakeCase.table."""

import re
from collections.abc import Callable
from unicodedata import category

from checks.schema import sqltext
from checks.schema.columns import Builder, Column, Format, IndexColumn, Owner, Reference, copied
from checks.schema.objects import Enum, Sequence
from checks.typescript.evaluate import Evaluator
from checks.typescript.values import UNDEFINED, Native, Record, Site, Thing, Unknown, Value

Casing = Callable[[str], str]

_WORDS = re.compile(r"[\da-z]+|[A-Z]+(?![a-z])|[A-Z][\da-z]+")
_SHAPES = {"Ll": "a", "Lo": "a", "Lu": "A"}
_NEUTRAL = frozenset({"$inferSelect", "$inferInsert", "_", "$columns"})


def snake_case(name: str) -> str:
    """`userID2` as `user_id2`, the way Drizzle splits words."""
    return "_".join(word.lower() for word in _words(name))


def camel_case(name: str) -> str:
    """`user_id` as `userId`, the way Drizzle splits words."""
    words = _words(name)
    return "".join(word.lower() if index == 0 else word[0].upper() + word[1:] for index, word in enumerate(words))


def _words(name: str) -> list[str]:
    plain = name.replace("'", "").replace("\u2019", "")
    # v1 asks Unicode what is upper and lower case, v0 knows ASCII alone (and would lose other letters).
    shape = plain if plain.isascii() else "".join(c if c.isascii() else _SHAPES.get(category(c), " ") for c in plain)
    return [plain[match.start() : match.end()] for match in _WORDS.finditer(shape)]


CASINGS: dict[str, Casing] = {"snake_case": snake_case, "camelCase": camel_case}


class Table(Owner):
    """A table.

    Attributes:
        columns: by their key in the program, in order.
        lost: what is not known of its columns, each with the key where it has one.
        references: foreign keys written at columns.
        extras: the callback (or value) with indexes, checks and so on; UNDEFINED where there is none.
    """

    __slots__ = ("alias", "base_name", "columns", "extras", "lost", "name", "references", "rls", "schema", "site")

    def __init__(self, name: Value, schema: Value, site: Site) -> None:
        self.name = name
        self.base_name = name
        self.schema = schema
        self.site = site
        self.columns: dict[str, Column] = {}
        self.lost: list[tuple[str | None, Unknown]] = []
        self.references: list[tuple[Column, Reference]] = []
        self.extras: Value = UNDEFINED
        self.rls = False
        self.alias = False

    def member(self, name: str, site: Site) -> Value:  # noqa: PLR0911 - one case a kind of value
        """A column, or what Drizzle adds to a table."""
        column = self.columns.get(name)
        if column is not None:
            return column
        if name == "enableRLS":
            return Native(name, lambda _a, _s: self._enable())
        if name == "...":
            record = Record(self.columns)
            record.hole = next((unknown for key, unknown in self.lost if key is None), None)
            record.update((key, unknown) for key, unknown in self.lost if key is not None)
            return record
        if name in _NEUTRAL:
            return site.unknown("is a type", inert=True)
        if name == "getSQL":
            return Native(name, lambda _a, _s: sqltext.Sql([self]))
        for key, unknown in self.lost:
            if key in {None, name}:
                return unknown
        return UNDEFINED

    def _enable(self) -> "Table":
        self.rls = True
        return self

    def reference(self, text: sqltext.Text) -> str:
        """`"schema"."table"`."""
        for part in (self.name, self.schema):
            if part.__class__ is Unknown:
                raise sqltext.Lost(part)
        if not isinstance(self.name, str):
            raise sqltext.Lost(text.site.unknown("is a table without a name"))
        name = sqltext.quoted(self.name)
        return f"{sqltext.quoted(self.schema)}.{name}" if isinstance(self.schema, str) and not self.alias else name


class Tables:
    """Makes tables for one generation of Drizzle."""

    def __init__(self, evaluator: Evaluator, format: Format, builders: dict[str, Native]) -> None:  # noqa: A002 - the project's word
        self.evaluator = evaluator
        self.format: Format = format
        self.builders = Record(builders)
        self.made: list[Table] = []

    def creator(self, schema: Value = UNDEFINED, casing: str | None = None, rename: Value = UNDEFINED) -> Native:
        """A function like `pgTable`; `rename` is what pgTableCreator was given."""

        def create(args: list[Value], site: Site, *, rls: bool = False) -> Value:
            name = args[0] if args else UNDEFINED
            if rename is not UNDEFINED and not isinstance(name, Unknown):
                name = self.evaluator.call(rename, [name], site)
            table = self.make(name, args[1:], schema, casing, site)
            table.rls = rls
            return table

        extra: dict[str, Value] = {}
        if self.format == "v1":
            extra["withRLS"] = Native("withRLS", lambda args, site: create(args, site, rls=True))
        return Native("pgTable", create, extra)

    def make(self, name: Value, args: list[Value], schema: Value, casing: str | None, site: Site) -> Table:
        """Build a table from a name and `(columns, extras)`."""
        if not isinstance(name, str | Unknown):
            name = site.unknown("is a table whose name is not a text")
        table = Table(name, schema, site)
        columns = args[0] if args else UNDEFINED
        if not isinstance(columns, Record | Unknown):
            columns = self.evaluator.call(columns, [self.builders], site)
        if isinstance(columns, Unknown):
            table.lost.append((None, columns))
        elif not isinstance(columns, Record):
            table.lost.append((None, site.unknown("has columns that are not an object")))
        else:
            self._columns(table, columns, casing)
        table.extras = args[1] if len(args) > 1 else UNDEFINED
        self.made.append(table)
        return table

    def _columns(self, table: Table, columns: Record, casing: str | None) -> None:
        columns = columns.plain(table.site)
        if columns.hole is not None:
            table.lost.append((None, columns.hole))
        convert = CASINGS.get(casing or "", lambda name: name)
        for key in columns.names():
            builder = columns[key]
            if not isinstance(builder, Builder):
                lost = builder if isinstance(builder, Unknown) else table.site.unknown(f"`{key}` is not a column")
                table.lost.append((key, lost))
                continue
            config = builder.config
            if config.name == "":  # the builder keeps the first key that it is given, as in Drizzle
                config.name = convert(key) if self.format == "v1" else key
            column = Column(copied(config), config.name, key, table)
            self._uniqueness(builder, column, table)
            table.columns[key] = column
            table.references += [(column, reference) for reference in builder.references]

    def _uniqueness(self, builder: Builder, column: Column, table: Table) -> None:
        """The name of a v0 unique column is fixed when the builder is first used, and kept for its next table."""
        config = builder.config
        if self.format == "v0" and not config.unique_name:
            if isinstance(config.name, str) and isinstance(table.name, str):
                config.unique_name = f"{table.name}_{config.name}_unique"
            else:
                config.unique_name = table.name if isinstance(table.name, Unknown) else config.name
        column.uniqueness = column.config.unique_name = config.unique_name


class Schema(sqltext.Referable):
    """`pgSchema("name")`."""

    __slots__ = ("existing", "members", "name", "site")

    def __init__(self, name: Value, site: Site, members: dict[str, Value]) -> None:
        self.name = name
        self.site = site
        self.existing = False
        self.members = members

    def member(self, name: str, site: Site) -> Value:
        """Its makers of tables, enums and so on."""
        if name in self.members:
            return self.members[name]
        if name == "schemaName":
            return self.name
        if name == "existing":
            return Native(name, lambda _a, _s: self._existing())
        return site.unknown(f"`.{name}` of a schema is not understood")

    def _existing(self) -> "Schema":
        self.existing = True
        return self

    def reference(self, text: sqltext.Text) -> str:
        """`"schema"`."""
        if not isinstance(self.name, str):
            raise sqltext.Lost(
                self.name if isinstance(self.name, Unknown) else text.site.unknown("is a schema without a name")
            )
        return sqltext.quoted(self.name)


def schema_maker(
    tables: Tables, views: Callable[[Value, bool, str | None], Native], casing: str | None = None
) -> Native:
    """`pgSchema`."""

    def make(args: list[Value], site: Site) -> Value:
        name = args[0] if args else UNDEFINED
        if not isinstance(name, str | Unknown):
            return site.unknown("is a schema whose name is not a text")
        if name == "public":
            return site.unknown("Drizzle refuses a schema named `public`")
        members: dict[str, Value] = {
            "table": tables.creator(name, casing),
            "enum": Native("pgEnum", lambda a, s: Enum.make(a, s, name, tables.format)),
            "sequence": Native("pgSequence", lambda a, s: Sequence.make(a, s, name)),
            "view": views(name, False, casing),
            "materializedView": views(name, True, casing),
        }
        return Schema(name, site, members)

    return Native("pgSchema", make)


def creator_maker(tables: Tables) -> Native:
    """`pgTableCreator`."""

    def make(args: list[Value], _site: Site) -> Value:
        casing = args[1] if len(args) > 1 and isinstance(args[1], str) else None
        return tables.creator(UNDEFINED, casing, args[0] if args else UNDEFINED)

    return Native("pgTableCreator", make)


def for_extras(table: Table) -> Record:
    """What the callback of the extras is given: the columns, ready to be ordered."""
    record = Record((key, IndexColumn(column)) for key, column in table.columns.items())
    record.update((key, unknown) for key, unknown in table.lost if key is not None)
    record.hole = next((unknown for key, unknown in table.lost if key is None), None)
    return record


def aliased(args: list[Value], site: Site) -> Value:
    """`alias(table, "name")`."""
    if len(args) != 2 or not isinstance(args[0], Table) or not isinstance(args[1], str):
        return site.unknown("is an alias of something that is not understood")
    original, name = args
    table = Table(name, original.schema, site)
    table.base_name = original.name
    table.alias = True
    table.lost = original.lost
    for key, column in original.columns.items():
        table.columns[key] = Column(column.config, column.name, key, table)
    return table


__all__ = ["CASINGS", "Schema", "Table", "Tables", "Thing", "aliased", "creator_maker", "for_extras", "schema_maker"]
