"""Take the waivers of a rule back."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from bot.commands import explain, standing

if TYPE_CHECKING:
    from bot.commands import Context, Permission

MAY: "Permission" = "write"
REMEMBERS = True
USAGE = "RULE"


def run(words: str, context: "Context") -> str:
    """They end now, whoever gave them."""
    name = explain.waivable(words)
    given = [w for w in standing.waivers(context.comments, context.own, datetime.now(UTC).date()) if w.rule == name]
    if not given:
        return f"No comment waives `{name}`; a waiver in the SQL goes by editing the SQL."
    context.review_again()
    return f"`{name}` is no longer waived.\n{standing.record('unwaive', context.comment, rule=name)}"
