"""Writes to a git repository with plumbing alone: trees, commits, refs (compare and swap), and pushes that only go forward."""

import os
import posixpath
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from bot import git_objects
from bot.git import Repository
from bot.git_objects import TREE, Objects
from checks.errors import CouldNotJudge, UserError
from checks.tree import Entry, Tree

FALLBACK = {"NAME": "Bulletproof", "EMAIL": "bulletproof@localhost"}


class MovedError(UserError):
    """A ref is no longer where it was: somebody else was faster, and nothing was written."""

    code = 1


class UnsignedError(CouldNotJudge):
    """The branch takes signed commits only, and this one is not."""


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


def parted(repository: Repository, base: str, head: str) -> tuple[str, str, str | None]:
    """The ids of two commits, and of the one where they parted; None: they have none in common.

    Raises:
        UserError: there is no such commit here.
    """
    names = [f"{name}^{{commit}}" for name in (base, head)]
    if not base.startswith("-") and not head.startswith("-"):
        code, out, _ = repository.ask("rev-parse", *names, f"{base}...{head}", "--")
        lines = out.decode().split()
        if code == 0 and len(lines) >= 4:
            fork = next((line[1:] for line in lines[4:] if line.startswith("^")), None)
            return lines[0], lines[1], fork
    return repository.resolve(base), repository.resolve(head), None


def changed(repository: Repository, fork: str, *tips: str) -> list[list[str]]:
    """The paths in which commits differ from one, for each of them."""
    asked = "".join(f"{tip} {fork}\n" for tip in tips).encode()
    code, out, words = repository.ask("diff-tree", "-r", "-z", "--name-only", "--no-renames", "--stdin", stdin=asked)
    if code:
        raise UserError(f"git diff-tree failed: {words}")
    found: dict[str, list[str]] = {tip: [] for tip in tips}
    here: list[str] = []
    for name in out.split(b"\0"):
        said = os.fsdecode(name)
        if said in found:  # it names the commit before its paths
            here = found[said]
        elif said:
            here.append(said)
    return [found[tip] for tip in tips]


Fetch = Callable[[Sequence[str]], Mapping[str, bytes]]


def files(repository: Repository, revision: str, folders: Sequence[str], fetch: Fetch | None = None) -> Tree:
    """The files of some folders at a revision (`""`: everything); the rest of the repository is not looked at."""
    wanted = [] if "" in folders else ["--", *(f"{folder}/" for folder in folders)]
    code, out, words = repository.ask("ls-tree", "-r", "-z", "--full-tree", revision, *wanted)
    if code:
        raise UserError(f"git ls-tree failed: {words}")
    return Tree(_entries(out), fetch or repository.fetcher())


def with_files(
    repository: Repository, tree: str, changes: Mapping[str, Entry | bytes | None], objects: Objects | None = None
) -> str:
    """A tree with some files written, replaced or (None) removed; folders that are not concerned are not read."""
    if objects is None:
        with Objects(repository) as opened:
            return with_files(repository, tree, changes, opened)
    made: dict[str, tuple[str, bytes]] = {}
    wanted: dict[str, tuple[str, str] | None] = {}
    for path, change in changes.items():
        if isinstance(change, bytes):
            oid = git_objects.name_of("blob", change, len(tree))
            made[oid] = ("blob", change)
            wanted[path] = ("100644", oid)
        else:
            wanted[path] = None if change is None else (change.mode, change.oid)
    levels = _levels(objects, tree, {posixpath.dirname(path) for path in wanted})
    top = _rewritten(levels, "", wanted, made, width=len(tree))
    git_objects.store(repository, made)
    return top or git_objects.name_of("tree", b"", len(tree))


def commit(repository: Repository, tree: str, parents: Sequence[str], message: str, *, sign: bool = False) -> str:
    """Make a commit object, as the person that git knows (else as `Bulletproof`); no ref points to it yet."""
    flags = ["-S"] if sign else ["--no-gpg-sign"]
    known = {k: v for k, v in os.environ.items() if k.startswith(("GIT_AUTHOR_", "GIT_COMMITTER_"))}
    parts = [part for parent in parents for part in ("-p", parent)]
    command = ("commit-tree", *flags, *parts, "-F", "-", tree)
    code, out, words = repository.ask(*command, stdin=message.encode(), environment=known)
    if code and ("identity" in words or "ident name" in words or "no email" in words):
        nobody = {f"GIT_{who}_{what}": v for who in ("AUTHOR", "COMMITTER") for what, v in FALLBACK.items()}
        code, out, words = repository.ask(*command, stdin=message.encode(), environment=nobody | known)
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


