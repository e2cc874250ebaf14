"""Reads commits, trees and blobs from a git repository's object database; the work tree is never touched."""

import contextlib
import os
import subprocess
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path

from bot.git_contents import MAX_BLOB, Batch, Contents
from checks.change import Change, Changed, Commit, TypeOfChange
from checks.errors import UserError
from checks.tree import Entry, Tree

_MOST_EARLIER = 50

# Nothing the repository's own configuration names may run, and nothing of the caller's hooks may leak in.
_SAFE = (
    "-c",
    "core.fsmonitor=false",
    "-c",
    "core.hooksPath=/dev/null",
    "-c",
    "core.quotePath=false",
    "--no-replace-objects",
)
# As replaced objects, grafts say of history what the commits do not. The file is one that cannot be, or git advises against it.
_UNGRAFTED = {"GIT_GRAFT_FILE": f"{os.devnull}/none"}
_KEPT = (
    "GIT_SSH",
    "GIT_SSH_COMMAND",
    "GIT_ASKPASS",
    "GIT_TRACE",
    "GIT_CONFIG_GLOBAL",
    "GIT_CONFIG_NOSYSTEM",
    "GIT_CONFIG_COUNT",
    "GIT_CONFIG_KEY_",
    "GIT_CONFIG_VALUE_",
)
_LISTING = ("ls-tree", "-r", "-z", "--full-tree")
_PROMISORS = ("config", "--get-regexp", r"^remote\..*\.promisor$", "true")
_KINDS: dict[str, TypeOfChange] = {"A": "added", "D": "deleted", "R": "renamed", "C": "added"}


@dataclass(frozen=True, slots=True)
class _Raw:
    """One record of `git diff-tree --raw`: an entry before, an entry after, either may be missing."""

    before: Entry | None
    after: Entry | None
    change: TypeOfChange


