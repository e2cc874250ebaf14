"""From the exports of the schema files to the schema: what drizzle-kit picks out of them, and in its order."""

from collections.abc import Iterable
from dataclasses import replace

from checks.schema import model, names, twice
from checks.schema.assemble_column import Columns
from checks.schema.assemble_policy import assemble_policy
from checks.schema.assemble_table import assemble_table
from checks.schema.columns import Column
from checks.schema.context import Context
from checks.schema.notes import known_text
from checks.schema.objects import Enum, Role, Sequence
from checks.schema.queries import INSIDE, Select
from checks.schema.security import Policy
from checks.schema.sqltext import Aliased, Lost, Param, Sql
from checks.schema.tables import Schema, Table
from checks.schema.views import View
from checks.typescript.program import Exported
from checks.typescript.values import UNDEFINED, Record, Site, Unknown, Value, known, listed, unknowns

_NUMBERS = ("-9223372036854775808", "9223372036854775807")


class Assembly:
    """A schema in the making."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._notes = context.notes
        self.found: dict[int, Value] = {}

    def collect(self, exports: Iterable[Exported]) -> None:
        """Take what drizzle-kit would take; an export that may be a part of the schema and is not known is noted."""
        for export in exports:
            value = export.value
            if isinstance(value, Unknown):
                if not value.inert:
                    self._notes.add(value, f"export {export.name}")
            elif isinstance(value, Table | Enum | Schema | View | Sequence | Role | Policy):
                if id(value) in self.found and self._context.v1:
                    why = "is exported more than once by the schema files, which drizzle-kit 1.0 refuses"
                    self._notes.add(Unknown(export.path, export.line, why), f"export {export.name}")
                self.found.setdefault(id(value), value)

    def schema(self, files: tuple[str, ...]) -> model.Schema:
        """The schema."""
        found = list(self.found.values())
        tables = [
            table for value in found if isinstance(value, Table) and (table := assemble_table(self._context, value))
        ]
        tables = twice.tables(self._notes, tables, v1=self._context.v1)
        twice.indexes(self._notes, tables)
        enums = [(enum, value.site) for value in found if isinstance(value, Enum) and (enum := self._enum(value))]
        sequences = [(s, value.site) for value in found if isinstance(value, Sequence) and (s := self._sequence(value))]
        roles = [(r, value.site) for value in found if isinstance(value, Role) and (r := self._role(value))]
        linked = [value for value in found if isinstance(value, Policy)]
        tables, policies = self._linked(tables, linked)
        return model.Schema(
            format=self._context.format,
            tables=tuple(tables),
            enums=twice.kept(self._notes, "enum", enums, v1=self._context.v1),
            schemas=tuple(self._schemas(found)),
            sequences=twice.kept(self._notes, "sequence", sequences, v1=self._context.v1),
            roles=twice.kept(self._notes, "role", roles, v1=self._context.v1),
            policies=tuple(policies),
            views=tuple(self._views(found)),
            unresolved=self._notes.all(),
            files=files,
        )

    def _named(self, value: Enum | Sequence | Schema | Role, word: str) -> str | None:
        try:
            return known_text(value.name, value.site)
        except Lost as lost:
            self._notes.add(lost.unknown, f"name of {word}")
            return None

    def _schema_of(self, schema: Value, site: Site) -> str:
        return "public" if schema is UNDEFINED else known_text(schema, site)

    def _schemas(self, found: list[Value]) -> list[str]:
        wanted: list[str] = []
        for value in found:
            if isinstance(value, Schema) and not value.existing:
                name = self._named(value, "a schema")
                if name is not None and name in wanted and self._context.v1:
                    twice.note(self._notes, "schema", name, value.site)
                if name is not None and name != "public" and name not in wanted:
                    wanted.append(name)
        return wanted

    def _enum(self, enum: Enum) -> model.Enum | None:
        name = self._named(enum, "an enum")
        if name is None:
            return None
        try:
            if isinstance(enum.values, Unknown):
                raise Lost(enum.values)  # noqa: TRY301 - what is lost is noted in one place
            values = tuple(known_text(value, enum.site) for value in enum.values)
            if self._context.v1 and len(set(values)) < len(values):
                raise Lost(enum.site.unknown("has a value twice, which drizzle-kit 1.0 refuses"))  # noqa: TRY301 - what is lost is noted in one place
            return model.Enum(self._schema_of(enum.schema, enum.site), name, values)
        except Lost as lost:
            self._notes.add(lost.unknown, f"enum {name}")
            return None

    def _sequence(self, sequence: Sequence) -> model.Sequence | None:
        name = self._named(sequence, "a sequence")
        if name is None:
            return None
        options = sequence.options
        unknown = next(unknowns(options), None)
        if unknown is not None:
            self._notes.add(unknown, f"sequence {name}")
            return None
        given = options if isinstance(options, Record) else Record()
        try:
            schema = self._schema_of(sequence.schema, sequence.site)
        except Lost as lost:
            self._notes.add(lost.unknown, f"sequence {name}")
            return None
        return model.Sequence(
            schema, name, *names.sequence_numbers(given, *_NUMBERS), given.get("cycle", False) is True
        )

    def _role(self, role: Role) -> model.Role | None:
        if role.existing:
            return None
        name = self._named(role, "a role")
        options = role.options
        unknown = next(unknowns(options), None)
        if unknown is not None and name is not None:
            self._notes.add(unknown, f"role {name}")
        if name is None or unknown is not None:
            return None
        given = options if isinstance(options, Record) else Record()
        create_db, create_role = given.get("createDb", False), given.get("createRole", False)
        inherit = given.get("inherit", True)
        return model.Role(name, create_db is True, create_role is True, inherit is not False and inherit is not None)

    def _linked(
        self, tables: list[model.Table], policies: list[Policy]
    ) -> tuple[list[model.Table], list[model.Policy]]:
        """Policies that are linked to a table from elsewhere: on a table of ours they are its own."""
        others: list[model.Policy] = []
        by_key = {table.key: table for table in tables}
        for policy in policies:
            table = policy.linked
            if table is UNDEFINED:
                continue  # a policy that is on no table does nothing: drizzle-kit says so and goes on
            try:
                if not isinstance(table, Table):
                    raise Lost(table if isinstance(table, Unknown) else policy.site.unknown("is linked to no table"))  # noqa: TRY301 - what is lost is noted in one place
                built = assemble_policy(self._context, policy)
                schema, name = self._schema_of(table.schema, policy.site), known_text(table.name, policy.site)
            except Lost as lost:
                self._notes.add(lost.unknown, f"policy {policy.name}" if isinstance(policy.name, str) else "a policy")
                continue
            key = f"{schema}.{name}"
            own, v1 = by_key[key].policies if key in by_key else (), self._context.v1
            beside = (
                [p for p in others if (p.schema, p.table) == (schema, name)] if v1 else [] if key in by_key else others
            )
            if any(other.name == built.name for other in (*own, *beside)):
                twice.note(self._notes, "policy", built.name, policy.site, key)
            if key in by_key and not v1:  # drizzle-kit 1.0 has linked policies before all others
                by_key[key] = replace(by_key[key], policies=(*by_key[key].policies, built))
            else:
                others.append(replace(built, schema=schema, table=name))
        return list(by_key.values()), others

    def _views(self, found: list[Value]) -> list[model.View]:
        views = [value for value in found if isinstance(value, View)]
        views.sort(key=lambda view: view.materialized)
        built: dict[tuple[str, str], model.View] = {}
        for value in views:
            view = self._view(value)
            if view is None:
                continue
            if (view.schema, view.name) in built:
                twice.note(self._notes, "view", view.name, value.site, f"{view.schema}.{view.name}")
            built[view.schema, view.name] = view
        return list(built.values())

    def _view(self, view: View) -> model.View | None:
        try:
            name, schema = known_text(view.name, view.site), self._schema_of(view.schema, view.site)
        except Lost as lost:
            self._notes.add(lost.unknown, "name of a view")
            return None
        definition = None
        try:
            if view.query is not UNDEFINED:
                definition = self._context.sql(view.query, view.site, inline=True)
            unknown = known(*(u for value in view.settings.values() for u in unknowns(value)))
            if unknown is not None:
                raise Lost(unknown)  # noqa: TRY301 - what is lost is noted in one place
        except Lost as lost:
            self._notes.add(lost.unknown, f"view {name}", f"{schema}.{name}")
            return None
        options = view.settings.get("with", UNDEFINED)
        pairs = tuple((key, options[key]) for key in options.names()) if isinstance(options, Record) else ()
        tablespace, using = view.settings.get("tablespace"), view.settings.get("using")
        return model.View(
            schema=schema,
            name=name,
            definition=definition,
            materialized=view.materialized,
            options=tuple((key, value) for key, value in pairs if value is not UNDEFINED and value is not None),
            with_no_data=view.settings.get("withNoData") is True,
            tablespace=tablespace if isinstance(tablespace, str) else None,
            using=using if isinstance(using, str) else None,
            needs=tuple(sorted(_needs(view.query, set()))),
            columns=self._view_columns(view, schema, name),
        )

    def _view_columns(self, view: View, schema: str, name: str) -> tuple[model.Column, ...]:
        """The columns that v0 lists in a snapshot: those that are a table's, by their names as written."""
        if self._context.v1:
            return ()
        reader = Columns(self._context, f"{schema}.{name}", name, name)
        columns: dict[str, model.Column] = {}
        for key, column in view.columns.items():
            if INSIDE not in key and isinstance(column, Column) and isinstance(column.name, str):
                built = reader.column(column, column.name)
                if built is not None:
                    columns[column.name] = _in_view(built, column)
        return tuple(columns.values())


def _in_view(built: model.Column, column: Column) -> model.Column:
    """What drizzle-kit 0.x writes for a column of a view: it neither looks for an array's enum nor doubles quotes."""
    value = column.config.default
    if isinstance(value, str):
        built = replace(built, default_json=f"'{value}'")
    return replace(built, type_schema=None) if column.config.base is not None else built


def _needs(query: Value, seen: set[int]) -> set[str]:
    """The views that a query reads, as `schema.name`."""
    if id(query) in seen:
        return set()
    seen.add(id(query))
    if isinstance(query, View):
        return {f"{query.schema if isinstance(query.schema, str) else 'public'}.{query.name}"}
    inside: list[Value] = listed(query) or []
    if isinstance(query, Sql):
        inside = query.chunks
    elif isinstance(query, Aliased):
        inside = [query.sql]
    elif isinstance(query, Param):
        inside = [query.value]
    elif isinstance(query, Select):  # in a condition
        inside = [query.source, *query.joined, *(part for parts in query.parts.values() for part in parts)]
    return {need for item in inside for need in _needs(item, seen)}
