"""`bulletproof backtest`: what would have been said about the pull requests that are merged already."""

import io
import json

import pytest
from conftest import GitRepo

from bot.branches.embedded import Embedded
from bot.git import Repository
from bot.terminal import backtest
from checks import policy
from checks.errors import UserError
from tests.checks.drizzle_samples import Story


def _merge(repo: GitRepo, name: str, files: dict[str, str | bytes | None], number: int) -> str:
    repo.branch(name, "main")
    repo.commit(files, f"work on {name}")
    repo.checkout("main")
    repo.git("merge", "--quiet", "--no-ff", f"--message=Merge pull request #{number} from ada/{name}", name)
    return repo.git("rev-parse", "HEAD")


def _schema(*tables: str) -> str:
    lines = [f'export const {name} = pgTable("{name}", {{ id: text("id") }});' for name in tables]
    return 'import { pgTable, text } from "drizzle-orm/pg-core";\n' + "\n".join(lines) + "\n"


@pytest.fixture
def shop(repo: GitRepo) -> GitRepo:
    """Three merged pull requests that touch migrations, and one that does not."""
    start = Story().add("users")
    start.files["schema.ts"] = _schema("users")
    orders = start.fork().add("orders")
    orders.files["schema.ts"] = _schema("users", "orders")
    items = orders.fork().add("items", sql="DELETE FROM drizzle.__drizzle_migrations;")
    edit = {"drizzle/0000_users.sql": 'CREATE TABLE "users" ("id" integer);'}
    repo.commit(start.files, "start")
    repo.git("remote", "add", "origin", "git@code.example.org:ada/shop.git")
    repo.commit(orders.files, "Add orders (#7)")
    _merge(repo, "readme", {"README.md": "a shop"}, 8)
    _merge(repo, "edit", {**edit}, 9)
    _merge(repo, "tracking", {**items.files, **edit}, 10)
    return repo


def test_each_merged_commit_is_judged_as_the_pull_request_it_was(shop):
    """Squashed commits against their parent, merges by their second parent; what touches no migration is left out."""
    result = backtest.judge(Repository(shop.path), provider=None)
    assert [(j.title, j.verdict) for j in result.judged] == [
        ("Merge pull request #10 from ada/tracking", "pass"),
        ("Merge pull request #9 from ada/edit", "block"),
        ("Add orders (#7)", "pass"),
    ]
    assert list(result.judged[1].blocked) == ["edited-applied-migration"]
    assert "manual-tracking" in result.judged[0].warned  # no policy file: advice
    assert result.judged[2].url == "https://code.example.org/ada/shop/pull/7"


def test_the_policy_of_today_judges_them_all(shop):
    """A policy file that was only just written, and not even committed, counts."""
    (shop.path / ".github").mkdir()
    (shop.path / policy.PATHS[0]).write_text("rules: {edited-applied-migration: warning}\n")
    result = backtest.judge(Repository(shop.path), provider=None)
    assert [j.verdict for j in result.judged] == ["block", "pass", "pass"]
    assert result.rules()["manual-tracking"] == {"blocked": 1, "warned": 0, "noted": 0}
    assert result.rules()["edited-applied-migration"]["warned"] == 1


def test_only_the_last_ones_are_judged(shop):
    assert len(backtest.judge(Repository(shop.path), last=2, provider=None).judged) == 2
    with pytest.raises(UserError, match="--last 0"):
        backtest.run(shop.path, out=io.StringIO(), last=0)


def test_it_is_told_by_rule_in_three_formats(shop):
    out = io.StringIO()
    assert backtest.run(shop.path, out=out, offline=True) == 0
    text = out.getvalue()
    assert text.startswith("3 merged pull requests that touched migrations: 1 would have been blocked.")
    assert "edited-applied-migration        1" in text
    result = backtest.judge(Repository(shop.path), provider=None)
    markdown = backtest.shown(result, "markdown")
    assert "| `edited-applied-migration` | 1 | 0 | 0 |" in markdown
    assert "[Merge pull request \\#9 from ada/edit](https://code.example.org/ada/shop/pull/9)" in markdown
    data = json.loads(backtest.shown(result, "json"))
    assert (data["version"], data["reviewed"], data["blocked"], len(data["pulls"])) == (1, 3, 1, 3)


def test_nothing_is_written_into_the_repository(shop):
    before = shop.git("for-each-ref"), shop.git("status", "--porcelain"), shop.git("count-objects")
    backtest.judge(Repository(shop.path), provider=None)
    assert (shop.git("for-each-ref"), shop.git("status", "--porcelain"), shop.git("count-objects")) == before


def test_a_repository_without_migrations_has_nothing_to_judge(repo):
    repo.commit({"a": "b"})
    out = io.StringIO()
    assert backtest.run(repo.path, out=out, offline=True) == 0
    assert out.getvalue().startswith("No merged commit that touched migrations was found.")


def test_hostile_titles_stay_words(repo):
    start = Story().add("users")
    repo.commit(start.files, "start")
    repo.commit(start.fork().add("orders").files, "\x1b[31m| [x](http://evil.example.org) `y` <img> @everyone")
    result = backtest.judge(Repository(repo.path), provider=None)
    assert "\x1b" not in backtest.shown(result, "text")
    row = backtest.shown(result, "markdown").splitlines()[-1]
    assert row.count("|") - row.count("\\|") == 6
    assert "\\[x\\]" in row
    assert "\\@everyone" in row


def test_with_a_database_the_migrations_run(shop, branches: Embedded):
    result = backtest.judge(Repository(shop.path), last=3, provider=branches)
    assert [j.verdict for j in result.judged][2] == "pass"
    assert result.count("unjudged") == 0
