"""Drizzle's query builder in views: a select with joins, conditions and order, as the SQL that it prints."""

from checks.schema import sqltext
from checks.schema.columns import AliasedColumn, Column, Format, Owner, plain
from checks.schema.sqltext import Aliased, Name, Raw, Sql
from checks.schema.subqueries import Subquery
from checks.schema.tables import Table
from checks.typescript.evaluate import Evaluator
from checks.typescript.scopes import Closure
from checks.typescript.values import (
    UNDEFINED,
    Native,
    Record,
    Site,
    Thing,
    Unknown,
    Value,
    listed,
    number_text,
    too_big,
)

SETS = {
    "union": "union ", "unionAll": "union all ", "intersect": "intersect ", "intersectAll": "intersect all ",
    "except": "except ", "exceptAll": "except all ",
}  # fmt: skip
INSIDE = "\0"  # between the keys of a field that stands in an object of fields
_JOINS = {"leftJoin": "left", "innerJoin": "inner", "rightJoin": "right", "fullJoin": "full", "crossJoin": "cross"}


class QueryBuilder(Thing):
    """`qb` in `.as((qb) => qb.select()…)`."""

    __slots__ = ("evaluator", "format", "named")

    def __init__(
        self,
        format: Format,  # noqa: A002 - the project's word
        evaluator: Evaluator | None = None,
        named: "tuple[Subquery, ...]" = (),
    ) -> None:
        self.format: Format = format
        self.evaluator = evaluator
        self.named = named  # by `with`, in front of the query

    def member(self, name: str, site: Site) -> Value:
        """`select` and its kin."""
        if name == "select":
            return Native(name, lambda args, _s: Select(self, args[0] if args else UNDEFINED, []))
        if name == "selectDistinct":
            return Native(name, lambda args, _s: Select(self, args[0] if args else UNDEFINED, [Raw(" distinct")]))
        if name == "selectDistinctOn":
            return Native(name, self._distinct_on)
        if name == "$with":
            return Native(name, lambda args, _s: _Named(args[0] if args else UNDEFINED))
        if name == "with":
            return Native(name, self._with)
        return site.unknown(f"`.{name}` of the query builder is not understood")

    def _distinct_on(self, args: list[Value], site: Site) -> Value:
        on = listed(args[0]) if args else None
        if not on:
            return site.unknown("is a DISTINCT ON that is not understood")
        chunks: list[Value] = [Raw(" distinct on (")]
        for index, term in enumerate(on):
            chunks += [Raw(", ")] if index else []
            chunks.append(plain(term))
        return Select(self, args[1] if len(args) > 1 else UNDEFINED, [*chunks, Raw(")")])

    def _with(self, args: list[Value], site: Site) -> Value:
        named = [arg for arg in args if isinstance(arg, Subquery) and arg.named]
        if len(named) != len(args):
            return site.unknown("is a WITH that is not understood")
        return QueryBuilder(self.format, self.evaluator, tuple(named))


class _Named(Thing):
    """`qb.$with("name")`, until `.as(…)`."""

    __slots__ = ("name",)

    def __init__(self, name: Value) -> None:
        self.name = name

    def member(self, name: str, site: Site) -> Value:
        """`as`, given a query."""
        if name != "as":
            return site.unknown(f"`.{name}` of a WITH is not understood")
        return Native(name, self._as)

    def _as(self, args: list[Value], site: Site) -> Value:
        query = args[0] if args else UNDEFINED
        if not isinstance(query, Select) or not isinstance(self.name, str):
            return query if isinstance(query, Unknown) else site.unknown("is a WITH that is not understood")
        return Subquery(query, self.name, site, named=True)


