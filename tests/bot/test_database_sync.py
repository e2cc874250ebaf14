"""`db sync` writes exactly the rows that the schema proves, and nothing where it proves none."""

import shutil
from pathlib import Path
from typing import Any, Literal

import pytest

from bot.branches.embedded import EmbeddedBranch
from tests import node_oracle
from tests.bot import database_samples as samples
from tests.bot.database_samples import BREAK, CHAIN, TITLE, USERS, data, db, project, rows, url
from tests.bot.test_database_migrate import digest


def synced(branch: EmbeddedBranch, repo: Path) -> tuple[int, dict[str, Any]]:
    return data("sync", "--url", url(branch), "--repo", repo)


def made(branch: EmbeddedBranch, *texts: str) -> None:
    """Run SQL past every table of rows, as push does."""
    with branch.connect() as session:
        for text in texts:
            session.execute(text.encode())


@pytest.mark.parametrize(("form", "point"), [("v0", 1), ("v0", 2), ("v0", 3), ("v1", 2)])
def test_no_table_of_rows(branch: EmbeddedBranch, tmp_path: Path, form: str, point: int) -> None:
    """Lost, or never made: each point of the chain is found by its schema."""
    repo = project(tmp_path, format=form)
    made(branch, *CHAIN[:point])
    code, said = synced(branch, repo)
    assert (code, said["status"], said["point"]) == (0, "synced", point), said
    assert [row[0] for row in rows(branch)] == [digest(text) for text in CHAIN[:point]]
    assert synced(branch, repo)[1]["status"] == "nothing-to-do"


def test_an_empty_database(branch: EmbeddedBranch, tmp_path: Path) -> None:
    """Nothing is applied, and nothing is marked as such; rows that say otherwise go."""
    repo = project(tmp_path)
    assert synced(branch, repo)[1]["status"] == "nothing-to-do"
    assert db("migrate", "--url", url(branch), "--repo", repo)[0] == 0
    made(branch, "drop table posts, users")
    code, said = synced(branch, repo)
    assert (code, said["point"], rows(branch)) == (0, 0, [])


def test_rows_that_were_deleted_doubled_or_are_of_nothing(branch: EmbeddedBranch, tmp_path: Path) -> None:
    """Missing ones are written, doubles and strangers removed; those that are right keep their place."""
    repo = project(tmp_path)
    assert db("migrate", "--url", url(branch), "--repo", repo)[0] == 0
    table = "drizzle.__drizzle_migrations"
    made(
        branch,
        f"delete from {table} where id = 2",
        f"insert into {table} (hash, created_at) select hash, created_at from {table} where id = 1",
        f"insert into {table} (hash, created_at) values ('of a squashed history', 9999999999999)",
    )
    code, said = synced(branch, repo)
    assert (code, said["point"], len(said["changes"])) == (0, 3, 3), said
    assert sorted(row[0] for row in rows(branch)) == sorted(map(digest, CHAIN))
    assert rows(branch, "id")[:2] == [(1,), (3,)]
    assert db("status", "--url", url(branch), "--repo", repo)[0] == 0


def test_a_squashed_history(branch: EmbeddedBranch, tmp_path: Path) -> None:
    """The rows of the old files go, the row of the new one is written; migrate does it by itself."""
    old = project(tmp_path / "old")
    assert db("migrate", "--url", url(branch), "--repo", old)[0] == 0
    new = project(
        tmp_path / "new", (BREAK.join(CHAIN), "CREATE TABLE next();"), whens=(1_800_000_000_000, 1_800_000_001_000)
    )
    code, said = data("migrate", "--url", url(branch), "--repo", new)
    assert (code, said["applied"]) == (0, ["0001_step"]), said
    assert [row[1] for row in rows(branch)] == [1_800_000_000_000, 1_800_000_001_000]


def test_renumbered_migrations(branch: EmbeddedBranch, tmp_path: Path) -> None:
    """Rows move by the hash of their content."""
    repo = project(tmp_path)
    assert db("migrate", "--url", url(branch), "--repo", repo)[0] == 0
    project(
        tmp_path,
        names=("0000_step", "0007_step", "0008_step"),
        whens=(1_700_000_000_000, 1_800_000_000_000, 1_800_000_000_001),
    )
    code, said = synced(branch, repo)
    assert (code, said["point"]) == (0, 3)
    assert [row[1] for row in rows(branch, "id, created_at")] == [
        1_700_000_000_000,
        1_800_000_000_000,
        1_800_000_000_001,
    ]
    assert db("status", "--url", url(branch), "--repo", repo)[0] == 0


