"""Reads a v0 journal, `meta/_journal.json`, with the line of every entry; of a broken one, what can still be read."""

import json
import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal, cast

Problem = Literal["conflict-markers", "not-json", "wrong-shape", "not-utf8"]

_MARKERS = re.compile(r"^(<{7}|={7}$|>{7})", re.MULTILINE)
_SPACE = re.compile(r"[ \t\r\n]*")
_ENTRY = re.compile(r'\{[^{}]*"tag"[^{}]*\}')
_DECODER = json.JSONDecoder()


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of a journal, with None for what is absent or of the wrong type."""

    idx: int | None
    when: int | None
    tag: str | None
    version: str | None
    breakpoints: bool
    line: int
    end_line: int


@dataclass(frozen=True, slots=True)
class Journal:
    """A journal as far as it can be read.

    Attributes:
        problem: why Drizzle could not read it, or None.
        line: where the problem is.
        detail: more about it, in the parser's words.
    """

    version: str | None
    dialect: str | None
    entries: tuple[Entry, ...]
    problem: Problem | None = None
    line: int = 1
    detail: str = ""

    @property
    def postgres(self) -> bool:
        """Whether it is for PostgreSQL (`pg` in old journals) or does not say."""
        return self.dialect in {"postgresql", "postgres", "pg", None}


@lru_cache(maxsize=8)  # who looks for projects reads the journals that are read again as chains
def parse(data: bytes) -> Journal:
    """The journal in these bytes. Never raises."""
    text = data.decode("utf-8", errors="replace")
    if (marker := _MARKERS.search(text)) is not None and text.count("<<<<<<<"):
        return _recovered(text, "conflict-markers", _line(text, marker.start()))
    try:
        top, places = _object(text)
    except (ValueError, RecursionError) as error:
        at = error.pos if isinstance(error, json.JSONDecodeError) else 0
        words = error.msg if isinstance(error, json.JSONDecodeError) else "nested too deep"
        return _recovered(text, "not-json", _line(text, at), words)
    items = top.get("entries")
    if not isinstance(items, list):
        return Journal(
            _text(top.get("version")), _text(top.get("dialect")), (), "wrong-shape", 1, "`entries` is not a list"
        )
    entries = tuple(
        _entry(value, first, last) for value, (first, last) in zip(cast("list[Any]", items), places, strict=True)
    )
    journal = Journal(_text(top.get("version")), _text(top.get("dialect")), entries)
    bad = next((e for e in entries if e.idx is None or e.when is None or e.tag is None), None)
    if bad is not None:
        missing = next(name for name in ("tag", "when", "idx") if getattr(bad, name) is None)
        return Journal(
            journal.version,
            journal.dialect,
            entries,
            "wrong-shape",
            bad.line,
            f"`{missing}` is not there or of the wrong type",
        )
    if "\ufffd" in text and b"\xef\xbf\xbd" not in data:
        return Journal(journal.version, journal.dialect, entries, "not-utf8", _line(text, text.index("\ufffd")))
    return journal


def _recovered(text: str, problem: Problem, line: int, detail: str = "") -> Journal:
    """Every object that looks like an entry, in the order of the file, each once."""
    entries: list[Entry] = []
    seen: set[tuple[str | None, int | None]] = set()
    counted, here = 0, 1
    for found in _ENTRY.finditer(text):
        here += text.count("\n", counted, found.start())
        counted = found.start()
        try:
            value = json.loads(found[0])
        except (ValueError, RecursionError):
            continue
        entry = _entry(value, here, here + found[0].count("\n"))
        if (entry.tag, entry.when) not in seen:
            seen.add((entry.tag, entry.when))
            entries.append(entry)
    version = re.search(r'\{\s*"version"\s*:\s*"([^"]*)"', text)
    dialect = re.search(r'"dialect"\s*:\s*"([^"]*)"', text)
    return Journal(version and version[1], dialect and dialect[1], tuple(entries), problem, line, detail)


def _object(text: str) -> tuple[dict[str, Any], list[tuple[int, int]]]:
    """A JSON object, and first and last line of every item of its `entries`."""
    position = _expect(text, 0, "{")
    found: dict[str, Any] = {}
    places: list[tuple[int, int]] = []
    if text[(end := _skip(text, position)) : end + 1] == "}":
        return found, places
    while True:
        _expect(text, position, '"')
        key, position = _value(text, _skip(text, position))
        position = _skip(text, _expect(text, position, ":"))
        if key == "entries" and text[position : position + 1] == "[":
            found[key], places, position = _items(text, position)
        else:
            found[key], position = _value(text, position)
        position = _skip(text, position)
        mark = text[position : position + 1]
        if mark == "}":
            if _skip(text, position + 1) != len(text):
                raise json.JSONDecodeError("something follows the end", text, position + 1)
            return found, places
        position = _expect(text, position, ",")


def _items(text: str, position: int) -> tuple[list[Any], list[tuple[int, int]], int]:
    items: list[Any] = []
    places: list[tuple[int, int]] = []
    counted, line = 0, 1
    position = _skip(text, position + 1)
    if text[position : position + 1] == "]":
        return items, places, position + 1
    while True:
        position = _skip(text, position)
        line += text.count("\n", counted, position)
        counted = position
        value, end = _value(text, position)
        items.append(value)
        places.append((line, line + text.count("\n", position, end)))
        position = _skip(text, end)
        if text[position : position + 1] == "]":
            return items, places, position + 1
        position = _expect(text, position, ",")


def _value(text: str, position: int) -> tuple[Any, int]:
    try:
        return _DECODER.raw_decode(text, position)
    except StopIteration as error:  # pragma: no cover - raw_decode turns it into JSONDecodeError
        raise json.JSONDecodeError("a value is expected", text, position) from error


def _skip(text: str, position: int) -> int:
    found = _SPACE.match(text, position)
    return found.end() if found else position


def _expect(text: str, position: int, mark: str) -> int:
    position = _skip(text, position)
    if text[position : position + 1] != mark:
        raise json.JSONDecodeError(f"`{mark}` is expected", text, position)
    return position + 1


def _entry(value: object, line: int, end_line: int) -> Entry:
    fields = cast("dict[str, Any]", value) if isinstance(value, dict) else {}
    return Entry(
        idx=_integer(fields.get("idx")),
        when=_integer(fields.get("when")),
        tag=_text(fields.get("tag")),
        version=_text(fields.get("version")),
        breakpoints=fields.get("breakpoints") is not False,
        line=line,
        end_line=end_line,
    )


def _integer(value: object) -> int | None:
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _line(text: str, position: int) -> int:
    return text.count("\n", 0, position) + 1
