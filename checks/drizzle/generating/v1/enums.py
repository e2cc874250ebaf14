"""Enum types in the words of drizzle-kit 1.0: made, given more values, or made again where values go."""

from difflib import SequenceMatcher

from checks.drizzle.entities import Row
from checks.drizzle.generating.v1 import columns
from checks.schema.names import qualified
from checks.schema.sqltext import literal


def created(row: Row) -> str:
    """`CREATE TYPE`."""
    return f"CREATE TYPE {_name(row)} AS ENUM({', '.join(map(literal, row['values']))});"


def shrinks(old: list[str], new: list[str]) -> bool:
    """Values go, or stand in another order."""
    return any(tag in {"delete", "replace"} for tag, *_ in _opcodes(old, new))


def grown(row: Row, old: Row) -> list[str]:
    """A statement for each new value, placed before the next value that was there."""
    known, values = set(old["values"]), row["values"]
    made: list[str] = []
    for tag, _, _, start, end in _opcodes(old["values"], values):
        for index in range(start, end) if tag == "insert" else ():
            following = next((value for value in values[index + 1 :] if value in known), None)
            place = f" BEFORE {literal(following)}" if following else ""
            made.append(f"ALTER TYPE {_name(row)} ADD VALUE {literal(values[index])}{place};")
    return made


def again(row: Row, used: list[Row]) -> list[str]:
    """Its columns become text, the type is made again, and they return; each is as it will be, `before` its old default."""
    heads = [f'ALTER TABLE {qualified(c["schema"], c["table"])} ALTER COLUMN "{c["name"]}"' for c in used]
    made: list[str] = []
    for head, column in zip(heads, used, strict=True):
        made.append(f"{head} SET DATA TYPE text{'[]' * column['dimensions']};")
        made += [f"{head} DROP DEFAULT;"] if column["before"] else []
    made += [f"DROP TYPE {_name(row)};", created(row)]
    for head, column in zip(heads, used, strict=True):
        kind = _name(row) + "[]" * column["dimensions"]
        made.append(f'{head} SET DATA TYPE {kind} USING "{column["name"]}"::{kind};')
        made += [f"{head} SET DEFAULT {columns.default(column)};"] if column["default"] else []
    return made


def _name(row: Row) -> str:
    return qualified(row["schema"], row["name"])


def _opcodes(old: list[str], new: list[str]) -> list[tuple[str, int, int, int, int]]:
    return [*SequenceMatcher(None, old, new, autojunk=False).get_opcodes()]
