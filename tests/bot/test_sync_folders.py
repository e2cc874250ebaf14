"""`bulletproof sync` where each migration has a folder (Drizzle 1.0)."""

import json

import pytest
from conftest import GitRepo

from tests.bot.synced import START, Synced, folder, offline
from tests.checks.sync_samples import History, shop, two_sides


def test_folders_of_v1_move_behind_base(repo: GitRepo, capsys: pytest.CaptureFixture[str]) -> None:
    """Later times, and base's leaf as parent; SQL and changes as they were."""
    tip = {**START, **folder("20260103000000_base", "b", ["s"], "orders", "id")}
    head = {
        **START,
        **folder("20260102000000_one", "h1", ["s"], "users", "name"),
        **folder("20260104000000_two", "h2", ["h1"], "notes", "id"),
    }
    two_sides(repo, History(START), History(tip), History(head))
    synced = Synced(repo, capsys)
    assert (synced.status, synced.told["proven"]) == ("synced", True), synced.told
    assert synced.told["renamed"] == [{"from": "20260102000000_one", "to": "20260103000001_one"}]
    one = json.loads(repo.git("show", "HEAD:drizzle/20260103000001_one/snapshot.json"))
    assert (one["id"], one["prevIds"]) == ("h1", ["b"])
    two = repo.git("show", "HEAD:drizzle/20260104000000_two/snapshot.json")
    assert two == head["drizzle/20260104000000_two/snapshot.json"]
    assert (
        repo.git("show", "HEAD:drizzle/20260103000001_one/migration.sql")
        == head["drizzle/20260102000000_one/migration.sql"]
    )
    assert offline(repo, capsys).status == "nothing-to-do"


def test_contradictions_of_v1(repo: GitRepo, capsys: pytest.CaptureFixture[str]) -> None:
    """A table made twice, with different columns."""
    tip = {**START, **folder("20260103000000_base", "b", ["s"], "orders", "id", "a")}
    head = {**START, **folder("20260102000000_head", "h", ["s"], "orders", "id", "b")}
    two_sides(repo, History(START), History(tip), History(head))
    synced = Synced(repo, capsys)
    assert synced.status == "refused", synced.told
    assert "orders" in synced.told["reason"]


def test_the_same_twice_in_v1(repo: GitRepo, capsys: pytest.CaptureFixture[str]) -> None:
    """Base has it, so head's goes."""
    tip = {**START, **folder("20260103000000_base", "b", ["s"], "orders", "id")}
    head = {
        **START,
        **folder("20260102000000_head", "h", ["s"], "orders", "id"),
        **folder("20260102000001_more", "m", ["h"], "orders", "x"),
    }
    two_sides(repo, History(START), History(tip), History(head))
    synced = Synced(repo, capsys)
    assert (synced.status, synced.told["proven"]) == ("synced", True), synced.told
    names = {p.split("/")[1] for p in repo.git("ls-tree", "-r", "--name-only", "HEAD", "drizzle/").splitlines()}
    assert names == {"20260101000000_start", "20260103000000_base", "20260103000001_more"}
    assert json.loads(repo.git("show", "HEAD:drizzle/20260103000001_more/snapshot.json"))["prevIds"] == ["b"]


def test_one_side_was_upgraded(repo: GitRepo, capsys: pytest.CaptureFixture[str]) -> None:
    """Two formats do not mix."""
    fork = shop()
    plain = {k: v for k, v in fork.files.items() if not k.startswith("drizzle/")}
    two_sides(repo, fork, History({**plain, **START}), fork.fork().table("notes"))
    synced = offline(repo, capsys)
    assert synced.status == "refused"
    assert "drizzle-kit up" in synced.told["reason"]
