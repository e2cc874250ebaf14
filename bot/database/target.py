"""The database that a command is about: its address, sessions to it, and its troubles in one sentence that never shows a password."""

import contextlib
import os
import re
from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

import psycopg
from psycopg import conninfo

from checks.errors import CouldNotJudge, UserError

OLDEST = 140000
VARIABLE = "DATABASE_URL"
Session = psycopg.Connection[tuple[Any, ...]]

_SECRET = re.compile(r"(://[^\s:/@]*):[^\s@]*@|(\b(?:ssl)?password\s*=\s*)('(?:[^'\\]|\\.)*'|\S+)", re.IGNORECASE)
_WORDS = re.compile(r"(?:FATAL|ERROR|PANIC):\s*(.+)")
_LOCAL = ("", "localhost", "127.0.0.1", "::1")


@dataclass(frozen=True, slots=True)
class Target:
    """One database. Its parameters hold the password and are shown to nobody."""

    parameters: Mapping[str, str] = field(repr=False)

    @property
    def host(self) -> str:
        """The host, or the folder of the socket."""
        return self.parameters.get("host") or self.parameters.get("hostaddr") or os.environ.get("PGHOST", "")

    @property
    def database(self) -> str:
        """The name of the database."""
        return (
            self.parameters.get("dbname")
            or os.environ.get("PGDATABASE")
            or self.parameters.get("user")
            or os.environ.get("PGUSER", "")
        )

    @property
    def local(self) -> bool:
        """It is on this machine."""
        return self.host in _LOCAL or self.host.startswith(("/", "127."))

    @property
    def name(self) -> str:
        """As people call it: the database, and the host where it is another."""
        where = "" if self.host in {"", "localhost"} or self.host.startswith("/") else f" at {self.host}"
        return f"the database {self.database or '(default)'}{where}"

    def connect(self, *, autocommit: bool = True) -> Session:
        """Open a session.

        Raises:
            CouldNotJudge: there is no such database, password or server; one sentence says which.
        """
        settings = {"connect_timeout": "15", "application_name": "bulletproof", **self.parameters}
        settings["client_encoding"] = "UTF8"
        try:
            return psycopg.connect(conninfo.make_conninfo(**settings), autocommit=autocommit, prepare_threshold=None)
        except psycopg.Error as error:
            raise CouldNotJudge(f"Cannot connect to {self.name}: {self.words(error)}.") from None

    def words(self, error: Exception | str) -> str:
        """PostgreSQL's own words, without secrets, as the end of a sentence."""
        diag = getattr(error, "diag", None)
        said = (getattr(diag, "message_primary", None) if diag is not None else None) or str(error)
        found = _WORDS.findall(said)
        lines = [line.strip() for line in said.splitlines() if line.strip()]
        told = found[-1] if found else next((line for line in lines if "failed" in line), lines[0] if lines else "")
        return self.redacted(told.strip().rstrip(".") or "it gave no reason")

    def redacted(self, text: str) -> str:
        """A text without the password, however it is written there."""
        text = _SECRET.sub(lambda m: f"{m[1]}:***@" if m[1] is not None else f"{m[2]}***", text)
        for name in ("password", "sslpassword"):
            secret = self.parameters.get(name)
            if secret and len(secret) > 2:
                text = text.replace(secret, "***").replace(quote(secret, safe=""), "***")
        return text


def of(url: str | None, *, variable: str = VARIABLE) -> Target:
    """The database at a URL, else at the one in the environment.

    Raises:
        UserError: there is none, or it is no address of PostgreSQL.
    """
    address = (url if url is not None else os.environ.get(variable, "")).strip()
    if not address:
        raise UserError(f"No database was named. Give its address with --url, or in {variable}.")
    source = "the address that was given" if url is not None else variable
    try:
        parameters = conninfo.conninfo_to_dict(_cleaned(address))
    except (psycopg.Error, ValueError):
        raise UserError(
            f"{source[0].upper()}{source[1:]} is no address of a PostgreSQL database: postgresql://USER:PASSWORD@HOST:PORT/DATABASE. "
            "In a password `/`, `?`, `#`, `@` and `%` are written as %2F, %3F, %23, %40 and %25."
        ) from None
    return Target({key: str(value) for key, value in parameters.items() if value is not None})


