"""Releases of several statements and files, judged by what PostgreSQL did and by what their text says."""

import time
from collections.abc import Iterator, Sequence

import pytest

from bot.branches.embedded import Embedded, EmbeddedBranch
from checks import evidence, record, render, rules
from checks.drizzle import statements
from checks.drizzle.model import Chain, Migration, Project, Transaction
from checks.report import Finding, TraceReport
from checks.witnesses import replay
from checks.witnesses.model import Failure, Held, MigrationRun, Observation, Run

SETUP = """
CREATE TABLE users (id bigint PRIMARY KEY, email text, nickname text);
CREATE TABLE orders (id bigint PRIMARY KEY, user_id bigint, amount int);
CREATE TYPE mood AS ENUM ('ok');
CREATE SCHEMA app;
CREATE TABLE app.things (id bigint PRIMARY KEY, n int);
INSERT INTO users SELECT g, g, g FROM generate_series(1, 50) g;
INSERT INTO orders SELECT g, g, g FROM generate_series(1, 50) g;
"""
DRIZZLE_FK = """DO $$ BEGIN
 ALTER TABLE "posts" ADD CONSTRAINT "posts_user_id_users_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."users"("id") ON DELETE no action ON UPDATE no action;
EXCEPTION
 WHEN duplicate_object THEN null;
END $$;"""


@pytest.fixture
def shop(branches: Embedded) -> Iterator[EmbeddedBranch]:
    with branches.branch(seconds=60) as branch:
        with branch.connect() as connection:
            connection.execute(SETUP)
        yield branch


def made_of(files: Sequence[str]) -> list[Migration]:
    made: list[Migration] = []
    for number, sql in enumerate(files):
        text = sql.replace(";\n", ";\n--> statement-breakpoint\n") if "$$" not in sql else sql
        made.append(
            Migration(
                f"{number:04}_x", f"drizzle/{number:04}_x.sql", number + 1, number, "", text, statements.pieces(text)
            )
        )
    return made


def judged(shop: EmbeddedBranch, *files: str, transaction: Transaction = "one") -> list[Finding]:
    migrations = made_of(files)
    project = Project(root="", format="v0", migrations_dir="drizzle", transaction=transaction)
    run = replay.run(shop, Chain(project, tuple(migrations), ()))
    return rules.judge(evidence.facts_of(run, migrations))


def said(findings: Sequence[Finding]) -> list[tuple[str, str, int]]:
    """Rule, file and line of what is more than a note."""
    return [(f.rule, (f.migration or "")[:4], f.line) for f in findings if f.severity != "note"]


def test_a_new_table_raises_nothing(shop: EmbeddedBranch) -> None:
    """With indexes, constraints, backfill and changes of mind; what drizzle-kit writes for it, old and new."""
    findings = judged(
        shop,
        'CREATE TABLE "posts" ("id" bigint PRIMARY KEY, "user_id" bigint, "title" text);\n'
        'ALTER TABLE "posts" ADD CONSTRAINT "posts_fk" FOREIGN KEY ("user_id") REFERENCES "public"."users"("id");\n'
        'CREATE INDEX "posts_title" ON "posts" USING btree ("title");\n'
        'ALTER TABLE "posts" ADD COLUMN "n" serial;\n'
        'ALTER TABLE "posts" ALTER COLUMN "title" SET NOT NULL;\n'
        'ALTER TABLE "posts" ADD CONSTRAINT "posts_title_unique" UNIQUE("title");\n'
        "UPDATE posts SET title = 'x';\n"
        'ALTER TABLE "posts" DROP COLUMN "n";\n',
        'ALTER TABLE "posts" RENAME TO "articles";\nALTER TABLE "articles" ALTER COLUMN "title" SET DATA TYPE varchar(10);\n',
    )
    assert said(findings) == []


def test_the_block_that_older_drizzle_kit_writes_around_a_foreign_key_raises_nothing(shop: EmbeddedBranch) -> None:
    """The referenced table is locked, but a table born here has no row to look up."""
    assert said(judged(shop, "CREATE TABLE posts (id bigint PRIMARY KEY, user_id bigint);", DRIZZLE_FK)) == []


def test_that_block_on_a_table_with_rows_is_a_foreign_key(shop: EmbeddedBranch) -> None:
    """Its text is read like that of the statement inside."""
    block = DRIZZLE_FK.replace('"posts"', '"orders"')
    assert said(judged(shop, block)) == [("adds-foreign-key", "0000", 1)]
    assert said(rules.judge(evidence.facts_of(None, made_of([block])))) == [("adds-foreign-key", "0000", 1)]


