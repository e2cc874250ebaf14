"""Approve the SQL of this pull request."""

from typing import TYPE_CHECKING

from bot.commands import standing
from checks.errors import UserError

if TYPE_CHECKING:
    from bot.commands import Context, Permission

MAY: "Permission" = "write"
REMEMBERS = True


def run(_words: str, context: "Context") -> str:
    """Bind it to the SQL as it is now."""
    report = context.report
    if report is None:
        raise UserError(f"`{context.head[:7]}` is not reviewed yet. Approve what you have seen, after the review.")
    if not report.migrations:
        raise UserError("This pull request brings no SQL to approve.")
    context.review_again()
    count = sum(len(m.statements) for m in report.migrations)
    record = standing.record("approve", context.comment, mark=standing.mark_of(report), head=context.head)
    return (
        f"@{context.comment.author} approves the SQL of `{context.head[:7]}` ({count} statement{'s' if count != 1 else ''}). "
        f"Another statement, and it takes another approval.\n{record}"
    )
