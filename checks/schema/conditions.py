"""Drizzle's operators (`eq`, `and`, `isNull`, `count`, …) as the SQL they print in each generation."""

from checks.schema import sqltext
from checks.schema.columns import Column, Format, plain
from checks.schema.sqltext import Param, Raw, Sql
from checks.typescript.values import UNDEFINED, Native, Site, Thing, Unknown, Value, known

_COMPARE = {"eq": "=", "ne": "<>", "gt": ">", "gte": ">=", "lt": "<", "lte": "<="}
_LIKE = {"like": "like", "notLike": "not like", "ilike": "ilike", "notIlike": "not ilike"}
_ARRAYS = {"arrayContains": "@>", "arrayContained": "<@", "arrayOverlaps": "&&"}
_AGGREGATES = {
    "countDistinct": "count(distinct {})",
    "avg": "avg({})",
    "avgDistinct": "avg(distinct {})",
    "sum": "sum({})",
    "sumDistinct": "sum(distinct {})",
    "max": "max({})",
    "min": "min({})",
}


def _bound(value: Value, column: Value) -> Value:
    """A value compared with a column is sent in the form that the column's type has."""
    if isinstance(column, Column) and not isinstance(value, Thing | Unknown):
        return Param(value, column)
    return plain(value)


def _get(args: list[Value], index: int) -> Value:
    return plain(args[index]) if len(args) > index else UNDEFINED


def _binary(operator: str) -> Native:
    def build(args: list[Value], _site: Site) -> Value:
        left = _get(args, 0)
        return sqltext.of(f"{{}} {operator} {{}}", left, _bound(_get(args, 1), left))

    return Native(operator, build)


def _like(operator: str) -> Native:
    return Native(operator, lambda args, _s: sqltext.of(f"{{}} {operator} {{}}", _get(args, 0), _get(args, 1)))


def _all(word: str, format: Format) -> Native:  # noqa: A002 - the project's word
    def build(args: list[Value], _site: Site) -> Value:
        given = [arg for arg in args if arg is not UNDEFINED]
        if not given:
            return UNDEFINED
        if len(given) == 1:
            return Sql(given)
        between, ends = (f" {word} ", ("(", ")")) if format == "v0" else (f") {word} (", ("((", "))"))
        chunks: list[Value] = [Raw(ends[0])]
        for index, item in enumerate(given):
            if index:
                chunks.append(Raw(between))
            chunks.append(item)
        return Sql([*chunks, Raw(ends[1])])

    return Native(word, build)


def _in(word: str, empty: dict[Format, str], format: Format) -> Native:  # noqa: A002 - the project's word
    def build(args: list[Value], site: Site) -> Value:
        column, values = _get(args, 0), _get(args, 1)
        if values.__class__ is list:
            if not values:
                return sqltext.of(empty[format])
            if any(value.__class__ is Unknown and value.many for value in values):
                return Sql([site.unknown("is a list that is not all known")])
            return sqltext.of(f"{{}} {word} {{}}", column, [_bound(value, column) for value in values])
        return sqltext.of(f"{{}} {word} {{}}", column, _bound(values, column))

    return Native(word, build)


def _suffix(text: str, format: Format) -> Native:  # noqa: A002 - the project's word
    pattern = f"{{}} {text}" if format == "v0" else f"({{}} {text})"
    return Native(text, lambda args, _s: sqltext.of(pattern, _get(args, 0)))


def _not(format: Format) -> Native:  # noqa: A002 - the project's word
    def build(args: list[Value], _site: Site) -> Value:
        condition = _get(args, 0)
        if format == "v1" and condition is UNDEFINED:
            return UNDEFINED
        pattern = "not ({})" if format == "v1" and isinstance(condition, Sql) else "not {}"
        return sqltext.of(pattern, condition)

    return Native("not", build)


def _between(word: str) -> Native:
    def build(args: list[Value], _site: Site) -> Value:
        column = _get(args, 0)
        low, high = _bound(_get(args, 1), column), _bound(_get(args, 2), column)
        return sqltext.of(f"{{}} {word} {{}} and {{}}", column, low, high)

    return Native(word, build)


def _count(args: list[Value], _site: Site) -> Value:
    expression = _get(args, 0)
    return sqltext.of("count({})", Raw("*") if expression is UNDEFINED or expression is None else expression)


def _aggregate(pattern: str) -> Native:
    return Native(pattern, lambda args, _s: sqltext.of(pattern, _get(args, 0)))


def table(format: Format) -> dict[str, Value]:  # noqa: A002 - the project's word
    """The operators that `drizzle-orm` exports."""
    operators: dict[str, Value] = {name: _binary(sign) for name, sign in _COMPARE.items()}
    operators |= {name: _like(word) for name, word in _LIKE.items()}
    operators |= {name: _aggregate(pattern) for name, pattern in _AGGREGATES.items()}
    operators |= {
        "and": _all("and", format),
        "or": _all("or", format),
        "not": _not(format),
        "isNull": _suffix("is null", format),
        "isNotNull": _suffix("is not null", format),
        "inArray": _in("in", {"v0": "false", "v1": "1 = 0"}, format),
        "notInArray": _in("not in", {"v0": "true", "v1": "1 = 1"}, format),
        "between": _between("between"),
        "notBetween": _between("not between"),
        "exists": Native("exists", lambda args, _s: sqltext.of("exists {}", _get(args, 0))),
        "notExists": Native("notExists", lambda args, _s: sqltext.of("not exists {}", _get(args, 0))),
        "asc": Native("asc", lambda args, _s: sqltext.of("{} asc", _get(args, 0))),
        "desc": Native("desc", lambda args, _s: sqltext.of("{} desc", _get(args, 0))),
        "count": Native("count", _count),
    }
    for name, sign in _ARRAYS.items():
        operators[name] = Native(name, lambda args, site, sign=sign: _of_arrays(sign, args, site))
    return operators


def _of_arrays(sign: str, args: list[Value], site: Site) -> Value:
    values = _get(args, 1)
    unknown = known(values)
    if unknown is not None:
        return Sql([unknown])
    if values.__class__ is list:
        return Sql([site.unknown("compares with an array, whose form for the driver is not known")])
    return sqltext.of(f"{{}} {sign} {{}}", _get(args, 0), values)
