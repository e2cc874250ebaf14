"""Which ways there and back need not be looked at in the middle."""

import pytest

from checks import way_back


@pytest.mark.parametrize(
    ("sql", "plain"),
    [
        ("CREATE TABLE a (b int)", True),
        ('ALTER TABLE "a" ADD COLUMN "c" text DEFAULT now() NOT NULL', True),
        ("create unique index i on a (b)", True),
        ("DROP INDEX i", True),
        ("CREATE TABLE IF NOT EXISTS a (b int)", False),
        ("DROP TABLE a CASCADE", False),
        ("DROP INDEX IF EXISTS i", False),
        ("CREATE TABLE a AS SELECT 1", False),
        ("CREATE OR REPLACE VIEW v AS SELECT 1", False),
        ("DO $$ BEGIN ALTER TABLE a ADD b int; EXCEPTION WHEN duplicate_column THEN NULL; END $$", False),
        ("UPDATE a SET b = 1", False),
        ("CREATE EXTENSION citext", False),
        ("SELECT f()", False),
    ],
)
def test_statements_that_look_first_are_not_unconditional(sql: str, plain: bool) -> None:  # noqa: FBT001 - a column of the table
    """What depends on what is there may lead elsewhere the second time; the schema in the middle is then read."""
    assert way_back.unconditional(["CREATE TABLE t (id int)", sql]) is plain
