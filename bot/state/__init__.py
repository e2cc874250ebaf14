"""The service's own tables, and the queue's: made and brought up to date by migrations of our own, in a schema of our own."""

import contextlib
from collections.abc import AsyncGenerator, Generator
from importlib import resources
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql
from psycopg_pool import AsyncConnectionPool

from bot import cluster
from bot.settings import Settings
from checks.errors import CouldNotJudge

SCHEMA = "bulletproof"
Pool = AsyncConnectionPool[psycopg.AsyncConnection[tuple[Any, ...]]]
"""Sessions on the state."""
_LOCK = 0x6275_6C6C  # of the advisory lock that lets one process at a time migrate


def arguments(url: str) -> dict[str, Any]:
    """What every session on the state is opened with."""
    return {
        "conninfo": url,
        "kwargs": {
            "options": f"-c search_path={SCHEMA}",
            "application_name": "bulletproof",
            "connect_timeout": 10,
            "autocommit": True,
        },
    }


@contextlib.contextmanager
def database(settings: Settings, *, owner: bool) -> Generator[str]:
    """The address of the database that holds the state.

    Args:
        settings: with `database_url`, that server; else a cluster of our own below the data folder.
        owner: start our own cluster; else use the one that a service on this machine has started.

    Raises:
        CouldNotJudge: it is not there.
    """
    if settings.database_url is not None:
        yield settings.database_url.get_secret_value()
        return
    folder = home(settings) / "state"
    if owner:
        with cluster.persistent(folder, settings.postgres_bindir) as url:
            yield url
        return
    try:
        yield (folder / "url").read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        raise CouldNotJudge(
            "No service runs here whose queue this worker could use. Start `bulletproof serve` first, with the same "
            "BULLETPROOF_DATA_DIR, or name a PostgreSQL server in BULLETPROOF_DATABASE_URL for both."
        ) from None


def home(settings: Settings) -> Path:
    """Where the service keeps what it made."""
    return settings.data_dir or Path.home() / ".cache" / "bulletproof"


def migrate(url: str) -> int:
    """Bring the tables up to date; gives how many steps were taken. Several processes may do it at once."""
    with psycopg.connect(url, autocommit=True, application_name="bulletproof", connect_timeout=10) as session:
        session.execute("SELECT pg_advisory_lock(%s)", [_LOCK])
        session.execute(sql.SQL("CREATE SCHEMA IF NOT EXISTS {}").format(sql.Identifier(SCHEMA)))
        session.execute(sql.SQL("SET search_path TO {}").format(sql.Identifier(SCHEMA)))
        session.execute("CREATE TABLE IF NOT EXISTS migration (name text PRIMARY KEY, at timestamptz DEFAULT now())")
        had = {str(row[0]) for row in session.execute("SELECT name FROM migration")}
        steps = [(name, text) for name, text in _steps() if name not in had]
        for name, text in steps:
            with session.transaction():
                session.execute(text.encode())
                session.execute("INSERT INTO migration (name) VALUES (%s)", [name])
        return len(steps)


def _steps() -> Generator[tuple[str, str]]:
    """The queue's own schema first, then ours, in the order of their names."""
    yield "procrastinate-3", _queue()
    ours = [file for file in resources.files(__name__).iterdir() if file.name.endswith(".sql")]
    for file in sorted(ours, key=lambda each: each.name):
        yield file.name.removesuffix(".sql"), file.read_text(encoding="utf-8")


def _queue() -> str:
    from procrastinate.schema import SchemaManager  # noqa: PLC0415 - only the service needs it

    return SchemaManager.get_schema()


@contextlib.asynccontextmanager
async def pool(url: str, *, most: int) -> AsyncGenerator[Pool]:
    """Sessions on the state, opened again after a restart of the server."""
    made: Pool = AsyncConnectionPool(
        **arguments(url), min_size=1, max_size=most, open=False, check=AsyncConnectionPool.check_connection, timeout=30
    )
    await made.open()
    try:
        yield made
    finally:
        await made.close()
