"""`bulletproof diff` between PostgreSQL versions: each prints views and expressions in its own way, and that is no difference."""

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from bot import cluster
from bot.branches.embedded import Embedded
from bot.terminal import diff

SCHEMA = """
CREATE TABLE t (id serial PRIMARY KEY, a int NOT NULL CHECK (a IN (1, 2)), b text DEFAULT 'x' NOT NULL, ts timestamptz DEFAULT now());
CREATE TABLE u (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, t int REFERENCES t, x numeric(8,2), CHECK (x > 0));
CREATE VIEW v AS SELECT id, array_agg(a ORDER BY a) FILTER (WHERE a > 0) AS aa FROM t GROUP BY id;
CREATE VIEW w AS WITH RECURSIVE r(n) AS (VALUES (1) UNION ALL SELECT n + 1 FROM r WHERE n < 5)
  SELECT n, row_number() OVER (PARTITION BY n ORDER BY n DESC) AS rn FROM r;
CREATE MATERIALIZED VIEW m AS SELECT count(*) AS n FROM v JOIN w ON w.n = v.id;
CREATE TABLE p (k int NOT NULL, v text) PARTITION BY RANGE (k); CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (9);
GRANT ALL ON t TO PUBLIC; REVOKE CREATE ON SCHEMA public FROM PUBLIC;
"""


@pytest.fixture
def older(tmp_path: Path) -> Iterator[str]:
    """The address of a database of an older PostgreSQL, where one is installed."""
    found = sorted(Path("/usr/lib/postgresql").glob("1[4-7]/bin"))
    if not found:
        pytest.skip("no PostgreSQL 14 to 17 is installed beside the wheel's 18")
    with cluster.persistent(tmp_path / "older", found[0]) as url:
        with psycopg.connect(url, autocommit=True) as session:
            session.execute("CREATE DATABASE old")
        address = url.replace("/postgres?", "/old?")
        with psycopg.connect(address, autocommit=True) as session:
            session.execute(SCHEMA.encode())
        yield address


@pytest.mark.long
def test_another_version_is_no_difference(older: str, tmp_path: Path, branches: Embedded) -> None:
    """Silent where the schema is the same; where it is not, just that is said, and proved, both ways."""
    same, more = tmp_path / "same.sql", tmp_path / "more.sql"
    same.write_text(SCHEMA)
    more.write_text(SCHEMA + "ALTER TABLE u ADD COLUMN q int NOT NULL DEFAULT 3;")
    for sides in ((older, str(same)), (str(same), older)):
        assert diff.diff(*sides, provider=branches).equal
    found = diff.diff(older, str(more), provider=branches)
    assert (found.sql, found.proven) == ("ALTER TABLE public.u ADD COLUMN q integer DEFAULT 3 NOT NULL;\n", True)
    back = diff.diff(str(more), older, provider=branches)
    assert (back.changes, back.proven) == (("`u`: column `q` dropped",), True)
