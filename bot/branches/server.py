"""Branches on a server that somebody named: a database and a role of our own for each, and nothing else is touched there.

Weaker than a private cluster: a flood of locks or a full disk is felt by everyone on that server, and a chain cannot create
roles, because roles belong to the whole server.
"""

import contextlib
import re
import secrets
import threading
import time
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from bot import interrupt
from bot.branches import Template
from checks.errors import CouldNotJudge, UserError

_OURS = re.compile(r"bulletproof_([0-9a-f]{8})")
_MARK = "bulletproof: made for one review, removed with it"
_LOCKS = 0x42554C4C  # the first half of our advisory locks; the second is the number in the name
_TICK = 0.2
# What the role may have set for its later sessions, and which would end or spoil ours. (As an option of the session's own it
# would be lost at a pooler.)
_OWN = "SET statement_timeout = 0; SET lock_timeout = 0; SET idle_session_timeout = 0; SET default_transaction_read_only = off"
_LOOK = 1.0


@dataclass(frozen=True, slots=True)
class _Limits:
    seconds: float
    room: int


_Session = psycopg.Connection[tuple[Any, ...]]


class ServerBranch:
    """A database of its own on a shared server."""

    may_create_roles = False

    def __init__(self, name: str, address: str, version: int, missing: frozenset[str]) -> None:
        self.name = name
        self.version, self.missing_extensions = version, missing
        self.stopped: Literal["time", "disk"] | None = None
        self._address = address

    def connect(self, *, autocommit: bool = True) -> _Session:
        """Open a session as the branch role.

        Raises:
            CouldNotJudge: the branch was stopped, or the server lets new roles in by no password.
        """
        if self.stopped is not None:
            raise CouldNotJudge("The branch database was stopped: it took too long or too much room.")
        session = _connect(self._address, autocommit=autocommit)
        session.execute(_OWN)
        if not autocommit:
            session.commit()
        return session


class Server:
    """Makes branches on the server at `address`, whose user may create databases and roles.

    Args:
        address: a URL or a libpq connection string; its database is only used to connect to.
        room: bytes that a branch may take on disk.
    """

    def __init__(self, address: str, *, room: int = 1 << 30) -> None:
        self._address, self._room = address, room

    def available_extensions(self) -> frozenset[str]:
        """The extensions that a branch can have: what anyone may create, or what this user can create for it."""
        with _admin(self._address) as admin:
            return _available(admin)

    @contextlib.contextmanager
    def branch(
        self, *, template: Template | None = None, extensions: Sequence[str] = (), seconds: float = 120.0
    ) -> Generator[ServerBranch]:
        """See `Provider.branch`. A template is built anew each time: ownership cannot be copied from role to role."""
        with _admin(self._address) as admin:
            _sweep(admin)
            number = secrets.randbits(31)
            name, password = f"bulletproof_{number:08x}", secrets.token_urlsafe(24)
            admin.execute("SELECT pg_advisory_lock(%s, %s)", [_LOCKS, number])  # says that the owner lives
            try:
                _create(admin, self._address, name, password, set(extensions))
                missing = frozenset(extensions) - _available(admin)
                address = make_conninfo(self._address, user=name, password=password, dbname=name)
                branch = ServerBranch(name, address, admin.info.server_version, missing)
                if template is not None:
                    with _watched(self._address, branch, _Limits(seconds, self._room)):
                        _build(template, branch, seconds)
                with _watched(self._address, branch, _Limits(seconds, self._room)):
                    yield branch
            finally:
                _drop(admin, name)


def _build(template: Template, branch: ServerBranch, seconds: float) -> None:
    try:
        template.build(branch)
    except Exception:
        if branch.stopped is None:
            raise
    if branch.stopped is not None:
        limit = (
            f"did not end within {seconds:.0f} seconds" if branch.stopped == "time" else "took too much room on disk"
        )
        raise CouldNotJudge(f"The base migrations were stopped: they {limit}.")


