"""Statements of many kinds, judged twice: by the witness and its rules, and by a second session that looks at the server."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass

import psycopg
import pytest

from bot.branches.embedded import Embedded, EmbeddedBranch
from checks import compose, evidence, facts, rules
from checks.catalog import read as catalogs
from checks.catalog.model import Catalog
from checks.evidence.steps import BLOCKS_WRITES, STRENGTH
from checks.witnesses import trace
from checks.witnesses.model import MigrationRun, Observation, Run
from checks.witnesses.postgres import Session
from tests.checks.witness_samples import BASE, PREPARED, STATEMENTS

LOCKING = {
    rule.id
    for rule in rules.all_rules().values()
    if any(issubclass(kind, facts.Costs | facts.NarrowsType | facts.RecreatesEnum) for kind in rule.kinds)
}
TABLES = """
select c.oid::int8, n.nspname || '.' || c.relname, pg_relation_filenode(c.oid)::int8, pg_stat_get_xact_tuples_returned(c.oid)
from pg_class c join pg_namespace n on n.oid = c.relnamespace
where c.relkind in ('r', 'p', 'm') and n.nspname !~ '^pg_|^information_schema$' and c.relpersistence <> 't'
"""
LOCKS = "select relation::int8, mode from pg_locks where pid = %s and granted and relation is not null"
MANY = 1000  # every table has 2,000 rows, or hardly any
# They read and write rows under locks that let others write, take rows away, or fill a view that nobody can write.
NO_HAZARD = (
    "insert",
    "update",
    "delete",
    "merge",
    "with",
    "select",
    "analyze",
    "truncate",
    "refresh materialized view con",
)


@dataclass(frozen=True)
class Judged:
    """What the second session saw, and what was read in truth."""

    locks: dict[str, str]
    rewrites: set[str]
    read: set[str]


@pytest.fixture(scope="module")
def shared(branches: Embedded) -> Iterator[tuple[EmbeddedBranch, Catalog]]:
    """One database for all statements that are rolled back."""
    with branches.branch(seconds=600, extensions=["pg_trgm"]) as branch:
        yield branch, prepared(branch)


def prepared(branch: EmbeddedBranch, more: str = "") -> Catalog:
    """Fill a branch anew."""
    with branch.connect() as session:
        for (name,) in session.execute(
            "select nspname::text from pg_namespace where nspname !~ '^pg_|^info'"
        ).fetchall():
            session.execute(f'drop schema "{name}" cascade'.encode())
        session.execute(f"create schema public;{BASE};{more}".encode())
        return catalogs.read(session)


def judge(branch: EmbeddedBranch, sql: str) -> Judged:
    """Run a statement, look from outside at what it locks, and count what it reads."""
    with branch.connect(autocommit=False) as session, branch.connect() as eye:
        before = {oid: (name, node, read) for oid, name, node, read in session.execute(TABLES).fetchall()}
        session.execute(sql.encode())
        locks: dict[str, str] = {}
        for oid, mode in eye.execute(LOCKS, (session.info.backend_pid,)).fetchall():
            if oid in before and STRENGTH[mode] > STRENGTH.get(locks.get(before[oid][0], ""), 0):
                locks[before[oid][0]] = mode
        # The catalog query has locked nothing of theirs. What was dropped has no file and no counters any more.
        after = {oid: (node, read) for oid, _, node, read in session.execute(TABLES).fetchall()}
        session.rollback()
    kept = before.keys() & after.keys()
    return Judged(
        locks,
        {before[oid][0] for oid in kept if after[oid][0] != before[oid][1]},
        {before[oid][0] for oid in kept if after[oid][1] - before[oid][2] >= MANY},
    )


def witness(branch: EmbeddedBranch, catalog: Catalog, sql: str) -> tuple[Observation, set[str]]:
    """What the witness sees, and which rules speak of locks."""
    migration = trace.read(sql, "x.sql")
    with closing(Session(branch, seconds=60)) as session:
        session.quietly("begin")
        (seen,) = [observation for s in migration.statements for observation in session.chunk([s])]
        session.quietly("rollback")
    run = Run(state="ok", transaction="one", runs=(MigrationRun(migration, (seen,)),))
    found = evidence.facts_of(run, [migration], known=compose.known(catalog, catalog))
    return seen, {finding.rule for finding in rules.judge(found)} & LOCKING


def compare(branch: EmbeddedBranch, catalog: Catalog, sql: str) -> None:
    """Hold the two against each other."""
    try:
        truth = judge(branch, sql)
    except psycopg.errors.SyntaxError:
        pytest.skip("this PostgreSQL does not know it")
    seen, said = witness(branch, catalog, sql)
    assert seen.failure is None
    assert {lock.relation: lock.mode for lock in seen.locks} == truth.locks
    emptied = sql.startswith("truncate") or sql.endswith("with no data")
    assert set(seen.rewrites) == (set() if emptied else truth.rewrites)
    assert truth.read <= {*seen.scans, *seen.rewrites}
    blocked = {table for table, mode in truth.locks.items() if STRENGTH[mode] >= BLOCKS_WRITES}
    harmless = emptied or (sql.startswith(NO_HAZARD) and "f()" not in sql)
    assert bool(said) == (not harmless and bool(blocked & (truth.read | truth.rewrites))), (said, truth)


@pytest.mark.parametrize("sql", STATEMENTS)
def test_locks_rewrites_scans_and_findings_are_what_a_second_session_sees(
    shared: tuple[EmbeddedBranch, Catalog], sql: str
) -> None:
    """A finding where a whole table is read or written under a lock that others wait for, and nowhere else."""
    compare(*shared, sql)


@pytest.mark.parametrize(("setup", "sql"), PREPARED)
def test_so_are_those_that_depend_on_what_was_there(
    shared: tuple[EmbeddedBranch, Catalog], setup: str, sql: str
) -> None:
    """A validated check, an index to use, a trigger: what is there decides what a statement costs."""
    branch, _ = shared
    try:
        compare(branch, prepared(branch, setup), sql)
    finally:
        prepared(branch)
