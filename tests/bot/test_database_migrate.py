"""`db migrate` runs what is pending, and leaves rows and schema that agree."""

import hashlib
import json
from pathlib import Path

import pytest

from bot.branches.embedded import EmbeddedBranch
from tests.bot import database_samples as samples
from tests.bot.database_samples import CHAIN, TITLE, USERS, data, db, project, rows, url


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


@pytest.mark.parametrize("form", ["v0", "v1"])
def test_an_empty_database_gets_everything_once(branch: EmbeddedBranch, tmp_path: Path, form: str) -> None:
    """All migrations run, each has its row, and a second run finds nothing to do."""
    repo = project(tmp_path, format=form)
    code, said = data("migrate", "--url", url(branch), "--repo", repo)
    assert code == 0, said
    assert len(said["applied"]) == 3
    assert [row[0] for row in rows(branch)] == [digest(text) for text in CHAIN]
    code, said = data("migrate", "--url", url(branch), "--repo", repo)
    assert (code, said["applied"], said["status"]) == (0, [], "ok")
    assert len(rows(branch)) == 3
    assert db("status", "--url", url(branch), "--repo", repo)[0] == 0


def test_a_failing_file_undoes_the_run(branch: EmbeddedBranch, tmp_path: Path) -> None:
    """As with Drizzle all pending files share a transaction; the place of the failing statement is said."""
    repo = project(tmp_path, (USERS, "SELECT 1;\n--> statement-breakpoint\n\nALTER TABLE nope ADD COLUMN x int;"))
    code, said = data("migrate", "--url", url(branch), "--repo", repo)
    assert code == 1
    assert said["failed"][0]["migration"] == "0001_step"
    assert said["failed"][0]["statement"] == 1
    assert said["failed"][0]["sqlstate"] == "42P01"
    code, text = db("migrate", "--url", url(branch), "--repo", repo)
    assert "drizzle/0001_step.sql:4: relation" in text
    assert rows(branch) == []


def test_force_goes_past_a_failing_file_and_says_who_and_why(branch: EmbeddedBranch, tmp_path: Path) -> None:
    """The failing file is rolled back and not recorded, later files run, and the log has the reason."""
    repo = project(tmp_path, (USERS, "CREATE TABLE half();" + samples.BREAK + "SELECT 1/0", "CREATE TABLE later();"))
    code, said = data("migrate", "--url", url(branch), "--repo", repo, "--force", "--reason", "night shift")
    assert (code, said["applied"]) == (1, ["0000_step", "0002_step"])
    with branch.connect() as session:
        assert session.execute("select to_regclass('half'), to_regclass('later')::text").fetchone() == (None, "later")
        logged = session.execute("select action, reason from drizzle.__bulletproof_log").fetchall()
    assert logged == [("failed", "night shift")]


def test_what_drizzle_would_skip_runs(branch: EmbeddedBranch, tmp_path: Path) -> None:
    """A migration older than the youngest row is named, and runs."""
    repo = project(tmp_path, (USERS, "CREATE TABLE late();"), whens=(2000, 3000))
    assert data("migrate", "--url", url(branch), "--repo", repo)[0] == 0
    project(tmp_path, (USERS, "CREATE TABLE late();", "CREATE TABLE skipped();"), whens=(2000, 3000, 2500))
    code, said = data("status", "--url", url(branch), "--repo", repo)
    assert (code, said["environments"][0]["would_skip"]) == (1, ["0002_step"])
    code, said = data("migrate", "--url", url(branch), "--repo", repo)
    assert (code, said["applied"], said["would_skip"]) == (0, ["0002_step"], ["0002_step"])
    assert db("status", "--url", url(branch), "--repo", repo)[0] == 0


