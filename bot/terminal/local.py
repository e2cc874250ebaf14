"""The door from a terminal: a review of two revisions of a repository on this machine."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

from bot.branches import Provider
from bot.progress import Say, silent

if TYPE_CHECKING:
    from checks.report import Report

SECONDS = 120.0
"""How long a branch database may live; the SQL cannot lift it."""


def review(
    *,
    repo: Path,
    base: str | None = None,
    head: str = "HEAD",
    database: str | None = None,
    offline: bool = False,
    say: Say = silent,
) -> "Report":
    """Review `head` against `base` (default: the default branch's tip).

    Raises:
        UserError: no such repository, revision or database; the text says what to do.
    """
    # Heavy, and other commands want the provider alone.
    from bot import settings  # noqa: PLC0415
    from bot.branches import choice  # noqa: PLC0415
    from bot.git import Repository  # noqa: PLC0415
    from bot.review import review as review_change  # noqa: PLC0415

    repository = Repository(repo)
    change = repository.change(base or repository.default_branch(), head)
    if offline:
        return review_change(change, provider=None, seconds=SECONDS, say=say)
    where, note = provider(database), None
    if database is None:
        from checks import policy, rules  # noqa: PLC0415 - other commands want the provider alone

        written = policy.read(change.base.tree, rules.all_rules())
        where, note = choice.asked(settings.read(), written.policy.branch.provider)
    with choice.held(where):
        return choice.noted(review_change(change, provider=where, seconds=SECONDS, say=say), note)


def provider(database: str | None = None) -> Provider:
    """Where SQL runs: the server that was named, else as the settings have it."""
    if database is None and _untouched():
        from bot.branches.embedded import Embedded  # noqa: PLC0415 - what the settings say where nothing is set

        return Embedded()
    from bot import settings  # noqa: PLC0415 - to load their library takes as long as to read a schema
    from bot.branches import choice  # noqa: PLC0415

    chosen = settings.read()
    if database is not None:
        from bot.branches.server import Server  # noqa: PLC0415 - only where a server was named

        return Server(database)
    return choice.choose(chosen)


def _untouched() -> bool:
    """Nothing is set, neither in the environment nor in `.env`; upper and lower case are one, as the settings read them."""
    if any(name.upper().startswith("BULLETPROOF_") for name in os.environ):
        return False
    try:
        return b"BULLETPROOF_" not in Path(".env").read_bytes().upper()
    except FileNotFoundError:
        return True
    except OSError:
        return False
