"""Say where this pull request stands."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bot.commands import Context, Permission

MAY: "Permission" = "read"


def run(_words: str, context: "Context") -> str:
    """The verdict, what blocks, and what is open on the checklist."""
    report = context.report
    if report is None:
        return f"`{context.head[:7]}` is not reviewed yet. `/migrate retry` asks for a review."
    lines = [f"**{report.verdict}**: {report.title} (`{report.head[:7]}` on `{report.base[:7]}`)"]
    blocking = [f for f in report.findings if f.severity == "error" and f.introduced and f.waived is None]
    lines += [f"- `{f.rule}` at `{f.path}:{f.line}`" for f in blocking[:20]]
    waived = sorted({f"{f.rule}` by @{f.waived.by}" for f in report.findings if f.waived is not None})
    lines += [f"- waived: `{each}" for each in waived[:20]]
    lines += [f"- open: {i.title} ({i.state})" for i in report.checklist if i.state in {"unmet", "unknown"}]
    return "\n".join(lines)
