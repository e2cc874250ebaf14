"""Views and materialized views."""

from checks.schema import sqltext
from checks.schema.columns import Column, Format, Owner
from checks.schema.queries import QueryBuilder, Select
from checks.schema.sqltext import Aliased, Sql
from checks.schema.tables import Tables
from checks.typescript.evaluate import Evaluator
from checks.typescript.values import UNDEFINED, Native, Record, Site, Thing, Unknown, Value


class View(Owner):
    """A finished view.

    Attributes:
        query: its SQL; UNDEFINED for an existing view.
        columns: what it shows, by key in the program.
    """

    __slots__ = ("columns", "lost", "materialized", "name", "options", "query", "schema", "settings", "site", "v1")

    def __init__(self, builder: "ViewBuilder", query: Value, columns: dict[str, Value], site: Site) -> None:
        self.name = builder.name
        self.schema = builder.schema
        self.materialized = builder.materialized
        self.settings = dict(builder.settings)
        self.v1 = builder.views.format == "v1"
        self.query = query
        self.columns: dict[str, Value] = {
            key: Column(column.config, column.name, key, self) if isinstance(column, Column) else column
            for key, column in columns.items()
        }
        self.lost: list[tuple[str | None, Unknown]] = []
        self.site = site

    def member(self, name: str, site: Site) -> Value:
        """A column of the view."""
        found = self._field(self.columns.get(name, UNDEFINED))
        if name == "...":
            return Record(self.fields())
        return site.unknown("is a type", inert=True) if found is UNDEFINED and name.startswith("$") else found

    def _field(self, field: Value) -> Value:
        if not isinstance(field, Aliased):
            return field
        origin = self.name if self.v1 and isinstance(self.name, str) else None
        return Aliased(field.sql, field.alias, selection=True, origin=origin)

    def fields(self) -> dict[str, Value]:
        """Its columns as another query sees them."""
        return {key: self._field(field) for key, field in self.columns.items()}

    def reference(self, text: sqltext.Text) -> str:  # noqa: ARG002 - the signature is shared
        """`"schema"."view"`."""
        for part in (self.name, self.schema):
            if part.__class__ is Unknown:
                raise sqltext.Lost(part)
        name = sqltext.quoted(str(self.name))
        return f"{sqltext.quoted(self.schema)}.{name}" if isinstance(self.schema, str) else name


class ViewBuilder(Thing):
    """`pgView("name", columns?)` until `.as(…)` or `.existing()`."""

    __slots__ = ("casing", "columns", "materialized", "name", "schema", "settings", "site", "views")

    def __init__(
        self, views: "Views", args: list[Value], schema: Value, site: Site, *, materialized: bool, casing: str | None
    ) -> None:
        self.views = views
        self.name: Value = args[0] if args else UNDEFINED
        self.columns: Value = args[1] if len(args) > 1 else UNDEFINED
        self.schema = schema
        self.site = site
        self.materialized = materialized
        self.casing = casing
        self.settings: dict[str, Value] = {}

    def member(self, name: str, site: Site) -> Value:
        """A method of the builder."""
        if name == "as":
            return Native(name, lambda args, at: self._as(args[0] if args else UNDEFINED, at))
        if name == "existing":
            return Native(name, self._existing)
        if name in {"with", "using", "tablespace"}:
            return Native(name, lambda args, _s: self._set(name, args[0] if args else UNDEFINED))
        if name == "withNoData":
            return Native(name, lambda _a, _s: self._set(name, True))
        return site.unknown(f"`.{name}` of a view is not understood")

    def _set(self, name: str, value: Value) -> "ViewBuilder":
        self.settings[name] = value
        return self

    def _existing(self, _args: list[Value], site: Site) -> View:
        if self.views.format == "v0" and not self.materialized:  # drizzle-orm 0.x forgets what `with` said
            self.settings = {}
        return View(self, UNDEFINED, self._listed(), site)

    def _listed(self) -> dict[str, Value]:
        if self.columns is UNDEFINED:
            return {}
        table = self.views.tables.make(self.name, [self.columns], self.schema, self.casing, self.site)
        self.views.tables.made.remove(table)
        return dict(table.columns)

    def _as(self, query: Value, site: Site) -> Value:
        if self.columns is UNDEFINED and not isinstance(query, Sql | Thing | Unknown):
            query = self.views.evaluator.call(query, [QueryBuilder(self.views.format, self.views.evaluator)], site)
        columns = self._listed()
        if isinstance(query, Select):
            columns = dict(query.selected())
            query = query.sql(site)
        elif isinstance(query, Sql) and self.columns is UNDEFINED:
            query = site.unknown("is a view of SQL without a list of its columns, which Drizzle refuses")
        if isinstance(query, Sql):
            query = Sql(query.chunks, inline=True)
        elif not isinstance(query, Unknown):
            query = site.unknown("is a view of something that is not understood")
        return View(self, query, columns, site)


class Views:
    """Makes views for one generation of Drizzle."""

    def __init__(self, evaluator: Evaluator, tables: Tables, format: Format) -> None:  # noqa: A002 - the project's word
        self.evaluator = evaluator
        self.tables = tables
        self.format: Format = format

    def maker(self, schema: Value, materialized: bool, casing: str | None) -> Native:  # noqa: FBT001 - pgView and pgMaterializedView differ in it
        """A function like `pgView`."""

        def make(args: list[Value], site: Site) -> Value:
            name = args[0] if args else UNDEFINED
            if not isinstance(name, str | Unknown):
                return site.unknown("is a view without a name")
            return ViewBuilder(self, args, schema, site, materialized=materialized, casing=casing)

        return Native("pgView", make)
