"""What a release takes away, opens or changes in ways that the text alone does not show: judged by both looks at the database."""

from collections.abc import Iterator

import pytest

from bot.branches.embedded import Embedded, EmbeddedBranch
from checks import compose, evidence, rules
from checks.catalog import read as catalogs
from checks.witnesses import trace

SETUP = """
CREATE TYPE mood AS ENUM ('sad', 'ok');
CREATE SCHEMA app;
CREATE TABLE app.things (id bigint PRIMARY KEY, n int);
CREATE TABLE users (id bigint PRIMARY KEY, email text NOT NULL, nick text, mood mood, n int);
CREATE UNIQUE INDEX users_email ON users (email);
CREATE INDEX users_nick ON users (nick);
CREATE TABLE posts (id bigint PRIMARY KEY, user_id int REFERENCES users, n int);
CREATE TABLE simple (a int, b text);
CREATE VIEW names AS SELECT id, nick FROM users;
ALTER TABLE users ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON users USING (nick = current_user);
CREATE POLICY seen ON users FOR SELECT USING (nick = current_user);
CREATE FUNCTION f() RETURNS int LANGUAGE sql SECURITY DEFINER SET search_path = '' AS 'SELECT 1';
CREATE FUNCTION g() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN new; END';
CREATE TRIGGER t BEFORE INSERT ON users FOR EACH ROW EXECUTE FUNCTION g();
"""


@pytest.fixture(scope="module")
def branch(branches: Embedded) -> Iterator[EmbeddedBranch]:
    """One cluster; every case begins with empty schemas."""
    with branches.branch(seconds=200) as made:
        yield made


def said(branch: EmbeddedBranch, sql: str, more: str = "") -> set[str]:
    """The rules that speak louder than a note, when the migration runs as Drizzle runs it."""
    with branch.connect() as session:
        for schema in ("public", "app", "core"):
            session.execute(f"DROP SCHEMA IF EXISTS {schema} CASCADE".encode())
        session.execute(f"CREATE SCHEMA public;{SETUP}{more}".encode())
        before = catalogs.read(session)
    migration = trace.read(sql, "a.sql")
    run = trace.run(branch, migration, transaction="one", settings={}, seconds=30)
    with branch.connect() as session:
        after = catalogs.read(session)
    found = evidence.facts_of(run, [migration], known=compose.known(before, after))
    return {finding.rule for finding in rules.judge(found) if finding.severity != "note"}


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        # Renamed, born and dropped within one release.
        ("ALTER TABLE users RENAME nick TO handle; ALTER TABLE users RENAME handle TO nick;", set()),
        ("ALTER TABLE users RENAME nick TO a; ALTER TABLE users RENAME a TO b;", {"renames-column"}),
        ("ALTER TABLE users ADD COLUMN x text; ALTER TABLE users DROP COLUMN x;", set()),
        ("ALTER TABLE users ADD COLUMN IF NOT EXISTS n int; ALTER TABLE users DROP COLUMN n;", {"drops-column"}),
        ("CREATE TABLE IF NOT EXISTS simple (a int); ALTER TABLE simple DROP COLUMN b;", {"drops-column"}),
        ("CREATE TYPE s AS ENUM ('a'); DROP TYPE s;", set()),
        ("ALTER SCHEMA app RENAME TO core;", {"renames-table"}),
        # IF EXISTS that finds nothing.
        ("DROP TABLE IF EXISTS nothing; DROP VIEW IF EXISTS nothing;", set()),
        ("ALTER TABLE users DROP COLUMN IF EXISTS nothing;", set()),
        ("ALTER TABLE users DROP CONSTRAINT IF EXISTS nothing;", set()),
        ("DROP TABLE IF EXISTS simple; ALTER TABLE users DROP COLUMN IF EXISTS n;", {"drops-table", "drops-column"}),
        # What goes with it, named by nobody.
        ("ALTER TABLE users DROP COLUMN nick CASCADE;", {"drops-column", "cascades", "drops-table"}),
        ("ALTER TABLE users DROP COLUMN n CASCADE;", {"drops-column"}),
        ("DROP TYPE mood CASCADE;", {"cascades", "drops-column"}),
        ("DROP SCHEMA app CASCADE;", {"cascades", "drops-table"}),
        ("DROP TABLE simple CASCADE;", {"drops-table"}),
        ("DROP VIEW names; CREATE VIEW names AS SELECT id FROM users;", {"drops-column"}),
        ("DROP VIEW names; CREATE VIEW names AS SELECT id, nick, n FROM users;", set()),
        ("DROP INDEX users_email;", {"drops-constraint"}),
        ("DROP INDEX users_email; CREATE UNIQUE INDEX users_email ON users (lower(email));", {"blocks-writes"}),
        ("DROP INDEX users_nick;", set()),
        # Rows.
        ("UPDATE users SET n = 1 WHERE true;", {"updates-all-rows"}),
        ("DELETE FROM posts WHERE 1 = 1 AND (n = 3 OR NOT false);", {"updates-all-rows"}),
        ("DELETE FROM posts WHERE NOT (n = 3) AND true;", set()),
        ("UPDATE users SET n = 1 WHERE id IS NOT NULL;", {"updates-all-rows"}),
        ("UPDATE users SET n = 1 WHERE nick IS NOT NULL;", set()),
        ("WITH u AS (UPDATE users SET n = 1 RETURNING id) SELECT count(*) FROM u;", {"updates-all-rows"}),
        ("WITH u AS (SELECT 1 AS id) DELETE FROM posts USING u WHERE u.id = posts.id;", set()),
        # Rights.
        ("ALTER POLICY own ON users USING (true);", {"opens-rls"}),
        ("ALTER POLICY seen ON users USING (true);", set()),
        ("ALTER POLICY own ON users TO CURRENT_USER USING (true);", set()),
        ("ALTER POLICY own ON users USING (id = 1);", set()),
        ("ALTER FUNCTION f() RESET search_path;", {"unsafe-function"}),
        ("ALTER FUNCTION f() SECURITY DEFINER;", set()),
        (
            "CREATE FUNCTION h() RETURNS int LANGUAGE sql SECURITY DEFINER AS 'SELECT 1'; ALTER FUNCTION h() SET search_path = '';",
            set(),
        ),
        (
            "CREATE FUNCTION h() RETURNS bigint LANGUAGE sql SECURITY DEFINER BEGIN ATOMIC SELECT count(*) FROM users; END;",
            set(),
        ),
        ("ALTER TABLE users ENABLE REPLICA TRIGGER t;", {"disables-trigger"}),
        # Code.
        ("DO $$ BEGIN ALTER TABLE users RENAME COLUMN n TO m; END $$;", {"renames-column"}),
        ("DO $$ BEGIN ALTER TABLE simple RENAME TO plain; END $$;", {"renames-table"}),
        ("DO $$ BEGIN EXECUTE format('ALTER TABLE %I RENAME TO plain', 'simple'); END $$;", {"renames-table"}),
        ("DO $$ BEGIN TRUNCATE simple; END $$;", {"truncates"}),
        ("DO $$ BEGIN IF false THEN TRUNCATE simple; UPDATE users SET n = 1; END IF; END $$;", set()),
        ("DO $$ BEGIN UPDATE users SET n = 1; END $$;", {"updates-all-rows"}),
        ("EXPLAIN (ANALYZE, VERBOSE) UPDATE users SET n = 1;", {"updates-all-rows"}),
        ("EXPLAIN UPDATE users SET n = 1;", set()),
        ("PREPARE p AS UPDATE users SET n = 1;", set()),
        ("PREPARE p (int) AS UPDATE users SET n = $1; EXECUTE p (1);", {"updates-all-rows"}),
        ("PREPARE p (int) AS DELETE FROM users WHERE id = $1; EXECUTE p (1);", set()),
        ("DO $$ BEGIN EXECUTE 'GRANT ALL ON users TO PUBLIC'; END $$;", {"widens-grant"}),
        ("DO $$ BEGIN ALTER TABLE users DISABLE TRIGGER t; END $$;", {"disables-trigger"}),
        ("DO $$ BEGIN ALTER TABLE users DISABLE ROW LEVEL SECURITY; END $$;", {"opens-rls"}),
        (
            "CREATE FUNCTION m() RETURNS void LANGUAGE plpgsql AS 'BEGIN ALTER TABLE users DROP COLUMN n; END'; SELECT m();",
            {"drops-column"},
        ),
    ],
)
def test_what_is_lost_opened_or_changed(branch: EmbeddedBranch, sql: str, expected: set[str]) -> None:
    """No more and no less."""
    assert said(branch, sql) == expected


