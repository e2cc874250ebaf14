"""Writes to a git repository with plumbing alone: trees, commits, refs (compare and swap), and pushes that only go forward."""

import os
import posixpath
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bot.git import Repository
from checks.errors import CouldNotJudge, UserError
from checks.tree import Entry, Tree

NOBODY = "0" * 40
FALLBACK = ("Bulletproof", "bulletproof@localhost")


class MovedError(UserError):
    """A ref is no longer where it was: somebody else was faster, and nothing was written."""

    code = 1


@dataclass(frozen=True, slots=True)
class Merge:
    """What git's own merge makes of two commits.

    Attributes:
        tree: the id of the merged tree; conflicted files in it hold markers.
        conflicted: the paths that git could not merge.
    """

    tree: str
    conflicted: tuple[str, ...]


def merge(repository: Repository, head: str, base: str) -> Merge:
    """Merge two commits without a work tree (`git merge-tree`).

    Raises:
        UserError: git cannot: it is too old, or the histories are unrelated.
    """
    code, out, words = repository.ask("merge-tree", "--write-tree", "-z", "--name-only", "--no-messages", head, base)
    fields = out.decode("utf-8", "surrogateescape").split("\0")
    if code not in {0, 1} or not fields[0]:
        if "unrelated" in words:
            raise UserError(f"{head[:12]} and {base[:12]} have no common commit, so there is nothing to merge.")
        raise UserError(f"git merge-tree failed: {words or 'it gave no reason'} (git 2.38 or newer is needed).")
    return Merge(fields[0], tuple(dict.fromkeys(f for f in fields[1:] if f)))


def changed(repository: Repository, before: str, after: str) -> list[str]:
    """The paths that differ between two commits or trees."""
    code, out, words = repository.ask(
        "diff-tree", "-r", "-z", "--name-only", "--no-commit-id", "--no-renames", before, after
    )
    if code:
        raise UserError(f"git diff-tree failed: {words}")
    return [os.fsdecode(name) for name in out.split(b"\0") if name]


def files(repository: Repository, revision: str, folders: Sequence[str]) -> Tree:
    """The files of some folders at a revision (`""`: everything); the rest of the repository is not looked at."""
    wanted = [] if "" in folders else ["--", *(f"{folder}/" for folder in folders)]
    code, out, words = repository.ask("ls-tree", "-r", "-z", "--full-tree", revision, *wanted)
    if code:
        raise UserError(f"git ls-tree failed: {words}")
    return Tree(_entries(out), repository.fetcher())


def with_files(repository: Repository, tree: str, changes: Mapping[str, Entry | bytes | None]) -> str:
    """A tree with some files written, replaced or (None) removed; folders that are not concerned are not read."""
    made = _blobs(repository, {p: c for p, c in changes.items() if isinstance(c, bytes)})
    wanted: dict[str, tuple[str, str] | None] = {}
    for path, change in changes.items():
        if isinstance(change, Entry):
            wanted[path] = (change.mode, change.oid)
        else:
            wanted[path] = None if change is None else ("100644", made[path])
    return _rewritten(repository, tree, wanted) or _make_tree(repository, {})


def commit(repository: Repository, tree: str, parents: Sequence[str], message: str, *, sign: bool = False) -> str:
    """Make a commit object, as the person that git knows (else as `Bulletproof`); no ref points to it yet."""
    flags = ["-S"] if sign else ["--no-gpg-sign"]
    known = {k: v for k, v in os.environ.items() if k.startswith(("GIT_AUTHOR_", "GIT_COMMITTER_"))}
    for person in ("GIT_AUTHOR", "GIT_COMMITTER"):
        if repository.ask("var", f"{person}_IDENT", environment=known)[0]:
            known |= {f"{person}_NAME": FALLBACK[0], f"{person}_EMAIL": FALLBACK[1]}
    parts = [part for parent in parents for part in ("-p", parent)]
    code, out, words = repository.ask(
        "commit-tree", *flags, *parts, "-F", "-", tree, stdin=message.encode(), environment=known
    )
    if code:
        raise UserError(f"The commit could not be made: {words}")
    return out.decode().strip()


def ref(repository: Repository, name: str) -> tuple[str, str | None]:
    """The full name of a ref, and the commit that it points to (None: it does not exist).

    Raises:
        UserError: it is no name for a ref.
    """
    full = name if name.startswith("refs/") else f"refs/heads/{name}"
    if repository.ask("check-ref-format", full)[0]:
        raise UserError(f"{name!r} is no name for a ref. Give one like refs/heads/NAME.")
    code, out, _ = repository.ask("rev-parse", "--verify", "--quiet", "--end-of-options", full)
    return full, None if code else out.decode().strip()


def move(repository: Repository, name: str, new: str, old: str | None) -> None:
    """Point a ref to a commit, if it is still where it was.

    Raises:
        MovedError: it is not.
    """
    width = len(new)
    code, _, words = repository.ask("update-ref", "-m", "bulletproof sync", name, new, old or "0" * width)
    if code:
        raise MovedError(f"{name} was not written: it moved meanwhile ({words}). Sync again.")


