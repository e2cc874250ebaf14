"""A PostgreSQL cluster in a folder: initialised, started, stopped; nothing here knows what it is for.

The programs are run directly (`postgres`, not `pg_ctl`, which polls ten times a second), in a session of their own, so that
Ctrl-C in a terminal does not reach them, without our environment, so that nothing of ours can be read from theirs, and
with a watcher: a shell that waits on a pipe which only we hold open, and that stops the cluster as soon as we are gone.
"""

import contextlib
import hashlib
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from bot.branches import files, folders, orphans
from bot.branches.binaries import Binaries, prepare
from bot.branches.owner import Owner, current
from checks.errors import CouldNotJudge, UserError

if TYPE_CHECKING:
    import psycopg

SUPERUSER = "bulletproof_superuser"
STAND_INS = Path("/var/lib/bulletproof")  # one folder for each state that lies where PostgreSQL's user may not enter
DATABASE = "neondb"  # the name that Neon gives, which GRANT ... ON DATABASE in a chain may mention

_ENVIRONMENT = {"PATH": "/usr/bin:/bin:/usr/sbin:/sbin", "LC_ALL": "C", "TZ": "UTC"}
_LIMITED = 'ulimit -c 0; ulimit -v "$1" 2>/dev/null; shift; exec "$@"'  # macOS cannot limit address space
# $1: process, $2: signal, $3: folder to remove afterwards or nothing.
_WATCH = """
read _
kill -"$2" "$1" 2>/dev/null
tries=0
while kill -0 "$1" 2>/dev/null && [ $tries -lt 300 ]; do sleep 0.02; tries=$((tries + 1)); done
[ "$2" = QUIT ] && kill -KILL "$1" 2>/dev/null
[ -n "$3" ] && rm -rf "$3"
"""
_START_SECONDS = 60.0
_PATIENCE = 5  # as `nice` has it
_DURABLE = {"max_connections": "60", "shared_buffers": "32MB", "jit": "off", "TimeZone": "UTC", "log_timezone": "UTC"}
_UNNAMED = (
    "PostgreSQL's initdb refuses to run under user id {uid}, which has no name here. Give it one, or run `bulletproof demo` once "
    "as a named user with the same BULLETPROOF_DATA_DIR: afterwards any user id will do."
)


