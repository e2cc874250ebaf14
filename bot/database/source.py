"""The files that a command is about: those of a revision, or those on disk as they are now, committed or not."""

import os
import stat
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from bot.git import MAX_BLOB, Repository
from checks.drizzle import chain as chains
from checks.drizzle import projects
from checks.drizzle.model import Chain, Damage, Project
from checks.errors import UserError
from checks.tree import SYMLINK, Entry, Tree

if TYPE_CHECKING:
    from checks.policy import PolicyFile

_POLICY = (".github/migration-policy.yml", ".github/migration-policy.yaml")
_PASSED_OVER = {"node_modules", ".git", ".next", ".venv", "dist", "build", ".turbo", ".cache"}
_MOST = 8
# What makes Drizzle's migrator stop, or run something else than the files say.
_STOPS = {
    "file-missing", "symlink", "not-a-file", "climbs", "conflict-markers", "not-json", "wrong-shape", "not-utf8",
    "sql-not-utf8", "tag-twice", "no-time", "left-behind",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Source:
    """One project's migrations.

    Attributes:
        top: the folder that paths are relative to.
        written: the policy file, if there is one.
        revision: where the files are from; None: from disk.
    """

    top: Path
    tree: Tree
    written: "PolicyFile | None"
    project: Project
    chain: Chain
    revision: str | None = None

    @property
    def extensions(self) -> tuple[str, ...]:
        """What the policy file says the database has."""
        return () if self.written is None else self.written.policy.branch.extensions


def read(repo: Path, revision: str | None = None, config: str | None = None, *, required: bool = True) -> Source:
    """The project in `repo`; with several, the one below `repo`, or of `config`; one of nothing where none is `required`.

    Raises:
        UserError: there is none, or more than one, or its chain has holes.
    """
    if revision is not None:
        top = _top(repo) or repo
        tree = Repository(repo).tree(revision)
    else:
        top, tree = on_disk(repo)
    written = _policy(tree)
    found = projects.survey(tree, _overrides(written, config))
    project = _choose(found.projects, top, repo, config) if required else next(iter(found.projects), None)
    if project is None and not required:
        project = Project(root="", format="v0", migrations_dir="drizzle")
    if project is None:
        other = f" (only one for {found.others[0].dialect})" if found.others else ""
        raise UserError(f"{repo} has no Drizzle project for PostgreSQL{other}. Name its folder with --repo.")
    chain = chains.read(tree, project)
    return Source(top, tree, written, chain.project, chain, revision)


def _policy(tree: Tree) -> "PolicyFile | None":
    if not any(path in tree for path in _POLICY):
        return None
    from checks import policy  # noqa: PLC0415 - a parser that most runs do without

    return policy.read(tree)


def sound(source: Source) -> None:
    """The chain can be run as it is written.

    Raises:
        UserError: it has holes; nothing may be run or recorded then.
    """
    broken = next((d for d in source.chain.damage if d.area == "journal" and d.problem in _STOPS), None)
    if broken is not None:
        raise UserError(f"The migrations cannot be run: {_told(broken)} Mend that first; nothing was written.")


def on_disk(repo: Path) -> tuple[Path, Tree]:
    """The files as they are now, ignored ones left out, with the folder that they are relative to."""
    if not repo.is_dir():
        raise UserError(f"{repo} is not a folder. Name the folder of the project with --repo.")
    top = _top(repo)
    paths = list(_listed(top)) if top is not None else list(_walked(repo))
    root = top or repo
    entries = [_entry(root, path) for path in paths]

    def fetch(oids: Sequence[str]) -> Mapping[str, bytes]:
        contents: dict[str, bytes] = {}
        for oid in oids:
            path = root / oid.split(":", 2)[2]
            try:
                if path.is_file() and path.stat().st_size <= MAX_BLOB:
                    contents[oid] = path.read_bytes()
            except OSError as error:
                raise UserError(f"{path} cannot be read: {error.strerror or error}.") from None
        return contents

    return root, Tree(entries, fetch)


def _entry(root: Path, path: str) -> Entry:
    """A file on disk; its id changes with its time and size."""
    try:
        seen = (root / path).lstat()
    except OSError:
        return Entry(path, "100644", f"0:0:{path}")
    mode = SYMLINK if stat.S_ISLNK(seen.st_mode) else "100644"
    return Entry(path, mode, f"{seen.st_mtime_ns}:{seen.st_size}:{path}")


def _top(repo: Path) -> Path | None:
    """The top of the git work tree; None where there is none (an image that was built without `.git`)."""
    found = _git(repo, "rev-parse", "--show-toplevel")
    return Path(os.fsdecode(found.rstrip(b"\n"))) if found else None


def _listed(top: Path) -> Iterator[str]:
    out = _git(top, "ls-files", "-z", "--cached", "--others", "--exclude-standard") or b""
    for name in sorted(set(out.split(b"\0"))):
        path = os.fsdecode(name)
        if path and (top / path).is_file():
            yield path


def _git(folder: Path, *arguments: str) -> bytes | None:
    environment = {key: value for key, value in os.environ.items() if not key.startswith("GIT_")} | {"LC_ALL": "C"}
    command = ["git", "-c", "core.fsmonitor=false", "-C", str(folder), *arguments]
    try:
        done = subprocess.run(command, capture_output=True, env=environment, check=False)
    except OSError:
        return None
    return done.stdout if done.returncode == 0 else None


def _walked(root: Path) -> Iterator[str]:
    for folder, below, files in os.walk(root):
        below[:] = sorted(name for name in below if name not in _PASSED_OVER)
        start = os.path.relpath(folder, root)
        for name in files:
            yield name if start == "." else f"{start.replace(os.sep, '/')}/{name}"


def _overrides(written: "PolicyFile | None", config: str | None) -> projects.DrizzleOverrides:
    if written is None:
        return projects.DrizzleOverrides(config=config)
    said = written.policy.drizzle
    return projects.DrizzleOverrides(
        config=config or said.config,
        schema=said.schema_files,
        migrations=None if config else said.migrations,
        format=None if said.format == "auto" else said.format,
        migrator=None if said.migrator == "auto" else said.migrator,
        table=said.table,
    )


def _choose(found: Sequence[Project], top: Path, repo: Path, config: str | None) -> Project | None:
    """The project that is meant."""
    if len(found) < 2 or config is not None:
        return found[0] if found else None
    start = os.path.relpath(repo.resolve(), top.resolve()).replace(os.sep, "/")
    inside = [p for p in found if start == "." or f"{p.migrations_dir}/".startswith(f"{start}/") or p.root == start]
    if len(inside) == 1:
        return inside[0]
    several = inside or found
    named = ", ".join((p.config or p.migrations_dir) for p in several[:_MOST])
    named += f" and {len(several) - _MOST} more" if len(several) > _MOST else ""
    raise UserError(f"There are several Drizzle projects here: {named}. Name the configuration of one with --config.")


def _told(damage: Damage) -> str:
    place = damage.places[0]
    where = f"{place.path}, line {place.line}" if place.path.endswith(".json") else place.path
    words = {
        "file-missing": f"{damage.tag} is in the journal, and {damage.other} is not there.",
        "symlink": f"{damage.other} is a symbolic link, which is not followed.",
        "not-a-file": f"{damage.other} is not a file.",
        "climbs": f"the journal's {damage.tag} leads out of the migrations folder.",
        "conflict-markers": f"{where} has the markers of a merge conflict.",
        "not-json": f"{where} is not JSON ({damage.detail}).",
        "wrong-shape": f"{where} is not what Drizzle writes ({damage.detail}).",
        "not-utf8": f"{where} is not UTF-8.",
        "sql-not-utf8": f"{damage.other} is not UTF-8.",
        "tag-twice": f"the journal lists {damage.tag} twice.",
        "no-time": f"the folder {damage.tag} does not begin with a time (YYYYMMDDHHMMSS).",
        "left-behind": f"{place.path}, a journal of the old format, lies beside the new folders.",
    }
    return words.get(damage.problem, f"{damage.problem} in {where}.")