def test_a_block_of_code_is_judged_by_what_it_did(shop: EmbeddedBranch) -> None:
    """A drop, a rewrite and a table of its own."""
    block = """DO $$ BEGIN
      EXECUTE 'ALTER TABLE users DROP COLUMN nickname';
      EXECUTE 'ALTER TABLE orders ALTER COLUMN amount TYPE bigint';
      EXECUTE 'CREATE TABLE fresh (id bigint primary key)';
      EXECUTE 'DROP TABLE app.things';
    END $$;"""
    findings = judged(shop, block, "CREATE INDEX fresh_id ON fresh (id);")
    assert sorted(f.rule for f in findings if f.severity != "note") == ["drops-column", "drops-table", "rewrites-table"]


def test_one_transaction_over_all_files_makes_two_files_one(shop: EmbeddedBranch) -> None:
    """NOT VALID here and VALIDATE there, a new value here and its use there."""
    add = "ALTER TABLE orders ADD CONSTRAINT small CHECK (amount < 100) NOT VALID;"
    validate = "ALTER TABLE orders VALIDATE CONSTRAINT small;"
    assert said(judged(shop, add, validate)) == [("validates-at-once", "0001", 1)]


def test_each_file_in_a_transaction_of_its_own_lets_go_in_between(shop: EmbeddedBranch) -> None:
    """The same two files are painless there."""
    add = "ALTER TABLE orders ADD CONSTRAINT small CHECK (amount < 100) NOT VALID;"
    validate = "ALTER TABLE orders VALIDATE CONSTRAINT small;"
    assert said(judged(shop, add, validate, transaction="each")) == []


def test_a_new_enum_value_used_in_a_later_file_fails_here_and_is_known_without_a_database(shop: EmbeddedBranch) -> None:
    """One finding for one cause: `fails` is silent."""
    files = [
        "ALTER TYPE mood ADD VALUE 'proud';",
        "CREATE TABLE a (id bigint PRIMARY KEY, m mood DEFAULT 'proud'::mood);",
    ]
    assert said(judged(shop, *files)) == [("enum-value-used-at-once", "0001", 1)]
    assert said(rules.judge(evidence.facts_of(None, made_of(files)))) == [("enum-value-used-at-once", "0001", 1)]
    assert said(rules.judge(evidence.facts_of(None, made_of(files), transaction="each"))) == []


@pytest.mark.parametrize("transaction", ["one", "each", "none"])
def test_every_row_is_locked_in_whatever_transaction_it_is_changed(transaction: Transaction) -> None:
    """A statement that has none of the migrator's has one of its own."""
    migrations = made_of(["UPDATE t SET a = 1"])
    facts = evidence.facts_of(None, migrations, transaction=transaction)
    assert said(rules.judge(facts)) == [("updates-all-rows", "0000", 1)]


def test_the_window_of_locks_is_one_line(shop: EmbeddedBranch) -> None:
    """Over all files, with the statement that makes it long."""
    slow = "ALTER TABLE orders ADD CONSTRAINT small CHECK (amount < 100) NOT VALID;"
    with shop.connect() as connection:
        connection.execute(slow)
    findings = judged(
        shop,
        "CREATE TABLE a (id bigint PRIMARY KEY);\nCREATE TABLE b (id bigint PRIMARY KEY);\n",
        "ALTER TABLE users ADD COLUMN x text;\nCREATE TABLE d (id bigint PRIMARY KEY);\n",
        "ALTER TABLE orders VALIDATE CONSTRAINT small;",
    )
    assert [(f.rule, f.severity, f.message) for f in findings] == [
        (
            "holds-locks",
            "warning",
            "Reads and writes of `users` wait from statement 3 to the end, 3 statements; statement 5 goes through all of `orders`.",
        )
    ]


def test_many_quick_statements_under_a_lock_are_a_note(shop: EmbeddedBranch) -> None:
    """Nobody has to mend a generated file for it."""
    quick = "".join(f"ALTER TABLE users ADD COLUMN c{n} text;\n" for n in range(9))
    (finding,) = judged(shop, "CREATE TABLE a (id bigint PRIMARY KEY);\n" * 1, quick)
    assert (finding.rule, finding.severity) == ("holds-locks", "note")
    assert finding.message == "Reads and writes of `users` wait from statement 2 to the end, 9 statements."
    assert judged(shop, "ALTER TABLE orders ADD COLUMN a text;\nALTER TABLE orders ADD COLUMN b text;\n") == []


