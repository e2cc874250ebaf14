"""The SQL of columns in the words of drizzle-kit 1.0: in a new table, added, changed, dropped."""

from typing import Any

from checks.drizzle.entities import Row
from checks.drizzle.generating.v1.step import Step
from checks.schema.names import qualified

_SERIAL = {"serial": "int", "bigserial": "bigint", "smallserial": "smallint"}
_NUMBERS = (
    ("increment", "INCREMENT BY"), ("minValue", "MINVALUE"), ("maxValue", "MAXVALUE"), ("startWith", "START WITH"), ("cache", "CACHE"),
)  # fmt: skip
_CHANGES = (
    ("minValue", "MINVALUE"), ("maxValue", "MAXVALUE"), ("increment", "INCREMENT BY"), ("startWith", "START WITH"), ("cache", "CACHE"),
)  # fmt: skip


def line(column: Row, pk: Row | None, uniques: list[Row]) -> str:
    """A column in CREATE TABLE."""
    in_key = pk is not None and column["name"] in pk["columns"]
    alone = pk is not None and pk["columns"] == [column["name"]] and pk["name"] == f"{column['table']}_pkey"
    text = f'\t"{column["name"]}" {sql_type(column)}{" PRIMARY KEY" if alone else ""}{_default(column)}{_generated(column)}'
    if column["notNull"] and not in_key and not serial(column) and not column["identity"]:
        text += " NOT NULL"
    unique = next((each for each in uniques if each["columns"] == [column["name"]]), None)
    if unique is not None:
        text += f' CONSTRAINT "{unique["name"]}" UNIQUE' if unique["nameExplicit"] else " UNIQUE"
        text += " NULLS NOT DISTINCT" if unique["nullsNotDistinct"] else ""
    return text + _identity(column)


def added(column: Row, *, in_key: bool, is_key: bool = False) -> str:
    """`ADD COLUMN`."""
    text = f'ALTER TABLE {_table(column)} ADD COLUMN "{column["name"]}" {sql_type(column)}{" PRIMARY KEY" if is_key else ""}'
    text += _default(column) + _generated(column)
    if column["notNull"] and not (column["identity"] or column["generated"] or serial(column) or in_key):
        text += " NOT NULL"
    return f"{text}{_identity(column)};"


def dropped(column: Row) -> str:
    """`DROP COLUMN`."""
    return f'ALTER TABLE {_table(column)} DROP COLUMN "{column["name"]}";'


def serial(column: Row) -> bool:
    """It is a number with a sequence of its own."""
    return column["type"].lower() in _SERIAL


def sql_type(column: Row) -> str:
    """Its type with schema and dimensions."""
    return _element(column) + "[]" * column["dimensions"]


def _element(column: Row) -> str:
    home = column["typeSchema"]
    if not home:
        return column["type"]
    return f'"{column["type"]}"' if home == "public" else f'"{home}"."{column["type"]}"'


def default(column: Row) -> str:
    """Its default with the cast that drizzle-kit puts behind it."""
    if column["typeSchema"]:
        return f"{column['default']}::{_element(column)}{'[]' if column['dimensions'] else ''}"
    cast = f"::{column['type']}[]" if column["dimensions"] else ""
    return f"{column['default']}{cast}"


def _default(column: Row) -> str:
    return f" DEFAULT {default(column)}" if column["default"] else ""


def _generated(column: Row) -> str:
    return f" GENERATED ALWAYS AS ({column['generated']['as']}) STORED" if column["generated"] else ""


def _table(column: Row) -> str:
    return qualified(column["schema"], column["table"])


def _identity(column: Row) -> str:
    found = column["identity"]
    if not found:
        return ""
    text = f" GENERATED {_kind(found)} AS IDENTITY (sequence name {qualified(column['schema'], found['name'])}"
    text += "".join(f" {word} {found[field]}" for field, word in _NUMBERS if found.get(field))
    return f"{text}{' CYCLE' if found.get('cycle') else ''})"


