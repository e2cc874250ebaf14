"""`sync`: one commit, with parents head and base, in which head's migrations come after base's."""

import posixpath
import re
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from bot import git_write
from bot.branches import Provider
from bot.git import Repository
from bot.progress import Say, silent
from bot.repair import proof
from checks.drizzle import chain, journal, rechain, rechain_v1, repair, snapshots
from checks.drizzle.model import Format, Project
from checks.drizzle.repair import RefusedError, Repair, Situation
from checks.errors import UserError
from checks.tree import REGULAR, Entry, Tree

_V0 = re.compile(r"(?:(.*)/)?meta/(?:_journal|[^/]*_snapshot)\.json")
_V1 = re.compile(r"(?:(.*)/)?\d{14}(?:_[^/]*)?/(?:migration\.sql|snapshot\.json)")


@dataclass(frozen=True, kw_only=True, slots=True)
class Outcome:
    """What a sync did.

    Attributes:
        commit: the new commit, None where none was made.
        renamed: old tag, new tag.
        reason: why it was refused.
        conflicts: paths that a person has to look at.
        omitted: statements that base has run already, in sentences.
        notes: what was not proved, and what else a person should know.
        proven: PostgreSQL ran base's chain and the repaired one after it, and the snapshot says what it made.
    """

    status: Literal["synced", "nothing-to-do", "refused"]
    head: str = ""
    base: str = ""
    commit: str | None = None
    renamed: tuple[tuple[str, str], ...] = ()
    reason: str | None = None
    conflicts: tuple[str, ...] = ()
    omitted: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    proven: bool = False

    @property
    def code(self) -> int:
        """The exit code of the command line."""
        return 1 if self.status == "refused" else 0

    def json(self) -> dict[str, Any]:
        """As `sync --format json` prints it."""
        told = asdict(self)
        told["renamed"] = [{"from": old, "to": new} for old, new in self.renamed]
        first = ("status", "commit", "renamed", "reason", "conflicts")
        return {"version": 1, **{k: told[k] for k in first}, **{k: told[k] for k in ("omitted", "notes", "proven")}}

    def text(self) -> str:
        """For people."""
        if self.status == "refused":
            return f"refused: {self.reason}"
        if self.status == "nothing-to-do":
            return "nothing to do: this branch's migrations come after base's already."
        lines = [f"synced: {self.commit}"]
        lines += [f"  {old} → {new}" for old, new in self.renamed]
        lines += [f"  {line}" for line in (*self.omitted, *self.notes)]
        return "\n".join(lines)


@dataclass(frozen=True, slots=True)
class _Found:
    """A migrations folder by side; None where a side has none."""

    base: str
    merge_base: str
    head: str
    after: str


@dataclass(slots=True)
class _Sum:
    files: dict[str, Entry | bytes | None] = field(default_factory=dict[str, "Entry | bytes | None"])
    renamed: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    omitted: list[str] = field(default_factory=list[str])
    notes: list[str] = field(default_factory=list[str])
    folders: list[str] = field(default_factory=list[str])

    def add(self, made: Repair, folder: str, written: Mapping[str, bytes]) -> None:
        """Take a folder's repair; `written` are contents that git does not have yet."""
        for path, file in made.files.items():
            self.files[path] = written.get(file.oid, file) if isinstance(file, Entry) else file
        self.renamed += made.renamed
        self.omitted += made.omitted
        self.notes += made.notes
        self.folders.append(folder)


