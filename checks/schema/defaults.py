"""Defaults as drizzle-kit 0.x prints them: by the kind of the value, hardly by the type of the column."""

import math
import re

from checks.schema.columns import Config, IndexColumn
from checks.schema.sqltext import Lost, Name, Referable, Sql, Text, literal
from checks.typescript.globals_ import stringify
from checks.typescript.values import BigInt, Date, Record, Site, Unknown, Value, listed, number_text, text_of

_DEEP = 500  # templates in one: what is deeper is not printed anyway
Json = str | int | float | bool | None


def v0(config: Config, site: Site) -> tuple[str, Json]:
    """The SQL of a default, and the value that the snapshot keeps.

    Raises:
        Lost: it is not known, or drizzle-kit cannot print it.
    """
    value, lowered = config.default, str(config.sql_type).lower()
    if isinstance(value, Unknown):
        raise Lost(value)
    if isinstance(value, Sql):
        text = of_sql(value, site)
        return text, text
    if isinstance(value, str):
        text = literal(value)
    elif lowered in {"jsonb", "json"}:
        text = f"'{_json(value, site)}'::{lowered}"
    elif isinstance(value, Date):
        text = f"'{_date(value, lowered)}'"
    elif re.search(r"\[\d*\]", lowered) and (items := listed(value)) is not None:
        text = f"'{_array(items, lowered.split('[')[0], site)}'"
    elif value is None or isinstance(value, bool | int | float):
        return _number(value)
    elif isinstance(value, BigInt):
        return str(value.value), str(value.value)
    else:
        raise Lost(site.unknown("is a default that drizzle-kit 0.x cannot print"))
    return text, text


def of_sql(value: Sql, site: Site) -> str:
    """The text of an SQL default; drizzle-kit 0.x takes neither parameters nor names in it.

    Raises:
        Lost: it has some.
    """
    if _has_names(value, set()):
        raise Lost(site.unknown("has a name in an `sql` default, which drizzle-kit refuses"))
    printer = Text(site)
    text = printer.of(value)
    if printer.params:
        raise Lost(site.unknown("has a parameter in an `sql` default, which drizzle-kit refuses"))
    return text


def _number(value: float | None) -> tuple[str, Json]:
    """A number or boolean as it comes out of the snapshot's JSON: NaN and the infinities are null there, -0 is 0."""
    if value is None or not math.isfinite(value):
        return "null", None
    if isinstance(value, bool):
        return ("true" if value else "false"), value
    text = number_text(value)
    return text, int(text) if text.lstrip("-").isdigit() else value


def _has_names(value: Value, seen: set[int]) -> bool:
    if not isinstance(value, Sql):
        return isinstance(value, Name | Referable | IndexColumn)
    if id(value) in seen:
        return False
    seen.add(id(value))
    return len(seen) < _DEEP and any(_has_names(chunk, seen) for chunk in value.chunks)


def _json(value: Value, site: Site) -> str:
    made = stringify(value, site)
    if isinstance(made, str):
        return made
    raise Lost(made if isinstance(made, Unknown) else site.unknown("has no JSON form"))


def _date(value: Date, lowered: str) -> str:
    if lowered == "date":
        return value.iso().split("T")[0]
    return value.iso().replace("T", " ")[:23] if lowered == "timestamp" else value.iso()


def _array(values: list[Value], element: str, site: Site) -> str:
    return "{" + ",".join(_element(value, element, site) for value in values) + "}"


def _element(value: Value, element: str, site: Site) -> str:  # noqa: PLR0911 - one case a kind of value
    if isinstance(value, Unknown):
        raise Lost(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return number_text(value)
    if isinstance(value, BigInt):
        return str(value.value)
    items = listed(value)
    if items is not None:
        return _array(items, element, site)
    if isinstance(value, Date):
        return f'"{_date(value, element)}"'
    if isinstance(value, Record) or value is None:
        text = _json(value, site)
        return '"' + text.replace('"', '\\"') + '"'
    text = text_of(value)
    if text is None:
        raise Lost(site.unknown("is a default that drizzle-kit 0.x cannot print"))
    return f'"{text}"'