class Repository:
    """A git repository on this machine: ordinary, bare, shallow or partial.

    Raises:
        UserError: the folder is no repository, or git is missing or refuses it.
    """

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path)
        if not self.path.is_dir():
            raise UserError(f"{self.path} is not a folder. Name the folder of a git repository with --repo.")
        said = self._run("rev-parse", "--git-dir", "--git-path", "objects").decode("utf-8", "surrogateescape")
        self.objects = self.path / said.splitlines()[1]
        """The folder of its objects."""

    @property
    def name(self) -> str:
        """What it is called in a sentence."""
        return "this repository" if self.path == Path() else str(self.path)

    def inside(self) -> str:
        """The folder that it was opened in, from the root of the work tree; empty at the root, and where there is none."""
        said = self._try("rev-parse", "--show-prefix")
        return (said or b"").decode("utf-8", "surrogateescape").strip().rstrip("/")

    def resolve(self, revision: str) -> str:
        """The commit id of a revision.

        Raises:
            UserError: there is no such commit here (with what to fetch in a shallow clone).
        """
        if revision and not revision.startswith("-"):
            found = self._try("rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}")
            if found is not None:
                return found.decode().strip()
        raise UserError(f"There is no commit {revision!r} in {self.name}. {self._fetch_advice()}")

    def default_branch(self) -> str:
        """The revision of the default branch's tip: `origin/HEAD`, else the first of main, master, trunk and develop.

        Raises:
            UserError: none of them exists.
        """
        symbolic = self._try("symbolic-ref", "--quiet", "--short", "refs/remotes/origin/HEAD")
        names = [symbolic.decode().strip()] if symbolic else []
        configured = self._try("config", "--get", "init.defaultBranch")
        for name in ([configured.decode().strip()] if configured else []) + ["main", "master", "trunk", "develop"]:
            names += [f"refs/remotes/origin/{name}", f"refs/heads/{name}"]
        for name in names:
            if self._try("rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}") is not None:
                return name
        if not self._try("for-each-ref", "--count=1"):
            raise UserError(f"There is no commit in {self.name} yet, so there is nothing to review.")
        raise UserError(f"There is no branch main or master in {self.name}. Name the base to compare with: --base REV.")

    def merge_base(self, base: str, head: str) -> str:
        """The commit at which `head` left `base`.

        Raises:
            UserError: they have none here: the clone is too shallow, or the histories are unrelated.
        """
        found = self._try("merge-base", base, head)
        if found is None:
            raise UserError(f"{base[:12]} and {head[:12]} have no common commit in {self.name}. {self._fetch_advice()}")
        return found.decode().split("\n", 1)[0]

    def change(self, base: str, head: str) -> Change:
        """Head against base: three trees from one listing and two differences.

        Args:
            base: a revision; collisions are judged against it.
            head: a revision; what it introduces is counted from the merge base.
        """
        batch = self._batch()
        with self._process(*_PROMISORS) as promisors:  # while others work
            base_id, head_id = (_one_meaning(batch, named) or self.resolve(named) for named in (base, head))
            with self._process(*_LISTING, head_id) as listing:
                fork_id = self.merge_base(base_id, head_id)
                head_entries = {entry.path: entry for entry in _entries(self._end(listing, *_LISTING))}
            self._promisor = _first_remote(promisors.communicate()[0])
        ours = list(self._diff(fork_id, head_id, renames=True))
        fork_entries = _undo(head_entries, ours)
        theirs = list(self._diff(fork_id, base_id, renames=False)) if base_id != fork_id else []
        base_entries = _redo(fork_entries, theirs)
        contents = Contents(batch, self._prefetch)
        return Change(
            base=Commit(
                base_id, Tree(base_entries.values(), contents.fetch, partial(self._earlier, base_id), contents.ahead)
            ),
            head=Commit(head_id, Tree(head_entries.values(), contents.fetch, ahead=contents.ahead)),
            merge_base=Commit(fork_id, Tree(fork_entries.values(), contents.fetch, ahead=contents.ahead)),
            files=tuple(_changed(ours)),
            base_files=tuple(_changed(theirs)),
        )

    def _earlier(self, commit: str, path: str) -> Iterator[bytes]:
        """What a file held in the commits before, the latest first."""
        log = self._try("rev-list", f"--max-count={_MOST_EARLIER}", commit, "--", f":(literal,top){path}")
        for name in (log or b"").decode().split():
            held = self._try("cat-file", "blob", f"{name}:{path}")
            if held is not None and len(held) <= MAX_BLOB:
                yield held

    def tree(self, revision: str) -> Tree:
        """The files of one revision."""
        return Tree(self._list(self.resolve(revision)), self._contents().fetch)

    def blobs(self, oids: Sequence[str]) -> dict[str, bytes]:
        """The contents of blobs, in one batch; those over `MAX_BLOB` bytes are left out.

        Raises:
            UserError: a blob is not here and cannot be fetched.
        """
        self._prefetch(oids)
        with contextlib.closing(self._batch()) as batch:
            return batch.read(oids)

    # --- git itself ---

    def ask(
        self, *arguments: str, stdin: bytes | None = None, environment: Mapping[str, str] | None = None
    ) -> tuple[int, bytes, str]:
        """Run git: its exit code, what it printed, and its words on stderr."""
        with self._process(*arguments, environment=environment) as process:
            out, err = process.communicate(stdin)
        return process.returncode, out, (err or b"").decode(errors="replace").strip().removeprefix("fatal: ")

    def start(self, *arguments: str) -> subprocess.Popen[bytes]:
        """Start git; whoever starts it ends it."""
        return self._process(*arguments)

    @property
    def partial(self) -> bool:
        """Whether blobs may be missing here, and are fetched when they are read."""
        return self._promisor is not None

    def fetcher(self) -> Callable[[Sequence[str]], Mapping[str, bytes]]:
        """Reads blobs, each once."""
        return self._contents().fetch

    @cached_property
    def _promisor(self) -> str | None:
        """The remote that a partial clone gets its missing objects from."""
        return _first_remote(self._try(*_PROMISORS) or b"")

    def _contents(self) -> Contents:
        return Contents(self._batch(), self._prefetch)

    def _batch(self) -> Batch:
        return Batch(partial(self.start, "cat-file", "--batch"), self._missing)

    def _missing(self, oid: str) -> UserError:
        what = f"{oid[:12]} cannot be read from {self.name}: it is missing, or damaged (`git fsck` tells)."
        return UserError(f"{what} {self._fetch_advice()}")

    def _prefetch(self, oids: Sequence[str]) -> None:
        """Ask a partial clone's remote for all blobs at once, as git does itself; cat-file would ask for each alone."""
        if not self._promisor:
            return
        names = "".join(f"{oid}\n" for oid in oids).encode()
        self._try(
            *(
                "-c",
                "fetch.negotiationAlgorithm=noop",
                "fetch",
                self._promisor or "origin",
                "--no-tags",
                "--no-write-fetch-head",
            ),
            *("--recurse-submodules=no", "--filter=blob:none", "--quiet", "--stdin"),
            stdin=names,
        )

    def _list(self, commit: str) -> Iterator[Entry]:
        return _entries(self._run(*_LISTING, commit))

    def _diff(self, before: str, after: str, *, renames: bool) -> Iterator[_Raw]:
        flags = ("-M", "-l1000") if renames else ("--no-renames",)
        fields = self._run("diff-tree", "-r", "-z", "--raw", "--no-commit-id", *flags, before, after).split(b"\0")
        position = 0
        while position < len(fields) - 1:
            old_mode, new_mode, old_oid, new_oid, status = fields[position].decode().lstrip(":").split(" ")
            letter = status[0]
            old_name = new_name = os.fsdecode(fields[position + 1])
            position += 2
            if letter in "RC":
                new_name = os.fsdecode(fields[position])
                position += 1
            yield _Raw(
                before=None if letter in "AC" else Entry(old_name, old_mode, old_oid),
                after=None if letter == "D" else Entry(new_name, new_mode, new_oid),
                change=_KINDS.get(letter, "modified"),
            )

    def _fetch_advice(self) -> str:
        shallow = self._try("rev-parse", "--is-shallow-repository")
        if shallow is not None and shallow.strip() == b"true":
            return "This clone is shallow: run `git fetch --unshallow` (in GitHub Actions: `fetch-depth: 0`)."
        return "Check the name, or fetch it first: `git fetch origin`."

    def _run(self, *arguments: str) -> bytes:
        with self._process(*arguments) as process:
            return self._end(process, *arguments)

    def _end(self, process: subprocess.Popen[bytes], *arguments: str) -> bytes:
        out, err = process.communicate()
        if process.returncode:
            raise UserError(_words(arguments, err, self.path))
        return out

    def _try(self, *arguments: str, stdin: bytes | None = None) -> bytes | None:
        with self._process(*arguments) as process:
            out, _ = process.communicate(stdin)
        return out if process.returncode == 0 else None

    def _process(self, *arguments: str, environment: Mapping[str, str] | None = None) -> subprocess.Popen[bytes]:
        more = environment or {}
        environment = {k: v for k, v in os.environ.items() if not k.startswith("GIT_") or k.startswith(_KEPT)}
        environment |= {"LC_ALL": "C", "GIT_TERMINAL_PROMPT": "0", "GIT_OPTIONAL_LOCKS": "0", **_UNGRAFTED, **more}
        try:
            return subprocess.Popen(
                ["git", *_SAFE, "-C", os.fspath(self.path), *arguments],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL if arguments[0] == "cat-file" else subprocess.PIPE,
                env=environment,
            )
        except FileNotFoundError:
            raise UserError("git is not installed. Install the package `git` (2.38 or newer).") from None


