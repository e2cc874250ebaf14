"""A running service against a GitHub of our own, for stories."""

import asyncio
import contextlib
import secrets
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import uvicorn
from conftest import GitRepo
from github import APP, PRIVATE_KEY, SECRET, Hub, Pull, Repository

from bot import app, cluster, demo
from bot.gate import reviewing
from bot.settings import Settings
from checks.report import MigrationReport, Report


class Service:
    """The service, in a thread of its own, with a real inbox on a real PostgreSQL."""

    def __init__(self, settings: Settings, url: str, **parts: Any) -> None:
        self.settings = settings
        made = app.create(settings, url, **parts)
        config = uvicorn.Config(made, host="127.0.0.1", port=0, log_config=None, access_log=False, lifespan="on")
        self.server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        until(lambda: self.server.started, "the service starts")

    def _run(self) -> None:
        with asyncio.Runner() as runner:
            runner.run(self.server.serve())

    @property
    def url(self) -> str:
        """Where it is served."""
        return f"http://127.0.0.1:{self.server.servers[0].sockets[0].getsockname()[1]}"

    def stop(self) -> None:
        """Stop in order."""
        self.server.should_exit = True
        self._thread.join(20)
        assert not self._thread.is_alive()


def settings(hub: Hub, folder: Path, **more: Any) -> Settings:
    """What a service needs to be told."""
    return Settings(
        github_app_id=APP,
        github_private_key=PRIVATE_KEY,  # pyright: ignore[reportArgumentType]
        webhook_secret=SECRET,  # pyright: ignore[reportArgumentType]
        github_api_url=hub.api,
        github_git_url=hub.git,
        public_url="https://bulletproof.example",
        data_dir=folder,
        **more,
    )


def until(true: Callable[[], Any], what: str, seconds: float = 40.0) -> Any:
    """Wait until something is so."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = true()
        if found:
            return found
        time.sleep(0.03)
    raise AssertionError(f"not within {seconds:.0f} s: {what}")


def concluded(pull: Pull, *, seconds: float = 40.0) -> dict[str, Any]:
    """The completed check run on the present head of a pull request."""

    def done() -> dict[str, Any] | None:
        run = pull.check
        return run if run is not None and run["status"] == "completed" else None

    return until(done, f"a check on #{pull.number}", seconds)


def settled(url: str, *, seconds: float = 40.0) -> None:
    """Wait until nothing is left to do."""

    def idle() -> bool:
        with psycopg.connect(url) as session:
            rows = session.execute("SELECT count(*) FROM bulletproof.work WHERE wanted > done").fetchone()
            jobs = session.execute("SELECT count(*) FROM bulletproof.procrastinate_jobs").fetchone()
        return rows == (0,) and jobs == (0,)

    until(idle, "nothing is left to do", seconds)


@contextlib.contextmanager
def database(superuser: str) -> Iterator[str]:
    """A fresh database, by its address; dropped in the end, as a suite makes many."""
    name = f"t{secrets.token_hex(6)}"
    with psycopg.connect(superuser, autocommit=True) as session:
        session.execute(f"CREATE DATABASE {name}")
    yield superuser.replace("/postgres?", f"/{name}?")
    with psycopg.connect(superuser, autocommit=True) as session:
        session.execute(f"DROP DATABASE {name} WITH (FORCE)")


@contextlib.contextmanager
def state_cluster(folder: Path) -> Iterator[str]:
    """A cluster for the service's state."""
    with cluster.persistent(folder) as url:
        yield url


def shop(hub: Hub, folder: Path, name: str = "octo/shop") -> Repository:
    """The demo's shop, hosted: main, and the branches `clean` and `breaking`."""
    demo.build(folder)
    return hub.repository(name, GitRepo(folder))


class Scripted:
    """A judge that says what it is told, and remembers what it was asked."""

    def __init__(self, seconds: float = 0.0) -> None:
        self.seconds = seconds
        self.asked: list[reviewing.Request] = []
        self.finished = 0
        self.outcome: Callable[[reviewing.Request], reviewing.Outcome] | None = None

    async def __call__(self, request: reviewing.Request, _clone: Any) -> reviewing.Outcome:
        """Judge."""
        self.asked.append(request)
        await asyncio.sleep(self.seconds)
        self.finished += 1
        if self.outcome is not None:
            return self.outcome(request)
        return reviewing.Outcome(report=report(request), enforced=True)


def report(request: reviewing.Request, **more: Any) -> Any:
    """A report that says: fine."""
    migration = MigrationReport(tag="0003_x", path="drizzle/0003_x.sql", change="added")
    said = {"verdict": "pass", "title": "passed", "migrations": (migration,)} | more
    return Report(base=request.base, head=request.head, merge_base=request.base, **said)
