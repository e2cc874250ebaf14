"""The migrations folders that both sides touched, each as a situation to repair, and what the repairs come to together."""

import posixpath
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from bot import git_write
from bot.git_objects import Objects
from checks.drizzle import chain, journal, rechain, rechain_v1, repair, snapshots
from checks.drizzle.model import Project
from checks.drizzle.repair import RefusedError, Repair, Situation
from checks.tree import REGULAR, Entry, Tree

_V0 = re.compile(r"(?:(.*)/)?meta/(?:_journal|[^/]*_snapshot)\.json")
_V1 = re.compile(r"(?:(.*)/)?\d{14}(?:_[^/]*)?/(?:migration\.sql|snapshot\.json)")


@dataclass(frozen=True, slots=True)
class _Found:
    """A migrations folder by side; None where a side has none."""

    base: str
    merge_base: str
    head: str
    after: str


@dataclass(slots=True)
class Sum:
    """All folders' repairs.

    Attributes:
        files, renamed, omitted, notes: as in each `Repair`.
        folders: that were repaired.
        others: folders of another database, and its name: those merge as git merges them.
    """

    files: dict[str, Entry | bytes | None] = field(default_factory=dict[str, "Entry | bytes | None"])
    renamed: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    omitted: list[str] = field(default_factory=list[str])
    notes: list[str] = field(default_factory=list[str])
    folders: list[str] = field(default_factory=list[str])
    others: dict[str, str] = field(default_factory=dict[str, str])

    def add(self, made: Repair, folder: str, written: Mapping[str, bytes]) -> None:
        """Take a folder's repair; `written` are contents that git does not have yet."""
        for path, file in made.files.items():
            self.files[path] = written.get(file.oid, file) if isinstance(file, Entry) else file
        self.renamed += made.renamed
        self.omitted += made.omitted
        self.notes += made.notes
        self.folders.append(folder)


def repairs(
    objects: Objects,
    commits: tuple[str, str, str],
    merge: git_write.Merge,
    paths: tuple[Sequence[str], Sequence[str]],
) -> Sum:
    """Repair every folder that needs it.

    Args:
        objects: of the repository that holds the commits.
        commits: base, merge base and head.
        merge: what git makes of them.
        paths: what head changed, and what base did.

    Raises:
        RefusedError: one cannot be repaired without a person.
    """
    by_head = _candidates([*paths[0], *merge.conflicted])
    made = Sum()
    if not by_head:
        return made
    names = sorted({*by_head, *_candidates(paths[1])})
    contents = _Contents(objects)
    trees = _Trees(*_listed(objects, (*commits, merge.tree), names, contents.fetch))
    wanted = {e.oid for t in (trees.base, trees.fork, trees.head) for e in t.entries() if _read_anyway(e, names)}
    contents.fetch(sorted(wanted))
    for found in _folders(trees, names, by_head):
        other = _other(trees.head, found.head)
        if other is not None:
            made.others[found.after] = other
            continue
        situation = _situation(trees, found, merge.conflicted)
        if situation is None:
            continue
        form = situation.head.project.format
        result = rechain.repair_v0(situation) if form == "v0" else rechain_v1.repair_v1(situation)
        if result is not None:
            made.add(result, found.after, situation.written)
    return made


@dataclass(frozen=True, slots=True)
class _Trees:
    """The files of all migrations folders that either side touched, by side; `merged` is what git makes of them."""

    base: Tree
    fork: Tree
    head: Tree
    merged: Tree


class _Contents:
    """Every blob is read once."""

    def __init__(self, objects: Objects) -> None:
        self._objects = objects
        self._known: dict[str, bytes] = {}

    def fetch(self, oids: Sequence[str]) -> Mapping[str, bytes]:
        """Blobs by their ids."""
        missing = [oid for oid in dict.fromkeys(oids) if oid not in self._known]
        if missing:
            self._known |= self._objects.blobs(missing)
        return {oid: self._known[oid] for oid in oids if oid in self._known}


def _listed(
    objects: Objects,
    revisions: Sequence[str],
    names: Sequence[str],
    fetch: Callable[[Sequence[str]], Mapping[str, bytes]],
) -> Iterable[Tree]:
    """The files of some folders at each revision; the rest of the repository is not looked at."""
    asked = [(revision, name) for revision in revisions for name in names]
    found = objects.below([f"{revision}:{name}" for revision, name in asked])
    for revision in revisions:
        entries: dict[str, Entry] = {}
        for (where, name), inside_ in zip(asked, found, strict=True):
            if where == revision:
                entries |= {path: replace(e, path=path) for e in inside_ if (path := posixpath.join(name, e.path))}
        yield Tree(entries.values(), fetch)