def _entries(listing: bytes) -> Iterator[Entry]:
    for record in listing.split(b"\0"):
        if record:
            meta, _, name = record.partition(b"\t")
            mode, _, oid = meta.split(b" ")
            yield Entry(os.fsdecode(name), mode.decode(), oid.decode())


def _first_remote(said: bytes) -> str | None:
    """The remote of the first line of `git config --get-regexp`."""
    return said.decode().split()[0].removeprefix("remote.").removesuffix(".promisor") if said else None


def _one_meaning(batch: Batch, revision: str) -> str | None:
    """The commit that a revision names; None where git must be asked more closely.

    Raises:
        UserError: a tag and a branch are called so: git would take the tag, and nobody would see which was meant.
    """
    found = batch.commit(revision)
    if found is None or revision == "HEAD" or found.startswith(revision):
        return found
    full = [name for name in (f"refs/tags/{revision}", f"refs/heads/{revision}") if batch.commit(name)]
    if len({batch.commit(name) for name in full}) > 1:
        raise UserError(f"{revision!r} is a tag and a branch here: name `{full[0]}` or `{full[1]}`.")
    return found


def _undo(after: Mapping[str, Entry], changes: Iterable[_Raw]) -> dict[str, Entry]:
    """The entries before `changes` led to `after`."""
    entries = dict(after)
    changes = list(changes)
    for raw in changes:
        if raw.after is not None:
            entries.pop(raw.after.path, None)
    entries.update((raw.before.path, raw.before) for raw in changes if raw.before is not None)
    return entries


def _redo(before: Mapping[str, Entry], changes: Iterable[_Raw]) -> dict[str, Entry]:
    """The entries after `changes`."""
    return _undo(before, (_Raw(before=raw.after, after=raw.before, change=raw.change) for raw in changes))


def _changed(changes: Iterable[_Raw]) -> Iterator[Changed]:
    for raw in changes:
        entry = raw.after or raw.before
        if entry is not None:
            yield Changed(entry.path, raw.change, raw.before.path if raw.change == "renamed" and raw.before else None)


def _words(arguments: Sequence[str], stderr: bytes, path: Path) -> str:
    said = stderr.decode(errors="replace").strip().removeprefix("fatal: ")
    if "not a git repository" in said:
        which = "This folder" if path == Path() else str(path)
        if os.path.lexists(path / ".git"):
            return f"{which} has a `.git`, but git cannot use it: it leads nowhere, is damaged, or may not be read. Or name another with --repo."
        return f"{which} is not a git repository. Name one with --repo."
    if "dubious ownership" in said:
        return f"{path.resolve()} belongs to another user, so git does not read it. If you trust it: `git config --global --add safe.directory {path.resolve()}`."
    lines = [line.removeprefix("fatal: ").removeprefix("error: ") for line in said.splitlines()]
    cure = " `git fsck` tells what is damaged." if arguments[0] in {"ls-tree", "diff-tree", "rev-list"} else ""
    return f"git {arguments[0]} failed in {path}: {'; '.join(lines) or 'it gave no reason'}.{cure}"
