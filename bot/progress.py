"""Progress of long work: one line on stderr where that is a terminal, nothing elsewhere."""

import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager

Say = Callable[[str], None]


def silent(_step: str) -> None:
    """Say nothing."""


@contextmanager
def shown() -> Generator[Say]:
    """A function that shows the step at work."""
    if not sys.stderr.isatty():
        yield silent
        return
    from rich.console import Console  # noqa: PLC0415 - only a terminal needs it
    from rich.markup import escape  # noqa: PLC0415

    console = Console(stderr=True)
    with console.status("reading …") as status:
        yield lambda step: status.update(f"{escape(step)} …")
