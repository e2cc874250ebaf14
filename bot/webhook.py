"""Takes a delivery in: measures, verifies, reads and stores it, and answers. An ASGI application of its own, for speed."""

import hashlib
import hmac
import json
import re
from collections.abc import Callable
from typing import Protocol

import structlog
from starlette.types import Receive, Scope, Send

from bot import events, metrics
from bot.events import Event

MOST = 25 << 20
"""Bytes. GitHub sends no more."""

_SIGNATURE = re.compile(rb"sha256=([0-9a-f]{64})")
_ID = re.compile(rb"[A-Za-z0-9-]{1,64}")
_NAME = re.compile(rb"[a-z_]{1,64}")

log: structlog.stdlib.BoundLogger = structlog.get_logger("webhook")


class _Inbox(Protocol):
    async def receive(self, delivery: str, name: str, event: Event) -> str: ...


class Webhook:
    """`POST /webhook`.

    Args:
        secret: what GitHub signs with; None: the service is not set up yet, and nothing is taken in.
        inbox: gives the inbox, once it is open.
        app: our App's id.
    """

    def __init__(self, secret: str | None, inbox: Callable[[], _Inbox], app: int | None) -> None:
        self._secret = secret.encode() if secret else None
        self._inbox, self._app = inbox, app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        status, said = await self._take(dict(scope["headers"]), receive)
        body = json.dumps(said).encode()
        await send(
            {
                "type": "http.response.start",
                "status": status,
                "headers": [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())],
            }
        )
        await send({"type": "http.response.body", "body": body})

    async def _take(self, headers: dict[bytes, bytes], receive: Receive) -> tuple[int, dict[str, str]]:  # noqa: PLR0911 - one answer for each thing that can be wrong
        if self._secret is None:
            return 503, {"error": "the service is not set up: open /setup"}
        signature = _SIGNATURE.fullmatch(headers.get(b"x-hub-signature-256", b""))
        body = await _body(headers, receive)
        if body is None:
            return 413, {"error": f"more than {MOST} bytes"}
        if signature is None or not hmac.compare_digest(_sign(self._secret, body), signature[1]):
            metrics.deliveries.labels("?", "unsigned").inc()
            return 401, {"error": "the signature is missing or wrong"}
        name, id_ = headers.get(b"x-github-event", b""), headers.get(b"x-github-delivery", b"")
        if not _NAME.fullmatch(name) or not _ID.fullmatch(id_):
            return 400, {"error": "X-GitHub-Event or X-GitHub-Delivery is missing or malformed"}
        delivery, what = id_.decode(), name.decode()
        try:
            event = events.read(what, body, app=self._app)
        except events.Malformed as error:
            log.warning("malformed", delivery=delivery, event_name=what, why=str(error))
            metrics.deliveries.labels(_known(what), "malformed").inc()
            return 400, {"error": str(error)}
        if event.kind == "nothing":
            metrics.deliveries.labels(_known(what), "ignored").inc()
            return 202, {"delivery": delivery, "outcome": "ignored"}
        try:
            outcome = await self._inbox().receive(delivery, what, event)
        except Exception as error:  # noqa: BLE001 - not stored: GitHub has to know, and the sweep asks for it again
            log.warning("could not store", delivery=delivery, why=type(error).__name__)
            metrics.deliveries.labels(_known(what), "lost").inc()
            return 503, {"error": "could not be stored now"}
        metrics.deliveries.labels(_known(what), outcome).inc()
        return 202, {"delivery": delivery, "outcome": outcome}


def _sign(secret: bytes, body: bytes) -> bytes:
    return hmac.digest(secret, body, hashlib.sha256).hex().encode()


def _known(name: str) -> str:
    """A label that strangers cannot multiply."""
    return name if name in events.NAMES else "other"


async def _body(headers: dict[bytes, bytes], receive: Receive) -> bytes | None:
    """The whole body; None: it is too long, and is not kept."""
    declared = headers.get(b"content-length", b"0")
    if not declared.isdigit() or int(declared) > MOST:
        return None
    parts: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return b"".join(parts)
        part = message.get("body", b"")
        size += len(part)
        if size > MOST:
            return None
        parts.append(part)
        if not message.get("more_body", False):
            return parts[0] if len(parts) == 1 else b"".join(parts)
