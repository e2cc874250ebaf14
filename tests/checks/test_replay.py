"""A chain is run as Drizzle runs it, and what became of each statement is told."""

import time

import pytest

from bot.branches.embedded import Embedded, EmbeddedBranch
from checks.drizzle.model import Chain
from checks.witnesses import replay, tracking
from checks.witnesses.model import Run
from tests.checks.replay_samples import BREAK, T, chain, migration


def grown(base: Chain, *texts: str) -> Chain:
    """A chain with more migrations at its end."""
    first = len(base.migrations)
    more = tuple(migration(first + n, text, base.project.format) for n, text in enumerate(texts))
    return Chain(base.project, (*base.migrations, *more), ())


def told(run: Run) -> list[tuple[str, bool, str | None]]:
    """Tag, executed, SQLSTATE of each statement."""
    return [
        (r.migration.tag, o.executed, o.failure.sqlstate if o.failure else None)
        for r in run.runs
        for o in r.observations
    ]


def test_only_what_is_pending_runs(branch: EmbeddedBranch) -> None:
    """What the tracking table has is not run again; what is new is recorded."""
    base = chain(T, "create table u()")
    assert replay.build_base(branch, base).recorded == ("0000_step", "0001_step")
    run = replay.run(branch, grown(base, "alter table t add column b int"))
    assert run.state == "ok"
    assert told(run) == [("0002_step", True, None)]
    assert run.recorded == ("0000_step", "0001_step", "0002_step")
    assert run.runs[0].observations[0].locks[0].relation == "public.t"


def test_a_failure_rolls_all_pending_files_back(branch: EmbeddedBranch) -> None:
    """One transaction holds them all; statements after the failure are listed and not run."""
    base = chain(T)
    replay.build_base(branch, base)
    run = replay.run(
        branch,
        grown(base, "create table u()", "create table w();" + BREAK + "select 1/0" + BREAK + "select 2", "select 3"),
    )
    assert run.state == "failed"
    assert run.failed == ("0002_step", 1)
    assert run.failure is not None
    assert (run.failure.sqlstate, run.failure.message) == ("22012", "division by zero")
    assert run.rolled_back == ("0001_step", "0002_step")
    assert run.half_applied == ()
    assert run.recorded == ("0000_step",)
    assert told(run) == [
        *(("0001_step", True, None), ("0002_step", True, None), ("0002_step", False, "22012")),
        *(("0002_step", False, None), ("0003_step", False, None)),
    ]


def test_a_file_that_commits_itself_stays_half_applied(branch: EmbeddedBranch) -> None:
    """After COMMIT every statement stands for itself; the row is never written."""
    base = chain(T)
    replay.build_base(branch, base)
    text = BREAK.join(["create table u()", "COMMIT", "create index concurrently i on t(a)", "select 1/0"])
    run = replay.run(branch, grown(base, "create table before()", text, "create table never()"))
    assert run.failed == ("0002_step", 3)
    assert run.half_applied == ("0002_step",)
    assert run.rolled_back == ()
    assert run.recorded == ("0000_step", "0001_step")
    concurrently = run.runs[1].observations[2]
    assert [(h.relation, h.mode) for h in concurrently.locks] == [("public.t", "ShareUpdateExclusiveLock")]
    assert not concurrently.in_transaction


def test_neon_http_has_no_transaction_and_records_at_the_end(branch: EmbeddedBranch) -> None:
    """Statements go one by one, each in a session of its own; a failure leaves all before it applied and unrecorded."""
    ours = chain(
        "set search_path = nowhere" + BREAK + T,
        "create index concurrently i on t(a)" + BREAK + "select 1/0",
        transaction="none",
        migrator="neon-http",
    )
    run = replay.run(branch, ours)
    assert run.failed == ("0001_step", 1)
    assert run.half_applied == ("0000_step", "0001_step")
    assert run.recorded == ()
    with branch.connect() as session:
        assert session.execute("select to_regclass('public.i') is not null").fetchone() == (True,)


def test_neon_http_takes_one_statement_a_query(branch: EmbeddedBranch) -> None:
    """Two statements in one chunk are refused by the extended protocol."""
    run = replay.run(branch, chain("create table a(); create table b();", transaction="none", migrator="neon-http"))
    assert run.failure is not None
    assert run.failure.sqlstate == "42601"


def test_what_drizzle_passes_over_is_named(branch: EmbeddedBranch) -> None:
    """v0 runs only what is younger than the youngest row, and says nothing of the rest."""
    base = chain(T)
    replay.build_base(branch, base)
    late = migration(1, "create table u()", when=base.migrations[0].when)
    run = replay.run(branch, Chain(base.project, (*base.migrations, late), ()))
    assert run.state == "ok"
    assert run.runs == ()
    assert run.skipped == ("0001_step",)