def test_a_database_made_by_push_is_synced_first(branch: EmbeddedBranch, tmp_path: Path) -> None:
    """The rows of what is there are written, and only the rest runs."""
    repo = project(tmp_path)
    with branch.connect() as session:
        for text in CHAIN[:2]:
            session.execute(text.encode())
    code, said = data("migrate", "--url", url(branch), "--repo", repo)
    assert (code, said["applied"]) == (0, ["0002_step"]), said
    assert said["synced"]["point"] == 2
    assert len(rows(branch)) == 3


def test_drift_is_refused_with_the_difference(branch: EmbeddedBranch, tmp_path: Path) -> None:
    """A hotfix that no migration has stops the run; --force goes on and is recorded."""
    repo = project(tmp_path, CHAIN[:2])
    assert data("migrate", "--url", url(branch), "--repo", repo)[0] == 0
    with branch.connect() as session:
        session.execute("alter table users add column hotfix int")
    project(tmp_path)
    code, said = data("migrate", "--url", url(branch), "--repo", repo)
    assert (code, said["status"], said["applied"]) == (1, "refused", [])
    assert "hotfix" in said["drift"]["to_files"]
    assert "ADD COLUMN hotfix" in said["drift"]["to_database"]
    assert len(rows(branch)) == 2
    code, said = data("migrate", "--url", url(branch), "--repo", repo, "--force")
    assert (code, said["applied"]) == (0, ["0002_step"])


def test_concurrently_runs_outside_of_the_transaction(branch: EmbeddedBranch, tmp_path: Path) -> None:
    """Drizzle fails on it; here the file runs in steps, has its row, and leaves nothing behind."""
    text = 'CREATE INDEX CONCURRENTLY "by_email" ON "users" ("email");' + samples.BREAK + "CREATE TABLE after();"
    repo = project(tmp_path, (USERS, text, "CREATE TABLE last();"))
    code, said = data("migrate", "--url", url(branch), "--repo", repo)
    assert (code, len(said["applied"])) == (0, 3), said
    with branch.connect() as session:
        assert session.execute("select count(*) from drizzle.__bulletproof_steps").fetchone() == (0,)
        assert session.execute(
            "select indisvalid from pg_index where indexrelid = 'by_email'::regclass"
        ).fetchone() == (True,)
    assert db("status", "--url", url(branch), "--repo", repo)[0] == 0


def test_an_invalid_index_of_an_earlier_attempt_is_cleaned(branch: EmbeddedBranch, tmp_path: Path) -> None:
    """A unique index that cannot be built leaves nothing; the next run, with the rows mended, builds it."""
    text = 'CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS "one_email" ON "users" ("email");'
    repo = project(tmp_path, (USERS,))
    assert data("migrate", "--url", url(branch), "--repo", repo)[0] == 0
    with branch.connect() as session:
        session.execute("insert into users (email) values ('a'), ('a')")
        with pytest.raises(Exception, match="could not create unique index"):
            session.execute('create unique index concurrently "one_email" on users (email)')
    project(tmp_path, (USERS, text))
    code, said = data("migrate", "--url", url(branch), "--repo", repo, "--no-check")
    assert (code, said["failed"][0]["sqlstate"]) == (1, "23505")
    with branch.connect() as session:
        assert session.execute("select to_regclass('one_email')").fetchone() == (None,)
        session.execute("delete from users where id = 1")
    assert data("migrate", "--url", url(branch), "--repo", repo)[0] == 0
    with branch.connect() as session:
        assert session.execute(
            "select indisvalid from pg_index where indexrelid = 'one_email'::regclass"
        ).fetchone() == (True,)


