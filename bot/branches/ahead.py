"""Starts a review's first cluster while its files are still being read: the one that the same base was judged on the last time."""

import contextlib
import hashlib
import threading
from collections.abc import Generator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING

from bot.branches import Template
from checks.branch import Branch
from checks.errors import CouldNotJudge

if TYPE_CHECKING:
    from bot.branches.embedded import Begun, Embedded


class Ahead:
    """A provider like another, which has begun with what was wanted first when the same `token` was said the last time.

    Args:
        provider: the other.
        token: what is known before the template is, and mostly stands for the same one: a base commit.
    """

    def __init__(self, provider: "Embedded", token: str) -> None:
        self._provider = provider
        self._name = f"first-{hashlib.sha256(token.encode()).hexdigest()[:32]}"
        self._lock = threading.Lock()
        self._beside = ThreadPoolExecutor(1, "ahead")
        self._put_away: list[Future[None]] = []
        self._expected = provider.hint(self._name)
        expected = self._expected
        self._begun: Future[Begun | None] | None = (
            self._beside.submit(provider.begin, expected) if expected is not None else None
        )
        self._first = True

    @contextlib.contextmanager
    def branch(
        self, *, template: Template | None = None, extensions: Sequence[str] = (), seconds: float = 120.0
    ) -> Generator[Branch]:
        """See `Provider.branch`; the first at a template may have been begun."""
        begun = self._claimed(template, extensions) if template is not None else None
        given = (
            self._provider.branch(template=template, extensions=extensions, seconds=seconds)
            if begun is None
            else self._provider.go_on(begun, extensions=extensions, seconds=seconds)
        )
        with given as branch:
            yield branch

    def learn(self, template: Template, extensions: Sequence[str], found: bytes) -> None:
        """See `Learns`."""
        self._provider.learn(template, extensions, found)

    def close(self) -> None:
        """Put away what nobody wanted."""
        with self._lock:
            begun, self._begun = self._begun, None
        if begun is not None:
            self._discard(begun)
        self._beside.shutdown()
        for each in self._put_away:
            each.result()

    def _claimed(self, template: Template, extensions: Sequence[str]) -> "Begun | None":
        """What was begun, where it is this; who comes first says what will be begun the next time."""
        with self._lock:
            first, self._first = self._first, False
            begun, self._begun = self._begun, None
        if not first:
            return None
        key = self._provider.key(template, extensions)
        if key != self._expected:
            self._provider.hint(self._name, key)
        if begun is None:
            return None
        done = _result(begun) if key == self._expected else None
        if done is None or done.branch.stopped is not None:  # it waited too long
            self._discard(begun)
            return None
        return done

    def _discard(self, begun: "Future[Begun | None]") -> None:
        def away() -> None:
            if (done := _result(begun)) is not None:
                done.close()

        self._put_away.append(self._beside.submit(away))


def _result(begun: "Future[Begun | None] | None") -> "Begun | None":
    """What came of it; what went wrong will go wrong again, and is told then."""
    with contextlib.suppress(CouldNotJudge, OSError):
        return None if begun is None else begun.result()
    return None