def _kind(identity: dict[str, Any]) -> str:
    return "ALWAYS" if identity["type"] == "always" else "BY DEFAULT"


def altered(step: Step) -> list[str]:
    """A column that changes in place; `was_enum` and `is_enum` say whether its types are enums of the schema."""
    column, change = step.row, step.change
    head = f'ALTER TABLE {_table(column)} ALTER COLUMN "{column["name"]}"'
    retyped = any(field in change for field in ("type", "typeSchema", "dimensions"))
    delicate = step.parts["is_enum"] or step.parts["was_enum"] or "dimensions" in change
    resets = bool(retyped and delicate and step.old["default"])
    made: list[str] = []
    if "generated" in change and not column["generated"]:
        made.append(f"{head} DROP EXPRESSION;")
    made += [f"{head} DROP DEFAULT;"] if resets else []
    if retyped:
        made += _retyped(step, head)
        made += [f"{head} SET DEFAULT {default(column)};"] if resets and column["default"] else []
    if "default" in change and not resets:
        made.append(f"{head} SET DEFAULT {default(column)};" if column["default"] else f"{head} DROP DEFAULT;")
    if "identity" in change:
        made += _identity_changes(step, head)
    if "notNull" in change and not (column["notNull"] and "identity" in change and column["identity"]):
        made.append(f"{head} {'SET' if column['notNull'] else 'DROP'} NOT NULL;")
    return made


def _retyped(step: Step, head: str) -> list[str]:
    column = step.row
    brackets = "[]" * column["dimensions"]
    sequence = f"{column['table']}_{column['name']}_seq"
    made: list[str] = []
    if serial(step.old) and not serial(column):
        made += [f"{head} DROP DEFAULT;", f"DROP SEQUENCE {qualified(column['schema'], sequence)};"]
    if serial(column) and not serial(step.old):
        plain = sequence if column["schema"] == "public" else f"{column['schema']}.{sequence}"
        owner = f'"{column["schema"]}"."{column["table"]}"."{column["name"]}"'
        made += [
            f"CREATE SEQUENCE {qualified(column['schema'], sequence)};",
            f"{head} SET DEFAULT nextval('{plain}')",
            f"ALTER SEQUENCE {qualified(column['schema'], sequence)} OWNED BY {owner};",
        ]
    number = _SERIAL.get(column["type"].lower(), column["type"])
    is_enum = step.parts["is_enum"]
    foreign = column["typeSchema"] and column["typeSchema"] != "public"
    kind = _element(column) if foreign or is_enum else number
    through = "text::" if is_enum and step.parts["was_enum"] else ""
    cast = f"{through}{_element(column)}" if is_enum else number
    using = "" if column["generated"] else f' USING "{column["name"]}"::{cast}{brackets}'
    return [*made, f"{head} SET DATA TYPE {kind}{brackets}{using};"]


def _identity_changes(step: Step, head: str) -> list[str]:
    column, was, now = step.row, step.old["identity"], step.row["identity"]
    if not was:
        made = [f"{head} ADD{_identity(column)};"]
        if serial(step.old):
            own = "id" if column["name"] == "id" else f'"{column["name"]}"'  # drizzle-kit looks for `id` alone
            highest = f"(SELECT COALESCE(MAX({own}), 1) FROM {_table(column)})"  # noqa: S608 - names from schema.ts, for its own migration
            made.append(f"SELECT setval('{now['name']}'::regclass, {highest}, false);")
        return made
    if not now:
        return [f"{head} DROP IDENTITY;"]
    made = [f"{head} SET GENERATED {_kind(now)};"] if was["type"] != now["type"] else []
    made += [f"{head} SET {word} {now[field]};" for field, word in _CHANGES if was.get(field) != now.get(field)]
    if bool(was.get("cycle")) != bool(now.get("cycle")):
        made.append(f"{head} SET {'CYCLE' if now.get('cycle') else 'NO CYCLE'};")
    return made
