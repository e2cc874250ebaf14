"""Edits the scripts of a package.json as text, so that its indents, line ends and one-line lists stay as they are."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from checks.errors import UserError

_TOKEN = re.compile(r'"(?:[^"\\\n]|\\.)*"|[{}\[\]:,]|[^\s{}\[\]:,"]+')


@dataclass(frozen=True, slots=True)
class _Scripts:
    """Where the scripts stand: the offsets of the braces, and of each script's value."""

    open: int
    close: int
    values: Mapping[str, tuple[int, int]]


def with_scripts(text: str, scripts: Mapping[str, str]) -> str:
    """The text with these scripts: one that is there gets the new value in its place, the others come at the end.

    Raises:
        UserError: the text is no JSON object, or its `scripts` is none.
    """
    data = _loaded(text)
    if not isinstance(data.get("scripts", {}), dict):
        raise UserError("`scripts` of package.json is no object; mend it first.")
    newline = "\r\n" if "\r\n" in text else "\n"
    indent = next(iter(re.findall(r"\n([ \t]+)\"", text)), "  ")
    found = _find(text)
    if found is None:
        text = _with_empty_scripts(text, newline, indent, has_members=bool(data))
        found = _find(text)
    if found is None:  # pragma: no cover - it was put there
        raise UserError("package.json could not be edited.")
    added = [f"{json.dumps(name)}: {_quoted(value)}" for name, value in scripts.items() if name not in found.values]
    edits = [(*found.values[name], _quoted(value)) for name, value in scripts.items() if name in found.values]
    if added:
        edits.append(_appended(text, found, added, newline, indent))
    for start, end, new in sorted(edits, reverse=True):
        text = text[:start] + new + text[end:]
    return text


def _loaded(text: str) -> dict[str, object]:
    try:
        data = json.loads(text.removeprefix("\ufeff"))
    except (ValueError, RecursionError) as error:
        line = getattr(error, "lineno", 1)
        raise UserError(f"package.json is not JSON (line {line}); mend it first.") from error
    if not isinstance(data, dict):
        raise UserError("package.json is no JSON object; mend it first.")
    return data  # pyright: ignore[reportUnknownVariableType]


def _quoted(value: str) -> str:
    return json.dumps(value, ensure_ascii=False)


def _appended(text: str, found: _Scripts, added: list[str], newline: str, indent: str) -> tuple[int, int, str]:
    inside = text[found.open + 1 : found.close]
    last = max((end for _, end in found.values.values()), default=found.open + 1)
    if found.values and "\n" not in inside:
        return last, last, "".join(f", {each}" for each in added)
    outer = indent if not found.values else re.split(r"\n", text[: found.close])[-1]
    inner = outer + indent
    lines = f",{newline}{inner}".join(added)
    if found.values:
        return last, last, f",{newline}{inner}{lines}"
    return found.open + 1, found.close, f"{newline}{inner}{lines}{newline}{outer}"


def _with_empty_scripts(text: str, newline: str, indent: str, *, has_members: bool) -> str:
    close = text.rindex("}")
    before = text[:close].rstrip()
    comma = "," if has_members else ""
    return f'{before}{comma}{newline}{indent}"scripts": {{}}{newline}}}{text[close + 1 :]}'


def _find(text: str) -> _Scripts | None:
    """The last `scripts` of the top level, as JavaScript reads it."""
    found: _Scripts | None = None
    tokens = list(_TOKEN.finditer(text))
    for i, key in _members(tokens, 0):
        if key == "scripts" and tokens[i][0] == "{":
            end = _end(tokens, i)
            values = {name: (tokens[j].start(), tokens[_end(tokens, j)].end()) for j, name in _members(tokens, i)}
            found = _Scripts(tokens[i].start(), tokens[end].start(), values)
    return found


def _members(tokens: list[re.Match[str]], at: int) -> Iterator[tuple[int, str]]:
    """The keys of an object with the token at which each value begins."""
    i = at + 1
    while i + 2 < len(tokens) and tokens[i][0] != "}":
        yield i + 2, json.loads(tokens[i][0])
        i = _end(tokens, i + 2) + 1
        if i < len(tokens) and tokens[i][0] == ",":
            i += 1


def _end(tokens: list[re.Match[str]], at: int) -> int:
    """The last token of the value that begins there."""
    depth = 0
    for i in range(at, len(tokens)):
        depth += (tokens[i][0] in "{[") - (tokens[i][0] in "}]")
        if depth == 0:
            return i
    return len(tokens) - 1