def _connect(address: str, *, autocommit: bool = True) -> _Session:
    try:
        known = conninfo_to_dict(address)
    except psycopg.ProgrammingError:
        raise UserError(
            "This is no address of a PostgreSQL server; one looks like postgresql://user:password@host:5432/database."
        ) from None
    try:
        return psycopg.connect(
            address, autocommit=autocommit, client_encoding="UTF8", connect_timeout=10, application_name="bulletproof"
        )
    except psycopg.Error as error:
        password = known.get("password")
        why = str(error).strip().splitlines()[0].rpartition(" failed: ")[2]
        why = why.replace(str(password), "***") if password else why
        place = f"{known.get('host') or 'this machine'}:{known.get('port') or 5432}"
        raise CouldNotJudge(f"The database at {place} cannot be reached: {why}") from None


@contextlib.contextmanager
def _admin(address: str) -> Generator[_Session]:
    with _connect(address) as admin:
        if admin.info.server_version < 140_000:
            raise UserError(
                f"The server is PostgreSQL {admin.info.server_version // 10_000}; versions 14 to 18 are supported."
            )
        rights = admin.execute(
            "SELECT rolsuper OR (rolcreatedb AND rolcreaterole) FROM pg_catalog.pg_roles WHERE rolname = current_user"
        ).fetchone()
        if rights != (True,):
            raise UserError(
                f"The user {admin.info.user} may not create databases and roles on {admin.info.host}, which a review needs. "
                "Name another user, or grant it CREATEDB and CREATEROLE."
            )
        yield admin


def _run(session: _Session, text: str, *names: str) -> None:
    session.execute(sql.SQL(text).format(*map(sql.Identifier, names)))  # pyright: ignore[reportArgumentType] - every text is written below


def _is_superuser(session: _Session) -> bool:
    return session.info.parameter_status("is_superuser") == "on"


def _create(admin: _Session, address: str, name: str, password: str, extensions: set[str]) -> None:
    """The role and its mark come in one transaction, so that whatever happens next can be swept."""
    admin.execute(
        sql.SQL(
            "CREATE ROLE {role} LOGIN PASSWORD {password} NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION CONNECTION LIMIT 8;"
            " COMMENT ON ROLE {role} IS {mark}"
        ).format(role=sql.Identifier(name), password=sql.Literal(password), mark=sql.Literal(_MARK))
    )
    if not _is_superuser(admin):
        _run(admin, "GRANT {} TO CURRENT_USER", name)  # to give it the schema, and to end its sessions
    _run(admin, "CREATE DATABASE {} TEMPLATE template0 ENCODING 'UTF8'", name)
    _run(admin, "REVOKE ALL ON DATABASE {} FROM PUBLIC", name)
    _run(admin, "GRANT CONNECT, CREATE, TEMPORARY ON DATABASE {} TO {} WITH GRANT OPTION", name, name)
    _run(admin, "ALTER ROLE {} SET TimeZone = 'UTC'", name)
    if _is_superuser(admin):
        _run(admin, "ALTER ROLE {} SET temp_file_limit = '256MB'", name)
    with _connect(make_conninfo(address, dbname=name)) as inside:
        _run(inside, "ALTER SCHEMA public OWNER TO {}", name)
        trusted = {row[0] for row in inside.execute(_TRUSTED).fetchall()}
        for extension in sorted(extensions & _available(inside) - trusted):
            with contextlib.suppress(psycopg.Error):
                _run(inside, "CREATE EXTENSION IF NOT EXISTS {} CASCADE", extension)


_TRUSTED = "SELECT DISTINCT name FROM pg_catalog.pg_available_extension_versions WHERE trusted OR NOT superuser"
# What a superuser may put into a branch before the pull request's SQL runs: nothing that reaches files, programs, the network.
_WANTED = (
    "vector",
    "pg_stat_statements",
    "earthdistance",
    "postgis",
    "postgis_topology",
    "moddatetime",
    "autoinc",
    "insert_username",
    "refint",
    "hypopg",
    "ip4r",
    "hll",
    "pg_uuidv7",
    "pg_hashids",
    "prefix",
    "semver",
    "pgstattuple",
    "amcheck",
    "bloom",
)


