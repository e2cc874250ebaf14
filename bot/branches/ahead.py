"""Starts a review's first cluster while its files are still being read: the one that the same base was judged on the last time."""

import contextlib
import hashlib
import threading
from collections.abc import Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
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
        self._lock, self._beside = threading.Lock(), ThreadPoolExecutor(1, "ahead")
        self._expected = provider.hint(self._name)
        expected = self._expected
        self._begun = None if expected is None else self._beside.submit(provider.begin, expected)
        self._noted = False

    @contextlib.contextmanager
    def branch(
        self, *, template: Template | None = None, extensions: Sequence[str] = (), seconds: float = 120.0
    ) -> Generator[Branch]:
        """See `Provider.branch`; it may have been begun."""
        key = self._provider.key(template, extensions) if template is not None else None
        begun = self._claimed() if key is not None and key == self._expected else None
        given = (
            self._provider.branch(template=template, extensions=extensions, seconds=seconds)
            if begun is None
            else self._provider.go_on(begun, extensions=extensions, seconds=seconds)
        )
        with given as branch:
            if key is not None and branch.remark is not None:
                self._note(key)
            yield branch

    def learn(self, template: Template, extensions: Sequence[str], found: bytes) -> None:
        """See `Learns`."""
        self._provider.learn(template, extensions, found)

    def close(self) -> None:
        """Put away what nobody wanted."""
        if (begun := self._claimed()) is not None:
            begun.close()
        self._beside.shutdown()

    def _claimed(self) -> "Begun | None":
        """What was begun, for the first who asks; not where it has waited too long."""
        with self._lock:
            waiting, self._begun = self._begun, None
        begun = None
        with contextlib.suppress(CouldNotJudge, OSError):  # what went wrong will go wrong again, and is told then
            begun = None if waiting is None else waiting.result()
        if begun is not None and begun.branch.stopped is not None:
            begun.close()
            return None
        return begun

    def _note(self, key: str) -> None:
        """The first state that something was remembered of is begun the next time: it is the base's that is judged on."""
        with self._lock:
            noted, self._noted = self._noted, True
        if not noted and key != self._expected:
            self._provider.hint(self._name, key)
