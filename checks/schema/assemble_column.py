"""One column as data: its type, default, expression and identity."""

from checks.schema import defaults, defaults_v1, model, names
from checks.schema.columns import Column, Config
from checks.schema.context import Context
from checks.schema.notes import known_text
from checks.schema.objects import Enum
from checks.schema.sqltext import Lost, Sql
from checks.typescript.values import UNDEFINED, Record, Unknown, text_of, too_big, unknowns


class Columns:
    """Reads the columns of one table or view.

    Args:
        context: of the schema.
        key: `schema.name` of the table.
        label: how the table is called in notes.
        name: the name of the table.
    """

    def __init__(self, context: Context, key: str, label: str, name: str) -> None:
        self.context = context
        self.notes = context.notes
        self.v1 = context.v1
        self.key = key
        self.label = label
        self.name = name

    def column(self, column: Column, name: str) -> model.Column | None:
        """One column; None where its type is not known."""
        config = column.config
        try:
            sql_type = known_text(config.sql_type, config.site)
            enum_schema = self._enum_schema(config)
        except Lost as lost:
            self.notes.add(lost.unknown, f"column {self.label}.{name}", self.key, name)
            return None
        dimensions = 0
        if self.v1:
            sql_type, dimensions = names.v1_type(sql_type, config.dimensions)
        default, default_json = self._default(config, name, dimensions)
        return model.Column(
            name=name,
            type=sql_type,
            type_schema=enum_schema,
            primary=config.primary,
            not_null=config.not_null,
            default=default,
            default_json=default_json,
            generated=self._generated(config, name),
            identity=self._identity(config, name, sql_type),
            dimensions=dimensions,
            path=config.site.path,
            line=config.site.line,
        )

    def _enum_schema(self, config: Config) -> str | None:
        enum = config.enum
        if not isinstance(enum, Enum) or (not self.v1 and enum.kind == "PgEnumObjectColumn"):
            return None  # drizzle-kit 0.x overlooks the schema of an enum that was made of an object
        return "public" if enum.schema is UNDEFINED else known_text(enum.schema, enum.site)

    def _default(self, config: Config, name: str, dimensions: int) -> tuple[str | None, model.Json]:
        if config.default is UNDEFINED:
            return None, None
        try:
            if too_big(config.default):
                raise Lost(config.site.unknown("is a default that is too big or too deep"))  # noqa: TRY301 - what is lost is noted in one place
            if self.v1:
                text = defaults_v1.of(config, dimensions, config.site)
                return text, text
            return defaults.v0(config, config.site)
        except Lost as lost:
            self.notes.add(lost.unknown, f"default of {self.label}.{name}", self.key, name)
            return None, None

    def _generated(self, config: Config, name: str) -> str | None:
        value = config.generated
        if value is UNDEFINED:
            return None
        site = config.site
        try:
            if not isinstance(value, Sql | Unknown | str | int | float):
                value = self.context.call(value, [], site)
            if isinstance(value, Sql | Unknown):
                return self.context.sql(value, site)
            return known_text(text_of(value), site)
        except Lost as lost:
            self.notes.add(lost.unknown, f"expression of {self.label}.{name}", self.key, name)
            return None

    def _identity(self, config: Config, name: str, sql_type: str) -> model.Identity | None:
        if config.identity is None:
            return None
        kind, options = config.identity
        if isinstance(options, Unknown) or (options is not None and next(unknowns(options), None) is not None):
            unknown = options if isinstance(options, Unknown) else next(unknowns(options))
            self.notes.add(unknown, f"identity of {self.label}.{name}", self.key, name)
            options = None
        given = options or Record()
        own = given.get("name", UNDEFINED)
        highest = {"integer": "2147483647", "bigint": "9223372036854775807"}.get(sql_type, "32767")
        numbers = names.sequence_numbers(given, "-32768", highest)
        sequence = own if isinstance(own, str) else f"{self.name}_{name}_seq"
        cycle = given.get("cycle", False)
        return model.Identity(kind, sequence, *numbers, cycle is True)  # pyright: ignore[reportArgumentType] - one of two words
