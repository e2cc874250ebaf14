"""Who writes the tracking table: in migrations, other SQL, TypeScript, psql calls, and as a replay shows."""

import pytest

from checks import ways
from checks.drizzle import statements
from checks.drizzle.model import Migration, Project
from checks.ways import tracking
from checks.witnesses.model import Held, MigrationRun, Observation, Run
from tests.checks.ways_samples import POLICY_PATH, PROJECT, TREE, read, seen

MIGRATION = "lib/database/migrations/0004_fix.sql"
TABLE = ("drizzle", "__drizzle_migrations")

WRITES = {
    "INSERT INTO drizzle.__drizzle_migrations (hash, created_at) VALUES ('a', 1)": "INSERT INTO",
    'insert into "drizzle"."__drizzle_migrations" (hash) select hash from x': "INSERT INTO",
    "DELETE FROM ONLY drizzle.__drizzle_migrations WHERE id = 3": "DELETE FROM",
    "UPDATE drizzle.__drizzle_migrations SET hash = 'x'": "UPDATE",
    "update only __drizzle_migrations m set hash = ''": "UPDATE",
    "TRUNCATE drizzle.__drizzle_migrations": "TRUNCATE",
    "TRUNCATE TABLE users, drizzle.__drizzle_migrations RESTART IDENTITY": "TRUNCATE",
    "MERGE INTO drizzle.__drizzle_migrations m USING x ON true WHEN MATCHED THEN DELETE": "MERGE INTO",
    "COPY drizzle.__drizzle_migrations (hash) FROM STDIN": "COPY",
    "DROP TABLE IF EXISTS users, drizzle.__drizzle_migrations CASCADE": "DROP TABLE",
    "ALTER TABLE IF EXISTS drizzle.__drizzle_migrations ADD COLUMN note text": "ALTER TABLE",
    "CREATE TABLE IF NOT EXISTS drizzle.__drizzle_migrations (id serial)": "CREATE TABLE",
    "CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS m ON drizzle.__drizzle_migrations (hash)": "CREATE INDEX ON",
    "CREATE TRIGGER t BEFORE INSERT ON drizzle.__drizzle_migrations FOR EACH ROW EXECUTE FUNCTION f()": "CREATE TRIGGER ON",
    "CREATE POLICY p ON drizzle.__drizzle_migrations USING (true)": "CREATE POLICY ON",
    "DROP SCHEMA IF EXISTS drizzle CASCADE": "DROP SCHEMA",
    "WITH gone AS (DELETE FROM drizzle.__drizzle_migrations RETURNING 1) SELECT count(*) FROM gone": "DELETE FROM",
    "DO $$ BEGIN DELETE FROM drizzle.__drizzle_migrations; END $$": "DELETE FROM",
    "DO $x$ BEGIN EXECUTE 'DELETE FROM drizzle.__drizzle_migrations'; END $x$": "DELETE FROM",
    "CREATE FUNCTION f() RETURNS void LANGUAGE sql AS $f$ TRUNCATE drizzle.__drizzle_migrations $f$": "TRUNCATE",
    "EXPLAIN ANALYZE DELETE FROM drizzle.__drizzle_migrations": "DELETE FROM",
}  # fmt: skip

READS = [
    "SELECT * FROM drizzle.__drizzle_migrations ORDER BY created_at DESC",
    "SELECT 1 FROM drizzle.__drizzle_migrations FOR UPDATE",
    "INSERT INTO audit SELECT * FROM drizzle.__drizzle_migrations",
    "UPDATE users SET n = (SELECT count(*) FROM drizzle.__drizzle_migrations)",
    "DELETE FROM users USING drizzle.__drizzle_migrations m WHERE m.id = users.id",
    "COPY drizzle.__drizzle_migrations TO STDOUT",
    "GRANT SELECT ON drizzle.__drizzle_migrations TO readonly",
    "COMMENT ON COLUMN users.x IS 'DELETE FROM drizzle.__drizzle_migrations'",
    "SELECT 'INSERT INTO drizzle.__drizzle_migrations'",
    "-- DELETE FROM drizzle.__drizzle_migrations\nSELECT 1",
    "/* TRUNCATE drizzle.__drizzle_migrations */ SELECT 1",
    "CREATE VIEW applied AS SELECT * FROM drizzle.__drizzle_migrations",
    "CREATE TABLE drizzle_migrations_log (id int)",
    "DELETE FROM migrations",
    "CREATE SCHEMA IF NOT EXISTS drizzle",
    "ALTER TABLE users ADD COLUMN drizzle text",
]


