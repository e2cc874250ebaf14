"""Writes to a git repository with plumbing alone: trees, commits, refs (compare and swap), and pushes that only go forward."""

import hashlib
import os
import posixpath
import re
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bot.git import Repository
from checks.errors import CouldNotJudge, UserError
from checks.tree import Entry, Tree

_TREE = "040000"
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


def changed(repository: Repository, before: str, after: str) -> list[str]:
    """The paths that differ between two commits or trees."""
    code, out, words = repository.ask(
        "diff-tree", "-r", "-z", "--name-only", "--no-commit-id", "--no-renames", before, after
    )
    if code:
        raise UserError(f"git diff-tree failed: {words}")
    return [os.fsdecode(name) for name in out.split(b"\0") if name]


Fetch = Callable[[Sequence[str]], Mapping[str, bytes]]


def files(repository: Repository, revision: str, folders: Sequence[str], fetch: Fetch | None = None) -> Tree:
    """The files of some folders at a revision (`""`: everything); the rest of the repository is not looked at."""
    wanted = [] if "" in folders else ["--", *(f"{folder}/" for folder in folders)]
    code, out, words = repository.ask("ls-tree", "-r", "-z", "--full-tree", revision, *wanted)
    if code:
        raise UserError(f"git ls-tree failed: {words}")
    return Tree(_entries(out), fetch or repository.fetcher())


def with_files(repository: Repository, tree: str, changes: Mapping[str, Entry | bytes | None]) -> str:
    """A tree with some files written, replaced or (None) removed; folders that are not concerned are not read."""
    made = _blobs(repository, {p: c for p, c in changes.items() if isinstance(c, bytes)})
    wanted: dict[str, tuple[str, str] | None] = {}
    for path, change in changes.items():
        if isinstance(change, Entry):
            wanted[path] = (change.mode, change.oid)
        else:
            wanted[path] = None if change is None else ("100644", made[path])
    levels = _levels(repository, tree, {posixpath.dirname(path) for path in wanted})
    lines: list[bytes] = []
    top = _rewritten(levels, "", wanted, lines, width=len(tree))
    code, out, words = repository.ask("mktree", "-z", "--missing", "--batch", stdin=b"\0".join(lines) + b"\0")
    if code or (top or out.decode().split()[-1]) not in out.decode().split():
        raise UserError(f"git mktree failed: {words}")
    return top or out.decode().split()[-1]


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


Wanted = Mapping[str, tuple[str, str] | None]


def _levels(repository: Repository, tree: str, folders: Iterable[str]) -> dict[str, dict[str, Entry]]:
    """The direct members of some folders and all above them, in one question."""
    wanted = {""}
    for folder in folders:
        parts = folder.split("/")
        wanted |= {"/".join(parts[: n + 1]) for n in range(len(parts))}
    names = sorted(wanted)
    asked = b"".join(os.fsencode(f"{tree}:{name}") + b"\0" for name in names)
    _, out, _ = repository.ask("cat-file", "--batch", "-z", stdin=asked)
    found: dict[str, dict[str, Entry]] = {}
    position = 0
    for name in names:
        end = out.index(b"\n", position)
        header = out[position:end].split(b" ")
        position = end + 1
        if len(header) >= 3 and header[-2] in {b"tree", b"blob", b"commit"}:
            size = int(header[-1])
            if header[-2] == b"tree":
                found[name] = {e.path: e for e in _members(out[position : position + size], len(tree) // 2)}
            position += size + 1
    return found


def _members(content: bytes, width: int) -> Iterable[Entry]:
    position = 0
    while position < len(content):
        end = content.index(b"\0", position)
        mode, _, name = content[position:end].partition(b" ")
        position = end + 1 + width
        yield Entry(os.fsdecode(name), mode.decode().zfill(6), content[end + 1 : position].hex())


def _rewritten(
    levels: Mapping[str, Mapping[str, Entry]], folder: str, wanted: Wanted, lines: list[bytes], *, width: int
) -> str | None:
    """The id of a folder's new tree, None where nothing is left in it; what makes it is added to `lines`."""
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
        made = _rewritten(levels, inner, changes, lines, width=width)
        if made is not None:
            here[name] = Entry(name, _TREE, made)
        elif name in here and here[name].mode == _TREE:
            del here[name]
    if not here and folder:
        return None
    return _made(here.values(), lines, width)


def _made(entries: Iterable[Entry], lines: list[bytes], width: int) -> str:
    """The id of a tree, and in `lines` how git is told to make it (gitformat-tree: folders sort as if they ended in `/`)."""
    kinds = {_TREE: "tree", "160000": "commit"}
    ordered = sorted(entries, key=lambda e: os.fsencode(e.path) + (b"/" if e.mode == _TREE else b""))
    content = b"".join(
        f"{e.mode.lstrip('0')} ".encode() + os.fsencode(e.path) + b"\0" + bytes.fromhex(e.oid) for e in ordered
    )
    lines += (f"{e.mode} {kinds.get(e.mode, 'blob')} {e.oid}\t".encode() + os.fsencode(e.path) for e in ordered)
    lines.append(b"")
    algorithm = "sha1" if width == 40 else "sha256"
    return hashlib.new(algorithm, b"tree %d\0" % len(content) + content, usedforsecurity=False).hexdigest()


def _entries(listing: bytes) -> Iterable[Entry]:
    for record in listing.split(b"\0"):
        if record:
            meta, _, name = record.partition(b"\t")
            mode, _, oid = meta.split(b" ")
            yield Entry(os.fsdecode(name), mode.decode(), oid.decode())
