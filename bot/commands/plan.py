"""Show what would run after the merge, statement by statement."""

from typing import TYPE_CHECKING

from checks.render import gfm

if TYPE_CHECKING:
    from bot.commands import Context, Permission

MAY: "Permission" = "read"
MOST = 60


def run(_words: str, context: "Context") -> str:
    """Every migration with its statements, their locks and what they change."""
    report = context.report
    if report is None:
        return f"`{context.head[:7]}` is not reviewed yet. `/migrate retry` asks for a review."
    if not report.migrations:
        return "This pull request brings no migrations."
    lines: list[str] = []
    count = 0
    for migration in report.migrations:
        skipped = (
            " (would be **skipped**: its time is not later than base's)"
            if migration.tag in report.replay.would_skip
            else ""
        )
        lines.append(f"**{gfm.code(migration.tag)}**, {migration.change}{skipped}")
        for statement in migration.statements:
            count += 1
            if count <= MOST:
                first = statement.sql.split("\n", 1)[0]
                told = [f"{lock.mode} on {lock.relation}" for lock in statement.locks]
                told += [f"rewrites {name}" for name in statement.rewrites]
                lines.append(f"1. {gfm.code(first, 160)}" + (f" ({'; '.join(told)})" if told else ""))
    if count > MOST:
        lines.append(f"… and {count - MOST} more statements.")
    how = {"one": "all in one transaction", "each": "each in a transaction of its own", "none": "without a transaction"}
    lines.append(f"\nDrizzle runs them {how[report.replay.transaction]}.")
    return "\n".join(lines)
