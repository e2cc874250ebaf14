"""What differs between two catalogs, as a code review and in words."""

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from checks.catalog import acl, difference, dump, names, words
from tests.checks.catalog_states import state

BEFORE = """
CREATE TYPE mood AS ENUM ('sad', 'happy');
CREATE TABLE users (id int PRIMARY KEY, email text, nickname text, total int DEFAULT 0);
CREATE TABLE old (a int, b int);
"""
AFTER = """
CREATE TYPE mood AS ENUM ('sad', 'so', 'happy');
CREATE TABLE users (id int PRIMARY KEY, total bigint DEFAULT 1, email text NOT NULL, role text DEFAULT 'x');
CREATE UNIQUE INDEX users_email ON users (email);
ALTER TABLE users ENABLE ROW LEVEL SECURITY;
CREATE TABLE audit (id int, what text, at timestamptz);
GRANT SELECT ON users TO PUBLIC;
"""


def test_a_difference_in_words_says_first_what_is_lost(one: psycopg.Connection) -> None:
    """One sentence a change; what belongs to a new or dropped table is said with it."""
    assert words.summary(state(one, BEFORE), state(one, AFTER)) == [
        "table `old` dropped, with its 2 columns",
        "`users`: column `nickname` dropped",
        "`users`: column `total` changed type from integer to bigint",
        "table `users`: row-level security enabled",
        "table `users`: SELECT granted to PUBLIC",
        "`users`: column `email` became not null",
        "`users`: default of `total` changed from 0 to 1",
        "enum `mood`: value `so` added",
        "table `audit` created with 3 columns",
        "`users`: column `role` added (text, default 'x'::text)",
        "`users`: unique index `users_email` created",
    ]


def test_a_difference_in_text_shows_the_objects_that_change_and_no_other(one: psycopg.Connection) -> None:
    """Columns stand as they are declared; one that moved is no difference; each hunk names its object."""
    text = difference.unified(state(one, BEFORE), state(one, AFTER), before="base", after="head")
    assert (
        text
        == """\
--- base
+++ head
@@ -1,4 +1,5 @@ type mood
 CREATE TYPE mood AS ENUM (
     'sad',
+    'so',
     'happy',
 );
@@ -0,0 +1,5 @@ table audit
+CREATE TABLE audit (
+    id integer,
+    what text,
+    at timestamp with time zone,
+);
@@ -1,4 +0,0 @@ table old
-CREATE TABLE old (
-    a integer,
-    b integer,
-);
@@ -1,7 +1,10 @@ table users
 CREATE TABLE users (
     id integer NOT NULL,
-    total integer DEFAULT 0,
-    email text,
-    nickname text,
+    total bigint DEFAULT 1,
+    email text NOT NULL,
+    role text DEFAULT 'x'::text,
     CONSTRAINT users_pkey PRIMARY KEY (id),
 );
+ALTER TABLE users ENABLE ROW LEVEL SECURITY;
+CREATE UNIQUE INDEX users_email ON public.users USING btree (email);
+GRANT SELECT ON TABLE public.users TO PUBLIC;
"""
    )


def test_no_difference_is_no_text_and_no_words(one: psycopg.Connection) -> None:
    """Silence means equal."""
    a, b = state(one, AFTER), state(one, AFTER)
    assert difference.equal(a, b)
    assert (difference.unified(a, b), words.summary(a, b), difference.changes(a, b)) == ("", [], [])


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ("DROP TABLE t CASCADE", "table `t` dropped, with its 2 columns"),
        ("ALTER TABLE t DROP COLUMN b", "`t`: column `b` dropped"),
        ("DROP VIEW v; ALTER TABLE t ALTER a TYPE bigint", "`t`: column `a` changed type from integer to bigint"),
        ("ALTER TABLE t ALTER b DROP NOT NULL", "`t`: column `b` can be null"),
        ("COMMENT ON TABLE t IS 'x'", "table `t`: comment added"),
        ("ALTER TABLE t ADD CONSTRAINT c CHECK (a > 0)", "`t`: check `c` added: CHECK ((a > 0))"),
        ("CREATE SCHEMA s", "schema `s` created"),
        ("CREATE FUNCTION f(int) RETURNS int LANGUAGE sql AS 'SELECT 1'", "function `f(integer)` created"),
        ("CREATE OR REPLACE VIEW v AS SELECT a + 1 AS a FROM t", "view `v`: query changed"),
        ("REVOKE SELECT ON t FROM PUBLIC", "table `t`: SELECT revoked from PUBLIC"),
        ("ALTER TABLE t SET (fillfactor = 70)", "table `t`: storage parameters are now fillfactor=70"),
    ],
)
def test_each_change_has_its_sentence(one: psycopg.Connection, change: str, sentence: str) -> None:
    """In the user's own names, without `public.`."""
    setup = "CREATE TABLE t (a int, b int NOT NULL); GRANT SELECT ON t TO PUBLIC; CREATE VIEW v AS SELECT a FROM t;"
    found = words.summary(state(one, setup), state(one, f"{setup} {change}"))
    assert sentence in found


@given(st.text(st.characters(blacklist_characters="\0", blacklist_categories=("Cs",)), min_size=1, max_size=20))
def test_a_quoted_name_is_one_identifier(name: str) -> None:
    """What is plain stays plain, everything else is quoted, and quotes in it are doubled."""
    quoted = names.quoted(name)
    if quoted != name:
        assert quoted[1:-1].replace('""', '"') == name
        assert quoted[0] == quoted[-1] == '"'
    else:
        assert name == name.lower()
        assert name.isascii()


def test_privileges_are_compared_without_their_grantors_and_the_owners_name() -> None:
    """PUBLIC, quoted names and grant options are kept; what is the default is None; MAINTAIN is part of ALL before 17."""
    assert acl.normal(["ada=arwdDxtm/ada"], "r", "ada", 180000) is None
    assert acl.normal(["ada=arwdDxt/ada"], "r", "ada", 150000) is None
    assert acl.normal(["ada=X/ada", "=X/ada"], "f", "ada", 150000) is None
    assert acl.normal(['"B ""b=c"=r*/ada', "=r/ada"], "r", "ada", 180000) == ('"B ""b=c"=r*', "PUBLIC=r")
    assert acl.normal(["bob=r/ada", "bob=w/eve"], "r", "ada", 180000) == ("bob=rw",)


def test_the_dump_never_shows_a_password(one: psycopg.Connection) -> None:
    """Options of user mappings and connection strings are named, not shown."""
    from checks.catalog.outside import Subscription, UserMapping  # noqa: PLC0415 - used here alone

    catalog = state(one, "")
    secret = [
        UserMapping("public", "srv", ("password=hunter2",)),
        Subscription("s", "host=x password=hunter2", ("p",), (), enabled=False, slot=""),
    ]
    shown = dump.text(type(catalog)(objects={each.key: each for each in secret}))
    assert "hunter2" not in shown