def test_a_new_enum_value_can_be_used_by_the_next_file(branch: EmbeddedBranch, tmp_path: Path) -> None:
    """In one transaction PostgreSQL refuses it; then each file gets its own, and that is said."""
    repo = project(
        tmp_path,
        (
            "CREATE TYPE mood AS ENUM ('ok');",
            "ALTER TYPE mood ADD VALUE 'sad';",
            "CREATE TABLE t(m mood DEFAULT 'sad');",
        ),
    )
    assert data("migrate", "--url", url(branch), "--repo", repo)[0] == 0
    (tmp_path / "again").mkdir()
    repo = project(
        tmp_path,
        (
            "CREATE TYPE mood AS ENUM ('ok');", "ALTER TYPE mood ADD VALUE 'sad';", "CREATE TABLE t(m mood DEFAULT 'sad');",
            "ALTER TYPE mood ADD VALUE 'glad';", "ALTER TABLE t ADD COLUMN n mood DEFAULT 'glad';",
        ),
    )  # fmt: skip
    code, said = data("migrate", "--url", url(branch), "--repo", repo)
    assert (code, said["applied"]) == (0, ["0003_step", "0004_step"])
    assert any("a transaction of its own" in note for note in said["notes"])


def test_dry_run_and_sync_only_run_nothing(branch: EmbeddedBranch, tmp_path: Path) -> None:
    """--dry-run writes nothing at all; --sync-only writes rows only."""
    repo = project(tmp_path)
    code, said = data("migrate", "--url", url(branch), "--repo", repo, "--dry-run")
    assert (code, said["pending"]) == (1, ["0000_step", "0001_step", "0002_step"])
    with branch.connect() as session:
        assert session.execute("select to_regclass('drizzle.__drizzle_migrations')").fetchone() == (None,)
        session.execute(USERS)
    code, said = data("migrate", "--url", url(branch), "--repo", repo, "--sync-only")
    assert (code, said["applied"], said["synced"]["point"]) == (0, [], 1)
    assert [row[0] for row in rows(branch)] == [digest(USERS)]


def test_a_renumbered_migration_is_not_run_twice(branch: EmbeddedBranch, tmp_path: Path) -> None:
    """Its row moves by its hash."""
    repo = project(tmp_path, (USERS, TITLE.replace("posts", "users")))
    assert data("migrate", "--url", url(branch), "--repo", repo)[0] == 0
    project(
        tmp_path, (USERS, "CREATE TABLE base();", TITLE.replace("posts", "users")),
        names=("0000_step", "0001_base", "0002_step"), whens=(1_700_000_000_000, 1_700_000_001_500, 1_700_000_002_000),
    )  # fmt: skip
    code, said = data("migrate", "--url", url(branch), "--repo", repo)
    assert (code, said["applied"]) == (0, ["0001_base"]), said
    assert sorted(row[1] for row in rows(branch)) == [1_700_000_000_000, 1_700_000_001_500, 1_700_000_002_000]
    assert db("status", "--url", url(branch), "--repo", repo)[0] == 0


def test_a_schema_that_went_back_is_not_gone_over_again(branch: EmbeddedBranch, tmp_path: Path) -> None:
    """Its migration changed rows, too: to run it again without being asked would change them twice."""
    double = 'CREATE TABLE "fees" ("id" int);' + samples.BREAK + 'UPDATE "users" SET "email" = "email" || \'!\';'
    repo = project(tmp_path / "repo", (USERS + samples.BREAK + "INSERT INTO users (email) VALUES ('a');", double))
    assert db("migrate", "--url", url(branch), "--repo", repo)[0] == 0
    with branch.connect() as session:
        session.execute("DROP TABLE fees")
        session.commit()
    project(
        tmp_path / "repo",
        (USERS + samples.BREAK + "INSERT INTO users (email) VALUES ('a');", double, 'CREATE TABLE "more" ("id" int);'),
    )
    code, said = data("migrate", "--url", url(branch), "--repo", repo)
    assert (code, said["applied"]) == (1, [])
    assert "0001_step ran" in json.dumps(said)
    assert "fees" in json.dumps(said["drift"])
    with branch.connect() as session:
        assert session.execute("SELECT email FROM users").fetchall() == [("a!",)]
    assert db("sync", "--url", url(branch), "--repo", repo)[0] == 0
    assert db("migrate", "--url", url(branch), "--repo", repo)[0] == 0
