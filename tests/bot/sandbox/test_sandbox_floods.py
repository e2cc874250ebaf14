"""Hostile SQL that wants all the time, disk, memory or locks there are: none hangs, fills or floods what is not its own."""

import time

import psycopg
import pytest

from bot.branches import embedded
from tests.bot.sandbox.attacked import refused


def test_a_loop_that_traps_its_cancellation_is_ended(provider, runs):
    """statement_timeout can be lifted and a cancel be trapped; the clock outside cannot."""
    began = time.monotonic()
    with provider.branch(seconds=1.0) as branch, branch.connect() as session:
        with pytest.raises(psycopg.OperationalError):
            session.execute(
                "SET statement_timeout = 0; DO $$ BEGIN LOOP BEGIN PERFORM pg_sleep(1); LOOP END LOOP;"
                " EXCEPTION WHEN query_canceled THEN NULL; END; END LOOP; END $$"
            )
        assert branch.stopped == "time"
    assert time.monotonic() - began < 10


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT count(*) FROM generate_series(1, 1e9) g WHERE repeat('a', 5000 + g::int) ~ '((a*)*)*b'",
        "SELECT factorial(20000) * factorial(20000) FROM generate_series(1, 100000)",
        "WITH RECURSIVE r AS (SELECT 1 UNION ALL SELECT 1 FROM r) SELECT count(*) FROM r",
        "SELECT pg_sleep(1e6)",
        "SELECT count(*) FROM generate_series(1, 1e12)",
    ],
)
def test_work_without_end_is_ended(provider, runs, sql):
    """Regular expressions, numbers and recursion that never finish, or fail before."""
    began = time.monotonic()
    with provider.branch(seconds=1.0) as branch, branch.connect() as session, pytest.raises(psycopg.Error):
        session.execute(sql)
    assert time.monotonic() - began < 15


def test_a_session_that_waits_is_ended(provider, runs):
    """An open transaction holds nothing up: the branch ends when its time is over, or with its block."""
    began = time.monotonic()
    with provider.branch(seconds=60) as branch:
        first = branch.connect(autocommit=False)
        first.execute("CREATE TABLE t (x int); SELECT pg_advisory_lock(1)")
    assert time.monotonic() - began < 10
    with pytest.raises(psycopg.OperationalError):
        first.execute("SELECT 1")
    first.close()


def test_temporary_files_are_bounded(session):
    """A sort or join that spills without end runs into `temp_file_limit`, which only a superuser may lift."""
    refused(
        session,
        "SELECT count(*) FROM (SELECT g, repeat(md5(g::text), 20) FROM generate_series(1, 1000000) g ORDER BY 2) s",
        "53400",
    )


@pytest.mark.parametrize(
    "sql",
    [
        "CREATE TABLE t AS SELECT repeat(md5(g::text), 200) FROM generate_series(1, 100000000) g",
        "DO $$ BEGIN CREATE UNLOGGED TABLE t (x text); LOOP INSERT INTO t SELECT g FROM generate_series(1, 500000) g; END LOOP; END $$",
        "DO $$ BEGIN LOOP PERFORM pg_logical_emit_message(false, 'x', repeat('y', 5000000)); PERFORM lo_from_bytea(0, convert_to(repeat(md5(random()::text), 100000), 'UTF8')); END LOOP; END $$",
    ],
)
def test_the_disk_cannot_be_filled(provider, runs, sql):
    """The branch is killed when its folder outgrows its room; the room comes back with the folder."""
    small = embedded.Embedded(provider._data_dir, provider._bindir, room=200 << 20)
    small.__dict__["_place"] = provider._place
    with small.branch(seconds=60) as branch, branch.connect() as session:
        with pytest.raises(psycopg.OperationalError):
            session.execute(sql)
        assert branch.stopped == "disk"


def test_memory_is_bounded(session):
    """A backend that grows is refused memory at a gigabyte, and the session lives on."""
    session.execute("SET work_mem = '2GB'; SET hash_mem_multiplier = 1000")
    refused(
        session,
        "SELECT count(*) FROM (SELECT array_agg(repeat(g::text, 500)) FROM generate_series(1, 100000000) g) s",
        "53200",
        "54000",
    )
    assert session.execute("SELECT 1").fetchone() == (1,)


def test_a_flood_of_locks_reaches_no_other_review(provider, runs):
    """In a shared server it keeps everyone from connecting; here it stops only itself."""
    with provider.branch() as hostile, provider.branch() as other, hostile.connect() as flood:
        flood.execute("BEGIN")
        refused(flood, "SELECT pg_advisory_lock(g) FROM generate_series(1, 1000000) g", "53200")
        with other.connect() as session:
            assert session.execute("SELECT 1").fetchone() == (1,)


def test_floods_of_notices_and_notifications_stay_inside(session):
    """They cost the branch's own time."""
    session.execute("DO $$ BEGIN FOR i IN 1..20000 LOOP RAISE NOTICE 'x%', i; RAISE LOG 'y'; END LOOP; END $$")
    session.execute("LISTEN c; SELECT pg_notify('c', repeat('x', 7000) || g) FROM generate_series(1, 1000) g")