def _folders(trees: _Trees, names: Sequence[str], by_head: Iterable[str]) -> list[_Found]:
    """The migrations folders that head changed; where a side moved its folder, under both names."""
    at_base, at_fork, at_head = (
        {n for n in names if chain.shape(tree, n)} for tree in (trees.base, trees.fork, trees.head)
    )
    base_moves, head_moves = _moves(at_fork, at_base), _moves(at_fork, at_head)
    origins = {new: old for old, new in head_moves.items()}
    found: dict[str, _Found] = {}
    for name in sorted(by_head):
        origin = origins.get(name, name)
        here, there = head_moves.get(origin, origin), base_moves.get(origin, origin)
        if here not in at_head or there not in at_base:
            continue  # only one side has it: git's merge is right
        if here != there and origin in head_moves and origin in base_moves:
            raise RefusedError(
                f"Both sides moved the migrations of `{origin}`: base to `{there}`, this branch to `{here}`. Agree on one folder first.",
                [there, here],
            )
        found[origin] = _Found(there, origin, here, here if origin in head_moves else there)
    return list(found.values())


def _read_anyway(entry: Entry, names: Sequence[str]) -> bool:
    """Whether it is a migration or a snapshot: asked for at once, git is started once."""
    wanted = entry.mode in REGULAR and (entry.path.endswith((".sql", "_journal.json")) or "snapshot" in entry.path)
    return wanted and inside(entry.path, names)


def _moves(before: set[str], after: set[str]) -> dict[str, str]:
    """The folder that a side moved, if it moved one."""
    gone, new = before - after, after - before
    return {next(iter(gone)): next(iter(new))} if len(gone) == len(new) == 1 else {}


def _candidates(paths: Iterable[str]) -> set[str]:
    """The folders in which files lie that only Drizzle writes."""
    hits = (_V0.fullmatch(path) or _V1.fullmatch(path) for path in paths)
    return {hit[1] or "" for hit in hits if hit is not None}


def _situation(trees: _Trees, found: _Found, conflicted: Iterable[str]) -> Situation | None:
    folders = list(dict.fromkeys((found.base, found.merge_base, found.head, found.after)))
    base_tree, head_tree = trees.base, trees.head
    forms = chain.shape(base_tree, found.base), chain.shape(head_tree, found.head)
    if forms[0] is None or forms[1] is None:
        return None
    if forms[0] != forms[1]:
        here, there = ("base", "this branch") if forms[0] == "v1" else ("this branch", "base")
        raise RefusedError(
            f"{here.capitalize()} has folders of drizzle-kit 1.0 in {found.after}, {there} the journal of 0.x. "
            "Bring both to one format (`drizzle-kit up`) first.",
            [found.after],
        )
    mended: dict[str, bytes] = {}
    written: dict[str, bytes] = {}
    if forms[0] == "v0":
        mended = repair.mended(head_tree, found.head, lambda: _ids(base_tree, found.base))
        head_tree = head_tree.overlaid(mended)
        of_base = repair.mended(base_tree, found.base, lambda: _ids(head_tree, found.head))
        base_tree = base_tree.overlaid(of_base)
        for tree, files in ((head_tree, mended), (base_tree, of_base)):
            written |= {e.oid: data for path, data in files.items() if (e := tree.entry(path)) is not None}
    cache = chain.Cache()
    chains = [
        chain.read(tree, Project(root="", format=forms[0], migrations_dir=folder), cache=cache)
        for tree, folder in ((base_tree, found.base), (trees.fork, found.merge_base), (head_tree, found.head))
    ]
    return Situation(
        base=chains[0],
        merge_base=chains[1],
        head=chains[2],
        base_tree=base_tree,
        merge_base_tree=trees.fork,
        head_tree=head_tree,
        folder=found.after,
        merged=trees.merged,
        conflicted=frozenset(p for p in conflicted if inside(p, folders)),
        mended=tuple(mended),
        written=written,
    )


def _ids(tree: Tree, folder: str) -> list[str]:
    meta = posixpath.join(folder, "meta")
    found: list[str] = []
    for data in tree.read_all(p for p in tree.under(meta) if p.endswith("_snapshot.json")).values():
        head = snapshots.header(data, "v0")
        if isinstance(head, snapshots.Header):
            found.append(head.id)
    return found


def _other(tree: Tree, folder: str) -> str | None:
    """The database that the migrations of a folder are for, where it is not PostgreSQL."""
    if chain.shape(tree, folder) == "v0":
        text = tree.read(posixpath.join(folder, chain.JOURNAL))
        found = journal.parse(text) if text is not None else None
        return None if found is None or found.postgres else found.dialect
    for path in tree.under(folder):
        if path.endswith("/snapshot.json"):
            head = snapshots.header(tree.read(path) or b"", "v1")
            if isinstance(head, snapshots.Header) and head.dialect is not None:
                return None if head.dialect in {"postgres", "postgresql"} else head.dialect
    return None


def inside(path: str, folders: Sequence[str]) -> bool:
    """Whether a file lies in one of some folders."""
    return any(repair.inside(path, folder) is not None for folder in folders)
