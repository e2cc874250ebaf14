"""Columns while they are being written: `text("name").notNull().default("x")`, as Drizzle's builders keep them."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from checks.schema import sqltext
from checks.typescript.values import UNDEFINED, BigInt, Date, Native, Record, Site, Thing, Unknown, Value, text_of

Format = Literal["v0", "v1"]

_SELF = frozenset({"$type", "$default", "$defaultFn", "$onUpdate", "$onUpdateFn"})
_ORDER = {
    "asc": ("order", "asc"),
    "desc": ("order", "desc"),
    "nullsFirst": ("nulls", "first"),
    "nullsLast": ("nulls", "last"),
}


@dataclass(slots=True)
class Reference:
    """`.references(() => other.column, actions)`, not yet followed."""

    target: Value
    actions: Value
    site: Site


@dataclass
class Config:
    """What a builder has been told. The attributes have Drizzle's own names and meanings.

    Attributes:
        sql_type: the type as Drizzle prints it, or Unknown.
        kind: which builder it is (`PgVector`, `PgEnumColumn`, …).
        mode: how values are handed to the program, where defaults depend on it (`xy`, `tuple`, …).
        size: of a v0 array.
        base: the element of a v0 array.
        dimensions: of a v1 array.
        v1: it is a column of drizzle-orm 1.0.
    """

    name: Value
    sql_type: Value
    kind: str
    site: Site
    mode: str | None = None
    enum: Thing | None = None
    enum_values: Value = UNDEFINED
    srid: Value = UNDEFINED
    key_as_name: bool = False
    not_null: bool = False
    primary: bool = False
    default: Value = UNDEFINED
    unique: bool = False
    unique_name: Value = UNDEFINED
    unique_nulls: Value = UNDEFINED
    generated: Value = UNDEFINED
    identity: tuple[str, Record | Unknown | None] | None = None
    size: Value = UNDEFINED
    base: "Config | None" = None
    dimensions: int = 0
    v1: bool = False


class Builder(Thing):
    """A column that is being described. Methods change it and give it back, as in Drizzle."""

    __slots__ = ("config", "format", "references")

    def __init__(self, config: Config, format: Format) -> None:  # noqa: A002 - the project's word
        self.config = config
        self.format: Format = format
        self.references: list[Reference] = []
        config.key_as_name = config.name == ""
        config.v1 = format == "v1"

    def member(self, name: str, site: Site) -> Value:
        """A method of the builder."""
        method = _METHODS.get(name)
        if method is not None and not self.config.kind.startswith(_OWN.get(name, "")):
            return site.unknown(f"`.{name}` is no method of this column")
        if method is not None:
            return Native(name, lambda args, at: method(self, args, at))
        if name in _SELF:
            return Native(name, lambda _a, _s: self)
        if name == "config":
            return site.unknown("reads the inside of a column's builder")
        return site.unknown(f"`.{name}` of a column is not understood")


def _argument(args: list[Value], index: int = 0) -> Value:
    return args[index] if len(args) > index else UNDEFINED


def _not_null(builder: Builder, _args: list[Value], _site: Site) -> Value:
    builder.config.not_null = True
    return builder


def _primary(builder: Builder, _args: list[Value], _site: Site) -> Value:
    builder.config.primary = builder.config.not_null = True
    return builder


def _default(builder: Builder, args: list[Value], _site: Site) -> Value:
    builder.config.default = _argument(args)
    return builder


def _unique(builder: Builder, args: list[Value], _site: Site) -> Value:
    options = _argument(args, 1)
    builder.config.unique = True
    builder.config.unique_name = _argument(args)
    builder.config.unique_nulls = options.get("nulls", UNDEFINED) if isinstance(options, Record) else options
    return builder


def _references(builder: Builder, args: list[Value], site: Site) -> Value:
    builder.references.append(Reference(_argument(args), _argument(args, 1), site))
    return builder


def _generated(builder: Builder, args: list[Value], _site: Site) -> Value:
    builder.config.generated = _argument(args)
    return builder


def _identity(kind: str) -> Callable[[Builder, list[Value], Site], Value]:
    def set_identity(builder: Builder, args: list[Value], _site: Site) -> Value:
        options = _argument(args)
        builder.config.identity = (kind, options if isinstance(options, Record | Unknown) else None)
        builder.config.not_null = True
        return builder

    return set_identity


def _array(builder: Builder, args: list[Value], site: Site) -> Value:
    config, size = builder.config, _argument(args)
    if builder.format == "v0":  # a new builder: what was said of the element is not said of the array
        outer = Config(config.name, _array_type(config.sql_type, size, site), "PgArray", site, size=size, base=config)
        outer.enum = config.enum
        return Builder(outer, "v0")
    if isinstance(size, Unknown):
        config.sql_type = size
    elif size is UNDEFINED or (isinstance(size, str) and size.replace("[]", "") == ""):
        config.dimensions = len(size) // 2 if isinstance(size, str) else 1
    else:
        config.sql_type = site.unknown("is an array whose dimensions are not understood")
    return builder


def _array_type(element: Value, size: Value, site: Site) -> Value:
    if element.__class__ is Unknown or size.__class__ is Unknown:
        return element if element.__class__ is Unknown else size
    if not isinstance(element, str):
        return site.unknown("is an array of something that is not understood")
    return f"{element}[{size if isinstance(size, int) and not isinstance(size, bool) else ''}]"


_METHODS: dict[str, Callable[[Builder, list[Value], Site], Value]] = {
    "notNull": _not_null,
    "primaryKey": _primary,
    "default": _default,
    "unique": _unique,
    "references": _references,
    "generatedAlwaysAs": _generated,
    "generatedAlwaysAsIdentity": _identity("always"),
    "generatedByDefaultAsIdentity": _identity("byDefault"),
    "array": _array,
    "defaultNow": lambda b, _a, s: _default(b, [sqltext.of("now()")], s),
    "defaultRandom": lambda b, _a, s: _default(b, [sqltext.of("gen_random_uuid()")], s),
}


_WHOLE = ("PgInteger", "PgSmallInt", "PgBigInt")
_OWN: dict[str, str | tuple[str, ...]] = {  # methods that only some columns have
    "generatedAlwaysAsIdentity": _WHOLE,
    "generatedByDefaultAsIdentity": _WHOLE,
    "defaultNow": ("PgDate", "PgTime"),
    "defaultRandom": "PgUUID",
}


class Column(sqltext.Referable):
    """A column of a table, as other parts of the schema see it."""

    __slots__ = ("config", "key", "name", "table", "uniqueness")

    def __init__(self, config: Config, name: Value, key: str, table: "Owner") -> None:
        self.config = config
        self.name = name
        self.key = key
        self.table = table
        self.uniqueness: Value = UNDEFINED  # v0: the name of its unique constraint

    def member(self, name: str, site: Site) -> Value:
        """What programs read of a column."""
        config = self.config
        found: dict[str, Value] = {
            "name": self.name,
            "notNull": config.not_null,
            "primary": config.primary,
            "isUnique": config.unique,
            "enumValues": config.enum_values,
            "table": self.table,
            "columnType": config.kind,
        }
        if name in found:
            return found[name]
        if name == "getSQLType":
            return Native(name, lambda _a, _s: config.sql_type)
        if name == "as" and config.v1:
            return Native(name, lambda args, _s: AliasedColumn(self, _argument(args)))
        return site.unknown(f"`.{name}` of a column is not understood")

    def reference(self, text: sqltext.Text) -> str:
        """`"table"."column"`, or the column alone in an index."""
        name = self.name
        if not isinstance(name, str):
            raise sqltext.Lost(name if isinstance(name, Unknown) else text.site.unknown("is a column without a name"))
        name = sqltext.quoted(text.casing(name) if self.config.key_as_name else name)
        return name if text.bare else f"{self.table.qualified(text)}.{name}"

    def encode(self, value: Value) -> Value:
        """The value as Drizzle hands it to the driver."""
        if value is None or isinstance(value, bool | str):
            return value
        if isinstance(value, int | float) and self.config.kind.startswith("PgNumeric"):
            return text_of(value)
        if isinstance(value, Date) and self.config.kind in {"PgTimestamp", "PgDate"}:
            return value.iso()
        if isinstance(value, int | float | BigInt):
            return value
        return Unknown(
            self.config.site.path, self.config.site.line, "is a value whose form for the driver is not known"
        )


class AliasedColumn(Column):
    """A column under another name in a query (v1): `users.id.as("userId")`."""

    __slots__ = ("original",)

    def __init__(self, column: Column, alias: Value) -> None:
        config = copied(column.config)
        config.key_as_name = False
        super().__init__(config, alias, column.key, column.table)
        self.original: Column = column.original if isinstance(column, AliasedColumn) else column

    def reference(self, text: sqltext.Text) -> str:
        """The other name alone, which stands for it wherever it is not selected."""
        if not isinstance(self.name, str):
            raise sqltext.Lost(text.site.unknown("is a column under a name that is not known"))
        return sqltext.quoted(self.name)


class Owner(sqltext.Referable):
    """What has columns: a table, a view or an alias of one."""

    __slots__ = ()

    def qualified(self, text: sqltext.Text) -> str:
        """Its name before a column."""
        return self.reference(text)


class IndexColumn(sqltext.Referable):
    """A column inside the callback of a table's extras, where an index may order it: `t.name.desc().nullsLast()`."""

    __slots__ = ("column", "nulls", "opclass", "order")

    def __init__(self, column: Column) -> None:
        self.column = column
        self.reset()

    def reset(self) -> None:
        """Forget the order: an index has taken it."""
        self.order, self.nulls, self.opclass = "asc", "last", UNDEFINED

    def member(self, name: str, site: Site) -> Value:
        """A method that sets the order or operator class, or what a column has."""
        if name in _ORDER:
            return Native(name, lambda _a, _s: self._set(*_ORDER[name]))
        if name == "op":
            return Native(name, lambda args, _s: self._set("opclass", _argument(args)))
        return self.column.member(name, site)

    def _set(self, attribute: str, value: Value) -> "IndexColumn":
        setattr(self, attribute, value)
        return self

    def reference(self, text: sqltext.Text) -> str:
        """As the column."""
        return self.column.reference(text)


_NEW = Config.__new__


def copied(config: Config) -> Config:
    """A column's own copy of what its builder was told."""
    made = _NEW(Config)  # `dataclasses.replace` is a seventh of the time of reading a schema
    made.__dict__.update(config.__dict__)
    return made


def plain(value: Value) -> Value:
    """The column behind what a callback or a table hands out."""
    return value.column if isinstance(value, IndexColumn) else value