def is_ancestor(repository: Repository, one: str, other: str) -> bool:
    """Whether `other` contains `one`."""
    return repository.ask("merge-base", "--is-ancestor", one, other)[0] == 0


def advance(repository: Repository, new: str) -> None:
    """Move the checked-out branch and its work tree forward to a commit.

    Raises:
        MovedError: it is not forward any more, or files that git does not know are in the way.
    """
    code, _, words = repository.ask("merge", "--ff-only", "--quiet", "--no-verify-signatures", new)
    if code:
        raise MovedError(
            f"The checked-out branch was not moved: {words.splitlines()[0] if words else 'git gave no reason'}"
        )


def trouble(repository: Repository) -> str | None:
    """Why nothing may be committed on the checked-out branch now, or None."""
    code, out, _ = repository.ask("rev-parse", "--is-bare-repository", "--git-path", "MERGE_HEAD")
    lines = out.decode("utf-8", "surrogateescape").splitlines()
    if code or lines[:1] == ["true"]:
        return "This repository has no work tree. Name the ref to write: --write-ref REF."
    if len(lines) > 1 and (repository.path / lines[1]).exists():
        return "A merge is under way. Finish it, or leave it with `git merge --abort`; then sync."
    _, status, _ = repository.ask("status", "--porcelain", "-z", "--untracked-files=no")
    dirty = [record[3:] for record in status.decode("utf-8", "surrogateescape").split("\0") if record]
    if dirty:
        return f"The work tree has changes that are not committed ({', '.join(dirty[:3])}). Commit or stash them, then sync."
    return None


def push(repository: Repository, remote: str, new: str, branch: str) -> None:
    """Push a commit to a branch of a remote, forward only.

    Raises:
        MovedError: the branch has commits that this one does not contain.
        CouldNotJudge: the remote refused, or cannot be reached.
    """
    code, out, words = repository.ask("push", "--porcelain", "--no-verify", remote, f"{new}:refs/heads/{branch}")
    if code:
        said = f"{out.decode(errors='replace')}\n{words}"
        if "non-fast-forward" in said or "fetch first" in said or "cannot lock ref" in said:
            raise MovedError(f"{branch} moved meanwhile; nothing was pushed.")
        reason = next(
            (line for line in said.splitlines() if "rejected" in line or "error" in line or "denied" in line), words
        )
        raise CouldNotJudge(f"The push to {branch} was refused: {reason.strip()}")


# --- trees ---


def _blobs(repository: Repository, contents: Mapping[str, bytes]) -> dict[str, str]:
    if not contents:
        return {}
    with tempfile.TemporaryDirectory(prefix="bulletproof-blobs-") as folder:
        paths = [Path(folder) / str(number) for number in range(len(contents))]
        for path, data in zip(paths, contents.values(), strict=True):
            path.write_bytes(data)
        listing = "".join(f"{path}\n" for path in paths).encode()
        code, out, words = repository.ask("hash-object", "-w", "--no-filters", "--stdin-paths", stdin=listing)
    if code:
        raise UserError(f"git hash-object failed: {words}")
    return dict(zip(contents, out.decode().split(), strict=True))


def _rewritten(repository: Repository, tree: str | None, wanted: Mapping[str, tuple[str, str] | None]) -> str | None:
    """A tree with changes applied, None where nothing is left in it."""
    here = {e.path: e for e in _level(repository, tree)} if tree else {}
    below: dict[str, dict[str, tuple[str, str] | None]] = {}
    for path, change in wanted.items():
        name, slash, rest = path.partition("/")
        if slash:
            below.setdefault(name, {})[rest] = change
        elif change is None:
            here.pop(name, None)
        else:
            here[name] = Entry(name, *change)
    for name, changes in below.items():
        old = here.get(name)
        sub = _rewritten(repository, old.oid if old is not None and old.mode == "040000" else None, changes)
        if sub is None:
            if old is None or old.mode == "040000":
                here.pop(name, None)
        else:
            here[name] = Entry(name, "040000", sub)
    return _make_tree(repository, here) if here else None


def _level(repository: Repository, tree: str) -> Iterable[Entry]:
    code, out, words = repository.ask("ls-tree", "-z", tree)
    if code:
        raise UserError(f"git ls-tree failed: {words}")
    return _entries(out)


def _make_tree(repository: Repository, entries: Mapping[str, Entry]) -> str:
    kinds = {"040000": "tree", "160000": "commit"}
    lines = b"".join(
        f"{e.mode} {kinds.get(e.mode, 'blob')} {e.oid}\t".encode() + os.fsencode(posixpath.basename(e.path)) + b"\0"
        for e in entries.values()
    )
    code, out, words = repository.ask("mktree", "-z", "--missing", stdin=lines)
    if code:
        raise UserError(f"git mktree failed: {words}")
    return out.decode().strip()


def _entries(listing: bytes) -> Iterable[Entry]:
    for record in listing.split(b"\0"):
        if record:
            meta, _, name = record.partition(b"\t")
            mode, _, oid = meta.split(b" ")
            yield Entry(os.fsdecode(name), mode.decode(), oid.decode())
