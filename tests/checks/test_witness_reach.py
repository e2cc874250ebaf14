"""What is read of a schema after a run is what reading all of it gives."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.branches import Template
from bot.branches.embedded import Embedded, EmbeddedBranch
from bot.stage import Stage
from checks.branch import Branch
from checks.witnesses import reach, replay
from tests.checks import reach_samples
from tests.checks.replay_samples import BREAK, chain
from tests.checks.test_witness_postgres import clean
from tests.checks.witness_samples import BASE, STATEMENTS
from tests.conftest import corpus


@pytest.fixture
def stage(branches: Embedded) -> Stage:
    """Where it is run."""
    return Stage.of(branches, [], ("drizzle", "__drizzle_migrations"), extensions=(), seconds=120)


def begun(branch: EmbeddedBranch, setup: str) -> None:
    """Nothing of the last case is there, and this is."""
    clean(branch)
    with branch.connect() as session:
        session.execute(b"drop schema if exists drizzle cascade")
        session.execute(setup.encode())


def read(stage: Stage, branch: EmbeddedBranch, *sql: str) -> frozenset[tuple[str, str]] | None:
    """Run statements; the schema after them as it is read. The tables that were read of it; None: it was all."""
    with branch.connect() as session:
        before = stage.catalog_in(session)
        run = replay.run(branch, chain(BREAK.join(sql)))
        after, whole = stage.catalog_after(session, run, before), stage.catalog_in(session)
    assert after.objects == whole.objects, sql
    assert dict(after.needs) == dict(whole.needs), sql
    assert after.unread == whole.unread
    return reach.tables(run, before) if run.state == "ok" else None


def test_after_a_quarter_of_the_corpus(branch: EmbeddedBranch, stage: Stage) -> None:
    """Each statement on its own set-up."""
    narrow = 0
    for number, case in enumerate(corpus("hazards.jsonl")):
        if number % 4 == 0:
            begun(branch, case["setup"])
            narrow += read(stage, branch, case["sql"]) is not None
    assert narrow > 75


def test_after_statements_that_reach_far(branch: EmbeddedBranch, stage: Stage) -> None:
    """Partitions, parents, keys, policies and publications between tables."""
    narrow = 0
    for sql in reach_samples.STATEMENTS:
        begun(branch, reach_samples.STATE)
        narrow += read(stage, branch, *sql.split("; ")) is not None
    assert narrow > 40


@given(sql=st.lists(st.sampled_from(STATEMENTS), min_size=1, max_size=4))
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_after_statements_on_tables_of_many_shapes(branches: Embedded, stage: Stage, sql: list[str]) -> None:
    """Partitions, parents, views, domains, generated columns, functions and rows stand beside what changes."""

    def build(branch: Branch) -> bytes | None:
        with branch.connect() as session:
            session.execute(BASE)

    with branches.branch(template=Template("many-shapes", build), seconds=120) as branch:
        read(stage, branch, *sql)


def test_what_another_name_changes_elsewhere_is_read(branch: EmbeddedBranch, stage: Stage) -> None:
    """A foreign key says the name of the table that it points to."""
    for sql in (
        "alter table orders rename to sales",
        "alter type mood rename value 'ok' to 'fine'",
        "alter table tiny set schema drizzle",
    ):
        begun(branch, BASE)
        assert read(stage, branch, sql) is None