def test_v1_runs_whatever_has_no_name_in_the_table(branch: EmbeddedBranch) -> None:
    """Older folders that come late run too."""
    base = chain("create table a()", T, format="v1")
    replay.build_base(branch, Chain(base.project, base.migrations[1:], ()))
    run = replay.run(branch, base)
    assert [r.migration.tag for r in run.runs] == [base.migrations[0].tag]
    assert run.skipped == ()


def test_v1_takes_over_the_table_of_v0(branch: EmbeddedBranch) -> None:
    """Rows get the names of the folders of their second; a row that matches nothing stops the migrator."""
    old = chain(T)
    replay.build_base(branch, old)
    new = chain(T, format="v1")
    assert replay.run(branch, new).runs == ()
    with branch.connect() as session:
        session.execute("update drizzle.__drizzle_migrations set name = null")
        session.execute("alter table drizzle.__drizzle_migrations drop column name")
        session.execute("update drizzle.__drizzle_migrations set created_at = 1, hash = 'x'")
    run = replay.run(branch, new)
    assert run.state == "failed"
    assert "match no local migration" in (run.why or "")


def test_a_chain_that_was_not_run_can_be_recorded(branch: EmbeddedBranch) -> None:
    """Where base's snapshot was applied instead, only what is new is pending."""
    base = chain(T)
    tracking.record_all(branch, base)
    assert told(replay.run(branch, grown(base, "create table u()"))) == [("0001_step", True, None)]


def test_building_names_the_statement_that_fails(branch: EmbeddedBranch) -> None:
    """Also the second one of a chunk."""
    run = replay.build_base(branch, chain(T + BREAK + "create table u(); select 1/0; select 3"))
    assert run.failed == ("0000_step", 2)


@pytest.mark.parametrize(
    "sql",
    [
        "do $$ begin loop perform pg_sleep(0.01); end loop; end $$",
        "set statement_timeout = 0" + BREAK + "select pg_sleep(100)",
        "do $$ begin loop begin perform pg_sleep(10); exception when query_canceled then null; end; end loop; end $$",
        "select generate_series(1, 100000000000)",
        "do $$ begin loop raise notice 'x'; end loop; end $$",
        "copy (select generate_series(1, 100000000000)) to stdout",
    ],
)
def test_what_never_ends_is_stopped(branch: EmbeddedBranch, sql: str) -> None:
    """Time is up for the whole run, whatever the SQL does about it; the statement that ran is named."""
    began = time.monotonic()
    run = replay.run(branch, chain(T, sql), seconds=2)
    assert time.monotonic() - began < 15
    assert run.failure is not None
    assert run.failure.sqlstate == "57014"
    assert "its time was up" in run.failure.message
    assert run.failed is not None
    assert run.failed[0] == "0001_step"


def test_the_watchdog_of_the_branch_ends_as_a_failure(branches: Embedded) -> None:
    """Where the cluster is killed under a statement, that statement was stopped."""
    with branches.branch(seconds=3) as branch:
        run = replay.run(branch, chain(T, "select pg_sleep(60)"))
    assert run.failed == ("0001_step", 0)
    assert run.failure is not None
    assert run.failure.stopped
    assert run.failure.message == "stopped after 3 s: its time was up"


@pytest.mark.parametrize(
    ("sql", "code"),
    [
        ("\\restrict abc\nselect 1", "42601"),
        ("copy t from stdin", "57014"),
        ("select '\x00'", "08P01"),
        ("\x01\x02\x03", "42601"),
        ("select " + "(" * 20_000 + "1" + ")" * 20_000, "42601"),
        ("select 'never ends", "42601"),
        ("set session authorization postgres", "22023"),
        ("select pg_terminate_backend(pg_backend_pid())", "57014"),
    ],
)
def test_bad_input_is_a_failure_with_its_place(branch: EmbeddedBranch, sql: str, code: str) -> None:
    """Nothing raises; PostgreSQL's own code, ours only where the server went away."""
    run = replay.run(branch, chain(T, sql))
    assert run.failure is not None
    assert run.failure.sqlstate == code, run.failure
    assert run.failed is not None
    assert run.failed[0] == "0001_step"


def test_notifications_do_no_harm(branch: EmbeddedBranch) -> None:
    """LISTEN and NOTIFY run like anything else."""
    run = replay.run(branch, chain(T, "listen x" + BREAK + "notify x, 'hello'" + BREAK + "unlisten *"))
    assert run.state == "ok"


@pytest.mark.long
def test_fifty_megabytes_are_one_migration(branch: EmbeddedBranch) -> None:
    """One insert of 50 MB runs within the limits."""
    values = ",".join(f"({n}, '{'x' * 990}')" for n in range(50_000))
    run = replay.run(branch, chain(T, f"insert into t values {values}"), seconds=120)
    assert run.state == "ok"
    assert run.runs[1].observations[0].rows == 50_000