def test_names_follow_renames(shop: EmbeddedBranch) -> None:
    """The witness that runs knows tables by their old names."""
    findings = judged(
        shop, "ALTER TABLE users RENAME TO people;\nALTER TABLE people ALTER COLUMN email SET NOT NULL;\n"
    )
    assert said(findings) == [("renames-table", "0000", 1), ("sets-not-null", "0000", 3)]


def test_names_follow_the_search_path(shop: EmbeddedBranch) -> None:
    """The witness that runs knows the schema that a table is really in."""
    findings = judged(shop, "SET search_path = app;\nALTER TABLE things ALTER COLUMN n SET NOT NULL;\n")
    assert said(findings) == [("sets-not-null", "0000", 3)]


def test_a_failure_is_one_error_and_what_follows_is_still_read(shop: EmbeddedBranch) -> None:
    """What did not run is judged by what its text makes certain."""
    findings = judged(
        shop, "ALTER TABLE users ADD COLUMN email text;\nDROP TABLE orders;\nCREATE INDEX i ON users (email);\n"
    )
    assert said(findings) == [("fails", "0000", 1), ("drops-table", "0000", 3), ("blocks-writes", "0000", 5)]
    assert findings[0].message == 'Column "email" of relation "users" already exists (42701).'


def test_what_may_be_our_own_limit_is_a_note(shop: EmbeddedBranch) -> None:
    """A branch without all that the chain asks for proves nothing by a failure."""
    migrations = made_of(["SELECT st_area(1);"])
    project = Project(root="", format="v0", migrations_dir="drizzle")
    run = replay.run(shop, Chain(project, tuple(migrations), ()))
    (finding,) = rules.judge(evidence.facts_of(run, migrations, complete=False))
    assert (finding.rule, finding.severity) == ("fails", "note")


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT " + "(" * 10_000 + "1" + ")" * 10_000,
        "\\copy users from 'x'",
        "SELECT 'never ends",
        "nonsense",
        "DO $$ BEGIN PERFORM 1; LOOP END LOOP; END $$",
        "CALL something()",
    ],
)
def test_what_no_witness_could_look_into_is_said(sql: str) -> None:
    """Without a database; with its place, and counted as opaque."""
    migrations = made_of([f"SELECT 1;\n{sql}"])
    assert said(rules.judge(evidence.facts_of(None, migrations)))[0][0] == "unreadable-sql"
    covered = evidence.coverage(None, migrations)
    assert (covered.statements, covered.executed, [o.statement for o in covered.opaque]) == (2, 0, [1])


@pytest.mark.parametrize("sql", ["nonsense", "SELECT " + "(" * 10_000 + "1" + ")" * 10_000, "\\copy users from 'x'"])
def test_what_does_not_run_fails_in_postgresqls_words(shop: EmbeddedBranch, sql: str) -> None:
    """It was looked into, so it is not unreadable."""
    assert [rule for rule, _, _ in said(judged(shop, sql))] == ["fails"]


@pytest.mark.parametrize("sql", ["", "-- nothing", ";;", "/* nothing */"])
def test_a_file_without_statements_is_told(shop: EmbeddedBranch, sql: str) -> None:
    """It does nothing and is recorded as run, which is worth a note, and blocks nobody."""
    assert [(f.rule, f.severity) for f in judged(shop, sql)] == [("no-statements", "note")]
    assert evidence.coverage(None, made_of([sql])).statements == 0


def test_what_parses_nowhere_but_runs_is_fine(shop: EmbeddedBranch) -> None:
    """Too deep for the grammar's tree, but PostgreSQL ran it."""
    assert judged(shop, "SELECT 1" + "+1" * 600) == []
    migrations = made_of(["SELECT 1" + "+1" * 600])
    assert [f.rule for f in rules.judge(evidence.facts_of(None, migrations))] == ["unreadable-sql"]


PARTITIONS = """
CREATE TABLE logs (at date NOT NULL, n int, m int);
ALTER TABLE logs RENAME TO plain_logs;
CREATE TABLE logs (at date NOT NULL, n int, m int) PARTITION BY RANGE (at);
CREATE TABLE logs_a PARTITION OF logs FOR VALUES FROM ('2020-01-01') TO ('2021-01-01');
CREATE TABLE logs_b PARTITION OF logs FOR VALUES FROM ('2021-01-01') TO ('2022-01-01');
CREATE TABLE logs_c PARTITION OF logs FOR VALUES FROM ('2022-01-01') TO ('2023-01-01');
CREATE TABLE child_of_users () INHERITS (users);
CREATE TABLE referring (user_id bigint REFERENCES users, n int);
"""


