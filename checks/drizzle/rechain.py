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
    for snapshot in s.head.snapshots:
        rest = inside(snapshot.path, s.head.project.migrations_dir)
        entry = s.head_tree.entry(snapshot.path)
        if rest is None or entry is None or snapshot.tag is None or snapshot.tag not in s.base.lines:
            continue
        path = join(s.folder, rest)
        at_base = join(s.base.project.migrations_dir, rest)
        if s.base_tree.entry(at_base) is None and s.merge_base_tree.entry(snapshot.path) is None:
            if not any(
                m.tag != snapshot.tag and snapshot_of(m.tag) == posixpath.basename(path) for m in s.head.migrations
            ):
                work.files[path] = replace(entry, path=path)


def _steps(s: Situation, sides: Sides, work: _Work) -> None:
    base_tags = [m.tag for m in s.base.migrations]
    journal_path = join(s.folder, JOURNAL)
    raw = s.base_tree.read(join(s.base.project.migrations_dir, JOURNAL))
    if raw is None:
        raise RefusedError("Base has no journal (`meta/_journal.json`) for these migrations.", [journal_path])
    text = raw.decode("utf-8", "surrogateescape")
    parsed = journal.parse(raw)
    if parsed.problem is not None:
        why = {"not-json": "is not JSON", "conflict-markers": "holds git's conflict markers"}.get(
            parsed.problem, "cannot be read"
        )
        raise RefusedError(
            f"Base's own journal {why} (line {parsed.line}). It has to be mended on base first.", [journal_path]
        )
    sources = journal_writing.entries(_text(s.head_tree.read(join(s.head.project.migrations_dir, JOURNAL))))
    base_snapshots = [posixpath.basename(x.path).removesuffix(".json") for x in s.base.snapshots]
    stems = {
        posixpath.basename(e.path).removesuffix(".sql")
        for e in s.merged.entries()
        if e.path.endswith(".sql") and inside(e.path, s.folder) is not None and e.path not in work.files
    }
    own = sides.added
    style = names.style(base_tags) if base_tags else names.style([m.tag for m in own])
    giver = names.Names(style, [*base_tags, *base_snapshots], stems)
    when = max((e.when or 0 for e in parsed.entries), default=0)
    idx = max((e.idx if e.idx is not None else n for n, e in enumerate(parsed.entries)), default=-1)
    last = _first(s.base)
    before = _Parents(s)
    ids = {x.id for x in s.base.snapshots}
    for migration in own:
        snapshot = before.own(migration, ids)
        twin = repair.same_work(migration, sides.arrived)
        merged = _merged(snapshot, migration, before, last)
        if twin is not None and (merged is None or last.data is None or _same_schema(merged.data, last.data)):
            work.omitted.append(f"`{migration.tag}` is left out: base's `{twin.tag}` does the very same.")
            work.rewritten = True
            continue
        if merged is not None and merged.clashes:
            raise _contradiction(migration, merged)
        body, gone = migration.text, ()
        if merged is not None and merged.twice:
            body, gone = repair.without(migration, sides.arrived, merged.twice)
        if gone:
            work.omitted += [
                f"`{migration.tag}`: `{g.sql.splitlines()[0][:120]}` is left out: base has done it." for g in gone
            ]
            work.rewritten = True
            if not body.strip():
                continue
        when, idx = max(migration.when, when + 1), idx + 1
        tag = giver.next(migration.tag, idx=idx, when=when)
        work.entries.append(
            journal_writing.entry(replace(migration, tag=tag, when=when, idx=idx), sources.get(migration.tag))
        )
        if tag != migration.tag:
            work.renamed.append((migration.tag, tag))
        work.rewritten |= (when, idx) != (migration.when, migration.idx)
        entry = s.head_tree.entry(migration.path)
        path = join(s.folder, f"{tag}.sql")
        work.files[path] = body.encode() if gone or entry is None else replace(entry, path=path)
        if snapshot is not None and merged is not None:
            _put_snapshot(
                s, work, snapshot, merged.data, last, path=join(s.folder, f"meta/{snapshot_of(tag)}"), taken=ids
            )
        elif names.prefix(migration.tag):
            work.notes.append(
                f"`{tag}` has no snapshot of its own, as before; the next one builds on the one before it."
            )
    made = journal_writing.append(text, work.entries)
    mended = s.base_tree.entry(join(s.base.project.migrations_dir, JOURNAL))
    unchanged = not work.entries and mended is not None and journal_path not in s.mended
    work.files[journal_path] = (
        replace(mended, path=journal_path)
        if unchanged and mended is not None
        else made.encode("utf-8", "surrogateescape")
    )


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
    s: Situation, work: _Work, snapshot: Snapshot, data: dict[str, Any], last: _Last, *, path: str, taken: set[str]
) -> None:
    raw = s.head_tree.read(snapshot.path) or b""
    own = snapshot.id
    if own in taken or own == last.id:
        own = str(uuid5(NAMESPACE_URL, f"{snapshot.id} after {last.id}"))
    taken.add(own)
    data = {**data, "id": own, "prevId": last.id}
    if data == dict(snapshot.data):
        entry = s.head_tree.entry(snapshot.path)
        work.files[path] = raw if entry is None else replace(entry, path=path)
    else:
        work.files[path] = repair.dumped(data, raw)
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
    if merged is None or wanted is None or _order(merged) != _order(wanted):
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
