"""Branches of a v1 history that do not commute: drizzle-kit 1.0 refuses to check, generate or migrate until they are resolved.

Every snapshot of version 9 stores what each of its statements writes and reads (`footprints`). Two branches conflict where
one writes what the other writes or reads, unless both make the very same change.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import Any, cast

from checks.drizzle.model import Snapshot

MOST_LEAVES = 24  # pairs are compared; nobody keeps so many branches open


@dataclass(frozen=True, slots=True)
class Clash:
    """Two migrations on two branches, and what both touch (`column public.users.email`)."""

    one: Snapshot
    other: Snapshot
    what: str


def clashes(found: Iterable[Snapshot]) -> Iterator[Clash]:
    """The first clash of each pair of branches; `one` comes before `other` in the order of folders."""
    by_id = {s.id: s for s in found}
    parents = {parent for s in by_id.values() for parent in s.parents}
    leaves = [s for s in by_id.values() if s.id not in parents][:MOST_LEAVES]
    if len(leaves) < 2:
        return
    histories = {leaf.id: _history(by_id, leaf) for leaf in leaves}
    for left, right in combinations(leaves, 2):
        mine, theirs = histories[left.id], histories[right.id]
        clash = _first([by_id[i] for i in by_id if i in mine - theirs], [by_id[i] for i in by_id if i in theirs - mine])
        if clash is not None:
            yield clash


def _history(by_id: Mapping[str, Snapshot], leaf: Snapshot) -> set[str]:
    found: set[str] = set()
    stack = [leaf.id]
    while stack:
        here = stack.pop()
        if here in by_id and here not in found:
            found.add(here)
            stack.extend(by_id[here].parents)
    return found


def _first(left: list[Snapshot], right: list[Snapshot]) -> Clash | None:
    for writers, others in ((left, right), (right, left)):
        touched: dict[str, list[tuple[Snapshot, Mapping[str, Any]]]] = {}
        for snapshot in others:
            for footprint in _footprints(snapshot):
                for node in _texts(footprint, "writes", "reads"):
                    touched.setdefault(node, []).append((snapshot, footprint))
        for snapshot in writers:
            for footprint in _footprints(snapshot):
                for node in _texts(footprint, "writes", "sharedWrites"):
                    for other, theirs in touched.get(node, ()):
                        if not _same(footprint, theirs):
                            one, two = (snapshot, other) if writers is left else (other, snapshot)
                            return Clash(one, two, _words(footprint))
    return None


def _footprints(snapshot: Snapshot) -> list[Mapping[str, Any]]:
    found = snapshot.data.get("footprints")
    return (
        [cast("Mapping[str, Any]", f) for f in cast("list[object]", found) if isinstance(f, dict)]
        if isinstance(found, list)
        else []
    )


def _texts(footprint: Mapping[str, Any], *fields: str) -> Iterator[str]:
    for field in fields:
        value = footprint.get(field)
        yield from (v for v in cast("list[object]", value) if isinstance(v, str)) if isinstance(value, list) else ()


def _same(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    mark = one.get("sqlHash")
    return mark is not None and mark == other.get("sqlHash") and one.get("statementType") == other.get("statementType")


def _words(footprint: Mapping[str, Any]) -> str:
    kind, *names = [*_texts(footprint, "statementTarget"), ""][:9]
    return f"{kind} {'.'.join(name for name in names if name)}"
