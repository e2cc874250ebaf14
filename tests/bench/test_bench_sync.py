"""What a sync costs beside git's own merge and the reading of the two migrations folders."""

import tracemalloc
from pathlib import Path

import pytest
from conftest import GitRepo

from bot import git_write
from bot.git import Repository
from bot.repair import sync
from checks.drizzle import chain
from checks.drizzle.model import Project
from tests.bench import measure
from tests.checks.sync_samples import History, two_sides

pytestmark = pytest.mark.bench


def built(path: Path, *, migrations: int, others: int) -> Repository:
    """Two branches of a repository with this many migrations and other files."""
    fork = History()
    for number in range(migrations):
        fork.table(f"t{number}", "a", "b", "c")
    for number in range(others):
        fork.put(f"src/d{number % 100}/f{number}.ts", f"export const a{number} = {number};\n")
    repo = GitRepo(path)
    two_sides(repo, fork, fork.fork().table("base"), fork.fork().table("head"))
    return Repository(path)


def read(repository: Repository) -> None:
    """Read both folders, as the sync must."""
    cache = chain.Cache()
    for revision in ("main", "head"):
        tree = git_write.files(repository, revision, ["drizzle"])
        chain.read(tree, Project(root="", format="v0", migrations_dir="drizzle"), cache=cache)


@pytest.mark.parametrize(("migrations", "others"), [(30, 100), (60, 5000)])
def test_sync(tmp_path: Path, migrations: int, others: int) -> None:
    """Without the proof: at most three merges of git's and the reading of the folders."""
    repository = built(tmp_path / "repo", migrations=migrations, others=others)
    ours, merge, reading = measure.medians(
        [
            lambda: sync.prepare(repository, "main", "head", provider=None),
            lambda: git_write.merge(repository, "head", "main"),
            lambda: read(repository),
        ]
    )
    measure.line(f"sync, {migrations} migrations, {others} files", ours, 3 * merge + reading, at_most=1.0)


def test_memory(tmp_path: Path) -> None:
    """It does not grow with what lies outside of the migrations folder."""
    peaks: list[float] = []
    for others in (100, 5000):
        repository = built(tmp_path / f"repo{others}", migrations=20, others=others)
        sync.prepare(repository, "main", "head", provider=None)
        tracemalloc.start()
        sync.prepare(repository, "main", "head", provider=None)
        peaks.append(tracemalloc.get_traced_memory()[1] / 1024)
        tracemalloc.stop()
    measure.line("sync, memory with 50 times the files", peaks[1], peaks[0], at_most=1.1, unit="KiB")
