"""A report as GitHub's Markdown: for a comment, a check run or a job summary, shortened by sections to what they hold."""

from collections.abc import Sequence

from checks.render import words
from checks.render.gfm import Section, code, document, fence, lines, plain, prose, raw
from checks.report import Equality, Finding, MigrationReport, Report, StatementReport, TraceReport

COMMENT = 65_535
"""What a comment or a check run's summary holds; both refuse more."""

_VERDICTS = {"pass": "✅", "block": "❌", "unjudged": "❔"}
_SEVERITIES = {"error": "❌", "warning": "⚠️", "note": "💬"}
_STATES = {"met": "✅", "unmet": "❌", "waived": "☑️", "unknown": "❔", "not-applicable": "⚪"}


def text(report: Report | TraceReport, *, limit: int = COMMENT) -> str:
    """The report in at most `limit` bytes; what was left out is said where it would stand."""
    sections = _trace(report) if isinstance(report, TraceReport) else _review(report)
    return document(sections, limit - 1).strip("\n") + "\n"


def _review(report: Report) -> list[Section]:
    said = report.title or report.verdict
    where = f" · {prose(words.project(report.project))}" if report.project else ""
    step = words.next_step(report.verdict, report.findings)
    opening = f"### {_VERDICTS[report.verdict]} Migration policy · {prose(said, 200)}\n\n"
    opening += f"{plain(report.base[:7])} → {plain(report.head[:7])}{where}\n\n"
    opening += f"**{prose(step)}**\n\n" if step else ""
    sections = [Section(start=opening, share=0.02)]
    sections.append(_list("", [prose(note) for note in report.notes], share=0.04))
    sections += _findings(report.findings)
    sections += [_conflicts(report), _checklist(report)]
    sections += _migrations(report.migrations)
    if report.migrations:
        replayed = [f"{_STATES[state]} {prose(line)}" for state, line in words.replayed(report)]
        sections.append(_list("Replay, as Drizzle would do it", replayed, share=0.05))
    sections += _equality(report.equality)
    sections += _schema(report)
    sections += _rollback(report)
    sections.append(_opaque(report))
    if report.migrations or report.coverage.statements:
        footer = [words.covered(report.coverage), words.witnessed(report.witnesses)]
        footer += [words.timed(report.timings_ms)] if report.timings_ms else []
        sections.append(Section(start=f"<sub>{plain(' · '.join(footer))}</sub>\n", share=0.01))
    return sections


def _trace(report: TraceReport) -> list[Section]:
    table = _table(report.statements)
    changes = [change for statement in report.statements for change in statement.changes]
    return [
        Section(start=f"### {plain(words.traced(report))}\n\n"),
        table,
        _list("What changed in the database", [prose(change) for change in changes], share=0.2),
        *_findings(report.findings),
        _opaque(report),
    ]


def _list(heading: str, items: Sequence[str], *, share: float = 0.1) -> Section:
    """A heading over a list; nothing at all where the list is empty."""
    if not items:
        return Section()
    start = f"#### {heading}\n\n" if heading else ""
    return Section(start=start, items=[f"- {item}\n" for item in items], end="\n", share=share)


def _block(summary: str, language: str, body: str, *, share: float) -> Section:
    """A folded code block, shortened by lines."""
    if not words.visible(body).strip():
        return Section()
    ticks = fence(body)
    return Section(
        start=f"<details><summary>{summary}</summary>\n\n{ticks}{language}\n",
        items=[f"{line}\n" for line in lines(body)],
        end=f"{ticks}\n",
        more=lambda left: f"\n… {left:,} more lines, left out for length.\n",
        close="\n</details>\n\n",
        share=share,
    )


def _findings(findings: Sequence[Finding]) -> list[Section]:
    fresh, waived, old = words.fresh(findings), words.waived(findings), words.old(findings)
    if not findings:
        return []

    def more(left: int) -> str:
        return f"\n… and {left:,} more: {prose(words.by_rule(fresh[len(fresh) - left :]))}\n\n"

    excused = [f"{_STATES['waived']} {_waived(finding)}" for finding in waived]
    sections = [
        Section(start="#### Findings\n\n"),
        Section(items=[_finding(f, advice) for f, advice in words.advised(fresh)], end="\n", more=more, share=0.35),
        _list("", excused, share=0.04),
    ]
    if old:
        was = "was" if len(old) == 1 else "were"
        said = f"{words.count(len(old), 'older finding')} {was} there before and cannot block: {words.by_rule(old)}."
        sections.append(Section(start=f"{prose(said)}\n\n", share=0.02))
    return sections


def _finding(finding: Finding, advice: str) -> str:
    said = f"- {_SEVERITIES[finding.severity]} **{finding.severity}** {code(finding.rule, 80)} in {_place(finding)}\n\n"
    said += f"  {prose(finding.message)}\n"
    if advice:
        said += f"\n  → {prose(advice)}\n"
    return said


