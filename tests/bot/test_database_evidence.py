"""Random chains, cut anywhere, with rows and schemas that somebody tampered with: `db sync` never marks what is not there."""

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st

from bot.branches.embedded import Embedded, EmbeddedBranch
from checks.catalog import difference
from checks.catalog import read as catalogs
from checks.catalog.model import Catalog
from tests.bot.database_samples import BREAK, data, project, rows, url
from tests.bot.test_database_migrate import digest

TABLE = "drizzle.__drizzle_migrations"
START = 1_700_000_000_000


@st.composite
def chains(draw: st.DrawFn) -> list[str]:
    """Migrations that run one after the other: each knows what is there by then."""
    texts: list[str] = []
    columns: dict[str, list[str]] = {}
    kinds = st.sampled_from(
        ["table", "column", "index", "drop column", "rename", "rows", "type", "view", "drop table", "both"]
    )
    for number in range(draw(st.integers(3, 6))):
        kind = draw(kinds) if columns else "table"
        table: str = draw(st.sampled_from(sorted(columns))) if columns else ""
        if kind in {"table", "both"}:
            table = f"t{number}"
            columns[table] = ["a"]
            text = f"CREATE TABLE {table}(id serial primary key, a text, mark text);"
            texts.append(text + (BREAK + f"INSERT INTO {table} (mark) VALUES ('m{number}');" if kind == "both" else ""))
            continue
        own = columns[table]
        if kind == "drop column" and own:
            texts.append(f"ALTER TABLE {table} DROP COLUMN {own.pop()};")
        elif kind == "rename" and own:
            texts.append(f"ALTER TABLE {table} RENAME COLUMN {own[-1]} TO r{number};")
            own[-1] = f"r{number}"
        elif kind == "drop table" and len(columns) > 1:
            del columns[table]
            texts.append(f"DROP TABLE {table};")
        elif kind == "rows":
            texts.append(f"INSERT INTO {table} (mark) VALUES ('m{number}');")
        elif kind == "type":
            texts.append(f"CREATE TYPE e{number} AS ENUM ('x');")
        elif kind == "view":
            texts.append(f"CREATE VIEW v{number} AS SELECT {number} AS n;")
        elif kind == "index":
            texts.append(f"CREATE INDEX i{number} ON {table} (mark);")
        else:
            own.append(f"c{number}")
            texts.append(f"ALTER TABLE {table} ADD COLUMN c{number} int DEFAULT {number};")
    return texts


ROWS = st.lists(
    st.tuples(
        st.sampled_from(["delete", "double", "stranger", "falsely applied", "renumber", "edited"]), st.integers(0, 5)
    ),
    max_size=3,
)
SCHEMA = st.sampled_from([None, None, None, "drop", "index", "table", "column", "ahead"])


def emptied(branch: EmbeddedBranch) -> None:
    with branch.connect() as session:
        session.execute("drop schema if exists drizzle cascade; drop schema public cascade; create schema public")


def catalog(branch: EmbeddedBranch) -> Catalog:
    with branch.connect() as session:
        return catalogs.read(session, ignore=("drizzle",))


def run(branch: EmbeddedBranch, texts: list[str]) -> None:
    with branch.connect() as session:
        for text in texts:
            session.execute(text.replace(BREAK, "\n").encode())


def tamper(
    branch: EmbeddedBranch, texts: list[str], cut: int, tampering: list[tuple[str, int]], change: str | None
) -> None:
    """The first `cut` migrations with their rows, then what somebody did to them."""
    run(branch, texts[:cut])
    with branch.connect() as session:
        session.execute(
            f"create schema drizzle; create table {TABLE}(id serial primary key, hash text not null, created_at bigint)"
        )
        insert = f"insert into {TABLE} (hash, created_at) values (%s, %s)"
        for number, text in enumerate(texts[:cut]):
            session.execute(insert, (digest(text), START + number * 1000))
        for what, place in tampering:
            number = place % len(texts)
            where = (digest(texts[number]),)
            if what == "delete":
                session.execute(f"delete from {TABLE} where hash = %s", where)
            elif what == "double":
                session.execute(
                    f"insert into {TABLE} (hash, created_at) select hash, created_at from {TABLE} where hash = %s",
                    where,
                )
            elif what == "stranger":
                session.execute(insert, (digest(f"stranger {place}"), START + 99_000 + place))
            elif what == "falsely applied":
                session.execute(insert, (*where, START + number * 1000))
            elif what == "renumber":
                session.execute(f"update {TABLE} set created_at = created_at - 77 where hash = %s", where)
            else:
                session.execute(f"update {TABLE} set hash = 'edited' || hash where hash = %s", where)
        meddle(session, texts[cut:], change)


