"""The web application: which address is answered by what. Wiring only."""

import contextlib
from collections.abc import AsyncGenerator
from typing import Unpack

from fastapi import FastAPI
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from bot import pages, service
from bot.gate.world import Parts, World
from bot.settings import Settings
from bot.webhook import Webhook


class _Application(FastAPI):
    """The application, with a short way for what comes by the thousand."""

    hook: Webhook | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request; a delivery needs no more than its own answer."""
        if (
            self.hook is not None
            and scope["type"] == "http"
            and (scope["method"], scope["path"]) == ("POST", "/webhook")
        ):
            await self.hook(scope, receive, send)
            return
        await super().__call__(scope, receive, send)


def create(settings: Settings, url: str, *, work: bool = True, **parts: Unpack[Parts]) -> FastAPI:
    """The application.

    Args:
        settings: as the environment has them.
        url: of the state's database.
        work: do the work of the inbox in this process, too.
        parts: see `service.world`.
    """
    opened: list[World] = []

    @contextlib.asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncGenerator[None]:
        if not service.configured(settings):
            yield
            return
        async with contextlib.AsyncExitStack() as stack:
            there = await stack.enter_async_context(service.world(settings, url, **parts))
            if work:
                await stack.enter_async_context(service.working(there, url))
            opened.append(there)
            try:
                yield
            finally:
                opened.clear()

    def world() -> World | None:
        return opened[0] if opened else None

    app = _Application(title="Bulletproof", lifespan=lifespan, docs_url=None, redoc_url=None, openapi_url=None)
    secret = settings.webhook_secret.get_secret_value() if settings.webhook_secret else None
    hook = Webhook(secret if service.configured(settings) else None, lambda: opened[0].inbox, settings.github_app_id)
    app.hook = hook
    app.router.routes.insert(0, Route("/webhook", endpoint=hook, methods=["POST"]))
    app.include_router(pages.router(settings, world))
    return app
