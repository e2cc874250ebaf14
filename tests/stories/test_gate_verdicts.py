"""What a pull request meets: the whole service, real reviews, a real PostgreSQL, real git, and a GitHub of our own."""

import json

import pytest
from gate import concluded, settled, until
from github import Hub, Pull, Repository

MIGRATIONS = "lib/database/migrations"


def renumbered(shop: Repository, branch: str, tag: str) -> dict[str, str]:
    """The files with which `branch` adds its migration, under another tag: a sibling that takes the same number."""
    old = "0003_order_history"
    sql = shop.git.git("show", f"{branch}:{MIGRATIONS}/{old}.sql")
    journal = json.loads(shop.git.git("show", f"{branch}:{MIGRATIONS}/meta/_journal.json"))
    snapshot = json.loads(shop.git.git("show", f"{branch}:{MIGRATIONS}/meta/0003_snapshot.json"))
    snapshot["id"] = "6f2f3a90-52b3-4b8e-9a3e-0c1d7c9d2f11"
    journal["entries"][-1]["tag"] = tag
    journal["entries"][-1]["when"] += 1000
    return {
        f"{MIGRATIONS}/{tag}.sql": sql.replace("order_history", "order_log").replace("order_events", "order_log"),
        f"{MIGRATIONS}/meta/_journal.json": json.dumps(journal, indent=2),
        f"{MIGRATIONS}/meta/0003_snapshot.json": json.dumps(snapshot, indent=2),
    }


@pytest.mark.long
def test_clean_then_red_without_a_push(serve, hub: Hub, shop: Repository, state_url: str) -> None:
    """A clean pull request passes with one comment; when base takes its number, it turns red though nobody touched it."""
    serve()
    pull = shop.open("clean")
    check = concluded(pull)
    assert (check["name"], check["conclusion"]) == ("Migration policy", "success")
    settled(state_url)
    [comment] = pull.ours
    assert comment["body"].startswith("<!-- bulletproof -->\n### ✅ Migration policy")
    assert check["details_url"].startswith("https://bulletproof.example/reviews/")
    assert check["history"][0] == ("in_progress", None)
    assert "**not required**" in check["output"]["summary"]

    shop.push({"README.md": "Base moves, and it does not matter."})
    settled(state_url)
    assert pull.check == check, "nothing is written where nothing changes"

    shop.push(renumbered(shop, pull.head, "0003_from_base"))
    red = until(lambda: (run := pull.check) and run["conclusion"] == "failure" and run, "it turns red")
    assert any(a["title"] == "number-collision" for a in red["output"]["annotations"])
    settled(state_url)
    assert [c["id"] for c in pull.ours] == [comment["id"]]
    assert pull.ours[0]["body"].startswith("<!-- bulletproof -->\n### ❌")


@pytest.mark.long
def test_breaking_then_mended(serve, hub: Hub, shop: Repository, state_url: str) -> None:
    """A breaking pull request is blocked with annotations on the right lines; a fix turns it green, in the same comment."""
    serve()
    pull = shop.open("breaking")
    check = concluded(pull)
    assert check["conclusion"] == "failure"
    errors = [a for a in check["output"]["annotations"] if a["annotation_level"] == "failure"]
    assert errors == check["output"]["annotations"][: len(errors)], "the worst come first"
    lines = shop.git.git("show", f"{pull.head}:scripts/backfill-currency.ts").splitlines()
    driver = next(a for a in errors if a["title"] == "forbidden-driver")
    assert driver["path"] == "scripts/backfill-currency.ts"
    assert "node-postgres" in lines[driver["start_line"] - 1]
    settled(state_url)
    assert pull.ours[0]["body"].startswith("<!-- bulletproof -->\n### ❌")
    base = {
        path: shop.git.git("show", f"main:{path}") + "\n"
        for path in shop.git.git("ls-tree", "-r", "--name-only", "main").splitlines()
    }
    clean = {
        path: shop.git.git("show", f"clean:{path}") + "\n"
        for path in shop.git.git("ls-tree", "-r", "--name-only", "clean").splitlines()
    }
    gone = {
        path: None for path in shop.git.git("ls-tree", "-r", "--name-only", pull.head).splitlines() if path not in clean
    }
    pull.push({**base, **clean, **gone})
    assert concluded(pull)["conclusion"] == "success"
    settled(state_url)
    assert len(pull.ours) == 1
    assert pull.ours[0]["body"].startswith("<!-- bulletproof -->\n### ✅")


@pytest.mark.long
def test_advice_without_a_policy_file(serve, hub: Hub, shop: Repository, state_url: str) -> None:
    """Where base has no policy file nothing is blocked, and the title says what would be."""
    shop.push({".github/migration-policy.yml": None}, tell=False)
    serve()
    shop.git.git("checkout", "--quiet", "-b", "advised", "main")
    breaking = shop.git.git("diff", "--name-only", "main...breaking").splitlines()
    shop.git.git("checkout", "--quiet", "breaking", "--", *[p for p in breaking if "drops" not in p])
    shop.git.commit()
    pull = shop.open("advised")
    check = concluded(pull)
    assert check["conclusion"] == "neutral"
    assert check["output"]["title"].startswith("would block: ")
    assert "This is advice" in check["output"]["summary"]


def test_a_pull_request_without_migrations(serve, hub: Hub, shop: Repository, state_url: str) -> None:
    """It gets a completed, passing check of one line, and no comment: a required check that says nothing blocks everyone."""
    serve()
    shop.git.git("checkout", "--quiet", "-b", "docs", "main")
    shop.git.commit({"README.md": "# Corner shop"})
    pull = shop.open("docs")
    check = concluded(pull)
    assert check["conclusion"] == "success"
    assert check["output"]["title"] == "no migration or schema touched"
    settled(state_url)
    assert pull.comments == []
    assert pull.reviews == []


@pytest.mark.long
def test_the_merge_queue_judges_the_merged_tree(serve, hub: Hub, shop: Repository, state_url: str) -> None:
    """Two pull requests that are each fine and collide together: the group that holds both is red on its own commit."""
    serve()
    first = shop.open("clean", tell=False)
    shop.git.git("checkout", "--quiet", "-b", "second", "main")
    files = renumbered(shop, "clean", "0003_second")
    shop.git.commit({p: c for p, c in files.items() if not p.endswith(".json")})
    second: Pull = shop.open("second", tell=False)
    alone, _ = shop.queue(first)
    check = until(lambda: (run := shop.check(alone)) and run["status"] == "completed" and run, "the group is judged")
    assert check["conclusion"] == "success"
    both, _ = shop.queue(first, second)
    check = until(lambda: (run := shop.check(both)) and run["status"] == "completed" and run, "both are judged")
    assert check["conclusion"] == "failure"
