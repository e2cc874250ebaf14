"""The text witness: what a statement asks for, by PostgreSQL's own grammar."""

import logging
import time

import pytest
import sqlglot
from conftest import corpus
from hypothesis import given, settings
from hypothesis import strategies as st

from checks.witnesses import clauses as c
from checks.witnesses import long_names, text


def asked(sql: str) -> list[c.Clause]:
    """The clauses of a statement but for its locks."""
    reading = text.read(sql)
    assert reading.problem is None, reading.problem
    return [clause for clause in reading.clauses if not isinstance(clause, c.Lock)]


@pytest.mark.parametrize(
    ("sql", "clauses"),
    [
        ("ALTER TABLE t DROP COLUMN a, DROP COLUMN IF EXISTS b CASCADE", [c.DropColumn("public.t", "a", cascade=False), c.DropColumn("public.t", "b", cascade=True, missing_ok=True)]),
        ('ALTER TABLE "A b"."C.d" DROP COLUMN "E"', [c.DropColumn("A b.C.d", "E", cascade=False)]),
        ("ALTER TABLE t ADD COLUMN n int", [c.AddColumn("public.t", "n", "integer", not_null=False, default="none")]),
        ("ALTER TABLE t ADD n int NOT NULL DEFAULT 3", [c.AddColumn("public.t", "n", "integer", not_null=True, default="constant")]),
        ("ALTER TABLE t ADD n timestamptz DEFAULT now()", [c.AddColumn("public.t", "n", "timestamp with time zone", not_null=False, default="constant")]),
        ("ALTER TABLE t ADD n uuid DEFAULT gen_random_uuid()", [c.AddColumn("public.t", "n", "uuid", not_null=False, default="volatile")]),
        ("ALTER TABLE t ADD n text DEFAULT mine(1)", [c.AddColumn("public.t", "n", "text", not_null=False, default="unknown")]),
        ("ALTER TABLE t ADD n bigserial", [c.AddColumn("public.t", "n", "bigserial", not_null=True, default="volatile", filled="bigserial")]),
        ("ALTER TABLE t ADD n int GENERATED ALWAYS AS (1) VIRTUAL", [c.AddColumn("public.t", "n", "integer", not_null=False, default="constant", filled="virtual")]),
        ("ALTER TABLE t ALTER n TYPE varchar(20)[] USING n::text", [c.AlterType("public.t", "n", "character varying(20)[]")]),
        ("ALTER TABLE t ALTER n TYPE numeric(10, 2)", [c.AlterType("public.t", "n", "numeric(10,2)")]),
        ("ALTER TABLE t ALTER n TYPE timestamp(3) with time zone", [c.AlterType("public.t", "n", "timestamp(3) with time zone")]),
        ("ALTER TABLE t ADD CONSTRAINT k CHECK (a > 0) NOT VALID", [c.AddConstraint("public.t", "k", "check", (), not_valid=True)]),
        ("ALTER TABLE t ADD UNIQUE (a, b)", [c.AddConstraint("public.t", "", "unique", ("a", "b"))]),
        ("ALTER TABLE t ADD CONSTRAINT k PRIMARY KEY USING INDEX i", [c.AddConstraint("public.t", "k", "primary key", (), using_index=True)]),
        ("ALTER TABLE t ADD FOREIGN KEY (a) REFERENCES o", [c.AddConstraint("public.t", "", "foreign key", ("a",), referenced="public.o")]),
        ("ALTER TABLE t ADD CONSTRAINT k NOT NULL a NOT VALID", [c.AddConstraint("public.t", "k", "not null", ("a",), not_valid=True)]),
        ("ALTER TABLE t RENAME TO u", [c.Rename("public.t", None, "public.u")]),
        ("ALTER TABLE s.t SET SCHEMA z", [c.Rename("s.t", None, "z.t")]),
        ("ALTER TABLE t RENAME a TO b", [c.Rename("public.t", "a", "b")]),
        ("ALTER TYPE m ADD VALUE IF NOT EXISTS 'x' BEFORE 'y'", [c.AddEnumValue("public.m", "x")]),
        ("ALTER TYPE m RENAME VALUE 'x' TO 'y'", []),
        ("CREATE UNIQUE INDEX i ON t (a, lower(b))", [c.CreateIndex("public.t", "i", ("a",), unique=True, concurrently=False, if_not_exists=False)]),
        ("DROP TYPE m CASCADE", [c.Drop("type", ("public.m",), cascade=True)]),
        ("CREATE TABLE t (id serial PRIMARY KEY)", [c.CreateTable("public.t", (("id", "serial"),), temporary=False)]),
        ("CREATE TEMP TABLE t (a int, b int, PRIMARY KEY (a, b))", [c.CreateTable("public.t", (("a", "integer"), ("b", "integer")), temporary=True)]),
        ("CREATE TABLE t (a int)", [c.CreateTable("public.t", (), temporary=False)]),
        ("CREATE TABLE t PARTITION OF p DEFAULT", [c.CreateTable("public.t", None, temporary=False)]),
        ("CREATE TABLE t (LIKE o INCLUDING ALL)", [c.CreateTable("public.t", None, temporary=False)]),
        ("UPDATE t SET a = 1", [c.Dml("UPDATE", "public.t", where=False)]),
        ("DELETE FROM t USING o WHERE true", [c.Dml("DELETE", "public.t", where=True)]),
        ("INSERT INTO t VALUES (1)", []),
        ("INSERT INTO t SELECT 1", []),
        ("INSERT INTO t SELECT * FROM o", [c.Dml("INSERT", "public.t", where=True)]),
        ("END", [c.Transaction("COMMIT")]),
        ("ABORT", [c.Transaction("ROLLBACK")]),
        ("SAVEPOINT a", []),
        ("VACUUM (FULL off) t", []),
        ("VACUUM FULL t", [c.RewriteAll("public.t", "VACUUM FULL")]),
        ("REINDEX TABLE t", [c.Reindex("public.t", "t")]),
        ("REINDEX TABLE CONCURRENTLY t", [c.Concurrently("REINDEX CONCURRENTLY", "t")]),
        ("GRANT SELECT ON t TO alice", []),
        ("GRANT SELECT ON t TO public", [c.Grant("SELECT", "public.t", "PUBLIC", "public.t")]),
        ("REVOKE ALL ON t FROM public", []),
        ("CREATE FUNCTION f() RETURNS int LANGUAGE sql SECURITY DEFINER AS 'SELECT 1'", [c.DefinerFunction("public.f")]),
        ("CREATE FUNCTION f() RETURNS int LANGUAGE sql SECURITY DEFINER SET search_path = '' AS 'SELECT 1'", []),
        ("CREATE POLICY p ON t USING (true)", [c.Rls("public.t", "policy `p` lets everybody do anything with every row")]),
        ("CREATE POLICY p ON t FOR SELECT USING (true)", []),
        ("CREATE POLICY p ON t TO alice USING (true)", []),
        ("DO $$ BEGIN PERFORM 1; END $$", [c.Opaque("a DO block")]),
        ("DO $$ BEGIN\n ALTER TABLE t DROP COLUMN a;\nEND $$", [c.DropColumn("public.t", "a", cascade=False)]),
        ("SELECT 1", []),
    ],
)  # fmt: skip
def test_what_a_statement_asks_for(sql: str, clauses: list[c.Clause]) -> None:
    """Names have the schema `public` where they have none; types have the names that people write."""
    assert asked(sql) == clauses


