"""Reads JSON, and the comments and trailing commas that files like tsconfig.json have."""

import re
from collections.abc import Iterator
from typing import Literal

from checks.placed.value import DEEPEST, Key, Mapping, Placed, Scalar, Unreadable

_TOKEN = re.compile(
    r"""(?P<space>[ \t\r\n\ufeff]+|//[^\n]*|/\*.*?\*/)|(?P<mark>[{}\[\]:,])|(?P<string>"(?:[^"\\\n]|\\.)*")"""
    r"""|(?P<number>-?(?:0|[1-9]\d{0,300})(?:\.\d{1,300})?(?:[eE][+-]?\d{1,4})?)|(?P<word>true|false|null)""",
    re.DOTALL,
)
_ESCAPE = re.compile(r'\\(u[0-9a-fA-F]{4}|["\\/bfnrt])')
_SIMPLE = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}
_WORDS: dict[str, Scalar] = {"true": True, "false": False, "null": None}
_EXPECTED = {
    "comma": "a comma",
    "key": "a key in double quotes",
    "colon": "a colon",
    "value": "a value",
    "end": "nothing more",
}


def document(text: str) -> Placed:
    """A JSON text; comments and trailing commas are allowed.

    Raises:
        Unreadable: it is not JSON, or nested too deep.
    """
    builder = _Builder()
    for kind, word, line in _tokens(text):
        builder.take(kind, word, line)
    if builder.result is None:
        raise Unreadable(text.count("\n") + 1, "the text ends too early")
    return builder.result


class _Builder:
    """A machine with a list for a stack, so that depth costs no stack of ours."""

    def __init__(self) -> None:
        self.result: Placed | None = None
        self._open: list[tuple[str, int, list[Placed]]] = []
        self._expected: Literal["value", "comma", "key", "colon", "end"] = "value"

    def take(self, kind: str, word: str, line: int) -> None:
        if kind == "mark":
            self._mark(word, line)
        elif self._expected == "key" and kind == "string":
            self._open[-1][2].append(Placed(_unescape(word), line))
            self._expected = "colon"
        elif self._expected == "value":
            self._add(Placed(_scalar(kind, word), line))
        else:
            self._wrong(word, line)

    def _mark(self, word: str, line: int) -> None:
        match word, self._expected:
            case "{" | "[", "value":
                if len(self._open) >= DEEPEST:
                    raise Unreadable(line, f"nested deeper than {DEEPEST} levels")
                self._open.append((word, line, []))
                self._expected = "key" if word == "{" else "value"
            case "}", "key" | "comma" if self._open and self._open[-1][0] == "{":
                _, begun, values = self._open.pop()
                self._add(Placed(_pairs(values), begun))
            case "]", "value" | "comma" if self._open and self._open[-1][0] == "[":
                _, begun, values = self._open.pop()
                self._add(Placed(tuple(values), begun))
            case ",", "comma":
                self._expected = "key" if self._open[-1][0] == "{" else "value"
            case ":", "colon":
                self._expected = "value"
            case _:
                self._wrong(word, line)

    def _add(self, value: Placed) -> None:
        if self._open:
            self._open[-1][2].append(value)
            self._expected = "comma"
        else:
            self.result, self._expected = value, "end"

    def _wrong(self, word: str, line: int) -> None:
        raise Unreadable(line, f"{_EXPECTED[self._expected]} is expected before `{word[:20]}`")


def _scalar(kind: str, word: str) -> Scalar:
    match kind:
        case "string":
            return _unescape(word)
        case "word":
            return _WORDS[word]
        case _:
            return float(word) if any(c in word for c in ".eE") else int(word)


def _pairs(values: list[Placed]) -> Mapping:
    """Keys and values; of two equal keys the last one stays, as in JavaScript."""
    pairs = [(Key(str(k.value), k.line), v) for k, v in zip(values[::2], values[1::2], strict=True)]
    last = {key.name: position for position, (key, _) in enumerate(pairs)}
    return Mapping(tuple(pair for position, pair in enumerate(pairs) if last[pair[0].name] == position))


def _unescape(word: str) -> str:
    inner = word[1:-1]
    if "\\" not in inner:
        return inner
    return _ESCAPE.sub(lambda m: _SIMPLE.get(m[1], m[1]) if m[1][0] != "u" else chr(int(m[1][1:], 16)), inner)


def _tokens(text: str) -> Iterator[tuple[str, str, int]]:
    position, line = 0, 1
    while position < len(text):
        found = _TOKEN.match(text, position)
        if found is None:
            raise Unreadable(line, f"`{text[position : position + 20].partition(chr(10))[0]}` is not JSON")
        if found.lastgroup != "space":
            yield str(found.lastgroup), found[0], line
        line += found[0].count("\n")
        position = found.end()
