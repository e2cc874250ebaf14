"""Starts the place where a difference will be proved while the rest of the command is still being loaded.

To load PostgreSQL's driver takes longer than to start a cluster, and each has a processor of its own.
"""

import contextlib
from collections.abc import Generator
from concurrent.futures import Future, ThreadPoolExecutor

from bot.branches import Template
from bot.terminal import local
from checks.branch import Branch

SECONDS = 300.0
"""How long the place may live."""

Started = Future[tuple[contextlib.ExitStack, Branch]]
"""A branch that starts, and what puts it away."""


@contextlib.contextmanager
def started(before: str) -> Generator[Started | None]:
    """A branch for the proof; None where FROM is no database, and is tried where it was made.

    Whoever takes it may put it away; at the end it is put away in any case.
    """
    if not before.startswith(("postgres://", "postgresql://")):
        yield None
        return
    with ThreadPoolExecutor(1, "ahead") as beside:
        starting = beside.submit(_start)
        try:
            yield starting
        finally:
            if starting.exception() is None:  # else it was told where it was asked for
                starting.result()[0].close()


def _look(branch: Branch) -> bytes:
    from bot.terminal import sides  # noqa: PLC0415 - only the first time
    from checks.catalog import kept, read  # noqa: PLC0415 - likewise

    with sides.strongest(branch) as session:
        return kept.to_bytes(read.read(session))


NOTHING = Template("nothing, and its schema", _look)
"""An empty database that knows its schema: it need not be read each time."""


def _start() -> tuple[contextlib.ExitStack, Branch]:
    with contextlib.ExitStack() as opened:
        branch = opened.enter_context(local.provider().branch(template=NOTHING, seconds=SECONDS))
        return opened.pop_all(), branch
