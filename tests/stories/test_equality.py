"""Is the migration complete? schema.ts, the last snapshot and what the migrations build are compared on PostgreSQL."""

import json
from typing import Any

import pytest
from conftest import GitRepo

from bot.cli import main
from bot.repair import generate
from bot.repair.generate import Answers
from tests.checks.drizzle_samples import CONFIG, Story

HEAD = 'import { integer, pgTable, text } from "drizzle-orm/pg-core";\n'
USERS = 'export const users = pgTable("users", { id: text(), email: text() });\n'


def shop(schema: str, sql: str = 'CREATE TABLE "users" ("id" text, "email" text);') -> Story:
    """One migration, its snapshot, and a schema file."""
    story = Story({"drizzle.config.ts": CONFIG, "schema.ts": HEAD + schema}).add("users", sql)
    return snapshot(story, {"users": ["id", "email"]})


def snapshot(story: Story, tables: dict[str, list[str]]) -> Story:
    """Write what the last snapshot says."""
    path = f"drizzle/meta/{len(story.entries) - 1:04}_snapshot.json"
    data = json.loads(story.files[path])
    data["tables"] = {
        f"public.{name}": {
            "name": name, "schema": "", "indexes": {}, "foreignKeys": {}, "compositePrimaryKeys": {}, "uniqueConstraints": {},
            "policies": {}, "checkConstraints": {}, "isRLSEnabled": False,
            "columns": {c: {"name": c, "type": "text", "primaryKey": False, "notNull": False} for c in columns},
        }
        for name, columns in tables.items()
    }  # fmt: skip
    return story.put(path.removeprefix("drizzle/"), json.dumps(data, indent=2))


