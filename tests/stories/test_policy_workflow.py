"""What the policy requires, its checklist and its monitoring, each line in its own words."""

import json

import pytest
from conftest import GitRepo

from bot.git import Repository
from bot.terminal import backtest, init
from checks import policy, ways
from checks.drizzle import projects
from checks.ways import commands
from tests.checks.ways_samples import MODULE, POLICY_PATH, STANDARD, package
from tests.stories.policy_shop import FOLDER, SCHEMA, Shop, schema

ORDERS = f"{FOLDER}/0001_orders.sql"


@pytest.fixture
def shop(repo: GitRepo, capsys: pytest.CaptureFixture[str]) -> Shop:
    return Shop(repo, capsys)


def test_edit_schema_generate_review_migrate_commit_together(shop):
    """The whole workflow, as the policy wants it: every item of its checklist is met."""
    head = shop.base.fork().add("orders")
    head.files[SCHEMA] = schema("users", "orders")
    seen = shop.review(head.files, offline=False)
    assert seen.verdict == "pass"
    assert {name: item["state"] for name, item in seen.items.items()} == {
        "schema-in-place": "met",
        "migration-generated": "met",
        "migration-reviewed": "not-applicable",
        "migration-tested": "met",
        "committed-together": "met",
        "no-banned-commands": "met",
        "standard-connection": "met",
        "tracking-untouched": "met",
        "history-linear": "met",
    }


def test_schema_changes_are_in_the_schema_file(shop):
    """A migration by hand that the schema file does not know of."""
    head = shop.base.fork().add("orders")
    seen = shop.review(head.files, offline=False)
    assert seen.verdict == "block"
    assert seen.state("schema-in-place") == "unmet"


def test_migration_generated(shop):
    """A change of the schema file without its migration."""
    seen = shop.review({SCHEMA: schema("users", "orders")}, offline=False)
    assert seen.verdict == "block"
    assert (seen.state("migration-generated"), seen.state("committed-together"), seen.state("schema-in-place")) == (
        "unmet",
        "unmet",
        "met",
    )


def test_both_committed(shop):
    """The migration's file came, and its journal entry did not."""
    head = shop.base.fork().add("orders")
    files = {SCHEMA: schema("users", "orders"), ORDERS: head.files[ORDERS]}
    seen = shop.review(files)
    assert seen.state("committed-together") == "unmet"


def test_migration_tested(shop):
    """It is tested by running it; what was not run is not called tested, and what failed blocks."""
    head = shop.base.fork().add("orders", sql='ALTER TABLE "nobody" ADD COLUMN "x" text;')
    seen = shop.review(head.files, offline=False)
    assert (seen.verdict, seen.state("migration-tested")) == ("block", "unmet")
    assert 'relation "nobody" does not exist' in seen.items["migration-tested"]["why"]


def test_not_tested_is_unknown_and_never_met(shop):
    head = shop.base.fork().add("orders")
    assert shop.review(head.files).state("migration-tested") == "unknown"


def test_migration_reviewed_is_asked_for_where_the_policy_says_so(shop):
    shop.on_base({POLICY_PATH: "review: {required: true}\n"})
    head = shop.base.fork().add("orders")
    del head.files[POLICY_PATH]
    seen = shop.review(head.files)
    assert seen.state("migration-reviewed") == "unknown"  # a terminal does not see approvals
    assert "requires an approval" in seen.items["migration-reviewed"]["why"]


def test_conflicts_impossible(shop):
    """Two branches that took the same number: the second one cannot pass."""
    head = shop.base.fork().add("orders")
    main = shop.base.fork().add("items")
    shop.repo.branch("head", "main")
    shop.repo.commit(head.files)
    shop.repo.checkout("main")
    shop.repo.commit(main.files)
    shop.repo.checkout("head")
    seen = _review_as_it_is(shop)
    assert (seen["verdict"], next(i["state"] for i in seen["checklist"] if i["id"] == "history-linear")) == (
        "block",
        "unmet",
    )


def _review_as_it_is(shop: Shop) -> dict[str, object]:
    from bot.cli import main  # noqa: PLC0415 - this story alone has two sides

    shop._capsys.readouterr()
    main(["review", "--repo", str(shop.repo.path), "--base", "main", "--head", "head", "--format", "json", "--offline"])
    return json.loads(shop._capsys.readouterr().out)


def test_monitoring_only_the_standard_module_creates_connections(shop):
    """The audit of the whole tree, whoever brought it in."""
    shop.on_base({"scripts/old.ts": STANDARD, "scripts/push.sh": "npx drizzle-kit push\n"})
    tree = Repository(shop.repo.path).tree("main")
    audit = ways.audit(tree, policy.read(tree), projects.find(tree))
    assert [(type(f).__name__, f.place.path) for f in audit.facts] == [
        ("NonstandardConnection", "scripts/old.ts"),
        ("BannedCommand", "scripts/push.sh"),
    ]
    assert audit.connection.module == MODULE


def test_the_one_migrate_command_is_named_to_whoever_uses_another(shop):
    shop.on_base({POLICY_PATH: "commands: {migrate: 'db:up'}\n"})
    seen = shop.review({"package.json": package(db__push="drizzle-kit push")})
    assert "npm run db:up" in seen.report["findings"][0]["help"]


def test_adopting_it_in_an_afternoon(shop):
    """`init --scripts` writes the policy and the commands; the pull request that brings them passes; the backtest blocks nothing ordinary."""
    shop.on_base({POLICY_PATH: None, "package.json": package(build="next build", db__push="drizzle-kit push")})
    init.write(shop.repo.path, scripts=True)
    written = {path: (shop.repo.path / path).read_text() for path in (POLICY_PATH, "package.json")}
    scripts = json.loads(written["package.json"])["scripts"]
    assert commands.refuses(scripts["db:push"])
    assert scripts["db:migrate"] == "bulletproof db migrate"
    assert backtest.judge(Repository(shop.repo.path), provider=None).count("block") == 0
    shop.repo.git("checkout", "--quiet", "--", ".")
    shop.repo.git("clean", "-qfd")
    seen = shop.review(written)
    assert (seen.verdict, seen.errors()) == ("pass", [])