@pytest.mark.parametrize(
    ("sql", "rule", "words"),
    [
        ("ALTER TABLE logs ADD CONSTRAINT small CHECK (n < 9)", "adds-check", "`logs`"),
        ("ALTER TABLE logs ALTER COLUMN n SET NOT NULL", "sets-not-null", "`logs.n`"),
        ("ALTER TABLE logs ALTER COLUMN n TYPE bigint", "rewrites-table", "`logs`"),
        ("CREATE INDEX i ON logs (n)", "blocks-writes", "`logs`"),
        ("ALTER TABLE logs ADD COLUMN z uuid DEFAULT gen_random_uuid()", "rewrites-table", "`logs`"),
        ("ALTER TABLE users ALTER COLUMN nickname TYPE varchar(20)", "rewrites-table", "`users`, `child_of_users`"),
        ("CREATE TABLE logs_d PARTITION OF logs DEFAULT", None, ""),
        ("TRUNCATE users CASCADE", "truncates", "`users`"),
        ("ALTER TABLE orders ADD COLUMN p bigint REFERENCES users, ALTER COLUMN amount SET NOT NULL", "sets-not-null", "`orders.amount`"),
        ("ALTER TABLE users SET UNLOGGED", None, ""),
        ("ALTER TABLE plain_logs SET UNLOGGED", "rewrites-table", "`plain_logs`"),
    ],
)  # fmt: skip
def test_partitions_and_children_are_told_once_with_their_table(
    shop: EmbeddedBranch, sql: str, rule: str | None, words: str
) -> None:
    """One finding for one cause, about the table that the statement names."""
    with shop.connect() as connection:
        connection.execute(PARTITIONS)
    findings = [f for f in judged(shop, sql) if f.severity != "note" and f.rule != "fails"]
    assert [f.rule for f in findings] == ([rule] if rule else [])
    assert not findings or words in findings[0].message


def test_a_file_of_endless_statements_is_bounded_and_says_so() -> None:
    """The first fifty thousand are judged; one finding tells of the others."""
    (migration,) = made_of(["INSERT INTO users VALUES (1);\n" * 60_000])
    begin = time.process_time()
    (finding,) = rules.judge(evidence.facts_of(None, [migration]))
    assert finding.rule == "unreadable-sql"
    assert finding.message.endswith("it comes after the first 50,000, and so do 9,999 others.")
    assert finding.statement == 50_000
    covered = evidence.coverage(None, [migration])
    assert (covered.statements, covered.read, len(covered.opaque)) == (60_000, 50_000, 1)
    assert time.process_time() - begin < 20


def test_a_failure_after_all_that_is_judged_is_told() -> None:
    """What PostgreSQL refused, or what others will wait for, is never among the statements that were too many."""
    (migration,) = made_of(["UPDATE users SET id = 1 WHERE id = 2;\n" * 50_010])
    refused = Failure("23505", "duplicate key value")
    locked = Held("public.users", "AccessExclusiveLock")
    seen = [Observation(statement=s, executed=True) for s in migration.statements]
    seen[50_003] = Observation(
        statement=migration.statements[50_003], executed=True, locks=(locked,), rewrites=("public.users",)
    )
    seen[50_007] = Observation(statement=migration.statements[50_007], failure=refused)
    run = Run(state="failed", transaction="one", runs=(MigrationRun(migration, tuple(seen)),), failure=refused)
    findings = rules.judge(evidence.facts_of(run, [migration]))
    assert ("fails", "error", 50_007) in [(f.rule, f.severity, f.statement) for f in findings]
    listed = record.statements(migration, {o.statement.index: o for o in seen})
    assert [s.index for s in listed[50_000:]] == [50_003, 50_007]
    assert listed[-1].error is not None
    told = TraceReport(statements=listed, findings=(), coverage=evidence.coverage(run, [migration]))
    shown = render.as_text(told, "text")
    assert "50008  UPDATE users" in shown
    assert "… 49,010 more statements" in shown


def test_who_listens_is_not_known() -> None:
    """NOTIFY reaches others when it commits; a note says that they were not seen."""
    findings = rules.judge(evidence.facts_of(None, made_of(["NOTIFY orders, 'all';\n"])))
    assert [(f.rule, f.severity) for f in findings] == [("not-observed", "note")]
