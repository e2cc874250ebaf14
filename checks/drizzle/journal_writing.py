"""Adds entries to a v0 journal and leaves every other byte of it as it is: indentation, line ends, the newline at the end."""

import json
import re
from collections.abc import Sequence
from typing import Any, cast

from checks.drizzle.model import Migration

_SPACE = re.compile(r"[ \t\r\n]*")
_ENTRIES = re.compile(r'"entries"\s*:\s*\[')
_DECODER = json.JSONDecoder()


def entry(migration: Migration, source: dict[str, Any] | None = None) -> dict[str, Any]:
    """An entry as drizzle-kit writes it, with what else its old entry held."""
    made: dict[str, Any] = {"idx": migration.idx, "version": "7", "when": migration.when, "tag": migration.tag}
    made |= {k: v for k, v in (source or {}).items() if k not in {"idx", "when", "tag"}}
    made.setdefault("breakpoints", True)
    return made


def entries(text: str) -> dict[str, dict[str, Any]]:
    """The raw entries of a journal by tag, the first of each; empty where it cannot be read."""
    try:
        top = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    items = cast("dict[str, Any]", top).get("entries") if isinstance(top, dict) else None
    found: dict[str, dict[str, Any]] = {}
    for item in cast("list[Any]", items) if isinstance(items, list) else ():
        each = cast("dict[str, Any]", item) if isinstance(item, dict) else {}
        if isinstance(each.get("tag"), str):
            found.setdefault(each["tag"], each)
    return found


def append(text: str, new: Sequence[dict[str, Any]]) -> str:
    """The journal with these entries at its end, written as its last one is.

    Raises:
        ValueError: it is no journal.
    """
    if not new:
        return text
    top = json.loads(text)
    if not isinstance(top, dict) or not isinstance(cast("dict[str, Any]", top).get("entries"), list):
        raise ValueError("it has no list of entries")  # noqa: TRY004 - it is about the text
    start, last, end = _span(text)
    newline = "\r\n" if "\r\n" in text else "\n"
    if last is None:  # nothing to copy the manner from
        unit = _unit(text)
        lines = json.dumps([*new], indent=unit, ensure_ascii=False).splitlines()
        inner = newline.join(("" if n == 0 else unit) + line for n, line in enumerate(lines))
        return text[: start - 1] + inner + text[end + 1 :]
    before = text[_back(text, last[0]) : last[0]]
    sample = text[last[0] : last[1]]
    made = [_like(sample, each, before, newline) for each in new]
    if last[0] == start:  # the only one: nothing stands between two
        before = before or (" " if re.search(r",\s", sample) else "")
    return text[: last[1]] + "".join(f",{before}{each}" for each in made) + text[last[1] :]


def _like(sample: str, value: dict[str, Any], before: str, newline: str) -> str:
    """A value written as the sample is: over several lines, or on one."""
    if "\n" in sample:
        margin = before.rpartition("\n")[2]
        first = re.match(r"\{\s*?\n([ \t]*)", sample)
        inner = first[1] if first else f"{margin}  "
        close = sample[: sample.rindex("}")].rpartition("\n")[2]
        colon = ":" if re.search(r'"idx":\S', sample) else ": "
        fields = [f"{inner}{json.dumps(k)}{colon}{json.dumps(v, ensure_ascii=False)}" for k, v in value.items()]
        return "{" + newline + f",{newline}".join(fields) + newline + close + "}"
    colon = ": " if re.search(r'":\s', sample) else ":"
    comma = ", " if re.search(r",\s", sample) else ","
    space = " " if sample[1:2] == " " else ""
    fields = [f"{json.dumps(k)}{colon}{json.dumps(v, ensure_ascii=False)}" for k, v in value.items()]
    return "{" + space + comma.join(fields) + space + "}"


def _span(text: str) -> tuple[int, tuple[int, int] | None, int]:
    """Where the list begins (after its bracket), the span of its last item, and where its closing bracket is."""
    for found in _ENTRIES.finditer(text):
        start = position = found.end()
        last: tuple[int, int] | None = None
        try:
            while True:
                position = _skip(text, position)
                if text[position] == "]":
                    return start, last, position
                if text[position] == ",":
                    position = _skip(text, position + 1)
                _, end = _DECODER.raw_decode(text, position)
                last = (position, end)
                position = end
        except (ValueError, IndexError):
            continue  # the word stood in a string
    raise ValueError("it has no list of entries")


def _skip(text: str, position: int) -> int:
    found = _SPACE.match(text, position)
    return found.end() if found else position


def _back(text: str, position: int) -> int:
    while position > 0 and text[position - 1] in " \t\r\n":
        position -= 1
    return position


def _unit(text: str) -> str:
    found = re.search(r"\n([ \t]+)", text)
    return found[1] if found else "  "
