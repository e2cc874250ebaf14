"""A database that ran a branch's migrations under their old numbers, and what becomes of it after the branch was synced."""

from pathlib import Path

import pytest
from conftest import GitRepo

from bot.branches.embedded import Embedded, EmbeddedBranch
from bot.repair import sync
from checks.catalog import difference
from checks.catalog import read as catalogs
from tests.bot.database_samples import data, db, rows, url
from tests.bot.synced import START, folder
from tests.checks.sync_samples import History, shop, two_sides


def v0() -> tuple[History, History, History]:
    """Fork, base and head: base takes the number."""
    fork = shop()
    return fork, fork.fork().table("invoices"), fork.fork().column("users", "name").table("notes")


def v1() -> tuple[History, History, History]:
    """Fork, base and head: base takes a later second."""
    package = {"package.json": '{"devDependencies": {"drizzle-kit": "1.0.0-rc.5", "drizzle-orm": "1.0.0-rc.5"}}'}
    start = {**START, **package}
    base = {**start, **folder("20260103000000_base", "b", ["s"], "invoices", "id")}
    head = {
        **start,
        **folder("20260102000000_one", "h1", ["s"], "users", "name"),
        **folder("20260102000001_two", "h2", ["h1"], "notes", "id"),
    }
    return History(start), History(base), History(head)


@pytest.mark.long
@pytest.mark.parametrize("format_", ["v0", "v1"])
def test_nothing_runs_twice_and_nothing_is_reset(
    repo: GitRepo, branch: EmbeddedBranch, branches: Embedded, tmp_path: Path, format_: str
) -> None:
    """`db sync` moves the rows by content; `db migrate` then runs exactly what base brought. Rows of users stay."""
    two_sides(repo, *(v0() if format_ == "v0" else v1()))
    where = ("--url", url(branch), "--repo", str(repo.path))
    assert db("migrate", *where)[0] == 0
    with branch.connect() as session:
        session.execute(b"INSERT INTO users (id, name) VALUES ('1', 'Ada')")
    before = [row[0] for row in rows(branch)]
    outcome = sync.run(repo=repo.path, base="main", provider=branches)
    assert outcome.proven, outcome
    assert len(outcome.renamed) == 2
    code, said = data("sync", *where)
    assert code == 0, said
    assert [row[0] for row in rows(branch)] == before
    code, text = db("migrate", *where)
    assert code == 0, text
    assert "Ran 1:" in text
    with branch.connect() as session:
        assert session.execute(b"SELECT name FROM users").fetchall() == [("Ada",)]
        here = catalogs.read(session)
    assert db("status", *where)[0] == 0
    with branches.branch() as fresh:
        assert db("migrate", "--url", url(fresh), "--repo", str(repo.path))[0] == 0
        with fresh.connect() as session:
            assert difference.equal(here, catalogs.read(session))
