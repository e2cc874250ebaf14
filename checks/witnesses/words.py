"""Pieces of PostgreSQL's tree as plain words: names, types, defaults."""

from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from checks.witnesses import grammar
from checks.witnesses.clauses import Default

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


def table(relation: Any) -> str:  # noqa: ANN401 - a RangeVar
    """`schema.name` of a relation; without a schema it is in `public`."""
    return f"{relation.schemaname or 'public'}.{relation.relname}"


def strings(nodes: Any) -> list[str]:  # noqa: ANN401 - repeated nodes
    """The words of a list of String nodes."""
    return [node.string.sval for node in nodes]


def full(names: list[str]) -> str:
    """`schema.name` of a qualified name, without the database."""
    return ".".join(names[-2:]) if len(names) > 1 else f"public.{names[0] if names else ''}"


def type_name(node: Any) -> str:  # noqa: ANN401 - a TypeName
    """A type as people write it: `character varying(20)`, `app.mood[]`."""
    names = tuple([name.string.sval for name in node.names])
    sizes = (
        tuple([m.a_const.ival.ival for m in typmods if m.WhichOneof("node") == "a_const"])
        if (typmods := node.typmods)
        else ()
    )
    return _written(names, sizes, len(node.array_bounds))


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


def default(node: Any) -> Default:  # noqa: ANN401 - an expression
    """What filling the rows that are there with a default takes."""
    kind = node.WhichOneof("node")
    if kind == "a_const" or (kind == "type_cast" and node.type_cast.arg.WhichOneof("node") == "a_const"):
        return "constant"
    answer: Default = "constant"
    for name, message in walk(node):
        if name == "FuncCall":
            function = strings(message.funcname)[-1]
            if function in _VOLATILE:
                return "volatile"
            if function not in _STABLE:
                answer = "unknown"
    return answer


def is_true(node: Any) -> bool:  # noqa: ANN401 - an expression
    """The constant `true`."""
    return node.WhichOneof("node") == "a_const" and node.a_const.boolval.boolval


def always(node: Any) -> bool:  # noqa: ANN401 - an expression
    """A condition that every row meets: `true`, `1 = 1`, `not false`."""
    kind = node.WhichOneof("node")
    if kind == "a_const":
        return node.a_const.boolval.boolval
    if kind == "a_expr":
        left, right = node.a_expr.lexpr, node.a_expr.rexpr
        same = left.WhichOneof("node") == right.WhichOneof("node") == "a_const" and strings(node.a_expr.name) == ["="]
        return same and left.a_const.ival == right.a_const.ival and left.a_const.sval == right.a_const.sval
    if kind != "bool_expr":
        return False
    parts = node.bool_expr.args
    if node.bool_expr.boolop == grammar.nodes.NOT_EXPR:
        false = parts[0].a_const
        return parts[0].WhichOneof("node") == "a_const" and false.HasField("boolval") and not false.boolval.boolval
    return (any if node.bool_expr.boolop == grammar.nodes.OR_EXPR else all)(always(part) for part in parts)


def not_null(node: Any) -> str:  # noqa: ANN401 - an expression
    """The column of `column IS NOT NULL`, where that is all that is asked."""
    if node.WhichOneof("node") != "null_test" or node.null_test.nulltesttype != grammar.nodes.IS_NOT_NULL:
        return ""
    fields = node.null_test.arg.column_ref.fields
    return fields[-1].string.sval if fields else ""


def switched_on(option: Any) -> bool:  # noqa: ANN401 - a DefElem
    """An option that stands alone, or with a word for true."""
    if not option.HasField("arg"):
        return True
    kind = option.arg.WhichOneof("node")
    if kind == "string":
        return option.arg.string.sval.lower() in {"on", "true", "yes", "1"}
    return kind == "integer" and option.arg.integer.ival != 0


def walk(message: Any, depth: int = 0) -> Iterator[tuple[str, Any]]:  # noqa: ANN401 - any node
    """A node and all below it, each with the name of its kind."""
    yield message.DESCRIPTOR.name, message
    for field, value in message.ListFields():
        if field.message_type is None:
            continue
        for child in value if field.is_repeated else (value,):
            yield from walk(child, depth + 1)


def behaves(node: Any) -> bool:  # noqa: ANN401 - a node with a behavior
    """CASCADE."""
    return node.behavior == grammar.nodes.DROP_CASCADE
