"""The durable inbox: a delivery is stored before it is answered, and what it asks for is done once, later, by whoever is free.

Jobs are Procrastinate's; a job says only "look at this key again". One lock a key keeps two of them apart. How many asked is
counted in our own table `work`, and not with Procrastinate's `queueing_lock`, which a rescued job can violate
(procrastinate #1543).
"""

import asyncio
import contextlib
import json
import secrets
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Literal

import psycopg
import structlog
from procrastinate import App, PsycopgConnector, RetryStrategy
from psycopg.types.json import Jsonb

from bot import metrics, state
from bot.events import Event, Repository

Received = Literal["new", "again", "done"]
Say = structlog.stdlib.BoundLogger

HEARTBEAT = 2.0
STALLED = 7.0
"""Seconds without a heartbeat after which a worker's jobs are taken over."""
_BATCH = 200
_COLUMNS = ("id", "event", "key", "kind", "repository", "owner", "name", "installation", "about", "fresh")
_MOST = 60.0  # seconds between two attempts
_LEAST = 1.0

log: Say = structlog.get_logger("inbox")


class Later(Exception):  # noqa: N818 - not an error: the world asks for patience
    """This cannot be done now; try again after so many seconds."""

    def __init__(self, seconds: float, why: str) -> None:
        super().__init__(why)
        self.seconds = seconds


class Taken(Exception):  # noqa: N818 - nothing went wrong: somebody else does it
    """Another run has taken this work over; this one may write no more."""


@dataclass(frozen=True, slots=True)
class Work:
    """What is to be done, as it stands when it begins.

    Attributes:
        generation: what is asked for before this is done with it, too.
        holder: who may write: a later run of the same work takes over.
        attempts: how often it began without an end.
    """

    key: str
    kind: str
    repository: Repository | None
    about: dict[str, Any]
    generation: int
    fresh: bool
    attempts: int
    delivery: str | None
    holder: str


Handler = Callable[[Work], Awaitable[None]]


@dataclass(slots=True)
class _Waiting:
    row: tuple[Any, ...]
    answer: asyncio.Future[Received] = field(default_factory=lambda: asyncio.get_running_loop().create_future())


class Inbox:
    """Takes deliveries in. Many that arrive together are stored in one transaction."""

    def __init__(self, pool: state.Pool) -> None:
        self.pool = pool
        self._waiting: asyncio.Queue[_Waiting] = asyncio.Queue()

    async def receive(self, delivery: str, name: str, event: Event) -> Received:
        """Store a delivery, durably, and what it asks for.

        Returns:
            `new`; `again`: it was here before, and is not done; `done`: it was, and nothing is left to do.
        """
        where = event.repository
        waiting = _Waiting(
            (
                delivery,
                name,
                event.key or None,
                event.kind,
                where.id if where else None,
                where.owner if where else None,
                where.name if where else None,
                where.installation if where else None,
                event.about,
                event.fresh,
            )
        )
        self._waiting.put_nowait(waiting)
        return await waiting.answer

    async def want(self, event: Event, *, after: float = 0.0, delivery: str | None = None) -> None:
        """Ask for work that no delivery asks for."""
        where = event.repository
        async with self.pool.connection() as session:
            await session.execute(
                "SELECT want(%s, %s, %s, %s, %s, %s, now() + make_interval(secs => %s))",
                [event.key, event.kind, where.id if where else None, Jsonb(event.about), event.fresh, delivery, after],
            )

    @contextlib.asynccontextmanager
    async def open(self) -> AsyncGenerator["Inbox"]:
        """Store what is received, until the end."""
        storing = asyncio.create_task(self._store())
        try:
            yield self
        finally:
            storing.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await storing

    async def _store(self) -> None:
        while True:
            batch = [await self._waiting.get()]
            while len(batch) < _BATCH and not self._waiting.empty():
                batch.append(self._waiting.get_nowait())
            # Two processes that lock the same rows in the same order cannot wait for each other.
            batch.sort(key=lambda each: (str(each.row[2]), str(each.row[0])))
            try:
                answers = await self._insert(batch)
            except psycopg.Error as error:
                await self._one_by_one(batch, error)
                continue
            for each, answer in zip(batch, answers, strict=True):
                if not each.answer.done():
                    each.answer.set_result(answer)

    async def _one_by_one(self, batch: list[_Waiting], error: psycopg.Error) -> None:
        """What is wrong with one delivery is not the others' trouble."""
        for each in batch:
            try:
                if len(batch) == 1:
                    raise error
                answer = (await self._insert([each]))[0]
            except psycopg.Error as trouble:
                if not each.answer.done():
                    each.answer.set_exception(trouble)
            else:
                if not each.answer.done():
                    each.answer.set_result(answer)

    async def _insert(self, batch: list[_Waiting]) -> list[Received]:
        rows = [{"n": n, **dict(zip(_COLUMNS, each.row, strict=True))} for n, each in enumerate(batch, start=1)]
        async with self.pool.connection() as session:
            cursor = await session.execute("SELECT receive_all(%s::jsonb)", [json.dumps(rows)])
            row: tuple[list[Received]] | None = await cursor.fetchone()
        assert row is not None  # a function gives a row  # noqa: S101
        return row[0]


