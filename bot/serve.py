"""`bulletproof serve` and `bulletproof worker`: the webhook service, and a worker alone."""

import asyncio
import signal
import sys

import structlog

from bot import logs, state
from bot.branches import choice
from bot.gate.world import secret, sign
from bot.settings import Settings

log: structlog.stdlib.BoundLogger = structlog.get_logger("serve")


def serve(settings: Settings, *, work: bool = True) -> int:
    """Serve webhooks and pages until stopped, with a worker in the same process unless `work` is False."""
    import uvicorn  # noqa: PLC0415 - only the service needs it

    from bot import app  # noqa: PLC0415

    logs.start()
    choice.choose(settings)  # what it lacks is said now, and not at the first review
    with state.database(settings, owner=True) as url:
        made = app.create(settings, url, work=work)
        _greet(settings)
        server = uvicorn.Server(
            uvicorn.Config(
                made,
                host=settings.host,
                port=settings.port,
                log_config=None,
                access_log=False,
                server_header=False,
                timeout_graceful_shutdown=5,
                timeout_keep_alive=30,
                h11_max_incomplete_event_size=64 << 10,
            )
        )
        for number in (signal.SIGINT, signal.SIGTERM):
            # uvicorn stops in order and then raises the signal again: the state has to be closed, too.
            signal.signal(number, _stopping)
        server.run()
        return 0 if server.started else 3


def work(settings: Settings) -> int:
    """Do the work of the queue until stopped: any number of these, on any machine that reaches the same database."""
    from bot import service  # noqa: PLC0415 - heavy

    logs.start()
    choice.choose(settings)

    async def run(url: str) -> None:
        stop = asyncio.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        async with service.world(settings, url) as world, service.working(world, url):
            await stop.wait()

    with state.database(settings, owner=False) as url:
        asyncio.run(run(url))
    return 0


def _stopping(_number: int, _frame: object) -> None:
    """Go on to the end."""


def _greet(settings: Settings) -> None:
    """Where to look, on the terminal of whoever started it: the dashboard's link is for them alone, and in no log."""
    where = settings.public_url or f"http://{settings.host}:{settings.port}"
    missing = settings.webhook_secret is None or settings.github_app_id is None
    if not sys.stderr.isatty():
        if missing:
            log.info("no GitHub App yet", open=f"{where}/setup")
        else:
            log.info("serving", url=where)
    elif missing:
        sys.stderr.write(f"bulletproof: no GitHub App yet. Open {where}/setup to make one.\n")
    elif settings.webhook_secret is not None:
        key = secret(settings.webhook_secret.get_secret_value())
        sys.stderr.write(f"bulletproof: dashboard {where}/?signature={sign(key, 'dashboard')}\n")
