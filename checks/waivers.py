"""Waivers: what excuses a finding, from whom, and why. In SQL: `-- migrate:allow RULE: reason` above a statement or behind it."""

import re
from bisect import bisect_right
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from checks import facts, report, rules
from checks.drizzle.model import Migration
from checks.facts import Place
from checks.report import Finding
from checks.witnesses import grammar

if TYPE_CHECKING:
    from checks.drizzle.plan import Plan

BREAKPOINT = "--> statement-breakpoint"
ALL_HISTORY = "history"
HISTORY = frozenset(
    {
        *("edited-applied-migration", "deleted-migration", "journal-mismatch"),
        *("number-collision", "silently-skipped", "snapshot-chain"),
    }
)
"""What a waiver of `history` excuses: a deliberate squash."""

IN_SQL = "the migration"

_ALLOW = re.compile(r"--+\s*migrate:allow\b[ \t]*(?P<rule>[^\s:]*)[ \t]*(?::[ \t]*(?P<reason>.*\S)?)?", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True, slots=True)
class Waiver:
    """An excuse.

    Attributes:
        rule: the id of the rule that it excuses.
        by: who says so; for one that stands in SQL, `the migration`.
        until: ISO date of its end, None: for good.
        place: where it stands, with the statement that it is about; None: it is about the whole review.
        first: that statement is the first of its file, so that what is said of the whole file is meant, too.
    """

    rule: str
    reason: str
    by: str = IN_SQL
    until: str | None = None
    place: Place | None = None
    first: bool = False

    def excuses(self, finding: Finding) -> bool:
        """Whether the finding is what it is about."""
        if not self.reason:
            return False
        if self.rule == ALL_HISTORY:  # it is about no file alone; in SQL it stands above the first statement
            return finding.rule in HISTORY and (self.place is None or self.first)
        if self.rule != finding.rule:
            return False
        if self.place is None:
            return True
        if finding.path != self.place.path:
            return False
        return finding.statement == self.place.statement if finding.statement is not None else self.first


def read(migration: Migration) -> list[Waiver]:
    """The waivers that stand in a migration."""
    if "migrate:allow" not in migration.text.lower():
        return []
    found: list[Waiver] = []
    waiting: list[tuple[str, str, int]] = []
    begin = 0
    statements = iter(migration.statements)
    for chunk in migration.chunks:
        spans = grammar.split(chunk)
        ends = [(span.end, next(statements, None)) for span in spans]
        places = [end for end, _ in ends]
        if ends and ends[0][1] is not None:
            found += [_made(migration, rule, reason, line, ends[0][1].index) for rule, reason, line in waiting]
            waiting.clear()
        for comment in grammar.comments(chunk):
            match = _ALLOW.match(chunk, comment.start, comment.end)
            if match is None:
                continue
            line = migration.text.count("\n", 0, begin + comment.start) + 1
            at = bisect_right(places, comment.start)
            if at and _behind(chunk, places[at - 1], comment.start):
                at -= 1
            about = ends[at][1] if at < len(ends) else None
            if about is None:
                waiting.append((match["rule"], match["reason"] or "", line))
            else:
                found.append(_made(migration, match["rule"], match["reason"] or "", line, about.index))
        begin += len(chunk) + len(BREAKPOINT)
    found += [_made(migration, rule, reason, line, None) for rule, reason, line in waiting]
    return sorted(found, key=lambda waiver: waiver.place.line if waiver.place else 0)


def of_plan(plan: "Plan") -> list[Waiver]:
    """The waivers in the migrations that head adds or changes."""
    changed = [pair.after for pair in (*plan.modified, *plan.renamed)]
    return [waiver for migration in (*plan.added, *changed) for waiver in read(migration)]


def apply(
    findings: Iterable[Finding], waivers: Iterable[Waiver], context: rules.Context | None = None
) -> list[Finding]:
    """The findings, each with the waiver that excuses it, and what is wrong with the waivers."""
    waivers = list(waivers)
    at: dict[tuple[str, str, int | None], list[int]] = {}  # those of one statement; a file may have thousands
    wide: list[int] = []
    for n, waiver in enumerate(waivers):
        if waiver.place is None or waiver.first or waiver.rule == ALL_HISTORY:
            wide.append(n)
        else:
            at.setdefault((waiver.rule, waiver.place.path, waiver.place.statement), []).append(n)
    used: set[int] = set()
    result: list[Finding] = []
    for finding in findings:
        near = at.get((finding.rule, finding.path, finding.statement), [])
        numbers = sorted(n for n in (*wide, *near) if waivers[n].excuses(finding))
        if numbers:
            used.update(numbers)
            given = waivers[numbers[0]]
            excuse = report.Waiver(reason=given.reason, by=given.by, until=given.until)
            result.append(finding.model_copy(update={"waived": excuse}))
        else:
            result.append(finding)
    return [*result, *rules.judge(_troubles(waivers, used), context)]


def squashed(findings: Iterable[Finding], tags: Collection[str]) -> list[Finding]:
    """Once a squash is excused, so is what it makes again on base's state: the objects are there already.

    Args:
        findings: with their waivers.
        tags: the migrations that stand for deleted ones, and build an empty database.
    """
    listed = list(findings)
    excuse = next((f.waived for f in listed if f.rule == "deleted-migration" and f.introduced and f.waived), None)
    if excuse is None:
        return listed
    return [
        f.model_copy(update={"waived": excuse}) if f.rule == "fails" and f.migration in tags and f.waived is None else f
        for f in listed
    ]


def _troubles(waivers: list[Waiver], used: set[int]) -> Iterator[facts.Fact]:
    known = rules.all_rules()
    for number, waiver in enumerate(waivers):
        if waiver.place is None or waiver.by != IN_SQL:
            continue  # one that was given outside of the files can be taken back, and ends by itself
        if waiver.rule not in known and waiver.rule != ALL_HISTORY:
            nearest = rules.nearest(waiver.rule, known)
            yield facts.WaiverUnknownRule(place=waiver.place, rule=waiver.rule, nearest=nearest)
        elif not waiver.reason:
            yield facts.WaiverWithoutReason(place=waiver.place, rule=waiver.rule)
        elif number not in used:
            yield facts.WaiverUnused(place=waiver.place, rule=waiver.rule)


def _behind(chunk: str, end: int, comment: int) -> bool:
    """A comment stands behind a statement, on the line on which that ends: people read it as that one's."""
    return "\n" not in chunk[end:comment]


def _made(migration: Migration, rule: str, reason: str, line: int, statement: int | None) -> Waiver:
    place = Place(path=migration.path, line=line, end_line=line, migration=migration.tag, statement=statement)
    return Waiver(rule=rule.lower(), reason=reason, place=place, first=statement == 0)
