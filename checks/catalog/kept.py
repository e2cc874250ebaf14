"""A catalog as bytes, for a place that only we can write, and back: it costs a sixth of asking PostgreSQL once more.

The bytes hold plain values (`marshal`), by which nothing can be run. What was written by another Python, or by other readers
of the catalog than these, is not read.
"""

import hashlib
import marshal
import sys
from collections.abc import Callable, Iterator
from dataclasses import fields
from functools import cache
from itertools import groupby, starmap
from pathlib import Path
from typing import Any, cast, get_args

from checks import quick
from checks.catalog import model, outside, tables, types
from checks.catalog.model import Catalog, Key

_HERE = Path(__file__).parent  # the files that say what a catalog is, and read it

_INSIDE = (types.Identity, types.Counting, types.Attribute, tables.Output, outside.Published)
"""What objects hold that are no objects of a catalog themselves."""
_MANY: tuple[Callable[..., Any], ...] = (
    tables.Table,
    tables.Column,
    tables.Default,
    tables.Constraint,
    tables.Index,
    types.Sequence,
)


def to_bytes(catalog: Catalog) -> bytes:
    """The catalog, to be kept."""
    runs: list[tuple[str, bool, list[Key], list[tuple[Any, ...]]]] = []
    for kind, some in groupby(catalog.objects.items(), key=lambda item: type(item[1])):
        keys, objects = zip(*some, strict=True)
        rows = list(map(_row, objects))
        deep = any(type(value) is list for row in rows for value in row)
        runs.append((kind.__name__, deep, list(keys), rows))
    roles = [_row(role) for role in catalog.roles.values()]
    return stamp() + marshal.dumps((catalog.version, runs, dict(catalog.needs), roles, catalog.unread))


def of_bytes(kept: bytes) -> Catalog | None:
    """The catalog that was kept; None where this very program would not have written it so."""
    ours = stamp()
    if not kept.startswith(ours):
        return None
    try:
        return _made(marshal.loads(memoryview(kept)[len(ours) :]))  # noqa: S302 - ours, as the stamp and the place say
    except (ValueError, EOFError, TypeError, KeyError):
        return None


@cache
def stamp(*folders: Path) -> bytes:
    """Of this Python, and of the files in those folders (none named: this one): it differs wherever they might do something else."""
    files = sorted(path for folder in folders or (_HERE,) for path in folder.rglob("*.py"))
    told = [(path.name, path.stat().st_size, path.stat().st_mtime_ns) for path in files]
    return hashlib.sha256(repr((sys.version, marshal.version, told)).encode()).digest()


def _made(parts: Any) -> Catalog:  # noqa: ANN401 - what `to_bytes` put together
    version, runs, needs, roles, unread = parts
    makers = _makers()
    objects: dict[Key, Any] = {}
    for name, deep, keys, rows in runs:
        whole = map(_deepened, rows) if deep else rows
        objects.update(zip(keys, starmap(makers[name], whole), strict=True))
    return Catalog(version, objects, needs, {row[0]: outside.Role(*row) for row in roles}, unread)


@cache
def _makers() -> dict[str, Callable[..., Any]]:
    """Of each kind what makes one: the quick way for those that are many."""
    made = {kind.__name__: cast("Callable[..., Any]", kind) for kind in _kinds()}
    return made | {kind.__name__: quick.made(kind) for kind in _MANY}


def _kinds() -> Iterator[type[Any]]:
    yield from get_args(model.Object)
    yield from _INSIDE


@cache
def _names(kind: type[Any]) -> tuple[str, ...]:
    return tuple(each.name for each in fields(kind))


def _row(each: object) -> tuple[Any, ...]:
    """The fields of an object; one that holds other objects holds their rows, in a list."""
    return tuple(_flat(getattr(each, name)) for name in _names(type(each)))


def _flat(value: Any) -> Any:  # noqa: ANN401 - of any kind
    if isinstance(value, _INSIDE):
        return [type(value).__name__, *_row(value)]
    if isinstance(value, tuple) and value and isinstance(value[0], _INSIDE):
        return [_flat(each) for each in cast("tuple[object, ...]", value)]
    return cast("Any", value)


def _deepened(row: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple(_deep(cast("list[Any]", value)) if type(value) is list else value for value in row)


def _deep(value: list[Any]) -> Any:  # noqa: ANN401 - of any kind
    if isinstance(value[0], str):
        return _makers()[value[0]](*_deepened(tuple(value[1:])))
    return _deepened(tuple(value))
