"""Puts head's v0 migrations behind base's: file names, journal and snapshots; base's own files stay as they are."""

import posixpath
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from checks.drizzle import journal, journal_writing, merge_snapshots, names, repair, snapshot_versions
from checks.drizzle.damage_v0 import snapshot_of
from checks.drizzle.model import ROOT, Chain, Migration, Snapshot
from checks.drizzle.repair import JOURNAL, RefusedError, Repair, Situation, inside, join
from checks.drizzle.sides import Sides
from checks.tree import Entry

_TROUBLE = {"two-children", "same-id", "tag-twice", "idx-falls", "idx", "prefix", "when", "own-parent"}


@dataclass(slots=True)
class _Last:
    """The snapshot that the next one builds on; None before the first."""

    data: Mapping[str, Any] | None
    id: str


@dataclass(slots=True)
class _Work:
    files: dict[str, Entry | bytes | None] = field(default_factory=dict[str, "Entry | bytes | None"])
    entries: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    renamed: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    omitted: list[str] = field(default_factory=list[str])
    notes: list[str] = field(default_factory=list[str])
    rewritten: bool = False


def repair_v0(s: Situation) -> Repair | None:
    """The folder after the merge; None where git's own merge is right.

    Raises:
        RefusedError: it cannot be put together without a person.
    """
    sides = Sides.of(s.base, s.merge_base, s.head)
    if _untroubled(s, sides):
        return None
    work = _Work()
    known_tags = {tag for chain in (s.base, s.merge_base, s.head) for tag in chain.lines}
    ours = {p for p in s.merged if (rest := _below(p, s.folders)) is not None and _is_migration_file(rest, known_tags)}
    _conflicts_beside(s, ours, known_tags)
    work.files = dict.fromkeys(ours)
    for entry in s.base_tree.entries():
        rest = inside(entry.path, s.base.project.migrations_dir)
        if rest is not None and _is_migration_file(rest, known_tags) and not _only_of_head(rest, s):
            path = join(s.folder, rest)
            work.files[path] = replace(entry, path=path)
    _keep_mended_gaps(s, work)
    _keep_upgrades(s, work)
    _steps(s, sides, work)
    if not _needed(s, sides, work):
        return None
    repair.refuse_edits(sides)
    if sides.renamed:
        work.notes += [
            f"`{p.before.tag}` has its name from base again (it was `{p.after.tag}` here)." for p in sides.renamed
        ]
    if s.mended:
        work.notes.append(f"Conflict markers were taken out of {', '.join(s.mended)}.")
    return Repair(files=work.files, renamed=tuple(work.renamed), omitted=tuple(work.omitted), notes=tuple(work.notes))


def _untroubled(s: Situation, sides: Sides) -> bool:
    """Base did nothing to the folder, and head's own history fits onto it."""
    if s.mended or s.folder != s.base.project.migrations_dir or s.conflicted:
        return False
    if _listing(s.base_tree, s.base) != _listing(s.merge_base_tree, s.merge_base):
        return False
    own = {m.tag for m in sides.added}
    lost = any(d.problem == "not-in-journal" and d.tag in sides.at_base for d in s.head.damage)
    return not (
        sides.skipped or lost or any(d.problem in _TROUBLE and (d.tag in own or d.other in own) for d in s.head.damage)
    )


def _listing(tree: Any, chain: Chain) -> set[tuple[str, str]]:  # noqa: ANN401 - a Tree
    folder = chain.project.migrations_dir
    return {(e.path, e.oid) for e in tree.entries() if inside(e.path, folder) is not None}


def _below(path: str, folders: Sequence[str]) -> str | None:
    return next((rest for folder in folders if (rest := inside(path, folder)) is not None), None)


def _is_migration_file(rest: str, tags: set[str]) -> bool:
    """The journal, a snapshot, or the SQL of an entry of some side; anything else merges as git merges it."""
    folder, name = posixpath.split(rest)
    if folder == "meta":
        return name == "_journal.json" or name.endswith("_snapshot.json")
    return rest.endswith(".sql") and rest.removesuffix(".sql") in tags


def _only_of_head(rest: str, s: Situation) -> bool:
    """A stray file of base that only head's journal lists."""
    tag = rest.removesuffix(".sql")
    return rest.endswith(".sql") and tag in s.head.lines and tag not in s.base.lines and tag not in s.merge_base.lines


