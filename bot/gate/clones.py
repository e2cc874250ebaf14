"""Keeps a bare, partial clone of every repository that is reviewed, and fetches into it what a review needs.

The token reaches git through its environment (`GIT_CONFIG_COUNT`), which other users cannot read; it is never part of a
command line, a URL, a file, a log or an error.
"""

import asyncio
import base64
import contextlib
import os
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, urlsplit

from bot.branches import files
from bot.inbox import Later
from checks.errors import UserError

_SECONDS = 300
_BASE = "refs/bulletproof/base"
_PULL = "refs/bulletproof/pull"
_GROUP = "refs/bulletproof/group"


@dataclass(frozen=True, slots=True)
class Clone:
    """A repository on this machine, and what git needs to get more of it.

    Attributes:
        environment: for every git that may fetch, also the one that gets missing blobs.
    """

    path: Path
    environment: dict[str, str]


class Clones:
    """All clones of this machine.

    Args:
        folder: where they are kept.
        template: where from (`{owner}`, `{repo}`).
    """

    def __init__(self, folder: Path, template: str) -> None:
        self._folder, self._template = folder, template

    def clone(self, repository: int, owner: str, name: str, token: str | None) -> Clone:
        """The clone of a repository; its name may have changed, its id has not."""
        url = self._template.format(owner=quote(owner), repo=quote(name))
        environment = {"GIT_TERMINAL_PROMPT": "0", "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
        settings = [("protocol.ext.allow", "never"), ("remote.origin.url", url)]
        where = urlsplit(url)
        if token and where.scheme in {"http", "https"}:
            secret = base64.b64encode(f"x-access-token:{token}".encode()).decode()
            # For this host only: a redirect to another one does not take it along.
            settings.append((f"http.{where.scheme}://{where.netloc}/.extraHeader", f"Authorization: Basic {secret}"))
        environment["GIT_CONFIG_COUNT"] = str(len(settings))
        for number, (key, value) in enumerate(settings):
            environment[f"GIT_CONFIG_KEY_{number}"] = key
            environment[f"GIT_CONFIG_VALUE_{number}"] = value
        return Clone(self._folder / f"{repository}.git", environment)

    async def fetch(self, clone: Clone, refs: Sequence[str], commits: Sequence[str] = ()) -> dict[str, str]:
        """Bring refs of the remote here; gives the commit of each.

        Args:
            clone: where to.
            refs: full names of refs there.
            commits: which have to be here afterwards; asked for by name where the refs did not bring them.

        Raises:
            Later: the remote cannot be reached, or does not have a commit yet.
        """
        return await asyncio.to_thread(self._fetch, clone, refs, commits)

    def _fetch(self, clone: Clone, refs: Sequence[str], commits: Sequence[str]) -> dict[str, str]:
        files.make(self._folder, mode=0o700)
        with files.lock(clone.path.with_suffix(".lock")):
            self._make(clone)
            local = {ref: _local(ref) for ref in refs}
            _fetched(clone, [f"+{ref}:{local[ref]}" for ref in refs])
            missing = [sha for sha in commits if not _has(clone, sha)]
            if missing:
                _fetched(clone, missing)
            return {ref: _git(clone, "rev-parse", "--verify", f"{local[ref]}^{{commit}}").strip() for ref in refs}

    def _make(self, clone: Clone) -> None:
        if (clone.path / "HEAD").is_file() and (clone.path / "made").is_file():
            return
        clone.path.mkdir(exist_ok=True)
        _git(clone, "init", "--quiet", "--bare", ".")
        # The remote's address is given with every command: it changes when a repository is renamed.
        for key, value in (
            ("remote.origin.promisor", "true"),
            ("remote.origin.partialclonefilter", "blob:none"),
            ("gc.auto", "0"),
            ("fetch.writeCommitGraph", "false"),
            ("transfer.fsckObjects", "false"),
        ):
            _git(clone, "config", key, value)
        (clone.path / "made").touch()


def changed(clone: Clone, old: str, new: str) -> list[str] | None:
    """The paths that differ between two commits; None: one of them is not here."""
    try:
        said = _git(clone, "diff-tree", "-r", "-z", "--name-only", "--no-renames", "--no-commit-id", old, new)
    except UserError:
        return None
    return [path for path in said.split("\0") if path]


def subjects(clone: Clone, base: str, head: str, most: int) -> list[str]:
    """The subjects of the commits that a queue put on base one after the other, the oldest first."""
    said = _git(
        clone, "log", "--first-parent", "--reverse", f"--max-count={most}", "--format=%s", "-z", f"{base}..{head}"
    )
    return [line for line in said.split("\0") if line]


def forks(clone: Clone, base: str, head: str) -> str | None:
    """Where head left base; None: one of them is not here, or they have no common commit."""
    try:
        return _git(clone, "merge-base", base, head).split("\n", 1)[0]
    except UserError:
        return None


def brought(clone: Clone, base: str, head: str) -> dict[str, tuple[str, str]]:
    """The files that a head changes since it left base, each with the ids of its content before and after (zeros: none)."""
    fork = forks(clone, base, head)
    if fork is None:
        return {}
    said = _git(clone, "diff-tree", "-r", "-z", "--raw", "--no-renames", "--no-commit-id", "--full-index", fork, head)
    parts = said.split("\0")
    rows = ((about.split(), path) for about, path in zip(parts[::2], parts[1::2], strict=False) if about)
    return {path: (about[2], about[3]) for about, path in rows}


def holds(clone: Clone, head: str, member: str, brought: dict[str, tuple[str, str]]) -> bool:
    """Whether `head` is made with `member`: it comes after it, or has every new file of it (a squash, a rebase)."""
    try:
        _git(clone, "merge-base", "--is-ancestor", member, head)
    except UserError:
        there = dict(_listed(clone, head))
        same = {path for path, (_, now) in brought.items() if there.get(path, "0" * len(now)) == now}
        # A file that others of the group change, too (the journal), may differ by now; one that is new may not.
        return bool(same) and all(
            path in same or (path in there and was.strip("0")) for path, (was, _) in brought.items()
        )
    return True


def _listed(clone: Clone, commit: str) -> list[tuple[str, str]]:
    said = _git(clone, "ls-tree", "-r", "-z", "--full-tree", commit)
    rows = (row.split("\t", 1) for row in said.split("\0") if row)
    return [(path, about.split()[2]) for about, path in rows]


def _local(ref: str) -> str:
    if ref.startswith("refs/heads/gh-readonly-queue/"):
        return f"{_GROUP}/{ref.removeprefix('refs/heads/gh-readonly-queue/')}"
    if ref.startswith("refs/heads/"):
        return f"{_BASE}/{ref.removeprefix('refs/heads/')}"
    return f"{_PULL}/{ref.removeprefix('refs/pull/')}"


def _has(clone: Clone, sha: str) -> bool:
    with contextlib.suppress(UserError):
        # --missing=... is not known to cat-file; a promisor would be asked for what is missing, so ask without it.
        _git(clone, "-c", "remote.origin.promisor=false", "cat-file", "-e", f"{sha}^{{commit}}", lazy=False)
        return True
    return False


def _fetched(clone: Clone, specs: Sequence[str]) -> None:
    try:
        _git(
            clone,
            *("fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--no-auto-maintenance", "--prune"),
            *("--recurse-submodules=no", "--filter=blob:none", "origin", *specs),
        )
    except UserError as error:
        raise Later(5.0, f"git could not fetch: {error}") from None


def _git(clone: Clone, *arguments: str, lazy: bool = True) -> str:
    environment = {
        k: v for k, v in os.environ.items() if not k.startswith("GIT_") or k in {"GIT_SSH", "GIT_SSH_COMMAND"}
    }
    environment |= clone.environment | {"LC_ALL": "C"} | ({} if lazy else {"GIT_NO_LAZY_FETCH": "1"})
    try:
        done = subprocess.run(
            ["git", "-c", "core.hooksPath=/dev/null", "-c", "core.fsmonitor=false", *arguments],
            cwd=clone.path,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise UserError(f"git {_verb(arguments)} took more than {_SECONDS} seconds") from None
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip().splitlines()
        raise UserError(f"git {_verb(arguments)}: {said[-1][:300] if said else 'no reason given'}")
    return done.stdout.decode(errors="surrogateescape")


def _verb(arguments: Sequence[str]) -> str:
    return next((word for word in arguments if not word.startswith("-") and "=" not in word), "")
