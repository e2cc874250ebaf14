"""The names that every module has: Object, Array, JSON, …; and TypeScript's enums."""

import json
import math
from collections.abc import Callable
from typing import TYPE_CHECKING

from checks.typescript import dates, literals, members, syntax
from checks.typescript.scopes import Scope
from checks.typescript.syntax import Node
from checks.typescript.values import (
    UNDEFINED,
    BigInt,
    Date,
    Native,
    Record,
    Site,
    Thing,
    Unknown,
    Value,
    known,
    listed,
    number,
    number_text,
    text_of,
    truthy,
)

if TYPE_CHECKING:
    from checks.typescript.evaluate import Evaluator

_LONGEST = 100_000
_PLAIN = ("filter", "isArray")


class Opaque(Thing):
    """A global whose every member depends on where the code runs."""

    __slots__ = ("inert", "why")

    def __init__(self, why: str, *, inert: bool = False) -> None:
        self.why = why
        self.inert = inert

    def member(self, name: str, site: Site) -> Value:
        """Unknown, and why."""
        return site.unknown(self.why.replace("*", name), inert=self.inert)

    def call(self, args: list[Value], site: Site) -> Value:  # noqa: ARG002 - the signature is the protocol
        """Unknown, and why."""
        return site.unknown(self.why, inert=self.inert)


class Dates(Opaque):
    """`Date`: only what is counted in UTC is the same everywhere."""

    def member(self, name: str, site: Site) -> Value:
        """`Date.UTC`; everything else is the time of day."""
        return Native("UTC", dates.utc) if name == "UTC" else super().member(name, site)


class Process(Opaque):
    """`process`: only its environment says anything, namely that it is not known."""

    __slots__ = ()

    def member(self, name: str, site: Site) -> Value:
        """`process.env` tells which variable is asked for."""
        if name == "env":
            return Opaque("depends on the environment (`process.env.*`)")
        return site.unknown(f"depends on the process (`process.{name}`)")


def table(ev: "Evaluator") -> dict[str, Value]:
    """The global names."""

    def native(name: str, call: Callable[[list[Value], Site], Value], extra: dict[str, Value] | None = None) -> Native:
        def checked(args: list[Value], site: Site) -> Value:
            first = args[0] if args else UNDEFINED
            if first.__class__ is Unknown:
                return first
            try:
                return call(args, site)
            except (IndexError, TypeError, ValueError, OverflowError):
                return site.unknown(f"`{name}` is called in a way that is not understood")

        return Native(name, checked, extra)

    def of_object(name: str) -> Native:
        return native(name, lambda args, site: _object(ev, name, args, site))

    names = ("keys", "values", "entries", "fromEntries", "assign", "freeze", "seal", "getOwnPropertyNames", "hasOwn")
    return {
        "undefined": UNDEFINED,
        "NaN": math.nan,
        "Infinity": math.inf,
        "Object": native("Object", lambda args, _s: args[0], {name: of_object(name) for name in names}),
        "Array": native(
            "Array",
            lambda args, site: list(args) if len(args) != 1 else site.unknown("is an array of nothing"),
            {
                "isArray": native("isArray", lambda args, _s: args[0].__class__ is list),
                "from": native("from", lambda args, site: _array_from(ev, args, site)),
                "of": native("of", lambda args, _s: list(args)),
            },
        ),
        "String": native("String", lambda args, site: members.as_text(ev, args[0], site) if args else ""),
        "Number": native("Number", lambda args, site: _number(args[0], site)),
        "Boolean": native("Boolean", lambda args, _s: truthy(args[0])),
        "BigInt": native("BigInt", lambda args, _s: BigInt(int(args[0]))),
        "Symbol": Opaque("is a Symbol"),
        "JSON": Record(
            stringify=native("stringify", lambda args, site: stringify(args[0], site)),
            parse=native("parse", lambda args, _s: _json(json.loads(args[0]))),
        ),
        "Math": Record(
            {
                "max": native("max", lambda args, _s: max(args)),
                "min": native("min", lambda args, _s: min(args)),
                "floor": native("floor", lambda args, _s: number(math.floor(args[0]))),
                "ceil": native("ceil", lambda args, _s: number(math.ceil(args[0]))),
                "round": native("round", lambda args, _s: number(math.floor(args[0] + 0.5))),
                "abs": native("abs", lambda args, _s: abs(args[0])),
                "pow": native("pow", lambda args, _s: number(float(args[0]) ** float(args[1]))),
                "random": Opaque("is random"),
                "PI": math.pi,
            }
        ),
        "Date": Dates("is the time at which the code runs"),
        "process": Process("depends on the process"),
        "console": Opaque("prints", inert=True),
        "parseInt": native("parseInt", lambda args, site: _number(args[0], site)),
        "parseFloat": native("parseFloat", lambda args, site: _number(args[0], site)),
        "globalThis": Opaque("depends on where it runs"),
        "__dirname": Unknown("", 1, "depends on where it runs (`__dirname`)"),
    }


def _object(ev: "Evaluator", name: str, args: list[Value], site: Site) -> Value:  # noqa: ARG001, PLR0911 - one case a function
    if name in {"freeze", "seal"}:
        return args[0]
    if name == "fromEntries":
        return _from_entries(args[0], site)
    if name == "assign":
        return _assign(args, site)
    record = members.spread(args[0], site)
    if isinstance(record, Unknown):
        return record
    rest = [Unknown(record.hole.path, record.hole.line, record.hole.why, many=True)] if record.hole else []
    if name in {"keys", "getOwnPropertyNames"}:
        return [*record.names(), *rest]
    if name == "values":
        return [*(record[key] for key in record.names()), *rest]
    if name == "entries":
        return [*([key, record[key]] for key in record.names()), *rest]
    key = text_of(args[1])
    return site.unknown("is not understood") if key is None or (record.hole and key not in record) else key in record


