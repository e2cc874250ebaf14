"""The methods of strings, and of the regular expressions on which JavaScript and Python agree."""

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

from checks.typescript.values import UNDEFINED, Native, Regex, Site, Unknown, Value, known

if TYPE_CHECKING:
    from checks.typescript.evaluate import Evaluator

_LONGEST = 1 << 20
# No lookbehind, backreference, named group or unicode class: what is left means the same in both languages.
_SAFE = re.compile(r"(?:[^\\(\[$^.+*?{}|]|\\[dwnt./\-_+*?()\[\]{}|$^\\ ]|\[\^?(?:[^\\\]]|\\[dwnt./\-_\]\[\\ ])+\]|\((?:\?:|\?=|\?!|(?!\?))|\)|[$^.+*?|]|\{\d+(?:,\d*)?\})*")  # fmt: skip
_WHITE = " \t\n\v\f\r\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000\ufeff"


def member(ev: "Evaluator", text: str, key: str, site: Site) -> Value:
    """A property of a string."""
    if key == "length":
        return len(text) if text.isascii() else len(text.encode("utf-16-le", "surrogatepass")) // 2
    if key.isdigit():
        return text[int(key)] if int(key) < len(text) else UNDEFINED
    method = _METHODS.get(key)
    if method is not None and (text.isascii() or key in _ANY_TEXT):
        return Native(key, lambda args, at: _call(method, text, args, at))
    if key in {"replace", "replaceAll"}:
        return Native(key, lambda args, at: _replace(ev, text, args, at, every=key == "replaceAll"))
    return site.unknown(f"`.{key}` of a text is not understood")


def _call(method: Callable[[str, list[Value]], Value], text: str, args: list[Value], at: Site) -> Value:
    unknown = known(*args)
    if unknown is not None:
        return unknown
    try:
        result = method(text, args)
    except (TypeError, ValueError, AttributeError, IndexError):
        return at.unknown("calls a method of a text in a way that is not understood")
    if isinstance(result, str) and len(result) > _LONGEST:
        return at.unknown("is a text of more than 1 MB")
    return result


def _clamp(index: float, length: int) -> int:
    whole = int(index)
    return max(0, length + whole) if whole < 0 else min(whole, length)


def _slice(text: str, start: float = 0, end: Value = UNDEFINED) -> str:
    stop = len(text) if end is UNDEFINED else _clamp(end, len(text))
    return text[_clamp(start, len(text)) : stop]


def _substring(text: str, start: float = 0, end: Value = UNDEFINED) -> str:
    a = min(max(int(start), 0), len(text))
    b = len(text) if end is UNDEFINED else min(max(int(end), 0), len(text))
    return text[min(a, b) : max(a, b)]


def _split(text: str, separator: Value = UNDEFINED, limit: Value = UNDEFINED) -> list[str]:
    if separator is UNDEFINED:
        parts = [text]
    elif separator == "":
        parts = list(text)
    elif isinstance(separator, Regex):
        pattern = compiled(separator)
        if pattern is None or pattern.groups or pattern.match(""):
            raise ValueError
        parts = pattern.split(text)
    else:
        parts = text.split(_string(separator))
    return parts if limit is UNDEFINED else parts[: int(limit)]


def _string(value: Value) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value


def _repeat(text: str, count: int) -> str:
    if count < 0 or len(text) * count > _LONGEST:
        raise ValueError
    return text * count


