"""A report as text for a terminal: the verdict first, what to do next second, then the evidence."""

import io
from collections.abc import Sequence

from rich.console import Console
from rich.text import Text

from checks.render import words
from checks.render.sheet import Sheet, cut, prose
from checks.report import (
    Equality,
    Finding,
    MigrationReport,
    Report,
    SchemaDiff,
    StatementReport,
    TraceReport,
)

MOST_FINDINGS = 40
MOST_MIGRATIONS = 10
MOST_STATEMENTS = 12
MOST_TRACED = 1_000

_VERDICTS = {"pass": ("✓", "bold green"), "block": ("✗", "bold red"), "unjudged": ("?", "bold yellow")}
_SEVERITIES = {"error": ("✗", "bold red"), "warning": ("!", "bold yellow"), "note": ("·", "dim")}
_STATES = {
    "met": ("✓", "green"),
    "unmet": ("✗", "bold red"),
    "waived": ("~", "yellow"),
    "unknown": ("?", "bold yellow"),
    "not-applicable": ("-", "dim"),
}


def text(report: Report | TraceReport, width: int = 80, *, color: bool = False) -> str:
    """The report as a string; with `color`, ANSI styles are in it unless NO_COLOR is set."""
    out = io.StringIO()
    console = Console(
        file=out,
        width=width,
        height=100,
        force_terminal=color,
        color_system="standard" if color else None,
        no_color=None if color else True,
        legacy_windows=False,
    )
    show(report, console)
    return out.getvalue()


def show(report: Report | TraceReport, console: Console) -> None:
    """Print the report."""
    sheet = Sheet(console)
    if isinstance(report, TraceReport):
        _trace(sheet, report)
    else:
        _review(sheet, report)


def _review(sheet: Sheet, report: Report) -> None:
    symbol, style = _VERDICTS[report.verdict]
    sheet.put(prose(f"{symbol} {report.title or report.verdict}", style=style), hang=2)
    where = words.project(report.project) if report.project else ""
    about = (f"verdict {report.verdict}", f"{report.base[:7]} → {report.head[:7]}", where)
    sheet.put(prose(" · ".join(part for part in about if part), style="dim"), indent=2, hang=2)
    for note in report.notes:
        sheet.put(prose(f"· {note}"), indent=2, hang=2)
    if step := words.next_step(report.verdict, report.findings):
        sheet.put(prose(step), indent=2)
    _findings(sheet, report.findings)
    _conflicts(sheet, report)
    if report.checklist:
        _checklist(sheet, report)
    if report.migrations:
        _migrations(sheet, report.migrations)
        sheet.heading("Replay, as Drizzle would do it")
        for state, said in words.replayed(report):
            _line(sheet, state, said)
    _equality(sheet, report.equality)
    _schema(sheet, report.schema_diff)
    _rollback(sheet, report)
    _opaque(sheet, report)
    if report.migrations or report.coverage.statements:
        sheet.blank()
        footer = [words.covered(report.coverage), words.witnessed(report.witnesses)]
        footer += [words.timed(report.timings_ms)] if report.timings_ms else []
        sheet.put(Text(" · ".join(footer), style="dim"))


def _trace(sheet: Sheet, report: TraceReport) -> None:
    sheet.put(Text(words.traced(report), style="bold"))
    shown = words.notable(report.statements, MOST_TRACED)
    for statement in shown:
        _statement(sheet, statement, report.statements)
        for change in statement.changes:
            sheet.put(prose(change, style="dim"), indent=6, hang=2)
    if left := report.coverage.statements - len(shown):
        sheet.put(Text(f"… {words.count(left, 'more statement')}", style="dim"), indent=6)
    _opaque(sheet, report)
    _findings(sheet, report.findings)


def _line(sheet: Sheet, state: str, said: str) -> None:
    symbol, style = _STATES[state]
    sheet.put(Text.assemble((symbol, style), " ", prose(said)), indent=2, hang=2)


def _findings(sheet: Sheet, findings: Sequence[Finding]) -> None:
    fresh, waived, old = words.fresh(findings), words.waived(findings), words.old(findings)
    if not findings:
        return
    sheet.heading("Findings")
    for number, (finding, advice) in enumerate(words.advised(fresh[:MOST_FINDINGS])):
        if number:
            sheet.blank()
        _finding(sheet, finding, advice)
    if more := fresh[MOST_FINDINGS:]:
        sheet.put(prose(f"… and {len(more):,} more: {words.by_rule(more)} (`--format json` lists all)"), indent=2)
    if fresh and (waived or old):
        sheet.blank()
    for finding in waived:
        excuse = finding.waived
        if excuse is not None:
            until = f", until {excuse.until}" if excuse.until else ""
            said = f"{finding.rule} at {finding.path}:{finding.line} is waived by {excuse.by}{until}: {excuse.reason}"
            _line(sheet, "waived", said)
    if old:
        was = "was" if len(old) == 1 else "were"
        said = f"{words.count(len(old), 'older finding')} {was} there before and cannot block: {words.by_rule(old)}."
        sheet.put(prose(said, style="dim"), indent=2, hang=2)