def _waived(finding: Finding) -> str:
    if finding.waived is None:
        return ""
    until = f", until {plain(finding.waived.until)}" if finding.waived.until else ""
    by, reason = code(finding.waived.by, 80), prose(finding.waived.reason, 300)
    return f"{code(finding.rule, 80)} in {_place(finding)} is waived by {by}{until}: {reason}"


def _place(finding: Finding) -> str:
    return code(f"{finding.path}:{finding.line}")


def _conflicts(report: Report) -> Section:
    items = [
        f"{_SEVERITIES['error' if c.other == 'base' else 'warning']} with {_reference(c.other)}: {prose(c.message)}\n\n"
        f"  → {prose(c.fix)}"
        for c in words.collisions(report)
    ]
    return _list("Collisions", items)


def _reference(other: str) -> str:
    """`#12` stays a link to the other pull request."""
    return other if other[:1] == "#" and other[1:].isascii() and other[1:].isdigit() else plain(other)


def _checklist(report: Report) -> Section:
    if not report.checklist:
        return Section()
    fresh = words.fresh(report.findings)
    rows = [
        f"| {_STATES[i.state]} | {prose(i.title, 80)} | {prose(words.evidence(i, fresh), 400)} |\n"
        for i in report.checklist
    ]
    return Section(
        start="#### Checklist\n\n| | Requirement | Evidence |\n|---|---|---|\n", items=rows, end="\n", share=0.12
    )


def _migrations(migrations: Sequence[MigrationReport]) -> list[Section]:
    if not migrations:
        return []
    few = sum(len(m.statements) for m in migrations if m.change == "added") <= 8
    sections = [Section(start="#### Migrations\n\n")]
    for migration in migrations:
        statements = migration.statements
        ran = sum(s.ms or 0 for s in statements)
        size = words.count(len(statements), "statement") if statements else ""
        about = ", ".join(part for part in (migration.change, size, words.duration(ran) if ran else "") if part)
        if not statements or (migration.change != "added" and not words.ran(statements)):
            sections.append(Section(start=f"{code(migration.path)} ({about})\n\n", share=0.005))
            continue
        opened = " open" if few and migration.change == "added" else ""
        table = _table(statements)
        sections.append(
            Section(
                start=f"<details{opened}><summary>{raw(migration.path)} {about}</summary>\n\n{table.start}",
                items=table.items,
                end=table.end,
                more=table.more,
                close="</details>\n\n",
                share=0.2 / len(migrations),
            )
        )
    return sections


def _table(statements: Sequence[StatementReport]) -> Section:
    rows = [
        f"| {s.index + 1} | {code(s.sql, 160)} | {prose('; '.join(words.effects(s, statements)), 600)} |"
        f" {words.duration(s.ms) if s.ms is not None else ''} |\n"
        for s in statements
    ]
    start = "| | Statement | What it does to others | Time |\n|--:|---|---|--:|\n"
    return Section(
        start=start,
        items=rows,
        end="\n",
        more=lambda left: f"… {words.count(left, 'more statement')}, left out for length.\n\n",
        share=0.4,
    )


def _equality(equality: Equality) -> list[Section]:
    if (
        equality.schema_ts not in {"differs", "unresolved"}
        and equality.snapshot != "differs"
        and not equality.unresolved
    ):
        return []
    said = [f"{_STATES[state]} {prose(line)}" for state, line in words.equal(equality)]
    said += [f"{_STATES['unknown']} {code(f'{u.path}:{u.line}')}: {prose(u.why)}" for u in equality.unresolved]
    return [
        _list("schema.ts and migrations", said, share=0.05),
        _block("SQL that the migrations lack", "sql", equality.missing_sql, share=0.05),
    ]


def _schema(report: Report) -> list[Section]:
    difference = report.schema_diff
    if not (difference.summary or difference.sql or difference.unified):
        return []
    return [
        Section(start="#### What changes in the database\n\n", share=0.01),
        _list("", [prose(line) for line in difference.summary], share=0.08),
        _block("The same as SQL", "sql", difference.sql, share=0.1),
        _block("The same as a difference of the schema", "diff", difference.unified, share=0.05),
        _block("A picture of the tables that change", "mermaid", difference.picture, share=0.05),
    ]


def _rollback(report: Report) -> list[Section]:
    if report.rollback is None:
        return []
    state, said = words.undone(report.rollback)
    lost = [f"{_STATES['unmet']} Does not come back: {prose(line)}" for line in report.rollback.irreversible]
    return [
        _list("The way back", [f"{_STATES[state]} {prose(said)}", *lost], share=0.03),
        _block("The way back as SQL", "sql", report.rollback.sql, share=0.05),
    ]


def _opaque(report: Report | TraceReport) -> Section:
    items = [
        f"Statement {o.statement + 1}{f' of {code(o.migration)}' if o.migration else ''}: {prose(o.why)}"
        for o in report.coverage.opaque
    ]
    return _list("Not looked at", items, share=0.03)
