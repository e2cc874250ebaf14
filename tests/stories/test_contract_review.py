"""The contract's sentences on `review`, seen from outside, on repositories that look like real ones."""

import json
import time

import node_oracle
import pytest
from conftest import GitRepo

from bot.cli import main
from tests.checks.drizzle_samples import CONFIG, Story
from tests.stories.test_review import Reviewed, two_sides

SUPABASE = "CREATE TABLE profiles (id uuid PRIMARY KEY REFERENCES auth.users(id) ON DELETE CASCADE);"
INVOICES = """
import { bigint, check, numeric, pgTable } from "drizzle-orm/pg-core";
import { sql } from "drizzle-orm";
export const invoices = pgTable("invoices", { id: bigint({ mode: "number" }).primaryKey(), total: numeric().notNull() },
  (t) => [check("positive", sql`${t.total} > 0`)]);
"""


def listed(*names: str) -> Story:
    """A base with these tables, and a package.json."""
    story = Story({"drizzle.config.ts": CONFIG, "package.json": '{"dependencies": {"drizzle-orm": "^0.45"}}'})
    for name in names:
        story.add(name)
    return story


@pytest.mark.node
@pytest.mark.parametrize("version", ["v0", "v1"])
def test_what_drizzle_generates_for_another_type_is_not_missing(
    version: node_oracle.Version, repo: GitRepo, capsys: pytest.CaptureFixture[str]
) -> None:
    """PostgreSQL writes casts into a CHECK when a column's type changes under it; drizzle-kit has nothing to generate for that."""
    oracle = node_oracle.require(version)
    orm = {"v0": "^0.45.0", "v1": "1.0.0-rc.5"}[version]
    files = {
        ".gitignore": "node_modules\n",
        "package.json": json.dumps({"dependencies": {"drizzle-orm": orm}}),
        "drizzle.config.ts": CONFIG,
    }
    repo.write({**files, "schema.ts": INVOICES})
    oracle.kit(repo.path, "generate")
    repo.commit()
    repo.branch("head")
    repo.write({"schema.ts": INVOICES.replace("total: numeric()", 'total: bigint({ mode: "number" })')})
    time.sleep(1.1)  # v1 names a migration by its second
    oracle.kit(repo.path, "generate")
    repo.commit()
    seen = Reviewed(repo, capsys)
    assert "missing-migration" not in seen.rules()
    assert (seen.verdict, seen.report["equality"]["schema_ts"], seen.report["equality"]["snapshot"]) == (
        "pass",
        "equal",
        "equal",
    )


@pytest.mark.node
def test_another_check_is_missing_still(repo: GitRepo, capsys: pytest.CaptureFixture[str]) -> None:
    """Only casts are PostgreSQL's own; another bound has no migration."""
    oracle = node_oracle.require("v0")
    repo.write({".gitignore": "node_modules\n", "drizzle.config.ts": CONFIG, "schema.ts": INVOICES})
    oracle.kit(repo.path, "generate")
    repo.commit()
    repo.branch("head")
    repo.commit({"schema.ts": INVOICES.replace("> 0", "> 1")})
    seen = Reviewed(repo, capsys)
    assert (seen.verdict, seen.rules("error")) == ("block", ["missing-migration"])


def test_a_foreign_key_to_the_users_of_supabase(repo: GitRepo, capsys: pytest.CaptureFixture[str]) -> None:
    """`REFERENCES auth.users(id)`, as people write it, runs."""
    base = listed("users")
    seen = Reviewed(two_sides(repo, base, base.fork().add("profiles", SUPABASE)), capsys)
    assert (seen.code, seen.verdict, seen.report["replay"]["from_base"]) == (0, "pass", "ok")