class Worker:
    """Does the work of the inbox.

    Args:
        url: of the state's database.
        pool: sessions on it.
        handle: does one piece of work; doing it twice changes nothing.
        concurrency: how many pieces at a time.
    """

    def __init__(self, url: str, pool: state.Pool, handle: Handler, *, concurrency: int = 4) -> None:
        self._pool, self._handle, self._concurrency = pool, handle, concurrency
        arguments = state.arguments(url)
        keywords = arguments.pop("kwargs")
        keywords.pop("autocommit")
        self._app = App(connector=PsycopgConnector(**arguments, kwargs=keywords, min_size=1, max_size=4))
        self._app.task(name="work", queue="work", retry=RetryStrategy(max_attempts=1000, linear_wait=2))(self._work)

    async def run(self) -> None:
        """Work until cancelled; when the database goes away, wait until it is back."""
        while True:
            try:
                async with self._app.open_async():
                    rescuing = asyncio.create_task(self._rescue())
                    try:
                        await self._app.run_worker_async(
                            concurrency=self._concurrency,
                            install_signal_handlers=False,
                            delete_jobs="successful",
                            update_heartbeat_interval=HEARTBEAT,
                            stalled_worker_timeout=STALLED,
                            shutdown_graceful_timeout=5.0,
                            fetch_job_polling_interval=2.0,
                        )
                    finally:
                        rescuing.cancel()
            except Exception as error:  # noqa: BLE001 - a queue that cannot be reached now can be reached later
                log.warning("the queue is out of reach", why=first_line(error))
            await asyncio.sleep(1.0)

    async def _rescue(self) -> None:
        """Take over what dead workers left, and ask again for what has no job (one that was aborted, or failed).

        Not a job itself: a job that rescues can stall like any other (procrastinate #1408).
        """
        while True:
            await asyncio.sleep(HEARTBEAT)
            try:
                manager = self._app.job_manager
                for job in await manager.get_stalled_jobs(seconds_since_heartbeat=STALLED):
                    log.info("taking over from a worker that is gone", key=job.lock)
                    await manager.retry_job(job)
                async with self._pool.connection() as session:
                    await session.execute("SELECT repair()")
            except Exception as error:  # noqa: BLE001 - tried again in two seconds
                log.warning("could not look for stalled work", why=first_line(error))

    async def _work(self, key: str) -> None:
        item = await begin(self._pool, key)
        if item is None:
            return
        began = time.perf_counter()
        say = log.bind(key=key, kind=item.kind, delivery=item.delivery)
        try:
            with structlog.contextvars.bound_contextvars(key=key, delivery=item.delivery):
                await self._handle(item)
        except Later as later:
            say.info("waiting", seconds=round(later.seconds, 1), why=str(later), attempt=item.attempts)
            metrics.work.labels(item.kind, "later").inc()
            await again(self._pool, item, later.seconds)
        except Taken:
            say.info("somebody else has taken this over")
        except Exception as error:  # noqa: BLE001 - a fault of ours: said, counted, tried again, never silent
            say.error("failed", why=first_line(error), where=where_of(error), attempt=item.attempts)
            metrics.work.labels(item.kind, "failed").inc()
            await again(self._pool, item, min(_MOST, _LEAST * 2 ** min(item.attempts, 10)))
        else:
            metrics.work.labels(item.kind, "done").inc()
            say.info("done", ms=round((time.perf_counter() - began) * 1000))
            await finish(self._pool, item)


