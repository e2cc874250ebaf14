"""Names and numbers that drizzle-kit fills in: constraint names of each generation, the bounds of sequences."""

import re
from dataclasses import replace

from checks.schema.model import Column
from checks.typescript.values import UNDEFINED, Record, Value, text_of

_LETTERS = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
_BRACKETS = re.compile(r"\[\d*\]")
_LONGEST = 63


def unique_v1(table: str, *columns: str) -> str:
    """The name of a unique constraint of a column."""
    return f"{table}_{'_'.join(columns)}_key"


def foreign_key_v1(table: str, columns: tuple[str, ...], table_to: str, columns_to: tuple[str, ...]) -> str:
    """The name of a foreign key; too long a name is replaced by a hash."""
    wanted = f"{table}_{'_'.join(columns)}_{table_to}_{'_'.join(columns_to)}_fkey"
    if len(wanted) <= _LONGEST:
        return wanted
    return f"{table}_{_hash(wanted)}_fkey" if len(table) < 45 else f"{_hash(wanted)}_fkey"


def _hash(text: str, length: int = 12) -> str:
    base = len(_LETTERS)
    space, power, total = base**length, 1, 0
    for letter in text:
        total = (total + ord(letter) * power) % space
        power = power * 53 % space
    letters: list[str] = []
    for _ in range(length):
        total, digit = divmod(total, base)
        letters.append(_LETTERS[digit])
    return "".join(reversed(letters))


def v1_type(sql_type: str, dimensions: int) -> tuple[str, int]:
    """The type without brackets, and how many there were."""
    sql_type = sql_type.replace(", ", ",", 1)
    if sql_type.startswith("timestamp ("):
        sql_type = sql_type.replace("timestamp (", "timestamp(", 1)
    sql_type += "[]" * dimensions
    return _BRACKETS.sub("", sql_type), len(_BRACKETS.findall(sql_type))


def sequence_numbers(options: Record, lowest: str, highest: str) -> tuple[str, str, str, str, str]:
    """increment, minValue, maxValue, startWith and cache, as given or by PostgreSQL's rules."""
    increment = _given(options.get("increment", UNDEFINED)) or "1"
    down = increment.lstrip().startswith("-")
    minimum = _given(options.get("minValue", UNDEFINED)) or (lowest if down else "1")
    maximum = _given(options.get("maxValue", UNDEFINED)) or ("-1" if down else highest)
    start = _given(options.get("startWith", UNDEFINED)) or (maximum if down else minimum)
    return increment, minimum, maximum, start, _given(options.get("cache", UNDEFINED)) or "1"


def _given(value: Value) -> str | None:
    return value if isinstance(value, str) else _number(value)


def _number(value: Value) -> str | None:
    text = text_of(value)
    return None if text == "undefined" else text


def with_not_null(column: Column) -> Column:
    """The column, which may not be null."""
    return column if column.not_null else replace(column, not_null=True)


def qualified(schema: str, name: str) -> str:
    """`"schema"."name"`, without the schema where it is `public`."""
    return f'"{name}"' if schema == "public" else f'"{schema}"."{name}"'