@pytest.mark.parametrize("sql", WRITES)
def test_every_write_is_seen(sql):
    assert [w.action for w in tracking.writes(sql, TABLE)] == [WRITES[sql]]


@pytest.mark.parametrize("sql", READS)
def test_reads_and_words_are_no_writes(sql):
    assert tracking.writes(sql, TABLE) == []


def test_a_migration_that_writes_it_is_placed_by_statement():
    text = "ALTER TABLE a ADD b int;\n--> statement-breakpoint\n-- now this\nINSERT INTO drizzle.__drizzle_migrations (hash)\nVALUES ('x');\n"
    (fact,) = read({MIGRATION: text}).facts
    place = fact.place
    assert (place.line, place.end_line, place.migration, place.statement) == (4, 5, "0004_fix", 1)


def test_a_folder_of_v1_is_called_by_its_name():
    project = Project(root="", format="v1", migrations_dir="drizzle")
    (fact,) = read(
        {"drizzle/20261122061109_fix/migration.sql": "DELETE FROM drizzle.__drizzle_migrations;"}, projects=[project]
    ).facts
    assert (fact.place.migration, fact.place.statement) == ("20261122061109_fix", 0)


def test_other_sql_files_count_and_tests_and_dumps_do_not():
    write = "SELECT 1;\nDELETE FROM drizzle.__drizzle_migrations;\n"
    assert seen({"scripts/repair.sql": write}) == [("ManualTracking", "scripts/repair.sql", 2)]
    assert seen({"tests/fixtures/state.sql": write}) == []
    assert seen({"backup/dump.sql": "--\n-- PostgreSQL database dump\n--\n" + write}) == []


def test_a_migration_counts_even_below_a_folder_called_tests():
    project = Project(root="apps/tests", format="v0", migrations_dir="apps/tests/drizzle")
    assert [
        s[0]
        for s in seen({"apps/tests/drizzle/0000_a.sql": "TRUNCATE drizzle.__drizzle_migrations;"}, projects=[project])
    ] == ["ManualTracking"]


def test_a_table_of_another_name_is_the_policys_or_the_projects():
    write = "DELETE FROM public.migrations;"
    assert seen({"x.sql": write}) == []
    written = {**TREE, POLICY_PATH: "drizzle: {table: public.migrations}\n"}
    assert [s[0] for s in seen({"x.sql": write}, written)] == ["ManualTracking"]
    assert [s[0] for s in seen({"x.sql": "DELETE FROM migrations;"}, written)] == ["ManualTracking"]
    assert seen({"x.sql": "DELETE FROM shop.migrations;"}, written) == []
    project = Project(root="", format="v0", migrations_dir="d", table=("app", "applied"))
    assert [s[0] for s in seen({"x.sql": "INSERT INTO app.applied VALUES (1);"}, projects=[project])] == [
        "ManualTracking"
    ]
    assert seen({"x.sql": "INSERT INTO applied VALUES (1);"}, projects=[project]) == []


TYPESCRIPT = [
    "await db.execute(sql`delete from drizzle.__drizzle_migrations`);",
    "await db.execute(sql`insert into drizzle.__drizzle_migrations (hash, created_at) values (${hash}, ${when})`);",
    "await sql`update drizzle.__drizzle_migrations set hash = ${hash}`;",
    "await client.query('DELETE FROM drizzle.__drizzle_migrations');",
    "await pool.query({ text: 'DELETE FROM drizzle.__drizzle_migrations' });",
    "await sql.unsafe(`TRUNCATE drizzle.__drizzle_migrations`);",
    "const q = 'DELETE FROM drizzle.__drizzle_migrations'; await client.query(q);",
    "const t = '__drizzle_migrations'; await db.execute(sql`delete from ${sql.identifier('drizzle')}.${sql.identifier(t)}`);",
    "await db.execute(sql`delete from ${sql.raw('drizzle.__drizzle_migrations')}`);",
    "const m = pgSchema('drizzle').table('__drizzle_migrations', {}); await db.insert(m).values({ hash });",
    "const m = pgTable('__drizzle_migrations', {}); await tx.delete(m).where(eq(m.id, 1));",
    "const m = pgTable('__drizzle_migrations', {}); await db.execute(sql`truncate ${m}`);",
    "await kysely.deleteFrom('drizzle.__drizzle_migrations').execute();",
]  # fmt: skip


@pytest.mark.parametrize("source", TYPESCRIPT)
def test_typescript_that_writes_it_is_found(source):
    assert seen({"scripts/a.ts": f"// one\n{source}\n"}) == [("ManualTracking", "scripts/a.ts", 2)]