def push(
    repository: Repository, remote: str, new: str, branch: str, *, environment: Mapping[str, str] | None = None
) -> None:
    """Push a commit to a branch of a remote (or to a full name of a ref), forward only.

    Raises:
        MovedError: the branch has commits that this one does not contain.
        UnsignedError: the remote takes signed commits only.
        CouldNotJudge: the remote refused for another reason, or cannot be reached.
    """
    name = branch if branch.startswith("refs/") else f"refs/heads/{branch}"
    code, out, words = repository.ask(
        "push", "--porcelain", "--no-verify", remote, f"{new}:{name}", environment=environment
    )
    if not code and b"\n=\t" in b"\n" + out:  # two made the very same commit, within one second
        raise MovedError(f"{branch} has this very commit already; somebody else was faster.")
    if code:
        said = f"{out.decode(errors='replace')}\n{words}"
        if any(sign in said for sign in _MOVED):
            raise MovedError(f"{branch} moved meanwhile; nothing was pushed.")
        reason = _reason(said) or words
        if "signature" in said.lower():
            raise UnsignedError(f"The push to {branch} was refused: {reason}")
        raise CouldNotJudge(f"The push to {branch} was refused: {reason}")


_MOVED = ("non-fast-forward", "fetch first", "cannot lock ref", "incorrect old value provided", "failed to update ref")


def _reason(said: str) -> str:
    """Why a push was refused: the words of the remote, else git's own; never an address, which may hold a name."""
    lines = [line.strip() for line in said.splitlines() if "://" not in line]
    remote = [
        line.removeprefix("remote:").strip().removeprefix("error:").strip() for line in lines if "remote:" in line
    ]
    told = [line for line in remote if line][:4]
    return " ".join(told) or next((line for line in lines if re.search("rejected|error|denied|fatal", line)), "")


def contents(repository: Repository, commit: str) -> tuple[str, str]:
    """The tree and the message of a commit."""
    _, out, _ = repository.ask("cat-file", "commit", commit)
    head, _, message = out.decode("utf-8", "replace").partition("\n\n")
    return head.split("\n", 1)[0].removeprefix("tree "), message


def patch(repository: Repository, before: str, after: str) -> str | None:
    """All that leads from one commit to another, as one mail that `git am` and `git apply` take.

    None where a comment could not hold it: text that is not UTF-8, or has line ends of its own.
    """
    tree, message = contents(repository, after)
    step = commit(repository, tree, [before], message)
    code, out, words = repository.ask(
        *("format-patch", "-1", "--stdout", "--binary", "--full-index", "--no-signature", "--find-renames"),
        *("--find-copies-harder", "-l2000", "--no-ext-diff", "--no-textconv", step),
    )
    if code:
        raise UserError(f"git format-patch failed: {words}")
    try:
        text = out.decode()
    except UnicodeDecodeError:
        return None
    return None if "\r" in text or "\0" in text else text


# --- trees ---


Wanted = Mapping[str, tuple[str, str] | None]
Made = dict[str, tuple[str, bytes]]


def _levels(objects: Objects, tree: str, folders: Iterable[str]) -> dict[str, dict[str, Entry]]:
    """The direct members of some folders and all above them."""
    wanted = {""}
    for folder in folders:
        parts = folder.split("/")
        wanted |= {"/".join(parts[: n + 1]) for n in range(len(parts))}
    names = sorted(wanted)
    found = objects.trees([f"{tree}:{name}" for name in names])
    return {
        name: {e.path: e for e in members} for name, members in zip(names, found, strict=True) if members is not None
    }


def _rewritten(
    levels: Mapping[str, Mapping[str, Entry]], folder: str, wanted: Wanted, made: Made, *, width: int
) -> str | None:
    """The id of a folder's new tree, None where nothing is left in it; what is new is added to `made`."""
    here = dict(levels.get(folder, {}))
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
        inner = posixpath.join(folder, name)
        oid = _rewritten(levels, inner, changes, made, width=width)
        if oid is not None:
            here[name] = Entry(name, TREE, oid)
        elif name in here and here[name].mode == TREE:
            del here[name]
    if not here and folder:
        return None
    return _made(here.values(), made, width)


def _made(entries: Iterable[Entry], made: Made, width: int) -> str:
    """The id of a tree (gitformat-tree: folders sort as if they ended in `/`)."""
    ordered = sorted(entries, key=lambda e: os.fsencode(e.path) + (b"/" if e.mode == TREE else b""))
    content = b"".join(
        f"{e.mode.lstrip('0')} ".encode() + os.fsencode(e.path) + b"\0" + bytes.fromhex(e.oid) for e in ordered
    )
    oid = git_objects.name_of("tree", content, width)
    made[oid] = ("tree", content)
    return oid


def _entries(listing: bytes) -> Iterable[Entry]:
    for record in listing.split(b"\0"):
        if record:
            meta, _, name = record.partition(b"\t")
            mode, _, oid = meta.split(b" ")
            yield Entry(os.fsdecode(name), mode.decode(), oid.decode())
