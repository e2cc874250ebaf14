"""Python's collector of cycles, told to wait where many objects are made at once and none of them is garbage."""

import contextlib
import gc
from collections.abc import Generator


@contextlib.contextmanager
def waiting() -> Generator[None]:
    """No cycles are looked for meanwhile: each look goes through everything that is alive, whoever made it."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()
