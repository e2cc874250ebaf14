"""Reads TOML; Python's reader keeps no places, so a value's line is looked up by its key."""

import re
import tomllib
from typing import Any, cast

from checks.placed.value import Key, Mapping, Placed, Unreadable

_AT_LINE = re.compile(r"\(at line (\d+)")


def document(text: str) -> Placed:
    """A TOML text.

    Raises:
        Unreadable: it is not TOML.
    """
    try:
        data = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError, ValueError) as error:
        found = _AT_LINE.search(str(error))
        raise Unreadable(int(found[1]) if found else 1, "it is not TOML") from error
    lines: dict[str, list[int]] = {}
    for number, line in enumerate(text.splitlines(), 1):
        for word in re.findall(r"[\w.-]+", line.partition("=")[0]):
            lines.setdefault(word.rpartition(".")[2], []).append(number)
    return _placed(data, lines, 1)


def _placed(value: Any, lines: dict[str, list[int]], line: int) -> Placed:  # noqa: ANN401 - TOML holds anything
    if isinstance(value, dict):
        pairs: list[tuple[Key, Placed]] = []
        for key, each in cast("dict[str, Any]", value).items():
            # keys come in the order of the file, so the next line with that key is the one (tables: nearly so)
            known = lines.get(key, [])
            at = next((n for n in known if n >= line), line)
            pairs.append((Key(key, at), _placed(each, lines, at)))
        return Placed(Mapping(tuple(pairs)), line)
    if isinstance(value, list):
        return Placed(tuple(_placed(each, lines, line) for each in cast("list[Any]", value)), line)
    if isinstance(value, str | int | float | bool):
        return Placed(value, line)
    return Placed(str(value), line)
