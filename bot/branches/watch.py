"""The watchdog outside the cluster: it kills a branch that takes too long or too much room, whatever its SQL has set."""

import os
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Literal

from bot import interrupt

Reason = Literal["time", "disk"]

_TICK = 0.05
_RESERVE = 64 << 20
_LOOK = 1.0  # seconds between two measurements while the file system's free room hardly changes


class Watch:
    """Measures one folder, and the clock, until it is told to end."""

    def __init__(self, folder: Path, *, seconds: float, room: int, kill: Callable[[], None]) -> None:
        self.stopped: Reason | None = None
        self._folder, self._room, self._kill = folder, room, kill
        self._deadline = time.monotonic() + seconds
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="bulletproof-watch", daemon=True)
        self._thread.start()
        interrupt.at(self, kill)

    def end(self) -> None:
        """Stop watching; returns when nothing more will be killed."""
        interrupt.forget(self)
        self._ended.set()
        self._thread.join()

    def restart(self, seconds: float) -> None:
        """Count the time anew."""
        self._deadline = time.monotonic() + seconds

    def _run(self) -> None:
        measured, free = 0.0, 0
        while not self._ended.wait(min(_TICK, max(0.0, self._deadline - time.monotonic()))):
            now = time.monotonic()
            if now >= self._deadline:
                return self._stop("time")
            left = _free(self._folder)
            # Walking a thousand files every tick would cost; the free room tells cheaply that something grew.
            if left < _RESERVE or now - measured >= _LOOK or free - left > self._room // 8:
                measured, free = now, left
                taken = size(self._folder)
                # Where everyone's room comes to an end, who has taken much of it goes, before others are hurt.
                if taken > self._room or (left < _RESERVE and taken > self._room // 8):
                    return self._stop("disk")
        return None

    def _stop(self, reason: Reason) -> None:
        self.stopped = reason
        self._kill()


def _free(folder: Path) -> int:
    try:
        status = os.statvfs(folder)
    except OSError:
        return 0
    return status.f_bavail * status.f_frsize


def size(folder: Path | str) -> int:
    """Bytes on disk of everything below a folder; what vanishes meanwhile counts nothing."""
    total = 0
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                try:
                    if entry.is_dir(follow_symlinks=False):
                        total += size(entry.path)
                    else:
                        total += entry.stat(follow_symlinks=False).st_blocks * 512
                except OSError:
                    continue
    except OSError:
        return total
    return total
