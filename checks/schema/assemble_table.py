"""One table as data: columns, keys, indexes, checks and policies, named as drizzle-kit names them."""

from checks.schema import model, names
from checks.schema.assemble_column import Columns
from checks.schema.assemble_policy import assemble_policy
from checks.schema.columns import Column, Reference, plain
from checks.schema.constraints import Check, ForeignKey, Index, IndexTerm, PrimaryKey, Unique
from checks.schema.context import Context
from checks.schema.notes import known_text
from checks.schema.security import Policy
from checks.schema.sqltext import Lost, Sql
from checks.schema.tables import Table, for_extras
from checks.typescript.values import UNDEFINED, Record, Site, Unknown, Value, listed, unknowns

_TWICE = "has a name that the table uses twice, which drizzle-kit refuses"
_ACTIONS = frozenset({"no action", "cascade", "restrict", "set null", "set default"})


def assemble_table(context: Context, table: Table) -> model.Table | None:
    """The table as data; None where even its name is not known."""
    try:
        name = known_text(table.name, table.site)
        schema = "public" if table.schema is UNDEFINED else known_text(table.schema, table.site)
    except Lost as lost:
        context.notes.add(lost.unknown, "name of a table")
        return None
    draft = _Draft(context, table, schema, name)
    draft.columns()
    draft.inline_keys()
    draft.extras()
    return draft.finish()