class Select(Thing):
    """A select statement that is being built."""

    __slots__ = ("builder", "distinct", "fields", "joined", "joins", "parts", "sets", "source")

    def __init__(self, builder: QueryBuilder, fields: Value, distinct: list[Value]) -> None:
        self.builder = builder
        self.fields = fields
        self.distinct = distinct
        self.source: Value = None
        self.joined: list[Owner] = []
        self.joins: list[Value] = []
        self.parts: dict[str, Value] = {}
        self.sets: list[tuple[str, Select]] = []

    def member(self, name: str, site: Site) -> Value:  # noqa: PLR0911 - one case a kind of value
        """The clauses."""
        if name == "from":
            return Native(name, self._from)
        if name in _JOINS:
            return Native(name, lambda args, at: self._join(_JOINS[name], args, at))
        if name in SETS:
            return Native(name, lambda args, at: self._combine(SETS[name], args, at))
        if name in {"where", "having"}:
            return Native(name, lambda args, at: self._clause(name, args[:1], at))
        if name in {"groupBy", "orderBy"}:
            return Native(name, lambda args, at: self._clause(name, args, at))
        if name in {"limit", "offset"}:
            return Native(name, lambda args, at: self._clause(name, args[:1], at))
        if name == "getSQL":
            return Native(name, lambda _a, at: self.sql(at))
        if name == "as":
            return Native(name, self._as)
        if name == "$dynamic":
            return Native(name, lambda _a, _s: self)
        return site.unknown(f"`.{name}` of a query is not understood")

    def _as(self, args: list[Value], site: Site) -> Value:
        name = args[0] if args else UNDEFINED
        if not isinstance(name, str) or self.sets or not isinstance(self.source, Owner):
            return site.unknown("is a query in a query that is not understood")
        return Subquery(self, name, site, named=False)

    def _from(self, args: list[Value], site: Site) -> Value:
        self.source = args[0] if args else UNDEFINED
        if not isinstance(self.source, Owner):
            return (
                self.source
                if isinstance(self.source, Unknown)
                else site.unknown("selects from something not understood")
            )
        return self

    def _join(self, kind: str, args: list[Value], site: Site) -> Value:
        table = args[0] if args else UNDEFINED
        condition = args[1] if len(args) > 1 else UNDEFINED
        if not isinstance(table, Owner) or isinstance(condition, Closure):
            return table if isinstance(table, Unknown) else site.unknown("is a join that is not understood")
        on: list[Value] = [] if condition is UNDEFINED else [Raw(" on "), condition]
        self.joined.append(table)
        self.joins += [Raw(" "), Raw(f"{kind} join "), *_source(table, site), *on]
        return self

    def _combine(self, word: str, args: list[Value], site: Site) -> Value:
        """`a.unionAll(b)`: from here on order and limit belong to the whole, which is not followed."""
        other = args[0] if args else UNDEFINED
        if isinstance(other, Closure) or not isinstance(other, Select):
            return other if isinstance(other, Unknown) else site.unknown("combines with a query that is not understood")
        if _keys(self) != _keys(other):
            return site.unknown("combines queries of different fields, which Drizzle refuses")
        self.sets.append((word, other))
        return self

    def _clause(self, name: str, args: list[Value], site: Site) -> Value:
        if self.sets:
            return site.unknown(f"`.{name}` of combined queries is not understood")
        if name in {"groupBy", "orderBy"} and args and isinstance(args[0], Closure):
            if self.builder.evaluator is None:
                return site.unknown("is a clause that is not understood")
            given = self.builder.evaluator.call(args[0], [self._selection()], site)
            args = given if given.__class__ is list else [given]
        elif args and isinstance(args[0], Closure):
            if self.builder.evaluator is None:
                return site.unknown("is a clause that is not understood")
            args = [self.builder.evaluator.call(args[0], [self._selection(expressions=name == "having")], site)]
        self.parts[name] = [plain(arg) for arg in args]
        return self

    def _selection(self, *, expressions: bool = False) -> Record:
        """What a callback sees: where a name may stand for it, or the expression itself."""
        record = Record()
        for key, field in self.selected():
            record[key] = field.sql if expressions and isinstance(field, Aliased) and not field.selection else field
        return record

    def selected(self) -> list[tuple[str, Value]]:
        """What is selected, by key in the program."""
        if isinstance(self.fields, Record) and not too_big(self.fields):
            return _flattened(self.fields)
        if not self.joins:
            return list(_shown(self.source).items())
        owners = [self.source, *self.joined]
        return [
            (f"{getattr(owner, 'name', '')}{INSIDE}{key}", field)
            for owner in owners
            for key, field in _shown(owner).items()
        ]

    def sql(self, site: Site) -> Sql | Unknown:
        """The statement, with those that it is combined with."""
        made = self._select(site)
        for word, other in self.sets:
            right = other.sql(site)
            if isinstance(made, Unknown) or isinstance(right, Unknown):
                return made if isinstance(made, Unknown) else right
            made = Sql([Raw("("), made, Raw(f") {word}("), right, Raw(")")])
        return made

    def _refused(self, site: Site) -> Unknown | None:
        """Why it is not known what it prints; None where it is."""
        if isinstance(self.fields, Unknown):
            return self.fields
        owners = [] if isinstance(self.fields, Record) else [self.source, *self.joined]
        lost = next((each for owner in owners for each in getattr(owner, "lost", [])), None)
        if lost is not None:
            return lost[1]
        why = None
        if not isinstance(self.source, Owner):
            why = "is a query without a table"
        elif too_big(self.fields):
            why = "selects more than a view should show"
        elif any(self._stranger(field) for _, field in self.selected()):
            why = "selects a column of a table that is not in the query, which Drizzle refuses"
        return None if why is None else site.unknown(why)

    def _select(self, site: Site) -> Sql | Unknown:
        refused = self._refused(site)
        if refused is not None:
            return refused
        chunks: list[Value] = []
        for index, named in enumerate(self.builder.named):
            chunks += [Raw(", " if index else "with "), Name(named.name), Raw(" as ("), named.sql(site), Raw(")")]
        chunks += [Raw(" ")] if self.builder.named else []
        chunks += [Raw("select"), *self.distinct, Raw(" ")]
        for index, (_, field) in enumerate(self.selected()):
            if index:
                chunks.append(Raw(", "))
            chunks += self._field(field)
        chunks += [Raw(" from "), *_source(self.source, site), *self.joins]
        for name, word in (
            ("where", " where "),
            ("groupBy", " group by "),
            ("having", " having "),
            ("orderBy", " order by "),
        ):
            given = [arg for arg in self.parts.get(name, []) if arg is not UNDEFINED]
            for index, arg in enumerate(given):
                chunks += [Raw(", " if index else word), arg]
        for name in ("limit", "offset"):
            for arg in self.parts.get(name, []):
                value = Raw(number_text(arg)) if isinstance(arg, int | float) else arg
                chunks += [Raw(f" {name} "), value]
        return Sql(chunks)

    def _stranger(self, field: Value) -> bool:
        """A column of a table that is neither selected from nor joined."""
        if not isinstance(field, Column):
            return False
        known = [self.source, *self.joined]
        return all(getattr(field.table, "name", None) != getattr(owner, "name", None) for owner in known)

    def _field(self, field: Value) -> list[Value]:
        single = not self.joins
        if isinstance(field, AliasedColumn):
            original = Name(field.original.name) if single else field.original
            return [original, Raw(" as "), Name(field.name)]
        if isinstance(field, Column):
            return [Name(field.name)] if single else [field]
        if isinstance(field, Aliased) and field.selection:
            return [Name(field.alias)] if single else [field]
        if isinstance(field, Aliased):
            return [*self._expression(field.sql, single=single), Raw(" as "), Name(field.alias)]
        if isinstance(field, Sql):
            return self._expression(field, single=single)
        return [field]

    def _expression(self, sql: Sql, *, single: bool) -> list[Value]:
        """In a select from one table the columns that stand directly in a template lose their table.

        v1 leaves the template as it is where one of them is of another table.
        """
        if not single:
            return [sql]
        chunks = [plain(chunk) for chunk in sql.chunks]
        columns = [chunk for chunk in chunks if isinstance(chunk, Column)]
        if self.builder.format == "v1" and any(_key(column.table) != _key(self.source) for column in columns):
            return [sql]
        return [Sql([Name(c.name) if isinstance(c, Column) else c for c in chunks], inline=sql.inline)]


