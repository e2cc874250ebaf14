"""The phrases that every form of the report shares: titles, locks, effects, states, counts."""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence

from checks.report import (
    ChecklistItem,
    Conflict,
    Coverage,
    Equality,
    Finding,
    Lock,
    ProjectSummary,
    Report,
    Rollback,
    Severity,
    StatementReport,
    TraceReport,
    Verdict,
)

LOCKS = {
    "AccessExclusiveLock": "blocks reads and writes on",
    "ExclusiveLock": "blocks writes on",
    "ShareRowExclusiveLock": "blocks writes on",
    "ShareLock": "blocks writes on",
    "ShareUpdateExclusiveLock": "blocks other schema changes on",
}
"""What each mode of a lock keeps others from doing, worst first (PostgreSQL manual, 13.3.1); weaker ones disturb nobody."""

LONG_MS = 10_000
"""From then on people ask what took so long."""

_SEVERITIES: tuple[Severity, ...] = ("error", "warning", "note")
_TRANSACTIONS = {
    "one": "all in one transaction",
    "each": "one transaction per migration",
    "none": "without a transaction",
}
_WITHIN = re.compile(r"`[^`\n]+`|\([^()]*\)")
_FENCED = re.compile(r"^(`{3,}|~{3,})[^\n]*\n.*?(?:^\1[^\n]*$|\Z)", re.MULTILINE | re.DOTALL)


def visible(text: str) -> str:
    r"""The text with everything that a reader cannot see, or a terminal would obey, spelled out (`\x1b`); lines and tabs stay.

    Bytes of a path that are not UTF-8 (surrogate escapes, PEP 383) come out as `\xff`.
    """
    if text.isascii() and text.replace("\n", "").replace("\t", "").isprintable():
        return text
    text = text.replace("\r\n", "\n")
    return "".join(
        c if c.isprintable() or c in "\n\t" or unicodedata.category(c) == "Zs" else _spelled(c) for c in text
    )


def _spelled(character: str) -> str:
    code = ord(character)
    if 0xDC80 <= code <= 0xDCFF:
        return f"\\x{code - 0xDC00:02x}"
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{{{code:x}}}"


def line(text: str, width: int | None = None) -> str:
    """The text on one line, visible, shortened to `width` characters at the end."""
    joined = " ".join(visible(text if width is None else text[: width * 4 + 200]).split())
    return joined if width is None or len(joined) <= width else joined[: max(width - 1, 1)].rstrip() + "…"


