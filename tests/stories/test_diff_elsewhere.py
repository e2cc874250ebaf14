"""The difference of a database of a person's is proved on what it touches, made again elsewhere: nothing gets past that."""

import contextlib
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg
import pytest

from bot.branches import Provider
from bot.branches.embedded import Embedded, EmbeddedBranch
from bot.terminal import diff, sides
from checks.catalog import statements
from checks.catalog.model import Catalog
from checks.catalog.statements.model import Statement
from checks.errors import UserError

FAR = "CREATE TABLE far (z int);"
WATCHED = """
CREATE FUNCTION watch() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN {does}; END $$;
CREATE ROLE strong SUPERUSER; CREATE EVENT TRIGGER watches ON ddl_command_start {when} EXECUTE FUNCTION watch();
ALTER EVENT TRIGGER watches OWNER TO strong;
"""
MORE = "ALTER EVENT TRIGGER watches DISABLE; ALTER TABLE t ADD b int; ALTER EVENT TRIGGER watches ENABLE;"
FORBIDS = WATCHED.format(does="RAISE 'not here'", when="")
COUNTS = WATCHED.format(does="INSERT INTO far VALUES (1)", when="WHEN TAG IN ('ALTER TABLE')")


@pytest.fixture
def there(branches: Embedded) -> Iterator[EmbeddedBranch]:
    """The person's database."""
    with branches.branch() as made:
        yield made


def address(session: psycopg.Connection[Any]) -> str:
    """The database that a session is in."""
    return f"postgresql://{session.info.user}@/{session.info.dbname}?host={quote(session.info.host, safe='')}"


def compared(branches: Embedded, there: EmbeddedBranch, tmp_path: Path, before: str, change: str) -> diff.Difference:
    """The difference of a database to what a change would make of it."""
    with there.admin() as session:
        session.execute(before.encode())
        url = address(session)
    (tmp_path / "after.sql").write_text(f"{before}\n{change}")
    return diff.diff(url, str(tmp_path / "after.sql"), provider=branches)


@pytest.mark.parametrize(
    ("before", "change"),
    [
        pytest.param(FAR + "CREATE TABLE t (a int);" + COUNTS, MORE, id="a watcher that writes far away"),
        pytest.param(
            FAR
            + "CREATE FUNCTION f(x int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT count(*)::int + x FROM far';"
            + "CREATE TABLE t (a int, g int GENERATED ALWAYS AS (f(a)) STORED);",
            "ALTER TABLE t ADD b int;",
            id="a generated column that reads far away by a string",
        ),
        pytest.param(
            "CREATE TABLE up (a int); CREATE TABLE far (z int) INHERITS (up); CREATE VIEW v AS SELECT z FROM far;",
            "ALTER TABLE up ADD b int DEFAULT 3;",
            id="an heir",
        ),
        pytest.param(
            "CREATE TABLE t (a int PRIMARY KEY); CREATE TABLE far (z int REFERENCES t (a));",
            "ALTER TABLE t ALTER a TYPE bigint;",
            id="a foreign key from far away",
        ),
        pytest.param(
            FAR + "CREATE ROLE reader; ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO reader;",
            "CREATE TABLE t (a int);",
            id="default privileges",
        ),
    ],
)
def test_what_a_difference_needs_is_made_for_its_proof(
    branches: Embedded, there: EmbeddedBranch, tmp_path: Path, before: str, change: str
) -> None:
    """Also where only running it shows what that is."""
    found = compared(branches, there, tmp_path, before, change)
    assert (found.equal, found.proven, found.why) == (False, True, "")


def test_an_event_trigger_that_forbids_it_is_asked(branches: Embedded, there: EmbeddedBranch, tmp_path: Path) -> None:
    """Whoever owns it: it sees every statement, whatever that touches."""
    found = compared(branches, there, tmp_path, "CREATE TABLE t (a int);" + FORBIDS, MORE)
    assert (found.proven, found.why) == (
        False,
        'PostgreSQL says "not here" to: ALTER TABLE public.t ADD COLUMN b integer',
    )


def test_a_statement_that_touches_something_else_proves_nothing(
    branches: Embedded, there: EmbeddedBranch, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is not in the difference is not where it is tried."""
    really = statements.sql

    def meddled(a: Catalog, b: Catalog) -> list[Statement]:
        made = really(a, b)
        return [*made, Statement("DROP TABLE public.far")] if ("table", "public", "far") in a.objects else made

    monkeypatch.setattr(statements, "sql", meddled)
    found = compared(branches, there, tmp_path, FAR + "CREATE TABLE t (a int);", "ALTER TABLE t ADD b int;")
    assert (found.proven, found.why) == (False, "after it, this is still to do: table `far` created with 1 column")


def test_a_side_that_fails_ends_the_rest(branches: Embedded, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The place that was made ready for the proof goes, too."""
    really, opened = sides.fresh, list[psycopg.Connection[Any]]()

    @contextlib.contextmanager
    def noted(provider: Provider, seconds: float) -> Generator[psycopg.Connection[Any]]:
        with really(provider, seconds) as session:
            opened.append(session)
            yield session

    monkeypatch.setattr(sides, "fresh", noted)
    (tmp_path / "after.sql").write_text("SELECT 1 FROM nothing;")
    with (
        branches.branch() as there,
        there.connect() as session,
        pytest.raises(UserError, match=r"after.sql, line 1"),
    ):
        diff.diff(address(session), str(tmp_path / "after.sql"), provider=branches)
    assert [each.closed for each in opened] == [True]