def reviewed(repo: GitRepo, base: Story, head: Story, capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    """The report of head against base."""
    repo.commit(base.files)
    repo.branch("head")
    repo.commit(head.files)
    main(["review", "--repo", str(repo.path), "--base", "main", "--head", "head", "--format", "json"])
    return json.loads(capsys.readouterr().out)


def findings(report: dict[str, Any], rule: str) -> list[dict[str, Any]]:
    """What a rule said."""
    return [f for f in report["findings"] if f["rule"] == rule]


def item(report: dict[str, Any], name: str) -> str:
    """The state of a checklist item."""
    return next(i["state"] for i in report["checklist"] if i["id"] == name)


def test_what_says_the_same_is_equal(repo: GitRepo, capsys: pytest.CaptureFixture[str]) -> None:
    """A migration with its schema change and its snapshot: everything is met."""
    base = shop(USERS)
    head = base.fork().add("age", 'ALTER TABLE "users" ADD COLUMN "age" text;')
    snapshot(head, {"users": ["id", "email", "age"]})
    head.files["schema.ts"] = HEAD + USERS.replace("email: text()", "email: text(), age: text()")
    report = reviewed(repo, base, head, capsys)
    assert report["equality"] == {"schema_ts": "equal", "snapshot": "equal", "missing_sql": "", "unresolved": []}
    assert (item(report, "schema-in-place"), item(report, "migration-generated"), report["verdict"]) == (
        "met",
        "met",
        "pass",
    )


def test_a_schema_change_without_a_migration_blocks_and_shows_the_missing_sql(
    repo: GitRepo, capsys: pytest.CaptureFixture[str]
) -> None:
    """The finding stands where the table is declared, and says what lacks."""
    base = shop(USERS)
    head = base.fork()
    head.files["schema.ts"] = HEAD + USERS.replace(
        "email: text()", "email: text(), age: integer().notNull().default(0)"
    )
    report = reviewed(repo, base, head, capsys)
    (found,) = findings(report, "missing-migration")
    assert (found["path"], found["line"], found["severity"], found["introduced"]) == ("schema.ts", 2, "error", True)
    assert "`users`" in found["message"]
    assert "column `age`" in found["message"]
    assert report["equality"]["schema_ts"] == "differs"
    assert report["equality"]["missing_sql"] == "ALTER TABLE public.users ADD COLUMN age integer DEFAULT 0 NOT NULL;\n"
    assert (report["verdict"], item(report, "migration-generated")) == ("block", "unmet")


def test_an_old_inequality_is_a_note(repo: GitRepo, capsys: pytest.CaptureFixture[str]) -> None:
    """What base lacked already does not block the next pull request."""
    base = shop(USERS.replace("email: text()", "email: text(), age: integer()"))
    head = base.fork().add("orders", 'CREATE TABLE "orders" ("id" text);')
    snapshot(head, {"users": ["id", "email"], "orders": ["id"]})
    head.files["schema.ts"] += 'export const orders = pgTable("orders", { id: text() });\n'
    report = reviewed(repo, base, head, capsys)
    assert [(f["introduced"], f["severity"]) for f in findings(report, "missing-migration")] == [(False, "note")]
    assert report["verdict"] == "pass"


def test_a_column_that_left_the_schema_file_is_a_pending_drop(
    repo: GitRepo, capsys: pytest.CaptureFixture[str]
) -> None:
    """The code goes first: a nullable column that nobody declares any more is listed, and does not block."""
    base = shop(USERS)
    head = base.fork()
    head.files["schema.ts"] = HEAD + USERS.replace(", email: text()", "")
    report = reviewed(repo, base, head, capsys)
    assert [f["severity"] for f in findings(report, "pending-drop")] == ["note"]
    assert findings(report, "missing-migration") == []
    assert (report["verdict"], report["equality"]["missing_sql"]) == ("pass", "")


def test_a_required_column_that_left_the_schema_file_lacks_its_migration(
    repo: GitRepo, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nobody could write a row any more, so that is no safe order."""
    base = shop(
        USERS.replace("email: text()", "email: text().notNull()"),
        'CREATE TABLE "users" ("id" text, "email" text NOT NULL);',
    )
    head = base.fork()
    head.files["schema.ts"] = HEAD + USERS.replace(", email: text()", "")
    report = reviewed(repo, base, head, capsys)
    assert [f["severity"] for f in findings(report, "missing-migration")] == ["error"]
    assert report["verdict"] == "block"


def test_sql_that_says_more_than_schema_and_snapshot_is_a_note(
    repo: GitRepo, capsys: pytest.CaptureFixture[str]
) -> None:
    """A hand-written table, index or function is allowed, and told."""
    base = shop(USERS)
    head = base.fork().add(
        "audit",
        'CREATE TABLE "audit" ("id" text);\n--> statement-breakpoint\nCREATE INDEX "by_mail" ON "users" ("email");',
    )
    snapshot(head, {"users": ["id", "email"]})
    report = reviewed(repo, base, head, capsys)
    (found,) = findings(report, "hand-edited-migration")
    assert found["severity"] == "note"
    assert "table `audit`" in found["message"]
    assert "index `by_mail`" in found["message"]
    assert (report["verdict"], report["equality"]["schema_ts"]) == ("pass", "equal")


def test_rows_that_are_secured_by_hand_lack_no_migration(repo: GitRepo, capsys: pytest.CaptureFixture[str]) -> None:
    """Row level security in SQL of one's own, as platforms advise, is more than schema.ts says, not a migration that lacks."""
    base = shop(USERS)
    sql = 'ALTER TABLE "users" ENABLE ROW LEVEL SECURITY;\nCREATE POLICY own ON "users" USING (auth.uid()::text = id);'
    head = snapshot(base.fork().add("secure", sql), {"users": ["id", "email"]})
    report = reviewed(repo, base, head, capsys)
    (found,) = findings(report, "hand-edited-migration")
    assert "row level security of `users`" in found["message"]
    assert (report["verdict"], findings(report, "missing-migration"), findings(report, "snapshot-differs")) == (
        "pass",
        [],
        [],
    )


@pytest.mark.parametrize(
    "broken", ['{"version": "42", "dialect": "postgresql", "id": "x", "prevId": "y"}', "<<<<<<< main"]
)
def test_an_older_snapshot_is_not_the_last(broken: str, repo: GitRepo, capsys: pytest.CaptureFixture[str]) -> None:
    """Where the newest snapshot cannot be read, none is equal to the migrations, whatever the one before it says."""
    base = shop(USERS)
    head = base.fork().add("rows", "UPDATE users SET email = email WHERE id = 'x';")
    head.put("meta/0001_snapshot.json", broken)
    report = reviewed(repo, base, head, capsys)
    assert findings(report, "snapshot-chain")
    assert (report["verdict"], report["equality"]["snapshot"]) == ("block", "absent")


def test_a_snapshot_that_says_otherwise_is_told(repo: GitRepo, capsys: pytest.CaptureFixture[str]) -> None:
    """SQL edited after it was generated: the next `generate` would start from a wrong state."""
    base = shop(USERS)
    head = base.fork().add("age", 'ALTER TABLE "users" ADD COLUMN "age" integer;')
    snapshot(head, {"users": ["id", "email", "age"]})
    head.files["schema.ts"] = HEAD + USERS.replace("email: text()", "email: text(), age: text()")
    report = reviewed(repo, base, head, capsys)
    assert report["equality"]["snapshot"] == "differs"
    assert [f["introduced"] for f in findings(report, "snapshot-differs")] == [True]


def test_what_cannot_be_known_is_unknown_and_named(repo: GitRepo, capsys: pytest.CaptureFixture[str]) -> None:
    """A table made in a loop over the environment: listed with file and line; never met, never a false difference."""
    base = shop(USERS)
    head = base.fork()
    head.files["schema.ts"] += "export const extra = pgTable(process.env.NAME!, { id: text() });\n"
    report = reviewed(repo, base, head, capsys)
    assert report["equality"]["schema_ts"] == "unresolved"
    assert [(u["path"], u["line"]) for u in report["equality"]["unresolved"]] == [("schema.ts", 3)]
    assert findings(report, "missing-migration") == []
    assert item(report, "migration-generated") == "unknown"


def test_a_database_that_was_pulled_is_its_snapshot(repo: GitRepo, capsys: pytest.CaptureFixture[str]) -> None:
    """`drizzle-kit pull` writes its first migration as a comment: what it found is in the snapshot alone."""
    pulled = (
        '-- Current sql file was generated after introspecting the database\n/*\nCREATE TABLE "users" ("id" text);\n*/'
    )
    base = shop(USERS, pulled)
    head = base.fork().add("age", 'ALTER TABLE "users" ADD COLUMN "age" text;')
    snapshot(head, {"users": ["id", "email", "age"]})
    head.files["schema.ts"] = HEAD + USERS.replace("email: text()", "email: text(), age: text()")
    report = reviewed(repo, base, head, capsys)
    assert (report["verdict"], report["replay"]["from_base"], report["findings"]) == ("pass", "ok", [])
    assert "drizzle-kit pull" in report["notes"][0]


def test_a_schema_file_that_is_gone_is_not_met(repo: GitRepo, capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing was found to compare with, and that is no pass of these items."""
    repo.commit(shop(USERS).files)
    repo.branch("head")
    repo.commit({"schema.ts": None})
    main(["review", "--repo", str(repo.path), "--base", "main", "--head", "head", "--format", "json"])
    report = json.loads(capsys.readouterr().out)
    assert (item(report, "schema-in-place"), item(report, "migration-generated")) == ("unknown", "unknown")


def test_base_that_moved_on_is_not_heads_inequality(repo: GitRepo, capsys: pytest.CaptureFixture[str]) -> None:
    """Head's schema file is compared with head's chain: what base got meanwhile is not missing from it."""
    base = shop(USERS)
    repo.commit(base.files)
    repo.branch("head")
    head = base.fork().add("orders", 'CREATE TABLE "orders" ("id" text);', when=1_760_000_500_000)
    snapshot(head, {"users": ["id", "email"], "orders": ["id"]})
    head.files["schema.ts"] += 'export const orders = pgTable("orders", { id: text() });\n'
    repo.commit(head.files)
    repo.checkout("main")
    tip = base.fork().add("items", 'CREATE TABLE "items" ("id" text);')
    repo.commit(snapshot(tip, {"users": ["id", "email"], "items": ["id"]}).files)
    main(["review", "--repo", str(repo.path), "--base", "main", "--head", "head", "--format", "json"])
    report = json.loads(capsys.readouterr().out)
    assert report["equality"]["schema_ts"] == "equal"
    assert findings(report, "missing-migration") == []


def generated(
    repo: GitRepo,
    before: str,
    after: str,
    capsys: pytest.CaptureFixture[str],
    *,
    kit: str = "0.31.11",
    renames: tuple[str, ...] = (),
    by_hand: str = "",
) -> dict[str, Any]:
    """The report of a schema change whose migration is what drizzle-kit writes for it."""
    head = 'import { customType, index, integer, pgTable, primaryKey, serial, text } from "drizzle-orm/pg-core";\n'
    package = f'{{"devDependencies": {{"drizzle-kit": "{kit}"}}}}'
    repo.commit({"drizzle.config.ts": CONFIG, "package.json": package, "schema.ts": head + before})
    generate.run(repo.path, Answers(name="start"), when=1_700_000_000_000)
    if by_hand:
        first = "drizzle/0000_start.sql"
        repo.write({first: f"{by_hand}--> statement-breakpoint\n{(repo.path / first).read_text()}"})
    repo.commit()
    repo.branch("head")
    repo.write({"schema.ts": head + after})
    generate.run(repo.path, Answers(name="next", renames=renames), when=1_700_000_005_000)
    repo.commit()
    main(["review", "--repo", str(repo.path), "--base", "main", "--head", "head", "--format", "json"])
    return json.loads(capsys.readouterr().out)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (
            "export const u = pgTable('u', { a: integer(), b: text() }, (t) => [primaryKey({ columns: [t.a, t.b] })]);",
            "export const u = pgTable('u', { a: integer(), b: text() });",
        ),
        (
            "export const u = pgTable('u', { a: integer().generatedAlwaysAsIdentity(), b: text() });",
            "export const u = pgTable('u', { a: integer(), b: text() });",
        ),
    ],
)
def test_what_a_key_leaves_behind_lacks_no_migration(
    before: str, after: str, repo: GitRepo, capsys: pytest.CaptureFixture[str]
) -> None:
    """PostgreSQL keeps NOT NULL when a primary key or an identity goes; drizzle-kit has nothing to generate: told, not blocked."""
    report = generated(repo, before, after, capsys)
    assert (report["equality"]["schema_ts"], report["verdict"]) == ("equal", "pass")
    assert findings(report, "missing-migration") == []
    assert [f["severity"] for f in findings(report, "snapshot-differs")] == ["warning"]


@pytest.mark.parametrize("kit", ["0.31.11", "1.0.0-rc.5"])
def test_a_renamed_table_lacks_no_migration(kit: str, repo: GitRepo, capsys: pytest.CaptureFixture[str]) -> None:
    """Sequences and keys keep the names that PostgreSQL or Drizzle made of the old one; nobody has to write them anew."""
    users = """export const users = pgTable("users", { id: serial().primaryKey(), nick: text().notNull().unique(), k: integer().generatedAlwaysAsIdentity() },
          (t) => [index().on(t.nick)]);
        export const posts = pgTable("posts", { by: integer().references(() => users.id) });"""
    people = users.replace('"users"', '"people"').replace("nick", "handle")
    renames = ("users=people", "people.nick=people.handle")
    report = generated(repo, users, people, capsys, kit=kit, renames=renames)
    assert report["replay"]["from_zero"] == "ok"
    assert report["equality"] == {"schema_ts": "equal", "snapshot": "equal", "missing_sql": "", "unresolved": []}
    assert [
        f for rule in ("missing-migration", "snapshot-differs", "hand-edited-migration") for f in findings(report, rule)
    ] == []


def test_an_extension_of_the_chain_is_there_for_the_schema_file(
    repo: GitRepo, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is in a hand-written migration only, and the types and operator classes of the schema file are its."""
    before = """const citext = customType<{ data: string }>({ dataType: () => "citext" });
        export const t = pgTable("t", { id: serial().primaryKey(), mail: citext().unique(), n: text() }, (t) => [index("trg").using("gin", t.n.op("gin_trgm_ops"))]);"""
    report = generated(
        repo,
        before,
        before.replace("n: text()", "n: text(), age: integer()"),
        capsys,
        by_hand="CREATE EXTENSION citext;--> statement-breakpoint\nCREATE EXTENSION IF NOT EXISTS pg_trgm;",
    )
    assert (report["equality"]["schema_ts"], report["equality"]["snapshot"], report["verdict"]) == (
        "equal",
        "equal",
        "pass",
    )


@pytest.mark.parametrize("leaves", [False, True])
def test_without_snapshots_bases_schema_file_tells_what_was_made_by_hand(
    repo: GitRepo, capsys: pytest.CaptureFixture[str], *, leaves: bool
) -> None:
    """SQL may make more than the schema file ever said; what leaves the schema file still needs its migration."""
    base = shop(USERS + 'export const old = pgTable("old", { id: text() });\n')
    base.put("0000_users.sql", base.files["drizzle/0000_users.sql"] + '\nCREATE TABLE "old" ("id" text);')
    head = base.fork().add("policy", 'CREATE POLICY "p" ON "users" USING (true);\nCREATE TABLE "by_hand" ("id" text);')
    if leaves:
        head.files["schema.ts"] = HEAD + USERS
    for story in (base, head):
        for path in [path for path in story.files if path.endswith("_snapshot.json")]:
            del story.files[path]
    report = reviewed(repo, base, head, capsys)
    missing = [f["message"] for f in findings(report, "missing-migration") if f["severity"] == "error"]
    assert ["`old`" in message for message in missing] == [True] * leaves
    (note,) = findings(report, "hand-edited-migration")
    assert "by_hand" in note["message"]
