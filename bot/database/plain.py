"""Reads the options of a command where they are plain: the adapters of the command-line library take longer to load than a run.

The declarations are the same. Whatever is not surely right (a word that is not known, a value out of bounds, `--help`) is left to
the library, which tells what is wrong with it.
"""

import inspect
from collections.abc import Callable, Iterator, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Any, get_args, get_type_hints

Commands = dict[str, Callable[..., int]]


def run(commands: Commands, words: Sequence[str]) -> int | None:
    """Run the command that `words` name; its exit code, or None where they are not plain."""
    command = commands.get(words[0]) if words else None
    given = None if command is None else _options(command, words[1:])
    return None if command is None or given is None else command(**given)


def _options(command: Callable[..., int], words: Sequence[str]) -> dict[str, Any] | None:
    known = dict(_declared(command))
    given: dict[str, Any] = {}
    left = list(words)
    while left:
        word, equals, value = left.pop(0).partition("=")
        if word not in known:
            return None
        name, kind, least = known[word]
        if isinstance(kind, bool):  # a flag, and what it says
            given[name] = kind
            if equals:
                return None
            continue
        if not equals:
            if not left or left[0].startswith("-"):
                return None
            value = left.pop(0)
        try:
            given[name] = kind(value)
        except ValueError:
            return None
        if least is not None and not given[name] >= least:
            return None
    return given


def _declared(command: Callable[..., int]) -> Iterator[tuple[str, tuple[str, Any, float | None]]]:
    """Each option: the parameter, how its value is made (or what a flag says), and the least that it may be."""
    hints = get_type_hints(command, include_extras=True)
    for name in inspect.signature(command).parameters:
        kind, option = get_args(hints[name])[:2]
        kind = next((k for k in get_args(kind) if k is not type(None)), kind)
        for word in (
            option.default,
            *(option.param_decls or ()),
        ):  # `Annotated` leaves the first where a default would be
            if not isinstance(word, str) or not word.startswith("--"):
                continue
            yes, _, no = word.partition("/")
            if kind is bool:
                yield yes, (name, True, None)
                if no:
                    yield no, (name, False, None)
            elif kind in {str, float, int, Path} or issubclass(kind, StrEnum):
                yield yes, (name, kind, option.min)
