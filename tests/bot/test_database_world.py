"""What stands between a run and its database in the world: poolers, full disks, replicas, servers that are too old."""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Generator
from pathlib import Path
from typing import Any, LiteralString

import psycopg
import pytest

from bot import cluster
from bot.branches import binaries, folders, owner
from bot.branches.embedded import EmbeddedBranch
from bot.database import target
from tests.bot.database_samples import BREAK, CHAIN, data, db, project, rows, url

POOLER = shutil.which("pgbouncer", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
INI = """
[databases]
* = host={host} port=5432 user={user}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = any
pool_mode = {mode}
default_pool_size = {size}
"""


@contextlib.contextmanager
def pooler(branch: EmbeddedBranch, mode: str, size: int = 20) -> Generator[str]:
    """Debian's pgbouncer before a branch database; its address."""
    if POOLER is None:
        pytest.skip("pgbouncer is not installed here (Debian's package `pgbouncer`)")
    with branch.connect() as session, socket.create_server(("127.0.0.1", 0)) as free:
        host, user, name, port = session.info.host, session.info.user, session.info.dbname, free.getsockname()[1]
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    ini = folder / "pgbouncer.ini"
    ini.write_text(INI.format(host=host, user=user, port=port, mode=mode, size=size))
    as_nobody = ["-u", "nobody"] if os.getuid() == 0 else []
    with subprocess.Popen([POOLER, *as_nobody, "-q", str(ini)], stderr=subprocess.DEVNULL) as process:
        try:
            for _ in range(500):
                with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                    break
                time.sleep(0.01)
            yield f"postgresql://{user}@127.0.0.1:{port}/{name}"
        finally:
            process.terminate()
            shutil.rmtree(folder)


@pytest.mark.parametrize(("mode", "size"), [("transaction", 20), ("transaction", 1), ("statement", 20)])
def test_a_pooler_that_keeps_no_session(branch: EmbeddedBranch, tmp_path: Path, mode: str, size: int) -> None:
    """What writes is refused in one sentence that names the way out, and nothing is written; looking works, or says why not."""
    repo = project(tmp_path)
    with pooler(branch, mode, size) as address:
        for command in (["migrate"], ["migrate", "--dry-run"], ["sync"], ["reset-dev", "--yes"]):
            code, text = db(*command, "--url", address, "--repo", repo)
            assert (code, "behind a pooler that keeps no session" in text, text.count("\n")) == (2, True, 0), text
        code, text = db("status", "--url", address, "--repo", repo)
        assert code == (1 if mode == "transaction" else 3), text
        if mode == "statement":
            assert "transaction blocks not allowed" in text
    assert ask(url(branch), TABLES) == []


def test_a_pooler_that_keeps_sessions(branch: EmbeddedBranch, tmp_path: Path) -> None:
    """It is no hindrance."""
    repo = project(tmp_path)
    with pooler(branch, "session") as address:
        assert db("migrate", "--url", address, "--repo", repo)[0] == 0
        assert db("verify", "--url", address, "--repo", repo)[0] == 0
    assert len(rows(branch)) == 3


@contextlib.contextmanager
def small_disk(megabytes: int) -> Generator[Path]:
    """A file system of that size; the test is skipped where none may be mounted."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    command = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m,mode=0777", "tmpfs", str(folder)]
    if shutil.which("mount") is None or subprocess.run(command, check=False, capture_output=True).returncode:
        folder.rmdir()
        pytest.skip("no small file system may be mounted here")
    try:
        yield folder
    finally:
        for _ in range(100):
            if not subprocess.run(["umount", str(folder)], check=False, capture_output=True).returncode:
                break
            time.sleep(0.05)
        folder.rmdir()


@contextlib.contextmanager
def server(folder: Path, *, standby: bool = False) -> Generator[str]:
    """A cluster in a folder that anybody may write to, its log of changes in another; its address."""
    who = owner.current()
    programs = binaries.prepare(None, folders.find(None, who).programs)
    cluster.initialise(programs, folder / "data", who)
    log = Path(tempfile.mkdtemp())  # a full log stops the whole server, which is another story
    log.chmod(0o755)
    shutil.move(folder / "data" / "pg_wal", log / "pg_wal")
    (folder / "data" / "pg_wal").symlink_to(log / "pg_wal")
    for path, _, names in os.walk(log / "pg_wal"):
        for each in (path, *(str(Path(path, name)) for name in names)):
            os.chown(each, who.uid, who.gid)
    if standby:
        (folder / "data" / "standby.signal").touch()
    settings = [
        f"unix_socket_directories={folder}",
        "listen_addresses=",
        "fsync=off",
        "max_wal_size=1GB",  # a checkpoint that finds no room stops the server, as a full log does
        "checkpoint_timeout=1h",
    ]
    arguments = [word for each in settings for word in ("-c", each)]
    command = [str(programs.bin / "postgres"), "-D", str(folder / "data"), *arguments]
    address = f"postgresql://{cluster.SUPERUSER}@/postgres?host={folder}"
    with subprocess.Popen(
        command, user=who.user, group=who.group, extra_groups=who.groups, stderr=subprocess.DEVNULL, cwd="/"
    ) as process:
        try:
            for _ in range(1000):
                with contextlib.suppress(psycopg.OperationalError), psycopg.connect(address):
                    break
                time.sleep(0.02)
            yield address
        finally:
            process.send_signal(signal.SIGQUIT)
            process.wait()
            shutil.rmtree(log)


def ask(address: str, query: LiteralString) -> list[tuple[Any, ...]]:
    """The rows of a query; [] where it has none."""
    with psycopg.connect(address, autocommit=True) as session:
        found = session.execute(query)
        return found.fetchall() if found.description else []


TABLES = "select oid::regclass::text from pg_class where relkind = 'r' and relnamespace::regnamespace::text !~ '^pg_|^information' order by 1"
ROWS = "select hash from drizzle.__drizzle_migrations"
FILL = "CREATE TABLE fill AS SELECT md5(n::text) || md5((n + 1)::text) || md5((n + 2)::text) || md5((n + 3)::text) t, n FROM generate_series(1, 400000) n;"


@pytest.mark.parametrize("stepped", [False, True])
def test_a_disk_that_is_full(tmp_path: Path, *, stepped: bool) -> None:
    """The server runs out of room in the middle: exit code 3, rows and schema agree, and with room again the run completes."""
    with small_disk(64) as disk, server(disk) as address:
        step = "CREATE INDEX CONCURRENTLY by_email ON users (email);" if stepped else "CREATE TABLE c();"
        texts = [CHAIN[0], "CREATE TABLE a();" + BREAK + FILL, step, "CREATE TABLE b();"]
        code, text = db("migrate", "--url", address, "--repo", project(tmp_path, texts))
        assert (code, "No space left on device (53100)" in text) == (3, True), text
        assert "rolled back and is not recorded" in text
        assert (ask(address, TABLES), ask(address, ROWS)) == ([("drizzle.__drizzle_migrations",)], [])
        repo = project(tmp_path, [texts[0], "CREATE TABLE a();", *texts[2:]])
        assert db("migrate", "--url", address, "--repo", repo)[0] == 0
        assert len(ask(address, ROWS)) == 4


def test_a_disk_that_fills_while_an_index_is_built(tmp_path: Path) -> None:
    """What was begun outside of a transaction is cleaned away; the steps before it are kept, and the next run goes on."""
    with small_disk(64) as disk, server(disk) as address:
        index = "CREATE INDEX CONCURRENTLY by_text ON fill ((t || n), (n || t));"
        big = FILL.replace("400000", "60000")
        repo = project(tmp_path, [big, "CREATE TABLE a();" + BREAK + index])
        code, text = db("migrate", "--url", address, "--repo", repo)
        assert (code, "(53100)" in text, "steps before it are kept" in text) == (3, True, True), text
        assert len(ask(address, ROWS)) == 1
        assert ask(address, "select to_regclass('by_text'), to_regclass('a')::text") == [(None, "a")]
        assert ask(address, "select tag, done from drizzle.__bulletproof_steps") == [("0001_step", 1)]
        ask(address, "truncate fill")
        code, text = db("migrate", "--url", address, "--repo", repo)
        assert (code, "goes on at step 2 of 2" in text) == (0, True), text
        assert len(ask(address, ROWS)) == 2


def test_a_replica(tmp_path: Path) -> None:
    """A hot standby says what it is; nothing is tried, and it can be looked at."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o777)
    repo = project(tmp_path)
    try:
        with server(folder, standby=True) as address:
            for command in (["migrate"], ["sync"], ["reset-dev", "--yes"]):
                code, text = db(*command, "--url", address, "--repo", repo)
                assert (code, "it is a replica" in text, text.count("\n")) == (3, True, 0), text
            assert db("status", "--url", address, "--repo", repo)[0] == 1
    finally:
        shutil.rmtree(folder)


def test_an_old_server(branch: EmbeddedBranch, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """13 is refused in one sentence; here the oldest that is supported is moved, since no old server is at hand."""
    monkeypatch.setattr(target, "OLDEST", 990000)
    repo = project(tmp_path)
    for command in (["migrate"], ["sync"], ["verify"], ["reset-dev", "--yes"]):
        code, text = db(*command, "--url", url(branch), "--repo", repo)
        assert (code, "is the oldest that is supported" in text, text.count("\n")) == (2, True, 0), text
    code, said = data("status", "--url", url(branch), "--repo", repo)
    assert (code, "oldest" in said["environments"][0]["error"]) == (3, True)
    assert ask(url(branch), TABLES) == []