async def begin(pool: state.Pool, key: str) -> Work | None:
    """Take up work, from now on as the only one that may write; None: all of it is done."""
    async with pool.connection() as session:
        cursor = await session.execute(
            """
            WITH mine AS (
                UPDATE work SET queued = false, holder = %s, attempts = attempts + 1
                WHERE key = %s AND wanted > done RETURNING *
            )
            SELECT m.key, m.kind, r.id, r.owner, r.name, r.installation, m.about, m.wanted, m.fresh, m.attempts, m.delivery,
                m.holder
            FROM mine m LEFT JOIN repository r ON r.id = m.repository
            """,
            [secrets.token_hex(8), key],
        )
        row = await cursor.fetchone()
        if row is None:
            await session.execute("UPDATE work SET queued = false WHERE key = %s AND wanted <= done", [key])
            return None
    where = Repository(row[2], row[3], row[4], row[5]) if row[2] is not None else None
    return Work(row[0], row[1], where, row[6], row[7], row[8], row[9], row[10], row[11])


async def finish(pool: state.Pool, item: Work) -> None:
    """Everything that was asked for before it began is done."""
    async with pool.connection() as session:
        await session.execute(
            """
            UPDATE work SET done = greatest(done, %(generation)s), attempts = 0, fresh = fresh AND wanted > %(generation)s
            WHERE key = %(key)s AND holder = %(holder)s
            """,
            {"key": item.key, "holder": item.holder, "generation": item.generation},
        )


async def again(pool: state.Pool, item: Work, seconds: float) -> None:
    """Do it again after so many seconds."""
    job = json.dumps({"key": item.key})
    async with pool.connection() as session:
        await session.execute(
            """
            WITH mine AS (
                UPDATE work SET queued = true, changed = now() WHERE key = %s AND holder = %s AND NOT queued RETURNING key
            )
            SELECT procrastinate_defer_jobs_v1(ARRAY[ROW(
                'work', 'work', 0, key, NULL, %s::jsonb, now() + make_interval(secs => %s)
            )::procrastinate_job_to_defer_v1]) FROM mine
            """,
            [item.key, item.holder, job, seconds],
        )


async def current(pool: state.Pool, item: Work) -> tuple[bool, int]:
    """Whether this run may still write, and the generation that is wanted by now."""
    async with pool.connection() as session:
        cursor = await session.execute("SELECT holder = %s, wanted FROM work WHERE key = %s", [item.holder, item.key])
        row = await cursor.fetchone()
    return (False, 0) if row is None else (bool(row[0]), row[1])


def first_line(error: BaseException) -> str:
    """An error in one line of a log."""
    text = str(error).strip()
    return f"{type(error).__name__}: {text.splitlines()[0][:300]}" if text else type(error).__name__


def where_of(error: BaseException) -> str:
    """The innermost place in our own code."""
    trace, place = error.__traceback__, ""
    while trace is not None:
        name = trace.tb_frame.f_globals.get("__name__", "")
        if name.startswith(("bot", "checks")):
            place = f"{name}:{trace.tb_lineno}"
        trace = trace.tb_next
    return place