@contextlib.contextmanager
def trouble(target: Target) -> Generator[None]:
    """What a database refuses, in one sentence.

    Raises:
        CouldNotJudge: it refused.
    """
    try:
        yield
    except psycopg.Error as error:
        raise CouldNotJudge(f"{_up(target.name)} refused: {target.words(error)}.") from None


def check(session: Session, target: Target) -> None:
    """The server is one that is supported.

    Raises:
        UserError: it is too old.
    """
    if session.info.server_version < OLDEST:
        major = session.info.server_version // 10000
        raise UserError(f"{_up(target.name)} runs on PostgreSQL {major}; 14 is the oldest that is supported.")


def check_writable(session: Session, target: Target) -> None:
    """What is written stays, and what a session sets is there for its next query.

    Raises:
        CouldNotJudge: the server only reads.
        UserError: a pooler hands every transaction to another session.
    """
    check(session, target)
    recovering, read_only, pid = session.execute(
        "select pg_catalog.pg_is_in_recovery(), pg_catalog.current_setting('transaction_read_only') = 'on',"
        " pg_catalog.pg_backend_pid()"
    ).fetchone() or (False, False, 0)
    if recovering or read_only:
        why = "it is a replica" if recovering else "its transactions are read-only"
        raise CouldNotJudge(f"{_up(target.name)} takes no writes: {why}. Nothing was written.")
    if "-pooler." in target.host or (session.info.backend_pid != pid and _shared(session, target, pid)):
        raise UserError(
            f"{_up(target.name)} is behind a pooler that keeps no session, so no lock would hold. "
            "Use the direct address (Neon: the one without `-pooler`). Nothing was written."
        )


def _shared(session: Session, target: Target, pid: int) -> bool:
    """A pooler gives one backend to two sessions at once, or several to one; one that keeps sessions does neither."""
    ask = "select pg_catalog.pg_backend_pid()"
    with target.connect() as other:
        asked = [one.execute(ask).fetchone() for one in (other, session, other, session)]
    pids = [row[0] for row in asked if row is not None]
    return pids[1] != pid or pids[3] != pid or pid in {pids[0], pids[2]} or pids[0] != pids[2]


def _up(text: str) -> str:
    return text[:1].upper() + text[1:]


# What other libraries write into the query of a URL, and libpq refuses.
_KNOWN = frozenset(option.keyword.decode() for option in psycopg.pq.Conninfo.get_defaults())


# Hosts and ports; else it is a password that was cut off at its `/`, `?` or `#`, and the rest of it would be shown as a name.
_PORTS = re.compile(r"(?:(?:\[[^\]]*\]|[^:,\[\]]*)(?::\d*)?(?:,|$))*")


def _cleaned(address: str) -> str:
    """The address as libpq takes it: what only other libraries know is dropped."""
    if "://" not in address:
        if "=" not in address:
            raise ValueError
        return address
    parts = urlsplit(address)
    cut = "@" not in parts.netloc and "@" in f"{parts.path}{parts.fragment}"
    if parts.scheme not in {"postgres", "postgresql"} or cut or not _PORTS.fullmatch(parts.netloc.rpartition("@")[2]):
        raise ValueError
    pairs = parse_qsl(parts.query, keep_blank_values=True)
    kept = [(key, value) for key, value in pairs if key in _KNOWN]
    written = dict(pairs)
    if "sslmode" not in written and written.get("ssl", "").lower() in {"true", "1", "require"}:
        kept.append(("sslmode", "require"))
    query = urlencode(kept, quote_via=quote)
    return f"postgresql://{parts.netloc}{parts.path}" + (f"?{query}" if query else "")  # urlunsplit drops an empty host
