"""A migration's text is cut exactly as Drizzle and PostgreSQL cut it."""

import time

import pytest

from checks.drizzle import statements

MARK = "--> statement-breakpoint"


def cut(text: str) -> list[tuple[int, int, str]]:
    """Line, chunk and SQL of every statement."""
    return [(s.line, s.chunk, s.sql) for s in statements.split(text)[1]]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        ("-- Custom SQL migration file, put your code below! --", []),
        (f"{MARK}{MARK}", []),
        ("select 1", [(1, 0, "select 1")]),
        ("select 1; select 2;", [(1, 0, "select 1"), (1, 0, "select 2")]),
        ("\n\n  select 1;\n", [(3, 0, "select 1")]),
        ("-- why\nselect 1; -- done\n/* and */ select 2", [(2, 0, "select 1"), (3, 0, "select 2")]),
        (f"select 1;{MARK}\nselect 2;", [(1, 0, "select 1"), (2, 1, "select 2")]),
        (f"select 1;\r\n{MARK}\r\nselect\r\n2;\r\n", [(1, 0, "select 1"), (3, 1, "select\r\n2")]),
        (f"-- only words\n{MARK}\nselect 1", [(3, 1, "select 1")]),
        ("select ';' ; select $a$;$b$;$a$", [(1, 0, "select ';'"), (1, 0, "select $a$;$b$;$a$")]),
        ("/* /* ; */ ; */ select 1", [(1, 0, "select 1")]),
        ("select 'ä'; select 'ö;'", [(1, 0, "select 'ä'"), (1, 0, "select 'ö;'")]),
        (";;select 1;;", [(1, 0, "select 1")]),
    ],
)
def test_statements_begin_at_their_first_token_and_end_at_their_last(text, expected):
    """Comments before and after belong to neither neighbour; lines are those of the file; empty chunks have no statement."""
    assert cut(text) == expected


def test_the_marker_cuts_wherever_it_stands():
    """Drizzle looks for the literal text, so a marker inside a function body cuts the body in two."""
    text = f"CREATE FUNCTION f() RETURNS int LANGUAGE sql AS $$\n select 1; {MARK}\n select 2;\n$$;"
    chunks, found, unread = statements.split(text)
    assert chunks == ("CREATE FUNCTION f() RETURNS int LANGUAGE sql AS $$\n select 1; ", "\n select 2;\n$$;")
    assert [s.line for s in found] == [1, 3, 4]
    assert unread is not None


def test_a_function_body_of_standard_sql_is_one_statement():
    """The semicolons of BEGIN ATOMIC do not end the statement."""
    text = "CREATE FUNCTION f() RETURNS int LANGUAGE sql BEGIN ATOMIC SELECT 1; SELECT 2; END;\nSELECT f();"
    assert [line for line, _, _ in cut(text)] == [1, 2]


def test_what_psql_alone_understands_stays_in_its_statement():
    r"""`\d` is no SQL: it is sent as it stands, and PostgreSQL will refuse it."""
    assert cut("select 1;\n\\d users\nselect 2;") == [(1, 0, "select 1"), (2, 0, "\\d users\nselect 2")]


def test_a_quote_that_never_ends_is_told_and_not_fatal():
    """What comes before it is still cut."""
    chunks, found, unread = statements.split("select 1;\nselect 'x; select 2;")
    assert len(chunks) == 1
    assert [(s.line, s.sql) for s in found] == [(1, "select 1"), (2, "select 'x; select 2;")]
    assert "unterminated" in (unread or "")


def test_a_large_file_takes_seconds():
    """50 MB of inserts, with comments and markers among them."""
    text = ("-- a row\nINSERT INTO t VALUES ('" + "x" * 990 + f"');\n{MARK}\n") * 48_000
    started = time.process_time()
    _, found, unread = statements.split(text)
    assert (len(found), found[-1].line, unread) == (48_000, 48_000 * 3 - 1, None)
    assert time.process_time() - started < 15


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("select 1;", "select 1 ;\r\n-- more", True),
        (f"a;{MARK}b", "a; b", True),
        (f"a;{MARK}b", "a;", False),
        ("select 'a  b'", "select 'a b'", False),
        ("select 1", "select 2", False),
        ("drop table a", "DROP TABLE a", False),
    ],
)
def test_white_space_and_comments_make_no_difference(one, other, same):
    """Only tokens count; text in quotes counts as it is."""
    assert statements.same(statements.split(one)[1], statements.split(other)[1]) is same
