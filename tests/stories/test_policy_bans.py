"""What the policy bans, each line in its own words."""

import pytest
from conftest import GitRepo

from tests.checks.ways_samples import MODULE, POLICY_PATH, package
from tests.stories.policy_shop import FOLDER, SCHEMA, Shop, schema, story


@pytest.fixture
def shop(repo: GitRepo, capsys: pytest.CaptureFixture[str]) -> Shop:
    return Shop(repo, capsys)


def test_banned_db_push_because_it_bypasses_tracking(shop):
    """`db:push`: it changes a database past its migrations."""
    seen = shop.review({"package.json": package(build="next build", db__push="drizzle-kit push")})
    assert (seen.code, seen.verdict) == (1, "block")
    assert seen.errors() == [("banned-command", "package.json", 4)]
    assert seen.state("no-banned-commands") == "unmet"
    (finding,) = seen.report["findings"]
    assert "past its migrations" in finding["message"]
    assert "db:migrate" in finding["help"]


def test_banned_drizzle_kit_push_in_a_deployment(shop):
    """`drizzle-kit push`, hidden in the image that is deployed."""
    seen = shop.review({"Dockerfile": "FROM node:20\nCMD npx drizzle-kit push && node server.js\n"})
    assert seen.errors() == [("banned-command", "Dockerfile", 2)]


def test_banned_mixed_connection_methods(shop):
    """`drizzle-orm/node-postgres` beside `@neondatabase/serverless`."""
    source = 'import { drizzle } from "drizzle-orm/node-postgres";\nimport { pool } from "./pool";\nexport const db = drizzle(pool);\n'
    seen = shop.review({"scripts/report.ts": source})
    assert seen.errors() == [("forbidden-driver", "scripts/report.ts", 1)]
    assert seen.state("standard-connection") == "unmet"


def test_every_script_must_use_the_one_standard_connection_module(shop):
    seen = shop.review(
        {
            "scripts/seed.ts": 'import { Pool } from "pg";\nconst pool = new Pool({ connectionString: process.env.DATABASE_URL });\n'
        }
    )
    assert seen.errors() == [("nonstandard-connection", "scripts/seed.ts", 2)]
    assert MODULE in seen.report["findings"][0]["help"]


def test_the_standard_module_is_the_only_place_that_may_call_neon(shop):
    alias = 'import { neon as n } from "@neondatabase/serverless";\nexport const sql = n(process.env.DATABASE_URL!);\n'
    assert shop.review({"app/api/route.ts": alias}).errors() == [("nonstandard-connection", "app/api/route.ts", 2)]


def test_the_standard_module_itself_may(shop):
    alias = 'import { neon as n } from "@neondatabase/serverless";\nexport const sql = n(process.env.DATABASE_URL!);\n'
    assert shop.review({MODULE: alias}).verdict == "pass"


def test_banned_manual_writes_to_drizzle_migrations(shop):
    head = shop.base.fork().add(
        "repair", sql="INSERT INTO drizzle.__drizzle_migrations (hash, created_at) VALUES ('x', 1);"
    )
    seen = shop.review(head.files)
    assert ("manual-tracking", f"{FOLDER}/0001_repair.sql", 1) in seen.errors()
    assert seen.state("tracking-untouched") == "unmet"


def test_banned_manual_writes_in_a_script(shop):
    source = 'import { sql } from "../lib/database/connection-standard";\nawait sql`delete from drizzle.__drizzle_migrations where id = 3`;\n'
    assert shop.review({"scripts/repair.ts": source}).errors() == [("manual-tracking", "scripts/repair.ts", 2)]


def test_what_was_there_before_is_left_in_peace(shop):
    """Only what the pull request brings blocks: the old push in the same file does not."""
    shop.on_base({"package.json": package(db__push="drizzle-kit push", build="next build")})
    seen = shop.review({"package.json": package(lint="eslint .", db__push="drizzle-kit push", build="next build")})
    assert (seen.verdict, seen.errors()) == ("pass", [])


def test_without_a_policy_file_the_policy_advises(shop):
    shop.on_base({POLICY_PATH: None})
    seen = shop.review({"package.json": package(db__push="drizzle-kit push")})
    assert seen.verdict == "pass"
    assert [(f["rule"], f["severity"]) for f in seen.report["findings"]] == [("banned-command", "warning")]


def test_a_pull_request_cannot_loosen_the_policy_that_judges_it(shop):
    head = {
        POLICY_PATH: "commands: {banned: []}\nrules: {banned-command: off}\n",
        "package.json": package(db__push="drizzle-kit push"),
    }
    seen = shop.review(head)
    assert seen.errors() == [("banned-command", "package.json", 3)]
    assert any("This pull request changes the policy" in note for note in seen.report["notes"])


def test_a_day_of_ordinary_work_passes(shop):
    """A table, its migration, a query, a test with its own database, a word in the docs."""
    head = story("users").add("orders")
    head.files[SCHEMA] = schema("users", "orders")
    head.files["app/orders.ts"] = (
        'import { sql } from "@/lib/database/connection-standard";\nexport const all = () => sql`select * from orders`;\n'
    )
    head.files["tests/orders.test.ts"] = (
        'import { Pool } from "pg";\nconst pool = new Pool({ connectionString: "postgres://localhost/test" });\n'
    )
    head.files["README.md"] = "Never run `npx drizzle-kit push`.\n"
    seen = shop.review(head.files, offline=False)
    assert (seen.verdict, seen.errors()) == ("pass", [])