def test_renamed_folders(branch: EmbeddedBranch, tmp_path: Path) -> None:
    """In v1 the name is the identity, and Drizzle would run a renamed folder again."""
    old = project(tmp_path / "old", format="v1")
    assert db("migrate", "--url", url(branch), "--repo", old)[0] == 0
    names = ("20231114221320_step", "20240101000000_moved", "20240101000001_moved")
    new = project(tmp_path / "new", format="v1", names=names)
    code, said = synced(branch, new)
    assert (code, len(said["changes"])) == (0, 2), said
    assert [row[0] for row in rows(branch, "name")] == list(names)
    assert db("status", "--url", url(branch), "--repo", new)[0] == 0


def test_a_database_one_hotfix_ahead(branch: EmbeddedBranch, tmp_path: Path) -> None:
    """No point is equal: the nearest is named with what lies between, and nothing is written."""
    repo = project(tmp_path)
    made(branch, *CHAIN[:2], "create index hotfix on posts (author)")
    code, said = synced(branch, repo)
    assert (code, said["status"], said["point"]) == (1, "refused", 2)
    assert "DROP INDEX" in said["drift"]["to_files"]
    assert "CREATE INDEX hotfix" in said["drift"]["to_database"]
    with branch.connect() as session:
        assert session.execute("select to_regclass('drizzle.__drizzle_migrations')").fetchone() == (None,)


def test_a_database_of_another_project(branch: EmbeddedBranch, tmp_path: Path) -> None:
    """Its rows are left alone."""
    other = project(tmp_path / "other", ("CREATE TABLE theirs(x int);",), whens=(1_600_000_000_000,))
    assert db("migrate", "--url", url(branch), "--repo", other)[0] == 0
    before = rows(branch)
    code, said = synced(branch, project(tmp_path / "ours"))
    assert (code, said["status"], rows(branch)) == (1, "refused", before)


def test_another_project_in_a_schema_of_its_own(branch: EmbeddedBranch, tmp_path: Path) -> None:
    """Its rows are left alone where the two share a table of rows."""
    other = project(
        tmp_path / "other",
        ("CREATE SCHEMA theirs;" + BREAK + "CREATE TABLE theirs.t(x int);",),
        whens=(1_600_000_000_000,),
    )
    assert db("migrate", "--url", url(branch), "--repo", other)[0] == 0
    before = rows(branch)
    code, said = synced(branch, project(tmp_path / "ours"))
    assert (code, said["status"], rows(branch)) == (1, "refused", before), said


def test_rows_of_data_are_looked_for(branch: EmbeddedBranch, tmp_path: Path) -> None:
    """A migration whose rows are not there is not marked as applied, though later ones are; `db migrate` runs it."""
    seed = "INSERT INTO users (email) VALUES ('first@example.com');"
    repo = project(tmp_path, (USERS, seed, TITLE.replace("posts", "users")))
    made(branch, USERS, TITLE.replace("posts", "users"))
    code, said = data("migrate", "--url", url(branch), "--repo", repo)
    assert (code, said["applied"]) == (0, ["0001_step"]), said
    with branch.connect() as session:
        assert session.execute("select email from users").fetchall() == [("first@example.com",)]


def test_rows_of_data_that_are_there_are_not_written_twice(branch: EmbeddedBranch, tmp_path: Path) -> None:
    """The table of rows was lost after the last migration, which only fills a table."""
    repo = project(tmp_path, (USERS, "INSERT INTO users (email) VALUES ('first@example.com');"))
    assert db("migrate", "--url", url(branch), "--repo", repo)[0] == 0
    made(branch, "drop table drizzle.__drizzle_migrations")
    code, said = data("migrate", "--url", url(branch), "--repo", repo)
    assert (code, said["applied"], said["synced"]["point"]) == (0, [], 2), said


