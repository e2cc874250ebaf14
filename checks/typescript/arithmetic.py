"""JavaScript's operators on known values; where a rule of coercion is not worth knowing, Unknown."""

import math

from checks.typescript.values import (
    UNDEFINED,
    BigInt,
    Record,
    Site,
    Thing,
    Unknown,
    Value,
    known,
    number,
    text_of,
    truthy,
)

_LONGEST = 1 << 20


def _plain(value: Value) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def same(left: Value, right: Value) -> bool:
    """`===`."""
    if _plain(left) and _plain(right):
        return left == right
    if left.__class__ is not right.__class__:
        return False
    if isinstance(left, str | bool | BigInt):
        return left == right
    return left is right


def loosely(left: Value, right: Value) -> bool | None:
    """`==`; None where coercion would decide."""
    nothing = (left is None or left is UNDEFINED, right is None or right is UNDEFINED)
    if any(nothing):
        return all(nothing)
    if left.__class__ is right.__class__ or (_plain(left) and _plain(right)):
        return same(left, right)
    return None


def binary(operator: str, left: Value, right: Value, site: Site) -> Value:  # noqa: PLR0911 - one case a kind of value
    """The value of `left operator right` (not `&&`, `||`, `??`)."""
    unknown = known(left, right)
    if unknown is not None:
        return unknown
    if operator in {"===", "!=="}:
        return same(left, right) == (operator == "===")
    if operator in {"==", "!="}:
        equal = loosely(left, right)
        return site.unknown("compares different types with `==`") if equal is None else equal == (operator == "==")
    if operator == "+" and (isinstance(left, str) or isinstance(right, str)):
        return _concatenate(left, right, site)
    if operator == "in":
        return _has(left, right, site)
    if _plain(left) and _plain(right):
        return _numbers(operator, left, right, site)
    if isinstance(left, str) and isinstance(right, str) and operator in {"<", ">", "<=", ">="}:
        a, b = left.encode("utf-16-be", "surrogatepass"), right.encode("utf-16-be", "surrogatepass")
        return {"<": a < b, ">": a > b, "<=": a <= b, ">=": a >= b}[operator]
    if isinstance(left, BigInt) and isinstance(right, BigInt) and operator in {"+", "-", "*"}:
        result = {"+": int.__add__, "-": int.__sub__, "*": int.__mul__}[operator](left.value, right.value)
        return BigInt(result) if result.bit_length() < 4096 else site.unknown("is a number of thousands of digits")
    return site.unknown(f"`{operator}` between these is not understood")


def _concatenate(left: Value, right: Value, site: Site) -> Value:
    a, b = text_of(left), text_of(right)
    if a is None or b is None:
        return site.unknown("joins a text with something that has no known text")
    return a + b if len(a) + len(b) < _LONGEST else site.unknown("is a text of more than 1 MB")


def _has(key: Value, owner: Value, site: Site) -> Value:
    name = text_of(key)
    if isinstance(owner, Record) and name is not None and (name in owner or owner.hole is None):
        return name in owner
    if isinstance(owner, Thing) and name is not None:
        found = owner.member(name, site)
        return found if found.__class__ is Unknown else found is not UNDEFINED
    return site.unknown("`in` is not understood here")


def _numbers(operator: str, left: float, right: float, site: Site) -> Value:  # noqa: PLR0911 - one case a kind of value
    try:
        match operator:
            case "+" | "-" | "*":
                return number({"+": left + right, "-": left - right, "*": left * right}[operator] + 0.0)
            case "/":
                return number(left / right)
            case "%":
                return number(math.fmod(left, right))
            case "**":
                return number(float(left) ** float(right))
            case "<" | ">" | "<=" | ">=":
                return {"<": left < right, ">": left > right, "<=": left <= right, ">=": left >= right}[operator]
            case "&" | "|" | "^" | "<<" | ">>":
                return _bits(operator, int(left), int(right))
            case _:
                pass
    except (ArithmeticError, ValueError, TypeError):
        return site.unknown("is arithmetic without a plain result")
    return site.unknown(f"`{operator}` is not understood")


def _bits(operator: str, left: int, right: int) -> int:
    a, b = left & 0xFFFFFFFF, right & 0xFFFFFFFF
    signed = a - (1 << 32) if a >> 31 else a
    result = {
        "&": a & b,
        "|": a | b,
        "^": a ^ b,
        "<<": a << (b & 31),
        ">>": signed >> (b & 31),
    }[operator] & 0xFFFFFFFF  # fmt: skip
    return result - (1 << 32) if result >> 31 else result


def unary(operator: str, value: Value, site: Site) -> Value:  # noqa: PLR0911 - one case a kind of value
    """The value of `!x`, `-x`, `+x`, `typeof x`, `void x`."""
    if operator == "void":
        return UNDEFINED
    if value.__class__ is Unknown:
        return value
    if operator == "!":
        truth = truthy(value)
        return truth if isinstance(truth, Unknown) else not truth
    if operator == "-" and _plain(value):
        return -value if value else -0.0
    if operator == "-" and isinstance(value, BigInt):
        return BigInt(-value.value)
    if operator == "+" and _plain(value):
        return value
    if operator == "typeof":
        return _typeof(value)
    return site.unknown(f"`{operator}` is not understood here")


def _typeof(value: Value) -> str:
    if value is UNDEFINED:
        return "undefined"
    for kind, name in ((bool, "boolean"), (str, "string"), (BigInt, "bigint")):
        if isinstance(value, kind):
            return name
    if _plain(value):
        return "number"
    return "function" if type(value).__name__ in {"Native", "Closure"} else "object"