def initialise(binaries: Binaries, data: Path, owner: Owner, *, sync: bool = False) -> None:
    """Make an empty cluster (`initdb`) in `data`, whose parent belongs to `owner`; `sync`: it is to be kept.

    Raises:
        CouldNotJudge: initdb fails; its own last words are in the text.
    """
    locales = (
        [["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]]
        if binaries.major >= 17
        else [["--locale=C.UTF-8"], ["--locale=C"]]
    )
    said = ""
    for locale in locales:
        done = subprocess.run(
            [
                binaries.bin / "initdb",
                "-D",
                data,
                "-U",
                SUPERUSER,
                "-A",
                "trust",
                "-E",
                "UTF8",
                "--no-instructions",
                *([] if sync else ["--no-sync", "--wal-segsize=1"]),
                *locale,
            ],
            cwd=data.parent,
            env=_ENVIRONMENT,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
            user=owner.user,
            group=owner.group,
            extra_groups=owner.groups,
        )
        if done.returncode == 0:
            return
        said = done.stderr.strip() or done.stdout.strip()
        if "could not look up effective user" in said:
            raise CouldNotJudge(_UNNAMED.format(uid=owner.uid))
    raise CouldNotJudge(f"PostgreSQL could not make a new cluster in {data}: {_last(said)}")


@dataclass(slots=True)
class Server:
    """A running cluster."""

    process: subprocess.Popen[bytes]
    data: Path
    sockets: Path
    _watcher: subprocess.Popen[bytes]
    _pipe: int
    _stopped: bool = field(default=False)

    def alive(self) -> bool:
        """Whether the postmaster runs."""
        return self.process.poll() is None

    def stop(self) -> None:
        """Stop with a checkpoint, so that the folder is consistent and starts without recovery."""
        self._end(signal.SIGINT, patience=60.0)

    def kill(self) -> None:
        """Stop at once, whatever the sessions are doing; the folder is good for nothing afterwards."""
        self._end(signal.SIGQUIT, patience=1.0)

    def interrupt(self) -> None:
        """Kill what runs, from another thread; `kill` still has to be called."""
        with contextlib.suppress(ProcessLookupError):
            self.process.send_signal(signal.SIGQUIT)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(1.0)
                return
        orphans.slaughter(self.data)

    def give_way(self) -> None:
        """Let other processes go first, from the next session on."""
        with contextlib.suppress(OSError):
            now = os.getpriority(os.PRIO_PROCESS, self.process.pid)  # who started us may have been patient already
            os.setpriority(os.PRIO_PROCESS, self.process.pid, now + _PATIENCE)

    def _end(self, how: signal.Signals, *, patience: float) -> None:
        if self.process.poll() is None:
            self.process.send_signal(how)
            try:
                self.process.wait(patience)
            except subprocess.TimeoutExpired:
                orphans.slaughter(self.data)
                self.process.wait()
        if self._stopped:
            return
        self._stopped = True
        self._watcher.kill()
        os.close(self._pipe)
        self._watcher.wait()


def start(
    binaries: Binaries,
    data: Path,
    sockets: Path,
    owner: Owner,
    settings: Mapping[str, str],
    *,
    memory: int | None = None,
    disposable: Path | None = None,
    after: Sequence[str] = (),
) -> Server:
    """Start the cluster in `data` and wait until it takes sessions at a Unix socket in `sockets`.

    Args:
        binaries: the programs.
        data: the cluster.
        sockets: where the socket is made; a short path.
        owner: who it runs as.
        settings: given on the command line, so that no ALTER SYSTEM is above them.
        memory: bytes of address space for each process.
        disposable: what to remove, with the cluster killed, when we die; without it the cluster is shut down in order.
        after: a program that first makes `data`, and then becomes, as `owner`, the one whose words follow.

    Raises:
        CouldNotJudge: it does not start; its own last words are in the text.
    """
    options = {
        "listen_addresses": "",
        "unix_socket_directories": f'"{sockets}"',
        "unix_socket_permissions": "0700",
        **settings,
    }
    arguments = [argument for name, value in options.items() for argument in ("-c", f"{name}={value}")]
    limit = "unlimited" if memory is None else str(memory // 1024)
    command = ["/bin/sh", "-c", _LIMITED, "sh", limit, str(binaries.bin / "postgres"), "-D", str(data), *arguments]
    log = data.parent / "log"
    # What comes first changes the user by itself, once it has made the folder.
    whose, folder = (replace(owner, dropped=False), Path("/")) if after else (owner, data)
    with log.open("wb") as out:
        process = whose.start([*after, *command], folder=folder, env=_ENVIRONMENT, stdin=subprocess.DEVNULL, out=out)
    try:
        reader, pipe = os.pipe()
        try:
            watch = ["sh", str(process.pid), "QUIT" if disposable else "INT", str(disposable or "")]
            watcher = owner.start(
                ["/bin/sh", "-c", _WATCH, *watch],
                folder=Path("/"),
                env=_ENVIRONMENT,
                stdin=reader,
                out=subprocess.DEVNULL,
            )
        finally:
            os.close(reader)
        server = Server(process, data, sockets, watcher, pipe)
    except BaseException:
        process.kill()
        process.wait()
        raise
    try:
        _wait(server, log)
    except BaseException:
        server.kill()
        raise
    return server


def _wait(server: Server, log: Path) -> None:
    """Until `postmaster.pid` says that this very process is ready (its first and eighth line)."""
    status, pid = server.data / "postmaster.pid", str(server.process.pid)
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline:
        with contextlib.suppress(FileNotFoundError):
            lines = status.read_text(encoding="utf-8", errors="replace").splitlines()
            if len(lines) >= 8 and lines[0].strip() == pid and lines[7].strip() == "ready":
                return
        if not server.alive():
            raise CouldNotJudge(f"PostgreSQL did not start: {_last(log.read_text(encoding='utf-8', errors='replace'))}")
        time.sleep(0.002)
    raise CouldNotJudge(f"PostgreSQL did not start within {_START_SECONDS:.0f} seconds.")


# What a role may have set for its later sessions, and which would end or spoil ours. An option of the session's own stands above it.
_OWN = (
    "-c statement_timeout=0 -c lock_timeout=0 -c idle_in_transaction_session_timeout=0 -c idle_session_timeout=0 -c default_transaction_read_only=off"
    " -c local_preload_libraries="
)


def connect(
    sockets: Path, role: str, *, database: str = DATABASE, autocommit: bool = True
) -> "psycopg.Connection[tuple[Any, ...]]":
    """Open a session at the socket in `sockets`; nothing that libpq reads from the environment has a say."""
    import psycopg  # noqa: PLC0415 - the command line starts without it

    session = psycopg.connect(
        host=str(sockets),
        port=5432,
        user=role,
        dbname=database,
        autocommit=autocommit,
        options=_OWN,
        sslmode="disable",
        gssencmode="disable",
        client_encoding="UTF8",
        application_name="bulletproof",
        connect_timeout=10,
    )
    if session.info.parameter_status("TimeZone") != "UTC":  # PGTZ in our environment
        session.execute("SET TimeZone TO 'UTC'")
        if not autocommit:
            session.commit()
    return session


@contextlib.contextmanager
def persistent(folder: Path, bindir: Path | None = None) -> Generator[str]:
    """The cluster of the service's own state: made at first, synced, recovered after a crash, with one owner at a time.

    Args:
        folder: where it stays; other processes of ours find its address in the file `url` there.
        bindir: the programs of any PostgreSQL 14 to 18; the same major version for the life of the folder.

    Yields:
        The address of a database, for sessions as its owner; it works for our own user only.

    Raises:
        CouldNotJudge: another process has it, or it does not start.
        UserError: it was made by another major version.
    """
    who = current()
    files.make(folder, mode=0o755)
    where = folders.find(folder, who)
    folders.sweep(where)
    programs = prepare(bindir, where.programs)
    with files.lock(folder / "owner", wait=False) as got, folders.run(where, who) as sockets:
        if not got:
            raise CouldNotJudge(f"The state in {folder} is in use by another process; stop that first.")
        home = _home(folder, who)
        data = home / "data"
        orphans.wait(data, seconds=10)  # its last owner was killed, and its watcher is still at work
        orphans.slaughter(data)
        _create(programs, home, who)
        made_by = (data / "PG_VERSION").read_text(encoding="ascii").strip()
        if made_by != str(programs.major):
            raise UserError(
                f"The state in {folder} was made by PostgreSQL {made_by}, and this is {programs.major}. Name the programs of "
                f"{made_by} in BULLETPROOF_POSTGRES_BINDIR, or remove the folder: what matters is read from GitHub again."
            )
        server = start(programs, data, sockets, who, _DURABLE)
        url = f"postgresql://{SUPERUSER}@/postgres?host={quote(str(sockets), safe='')}"
        try:
            files.write(folder / "url", url)
            yield url
        finally:
            (folder / "url").unlink(missing_ok=True)
            server.stop()


def _home(folder: Path, who: Owner) -> Path:
    """The folder itself; where we are root and it lies below one that nobody else may enter, one that stands for it."""
    if not who.may_enter(folder):
        whose = os.fsencode(folder.resolve())
        name = hashlib.sha256(whose).hexdigest()[:12]
        stands_in = files.ours([STAND_INS / name, Path("/var/tmp") / f"bulletproof-{name}"], mode=0o755)  # noqa: S108 - `ours` checks who made it
        (stands_in / "of").write_bytes(whose)  # for whoever wonders what takes the room here
        folder = stands_in
    home = folder / "cluster"
    if not home.is_dir():
        home.mkdir(mode=0o700)
        home.chmod(0o700)
        if who.dropped:
            os.chown(home, who.uid, who.gid)
    return home


def _create(programs: Binaries, home: Path, who: Owner) -> None:
    """Make the cluster, under another name until it is whole."""
    fresh = home / "fresh"
    shutil.rmtree(fresh, ignore_errors=True)
    if not (home / "data").is_dir():
        initialise(programs, fresh, who, sync=True)
        fresh.rename(home / "data")


def _last(text: str) -> str:
    lines = [line for line in text.strip().splitlines() if line.strip()]
    return lines[-1] if lines else "it gave no reason."