def test_what_is_not_ours_is_no_difference(branch: EmbeddedBranch, tmp_path: Path) -> None:
    """Extensions, other schemas, a platform's objects, owners, comments, grants and storage settings."""
    repo = project(tmp_path)
    made(
        branch,
        *CHAIN,
        "create extension citext",
        "create schema analytics; create table analytics.events(id int)",
        "create schema auth; create table auth.users(id uuid)",
        "create role reader; grant select on users to reader; comment on table users is 'people'",
        "alter table users set (autovacuum_vacuum_scale_factor = 0.01); alter table users replica identity full",
        "create publication everything for table users",
    )
    code, said = synced(branch, repo)
    assert (code, said["point"]) == (0, 3), said


def test_migrations_after_the_files_were_edited(branch: EmbeddedBranch, tmp_path: Path) -> None:
    """Where the schema is still that of the files, the rows get the new hashes."""
    repo = project(tmp_path)
    assert db("migrate", "--url", url(branch), "--repo", repo)[0] == 0
    project(tmp_path, ("-- now with a comment\n" + USERS, *CHAIN[1:]))
    code, said = data("status", "--url", url(branch), "--repo", repo)
    assert (code, said["environments"][0]["edited"], said["environments"][0]["drift"]) == (1, ["0000_step"], None)
    assert synced(branch, repo)[0] == 0
    assert db("status", "--url", url(branch), "--repo", repo)[0] == 0


def test_a_dry_run_writes_nothing(branch: EmbeddedBranch, tmp_path: Path) -> None:
    """It says what it would do, with exit code 1."""
    repo = project(tmp_path)
    made(branch, *CHAIN)
    code, said = data("sync", "--url", url(branch), "--repo", repo, "--dry-run")
    assert (code, said["status"], len(said["changes"])) == (1, "would-sync", 3)
    with branch.connect() as session:
        assert session.execute("select to_regclass('drizzle.__drizzle_migrations')").fetchone() == (None,)


SCHEMA = """
import { pgTable, serial, text, integer, timestamp, pgEnum, index, uniqueIndex, boolean, jsonb } from "drizzle-orm/pg-core";
export const role = pgEnum("role", ["admin", "member"]);
export const users = pgTable("users", {
  id: serial("id").primaryKey(),
  email: text("email").notNull().unique(),
  role: role("role").default("member").notNull(),
  created: timestamp("created", { withTimezone: true }).defaultNow().notNull(),%s
}, (t) => [index("by_created").on(t.created)]);
export const posts = pgTable("posts", {
  id: serial("id").primaryKey(),
  author: integer("author").notNull().references(() => users.id, { onDelete: "cascade" }),
  meta: jsonb("meta").default({}),
  hidden: boolean("hidden").default(false),
}, (t) => [uniqueIndex("one_each").on(t.author, t.hidden)]);
"""


@pytest.mark.node
@pytest.mark.long
@pytest.mark.parametrize("version", ["v0", "v1"])
@pytest.mark.parametrize("migrated", [False, True])
def test_the_real_push(branch: EmbeddedBranch, tmp_path: Path, version: Literal["v0", "v1"], *, migrated: bool) -> None:
    """`drizzle-kit push` made the database, or changed it after `migrate`: the rows are found, and nothing is left to do."""
    oracle = node_oracle.require(version)
    repo = samples.project(tmp_path, (), format=version)
    with branch.connect() as session:
        info = session.info
        credentials = (
            f'{{ host: "{info.host}", user: "{info.user}", database: "{info.dbname}", port: 5432, ssl: false }}'
        )
    (repo / "drizzle.config.ts").write_text(
        f'export default {{ dialect: "postgresql", out: "./drizzle", schema: "./schema.ts", dbCredentials: {credentials} }};\n'
    )
    shutil.rmtree(repo / "drizzle", ignore_errors=True)
    (repo / "schema.ts").write_text(SCHEMA % "")
    oracle.kit(repo, "generate", "--name=one")
    if migrated:
        assert db("migrate", "--url", url(branch), "--repo", repo)[0] == 0
    (repo / "schema.ts").write_text(SCHEMA % '\n  nick: text("nick"),')
    oracle.kit(repo, "generate", "--name=two")
    oracle.kit(repo, "push", "--force")
    code, said = data("migrate", "--url", url(branch), "--repo", repo)
    assert (code, said["applied"]) == (0, []), said
    assert said["synced"]["point"] == 2
    assert db("status", "--url", url(branch), "--repo", repo)[0] == 0
