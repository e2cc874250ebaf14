"""What `bulletproof sync` leaves to a person, and says why."""

import json

import pytest
from conftest import GitRepo

from tests.bot.synced import Synced, offline, tags
from tests.checks.sync_samples import History, shop, two_sides


def test_a_conflict_elsewhere_is_refused(repo: GitRepo, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit code 1, the files named, nothing written."""
    fork = shop().put("schema.ts", "a")
    two_sides(
        repo,
        fork,
        fork.fork().table("invoices").put("schema.ts", "b"),
        fork.fork().table("notes").put("schema.ts", "c"),
    )
    before = repo.git("rev-parse", "HEAD")
    synced = offline(repo, capsys)
    assert (synced.code, synced.status, synced.told["conflicts"]) == (1, "refused", ["schema.ts"])
    assert "schema.ts" in synced.told["reason"]
    assert repo.git("rev-parse", "HEAD") == before


def test_contradictions_are_refused(repo: GitRepo, capsys: pytest.CaptureFixture[str]) -> None:
    """One column, two types; the reason shows both."""
    fork = shop()
    two_sides(repo, fork, fork.fork().column("users", "age", "integer"), fork.fork().column("users", "age", "text"))
    synced = offline(repo, capsys)
    assert (synced.code, synced.status) == (1, "refused")
    assert "integer" in synced.told["reason"]
    assert "text" in synced.told["reason"]


def test_sql_that_base_made_senseless_is_refused(repo: GitRepo, capsys: pytest.CaptureFixture[str]) -> None:
    """Snapshots know nothing of it; PostgreSQL does: the words are its own, with both sides."""
    fork = shop()
    tip = fork.fork().add("gone", 'DROP TABLE "orders";', lambda d: d["tables"].pop("public.orders"))
    head = fork.fork().add("fill", 'INSERT INTO "orders" VALUES (1);')
    two_sides(repo, fork, tip, head)
    synced = Synced(repo, capsys)
    assert synced.status == "refused"
    assert 'relation "orders" does not exist' in synced.told["reason"]
    assert 'DROP TABLE "orders"' in synced.told["reason"]


def test_edited_and_deleted_migrations_of_base_are_refused(repo: GitRepo, capsys: pytest.CaptureFixture[str]) -> None:
    """They are not for a pull request to change."""
    fork = shop()
    head = fork.fork().table("notes").put("drizzle/0001_orders.sql", 'CREATE TABLE "orders" ("id" integer);')
    two_sides(repo, fork, fork.fork().table("invoices"), head)
    synced = offline(repo, capsys)
    assert (synced.status, synced.told["conflicts"]) == ("refused", ["drizzle/0001_orders.sql"])


def test_a_dirty_work_tree_is_refused(repo: GitRepo, capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing is overwritten."""
    fork = shop()
    two_sides(repo, fork, fork.fork().table("invoices"), fork.fork().table("notes"))
    repo.write({"schema.ts": "changed"})
    synced = offline(repo, capsys)
    assert synced.status == "refused"
    assert "schema.ts" in synced.told["reason"]
    assert (repo.path / "schema.ts").read_text() == "changed"


def test_unrelated_histories(repo: GitRepo, capsys: pytest.CaptureFixture[str]) -> None:
    """There is nothing to merge."""
    fork = shop()
    two_sides(repo, fork, fork.fork(), fork.fork().table("notes"))
    repo.git("checkout", "--quiet", "--orphan", "alone")
    repo.commit()
    synced = offline(repo, capsys)
    assert synced.status == "refused"
    assert "no common commit" in synced.told["reason"]


@pytest.mark.long
def test_base_deleted_migrations(repo: GitRepo, capsys: pytest.CaptureFixture[str]) -> None:
    """A squash on base: head's migration goes behind what is there now."""
    fork = shop()
    tip = History({k: v for k, v in fork.files.items() if not k.startswith("drizzle/")}).table("users")
    for path in [p for p in tip.files if p.startswith("drizzle/")]:
        del tip.files[path]
    squashed = (
        fork.files["drizzle/0000_users.sql"] + "--> statement-breakpoint\n" + fork.files["drizzle/0001_orders.sql"]
    )
    both = fork.last["tables"]
    tip.add("squash", squashed, lambda d: d["tables"].update(both), when=1_760_000_900_000)
    two_sides(repo, fork, tip, fork.fork().column("users", "name"))
    synced = Synced(repo, capsys)
    assert synced.told["proven"] is True, synced.told
    assert tags(repo) == ["0000_squash", "0001_users_name"]


@pytest.mark.parametrize("broken", ["{", '{"id": 1}', '{"id": "x", "prevId": "y", "version": "4"}'])
def test_a_snapshot_that_is_none(repo: GitRepo, capsys: pytest.CaptureFixture[str], broken: str) -> None:
    """Refused, with the file named."""
    fork = shop()
    head = fork.fork().table("notes").put("drizzle/meta/0002_snapshot.json", broken)
    two_sides(repo, fork, fork.fork().table("invoices"), head)
    synced = offline(repo, capsys)
    assert synced.status == "refused", synced.told
    assert "drizzle/meta/0002_snapshot.json" in synced.told["reason"]


def test_a_migration_without_a_snapshot(repo: GitRepo, capsys: pytest.CaptureFixture[str]) -> None:
    """Hand-written SQL moves all the same, and a COMMIT in it too."""
    fork = shop()
    sql = 'COMMIT;--> statement-breakpoint\nCREATE INDEX CONCURRENTLY "by_id" ON "users" ("id");'
    two_sides(repo, fork, fork.fork().table("invoices"), fork.fork().add("by_hand", sql, snapshot=False))
    synced = Synced(repo, capsys)
    assert synced.status == "synced", synced.told
    assert tags(repo)[2:] == ["0002_invoices", "0003_by_hand"]
    assert repo.git("show", "HEAD:drizzle/0003_by_hand.sql") == sql


@pytest.mark.long
def test_hostile_nesting_is_refused(repo: GitRepo, capsys: pytest.CaptureFixture[str]) -> None:
    """No traceback, whatever the depth."""
    for depth in (400, 100_000):
        fork = shop()
        head = fork.fork().table("notes")
        last = json.loads(head.files["drizzle/meta/0002_snapshot.json"])
        text = json.dumps({**last, "views": "@"}, indent=2).replace('"@"', '{"a":' * depth + "1" + "}" * depth)
        head.put("drizzle/meta/0002_snapshot.json", text)
        made = GitRepo(repo.path / f"d{depth}")
        two_sides(made, fork, fork.fork().table("invoices"), head)
        assert offline(made, capsys).status in {"refused", "synced"}
