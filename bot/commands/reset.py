"""Throw away what is kept for this pull request, and review it from nothing."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bot.commands import Context, Permission

MAY: "Permission" = "write"


def run(_words: str, context: "Context") -> str:
    """Branch databases, templates and results go; comments stay, so waivers do."""
    context.reset()
    context.review_again()
    return f"All that was kept for this pull request is gone; `{context.head[:7]}` is being reviewed from nothing."
