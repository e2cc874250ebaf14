"""Whatever stops `db migrate`, rows and schema agree afterwards, and the next run ends the work."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from bot.branches import binaries
from bot.branches.embedded import EmbeddedBranch
from tests.bot import cut_wire
from tests.bot.database_chain import TEXTS, names, recorded
from tests.bot.database_samples import BREAK, data, db, project, url

TABLES = {0: ("a1", "a2"), 1: ("b1", "b2"), 3: ("c1", "c2")}
WHOLE = {"a1", "a2", "b1", "b2", "c1", "c2", "s1", "s3", "s4", "s5", "s6"}


def quiet(branch: EmbeddedBranch) -> None:
    """Wait until the sessions that were cut have ended on the server."""
    with branch.connect() as session:
        for _ in range(3000):
            row = session.execute(
                "select count(*) from pg_stat_activity where pid <> pg_backend_pid() and backend_type = 'client backend' and usename = current_user"
            ).fetchone()
            if row == (0,):
                return
            time.sleep(0.01)
    raise AssertionError("a session that was cut lives on")


def agree(branch: EmbeddedBranch) -> None:
    """Every recorded migration is there, every other is not (one in steps may be there in part)."""
    have, said = names(branch), recorded(branch)
    for number, tables in TABLES.items():
        there = [table in have for table in tables]
        assert there == [number in said] * 2, f"migration {number}: {there}, rows {said}"
    assert len(said) == len(set(said))
    if 2 in said:
        assert {"s1", "s3", "s4", "s5", "s6"} <= have


def empty(branch: EmbeddedBranch) -> None:
    with branch.connect() as session:
        session.execute("drop schema if exists drizzle cascade")
        for table in ("a1", "a2", "b1", "b2", "c1", "c2", "s1", "s3", "s4", "s5"):
            session.execute(f"drop table if exists {table}")


def whole(branch: EmbeddedBranch) -> None:
    assert recorded(branch) == [0, 1, 2, 3]
    assert names(branch) == WHOLE


@pytest.mark.parametrize("late", [False, True])
def test_a_connection_that_is_lost_at_any_query(branch: EmbeddedBranch, tmp_path: Path, *, late: bool) -> None:
    """Cut before or after every twelfth query that the command sends: agreement, then the next run completes the work."""
    _sweep(branch, tmp_path, late=late, step=12)


@pytest.mark.long
@pytest.mark.parametrize("late", [False, True])
def test_a_connection_that_is_lost_at_every_query(branch: EmbeddedBranch, tmp_path: Path, *, late: bool) -> None:
    """The same, at all of them."""
    _sweep(branch, tmp_path, late=late, step=1)


def _sweep(branch: EmbeddedBranch, folder: Path, *, late: bool, step: int) -> None:
    repo = project(folder, TEXTS)
    with cut_wire.to(branch) as (wire, address):
        wire.arm(None)
        assert data("migrate", "--url", address, "--repo", repo, "--no-check")[0] == 0
        whole(branch)
        queries = wire.asked
        assert queries > 30
        for at in range(1, queries + 1, step):
            empty(branch)
            wire.arm(at, late=late)
            code, text = db("migrate", "--url", address, "--repo", repo, "--no-check")
            assert wire.fired
            assert code in {0, 3}, text
            assert "Traceback" not in text
            quiet(branch)
            agree(branch)
            wire.arm(None)
            code, text = db("migrate", "--url", address, "--repo", repo, "--no-check")
            assert code == 0, f"cut at {at}: {text}"
            whole(branch)


COMMAND = "import sys; from bot.database.commands import app; sys.exit(app(sys.argv[1:], standalone_mode=False))"


@pytest.mark.long
def test_kill_9_between_any_two_statements(branch: EmbeddedBranch, tmp_path: Path) -> None:
    """The process itself is killed, before and after queries all over the run."""
    repo = project(tmp_path, TEXTS)
    with cut_wire.to(branch) as (wire, address):
        wire.arm(None)
        assert data("migrate", "--url", address, "--repo", repo, "--no-check")[0] == 0
        queries = wire.asked
        for number, at in enumerate(range(3, queries + 1, 5)):
            empty(branch)
            command = [sys.executable, "-c", COMMAND, "migrate", "--url", address, "--repo", str(repo), "--no-check"]
            with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as process:
                wire.act = lambda process=process: os.kill(process.pid, signal.SIGKILL)
                wire.arm(at, late=number % 2 == 1)
                _, err = process.communicate(timeout=60)
            assert process.returncode in {0, -signal.SIGKILL}, err
            quiet(branch)
            agree(branch)
            wire.arm(None)
            assert data("migrate", "--url", address, "--repo", repo, "--no-check")[0] == 0
            whole(branch)


@pytest.mark.long
def test_two_runs_at_once(branch: EmbeddedBranch, tmp_path: Path) -> None:
    """One waits for the other, and then has nothing to do."""
    repo = project(tmp_path, (*TEXTS[:2], "SELECT pg_sleep(0.3)", "CREATE TABLE d();"))
    address = url(branch)
    command = [sys.executable, "-c", COMMAND, "migrate", "--url", address, "--repo", str(repo), "--format", "json"]
    both = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    said = [process.communicate(timeout=60)[0] for process in both]
    assert [process.returncode for process in both] == [0, 0], said
    assert recorded(branch) == [0, 1, 2, 3]
    assert sorted(text.count("_step") for text in said) == [0, 4]


@pytest.mark.long
def test_a_run_that_never_ends_is_said(branch: EmbeddedBranch, tmp_path: Path) -> None:
    """After its time the second gives up with one sentence, and has written nothing."""
    repo = project(tmp_path, ("SELECT pg_sleep(1.5)",))
    address = url(branch)
    first = threading.Thread(target=lambda: db("migrate", "--url", address, "--repo", repo))
    first.start()
    time.sleep(0.6)
    code, text = db("migrate", "--url", address, "--repo", repo, "--wait", "0.2")
    first.join()
    assert (code, "Another run" in text) == (3, True), text


def hold(branch: EmbeddedBranch, seconds: float) -> threading.Thread:
    """Hold a lock on `a1` for a while."""
    taken = threading.Event()

    def work() -> None:
        with branch.connect() as session, session.transaction():
            session.execute("lock table a1 in access share mode")
            taken.set()
            time.sleep(seconds)

    thread = threading.Thread(target=work)
    thread.start()
    taken.wait(10)
    return thread


def test_a_lock_that_others_hold_is_waited_for(branch: EmbeddedBranch, tmp_path: Path) -> None:
    """The statement lets go after its timeout, so nobody queues behind it, and is tried again."""
    project(tmp_path, TEXTS[:1])
    assert db("migrate", "--url", url(branch), "--repo", tmp_path)[0] == 0
    project(tmp_path, (TEXTS[0], "ALTER TABLE a1 ADD COLUMN x int;"))
    thread = hold(branch, 1.0)
    code, said = data("migrate", "--url", url(branch), "--repo", tmp_path, "--lock-timeout", "0.1")
    thread.join()
    assert (code, said["applied"]) == (0, ["0001_step"])


@pytest.mark.long
def test_a_lock_that_is_never_let_go_ends_the_run(branch: EmbeddedBranch, tmp_path: Path) -> None:
    """After the last try nothing is applied, nothing recorded."""
    project(tmp_path, TEXTS[:1])
    assert db("migrate", "--url", url(branch), "--repo", tmp_path)[0] == 0
    project(tmp_path, (TEXTS[0], "CREATE TABLE b1();" + BREAK + "ALTER TABLE a1 ADD COLUMN x int;"))
    thread = hold(branch, 1.5)
    code, said = data(
        "migrate", "--url", url(branch), "--repo", tmp_path, "--lock-timeout", "0.1", "--tries", "2", "--no-check"
    )
    thread.join()
    assert (code, said["failed"][0]["sqlstate"]) == (1, "55P03")
    assert (recorded(branch), "b1" in names(branch)) == ([0], False)


LOAD = "\\set n random(1, 100)\nBEGIN;\nUPDATE a1 SET n = n + 1 WHERE id = :n;\nSELECT pg_sleep(0.005);\nCOMMIT;\n"


@pytest.mark.long
def test_under_load(branch: EmbeddedBranch, tmp_path: Path) -> None:
    """While pgbench reads and writes the table all the time, its migrations run, and nobody waits long behind them."""
    programs = binaries.find(None).bin
    if not (programs / "pgbench").exists():
        pytest.skip("these programs of PostgreSQL have no pgbench")
    first = (
        "CREATE TABLE a1(id int PRIMARY KEY, n int);"
        + BREAK
        + "INSERT INTO a1 SELECT n, 0 FROM generate_series(1, 100) n;"
    )
    repo = project(tmp_path / "repo", (first,))
    assert db("migrate", "--url", url(branch), "--repo", repo)[0] == 0
    (tmp_path / "load.sql").write_text(LOAD)
    with branch.connect() as session:
        where = ["-h", session.info.host, "-U", session.info.user, session.info.dbname]
    command = [
        programs / "pgbench",
        "-n",
        "-f",
        tmp_path / "load.sql",
        "-c",
        "4",
        "-T",
        "60",
        "-l",
        "--log-prefix",
        tmp_path / "log",
        *where,
    ]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as load:
        try:
            time.sleep(0.5)
            more = [f"ALTER TABLE a1 ADD COLUMN c{n} int DEFAULT {n};" for n in range(5)]
            project(tmp_path / "repo", (first, *more, "CREATE INDEX CONCURRENTLY i ON a1(n);"))
            patience = ("--lock-timeout", "0.2", "--tries", "40")
            code, said = data("migrate", "--url", url(branch), "--repo", repo, *patience)
            assert load.poll() is None, load.stderr and load.stderr.read()
        finally:
            load.terminate()
    assert (code, len(said["applied"])) == (0, 6), said
    lines = [line.split() for log in tmp_path.glob("log.*") for line in log.read_text().splitlines()]
    waits = [int(line[2]) / 1e6 for line in lines if len(line) >= 6]  # the last one is cut where the load was ended
    assert len(waits) > 20
    assert max(waits) < 5.0
    assert db("status", "--url", url(branch), "--repo", repo)[0] == 0
