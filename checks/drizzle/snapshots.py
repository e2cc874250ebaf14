"""Reads snapshot files: of most only the head (`id`, parents, version), the rest when somebody asks."""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, cast

from checks.drizzle import entities
from checks.drizzle.model import ROOT, Chain, Format, Snapshot

__all__ = ["KNOWN", "ROOT", "Broken", "Data", "Header", "ddl", "header", "load"]

KNOWN: Mapping[Format, tuple[str, ...]] = {"v0": ("5", "6", "7"), "v1": ("8", "9")}
HEAD = 8192  # drizzle-kit writes id, parents and version before anything long

_SCALAR = re.compile(r'"(id|prevId|version|dialect|type)"\s*:\s*"([^"\\]*)"')
_PARENTS = re.compile(r'"prevIds"\s*:\s*\[([^\]{}]*)\]')
_LONG = re.compile(r'"(ddl|footprints|deltas|tables|enums|schemas|_meta|renames)"\s*:|[{]')


@dataclass(frozen=True, slots=True)
class Header:
    """What links a snapshot into its chain.

    Attributes:
        type: `base` or `diff` in version 9, else None.
    """

    id: str
    parents: tuple[str, ...]
    version: str
    dialect: str | None = None
    type: str | None = None


@dataclass(frozen=True, slots=True)
class Broken:
    """Why a file is no snapshot: `conflict-markers`, `not-json` or `wrong-shape`."""

    problem: str
    line: int = 1
    detail: str = ""


class Data(Mapping[str, Any]):
    """The JSON of a snapshot, parsed on first use; empty where it is no JSON object."""

    def __init__(self, read: Callable[[], bytes]) -> None:
        self._read = read
        self._parsed: dict[str, Any] | Broken | None = None

    def _value(self) -> dict[str, Any] | Broken:
        if self._parsed is None:
            self._parsed = load(self._read())
        return self._parsed

    @property
    def broken(self) -> Broken | None:
        """Why the file cannot be parsed, or None."""
        value = self._value()
        return value if isinstance(value, Broken) else None

    def _all(self) -> dict[str, Any]:
        value = self._value()
        return {} if isinstance(value, Broken) else value

    def __getitem__(self, key: str) -> Any:  # noqa: ANN401 - JSON
        return self._all()[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._all())

    def __len__(self) -> int:
        return len(self._all())


def ddl(chain: Chain, snapshot: Snapshot) -> Mapping[str, Any] | list[dict[str, Any]]:
    """The whole schema that a snapshot means: v0's JSON as it is, v1's entities with the deltas of its history applied.

    Raises:
        entities.Unreconstructable: v1 only; a snapshot before it is missing, or two migrations gave one name to two things.
    """
    return snapshot.data if chain.project.format == "v0" else entities.of(chain, snapshot)


def load(raw: bytes) -> dict[str, Any] | Broken:
    """The whole JSON object of a snapshot, or why it is none."""
    if (broken := _conflict(raw)) is not None:
        return broken
    try:
        value = json.loads(raw.decode("utf-8", errors="replace"))
    except json.JSONDecodeError as error:
        return Broken("not-json", error.lineno, error.msg)
    except (ValueError, RecursionError):
        return Broken("not-json", 1, "nested too deep")
    return cast("dict[str, Any]", value) if isinstance(value, dict) else Broken("wrong-shape", 1, "it is not an object")


def header(raw: bytes, form: Format) -> Header | Broken:
    """The head of a snapshot, read without parsing the file where drizzle-kit's own order of keys allows it."""
    if (broken := _conflict(raw)) is not None:
        return broken
    text = raw[:HEAD].decode("utf-8", errors="replace")
    begin = text.find("{") + 1
    stop = _LONG.search(text, begin)
    head = text[begin : stop.start() if stop else HEAD]
    found = dict(_SCALAR.findall(head))
    parents = _PARENTS.search(head) if form == "v1" else None
    ends_well = raw[-64:].rstrip()[-1:] == b"}"
    if begin and ends_well and {"id", "version"} <= found.keys() and (parents or "prevId" in found):
        above = tuple(re.findall(r'"([^"]*)"', parents[1])) if parents else (found["prevId"],)
        return Header(found["id"], above, found["version"], found.get("dialect"), found.get("type"))
    whole = load(raw)
    return whole if isinstance(whole, Broken) else _from_json(whole, form)


def _conflict(raw: bytes) -> Broken | None:
    """Where git's markers begin, if there are any; a plain search, because snapshots are megabytes."""
    position = 0 if raw.startswith(b"<<<<<<<") else raw.find(b"\n<<<<<<<")
    return None if position < 0 else Broken("conflict-markers", raw.count(b"\n", 0, position + 1) + 1)


def _from_json(value: Mapping[str, Any], form: Format) -> Header | Broken:
    parents = value.get("prevIds") if form == "v1" and "prevIds" in value else [value.get("prevId")]
    own, version = value.get("id"), value.get("version")
    if isinstance(version, int):
        version = str(version)
    if not isinstance(own, str):
        return Broken("wrong-shape", 1, "it has no `id`")
    if not isinstance(version, str):
        return Broken("wrong-shape", 1, "it has no `version`")
    if not isinstance(parents, list) or not all(isinstance(p, str) for p in cast("list[object]", parents)):
        return Broken("wrong-shape", 1, "it has no `prevIds`" if form == "v1" else "it has no `prevId`")
    dialect, kind = value.get("dialect"), value.get("type")
    above = tuple(cast("list[str]", parents))
    return Header(
        own, above, version, dialect if isinstance(dialect, str) else None, kind if isinstance(kind, str) else None
    )