def _finding(sheet: Sheet, finding: Finding, advice: str) -> None:
    symbol, style = _SEVERITIES[finding.severity]
    head = Text.assemble((f"{symbol} {finding.severity:<7}", style), "  ", (words.line(finding.rule, 60), "bold"))
    sheet.row(head, words.line(f"{finding.path}:{finding.line}", 400), indent=2)
    sheet.put(prose(finding.message), indent=4)
    if advice:
        sheet.put(Text.assemble(("→ ", "green"), prose(advice)), indent=4, hang=2)


def _conflicts(sheet: Sheet, report: Report) -> None:
    conflicts = words.collisions(report)
    if not conflicts:
        return
    sheet.heading("Collisions")
    for conflict in conflicts[:MOST_FINDINGS]:
        symbol, style = _SEVERITIES["error" if conflict.other == "base" else "warning"]
        said = prose(f"with {conflict.other}: {conflict.message}")
        sheet.put(Text.assemble((symbol, style), " ", said), indent=2, hang=2)
        sheet.put(Text.assemble(("→ ", "green"), prose(conflict.fix)), indent=4, hang=2)


def _checklist(sheet: Sheet, report: Report) -> None:
    sheet.heading("Checklist")
    for item in report.checklist:
        _line(sheet, item.state, item.title)
        if item.state != "met":
            why = words.evidence(item, words.fresh(report.findings))
            sheet.put(prose(why, style="dim" if item.state == "not-applicable" else "", most=600), indent=4)


def _migrations(sheet: Sheet, migrations: Sequence[MigrationReport]) -> None:
    sheet.heading("Migrations")
    for migration in migrations[:MOST_MIGRATIONS]:
        ran = sum(s.ms or 0 for s in migration.statements)
        size = words.count(len(migration.statements), "statement") if migration.statements else ""
        about = ", ".join(
            part
            for part in (migration.change, size, words.duration(ran) if ran and len(migration.statements) > 1 else "")
            if part
        )
        sheet.row(Text(words.line(migration.path, 400), style="bold"), about, indent=2)
        if migration.change != "added" and not words.ran(migration.statements):
            continue  # its statements did nothing; what is wrong with the change is a finding
        shown = words.notable(migration.statements, MOST_STATEMENTS)
        for statement in shown:
            _statement(sheet, statement, migration.statements)
        if left := len(migration.statements) - len(shown):
            sheet.put(Text(f"… {words.count(left, 'more statement')}", style="dim"), indent=6)
    if (left := len(migrations) - MOST_MIGRATIONS) > 0:
        sheet.put(Text(f"… {words.count(left, 'more migration')}", style="dim"), indent=2)


def _statement(sheet: Sheet, statement: StatementReport, around: Sequence[StatementReport]) -> None:
    ms = words.duration(statement.ms) if statement.ms is not None else ""
    number = f"{statement.index + 1:>2}  "
    sql = cut(Text(words.line(statement.sql, 400)), sheet.width - 4 - len(number) - len(ms))
    sheet.row(Text.assemble((number, "dim"), sql), ms, indent=2)
    if effects := words.effects(statement, around):
        failed = statement.error is not None
        sheet.put(prose("; ".join(effects), style="red" if failed else "yellow"), indent=6, hang=2)


def _equality(sheet: Sheet, equality: Equality) -> None:
    if (
        equality.schema_ts not in {"differs", "unresolved"}
        and equality.snapshot != "differs"
        and not equality.unresolved
    ):
        return
    sheet.heading("schema.ts and migrations")
    for state, said in words.equal(equality):
        _line(sheet, state, said)
    for unresolved in equality.unresolved[:10]:
        _line(sheet, "unknown", f"{unresolved.path}:{unresolved.line}: {unresolved.why}")
    if equality.missing_sql.strip():
        sheet.put(Text("SQL that the migrations lack:"), indent=2)
        sheet.block(equality.missing_sql.strip(), indent=4)


def _schema(sheet: Sheet, difference: SchemaDiff) -> None:
    if not (difference.summary or difference.sql.strip()):
        return
    sheet.heading("What changes in the database")
    for said in difference.summary[:20]:
        sheet.put(Text.assemble("· ", prose(said)), indent=2, hang=2)
    if (left := len(difference.summary) - 20) > 0:
        sheet.put(Text(f"… {words.count(left, 'more change')}", style="dim"), indent=2)
    if difference.sql.strip():
        if difference.summary:
            sheet.blank()
        sheet.block(difference.sql.strip(), indent=4)


def _rollback(sheet: Sheet, report: Report) -> None:
    if report.rollback is None:
        return
    sheet.heading("The way back")
    state, said = words.undone(report.rollback)
    _line(sheet, state, said)
    for lost in report.rollback.irreversible[:10]:
        _line(sheet, "unmet", f"Does not come back: {lost}")


def _opaque(sheet: Sheet, report: Report | TraceReport) -> None:
    opaque = report.coverage.opaque
    if not opaque:
        return
    sheet.heading("Not looked at")
    for one in opaque[:10]:
        where = (
            f"statement {one.statement + 1} of {one.migration}" if one.migration else f"statement {one.statement + 1}"
        )
        _line(sheet, "unknown", f"{where}: {one.why}")
    if len(opaque) > 10:
        sheet.put(Text(f"… {words.count(len(opaque) - 10, 'more statement')}", style="dim"), indent=2)