def test_a_not_null_that_is_validated_where_it_was_added_undoes_the_not_valid(branch: EmbeddedBranch) -> None:
    """PostgreSQL 18 knows NOT NULL … NOT VALID."""
    with branch.connect() as session:
        if session.info.server_version < 180000:
            pytest.skip("this PostgreSQL does not know it")
    add = "ALTER TABLE users ADD CONSTRAINT k NOT NULL n NOT VALID;"
    assert said(branch, add) == set()
    assert "validates-at-once" in said(branch, f"{add} ALTER TABLE users VALIDATE CONSTRAINT k;")


def test_a_foreign_key_that_is_proved_anew_is_told_of_the_table_that_is_read(branch: EmbeddedBranch) -> None:
    """The changed table itself is rewritten, which is another finding."""
    rows = "INSERT INTO users SELECT g, g FROM generate_series(1, 500) g; INSERT INTO posts SELECT g, g FROM generate_series(1, 500) g; ANALYZE;"
    found = said(branch, "ALTER TABLE posts ALTER COLUMN user_id TYPE bigint;", rows)
    assert found == {"rewrites-table", "blocks-reads"}


def test_a_table_that_is_swapped_for_a_new_one_is_told_under_its_own_name(branch: EmbeddedBranch) -> None:
    """Renamed away, replaced and dropped: one loss, and readers find the new one."""
    swap = (
        "CREATE TABLE simple_new (a bigint PRIMARY KEY, b text); ALTER TABLE simple RENAME TO simple_old;"
        "ALTER TABLE simple_new RENAME TO simple; {}"
    )
    assert said(branch, swap.format("")) == set()
    assert said(branch, swap.format("DROP TABLE simple_old;")) == {"drops-table"}
    born = "CREATE TABLE n (a bigint PRIMARY KEY); ALTER TABLE n RENAME TO m; DROP TABLE m;"
    assert said(branch, born) == set()


@pytest.mark.parametrize(
    "sql",
    [
        "CREATE FUNCTION e() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END'; CREATE EVENT TRIGGER e ON ddl_command_end EXECUTE FUNCTION e();",
        "CREATE PUBLICATION p FOR ALL TABLES;",
        "SET session_replication_role = replica;",
    ],
)
def test_what_only_a_platforms_owner_may_do_is_our_limit(branch: EmbeddedBranch, sql: str) -> None:
    """It is not run here, which is said and blocks nobody."""
    assert said(branch, sql) == set()


def test_what_nobody_should_do_from_a_migration_fails(branch: EmbeddedBranch) -> None:
    """Files and programs of the server, another user's rights."""
    assert said(branch, "COPY users TO PROGRAM 'id';") == {"fails"}
    assert said(branch, "SET SESSION AUTHORIZATION postgres;") == {"fails"}