def _available(session: _Session) -> frozenset[str]:
    there = {row[0] for row in session.execute("SELECT name FROM pg_catalog.pg_available_extensions").fetchall()}
    trusted = {row[0] for row in session.execute(_TRUSTED).fetchall()}
    return frozenset(there & (trusted | set(_WANTED) if _is_superuser(session) else trusted))


@contextlib.contextmanager
def _watched(address: str, branch: ServerBranch, limits: _Limits) -> Generator[None]:
    """Watch from a session of our own; at the end of time or room the branch role is locked out and its sessions ended."""
    over = threading.Event()
    thread = threading.Thread(
        target=_watch, args=(address, branch, limits, over), name="bulletproof-watch", daemon=True
    )
    thread.start()
    interrupt.at(over, partial(_stop, address, branch, over))
    try:
        yield
    finally:
        interrupt.forget(over)
        over.set()
        thread.join()


def _watch(address: str, branch: ServerBranch, limits: _Limits, over: threading.Event) -> None:
    deadline = time.monotonic() + limits.seconds
    if over.wait(min(_LOOK, limits.seconds)):  # most reviews are over before anything has to be looked at
        return
    with contextlib.suppress(CouldNotJudge, psycopg.Error), _connect(address) as admin:
        while branch.stopped is None:
            size = admin.execute("SELECT pg_database_size(%s)", [branch.name]).fetchone()
            if size is not None and size[0] > limits.room:
                branch.stopped = "disk"
            elif time.monotonic() >= deadline:
                branch.stopped = "time"
            elif over.wait(min(_LOOK, max(0.0, deadline - time.monotonic()))):
                return
        _lock_out(admin, branch, over)


def _stop(address: str, branch: ServerBranch, over: threading.Event) -> None:
    branch.stopped = "time"
    with contextlib.suppress(CouldNotJudge, psycopg.Error), _connect(address) as admin:
        _lock_out(admin, branch, over)


def _lock_out(admin: _Session, branch: ServerBranch, over: threading.Event) -> None:
    _run(admin, "ALTER ROLE {} NOLOGIN", branch.name)
    while _end_sessions(admin, branch.name) and not over.wait(_TICK):
        pass


def _end_sessions(admin: _Session, name: str) -> int:
    ended = admin.execute(
        "SELECT pg_catalog.pg_terminate_backend(pid) FROM pg_catalog.pg_stat_activity WHERE datname = %s OR usename = %s",
        [name, name],
    )
    return ended.rowcount


def _drop(admin: _Session, name: str) -> None:
    """Remove a branch's database and role, whatever its sessions are doing."""
    deadline = time.monotonic() + 10
    while _end_sessions(admin, name) and time.monotonic() < deadline:
        time.sleep(0.02)
    _run(admin, "DROP DATABASE IF EXISTS {} WITH (FORCE)", name)
    _run(admin, "DROP ROLE IF EXISTS {}", name)


def _sweep(admin: _Session) -> None:
    """Remove the branches of ours whose owner is gone: nobody holds their lock any more."""
    roles = admin.execute(
        "SELECT rolname FROM pg_catalog.pg_roles WHERE pg_catalog.shobj_description(oid, 'pg_authid') = %s", [_MARK]
    ).fetchall()
    held = admin.execute(
        "SELECT objid::bigint FROM pg_catalog.pg_locks WHERE locktype = 'advisory' AND classid = %s AND objsubid = 2",
        [_LOCKS],
    ).fetchall()
    living = {number for (number,) in held}
    for (name,) in roles:
        match = _OURS.fullmatch(name)
        if match and int(match[1], 16) not in living:
            with contextlib.suppress(psycopg.Error):  # another process sweeps it too, or it is another user's
                _drop(admin, name)
