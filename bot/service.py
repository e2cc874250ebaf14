"""The service as a whole: state, inbox, GitHub and workers, opened and closed together."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator
from typing import Unpack

import structlog

from bot import state
from bot.gate import conversation, errands, reviewing, sweep
from bot.gate.clones import Clones
from bot.gate.world import Parts, World, secret
from bot.github import GitHub
from bot.inbox import Inbox, Work, Worker
from bot.settings import Settings
from bot.state import store
from checks.errors import UserError

CONCURRENCY = 4
"""Pieces of work that one process does at a time."""

log: structlog.stdlib.BoundLogger = structlog.get_logger("service")


def private_key(settings: Settings) -> str:
    """The App's private key.

    Raises:
        UserError: there is none, or it cannot be read.
    """
    if settings.github_private_key is not None:
        # As files of settings carry it: on one line, and with quotes that not every reader of such files takes off.
        return settings.github_private_key.get_secret_value().strip().strip("'\"").replace("\\n", "\n")
    if settings.github_private_key_file is None:
        raise UserError("No private key: set BULLETPROOF_GITHUB_PRIVATE_KEY_FILE, or open /setup to make the App.")
    try:
        return settings.github_private_key_file.read_text(encoding="utf-8")
    except OSError as error:
        raise UserError(
            f"The private key {settings.github_private_key_file} cannot be read: {error.strerror}. "
            "Check BULLETPROOF_GITHUB_PRIVATE_KEY_FILE."
        ) from None


def configured(settings: Settings) -> bool:
    """Whether the App is there: its id, a key and the webhook's secret."""
    key = settings.github_private_key or settings.github_private_key_file
    return settings.github_app_id is not None and key is not None and settings.webhook_secret is not None


@contextlib.asynccontextmanager
async def world(settings: Settings, url: str, **parts: Unpack[Parts]) -> AsyncGenerator[World]:
    """Everything that work needs, opened.

    Args:
        settings: of a service that is set up.
        url: of the state's database.
        parts: what is to be another than usual (the judge, who answers commands).

    Raises:
        UserError: the service is not set up.
    """
    if settings.github_app_id is None or settings.webhook_secret is None:
        raise UserError("No GitHub App: set BULLETPROOF_GITHUB_APP_ID and BULLETPROOF_WEBHOOK_SECRET, or open /setup.")
    await asyncio.to_thread(state.migrate, url)
    github = GitHub(settings.github_api_url, settings.github_app_id, private_key(settings))
    clones = Clones(state.home(settings) / "clones", settings.github_git_url)
    async with state.pool(url, most=8) as pool, Inbox(pool).open() as inbox, github.open():
        yield World(
            github=github,
            clones=clones,
            pool=pool,
            inbox=inbox,
            public_url=settings.public_url or f"http://{settings.host}:{settings.port}",
            secret=secret(settings.webhook_secret.get_secret_value()),
            judge=parts.get("judge", reviewing.judge),
            excuses=parts.get("excuses", conversation.spoken),
            commands=parts.get("commands", conversation.answer),
        )


@contextlib.asynccontextmanager
async def working(there: World, url: str) -> AsyncGenerator[None]:
    """Work, and sweep now and then, until the end."""

    async def handle(item: Work) -> None:
        await errands.run(there, item)

    tasks = [
        asyncio.create_task(Worker(url, there.pool, handle, concurrency=CONCURRENCY).run()),
        asyncio.create_task(_sweep(there)),
    ]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _sweep(there: World) -> None:
    """Ask for a sweep at start, and every few minutes; one of all processes does it."""
    wait = 0.0
    while True:
        try:
            if await store.turn(there.pool, "sweep", wait):
                await there.inbox.want(sweep.EVENT)
                await conversation.let_end(there)
            wait = sweep.SECONDS
        except Exception as error:  # noqa: BLE001 - the database is away: again in a moment
            log.warning("cannot ask for a sweep", why=type(error).__name__)
        await asyncio.sleep(min(wait, 15.0) or 1.0)
