"""Excuse what a rule found, with a reason."""

import re
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

from bot.commands import explain, standing
from checks.errors import UserError

if TYPE_CHECKING:
    from bot.commands import Context, Permission

MAY: "Permission" = "write"
REMEMBERS = True
USAGE = "RULE REASON [until YYYY-MM-DD]"

_UNTIL = re.compile(r"\s*\buntil\s+(\S+)\s*\Z", re.IGNORECASE)


def run(words: str, context: "Context") -> str:
    """Bind it to the statements that the rule found, as they are now."""
    name = explain.waivable(words)
    reason, until = _reason(words.partition(" ")[2])
    report = context.report
    if report is None:
        raise UserError(
            f"`{context.head[:7]}` is not reviewed yet, so there is nothing to excuse. Try again after the review."
        )
    bound = standing.bindings(report, name, context.change().head.tree)
    if not bound:
        raise UserError(f"`{name}` found nothing at `{report.head[:7]}`, so there is nothing to excuse.")
    record = standing.record("waive", context.comment, rule=name, reason=reason, until=until, bound=bound)
    if len(record) > standing.LONGEST:
        raise UserError(
            f"`{name}` found {len(bound)} things here, more than one comment can excuse. "
            f"Put `-- migrate:allow {name}: REASON` above the statements instead."
        )
    context.review_again()
    end = f" until {until}" if until else ""
    found = sum(1 for f in report.findings if f.rule in standing.rules_of(name))
    return (
        f"@{context.comment.author} waives `{name}`{end}, for {found} finding{'s' if found != 1 else ''}. "
        f"It ends when what it excuses changes, and with `/migrate unwaive {name}`.\n{record}"
    )


def _reason(words: str) -> tuple[str, str | None]:
    found = _UNTIL.search(words)
    reason, until = (words[: found.start()], found[1]) if found else (words, None)
    reason = reason.strip().lstrip(":").strip()
    if until is not None:
        try:
            end = date.fromisoformat(until)
        except ValueError:
            raise UserError(f"`until` takes a date like 2026-12-31, not `{until[:40]}`.") from None
        if end < datetime.now(UTC).date():
            raise UserError(f"{end} is over already.")
        until = end.isoformat()
    if not reason:
        raise UserError("Why? A waiver takes a reason: `/migrate waive RULE REASON`.")
    return reason[:500], until
