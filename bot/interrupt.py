"""Ctrl-C: what other threads wait for is ended first, so that the command ends within moments and cleans up as it does.

Python raises KeyboardInterrupt in the main thread alone; the threads beside it would go on with a migration that never ends.
"""

import contextlib
import os
import signal
import threading
from collections.abc import Callable, Generator
from types import FrameType
from typing import NoReturn

STOPPED = 130
"""The exit code of what Ctrl-C ended, as a shell gives it."""

_told = threading.Event()
_endings: dict[object, Callable[[], None]] = {}


def at(key: object, end: Callable[[], None]) -> None:
    """Have `end` called at Ctrl-C; at once where that has been."""
    _endings[key] = end
    if _told.is_set():
        end()


def forget(key: object) -> None:
    """There is nothing to end any more."""
    _endings.pop(key, None)


def told() -> bool:
    """Whether Ctrl-C was pressed: what fails now fails for that."""
    return _told.is_set()


@contextlib.contextmanager
def heard() -> Generator[None]:
    """Listen for Ctrl-C while a command runs. The second one ends the process on the spot; the next start sweeps."""
    usual = threading.current_thread() is threading.main_thread() and (
        signal.getsignal(signal.SIGINT) is signal.default_int_handler
    )
    if not usual:  # someone else listens, or nobody is to
        yield
        return
    signal.signal(signal.SIGINT, _interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        _told.clear()


def _interrupt(_signal: int, _frame: FrameType | None) -> NoReturn:
    if _told.is_set():
        os._exit(STOPPED)
    _told.set()
    threading.Thread(target=_end_all, name="bulletproof-interrupt", daemon=True).start()
    raise KeyboardInterrupt


def _end_all() -> None:
    for end in list(_endings.values()):
        with contextlib.suppress(Exception):  # what cannot be ended ends with its time
            end()
