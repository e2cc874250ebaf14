"""The one comment of a pull request: found by its marker and its author, edited in place."""

import hashlib

from bot import replies
from bot.github import Client, Comment, Missing
from bot.github.model import AppName
from checks.render import gfm, markdown
from checks.report import Report

LIMIT = 60_000
"""Bytes; GitHub takes 65,536 characters, and nobody reads more."""


def text(report: Report, *, enforced: bool, url: str | None, forced: tuple[str, str] | None = None) -> str:
    """What it says; where no migration is changed (any more), one line.

    Args:
        report: of the review.
        enforced: whether base has a policy file.
        url: of the whole report.
        forced: who lets through what the report holds back, and why.
    """
    head = f"{replies.MARKER}\n"
    if not report.migrations:
        return head + replies.NOTHING_LEFT
    if forced is not None and report.verdict != "pass":
        head += replies.forced_through(*forced)
    foot = "" if enforced else "\nThis is advice: the base branch has no `.github/migration-policy.yml`.\n"
    foot += replies.more(url) if url else ""
    return head + markdown.text(report, limit=LIMIT - gfm.size(head + foot)) + foot


def digest(body: str) -> str:
    """Equal digests, equal comments."""
    return hashlib.sha256(body.encode()).hexdigest()


def ours(comment: Comment, app: AppName) -> bool:
    """Whether it is the App's own: anybody can write a marker."""
    if comment.app is not None:
        return comment.app.id == app.id
    if comment.user is None or comment.user.type != "Bot":
        return False
    return comment.user.login == f"{app.slug}[bot]" if app.slug else comment.user.login.endswith("[bot]")


async def find(github: Client, number: int, app: AppName) -> Comment | None:
    """The comment, if there is one; the first where (by an accident long ago) there are several."""
    for each in await github.comments(number):
        if ours(each, app) and (each.body or "").lstrip().startswith(replies.MARKER):
            return each
    return None


async def write(github: Client, number: int, body: str, *, known: int | None, app: AppName, create: bool) -> int | None:
    """Make the comment say `body`; gives its id, None where there is none and none is to be made.

    A comment is never made without looking first: the answer to an earlier attempt may have been lost.
    """
    if known is not None:
        try:
            return (await github.edit(known, body)).id
        except Missing:
            pass  # somebody deleted it
    there = await find(github, number, app)
    if there is not None:
        return there.id if there.body == body else (await github.edit(there.id, body)).id
    return (await github.comment(number, body)).id if create else None
