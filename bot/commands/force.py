"""Let this head onto this base although the policy says no."""

from typing import TYPE_CHECKING

from bot.commands import standing
from checks.errors import UserError

if TYPE_CHECKING:
    from bot.commands import Context, Permission

MAY: "Permission" = "admin"
REMEMBERS = True
USAGE = "REASON"


def run(words: str, context: "Context") -> str:
    """Bound to both commits, and recorded."""
    reason = words.strip()
    if not reason:
        raise UserError("Why? `/migrate force REASON`; the reason is kept.")
    if not context.seen:
        raise UserError(
            f"`{context.head[:7]}` came after your comment, or is not looked at yet. Look at it; then say it again."
        )
    context.review_again()
    record = standing.record("force", context.comment, reason=reason[:500], head=context.head, base=context.base)
    return (
        f"@{context.comment.author} forces `{context.head[:7]}` onto `{context.base[:7]}`. "
        f"Another commit on either side, and the policy holds again.\n{record}"
    )