def prepare(
    repository: Repository,
    base: str,
    head: str,
    *,
    provider: Provider | None,
    sign: bool = False,
    seconds: float = 120.0,
    say: Say = silent,
) -> Outcome:
    """Make the commit, proved; no ref points to it yet.

    Args:
        repository: where the commits are.
        base: a revision, whose migrations come first.
        head: a revision, whose own migrations come after them.
        provider: of branch databases for the proof; None: it is not proved.
        sign: sign the commit.
        seconds: how long a branch database may live.
        say: is told what is being done.

    Raises:
        UserError: a revision is not there, or git fails.
    """
    base_id, head_id = repository.resolve(base), repository.resolve(head)
    try:
        return _prepared(repository, base_id, head_id, provider=provider, sign=sign, seconds=seconds, say=say)
    except RecursionError:
        reason = "A snapshot or the journal is nested too deep to be Drizzle's."
        return Outcome(status="refused", head=head_id, base=base_id, reason=reason)
    except RefusedError as error:
        return Outcome(
            status="refused",
            head=head_id,
            base=base_id,
            reason=str(error),
            conflicts=tuple(sorted(set(error.conflicts))),
        )


def _prepared(
    repository: Repository, base: str, head: str, *, provider: Provider | None, sign: bool, seconds: float, say: Say
) -> Outcome:
    try:
        fork = repository.merge_base(base, head)
    except UserError as error:
        raise RefusedError(str(error)) from None
    if fork == head:
        return Outcome(status="nothing-to-do", head=head, base=base)
    say("merging")
    with ThreadPoolExecutor(2, "git") as beside:
        ours = beside.submit(git_write.changed, repository, fork, head)
        theirs = beside.submit(git_write.changed, repository, fork, base)
        merge = git_write.merge(repository, head, base)
        paths = ours.result(), theirs.result()
    made = _repairs(repository, (base, fork, head), merge, paths)
    beside = [p for p in merge.conflicted if p not in made.files and not _inside(p, made.folders)]
    if beside:
        raise RefusedError(
            f"Git cannot merge {_some(beside)}, which {'is no migration' if len(beside) == 1 else 'are no migrations'}. "
            "Merge base into this branch and resolve that first; then sync.",
            beside,
        )
    if not made.folders:
        return Outcome(status="nothing-to-do", head=head, base=base)
    tree = git_write.with_files(repository, merge.tree, made.files)
    commit = git_write.commit(repository, tree, [head, base], _message(made, base), sign=sign)
    proven, notes = False, ["Not proved: there was no database."]
    if provider is not None:
        shown = proof.prove(repository, base, head, commit, made.folders, provider=provider, seconds=seconds, say=say)
        proven, notes = shown.proven, list(shown.notes)
    return Outcome(
        status="synced",
        head=head,
        base=base,
        commit=commit,
        renamed=tuple(made.renamed),
        omitted=tuple(made.omitted),
        notes=(*made.notes, *notes),
        proven=proven,
    )


def run(
    *,
    repo: Path,
    base: str | None = None,
    head: str = "HEAD",
    write_ref: str | None = None,
    provider: Provider | None,
    sign: bool = False,
    say: Say = silent,
) -> Outcome:
    """The command: prepare, and move the checked-out branch (or only `write_ref`) to the commit.

    Raises:
        UserError: wrong arguments, or the branch moved meanwhile.
    """
    repository = Repository(repo)
    base = base or repository.default_branch()
    head_id = repository.resolve(head)
    target: tuple[str, str | None] | None = None
    if write_ref is None:
        if (trouble := git_write.trouble(repository)) is not None:
            return Outcome(status="refused", head=head_id, reason=trouble)
        if head_id != repository.resolve("HEAD"):
            raise UserError(f"{head} is not checked out. Check it out, or name the ref to write: --write-ref REF.")
    else:
        target = git_write.ref(repository, write_ref)
    outcome = prepare(repository, base, head_id, provider=provider, sign=sign, say=say)
    if outcome.commit is None:
        return outcome
    try:
        _write(repository, outcome.commit, head_id, target)
    except git_write.MovedError as error:
        return replace(outcome, status="refused", commit=None, reason=str(error))
    return outcome


def _write(repository: Repository, commit: str, head: str, target: tuple[str, str | None] | None) -> None:
    """Move the checked-out branch, or a ref, to the commit."""
    if target is None:
        if repository.resolve("HEAD") != head:
            raise git_write.MovedError("The checked-out branch moved meanwhile; nothing was written. Sync again.")
        git_write.advance(repository, commit)
        return
    name, old = target
    if old is not None and not git_write.is_ancestor(repository, old, commit):
        raise git_write.MovedError(f"{name} holds commits that the result does not contain; nothing was written.")
    git_write.move(repository, name, commit, old)