def _conflicts_beside(s: Situation, ours: set[str], tags: set[str]) -> None:
    """Files of the folder that are no migrations and do not merge."""
    beside = sorted(
        p for p in s.conflicted if p not in ours and not _is_migration_file(_below(p, s.folders) or p, tags)
    )
    if beside:
        raise RefusedError(f"Git cannot merge {', '.join(beside)}. Merge base and resolve that first.", beside)


def _keep_mended_gaps(s: Situation, work: _Work) -> None:
    """Snapshots that head adds for migrations of base that had none."""
    names_of_own = {snapshot_of(m.tag): m.tag for m in s.head.migrations}
    for snapshot in s.head.snapshots:
        rest = inside(snapshot.path, s.head.project.migrations_dir)
        entry = s.head_tree.entry(snapshot.path)
        if rest is None or entry is None or snapshot.tag is None or snapshot.tag not in s.base.lines:
            continue
        new = s.base_tree.entry(join(s.base.project.migrations_dir, rest)) is None
        if (
            new
            and s.merge_base_tree.entry(snapshot.path) is None
            and names_of_own.get(posixpath.basename(rest)) == snapshot.tag
        ):
            work.files[join(s.folder, rest)] = replace(entry, path=join(s.folder, rest))


def _keep_upgrades(s: Situation, work: _Work) -> None:
    """Snapshots of base that head brought to a newer version (`drizzle-kit up`), and base did not touch since."""
    ours = {x.path: x for x in s.head.snapshots}
    for theirs in s.base.snapshots:
        rest = inside(theirs.path, s.base.project.migrations_dir)
        if rest is None:
            continue
        mine = ours.get(join(s.head.project.migrations_dir, rest))
        if mine is None or (mine.id, mine.parents) != (theirs.id, theirs.parents) or mine.version <= theirs.version:
            continue
        before = s.merge_base_tree.entry(join(s.merge_base.project.migrations_dir, rest))
        there, here = s.base_tree.entry(theirs.path), s.head_tree.entry(mine.path)
        if here is not None and before is not None and there is not None and before.oid == there.oid:
            work.files[join(s.folder, rest)] = replace(here, path=join(s.folder, rest))


@dataclass(slots=True)
class _Walk:
    """Where the next migration goes."""

    names: names.Names
    sources: dict[str, dict[str, Any]]
    parents: "_Parents"
    last: _Last
    ids: set[str]
    when: int
    idx: int


def _steps(s: Situation, sides: Sides, work: _Work) -> None:
    path = join(s.base.project.migrations_dir, JOURNAL)
    here = join(s.folder, JOURNAL)
    raw, entry = s.base_tree.read(path), s.base_tree.entry(path)
    if raw is None or entry is None:
        raise RefusedError("Base has no journal (`meta/_journal.json`) for these migrations.", [here])
    parsed = journal.parse(raw)
    if parsed.problem is not None:
        why = {"not-json": "is not JSON", "conflict-markers": "holds git's conflict markers"}
        told = why.get(parsed.problem, "cannot be read")
        raise RefusedError(
            f"Base's own journal {told} (line {parsed.line}). It has to be mended on base first.", [here]
        )
    walk = _Walk(
        names=_namer(s, sides, work),
        sources=journal_writing.entries(_text(s.head_tree.read(join(s.head.project.migrations_dir, JOURNAL)))),
        parents=_Parents(s),
        last=_first(s.base),
        ids={x.id for x in s.base.snapshots},
        when=max((e.when or 0 for e in parsed.entries), default=0),
        idx=max((e.idx if e.idx is not None else n for n, e in enumerate(parsed.entries)), default=-1),
    )
    for migration in sides.added:
        _step(s, sides, work, walk, migration)
    made = journal_writing.append(_text(raw), work.entries)
    work.files[here] = made.encode("utf-8", "surrogateescape") if work.entries else replace(entry, path=here)


def _namer(s: Situation, sides: Sides, work: _Work) -> names.Names:
    """Hands out names in base's style that sort behind base's migrations and snapshots."""
    tags = [m.tag for m in s.base.migrations]
    of_snapshots = [posixpath.basename(x.path).removesuffix(".json") for x in s.base.snapshots]
    strays = {
        posixpath.basename(e.path).removesuffix(".sql")
        for e in s.merged.entries()
        if e.path.endswith(".sql") and inside(e.path, s.folder) is not None and e.path not in work.files
    }
    return names.Names(names.style(tags or [m.tag for m in sides.added]), [*tags, *of_snapshots], strays)