def _from_entries(given: Value, site: Site) -> Value:
    record = Record()
    for pair in members.items(given) or [site.unknown("is not a list of pairs")]:
        if pair.__class__ is list and len(pair) == 2:
            key = pair[0] if pair[0].__class__ is Unknown else text_of(pair[0])
            if isinstance(key, str) and key != "__proto__":
                record[key] = pair[1]
                continue
            pair = key  # noqa: PLW2901 - the key is what is not known
        record.hole = pair if isinstance(pair, Unknown) else site.unknown("is not a list of pairs")
    return record


def _assign(args: list[Value], site: Site) -> Value:
    target = args[0]
    if not isinstance(target, Record):
        return site.unknown("`Object.assign` to something that is not a plain object")
    for source in args[1:]:
        spread = members.spread(source, site)
        if isinstance(spread, Unknown):
            target.hole = spread
        else:
            target.update((name, spread[name]) for name in spread.names())
            target.hole = target.hole or spread.hole
    return target


def _array_from(ev: "Evaluator", args: list[Value], site: Site) -> Value:
    given = args[0]
    items = members.items(given)
    if items is None and isinstance(given, Record) and isinstance(given.get("length"), int):
        if given["length"] > _LONGEST:
            raise ValueError
        items = [UNDEFINED] * given["length"]
    if items is None:
        raise TypeError
    return [ev.call(args[1], [item, i], site) for i, item in enumerate(items)] if len(args) > 1 else list(items)


def _number(value: Value, site: Site) -> Value:
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, int | float):
        return value
    if isinstance(value, BigInt):
        return number(float(value.value)) if abs(value.value) > 2**53 else value.value
    if isinstance(value, str) and value.strip().replace(".", "", 1).lstrip("-").isdigit():
        return number(float(value))
    return site.unknown("is not a plain number")


def _json(value: Value) -> Value:
    if isinstance(value, dict):
        return Record((str(key), _json(item)) for key, item in value.items())  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType] - JSON
    items = listed(value)
    return value if items is None else [_json(item) for item in items]


def stringify(value: Value, site: Site, quote: Callable[[str], str] = lambda text: text) -> Value:
    """`JSON.stringify(value)`; `quote` changes every text first."""
    parts: list[str] = []
    unknown = _stringify(value, site, quote, parts, 0)
    return unknown or ("".join(parts) if parts else UNDEFINED)


def _stringify(value: Value, site: Site, quote: Callable[[str], str], parts: list[str], depth: int) -> Unknown | None:  # noqa: C901 - one case a kind of value
    if depth > 60 or len(parts) > _LONGEST:
        return site.unknown("is too big or too deep")
    if value.__class__ is Unknown:
        return value
    if isinstance(value, Date):
        value = value.iso()
    if isinstance(value, str):
        parts.append(json.dumps(quote(value), ensure_ascii=False).replace("\x7f", "\x7f"))
    elif value is None or (isinstance(value, float) and not math.isfinite(value)):
        parts.append("null")
    elif isinstance(value, bool):
        parts.append("true" if value else "false")
    elif isinstance(value, int | float):
        parts.append(number_text(value))
    elif value.__class__ is list:
        return _stringify_list(value, site, quote, parts, depth)
    elif isinstance(value, Record):
        return _stringify_record(value, site, quote, parts, depth)
    elif isinstance(value, BigInt | Thing):
        return site.unknown("has no JSON form that is known")
    return None


def _stringify_list(
    items: list[Value], site: Site, quote: Callable[[str], str], parts: list[str], depth: int
) -> Unknown | None:
    parts.append("[")
    for index, item in enumerate(items):
        if index:
            parts.append(",")
        before = len(parts)
        unknown = _stringify(item, site, quote, parts, depth + 1)
        if unknown is not None:
            return unknown
        if len(parts) == before:
            parts.append("null")
    parts.append("]")
    return None


def _stringify_record(
    record: Record, site: Site, quote: Callable[[str], str], parts: list[str], depth: int
) -> Unknown | None:
    if record.hole is not None or "toJSON" in record:
        return record.hole or site.unknown("has a `toJSON`")
    parts.append("{")
    first = True
    for name in record.names():
        parts.append(("" if first else ",") + json.dumps(name, ensure_ascii=False) + ":")
        before = len(parts)
        unknown = _stringify(record[name], site, quote, parts, depth + 1)
        if unknown is not None:
            return unknown
        if len(parts) == before:
            parts.pop()
        else:
            first = False
    parts.append("}")
    return None


def enumeration(ev: "Evaluator", node: Node, scope: Scope) -> Value:
    """The object that a TypeScript enum is at run time (numbers are also mapped back to their names)."""
    record = Record()
    inner = Scope(scope.module, scope)
    following: Value = 0
    body = node.child_by_field_name("body")
    for child in [] if body is None else body.named_children:
        if child.type == "comment":
            continue
        name_node = child.child_by_field_name("name") if child.type == "enum_assignment" else child
        value_node = child.child_by_field_name("value") if child.type == "enum_assignment" else None
        if name_node is None:
            continue
        name = literals.word(name_node)
        value = following if value_node is None else ev.value(value_node, inner)
        record[name] = inner.names[name] = value
        if isinstance(value, int | float) and not isinstance(value, bool):
            record[number_text(value)] = name
            following = value + 1
        else:
            following = ev.site(child, scope).unknown(f"`{syntax.text(name_node)}` follows a member that is no number")
    return record


__all__ = ["Opaque", "enumeration", "known", "stringify", "table"]
