"""Ctrl-C ends a command within moments, whatever a migration does meanwhile, and leaves nothing behind."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psycopg
import pytest
from conftest import ROOT, GitRepo

from bot import cluster, interrupt

ENDLESS = "DO $$ BEGIN LOOP BEGIN PERFORM pg_sleep(60); EXCEPTION WHEN query_canceled THEN NULL; END; END LOOP; END $$;"

# Whoever started the tests in the background has made them deaf to Ctrl-C, and that is inherited.
HEARING = (
    "import signal, sys; signal.signal(signal.SIGINT, signal.default_int_handler);"
    "from bot.cli import main; sys.exit(main(sys.argv[1:]))"
)


def _children(pid: int) -> set[int]:
    """All processes below one."""
    try:
        tasks = [task / "children" for task in Path(f"/proc/{pid}/task").iterdir()]
        direct = {int(child) for task in tasks for child in task.read_text().split()}
    except OSError:
        return set()
    return direct.union(*map(_children, direct))


def _until(true, process) -> None:
    deadline = time.monotonic() + 60
    while not true():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.1)


@pytest.fixture
def endless(repo: GitRepo) -> GitRepo:
    """A pull request whose migration never ends and cannot be cancelled."""
    entry = {"idx": 0, "version": "7", "when": 1, "tag": "0000_x", "breakpoints": True}
    journal = {"version": "7", "dialect": "postgresql", "entries": [entry]}
    repo.commit({"drizzle.config.ts": 'export default { dialect: "postgresql", out: "./drizzle" }'})
    repo.branch("feature")
    repo.commit({"drizzle/meta/_journal.json": json.dumps(journal), "drizzle/0000_x.sql": ENDLESS})
    return repo


@pytest.fixture
def reviewing(endless: GitRepo):
    """Starts its review in a process that hears Ctrl-C, whoever started the tests."""
    started = []

    def start(*arguments: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-c", HEARING, "review", f"--repo={endless.path}", *arguments],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


def _stop(process: subprocess.Popen[str]) -> None:
    began = time.monotonic()
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert (process.returncode, out, err) == (130, "", "bulletproof: stopped.\n")
    assert time.monotonic() - began < 15


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="processes are counted in /proc")
def test_private_clusters_end_with_it(reviewing) -> None:
    """Both clusters run the migration, each in a thread of its own, and both go."""
    process = reviewing()
    _until(lambda: len(_children(process.pid)) >= 4, process)
    time.sleep(0.5)
    below = _children(process.pid)
    _stop(process)
    assert not [pid for pid in below if Path(f"/proc/{pid}").exists()]


def test_databases_on_a_server_are_dropped(reviewing, tmp_path: Path) -> None:
    """Databases and roles of ours go, not only at the next start."""
    ours = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'DO $$%' AND usename LIKE 'bulletproof%'"
    kept = "SELECT array(SELECT datname FROM pg_database ORDER BY 1), array(SELECT rolname FROM pg_roles ORDER BY 1)"
    with cluster.persistent(tmp_path / "state") as url, psycopg.connect(url, autocommit=True) as session:
        before = session.execute(kept).fetchone()
        process = reviewing(f"--database={url}")
        _until(lambda: session.execute(ours).fetchone() != (0,), process)
        _stop(process)
        assert session.execute(kept).fetchone() == before


def test_what_begins_too_late_is_ended_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A thread that opens its branch after Ctrl-C does not keep it for two minutes."""
    usual = signal.signal(signal.SIGINT, signal.default_int_handler)  # whoever runs us in the background ignores it
    ended: list[str] = []
    with interrupt.heard():
        interrupt.at("early", lambda: ended.append("early"))
        interrupt.at("gone", lambda: ended.append("gone"))
        interrupt.forget("gone")
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)
        interrupt.at("late", lambda: ended.append("late"))
        interrupt.forget("late")
        deadline = time.monotonic() + 5
        while len(ended) < 2 and time.monotonic() < deadline:
            time.sleep(0.01)
    interrupt.forget("early")
    signal.signal(signal.SIGINT, usual)
    assert sorted(ended) == ["early", "late"]
    assert not interrupt.told()