def _step(s: Situation, sides: Sides, work: _Work, walk: _Walk, migration: Migration) -> None:
    """Put one migration behind what is there."""
    snapshot = walk.parents.own(migration, walk.ids)
    twin = repair.same_work(migration, sides.arrived)
    merged = _merged(snapshot, migration, walk.parents, walk.last)
    base = walk.last.data
    if twin is not None and (merged is None or base is None or _same_schema(merged.data, base)):
        work.omitted.append(f"`{migration.tag}` is left out: base's `{twin.tag}` does the very same.")
        work.rewritten = True
        return
    if merged is not None and merged.clashes:
        raise _contradiction(migration, merged)
    body, gone = repair.without(migration, sides.arrived, merged.twice if merged is not None else ())
    if gone:
        lines = [g.sql.splitlines()[0][:120] for g in gone]
        work.omitted += [f"`{migration.tag}`: `{line}` is left out: base has done it." for line in lines]
        work.rewritten = True
        if not body.strip():
            return
    walk.when, walk.idx = max(migration.when, walk.when + 1), walk.idx + 1
    tag = walk.names.next(migration.tag, idx=walk.idx, when=walk.when)
    moved = replace(migration, tag=tag, when=walk.when, idx=walk.idx)
    work.entries.append(journal_writing.entry(moved, walk.sources.get(migration.tag)))
    if tag != migration.tag:
        work.renamed.append((migration.tag, tag))
    work.rewritten |= (moved.when, moved.idx) != (migration.when, migration.idx)
    entry = s.head_tree.entry(migration.path)
    path = join(s.folder, f"{tag}.sql")
    work.files[path] = body.encode() if gone or entry is None else replace(entry, path=path)
    if snapshot is not None and merged is not None:
        _put_snapshot(s, work, walk, snapshot, merged.data, path=join(s.folder, f"meta/{snapshot_of(tag)}"))
    elif names.prefix(migration.tag):
        work.notes.append(f"`{tag}` has no snapshot of its own, as before; the next one builds on the one before it.")


def _first(base: Chain) -> _Last:
    """The snapshot of base that the next `generate` compares with."""
    tagged = [x for x in base.snapshots if x.tag is not None] or list(base.snapshots)
    if not tagged:
        if base.migrations and any(
            d.area == "snapshot" and d.problem in {"not-json", "wrong-shape", "conflict-markers"} for d in base.damage
        ):
            raise RefusedError(
                "Base's snapshots cannot be read; they have to be mended on base first.",
                [d.other or "" for d in base.damage if d.area == "snapshot"],
            )
        return _Last(None, ROOT)
    last = tagged[-1]
    unread = next(
        (
            d
            for d in base.damage
            if d.problem in {"not-json", "wrong-shape", "conflict-markers"} and (d.other or "") > last.path
        ),
        None,
    )
    if unread is not None or not last.data:
        path = (unread.other if unread else None) or last.path
        raise RefusedError(f"Base's last snapshot, {path}, cannot be read; it has to be mended on base first.", [path])
    if last.version not in {"5", "6", "7"}:
        raise RefusedError(f"{last.path} has the unknown version {last.version!r}.", [last.path])
    return _Last(last.data, last.id)


class _Parents:
    """Finds a migration's own snapshot, and the one that it was generated from."""

    def __init__(self, s: Situation) -> None:
        self._s = s
        chains = (s.base, s.merge_base, s.head)
        self._by_id = {x.id: x for chain in chains for x in chain.snapshots}
        self._by_path = {x.path: x for x in s.head.snapshots}
        self._broken = {
            d.other: d
            for d in s.head.damage
            if d.area == "snapshot"
            and d.problem in {"not-json", "wrong-shape", "conflict-markers", "symlink", "not-a-file"}
        }
        tagged = [x for x in s.merge_base.snapshots if x.tag is not None] or list(s.merge_base.snapshots)
        self._previous = tagged[-1] if tagged else None

    def own(self, migration: Migration, of_base: set[str]) -> Snapshot | None:
        """Head's snapshot of its migration; None where it has none, or it is base's."""
        path = join(self._s.head.project.migrations_dir, f"meta/{snapshot_of(migration.tag)}")
        if path in self._broken:
            why = self._broken[path]
            words = "is not JSON" if why.problem == "not-json" else "cannot be read"
            raise RefusedError(f"{path} {words} (line {why.places[0].line}). Restore it, then sync.", [path])
        found = self._by_path.get(path)
        if found is None or (
            found.id in of_base and found.id in {x.id for x in self._s.base.snapshots if _same_entry(self._s, x, found)}
        ):
            return None
        if not found.data:
            raise RefusedError(f"{path} is not JSON. Restore it, then sync.", [path])
        if found.version not in {"5", "6", "7"}:
            raise RefusedError(f"{path} has the unknown version {found.version!r}.", [path])
        return found

    def of(self, snapshot: Snapshot) -> Snapshot | None:
        """What it was generated from: by id, else the one before it."""
        parent = snapshot.parents[0]
        found = self._by_id.get(parent) if parent != snapshot.id else None
        previous, self._previous = self._previous, snapshot
        if found is not None:
            return found
        return None if parent == ROOT else previous


