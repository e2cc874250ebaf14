"""Review this pull request again."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bot.commands import Context, Permission

MAY: "Permission" = "write"


def run(_words: str, context: "Context") -> str:
    """Ask for it."""
    context.review_again()
    return f"`{context.head[:7]}` is being reviewed again."
