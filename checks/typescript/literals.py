"""Literals and names of the source as Python values: strings with their escapes, numbers, bound names."""

import re
from collections.abc import Iterator

from checks.typescript import syntax
from checks.typescript.syntax import Node
from checks.typescript.values import BigInt, number

_ESCAPE = re.compile(r"\\(u\{([0-9a-fA-F]{1,6})\}|u([0-9a-fA-F]{4})|x([0-9a-fA-F]{2})|\r\n|.)", re.DOTALL)
_SIMPLE = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", "v": "\v", "0": "\0", "\n": "", "\r": "", "\u2028": "", "\u2029": ""}  # fmt: skip


def string(node: Node) -> str:
    """The value of a string literal."""
    return unescape(syntax.text(node)[1:-1])


def word(node: Node) -> str:
    """A name that may also be written as a string (`export { a as "b c" }`)."""
    return string(node) if node.type == "string" else syntax.text(node)


def unescape(text: str) -> str:
    """The text with its escape sequences replaced; surrogate pairs are joined."""
    if "\\" not in text:
        return text
    plain = _ESCAPE.sub(_escaped, text)
    if any("\ud800" <= c <= "\udfff" for c in plain):
        plain = plain.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return plain


def _escaped(match: re.Match[str]) -> str:
    code = match[2] or match[3] or match[4]
    if code:
        point = int(code, 16)
        return chr(point) if point < 0x110000 else "\ufffd"
    return _SIMPLE.get(match[1], "" if match[1] == "\r\n" else match[1])


def numeral(node: Node) -> float | BigInt | None:
    """The value of a number literal; None where it is none that we know."""
    text = syntax.text(node).replace("_", "").lower()
    big = text.endswith("n")
    try:
        if text[:2] in {"0x", "0o", "0b"}:
            value: float = int(text.rstrip("n"), 0)
        elif big or text.isdigit():
            digits = text.rstrip("n")
            if len(digits) > 400 or (len(digits) > 1 and digits[0] == "0"):  # an old octal, or nonsense
                return None
            value = int(digits)
        else:
            value = float(text)
    except (ValueError, OverflowError):
        return None
    if big:
        return BigInt(int(value))
    return number(float(value)) if isinstance(value, int) and abs(value) > 2**53 else number(value)


def bound(pattern: Node) -> Iterator[str]:
    """The names that a pattern binds."""
    pending = [pattern]
    while pending:
        node = pending.pop()
        kind = node.type
        if kind in {"identifier", "shorthand_property_identifier_pattern"}:
            yield syntax.text(node)
        elif kind == "pair_pattern":
            value = node.child_by_field_name("value")
            pending += [value] if value is not None else []
        elif kind in {"object_assignment_pattern", "assignment_pattern"}:
            left = node.child_by_field_name("left")
            pending += [left] if left is not None else []
        elif kind in {"object_pattern", "array_pattern", "rest_pattern"}:
            pending += node.named_children