@pytest.mark.parametrize(
    "source",
    [
        "const rows = await db.execute(sql`select * from drizzle.__drizzle_migrations`);",
        "console.log('DELETE FROM drizzle.__drizzle_migrations');",
        "throw new Error('never DELETE FROM drizzle.__drizzle_migrations');",
        "// await sql`delete from drizzle.__drizzle_migrations`",
        "await migrate(db, { migrationsFolder: 'drizzle', migrationsTable: '__drizzle_migrations' });",
        "export default defineConfig({ migrations: { table: '__drizzle_migrations', schema: 'drizzle' } });",
        "const m = pgTable('__drizzle_migrations', {}); await db.select().from(m);",
        "const m = pgTable('__drizzle_migrations', {}); await db.insert(other).values({ n: m.id });",
        "export const ignored = ['__drizzle_migrations', 'DELETE FROM drizzle.__drizzle_migrations'];",
    ],
)
def test_typescript_that_reads_or_speaks_of_it_is_not(source):
    assert seen({"scripts/a.ts": source + "\n"}) == []


def test_a_table_that_another_module_declares_is_followed():
    base = {
        **TREE,
        "lib/tracking.ts": "export const migrationsTable = pgSchema('drizzle').table('__drizzle_migrations', {});\n",
    }
    source = "import { migrationsTable as m } from '../lib/tracking';\nawait db.insert(m).values({ hash });\n"
    assert seen({"scripts/a.ts": source}, base) == [("ManualTracking", "scripts/a.ts", 2)]


def test_psql_in_a_workflow_counts():
    workflow = (
        'jobs:\n  d:\n    steps:\n    - run: |\n        psql "$URL" -c "DELETE FROM drizzle.__drizzle_migrations"\n'
    )
    assert seen({".github/workflows/d.yml": workflow}) == [("ManualTracking", ".github/workflows/d.yml", 5)]


def test_an_old_write_is_not_introduced():
    base = {**TREE, "scripts/repair.sql": "DELETE FROM drizzle.__drizzle_migrations;\n"}
    assert (
        seen({"scripts/repair.sql": "-- a word\nSELECT 1;\ndelete from\n  drizzle.__drizzle_migrations ;\n"}, base)
        == []
    )
    assert seen(
        {"scripts/repair.sql": "DELETE FROM drizzle.__drizzle_migrations;\nTRUNCATE drizzle.__drizzle_migrations;\n"},
        base,
    ) == [("ManualTracking", "scripts/repair.sql", 2)]


def test_what_only_the_locks_show_is_a_fact_of_its_own():
    """A function of base that writes the table leaves no word in the migration that calls it."""
    text = "\n\nSELECT repair()"
    migration = Migration("0004_fix", MIGRATION, 1, 4, "h", text, statements.pieces(text))
    [statement] = migration.statements
    writing = Observation(
        statement=statement, executed=True, locks=(Held("drizzle.__drizzle_migrations", "RowExclusiveLock"),)
    )
    reading = Observation(
        statement=statement, executed=True, locks=(Held("drizzle.__drizzle_migrations", "AccessShareLock"),)
    )
    run = Run(state="ok", transaction="one", runs=(MigrationRun(migration, (writing,)),))
    (fact,) = ways.observed(run, PROJECT, [])
    assert (fact.place.migration, fact.place.statement, fact.place.line, fact.observed) == ("0004_fix", 0, 3, True)
    assert ways.observed(run, PROJECT, [fact]) == []
    assert (
        ways.observed(Run(state="ok", transaction="one", runs=(MigrationRun(migration, (reading,)),)), PROJECT, [])
        == []
    )


@pytest.mark.parametrize(
    ("path", "text", "line"),
    [
        (
            "scripts/a.ts",
            'await client.query("UPDATE \\"drizzle\\".\\"__drizzle_migrations\\" SET hash = $1", [h]);\n',
            1,
        ),
        ("scripts/a.ts", "\nawait db.execute(sql`DROP SCHEMA IF EXISTS drizzle CASCADE`);\n", 2),
        ("scripts/a.sh", 'psql "$DATABASE_URL" <<SQL\nselect 1;\ndelete from drizzle.__drizzle_migrations;\nSQL\n', 2),
    ],
)
def test_writes_in_other_dress(path, text, line):
    """Escaped quotes, the schema with all that is in it, and what psql is fed."""
    assert seen({path: text}) == [("ManualTracking", path, line)]


def test_another_schema_may_go():
    """Only the tracking table's own is meant."""
    assert seen({"scripts/a.ts": "await db.execute(sql`DROP SCHEMA IF EXISTS public CASCADE`);\n"}) == []
