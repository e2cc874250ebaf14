"""What can be wrong with a v0 history: numbers, times, files and the snapshots' chain."""

import posixpath
import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace

from checks.drizzle.journal import Journal
from checks.drizzle.model import Chain, Damage, Snapshot
from checks.drizzle.snapshots import ROOT
from checks.place import Place
from checks.tree import Tree

_PREFIX = re.compile(r"(\d+)(?=_|$)")
_MIGRATION_FILE = re.compile(r"\d{4,}_[^/]*\.sql")
_NOT_A_MIGRATION = re.compile(r"[._-](down|rollback|revert|undo|seed)\b", re.IGNORECASE)


def prefix(tag: str) -> str:
    """The number that a v0 file name begins with, as drizzle-kit cuts it; `""` where names have none."""
    found = _PREFIX.match(tag)
    return found[1] if found else ""


def snapshot_of(tag: str) -> str:
    """The name of the snapshot file of a tag."""
    return f"{tag.split('_', maxsplit=1)[0]}_snapshot.json"


def tagged(found: Sequence[Snapshot], tags: Sequence[str]) -> tuple[Snapshot, ...]:
    """The snapshots with the tags that their names belong to."""
    names = {snapshot_of(tag): tag for tag in reversed(tags)}
    return tuple(replace(s, tag=names.get(posixpath.basename(s.path))) for s in found)


def of(tree: Tree, chain: Chain, journal: Journal, unreadable: Collection[str]) -> Iterator[Damage]:
    """All damage that the journal, the folder and the snapshots show together."""
    yield from _numbers(chain, journal)
    yield from _times(chain, journal)
    yield from _strangers(tree, chain, journal)
    yield from _missing_snapshots(chain, journal, unreadable)
    yield from _links(chain)


def _numbers(chain: Chain, journal: Journal) -> Iterator[Damage]:
    by_idx: dict[int, str] = {}
    by_prefix: dict[str, str] = {}
    by_tag: set[str] = set()
    previous: int | None = None
    for entry in journal.entries:
        if entry.tag is None or entry.idx is None:
            continue
        tag = entry.tag
        place = Place(path=chain.journal or "", line=entry.line, end_line=entry.end_line, migration=tag)
        file = Place(path=posixpath.join(chain.project.migrations_dir, f"{tag}.sql"), migration=tag)
        if tag in by_tag:
            yield Damage(area="journal", problem="tag-twice", places=(place,), tag=tag)
            continue
        by_tag.add(tag)
        number = prefix(tag)
        if entry.idx < 0:
            yield Damage(area="journal", problem="negative-idx", places=(place,), tag=tag, detail=str(entry.idx))
        elif entry.idx in by_idx:
            yield Damage(
                area="number",
                problem="idx",
                places=(place, file),
                tag=tag,
                other=by_idx[entry.idx],
                detail=str(entry.idx),
            )
        elif number and number in by_prefix:
            yield Damage(
                area="number", problem="prefix", places=(file, place), tag=tag, other=by_prefix[number], detail=number
            )
        elif previous is not None and entry.idx < previous:
            yield Damage(
                area="journal",
                problem="idx-falls",
                places=(place,),
                tag=tag,
                detail=str(entry.idx),
                other=str(previous),
            )
        elif previous is not None and entry.idx > previous + 1:
            yield Damage(
                area="journal",
                problem="idx-gap",
                places=(place,),
                tag=tag,
                detail=str(entry.idx),
                other=str(previous + 1),
            )
        by_idx.setdefault(entry.idx, tag)
        by_prefix.setdefault(number, tag)
        previous = entry.idx


def _times(chain: Chain, journal: Journal) -> Iterator[Damage]:
    """Entries that are not later than one before them: a database that has run the earlier one skips them in silence."""
    greatest: tuple[int, str] | None = None
    for entry in journal.entries:
        if entry.tag is None or entry.when is None:
            continue
        if greatest is not None and entry.when <= greatest[0]:
            place = Place(path=chain.journal or "", line=entry.line, end_line=entry.end_line, migration=entry.tag)
            detail = f"{entry.when} {greatest[0]}"
            yield Damage(area="order", problem="when", places=(place,), tag=entry.tag, other=greatest[1], detail=detail)
        else:
            greatest = (entry.when, entry.tag)


def _strangers(tree: Tree, chain: Chain, journal: Journal) -> Iterator[Damage]:
    """SQL files named like migrations that the journal does not list: Drizzle never runs them."""
    if journal.problem is not None and not journal.entries:
        return  # what it lists is not known, and that is said
    folder = chain.project.migrations_dir
    known = {entry.tag for entry in journal.entries}
    start = len(folder) + 1 if folder else 0
    for path in tree.under(folder):
        name = path[start:]
        if not _MIGRATION_FILE.fullmatch(name) or name.removesuffix(".sql") in known or _NOT_A_MIGRATION.search(name):
            continue
        tag = name.removesuffix(".sql")
        problem = "not-in-journal" if chain.journal else "no-journal"
        yield Damage(area="journal", problem=problem, places=(Place(path=path, migration=tag),), tag=tag)


def _missing_snapshots(chain: Chain, journal: Journal, unreadable: Collection[str]) -> Iterator[Damage]:
    meta = posixpath.join(chain.project.migrations_dir, "meta")
    there = {s.path for s in chain.snapshots} | set(unreadable)
    tags = [entry.tag for entry in journal.entries if entry.tag is not None]
    for tag in dict.fromkeys(tags):
        path = posixpath.join(meta, snapshot_of(tag))
        if path in there or not prefix(tag):  # `prefix: none` writes every snapshot to one file that is never read
            continue
        first, last = chain.lines.get(tag, (1, 1))
        file = Place(path=posixpath.join(chain.project.migrations_dir, f"{tag}.sql"), migration=tag)
        entry = Place(path=chain.journal or "", line=first, end_line=last, migration=tag)
        yield Damage(area="snapshot", problem="missing", places=(file, entry, Place(path=path)), tag=tag, other=path)
    if journal.problem is None:
        for snapshot in chain.snapshots:
            if snapshot.tag is None:
                yield Damage(
                    area="snapshot", problem="orphan", places=(Place(path=snapshot.path),), other=snapshot.path
                )


def _links(chain: Chain) -> Iterator[Damage]:
    by_id: dict[str, Snapshot] = {}
    children: dict[str, Snapshot] = {}
    for snapshot in chain.snapshots:
        place = Place(path=snapshot.path, migration=snapshot.tag)
        if snapshot.id in by_id:
            other = by_id[snapshot.id].path
            yield Damage(
                area="snapshot", problem="same-id", places=(place,), tag=snapshot.tag, other=other, detail=snapshot.id
            )
            continue
        by_id[snapshot.id] = snapshot
    for snapshot in chain.snapshots:
        if by_id[snapshot.id] is not snapshot:
            continue
        place = Place(path=snapshot.path, migration=snapshot.tag)
        parent = snapshot.parents[0]
        first = children.setdefault(parent, snapshot)
        if parent == snapshot.id:
            yield Damage(area="snapshot", problem="own-parent", places=(place,), tag=snapshot.tag, other=snapshot.path)
        elif first is not snapshot:
            yield Damage(
                area="snapshot",
                problem="two-children",
                places=(place,),
                tag=snapshot.tag,
                other=first.path,
                detail=parent,
            )
        elif parent != ROOT and parent not in by_id:
            yield Damage(
                area="snapshot",
                problem="parent-missing",
                places=(place,),
                tag=snapshot.tag,
                other=snapshot.path,
                detail=parent,
            )
