"""The names that every module has: Object, Array, JSON, …."""

import json
import math
import re
from collections.abc import Callable
from typing import TYPE_CHECKING

from checks.typescript import dates, members, objects
from checks.typescript.scopes import Closure
from checks.typescript.values import (
    UNDEFINED,
    BigInt,
    Date,
    Native,
    Record,
    Regex,
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
_NUMBERS: dict[str, Value] = {
    "MAX_SAFE_INTEGER": 2**53 - 1,
    "MIN_SAFE_INTEGER": 1 - 2**53,
    "MAX_VALUE": 1.7976931348623157e308,
    "MIN_VALUE": 5e-324,
    "EPSILON": 2.0**-52,
    "POSITIVE_INFINITY": math.inf,
    "NEGATIVE_INFINITY": -math.inf,
    "NaN": math.nan,
}
_WHOLE = re.compile(r"[+-]?[0-9]+")
_DECIMAL = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?")


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
        return native(name, lambda args, site: objects.call(ev, name, args, site))

    return {
        "undefined": UNDEFINED,
        "NaN": math.nan,
        "Infinity": math.inf,
        "Object": native(
            "Object",
            lambda args, _s: args[0],
            {name: of_object(name) for name in objects.NAMES} | {"prototype": objects.prototype()},
        ),
        "structuredClone": native("structuredClone", lambda args, site: _cloned(args[0], site)),
        "isNaN": native("isNaN", lambda args, site: _is_nan(args[0], site)),
        "Array": native(
            "Array",
            lambda args, site: list(args) if len(args) != 1 else site.unknown("is an array of nothing"),
            {
                "isArray": native("isArray", lambda args, _s: args[0].__class__ is list),
                "from": native("from", lambda args, site: _array_from(ev, args, site)),
                "of": native("of", lambda args, _s: list(args)),
            },
        ),
        "String": native(
            "String",
            lambda args, site: members.as_text(ev, args[0], site) if args else "",
            {"raw": Native("raw", lambda args, site: _raw(ev, args, site))},
        ),
        "Number": native("Number", lambda args, site: _number(args[0], site), dict(_NUMBERS)),
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
        "parseInt": native("parseInt", lambda args, site: _parsed(args, site, _WHOLE)),
        "parseFloat": native("parseFloat", lambda args, site: _parsed(args, site, _DECIMAL)),
        "globalThis": Opaque("depends on where it runs"),
        "__dirname": Unknown("", 1, "depends on where it runs (`__dirname`)"),
    }


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
    text = value.strip() if isinstance(value, str) else "?"
    if not text:
        return 0
    if _DECIMAL.fullmatch(text):
        return number(float(text))
    return math.nan if text.isidentifier() and text != "Infinity" else site.unknown("is not a plain number")


def _parsed(args: list[Value], site: Site, pattern: re.Pattern[str]) -> Value:
    """`parseInt` and `parseFloat`: the number that a text begins with."""
    text = args[0].strip() if isinstance(args[0], str) else text_of(args[0])
    radix = args[1] if len(args) > 1 else 10
    if text is None or radix != 10 or text[:2].lower() == "0x" or "Infinity" in text:
        return site.unknown("is not a plain number")
    found = pattern.match(text)
    return number(float(found[0])) if found else math.nan


def _raw(ev: "Evaluator", args: list[Value], site: Site) -> Value:
    """`String.raw`, used as a template's tag."""
    strings = listed(args[0]) if args else None
    if strings is None or len(strings) != len(args):
        return site.unknown("is a `String.raw` that is not understood")
    result = ""
    for text, value in zip(strings, [*args[1:], ""], strict=True):
        shown = members.as_text(ev, value, site) if value.__class__ is not Unknown else value
        if not isinstance(shown, str):
            return shown
        result += text + shown
    return result


def _cloned(value: Value, site: Site) -> Value:
    """A deep copy of plain data."""
    items = listed(value)
    if items is not None:
        return [_cloned(item, site) for item in items]
    if value.__class__ is Record:
        if value.hole is not None:
            return value.hole
        return Record((name, _cloned(item, site)) for name, item in value.plain(site).items())
    if value is None or value is UNDEFINED or isinstance(value, str | int | float | Date | BigInt):
        return value
    return site.unknown("is a clone of something that is not plain data")


def _is_nan(value: Value, site: Site) -> Value:
    found = _number(value, site)
    return found if isinstance(found, Unknown) else math.isnan(found)


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
    elif isinstance(value, Regex | members.Collection):
        parts.append("{}")
    elif value is not UNDEFINED and not isinstance(value, Native | Closure):  # JSON leaves functions out
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


__all__ = ["Opaque", "known", "stringify", "table"]
