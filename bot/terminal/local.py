"""The door from a terminal: a review of two revisions of a repository on this machine."""

from pathlib import Path

from bot import settings
from bot.branches import Provider, choice
from bot.git import Repository
from bot.progress import Say, silent
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
    from bot.review import review as review_change  # noqa: PLC0415 - heavy, and other commands want the provider alone

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
    chosen = settings.read()
    if database is not None:
        from bot.branches.server import Server  # noqa: PLC0415 - only where a server was named

        return Server(database)
    return choice.choose(chosen)