class _Draft:
    """A table while it is being assembled."""

    def __init__(self, context: Context, table: Table, schema: str, name: str) -> None:
        self.context = context
        self.v1 = context.v1
        self.notes = context.notes
        self.source = table
        self.schema = schema
        self.name = name
        self.key = f"{schema}.{name}"
        self.label = name if schema == "public" else self.key
        self.incomplete = False
        self._columns: dict[str, model.Column] = {}
        self._indexes: list[model.Index] = []
        self._foreign_keys: dict[str, model.ForeignKey] = {}
        self._primary_keys: dict[str, model.Key] = {}
        self._uniques: dict[str, model.Key] = {}
        self._inline_uniques: list[model.Key] = []
        self._checks: dict[str, model.Check] = {}
        self._policies: dict[str, model.Policy] = {}

    def _lost(self, unknown: Unknown, what: str, column: str | None = None) -> None:
        self.notes.add(unknown, f"{what} of {self.label}", self.key, column)

    def columns(self) -> None:
        """Its columns."""
        reader = Columns(self.context, self.key, self.label, self.name)
        for key, unknown in self.source.lost:
            self.incomplete = True
            what = f"column {self.label}.{key}" if key else f"columns of {self.label}"
            self.notes.add(unknown, what, self.key, key)
        for column in self.source.columns.values():
            try:
                name = self.context.column_name(column)
            except Lost as lost:
                self.incomplete = True
                self.notes.add(lost.unknown, f"column {self.label}.{column.key}", self.key, column.key)
                continue
            built = reader.column(column, name)
            self.incomplete = self.incomplete or built is None
            if built is not None and name in self._columns and self.v1:
                why = "has the name of another column of the table, which drizzle-kit refuses"
                self.notes.refused(column.config.site, why, f"column {self.label}.{name}", self.key, name)
            if built is not None:
                self._columns[name] = built

    def inline_keys(self) -> None:
        """The unique constraints and foreign keys that are written at columns."""
        for column in self.source.columns.values():
            if not column.config.unique:
                continue
            try:
                name = self.context.column_name(column)
                own = column.config.unique_name
                explicit = own is not UNDEFINED and own is not None
                title = (
                    names.unique_v1(self.name, name)
                    if self.v1 and not explicit
                    else known_text(own, column.config.site)
                )
                if isinstance(column.config.unique_nulls, Unknown):
                    raise Lost(column.config.unique_nulls)  # noqa: TRY301 - what is lost is noted in one place
            except Lost as lost:
                self._lost(lost.unknown, f"unique constraint on {column.key}")
                continue
            key = model.Key(title, (name,), column.config.unique_nulls == "not distinct", explicit, inline=True)
            if self.v1:
                self._inline_uniques.append(key)
            elif title in self._uniques:
                self.notes.refused(
                    column.config.site,
                    _TWICE,
                    f"unique constraint {title}",
                    self.key,
                )
            else:
                self._uniques[title] = key
        for column, reference in self.source.references:
            self._inline_foreign_key(column, reference)

    def _inline_foreign_key(self, column: Column, reference: Reference) -> None:
        site = reference.site
        try:
            target = self.context.call(reference.target, [], site)
            actions = reference.actions
            if isinstance(actions, Unknown):
                raise Lost(actions)  # noqa: TRY301 - what is lost is noted in one place
            given = actions if isinstance(actions, Record) else Record()
            if given.hole is not None:
                raise Lost(given.hole)  # noqa: TRY301 - what is lost is noted in one place
            self._foreign_key(
                given.get("name", UNDEFINED) if self.v1 else UNDEFINED,
                [column],
                [target],
                given.get("onDelete", UNDEFINED),
                given.get("onUpdate", UNDEFINED),
                site,
            )
        except Lost as lost:
            self._lost(
                lost.unknown, f"foreign key on {column.key}", column.name if isinstance(column.name, str) else None
            )

    def _foreign_key(  # noqa: PLR0917 - the parts of one key
        self, name: Value, columns: Value, targets: Value, on_delete: Value, on_update: Value, site: Site
    ) -> None:
        own, others = self._column_list(columns, site), self._column_list(targets, site)
        if not own or not others:
            raise Lost(site.unknown("is a foreign key without columns"))
        table = others[0].table
        if not isinstance(table, Table):
            raise Lost(site.unknown("refers to something that is no table"))
        table_to = known_text(table.name, site)
        schema_to = "public" if table.schema is UNDEFINED else known_text(table.schema, site)
        columns_from = tuple(self.context.column_name(column) for column in own)
        columns_to = tuple(self.context.column_name(column) for column in others)
        explicit = name is not UNDEFINED and name is not None and name != ""
        if explicit:
            title = known_text(name, site)
        elif self.v1:
            title = names.foreign_key_v1(self.name, columns_from, table_to, columns_to)
        else:
            before = (*(known_text(c.name, site) for c in own), table_to, *(known_text(c.name, site) for c in others))
            title = "_".join((self.name, *before)) + "_fk"
        if self.context.cased:
            for old, new in (*zip(own, columns_from, strict=True), *zip(others, columns_to, strict=True)):
                title = title.replace(known_text(old.name, site), new, 1)
        action = [self._action(value, site) for value in (on_delete, on_update)]
        if self.v1 and title in self._foreign_keys:
            raise Lost(site.unknown(_TWICE))
        key = model.ForeignKey(title, columns_from, schema_to, table_to, columns_to, action[0], action[1], explicit)
        self._foreign_keys[title] = key

    def _action(self, value: Value, site: Site) -> str:
        if value is UNDEFINED or value is None or value == "":
            return "no action"
        text = known_text(value, site)
        if text not in _ACTIONS:
            raise Lost(site.unknown(f"has an action `{text}` that PostgreSQL does not know"))
        return text

    def _column_list(self, columns: Value, site: Site) -> list[Column]:
        if isinstance(columns, Unknown):
            raise Lost(columns)
        found: list[Column] = []
        for item in listed(columns) or ([] if isinstance(columns, list) else [columns]):
            column = plain(item)
            if isinstance(column, Unknown):
                raise Lost(column)
            if not isinstance(column, Column):
                raise Lost(site.unknown("names something that is no column"))
            found.append(column)
        return found

    def extras(self) -> None:
        """What the callback of the table adds."""
        extras = self.source.extras
        if extras is UNDEFINED or extras is None:
            return
        if not isinstance(extras, Record | list | Unknown):
            extras = self.context.call(extras, [for_extras(self.source)], self.source.site)
            if extras is UNDEFINED or extras is None:
                extras = self.source.site.unknown(
                    "has a callback for extras that returns nothing, which Drizzle refuses"
                )
        for value in _parts(extras, self.source.site):
            try:
                self._extra(value)
            except Lost as lost:
                self.incomplete = True
                self._lost(lost.unknown, _title(value))

    def _extra(self, value: Value) -> None:  # noqa: C901 - one case a kind of value
        if isinstance(value, Unknown):
            raise Lost(value)
        if isinstance(value, Index) and value.terms is not None:
            self._index(value)
        elif isinstance(value, Unique) and value.columns is not None:
            self._unique(value)
        elif isinstance(value, PrimaryKey):
            self._primary_key(value)
        elif isinstance(value, ForeignKey):
            config = value.config
            if not isinstance(config, Record) or config.hole is not None:
                raise Lost(value.site.unknown("is a foreign key that is not understood"))
            columns, others = config.get("columns", UNDEFINED), config.get("foreignColumns", UNDEFINED)
            self._foreign_key(
                config.get("name", UNDEFINED), columns, others, value.on_delete, value.on_update, value.site
            )
        elif isinstance(value, Check):
            name = known_text(value.name, value.site)
            text = self.context.sql(value.value, value.site, bare=self.v1, inline=self.v1)
            if name in self._checks:
                raise Lost(value.site.unknown(_TWICE))
            self._checks[name] = model.Check(name, text)
        elif isinstance(value, Policy):
            policy = assemble_policy(self.context, value)
            if policy.name in self._policies:
                raise Lost(value.site.unknown(_TWICE))
            self._policies[policy.name] = policy
        elif self.v1:  # 0.x passes over what it does not know
            raise Lost(
                self.source.site.unknown("holds something that is no index or constraint, which Drizzle 1.0 refuses")
            )

    def _index(self, index: Index) -> None:
        site = index.site
        terms = index.terms or []
        columns = tuple(self._term(term, site) for term in terms)
        explicit = index.name is not UNDEFINED and index.name is not None and index.name != ""
        if explicit:
            name = known_text(index.name, site)
        elif any(column.is_expression for column in columns):
            raise Lost(site.unknown("is an index on an expression without a name, which drizzle-kit refuses"))
        else:
            name = f"{self.name}_{'_'.join(column.expression for column in columns)}_index"
        where = None
        if index.where is not UNDEFINED:
            where = self.context.sql(index.where, site, bare=self.v1, inline=self.v1) or None
            where = None if self.v1 and where == "true" else where
        unknown = next(unknowns(index.options), None)
        if unknown is not None:
            raise Lost(unknown)
        options = index.options if isinstance(index.options, Record) else Record()
        settings = tuple((key, options[key]) for key in options.names())
        self._indexes.append(
            model.Index(
                name, columns, index.unique, known_text(index.method, site), where, index.concurrent, settings, explicit
            )
        )

    def _term(self, term: IndexTerm, site: Site) -> model.IndexColumn:
        if isinstance(term.value, Sql):
            return model.IndexColumn(self.context.sql(term.value, site, bare=True), True, True, "last")
        if isinstance(term.value, Unknown):
            raise Lost(term.value)
        if not isinstance(term.value, Column):
            raise Lost(site.unknown("is an index on something that is no column"))
        if not self.v1 and term.order is UNDEFINED:
            why = "is an index on a column that does not come from the callback's argument, which Drizzle 0.x refuses"
            raise Lost(site.unknown(why))
        name = self.context.column_name(term.value)
        for part in (term.order, term.nulls, term.opclass):
            if isinstance(part, Unknown):
                raise Lost(part)
        ascending = term.order != "desc"
        opclass = term.opclass if isinstance(term.opclass, str) else None
        if term.value.config.kind == "PgVector" and opclass is None:
            raise Lost(site.unknown("is an index on a vector without an operator class, which drizzle-kit refuses"))
        # Drizzle's builder knows `last` from the start, so `desc()` alone stays `nulls last`.
        nulls = "first" if term.nulls == "first" else "last"
        return model.IndexColumn(name, False, ascending, nulls, opclass)

    def _unique(self, unique: Unique) -> None:
        columns = self._column_list(unique.columns, unique.site)
        listed = tuple(self.context.column_name(column) for column in columns)
        explicit = unique.name is not UNDEFINED and unique.name is not None and unique.name != ""
        if explicit:
            name = known_text(unique.name, unique.site)
        else:
            # v0 fixes the name before `casing` is applied.
            own = listed if self.v1 else tuple(known_text(column.name, unique.site) for column in columns)
            name = f"{self.name}_{'_'.join(own)}_unique"
        if name in self._uniques:
            raise Lost(unique.site.unknown(_TWICE))
        self._uniques[name] = model.Key(name, listed, unique.nulls_not_distinct, explicit)

    def _primary_key(self, key: PrimaryKey) -> None:
        columns = self._column_list(key.columns, key.site)
        listed = tuple(self.context.column_name(column) for column in columns)
        explicit = key.name is not UNDEFINED and key.name is not None and key.name != ""
        if explicit:
            name = known_text(key.name, key.site)
        elif self.v1:
            name = f"{self.name}_pkey"
        else:
            own = [known_text(column.name, key.site) for column in columns]
            name = f"{self.name}_{'_'.join(own)}_pk"
        if self.context.cased:
            for column, new in zip(columns, listed, strict=True):
                name = name.replace(known_text(column.name, key.site), new, 1)
        if self.v1 and name in self._primary_keys:
            raise Lost(key.site.unknown(_TWICE))
        self._primary_keys[name] = model.Key(name, listed, explicit=explicit)

    def finish(self) -> model.Table:
        """The table as data."""
        columns = list(self._columns.values())
        primary, uniques = list(self._primary_keys.values()), list(self._uniques.values())
        if self.v1:
            inside = {name for key in primary for name in key.columns}
            for column in columns:
                if column.primary and not primary:
                    primary.append(model.Key(f"{self.name}_pkey", (column.name,), inline=True))
            columns = [names.with_not_null(column) if column.name in inside else column for column in columns]
            for key in self._inline_uniques:
                if not any(unique.columns == key.columns or unique.name == key.name for unique in uniques):
                    uniques.append(key)
        return model.Table(
            schema=self.schema,
            name=self.name,
            columns=tuple(columns),
            indexes=tuple(self._indexes),
            foreign_keys=tuple(self._foreign_keys.values()),
            primary_keys=tuple(primary),
            uniques=tuple(uniques),
            checks=tuple(self._checks.values()),
            policies=tuple(self._policies.values()),
            rls=self.source.rls,
            incomplete=self.incomplete,
            path=self.source.site.path,
            line=self.source.site.line,
        )


def _parts(extras: Value, site: Site) -> list[Value]:
    """What a table's extras hold; lists in a list are opened once, as in Drizzle."""
    if isinstance(extras, Record):
        return [extras.read(key, site) for key in extras.names()] + ([extras.hole] if extras.hole else [])
    if isinstance(extras, Unknown):
        return [extras]
    parts: list[Value] = []
    for item in listed(extras) or []:
        inner = listed(item)
        parts += [item] if inner is None else inner
    return parts


def _title(value: Value) -> str:
    name = getattr(value, "name", UNDEFINED)
    word = {"Index": "index", "Unique": "unique constraint", "PrimaryKey": "primary key", "ForeignKey": "foreign key",
            "Check": "check", "Policy": "policy"}.get(type(value).__name__, "extras")  # fmt: skip
    return f"{word} {name}" if isinstance(name, str) else word
