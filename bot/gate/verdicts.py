"""Turns the outcome of a review into the check run that lets a merge through or holds it back. Pure."""

import hashlib
from dataclasses import dataclass, replace
from typing import Literal

from bot import replies
from bot.gate.reviewing import Outcome
from bot.github.model import Annotation, Conclusion, Output
from checks.policy import blocking
from checks.render import gfm, markdown, words
from checks.report import Finding, Report

SUMMARY = 65_535
TITLE = 255
_MESSAGE = 60_000  # GitHub takes 64 KB; what is longer helps nobody
_SYNC = frozenset({"number-collision", "silently-skipped", "journal-mismatch", "snapshot-chain"})
_LEVELS: dict[str, Literal["failure", "warning", "notice"]] = {
    "error": "failure",
    "warning": "warning",
    "note": "notice",
}


@dataclass(frozen=True, slots=True)
class Verdict:
    """A check run as it is to be."""

    conclusion: Conclusion
    output: Output


def conclude(
    outcome: Outcome,
    *,
    delivery: str | None = None,
    required: str = "",
    url: str | None = None,
    sync: bool = False,
) -> Verdict:
    """The contract's table.

    Args:
        outcome: of the review.
        delivery: to be found in the log by.
        required: a sentence about whether the check is required.
        url: of the whole report.
        sync: whether migrations can be put in order from here.
    """
    report = outcome.report
    enforced = outcome.enforced is not False  # not known: rather ask for a second look than let it pass
    link = replies.more(url) if url else ""
    if report is None or report.verdict == "unjudged":
        why = outcome.why or (report.notes[0] if report and report.notes else "There was no database to judge with.")
        said = replies.unjudged(why, delivery, enforced=enforced)
        if report is not None:
            said += "\n" + markdown.text(report, limit=SUMMARY - gfm.size(said + link) - 10)
        output = Output(replies.unjudged_title(), said + link, actions=(replies.RERUN,))
        return Verdict("action_required" if enforced else "neutral", output)
    title = words.line(report.title or report.verdict, TITLE - 20)
    foot = required + link
    summary = markdown.text(report, limit=SUMMARY - gfm.size(foot)) + foot
    if untouched(report):
        return Verdict("success", Output(title, f"{gfm.prose(title)}\n"))
    repairable = sync and any(f.rule in _SYNC for f in blocking(report.findings))
    actions = (replies.RERUN, replies.SYNC) if repairable else (replies.RERUN,)
    notes = annotations(report)
    if report.verdict == "pass":
        return Verdict("success", Output(title, summary, notes, actions))
    if enforced:
        return Verdict("failure", Output(title, summary, notes, actions))
    return Verdict("neutral", Output(replies.would_block(title), summary, notes, actions))


def forced(verdict: Verdict, by: str) -> Verdict:
    """What was held back goes through, because an admin said so, and the title says who."""
    if verdict.conclusion not in {"failure", "action_required"}:
        return verdict
    title = words.line(f"forced by @{by}: {verdict.output.title}", TITLE)
    return Verdict("success", replace(verdict.output, title=title))


def steady(report: Report) -> Report:
    """The report without what differs from run to run: times, and where base's tip was."""
    migrations = tuple(
        m.model_copy(update={"statements": tuple(s.model_copy(update={"ms": None}) for s in m.statements)})
        for m in report.migrations
    )
    return report.model_copy(update={"timings_ms": {}, "base": "", "migrations": migrations})


def digest(outcome: Outcome, verdict: Verdict, required: str) -> str:
    """Equal digests: the check run says the same, and need not be written again."""
    if outcome.report is None:
        return hashlib.sha256(repr((verdict.conclusion, verdict.output.title, outcome.why)).encode()).hexdigest()
    again = conclude(outcome.model_copy(update={"report": steady(outcome.report)}), required=required)
    return hashlib.sha256(repr((verdict.conclusion, verdict.output.title, again)).encode()).hexdigest()


def untouched(report: Report) -> bool:
    """Whether the change has nothing to do with migrations."""
    return report.verdict == "pass" and not report.migrations and not report.findings and not report.notes


def annotations(report: Report) -> tuple[Annotation, ...]:
    """What head introduced, the worst first, each at its lines."""
    fresh = words.fresh(report.findings)
    ranks = ("error", "warning", "note")
    ordered = sorted(fresh, key=lambda f: (ranks.index(f.severity), f.path, f.line))
    return tuple(_annotation(finding) for finding in ordered)


def _annotation(finding: Finding) -> Annotation:
    line = max(finding.line, 1)
    advice = words.way_out(finding.help, 1_000) if finding.help else ""
    message = f"{words.visible(finding.message)}{f'{chr(10)}{chr(10)}{advice}' if advice else ''}"
    return Annotation(
        path=_path(finding.path),
        line=line,
        end_line=max(finding.end_line, line),
        level=_LEVELS[finding.severity],
        title=words.line(finding.rule, TITLE),
        message=message.encode("utf-8", "replace")[:_MESSAGE].decode("utf-8", "ignore"),
    )


def _path(path: str) -> str:
    """As JSON can carry it: a name that is not UTF-8 cannot be annotated by its bytes."""
    return path.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
