"""The door from a terminal: a review of two revisions of a repository on this machine."""

from pathlib import Path

from bot import settings
from bot.branches import Provider
from bot.git import Repository
from bot.progress import Say, silent
from bot.review import review as review_change
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
) -> Report:
    """Review `head` against `base` (default: the default branch's tip).

    Raises:
        UserError: no such repository, revision or database; the text says what to do.
    """
    repository = Repository(repo)
    change = repository.change(base or repository.default_branch(), head)
    return review_change(change, provider=None if offline else provider(database), seconds=SECONDS, say=say)


def provider(database: str | None = None) -> Provider:
    """Where SQL runs: the server that was named, else the embedded PostgreSQL as the settings have it."""
    chosen = settings.read()
    if database is not None:
        from bot.branches.server import Server  # noqa: PLC0415 - only where a server was named

        return Server(database)
    from bot.branches.embedded import Embedded  # noqa: PLC0415 - not where a server was named

    return Embedded(chosen.data_dir, chosen.postgres_bindir)