# --- folders ---


def _repairs(
    repository: Repository,
    commits: tuple[str, str, str],
    merge: git_write.Merge,
    paths: tuple[Sequence[str], Sequence[str]],
) -> _Sum:
    by_head = _candidates([*paths[0], *merge.conflicted])
    made = _Sum()
    if not by_head:
        return made
    names = sorted({*by_head, *_candidates(paths[1])})
    fetch = repository.fetcher()
    with ThreadPoolExecutor(4, "git") as beside:
        everything = (*commits, merge.tree)
        listed = [beside.submit(git_write.files, repository, revision, names, fetch) for revision in everything]
        trees = _Trees(*(each.result() for each in listed))
    fetch(sorted({e.oid for t in (trees.base, trees.fork, trees.head) for e in t.entries() if _read_anyway(e, names)}))
    for found in _folders(trees, names, by_head):
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
    return wanted and _inside(entry.path, names)


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
    if forms[0] is None or forms[1] is None or not _postgres(head_tree, found.head, forms[1]):
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
        mended = repair.mended(head_tree, found.head, _ids(base_tree, found.base))
        head_tree = head_tree.overlaid(mended)
        of_base = repair.mended(base_tree, found.base, _ids(head_tree, found.head))
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
        conflicted=frozenset(p for p in conflicted if _inside(p, folders)),
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


def _postgres(tree: Tree, folder: str, form: Format) -> bool:
    """Whether these are migrations for PostgreSQL; others merge as git merges them."""
    if form == "v0":
        text = tree.read(posixpath.join(folder, chain.JOURNAL))
        return text is None or journal.parse(text).postgres
    for path in tree.under(folder):
        if path.endswith("/snapshot.json"):
            head = snapshots.header(tree.read(path) or b"", "v1")
            if isinstance(head, snapshots.Header) and head.dialect is not None:
                return head.dialect in {"postgres", "postgresql"}
    return True


def _inside(path: str, folders: Sequence[str]) -> bool:
    return any(repair.inside(path, folder) is not None for folder in folders)


# --- words ---


_DATABASES = (
    "Databases that ran the old numbers already (a laptop, a preview): run `bulletproof db sync` there. It moves the rows of the "
    "tracking table to the new places by content, so nothing runs twice and nothing has to be reset."
)


def reply(outcome: Outcome) -> str:
    """What to answer to `/migrate sync`, in Markdown."""
    if outcome.status == "nothing-to-do":
        return "Nothing to do: this pull request's migrations come after base's already."
    if outcome.status == "refused":
        files = "".join(f"\n- `{path}`" for path in outcome.conflicts[:20])
        return f"Not synced, nothing was changed. {outcome.reason}{files}"
    lines = [f"Synced: {outcome.commit} merges base, and puts this pull request's migrations behind base's.", ""]
    lines += [f"- `{old}` is now `{new}`" for old, new in outcome.renamed]
    lines += [f"- {sentence}" for sentence in (*outcome.omitted, *outcome.notes)]
    if outcome.proven:
        lines.append(
            "- Proved on PostgreSQL: base's migrations run, then these, and the last snapshot says what they made."
        )
    if outcome.renamed:
        lines += ["", _DATABASES]
    return "\n".join(lines)


def _message(made: _Sum, base: str) -> str:
    """What moved, in the commit."""
    names = made.renamed
    first = "Put migrations behind base's" if len(names) != 1 else f"Put {names[0][1]} behind base's migrations"
    lines = [first, "", f"Merges base ({base[:12]}); its migrations are as they were."]
    lines += [f"- {old} is now {new}" for old, new in names]
    lines += [f"- {sentence}" for sentence in made.omitted]
    return "\n".join(lines) + "\n"


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - 5} more" if len(names) > 5 else ""
    return ", ".join(names[:5]) + more