def meddle(session: Any, later: list[str], change: str | None) -> None:
    """A hand on the schema itself."""
    first = session.execute(
        "select c.relname::text from pg_class c where relnamespace = 'public'::regnamespace and relkind = 'r' order by 1 limit 1"
    ).fetchone()
    if first is not None and change in {"drop", "index", "column"}:
        done = {
            "drop": "drop table {} cascade",
            "index": "create index by_hand on {} (id)",
            "column": "alter table {} add column by_hand int",
        }
        session.execute(done[change].format(first[0]).encode())
    elif change == "table":
        session.execute("create table by_hand()")
    elif change == "ahead" and later:
        session.execute(later[0].split(BREAK)[0].encode())


def recorded(branch: EmbeddedBranch, texts: list[str]) -> list[int]:
    """Which migrations have a row, by hash."""
    with branch.connect() as session:
        there = session.execute("select to_regclass(%s) is not null", (TABLE,)).fetchone() == (True,)
    said = {row[0] for row in rows(branch)} if there else set[str]()
    return [number for number, text in enumerate(texts) if digest(text) in said]


@pytest.fixture(scope="module")
def oracle(branches: Embedded) -> Iterator[EmbeddedBranch]:
    """Where migrations are run plainly, on an empty database."""
    with branches.branch(seconds=900) as made:
        yield made


def check(
    branches: Embedded,
    oracle: EmbeddedBranch,
    *,
    texts: list[str],
    cut: int,
    tampering: list[tuple[str, int]],
    change: str | None,
) -> None:
    """Sync, then migrate; the oracle runs the same migrations on an empty database."""
    cut = min(cut, len(texts))
    with TemporaryDirectory() as folder, branches.branch(seconds=200) as branch:
        repo = project(Path(folder), texts)
        tamper(branch, texts, cut, tampering, change)
        before = rows(branch, "*"), catalog(branch)
        code, said = data("sync", "--url", url(branch), "--repo", repo)
        note(f"sync: {code} {said}")
        assert difference.equal(before[1], catalog(branch)), "sync changes no schema"
        if code != 0:
            assert (code, said["status"], rows(branch, "*")) == (1, "refused", before[0])
            assert change is not None, "a state that the chain passes through is found"
            return
        have = recorded(branch, texts)
        assert len(rows(branch)) == len(have), "each row is of a migration, and none is doubled"
        if change == "ahead" and any("`db migrate` stops at it" in line for line in said["proof"]):
            return  # made by hand and not filled: sync says so and marks nothing, which is all that it can promise
        emptied(oracle)
        run(oracle, [texts[number] for number in have])
        assert difference.unified(catalog(oracle), catalog(branch)) == "", f"rows of {have}"
        code, done = data("migrate", "--url", url(branch), "--repo", repo)
        note(f"migrate: {code} {done}")
        assert code == 0
        emptied(oracle)
        run(oracle, texts)
        assert difference.unified(catalog(oracle), catalog(branch)) == ""
        assert recorded(branch, texts) == list(range(len(texts)))
        assert data("status", "--url", url(branch), "--repo", repo)[0] == 0
        assumed = {n for n in range(cut, len(texts)) if f"{n:04d}_step" in said["unproven"]}
        assumed |= {place % len(texts) for what, place in tampering if what == "falsely applied"}
        marks(branch, texts, assumed)


def marks(branch: EmbeddedBranch, texts: list[str], assumed: set[int]) -> None:
    """Rows that a migration writes are there once it is recorded, unless no schema shows it: sync says so, or keeps the row that was there."""
    with branch.connect() as session:
        for number, text in enumerate(texts):
            table = text.partition("INSERT INTO ")[2].split(" ")[0]
            gone = not table or any(f"DROP TABLE {table};" in later for later in texts[number:])
            if gone or number in assumed:
                continue
            found = session.execute(f"select count(*) from {table} where mark = 'm{number}'".encode()).fetchone()
            assert found == (1,), f"{number}: {text}"


QUIET = [HealthCheck.too_slow, HealthCheck.function_scoped_fixture, HealthCheck.data_too_large]


@settings(max_examples=5, deadline=None, suppress_health_check=QUIET, derandomize=True)
@given(texts=chains(), cut=st.integers(0, 6), tampering=ROWS, change=SCHEMA)
def test_sync_marks_only_what_is_there(
    branches: Embedded,
    oracle: EmbeddedBranch,
    *,
    texts: list[str],
    cut: int,
    tampering: list[tuple[str, int]],
    change: str | None,
) -> None:
    """After sync the rows are exactly those whose migrations build this schema; after migrate it is the whole chain's."""
    check(branches, oracle, texts=texts, cut=cut, tampering=tampering, change=change)


@pytest.mark.long
@settings(max_examples=20, deadline=None, suppress_health_check=QUIET)
@given(texts=chains(), cut=st.integers(0, 6), tampering=ROWS, change=SCHEMA)
def test_sync_marks_only_what_is_there_at_length(
    branches: Embedded,
    oracle: EmbeddedBranch,
    *,
    texts: list[str],
    cut: int,
    tampering: list[tuple[str, int]],
    change: str | None,
) -> None:
    """The same, more often."""
    check(branches, oracle, texts=texts, cut=cut, tampering=tampering, change=change)
