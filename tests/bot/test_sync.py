"""`bulletproof sync` from a terminal: what a developer sees, and what git and PostgreSQL say about the result."""

import json
from typing import Any

import pytest
from conftest import GitRepo

from bot.cli import main
from tests.checks.sync_samples import History, commit, shop, two_sides


class Synced:
    """A sync, as JSON."""

    def __init__(self, repo: GitRepo, capsys: pytest.CaptureFixture[str], *more: str) -> None:
        self.code = main(["sync", "--repo", str(repo.path), "--base", "main", "--format", "json", *more])
        out, self.err = capsys.readouterr()
        print(self.err)
        self.told: dict[str, Any] = json.loads(out) if out else {}

    @property
    def status(self) -> str:
        """`synced`, `nothing-to-do` or `refused`."""
        return self.told["status"]


def journal(repo: GitRepo, revision: str = "HEAD", folder: str = "drizzle") -> list[dict[str, Any]]:
    """The entries of the journal at a revision."""
    return json.loads(repo.git("show", f"{revision}:{folder}/meta/_journal.json"))["entries"]


def snapshot(repo: GitRepo, number: str, revision: str = "HEAD") -> dict[str, Any]:
    """A snapshot at a revision."""
    return json.loads(repo.git("show", f"{revision}:drizzle/meta/{number}_snapshot.json"))


def test_two_people_made_number_two(repo: GitRepo, capsys: pytest.CaptureFixture[str]) -> None:
    """Head's migration gets the next number; base's files are as they were; git merges the result without a word."""
    fork = shop()
    two_sides(repo, fork, fork.fork().table("invoices"), fork.fork().column("users", "name"))
    head = repo.git("rev-parse", "HEAD")
    synced = Synced(repo, capsys)
    assert (synced.code, synced.status, synced.told["proven"]) == (0, "synced", True), synced.told
    assert synced.told["renamed"] == [{"from": "0002_users_name", "to": "0003_users_name"}]
    assert repo.git("rev-parse", "HEAD^1", "HEAD^2").split() == [head, repo.git("rev-parse", "main")]
    assert repo.git("cat-file", "commit", "HEAD").endswith("0003_users_name")
    assert repo.git("status", "--porcelain") == ""
    assert [e["tag"] for e in journal(repo)] == ["0000_users", "0001_orders", "0002_invoices", "0003_users_name"]
    assert repo.git("diff", "--name-status", "main", "HEAD").split() == [
        "A", "drizzle/0003_users_name.sql", "A", "drizzle/meta/0003_snapshot.json", "M", "drizzle/meta/_journal.json",
    ]  # fmt: skip
    last = snapshot(repo, "0003")
    assert last["prevId"] == snapshot(repo, "0002")["id"]
    assert set(last["tables"]) == {"public.users", "public.orders", "public.invoices"}
    assert set(last["tables"]["public.users"]["columns"]) == {"id", "name"}
    again = Synced(repo, capsys)
    assert (again.code, again.status) == (0, "nothing-to-do")
    repo.checkout("main")
    repo.git("merge", "--quiet", "--no-ff", "-m", "merge", "head")