def test_a_policy_file_that_was_broken_on_base_leaves_the_last_valid_one(
    repo: GitRepo, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nobody gets past the policy by merging one that is no YAML; the report says which one judged."""
    path = ".github/migration-policy.yml"
    base = listed("users")
    repo.commit({**base.files, path: "rules: {no-primary-key: error}\n"})
    repo.commit({path: "rules: {no-primary-key: [\n"})
    repo.branch("head")
    repo.commit(base.fork().add("orders").files)
    seen = Reviewed(repo, capsys)
    assert (seen.verdict, seen.rules("error")) == ("block", ["no-primary-key"])
    assert any("the last version of it that could be holds" in note for note in seen.report["notes"])


DEFERRED = """CREATE TABLE "a" ("id" int PRIMARY KEY);
CREATE TABLE "b" ("a" int REFERENCES "a" DEFERRABLE INITIALLY DEFERRED);
INSERT INTO "b" VALUES (5);"""


@pytest.mark.parametrize(
    ("sql", "verdict", "tested"), [(DEFERRED, "block", "unmet"), ("SET ROLE postgres;", "pass", "unknown")]
)
def test_what_fails_after_the_last_statement(
    repo: GitRepo, capsys: pytest.CaptureFixture[str], sql: str, verdict: str, tested: str
) -> None:
    """A constraint that waits for the commit fails there; what a role may not do here, it may do elsewhere."""
    base = listed("users")
    seen = Reviewed(two_sides(repo, base, base.fork().add("late", sql)), capsys)
    assert (seen.verdict, seen.item("migration-tested")) == (verdict, tested)
    (found,) = (f for f in seen.report["findings"] if f["rule"] == "fails")
    assert "where the migrator records and commits" in found["message"]


def test_what_the_branch_database_lacks_is_untested_not_failed(
    repo: GitRepo, capsys: pytest.CaptureFixture[str]
) -> None:
    """An extension that is not there is our limit: unknown, never unmet, and the title says so."""
    base = listed("users")
    sql = "CREATE EXTENSION postgis;--> statement-breakpoint\nCREATE TABLE g (id bigint PRIMARY KEY, p geometry);"
    seen = Reviewed(two_sides(repo, base, base.fork().add("places", sql)), capsys)
    assert (seen.verdict, seen.item("migration-tested")) == ("pass", "unknown")
    assert seen.report["title"] == "passed, 3 things not checked"


@pytest.mark.parametrize("waived", [True, False])
def test_a_deliberate_squash_is_one_waiver(repo: GitRepo, capsys: pytest.CaptureFixture[str], *, waived: bool) -> None:
    """`history` excuses all that a squash breaks, on base's state, too; without it each of them blocks."""
    allowed = "-- migrate:allow history: squashed for the new region\n" if waived else ""
    squash = listed()
    squash.files["schema.ts"] = (
        'import { pgTable, text } from "drizzle-orm/pg-core";\n'
        'export const a = pgTable("users", { id: text() });\nexport const b = pgTable("orders", { id: text() });\n'
    )
    base = squash.fork().add("users").add("orders")
    squash.add("init", f'{allowed}CREATE TABLE "users" ("id" text);\nCREATE TABLE "orders" ("id" text);')
    seen = Reviewed(two_sides(repo, base, squash), capsys)
    assert seen.verdict == ("pass" if waived else "block")
    excused = {f["rule"] for f in seen.report["findings"] if f["waived"]}
    assert excused == ({"deleted-migration", "fails", "silently-skipped"} if waived else set())
    assert not waived or "waiver-unknown-rule" not in seen.rules()


def test_a_squash_of_the_first_migrations_alone(repo: GitRepo, capsys: pytest.CaptureFixture[str]) -> None:
    """What stays behind the squashed ones stays; the one waiver covers what the new file makes again."""
    base = listed("users", "orders").add("refunds")
    squash = listed()
    both = '-- migrate:allow history: squashed\nCREATE TABLE "users" ("id" text);\nCREATE TABLE "orders" ("id" text);'
    squash.add("init", both, when=1_760_000_001_500).add("refunds", idx=2)
    seen = Reviewed(two_sides(repo, base, squash), capsys)
    assert seen.verdict == "pass", seen.report["findings"]
    assert "fails" in [f["rule"] for f in seen.report["findings"] if f["waived"]]


def test_a_squash_that_builds_nothing_is_not_excused(repo: GitRepo, capsys: pytest.CaptureFixture[str]) -> None:
    """Whoever waives the history has not waived SQL that fails on an empty database."""
    base, squash = listed("users", "orders"), listed()
    squash.add("init", "-- migrate:allow history: squashed\nALTER TABLE nobody ADD COLUMN x text;")
    seen = Reviewed(two_sides(repo, base, squash), capsys)
    assert seen.verdict == "block"
    assert "fails" in [f["rule"] for f in seen.report["findings"] if not f["waived"]]


def test_a_base_that_cannot_be_built_says_nothing_on_stderr(repo: GitRepo, capfd: pytest.CaptureFixture[str]) -> None:
    """What libraries tell themselves is for nobody's terminal."""
    base = listed().add(
        "gis", "CREATE EXTENSION postgis;--> statement-breakpoint\nCREATE TABLE g (id int, p geometry);"
    )
    seen = Reviewed(two_sides(repo, base, base.fork().add("more", "ALTER TABLE g ADD COLUMN z text;")), capfd)
    assert (seen.verdict, seen.err) == ("pass", "")


def test_a_strict_policy_says_what_blocks(repo: GitRepo, capsys: pytest.CaptureFixture[str]) -> None:
    """There is no error to fix; what was not checked is named instead."""
    base = listed("users")
    base.files[".github/migration-policy.yml"] = "version: 1\nstrict: true\n"
    two_sides(repo, base, base.fork().add("places", "CREATE EXTENSION postgis;"))
    assert main(["review", "--repo", str(repo.path), "--base", "main", "--head", "head"]) == 1
    told = " ".join(capsys.readouterr().out.split())
    assert "The policy is strict: what could not be checked blocks, too." in told
    assert "Fix the error" not in told


@pytest.mark.parametrize(
    "sql", ["CREATE ROLE reporting;", 'CREATE POLICY "p" ON "users" TO authenticated USING (true);']
)
def test_roles_that_a_shared_server_cannot_make_do_not_block(
    repo: GitRepo, capsys: pytest.CaptureFixture[str], state_server: str, sql: str
) -> None:
    """On a server that was named no role is made; that is our limit, and it is said."""
    base = listed("users")
    seen = Reviewed(two_sides(repo, base, base.fork().add("roles", sql)), capsys, "--database", state_server)
    assert (seen.verdict, seen.item("migration-tested")) == ("pass", "unknown")
    assert any("No roles can be made" in note for note in seen.report["notes"])
