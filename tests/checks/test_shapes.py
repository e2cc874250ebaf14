"""Statements that differ in names alone are read as each would be read by itself."""

from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from checks.witnesses import shapes, text

FORMS = [
    "ALTER TABLE {0} ADD COLUMN {1} {2} DEFAULT {3}() NOT NULL",
    "ALTER TABLE {0}.{1} ALTER COLUMN {2} SET DATA TYPE {3}(20)[] USING {2}::{3}",
    "ALTER TABLE {0} ADD CONSTRAINT {1} FOREIGN KEY ({2}, {3}) REFERENCES {1}({2}) ON DELETE cascade",
    "ALTER TABLE {0} ADD COLUMN {1} {2}.{3} DEFAULT 'x'::{2} REFERENCES {0}",
    "ALTER TABLE {0} DROP COLUMN {1} cascade, DROP CONSTRAINT IF EXISTS {2}",
    "ALTER TABLE {0} ATTACH PARTITION {1} FOR VALUES WITH ({2} 4, {3} 0)",
    "ALTER TABLE {0} ADD COLUMN {1} integer DEFAULT 12 NOT NULL, ADD CHECK ({2} > 3)",
    "ALTER TABLE {0} ADD COLUMN {1} integer DEFAULT 345 NOT NULL, ADD CHECK ({2} > 67)",
    "ALTER TABLE {0} ADD COLUMN {1} numeric(12) DEFAULT 9.5, ADD CHECK ({2}(1) >= 3 AND {3} > 1e5)",
    "ALTER TABLE {0} ADD COLUMN {1} varchar(12) DEFAULT 12::{3}, ALTER {1} TYPE varchar(30)",
    "CREATE POLICY {0} ON {1} USING (1 = 1)",
    "CREATE POLICY {0} ON {1} USING (1 = 2)",
    "ALTER TYPE {0} ADD VALUE 'DEFAULT 12'",
    "ALTER TYPE {0} ADD VALUE 'CHECK ({1} > 12)'",
    "ALTER TYPE {0}.{1} RENAME TO {2}",
    "alter type {0} add value if not exists 'a{1}' before 'b'",
    "ALTER TYPE {0} RENAME VALUE 'a' TO '{1}'",
    "CREATE INDEX IF NOT EXISTS {0} ON {1}.{2} ({3}, {0}) WHERE {3} IS NULL",
    "CREATE TYPE {0}.{1} AS ENUM ('a', 'b''{2}', '')",
    "CREATE POLICY {0} ON {1} AS {2} FOR ALL TO {3} USING (true)",
    "GRANT {0}, SELECT ON {1}, {2}.{1} TO {3} WITH GRANT OPTION",
    "GRANT ALL ON ALL TABLES IN SCHEMA {0} TO {1}",
    "DROP TABLE {0}, {1}.{2} -- {3}",
    "DROP FUNCTION {0}({1}, {2}) CASCADE",
    "COMMENT ON COLUMN {0}.{1}.{2} IS E'{3}'",
    "COMMENT ON TABLE {0} IS U&'{1}' '{2}'",
    "COMMENT ON TABLE {0} IS 'a {1}'\n 'b \"{2}\"' ; SELECT {3}",
    'ALTER TABLE U&"{0}" RENAME COLUMN {1} TO {2}',
    "ALTER TABLE {0} RENAME TO {1} /* {2} */",
    "ALTER TABLE {0} SET SCHEMA {1}",
    "ALTER TABLE {0} ADD CHECK ({1} > $1 AND {2} = $a${3}$a$)",
    "DO $$ BEGIN ALTER TABLE {0} ADD CONSTRAINT {1} UNIQUE({2}); EXCEPTION WHEN duplicate_object THEN null; END $$;",
    "DO $$ BEGIN\n DROP TABLE {0};\n END $$",
    "DO $$ BEGIN ALTER TABLE {0} ADD CONSTRAINT {1} UNIQUE({2}); EXCEPTION WHEN {3} THEN null; END $$",
    "do $$ begin alter table {0} add constraint {1} unique({2}); exception when others then null; end $$",
    "DO $$ BEGIN ALTER TABLE {0} ADD CONSTRAINT {1} UNIQUE({2}); {3} WHEN others THEN null; END $$",
    'ALTER TABLE "{0}" ADD COLUMN "{1}" text\1',
    'ALTER TABLE "{0}" ADD COLUMN \0i text',
    "ALTER TABLE {0} ADD COLUMN \0w text DEFAULT \0t",
    'ALTER TABLE "{0}" ADD COLUMN \0k{1}\0q text',
]
NAMES = st.sampled_from(
    [
        *(
            "a",
            "b1",
            "users",
            "order_items",
            '"users"',
            '"Users"',
            '"a.b"',
            '"a b"',
            '"x with y"',
            '"a""b"',
            '"select"',
        ),
        *(
            "public",
            '"public"',
            "none",
            "serial",
            '"serial"',
            "text",
            "varchar",
            "int4",
            '"int4"',
            "timestamptz",
            "select",
        ),
        *("now", "random", '"now"', "usage", "restrictive", "permissive", "modulus", "remainder", "a" * 63, "b" * 64),
        *(
            f'"{"c" * 63}"',
            f'"{"d" * 64}"',
            "zq0qz",
            '"zq1qz"',
            "Über",
            "name$",
            "1a",
            "e",
            "n'x",
            "'",
            '"',
            "%s",
            '"%s"',
            "",
        ),
    ]
)


@given(st.lists(st.tuples(st.sampled_from(FORMS), st.tuples(NAMES, NAMES, NAMES, NAMES)), min_size=4, max_size=40))
@settings(max_examples=150, deadline=None)
def test_a_shape_tells_what_each_statement_says(made: list[tuple[str, tuple[str, str, str, str]]]) -> None:
    """Keywords, names that mean something, long, quoted and broken ones: nothing is read otherwise for its neighbours."""
    plain = [form.format(f"t{n}", f'"c{n}"', f"x_{n}", f"y{n}") for form, _ in made for n in range(4)]
    statements = [*plain, *(form.format(*names) for form, names in made)]
    one_by_one = [text.read(sql) for sql in statements]
    assert text.read_all(statements) == one_by_one
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(shapes, "_TOGETHER", 7)
        assert text.read_all(statements) == one_by_one


def test_a_mark_of_ours_in_a_statement() -> None:
    """Somebody writes what stands for a name here; it is a zero byte, which PostgreSQL refuses."""
    for form in ('ALTER TABLE "t{0}" ADD COLUMN \0i text', 'ALTER TABLE "t{0}" ADD COLUMN "\0i" \0w'):
        statements = [form.format(n) for n in range(5)]
        assert text.read_all(statements) == [text.read(sql) for sql in statements]


def test_what_is_alike_is_given_to_the_grammar_once() -> None:
    """Fifty columns more, and one statement is read."""
    asked: list[str] = []

    def read(statements: Sequence[str]) -> list[text.Reading]:
        asked.extend(statements)
        return [text.read(sql) for sql in statements]

    statements = [f'ALTER TABLE "t{n}" ADD COLUMN "c{n}" text' for n in range(50)]
    assert shapes.readings(statements, read) == [text.read(sql) for sql in statements]
    assert len(asked) == 1


def test_what_is_all_different_is_left_alone() -> None:
    """Nothing is learned of statements that have nothing in common."""
    statements = [f"ALTER TABLE t ALTER c SET STATISTICS {n}" for n in range(2_000)]
    assert shapes.readings(statements, lambda asked: [text.read(sql) for sql in asked]) == [None] * 2_000