def _same_entry(s: Situation, one: Snapshot, other: Snapshot) -> bool:
    a, b = s.base_tree.entry(one.path), s.head_tree.entry(other.path)
    return a is not None and b is not None and a.oid == b.oid


def _merged(
    snapshot: Snapshot | None, migration: Migration, parents: _Parents, last: _Last
) -> merge_snapshots.Merged | None:
    if snapshot is None:
        return None
    parent = parents.of(snapshot)
    own: Mapping[str, Any] = snapshot.data
    before: Mapping[str, Any] = parent.data if parent is not None else {"version": snapshot.version}
    base = last.data if last.data is not None else {"version": snapshot.version}
    version = max(snapshot.version, str(base.get("version")))
    try:
        before, base, own = (snapshot_versions.lift(d, version) for d in (before, base, own))
        return merge_snapshots.merge(before, base, own, mentions=lambda name: repair.mentions(migration, name))
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise RefusedError(f"{snapshot.path} is not as drizzle-kit writes it ({error!r}).", [snapshot.path]) from None


def _contradiction(migration: Migration, found: merge_snapshots.Merged) -> RefusedError:
    told = "; ".join(str(c) for c in found.clashes[:4])
    more = f" (and {len(found.clashes) - 4} more)" if len(found.clashes) > 4 else ""
    return RefusedError(
        f"`{migration.tag}` and base contradict each other: {told}{more}. Change this branch's schema and generate it again.",
        [migration.path],
    )


def _same_schema(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    skip = {"id", "prevId", "version", "dialect", "_meta", "internal"}
    return {k: v for k, v in one.items() if k not in skip and v} == {
        k: v for k, v in other.items() if k not in skip and v
    }


def _put_snapshot(
    s: Situation, work: _Work, walk: _Walk, snapshot: Snapshot, data: dict[str, Any], *, path: str
) -> None:
    last = walk.last
    own = snapshot.id
    if own in walk.ids or own == last.id:
        own = str(uuid5(NAMESPACE_URL, f"{snapshot.id} after {last.id}"))
    walk.ids.add(own)
    data = {**data, "id": own, "prevId": last.id}
    entry = s.head_tree.entry(snapshot.path)
    if data == dict(snapshot.data) and entry is not None and snapshot.path not in s.mended:
        work.files[path] = replace(entry, path=path)
    else:
        work.files[path] = repair.dumped(data, s.head_tree.read(snapshot.path) or b"")
        work.rewritten = True
    last.data, last.id = data, own


def _needed(s: Situation, sides: Sides, work: _Work) -> bool:
    """Whether git's own merge would not do."""
    ours = {p for p in s.conflicted if p in work.files or _below(p, s.folders) is not None}
    if ours or work.renamed or work.rewritten or s.mended:
        return True
    path = join(s.folder, JOURNAL)
    result = work.files[path]
    wanted = result if isinstance(result, bytes) else s.base_tree.read(join(s.base.project.migrations_dir, JOURNAL))
    merged = s.merged.read(path)
    if merged is None or wanted is None or journal.parse(merged).problem or _order(merged) != _order(wanted):
        return True
    return (
        any(
            isinstance(entry, Entry) and s.merged.entry(p) is None
            for p, entry in work.files.items()
            if inside(p, s.folder) is not None
        )
        and not sides.deleted
    )


def _order(raw: bytes) -> list[tuple[Any, ...]]:
    return [(e.tag, e.idx, e.when) for e in journal.parse(raw).entries]


def _text(raw: bytes | None) -> str:
    return (raw or b"").decode("utf-8", "surrogateescape")
