"""What can be wrong with a v1 history: the graph of `prevIds`, and folders that sort before their parents."""

import posixpath
from collections.abc import Collection, Iterator

from checks.drizzle import collation
from checks.drizzle.model import Chain, Damage, Snapshot
from checks.drizzle.snapshots import ROOT
from checks.place import Place


def of(chain: Chain, unreadable: Collection[str]) -> Iterator[Damage]:
    """All damage that the folders and their snapshots show together; several leaves are normal."""
    yield from _missing(chain, unreadable)
    by_id: dict[str, Snapshot] = {}
    for snapshot in chain.snapshots:
        if snapshot.id in by_id:
            yield _about(snapshot, "same-id", by_id[snapshot.id].path, snapshot.id)
        by_id.setdefault(snapshot.id, snapshot)
    base = next((s for s in chain.snapshots if s.type == "base"), None)
    for snapshot in chain.snapshots:
        if snapshot.type == "base" and base is not None and snapshot is not base:
            yield _about(snapshot, "second-base", base.path)
        if snapshot.type == "diff" and (not snapshot.parents or snapshot.parents[0] == ROOT):
            yield _about(snapshot, "base-missing", snapshot.path)
        for parent in snapshot.parents:
            if parent != ROOT:
                yield from _link(by_id, snapshot, parent)


def _link(by_id: dict[str, Snapshot], snapshot: Snapshot, parent: str) -> Iterator[Damage]:
    if parent not in by_id:
        yield _about(snapshot, "parent-missing", snapshot.path, parent)
    elif not _sorts_after(snapshot.tag or "", by_id[parent].tag or ""):  # so does at least one in every cycle
        problem = "cycle" if _reaches(by_id, parent, snapshot.id) else "before-parent"
        yield _about(snapshot, problem, by_id[parent].path)


def _about(snapshot: Snapshot, problem: str, other: str, detail: str = "") -> Damage:
    place = Place(path=snapshot.path, migration=snapshot.tag)
    return Damage(area="snapshot", problem=problem, places=(place,), tag=snapshot.tag, other=other, detail=detail)


def _missing(chain: Chain, unreadable: Collection[str]) -> Iterator[Damage]:
    there = {s.path for s in chain.snapshots} | set(unreadable)
    for migration in chain.migrations:
        path = posixpath.join(posixpath.dirname(migration.path), "snapshot.json")
        if path not in there:
            places = (Place(path=migration.path, migration=migration.tag), Place(path=path, migration=migration.tag))
            yield Damage(area="snapshot", problem="missing", places=places, tag=migration.tag, other=path)


def _reaches(by_id: dict[str, Snapshot], start: str, goal: str) -> bool:
    """Whether `goal` is among the ancestors of `start`."""
    seen: set[str] = set()
    stack = [start]
    while stack:
        here = stack.pop()
        if here == goal:
            return True
        if here not in seen and here in by_id:
            seen.add(here)
            stack.extend(by_id[here].parents)
    return False


def _sorts_after(folder: str, parent: str) -> bool:
    """Both orders that drizzle-kit asks for: code units and `localeCompare`."""
    return folder > parent and collation.key(folder) > collation.key(parent)
