"""What a sync costs beside git's own merge and the reading of the two migrations folders."""

import shutil
import tracemalloc
from functools import partial
from pathlib import Path

import pytest
from conftest import GitRepo

from bot import git_write
from bot.branches.embedded import Embedded
from bot.git import Repository
from bot.repair import sync
from bot.review import review
from checks.drizzle import chain
from checks.drizzle.model import Project
from tests.bench import measure
from tests.checks.sync_samples import History, commit, two_sides

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


def test_with_the_proof(tmp_path: Path) -> None:
    """At most one and a half cold reviews of the same chain: PostgreSQL runs base's migrations and head's, from nothing."""
    repository = built(tmp_path / "repo", migrations=100, others=100)
    provider = Embedded(tmp_path / "data")
    provider.prepare()
    made = sync.prepare(repository, "main", "head", provider=provider)
    assert made.commit is not None

    def cold() -> None:
        shutil.rmtree(provider._place.templates.folder, ignore_errors=True)
        provider._place.templates.folder.mkdir()
        provider.prepare()

    def ours() -> None:
        cold()
        assert sync.prepare(repository, "main", "head", provider=provider).proven

    def reviewed() -> None:
        cold()
        review(repository.change("main", str(made.commit)), provider=provider)

    synced, seen, least = measure.medians([ours, reviewed, cold], rounds=3)
    measure.line("sync with its proof, 100 migrations, cold", synced - least, seen - least, at_most=1.5)


def test_ten_after_one_another(tmp_path: Path) -> None:
    """Each is synced and merged before the next: the tenth costs what the first does."""
    fork = History()
    for number in range(30):
        fork.table(f"t{number}", "a", "b")
    repo = GitRepo(tmp_path / "repo")
    repo.git("config", "user.name", "Ada")
    repo.git("config", "user.email", "ada@example.com")
    commit(repo, {}, fork.files)
    for number in range(11):
        repo.branch(f"pr{number}", "main")
        commit(repo, fork.files, fork.fork().table(f"own{number}").files)
    repo.checkout("main")
    repo.git("merge", "--quiet", "--ff", "pr10")
    repository = Repository(tmp_path / "repo")
    times: list[float] = []
    for number in range(10):
        outcome: list[sync.Outcome] = []
        made = partial(sync.prepare, repository, "main", f"pr{number}", provider=None)
        times.append(measure.took(lambda made=made, outcome=outcome: outcome.append(made())))
        assert outcome[0].status == "synced"
        repo.git("merge", "--quiet", "--ff-only", str(outcome[0].commit))
    measure.line("sync, ten one after another: the later five", min(times[5:]), min(times[:5]), at_most=1.5)
