"""Answers the addresses of the pages."""

from collections.abc import Callable

from fastapi import APIRouter, Response
from fastapi.responses import HTMLResponse, JSONResponse
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from bot.settings import Settings
from bot.state import store
from bot.world import World, signed


def router(settings: Settings, world: Callable[[], World | None]) -> APIRouter:
    """All pages."""
    routes = APIRouter()

    @routes.get("/healthz")
    async def healthz() -> JSONResponse:
        return JSONResponse({"status": "ok"})

    @routes.get("/readyz")
    async def readyz() -> JSONResponse:
        there = world()
        if there is None:
            return JSONResponse({"status": "not set up: open /setup"}, status_code=503)
        try:
            waiting = await store.waiting(there.pool)
        except Exception:  # noqa: BLE001 - whatever it is, the database does not answer
            return JSONResponse({"status": "the database does not answer"}, status_code=503)
        return JSONResponse({"status": "ready", **waiting})

    @routes.get("/metrics")
    async def metrics() -> Response:
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)

    return routes
