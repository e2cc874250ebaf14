"""Enums, sequences and roles."""

from checks.schema import sqltext
from checks.schema.columns import Builder, Config, Format
from checks.typescript.values import UNDEFINED, Native, Record, Site, Thing, Unknown, Value, listed


class Enum(sqltext.Referable):
    """`pgEnum("name", values)`: also the builder of columns of that type."""

    __slots__ = ("format", "kind", "name", "schema", "site", "values")

    def __init__(self, name: Value, values: Value, schema: Value, site: Site, format: Format) -> None:  # noqa: A002 - the project's word
        self.name = name
        self.values = values
        self.schema = schema
        self.site = site
        self.format: Format = format
        self.kind = "PgEnumColumn"

    @classmethod
    def make(cls, args: list[Value], site: Site, schema: Value, format: Format) -> Value:  # noqa: A002 - the project's word
        """From the arguments of `pgEnum`: a name, and a list or an object of texts."""
        name = args[0] if args else UNDEFINED
        values = args[1] if len(args) > 1 else UNDEFINED
        of_object = isinstance(values, Record)
        if isinstance(values, Record):
            values = values.hole or [values.read(key, site) for key in values.names()]
        if not isinstance(name, str | Unknown) or not isinstance(values, list | Unknown):
            return site.unknown("is an enum without a name or values")
        items = listed(values)
        enum = cls(name, values if items is None else list(items), schema, site, format)
        enum.kind = "PgEnumObjectColumn" if of_object else "PgEnumColumn"
        return enum

    def call(self, args: list[Value], site: Site) -> Value:
        """A column of this type."""
        name = args[0] if args else ""
        sql = self.name if isinstance(self.name, str | Unknown) else site.unknown("is an enum without a name")
        config = Config(name if isinstance(name, str | Unknown) else "", sql, self.kind, site, enum=self)
        config.enum_values = self.values
        return Builder(config, self.format)

    def member(self, name: str, site: Site) -> Value:
        """What programs read of an enum."""
        found = {"enumName": self.name, "enumValues": self.values, "schema": self.schema}
        return found[name] if name in found else site.unknown(f"`.{name}` of an enum is not understood")

    def reference(self, text: sqltext.Text) -> str:
        """`"schema"."name"`."""
        if not isinstance(self.name, str):
            raise sqltext.Lost(
                self.name if isinstance(self.name, Unknown) else text.site.unknown("is an enum without a name")
            )
        name = sqltext.quoted(self.name)
        return f"{sqltext.quoted(self.schema)}.{name}" if isinstance(self.schema, str) else name


class Sequence(Thing):
    """`pgSequence("name", options)`."""

    __slots__ = ("name", "options", "schema", "site")

    def __init__(self, name: Value, options: Value, schema: Value, site: Site) -> None:
        self.name = name
        self.options = options
        self.schema = schema
        self.site = site

    @classmethod
    def make(cls, args: list[Value], site: Site, schema: Value = UNDEFINED) -> Value:
        """From the arguments of `pgSequence`."""
        name = args[0] if args else UNDEFINED
        options = args[1] if len(args) > 1 else UNDEFINED
        if not isinstance(name, str | Unknown):
            return site.unknown("is a sequence without a name")
        return cls(name, options if isinstance(options, Record | Unknown) else Record(), schema, site)

    def member(self, name: str, site: Site) -> Value:
        """What programs read of a sequence."""
        return self.name if name == "seqName" else site.unknown(f"`.{name}` of a sequence is not understood")


class Role(Thing):
    """`pgRole("name", options)`."""

    __slots__ = ("existing", "name", "options", "site")

    def __init__(self, name: Value, options: Value, site: Site) -> None:
        self.name = name
        self.options = options
        self.site = site
        self.existing = False

    @classmethod
    def make(cls, args: list[Value], site: Site) -> Value:
        """From the arguments of `pgRole`."""
        name = args[0] if args else UNDEFINED
        options = args[1] if len(args) > 1 else UNDEFINED
        if not isinstance(name, str | Unknown):
            return site.unknown("is a role without a name")
        return cls(name, options if isinstance(options, Record | Unknown) else Record(), site)

    def member(self, name: str, site: Site) -> Value:
        """`existing()` says that the role is made elsewhere."""
        if name == "existing":
            return Native(name, lambda _a, _s: self._existing())
        return self.name if name == "name" else site.unknown(f"`.{name}` of a role is not understood")

    def _existing(self) -> "Role":
        self.existing = True
        return self
