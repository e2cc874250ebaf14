"""Pieces of PostgreSQL's tree as plain words: names, types, defaults."""

from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Any, cast

from checks.witnesses.clauses import Default
from checks.witnesses.grammar import Node

# The names people write, for what the grammar makes of them.
_TYPES = {
    "int4": "integer",
    "int8": "bigint",
    "int2": "smallint",
    "float8": "double precision",
    "float4": "real",
    "bool": "boolean",
    "bpchar": "character",
    "varbit": "bit varying",
    "varchar": "character varying",
    "timestamptz": "timestamp with time zone",
    "timestamp": "timestamp without time zone",
    "timetz": "time with time zone",
    "time": "time without time zone",
}
_NOTHING: Mapping[str, Any] = {}
_USUAL = frozenset({"pg_catalog", "public"})
# Functions that give each row a value of its own; what is STABLE, such as now(), fills all rows at once.
_VOLATILE = {"random", "random_normal", "gen_random_uuid", "uuidv4", "uuidv7", "clock_timestamp", "timeofday"} | {
    *("uuid_generate_v1", "uuid_generate_v1mc", "uuid_generate_v4", "nextval", "setval", "gen_random_bytes"),
}
SERIAL = frozenset({"serial", "serial2", "serial4", "serial8", "smallserial", "bigserial"})
_STABLE = {"now", "statement_timestamp", "transaction_timestamp", "current_setting", "to_char", "lower", "upper"}


NAME_BYTES = 63
"""PostgreSQL cuts longer names (NAMEDATALEN)."""
COMPARED = frozenset(_TYPES) | _USUAL | _VOLATILE | _STABLE | SERIAL
"""Every name that is compared with another: what a statement means depends on these, and on no other name."""


def table(relation: Node) -> str:
    """`schema.name` of a RangeVar; without a schema it is in `public`."""
    return f"{relation.get('schemaname', 'public')}.{relation['relname']}"


def strings(nodes: Iterable[Node]) -> list[str]:
    """The words of a list of String nodes."""
    return [node.get("String", _NOTHING).get("sval", "") for node in nodes]


def full(names: list[str]) -> str:
    """`schema.name` of a qualified name, without the database."""
    return ".".join(names[-2:]) if len(names) > 1 else f"public.{names[0] if names else ''}"


def kind(node: Node) -> str:
    """What a node that may be of any kind is: PostgreSQL's name for it."""
    return next(iter(node), "")


def type_name(node: Node) -> str:
    """A TypeName as people write it: `character varying(20)`, `app.mood[]`."""
    names = tuple([name["String"]["sval"] for name in node.get("names", ())])
    sizes = (
        tuple([m["A_Const"].get("ival", _NOTHING).get("ival", 0) for m in typmods if "A_Const" in m])
        if (typmods := node.get("typmods"))
        else ()
    )
    return _written(names, sizes, len(node.get("arrayBounds", ())))


@lru_cache(maxsize=1_000)
def _written(names: tuple[str, ...], sizes: tuple[int, ...], dimensions: int) -> str:
    name = names[-1] if names else ""
    if len(names) > 1 and (len(names) > 2 or names[0] not in _USUAL):
        name = ".".join(n for n in names if n not in _USUAL)
    name = _TYPES.get(name, name)
    if sizes and name != "interval":
        head, _, zone = name.partition(" with")
        name = f"{head}({','.join(map(str, sizes))}){f' with{zone}' if zone else ''}"
    return name + "[]" * dimensions


def default(node: Node) -> Default:
    """What filling the rows that are there with a default, an expression, takes."""
    if "A_Const" in node or "A_Const" in node.get("TypeCast", _NOTHING).get("arg", _NOTHING):
        return "constant"
    answer: Default = "constant"
    for tag, inner in walk(node):
        if tag == "FuncCall":
            function = strings(inner["funcname"])[-1]
            if function in _VOLATILE:
                return "volatile"
            if function not in _STABLE:
                answer = "unknown"
    return answer


def is_true(node: Node) -> bool:
    """The constant `true`."""
    return bool(node.get("A_Const", _NOTHING).get("boolval"))


def always(node: Node) -> bool:
    """A condition that every row meets: `true`, `1 = 1`, `not false`."""
    if (condition := node.get("A_Expr")) is not None:
        left, right = (condition.get(side, _NOTHING).get("A_Const") for side in ("lexpr", "rexpr"))
        if left is None or right is None or condition["kind"] != "AEXPR_OP" or strings(condition["name"]) != ["="]:
            return False
        return "isnull" not in left and {**left, "location": 0} == {**right, "location": 0}
    condition = node.get("BoolExpr")
    if condition is None:
        return is_true(node)
    parts = condition["args"]
    if condition["boolop"] == "NOT_EXPR":
        false = parts[0].get("A_Const", _NOTHING).get("boolval")
        return false is not None and not false
    return (any if condition["boolop"] == "OR_EXPR" else all)(always(part) for part in parts)


def not_null(node: Node) -> str:
    """The column of `column IS NOT NULL`, where that is all that is asked."""
    test = node.get("NullTest", _NOTHING)
    if test.get("nulltesttype") != "IS_NOT_NULL":
        return ""
    fields = test["arg"].get("ColumnRef", _NOTHING).get("fields", ())
    return fields[-1].get("String", _NOTHING).get("sval", "") if fields else ""


def switched_on(option: Node) -> bool:
    """A DefElem that stands alone, or with a word for true."""
    value = option.get("arg")
    if value is None:
        return True
    if "String" in value:
        return value["String"].get("sval", "").lower() in {"on", "true", "yes", "1"}
    return bool(value.get("Integer"))


def walk(node: Node) -> Iterator[tuple[str, Node]]:
    """Every node below a node, each before those below it, with its kind, or the field that holds nothing but this kind."""
    left = [iter(node.items())]
    while left:
        for name, value in left[-1]:
            if isinstance(value, dict):
                below = cast("Node", value)
                yield name, below
                left.append(iter(below.items()))
                break
            if isinstance(value, list):
                left.append(iter([("", each) for each in cast("list[Any]", value)]))
                break
        else:
            left.pop()


def relations(node: Node) -> Iterator[Node]:
    """The RangeVars below a node, in order."""
    return (below for _, below in walk(node) if "relname" in below)


def behaves(node: Node) -> bool:
    """CASCADE."""
    return node.get("behavior") == "DROP_CASCADE"