def _pad(text: str, length: int, fill: str, *, start: bool) -> str:
    if length > _LONGEST:
        raise ValueError
    missing = max(0, length - len(text))
    padding = (fill * (missing // max(1, len(fill)) + 1))[:missing]
    return padding + text if start else text + padding


def _at(text: str, index: float = 0) -> Value:
    return text[int(index)] if -len(text) <= int(index) < len(text) else UNDEFINED


def _char(text: str, index: float = 0) -> str:
    return text[int(index)] if 0 <= int(index) < len(text) else ""


def _starts(text: str, start: Value, place: float = 0) -> bool:
    return text.startswith(_string(start), int(place))


_METHODS: dict[str, Callable[[str, list[Value]], Value]] = {
    "toLowerCase": lambda t, _a: t.lower(),
    "toUpperCase": lambda t, _a: t.upper(),
    "toString": lambda t, _a: t,
    "valueOf": lambda t, _a: t,
    "trim": lambda t, _a: t.strip(_WHITE),
    "trimStart": lambda t, _a: t.lstrip(_WHITE),
    "trimEnd": lambda t, _a: t.rstrip(_WHITE),
    "split": lambda t, a: _split(t, *a),
    "startsWith": lambda t, a: _starts(t, *a),
    "endsWith": lambda t, a: t.endswith(_string(a[0])) if len(a) == 1 else _string(None),
    "includes": lambda t, a: _string(a[0]) in t if len(a) == 1 else _string(None),
    "indexOf": lambda t, a: t.find(_string(a[0])) if len(a) == 1 else _string(None),
    "lastIndexOf": lambda t, a: t.rfind(_string(a[0])) if len(a) == 1 else _string(None),
    "slice": lambda t, a: _slice(t, *a),
    "substring": lambda t, a: _substring(t, *a),
    "charAt": lambda t, a: _char(t, *a),
    "at": lambda t, a: _at(t, *a),
    "concat": lambda t, a: t + "".join(_string(part) for part in a),
    "repeat": lambda t, a: _repeat(t, *a),
    "padStart": lambda t, a: _pad(t, int(a[0]), _string(a[1]) if len(a) > 1 else " ", start=True),
    "padEnd": lambda t, a: _pad(t, int(a[0]), _string(a[1]) if len(a) > 1 else " ", start=False),
}
_ANY_TEXT = frozenset({
    "toString", "valueOf", "trim", "trimStart", "trimEnd", "startsWith", "endsWith", "includes", "concat", "toUpperCase",
    "toLowerCase",
})  # fmt: skip


def compiled(regex: Regex) -> re.Pattern[str] | None:
    """The regular expression for Python; None where the two languages might not agree, or it might take forever."""
    if not set(regex.flags) <= {"g", "i", "u"} or not _SAFE.fullmatch(regex.pattern) or len(regex.pattern) > 200:
        return None
    if len(re.findall(r"[+*}]", regex.pattern)) > 4 or re.search(r"[+*}]\)+[+*{]", regex.pattern):
        return None
    try:
        pattern = regex.pattern.replace("$", r"\Z") if "[" not in regex.pattern else regex.pattern
        return re.compile(pattern, re.ASCII | (re.IGNORECASE if "i" in regex.flags else re.NOFLAG))
    except re.error:
        return None


def of_regex(regex: Regex, key: str, site: Site) -> Value:
    """A method of a regular expression."""
    if key == "test":
        pattern = compiled(regex)

        def test(args: list[Value], at: Site) -> Value:
            if pattern is None or not args or not isinstance(args[0], str) or not args[0].isascii():
                return at.unknown("is a regular expression that is not understood")
            return pattern.search(args[0]) is not None

        return Native(key, test)
    return site.unknown(f"`.{key}` of a regular expression is not understood")


def _replace(ev: "Evaluator", text: str, args: list[Value], at: Site, *, every: bool) -> Value:
    unknown = known(*args)
    if unknown is not None or len(args) != 2:
        return unknown or at.unknown("is not understood")
    what, by = args
    if isinstance(what, str):
        if isinstance(by, str) and "$" not in by:
            result = text.replace(what, by, -1 if every else 1)
            return result if len(result) < _LONGEST else at.unknown("is a text of more than 1 MB")
        return at.unknown("is a replacement that is not understood")
    pattern = compiled(what) if isinstance(what, Regex) else None
    if pattern is None or not text.isascii() or len(text) > 10_000 or not isinstance(what, Regex):
        return at.unknown("is a regular expression that is not understood")
    failed: list[Unknown] = []

    def substitute(match: re.Match[str]) -> str:
        if isinstance(by, str):
            return re.sub(r"\$(\$|&|\d)", lambda m: _dollar(m[1], match), by)
        groups = [UNDEFINED if g is None else g for g in match.groups()]
        made = ev.call(by, [match[0], *groups, match.start(), text], at)
        if isinstance(made, str):
            return made
        failed.append(made if isinstance(made, Unknown) else at.unknown("is a replacement that is not understood"))
        return ""

    result = pattern.sub(substitute, text, 0 if "g" in what.flags else 1)
    return failed[0] if failed else result


def _dollar(sign: str, match: re.Match[str]) -> str:
    if sign == "$":
        return "$"
    if sign == "&":
        return match[0]
    group = int(sign)
    return (match[group] or "") if 0 < group <= (match.re.groups or 0) else "$" + sign