def count(number: int, noun: str) -> str:
    """`1 error`, `2 errors`."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def fresh(findings: Iterable[Finding]) -> list[Finding]:
    """What head made and nobody excused, worst first, otherwise in the order given."""
    chosen = [f for f in findings if f.introduced and f.waived is None]
    return sorted(chosen, key=lambda f: _SEVERITIES.index(f.severity))


def waived(findings: Iterable[Finding]) -> list[Finding]:
    """What somebody excused, with a reason."""
    return [f for f in findings if f.waived is not None]


def old(findings: Iterable[Finding]) -> list[Finding]:
    """What was there before head."""
    return [f for f in findings if not f.introduced and f.waived is None]


def title(verdict: Verdict, findings: Sequence[Finding], checklist: Sequence[ChecklistItem]) -> str:
    """The verdict in a few words: `passed`, `passed, 2 things not checked`, `blocked: 2 errors, 1 warning`."""
    if verdict == "unjudged":
        return "could not judge"
    counted = Counter(f.severity for f in fresh(findings))
    parts = [count(counted[s], s) for s in ("error", "warning") if counted[s]]
    excused = sum(1 for f in waived(findings) if f.severity != "note")
    if excused:
        parts.append(f"{excused} waived")
    unknown = sum(1 for item in checklist if item.state == "unknown")
    if unknown:
        parts.append(f"{count(unknown, 'thing')} not checked")
    if verdict == "block":
        return "blocked: " + ", ".join(parts) if parts else "blocked"
    return ", ".join(["passed", *parts])


def next_step(verdict: Verdict, findings: Sequence[Finding]) -> str | None:
    """What to do now, in one sentence; None where nothing is to be done."""
    chosen = fresh(findings)
    errors = sum(1 for f in chosen if f.severity == "error")
    warnings = sum(1 for f in chosen if f.severity == "warning")
    if verdict == "unjudged":
        return "Nothing was judged, which is not a pass. Run the review again."
    if verdict == "block" and all(f.rule == "not-checked" for f in chosen if f.severity == "error"):
        return "The policy is strict: what could not be checked blocks, too. The checklist says what that was, and why."
    if verdict == "block":
        fix = f"Fix {'the error' if errors == 1 else 'the errors'} below and push again."
        return f"{fix} Or excuse one, with a reason: `/migrate waive RULE REASON`."
    if warnings:
        return f"Nothing blocks. Read {'the warning' if warnings == 1 else 'the warnings'} below before you merge."
    return None


def advised(findings: Iterable[Finding]) -> list[tuple[Finding, str]]:
    """Each finding with its way out in a line or two; a rule says the same only once."""
    said: set[tuple[str, str]] = set()
    pairs: list[tuple[Finding, str]] = []
    for finding in findings:
        advice = way_out(finding.help) if finding.help else ""
        pairs.append((finding, "" if (finding.rule, advice) in said else advice))
        said.add((finding.rule, advice))
    return pairs


def evidence(item: ChecklistItem, findings: Iterable[Finding]) -> str:
    """Why an item is as it is; what a finding has said in full is pointed at instead of said again."""
    for finding in findings:
        told = finding.message.rstrip(".")
        if told and item.why.startswith(told):
            rest = item.why[len(told) :].lstrip(".: ")
            return f"See above: {rest}" if rest else f"See above: `{finding.rule}`."
    return item.why


def collisions(report: Report) -> list[Conflict]:
    """The conflicts that no finding has told already."""
    told = {finding.message for finding in fresh(report.findings)}
    return [conflict for conflict in report.conflicts if conflict.message not in told]


def by_rule(findings: Iterable[Finding]) -> str:
    """`8 snapshot-chain, 4 prefer-text`."""
    return ", ".join(f"{number} {rule}" for rule, number in Counter(f.rule for f in findings).most_common())


def project(summary: ProjectSummary) -> str:
    """``Drizzle v0 in `lib/database/migrations` ``."""
    return f"Drizzle {summary.format} in `{summary.migrations_dir}`"


def name(relation: str) -> str:
    """A relation as people say it: without the schema `public`."""
    return relation.removeprefix("public.")


def names(relations: Iterable[str], most: int = 3) -> str:
    """`` `users`, `posts` and 4 more``."""
    listed = list(dict.fromkeys(name(r) for r in relations))
    said = ", ".join(f"`{r}`" for r in listed[:most])
    return said if len(listed) <= most else f"{said} and {len(listed) - most} more"


def locked(locks: Iterable[Lock]) -> list[str]:
    """What other sessions must wait for: ``blocks reads and writes on `users` ``, worst first."""
    groups: dict[str, list[str]] = {}
    held = [lock for lock in locks if lock.existed]
    for mode, phrase in LOCKS.items():
        groups.setdefault(phrase, []).extend(lock.relation for lock in held if lock.mode == mode)
    return [f"{phrase} {names(relations)}" for phrase, relations in groups.items() if relations]


def effects(statement: StatementReport, around: Sequence[StatementReport] = ()) -> list[str]:
    """What a statement does to others, most harmful first; that it did not run, where others `around` it did."""
    said: list[str] = []
    if statement.error is not None:
        said.append(f"failed: {statement.error.message} (SQLSTATE {statement.error.sqlstate})")
    said += locked(statement.locks)
    if statement.rewrites:
        said.append(f"rewrites all of {names(statement.rewrites)}")
    if statement.scans:
        said.append(f"reads all of {names(statement.scans)}")
    if statement.rows is not None:
        said.append(f"touches {count(statement.rows, 'row')}")
    said += statement.notes
    if not statement.executed and statement.error is None and ran(around):
        said.append("not run")
    return said


def ran(statements: Iterable[StatementReport]) -> bool:
    """Whether PostgreSQL got to see any of them."""
    return any(s.executed or s.error for s in statements)


def duration(ms: float) -> str:
    """`0.4 ms`, `12 ms`, `1.2 s`."""
    if ms >= 1000:
        return f"{ms / 1000:.1f} s"
    return f"{ms:.0f} ms" if ms >= 10 else f"{ms:.1f} ms"


def replayed(report: Report) -> list[tuple[str, str]]:
    """The replay line by line, each with its state (`met`, `unmet`, `unknown`)."""
    replay = report.replay
    how = _TRANSACTIONS[replay.transaction]
    if any(f.rule == "ends-transaction" for f in report.findings):
        how = "in transactions that they end themselves"
    # What failed for want of something that the branch database lacks says nothing of the migrations.
    ours = any(i.id == "migration-tested" and i.state == "unknown" for i in report.checklist)
    failed = "unknown" if ours else "unmet"
    states = {"ok": "met", "failed": failed, "skipped": "unknown"}
    from_base = {
        "ok": f"The new migrations apply to the base's database, {how}.",
        "failed": "The new migrations could not be run to their end here."
        if ours
        else "The new migrations fail on the base's database.",
        "skipped": "The new migrations were not run on the base's database.",
    }[replay.from_base]
    if replay.stopped and replay.from_base == "failed" and replay.error is None:
        from_base = "The new migrations never run."
    if replay.from_base == "ok" and replay.would_skip:
        from_base = f"The new migrations would apply to the base's database, {how}, if Drizzle ran them."
    from_zero = {
        "ok": "The whole chain runs on an empty database.",
        "failed": "The whole chain could not be run to its end here."
        if ours
        else "The whole chain fails on an empty database.",
        "skipped": "The whole chain was not run on an empty database.",
    }[replay.from_zero]
    lines = [(states[replay.from_base], from_base), (states[replay.from_zero], from_zero)]
    if replay.stopped:
        lines.append(("unmet", replay.stopped))
    if replay.error is not None:
        error = replay.error
        lines.append(
            (
                failed,
                f"Statement {error.statement + 1} of `{error.migration}` failed: {error.message} (SQLSTATE {error.sqlstate})",
            )
        )
    if replay.would_skip:
        skipped = ", ".join(f"`{tag}`" for tag in replay.would_skip)
        lines.append(("unmet", f"Where base's migrations have run, Drizzle passes over {skipped} in silence."))
    return lines


def covered(coverage: Coverage) -> str:
    """`14 statements: all read, 12 run`."""
    if not coverage.statements:
        return "no statements"

    def share(number: int, verb: str) -> str:
        return f"all {verb}" if number >= coverage.statements > 1 else f"{number:,} {verb}"

    return (
        f"{count(coverage.statements, 'statement')}: {share(coverage.read, 'read')}, {share(coverage.executed, 'run')}"
    )


def witnessed(witnesses: Sequence[str]) -> str:
    """Who looked: PostgreSQL and the text, or the text alone."""
    return "judged by PostgreSQL and by reading" if "postgres" in witnesses else "judged by reading alone, no database"


def timed(timings_ms: dict[str, float], most: int = 5) -> str:
    """How long it took: `1.3 s`, with the longest parts where it was long; a part named `total` is the sum."""
    total = timings_ms.get("total", sum(timings_ms.values()))
    if total < LONG_MS:
        return duration(total)
    parts = sorted(((ms, part) for part, ms in timings_ms.items() if part != "total"), reverse=True)[:most]
    said = ", ".join(f"{part.replace('_', ' ')} {duration(ms)}" for ms, part in parts if ms >= 1)
    return f"{duration(total)} ({said})" if said else duration(total)


def way_out(text: str, most: int = 240) -> str:
    """The advice of a rule's page in a line or two: the first paragraph after its first example, or its first paragraph.

    It ends where a sentence does, else where a clause does, else at a word with an ellipsis.
    """
    parts = _FENCED.split(text, maxsplit=1)
    after = _FENCED.sub("\n\n", parts[-1]) if len(parts) > 1 else ""
    advice = next((said for p in re.split(r"\n[ \t]*\n", after or text) if (said := line(p))), "")
    if len(advice) <= most:
        return advice
    spaced = _WITHIN.sub(lambda part: "`" * len(part.group()), advice)  # a stop inside code or brackets ends nothing
    for stop in (". ", "; ", ": ", ", "):
        if (cut := spaced.rfind(stop, most // 4, most)) > 0:
            return advice[:cut] + "."
    return advice[: spaced.rfind(" ", 0, most)] + "…" if " " in spaced[:most] else line(advice, most)


def traced(report: TraceReport) -> str:
    """The first line of a trace: `12 statements: all read, 12 run`, with what failed and what was found."""
    failed = sum(1 for s in report.statements if s.error is not None)
    counted = Counter(f.severity for f in report.findings if f.waived is None)
    parts = [covered(report.coverage)] + ([f"{failed} failed"] if failed else [])
    parts += [count(counted[s], s) for s in _SEVERITIES if counted[s]]
    return ", ".join(parts)


def notable(statements: Sequence[StatementReport], most: int) -> list[StatementReport]:
    """At most `most` statements, in order: those that failed or disturb others before those that do not."""
    if len(statements) <= most:
        return list(statements)

    def weight(s: StatementReport) -> int:
        return 0 if s.error else 1 if s.rewrites or s.scans or locked(s.locks) else 2

    chosen = sorted(sorted(statements, key=lambda s: s.index), key=weight)[:most]
    return sorted(chosen, key=lambda s: s.index)


def equal(equality: Equality) -> list[tuple[str, str]]:
    """How schema.ts, snapshot and migrations agree, line by line, each with its state."""
    schema_ts = {
        "equal": ("met", "schema.ts and the migrations describe the same database."),
        "differs": ("unmet", "schema.ts and the migrations describe different databases."),
        "unresolved": ("unknown", "schema.ts could not be read in full, and code is never run to find out."),
        "absent": ("not-applicable", "There is no schema.ts."),
        "unknown": ("unknown", "schema.ts was not compared."),
    }[equality.schema_ts]
    snapshot = {
        "equal": ("met", "The last snapshot describes the same database as the migrations."),
        "differs": ("unmet", "The last snapshot and the migrations describe different databases."),
        "absent": ("not-applicable", "There is no snapshot, or the last one cannot be read."),
    }[equality.snapshot]
    return [schema_ts, snapshot]


def undone(rollback: Rollback) -> tuple[str, str]:
    """Whether there is a way back, with its state."""
    if rollback.proven:
        return "met", "`bulletproof rollback` prints SQL that undoes this; run here, it led back to base."
    return "unknown", "`bulletproof rollback` prints SQL that should undo this; it is not proven."
