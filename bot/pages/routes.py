"""Answers the addresses of the pages."""

import asyncio
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

from fastapi import APIRouter, Request
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.responses import JSONResponse, RedirectResponse, Response

from bot import service
from bot.gate.world import World, secret, sign, signed
from bot.pages import rendering, setup
from bot.pages.rendering import page
from bot.settings import Settings
from bot.state import store
from checks import rules
from checks.errors import UserError
from checks.render import words

_SAID = re.compile(r"Default: \w+\.")  # the page's own line says so
_FENCE = re.compile(r"^```(\w*) ?(\w*)\n(.*?)^```[ \t]*$", re.MULTILINE | re.DOTALL)

Opened = Callable[[], World | None]


def router(settings: Settings, world: Opened) -> APIRouter:
    """All pages."""
    routes = APIRouter(default_response_class=Response)
    root = (
        settings.public_url.rstrip("/") if settings.public_url and "/" in settings.public_url.split("://")[-1] else ""
    )
    key = secret(settings.webhook_secret.get_secret_value()) if settings.webhook_secret else b""
    _probes(routes, settings, world)
    setup.add(routes, settings, root)

    @routes.get("/")
    async def dashboard(signature: str = "") -> Response:
        there, shown = world(), bool(key) and signed(key, "dashboard", signature)
        waiting: dict[str, Any] = await store.waiting(there.pool) if there else {"unfinished": 0, "oldest": 0.0}
        pulls: list[dict[str, Any]] = []
        if there is not None and shown:
            for row in await store.overview(there.pool):
                id_ = row["review"]
                link = f"{root}/reviews/{id_}?signature={sign(key, f'review:{id_}')}" if id_ else None
                pulls.append(row | {"link": link})
        return page(
            "dashboard.html", root=root, ready=service.configured(settings), shown=shown, pulls=pulls, **waiting
        )

    @routes.get("/style.css")
    async def style() -> Response:
        return rendering.style()

    @routes.get("/reviews/{id_}")
    async def review(id_: str, signature: str = "") -> Response:
        there = world()
        found = None
        if there is not None and key and signed(key, f"review:{id_}", signature):
            found = await store.review(there.pool, id_)
        if found is None:
            said = "The link is incomplete, or the review is older than what is kept. Open it from the pull request's check run."
            return page("message.html", status=404, root=root, heading="There is no such review", said=said)
        where = f"{found.owner}/{found.name}" + (f"#{found.number}" if found.number else ", merge queue")
        at = f"{setup.web(settings)}/{quote(found.owner)}/{quote(found.name)}"
        link = at + (f"/pull/{found.number}" if found.number else f"/commit/{found.report.head}")
        return await asyncio.to_thread(_review, found, where, link, root)

    @routes.get("/rules")
    async def rules() -> Response:
        return await asyncio.to_thread(_rules, root)

    @routes.get("/rules/{id_}")
    async def rule(id_: str) -> Response:
        return await asyncio.to_thread(_rule, id_, root)

    return routes


def _probes(routes: APIRouter, settings: Settings, world: Opened) -> None:
    """What machines ask."""

    @routes.get("/healthz")
    async def healthz() -> Response:
        return JSONResponse({"status": "ok"})

    @routes.get("/readyz")
    async def readyz() -> Response:
        there = world()
        if there is None:
            how = "starting" if service.configured(settings) else "not set up: open /setup"
            return JSONResponse({"status": how}, status_code=503)
        try:
            async with asyncio.timeout(5):
                waiting = await store.waiting(there.pool)
        except Exception:  # noqa: BLE001 - whatever it is, the database does not answer
            return JSONResponse({"status": "the database does not answer"}, status_code=503)
        return JSONResponse({"status": "ready", **waiting})

    @routes.get("/metrics")
    async def metrics() -> Response:
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)

    @routes.get("/favicon.ico")
    async def icon(request: Request) -> Response:  # noqa: ARG001 - FastAPI hands it over
        return RedirectResponse("data:,", status_code=308)


def _review(found: store.Stored, where: str, link: str, root: str) -> Response:
    report = found.report
    return page(
        "review.html",
        root=root,
        report=report,
        where=where,
        link=link,
        enforced=found.enforced,
        made=f"{found.made:%Y-%m-%d %H:%M} UTC",
        step=words.next_step(report.verdict, report.findings),
        fresh=words.fresh(report.findings),
        waived=words.waived(report.findings),
        old=words.old(report.findings),
        replayed=words.replayed(report),
        covered=words.covered(report.coverage),
        witnessed=words.witnessed(report.witnesses),
        timed=words.timed(report.timings_ms),
    )


def _rules(root: str) -> Response:
    listed = [(id_, rule.severity, rule.page.title) for id_, rule in rules.all_rules().items()]
    return page("rules.html", root=root, rules=listed)


def _rule(id_: str, root: str) -> Response:
    try:
        found = rules.page(id_)
    except UserError as error:
        return page("message.html", status=404, root=root, heading="There is no such rule", said=str(error))
    return page("rule.html", root=root, id=found.id, severity=found.severity, parts=_parts(found.markdown))


def _parts(markdown: str) -> list[tuple[str, str]]:
    """Paragraphs and examples of a rule's page, each with its kind."""
    parts: list[tuple[str, str]] = []
    end = 0
    for match in _FENCE.finditer(markdown):
        parts += _paragraphs(markdown[end : match.start()])
        parts.append((match[2] or "example", match[3].rstrip()))
        end = match.end()
    return parts + _paragraphs(markdown[end:])


def _paragraphs(text: str) -> list[tuple[str, str]]:
    found = (" ".join(part.split()) for part in re.split(r"\n[ \t]*\n", text))
    return [("text", part) for part in found if part and not part.startswith("#") and not _SAID.fullmatch(part)]
