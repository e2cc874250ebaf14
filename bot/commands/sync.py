"""Put this pull request's migrations behind base's, and push that."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bot.commands import Context, Permission

MAY: "Permission" = "write"


def run(_words: str, context: "Context") -> str:
    """Do it; the reply says what moved."""
    return context.sync()
