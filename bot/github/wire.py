"""Sends one request to GitHub and reads what the answer means: an answer, patience, or a no.

A limit never puts a worker to sleep: `Later` gives the work back to the queue.
"""

import asyncio
import json
from collections import OrderedDict
from dataclasses import dataclass, field

import githubkit
import githubkit.exception

from bot import metrics
from bot.github.errors import Missing, Refused
from bot.github.model import Json
from bot.inbox import Later

_TRIES = 3
_SAFE_TO_REPEAT = frozenset({"GET", "PATCH", "PUT", "DELETE"})
_UNCHANGED = 304
_KEPT_BYTES = 32 << 20


@dataclass(frozen=True, slots=True)
class Answer:
    """What GitHub said, and the address of the next page where there is one."""

    said: Json
    next: str | None = None


@dataclass(slots=True)
class Kept:
    """Answers that are asked for again and again, with their tags: GitHub counts no request whose answer is unchanged."""

    _answers: OrderedDict[str, tuple[str, bytes, str | None]] = field(
        default_factory=OrderedDict[str, tuple[str, bytes, str | None]]
    )
    _size: int = 0

    def get(self, key: str) -> tuple[str, bytes, str | None] | None:
        """The tag, the body and the next page of an answer."""
        found = self._answers.get(key)
        if found is not None:
            self._answers.move_to_end(key)
        return found

    def put(self, key: str, tag: str | None, content: bytes, link: str | None) -> None:
        """Keep an answer; the ones that were not asked for longest make room."""
        old = self._answers.pop(key, None)
        self._size -= len(old[1]) if old else 0
        if tag is None or len(content) > _KEPT_BYTES // 8:
            return
        self._answers[key] = (tag, content, link)
        self._size += len(content)
        while self._size > _KEPT_BYTES:
            self._size -= len(self._answers.popitem(last=False)[1][1])


async def send(
    client: Json,
    method: str,
    path: str,
    body: Json = None,
    *,
    params: Json = None,
    token: str | None = None,
    repeat: bool | None = None,
    kept: Kept | None = None,
) -> Answer:
    """Send, and send again what may be sent twice while GitHub stumbles.

    Args:
        client: githubkit's.
        method: in capitals.
        path: below the API's address, or a whole address of it.
        body: JSON.
        params: the query.
        token: in whose name; None: as the client is.
        repeat: whether it may be sent twice; None: as the method says.
        kept: where unchanged answers are taken from.

    Raises:
        Later: GitHub asks for patience, or does not answer.
        Refused: GitHub says no.
    """
    tries = _TRIES if (method in _SAFE_TO_REPEAT if repeat is None else repeat) else 1
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    key = f"{path}?{json.dumps(params, sort_keys=True)}"
    had = kept.get(key) if kept is not None else None
    if had is not None:
        headers["If-None-Match"] = had[0]
    trouble = ""
    for attempt in range(tries):
        if attempt:
            await asyncio.sleep(0.3 * 3**attempt)
        try:
            response = await client.arequest(method, path, json=body, params=params, headers=headers)
            metrics.github.labels(method, response.status_code).inc()
            if response.status_code == _UNCHANGED and had is not None:
                return Answer(json.loads(had[1]), had[2])
            following = response.raw_response.links.get("next", {}).get("url")
            said = json.loads(response.content) if response.content else None
            if kept is not None:
                kept.put(key, response.headers.get("ETag"), response.content, following)
            return Answer(said, following)
        except githubkit.exception.RequestFailed as failed:
            status = failed.response.status_code
            metrics.github.labels(method, status).inc()
            _judge(failed, status)
            trouble = f"it answers {status}"
        except json.JSONDecodeError:
            trouble = "its answer is cut off"
        except githubkit.exception.GitHubException as error:
            metrics.github.labels(method, "none").inc()
            trouble = type(error.__cause__ or error).__name__
    where = path.partition("?")[0]
    raise Later(3.0 if tries == 1 else 10.0, f"GitHub is in trouble ({method} {where}: {trouble})")


def _judge(failed: "githubkit.exception.RequestFailed", status: int) -> None:
    """Raise what an answer means; nothing for what may pass."""
    if isinstance(failed, githubkit.exception.RateLimitExceeded):
        raise Later(max(failed.retry_after.total_seconds(), 1.0), "GitHub limits our requests") from None
    message = _message(failed.response.content)
    if status == 429 or (status == 403 and ("rate limit" in message.lower() or "abuse" in message.lower())):
        # The manual: without Retry-After, wait at least a minute.
        raise Later(60.0, "GitHub limits our requests") from None
    if status in {404, 410}:
        raise Missing(status, message) from None
    if status < 500:
        raise Refused(status, message) from None


def _message(content: bytes) -> str:
    try:
        said = json.loads(content)
    except ValueError:
        return "no reason given"
    if not isinstance(said, dict):
        return "no reason given"
    errors = said.get("errors")  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
    return f"{said.get('message', '')}{f' {json.dumps(errors)}' if errors else ''}"[:500]  # pyright: ignore[reportUnknownMemberType]