def combined(name: str) -> Native:
    """A function like `unionAll(a, b, …)`."""

    def combine(args: list[Value], site: Site) -> Value:
        first = args[0] if args else UNDEFINED
        if not isinstance(first, Select):
            return first if isinstance(first, Unknown) else site.unknown("combines queries that are not understood")
        made: Value = first
        for other in args[1:]:
            made = first.member(name, site).call([other], site)
            if isinstance(made, Unknown):
                break
        return made

    return Native(name, combine)


def _keys(query: Select) -> list[str]:
    return list(dict.fromkeys(key.partition(INSIDE)[0] for key, _ in query.selected()))


def _shown(owner: Value) -> dict[str, Value]:
    """The columns of what is selected from."""
    fields = getattr(owner, "fields", None)
    return getattr(owner, "columns", {}) if fields is None else fields()


def _key(owner: Value) -> tuple[Value, Value]:
    schema = getattr(owner, "schema", UNDEFINED)
    return getattr(owner, "name", UNDEFINED), schema if isinstance(schema, str) and not getattr(
        owner, "alias", False
    ) else None


def _flattened(fields: Record) -> list[tuple[str, Value]]:
    flat: list[tuple[str, Value]] = []
    for key in fields.names():
        field = plain(fields[key])
        if isinstance(field, Record):
            flat += [(f"{key}{INSIDE}{inner}", value) for inner, value in _flattened(field)]
        elif isinstance(field, Table):
            flat += [(f"{key}{INSIDE}{inner}", value) for inner, value in field.columns.items()]
        else:
            flat.append((key, field))
    if fields.hole is not None:
        flat.append(("", fields.hole))
    return flat


def _source(table: Value, site: Site) -> list[Value]:
    """A table after `from` or `join`: an alias follows its table."""
    if isinstance(table, Subquery):
        return table.source(site)
    if isinstance(table, Table) and table.alias:
        original = Table(table.base_name, table.schema, table.site)
        return [original, Raw(" "), Name(table.name)]
    return [table]


__all__ = ["QueryBuilder", "Select", "sqltext"]