@pytest.mark.parametrize(
    ("sql", "locks"),
    [
        ("ALTER TABLE t ADD a int", [("public.t", "AccessExclusiveLock")]),
        ("ALTER TABLE t VALIDATE CONSTRAINT k", []),
        ("ALTER TABLE t SET (fillfactor = 70), ALTER a SET STATISTICS 9", []),
        ("ALTER TABLE t DISABLE TRIGGER x", [("public.t", "ShareRowExclusiveLock")]),
        ("CREATE INDEX ON t (a)", [("public.t", "ShareLock")]),
        ("CREATE TABLE n (a int REFERENCES t)", [("public.t", "ShareRowExclusiveLock")]),
        ("DROP TABLE a, b", [("public.a", "AccessExclusiveLock"), ("public.b", "AccessExclusiveLock")]),
    ],
)
def test_locks_that_the_text_makes_certain(sql: str, locks: list[tuple[str, str]]) -> None:
    """Weaker ones stop nobody and are not named."""
    assert [(k.table, k.mode) for k in text.read(sql).clauses if isinstance(k, c.Lock)] == locks


def test_names_are_cut_by_bytes_not_characters() -> None:
    """63 bytes are the limit, quoted or not, in any alphabet; a string or a comment is no name."""
    assert long_names.of(f"ALTER TABLE t ADD {'a' * 63} int") == []
    assert long_names.of(f"ALTER TABLE t ADD {'a' * 64} int") == [("a" * 64, "a" * 63)]
    assert long_names.of(f'ALTER TABLE t ADD "{"ü" * 40}" int') == [("ü" * 40, "ü" * 31)]
    assert long_names.of(f"SELECT '{'a' * 99}' -- {'b' * 99}") == []
    assert long_names.of(f"SELECT $${'a' * 99}$$, 1{'0' * 99}") == []


_PIECES = [
    '"n"',
    f'"{"n" * 63}"',
    f'"{"n" * 64}"',
    f'"{"a b " * 16}"',
    f'"{"a b " * 20}"',
    "ALTER TABLE ",
    "x " * 40,
    '"',
    "'it",
    "--c\n",
    "$$ ",
    "$$",
    '""',
    f'"{"m" * 40}""{"m" * 40}"',
    "b",
]


@given(st.lists(st.lists(st.sampled_from(_PIECES), min_size=1, max_size=6).map("".join), min_size=1, max_size=4))
@settings(max_examples=1_000, deadline=None)
def test_no_long_name_is_ruled_out_with_the_whole_file(statements: list[str]) -> None:
    """Whatever is never closed, in whichever statement."""
    assert long_names.among(statements).issuperset(filter(long_names.of, statements))


def test_every_statement_of_the_corpus_is_read() -> None:
    """drizzle-kit's own, and those of other tools."""
    for name in ("ddl_statements.jsonl", "hazards.jsonl"):
        for row in corpus(name):
            assert text.read(row["sql"]).problem is None, row["sql"]


@given(st.text(max_size=80))
@settings(max_examples=200, deadline=None)
def test_reading_never_raises(sql: str) -> None:
    """Whatever the text, it is read or has a problem."""
    reading = text.read(sql)
    assert reading.kind or reading.problem
    long_names.of(sql)


@pytest.mark.bench
def test_reading_is_five_times_as_fast_as_sqlglots_parse() -> None:
    """Both on the same statements, the best of five."""
    rows = [row["sql"] for row in corpus("ddl_statements.jsonl")]
    logging.getLogger("sqlglot").setLevel(logging.CRITICAL)

    def other() -> None:
        for sql in rows:
            try:
                sqlglot.parse(sql, read="postgres")
            except sqlglot.errors.SqlglotError:
                continue

    def best(function: object) -> float:
        times = []
        for _ in range(5):
            begin = time.process_time()
            function()  # type: ignore[operator]
            times.append(time.process_time() - begin)
        return min(times)

    assert best(lambda: text.read_all(rows)) * 5 <= best(other)
