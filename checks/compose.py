"""Puts the parts of a review together: evidence for the checklist, and the report."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from checks import policy, record
from checks.catalog import difference, picture, statements, words
from checks.catalog.model import Catalog
from checks.change import Change
from checks.drizzle import chain
from checks.drizzle.history import JournalMismatch, SnapshotChain
from checks.drizzle.judgement import UNREADABLE
from checks.drizzle.model import Project
from checks.drizzle.plan import Plan
from checks.drizzle.projects import Survey
from checks.evidence import Known, coverage
from checks.evidence.known import look
from checks.facts import Fact, Fails, Place
from checks.policy import PolicyFile
from checks.rehearsal import Rehearsal
from checks.render import words as phrases
from checks.report import (
    ChecklistItem,
    Conflict,
    Coverage,
    Equality,
    Finding,
    ProjectSummary,
    Replay,
    Report,
    Rollback,
    RunState,
    SchemaDiff,
    Verdict,
)
from checks.requirements import Evidence
from checks.ways.model import Reading


@dataclass(frozen=True, slots=True)
class Part:
    """What one project contributes."""

    plan: Plan
    shown: Rehearsal
    findings: tuple[Finding, ...]
    equality: Equality = field(default_factory=Equality)
    difference: SchemaDiff = field(default_factory=SchemaDiff)


@dataclass(frozen=True, kw_only=True, slots=True)
class Judgement:
    """The outcome of a review, before it is written down.

    Attributes:
        loud: all findings, severities as the policy has them, waivers set.
        written: the policy on base, which judges.
        wanted: the policy on head, which is only told about.
        asides: what could not be asked elsewhere, in sentences; it changes nothing.
    """

    change: Change
    survey: Survey
    parts: tuple[Part, ...]
    loud: tuple[Finding, ...]
    reading: Reading
    written: PolicyFile
    wanted: PolicyFile
    offline: bool
    approvals: tuple[str, ...] | None = None
    asides: tuple[str, ...] = ()

    def evidence(self) -> Evidence:
        """What the nine items of the checklist look at."""
        schemas = tuple(path for part in self.parts for path in part.plan.project.schema_files)
        unjudged = next((part.shown.unjudged for part in self.parts if part.shown.unjudged), None)
        stopped = next((part.shown.stopped for part in self.parts if part.shown.stopped), None)
        missing = sorted({name for part in self.parts for name in part.shown.missing})
        not_run = next(
            (
                part.shown.notes[-1]
                for part in self.parts
                if part.plan.added and part.shown.run is None and part.shown.notes
            ),
            None,
        )
        denied = next((part.shown.lacking for part in self.parts if part.shown.lacking), None)
        lacking = f"The branch database has no {', '.join(missing)}." if missing else denied
        return Evidence(
            migrations=tuple(tag for part in self.parts for tag in _touched(part.plan)),
            added=tuple(m.tag for part in self.parts for m in part.plan.added),
            schema_files=schemas,
            astray=tuple(why for part in self.parts for why in part.plan.project.astray),
            schema_changed=(*(path for path in schemas if path in self.change.paths), *self._dropped_schemas()),
            findings=self.loud,
            halves=frozenset(place for part in self.parts for place in _halves(part.plan)),
            equality=_equality(self.parts),
            replay=_worst(self.parts),
            not_replayed=unjudged or self._unread() or stopped or lacking or not_run,
            offline=self.offline,
            ways=self.reading,
            approvals=self.approvals,
            review_required=self.written.policy.review.required,
            policy_path=self.written.path,
            unknown=self._unseen(),
        )

    def _unseen(self) -> Mapping[str, str]:
        """What cannot be said of migrations that stand behind a link, where head changes the link."""
        for part in self.parts:
            for commit in (self.change.head, self.change.merge_base):
                folder = part.plan.project.migrations_dir
                link = chain.link_above(commit.tree, folder)
                if link in self.change.paths and (why := commit.tree.elsewhere(folder)):
                    said = f"`{link}` changes, and the folder of the migrations, `{folder}`, {why}."
                    return dict.fromkeys(("migration-tested", "committed-together", "history-linear"), said)
        return {}

    def _dropped_schemas(self) -> Iterator[str]:
        """Files that declared tables and that head deletes, where the project has no schema file left."""
        if not self.parts or any(part.plan.project.schema_files for part in self.parts):
            return
        for changed in self.change.files:
            code = changed.change == "deleted" and changed.path.endswith((".ts", ".mts", ".js", ".mjs"))
            if code and b"drizzle-orm/pg-core" in (self.change.merge_base.tree.read(changed.path) or b""):
                yield changed.path

    def report(self, verdict: Verdict, checklist: tuple[ChecklistItem, ...], ms: float) -> Report:
        """Everything, in the shape that people and programs get."""
        change, parts = self.change, self.parts
        first = parts[0].plan.project if parts else next(iter(self.survey.projects), None)
        timings = {name: value for part in parts for name, value in part.shown.ms.items()} | {"total": ms}
        return Report(
            verdict=verdict,
            title=self._title(verdict, checklist),
            base=change.base.sha,
            head=change.head.sha,
            merge_base=change.merge_base.sha,
            project=_summary(first) if first else None,
            projects=tuple(_summary(project) for project in self.survey.projects),
            checklist=checklist,
            findings=tuple(sorted(self.loud, key=_rank)),
            migrations=tuple(m for part in parts for m in record.migrations(part.plan, part.shown.run)),
            replay=_worst(parts),
            schema_diff=_difference(parts),
            equality=_equality(parts),
            rollback=_rollback(parts),
            conflicts=tuple(_conflicts(parts)),
            coverage=_coverage(parts),
            notes=tuple(self._notes()),
            witnesses=("text", "postgres") if any(part.shown.before for part in parts) else ("text",),
            timings_ms={name: round(value, 1) for name, value in timings.items()},
        )

    def _unread(self) -> str | None:
        """A journal that Drizzle could not read either: what ran beside it says nothing of the pull request."""
        broken = (f for part in self.parts for f in part.plan.facts if isinstance(f, JournalMismatch) and f.introduced)
        found = next((f for f in broken if f.problem in UNREADABLE), None)
        return f"The journal cannot be read ({found.place.path}:{found.place.line})." if found else None

    def stands_on(self) -> str:
        """A file that head changed, for what is said of the whole pull request: a migration where there is one."""
        added = [m.path for part in self.parts for m in part.plan.added]
        return (added or sorted(self.change.paths) or [self.written.path or ""])[0]

    def _title(self, verdict: Verdict, checklist: Sequence[ChecklistItem]) -> str:
        if not self.parts and not self.loud:
            if not self.survey.projects and self.survey.others:
                return f"nothing to judge: the Drizzle project here is for {self.survey.others[0].dialect}, not for PostgreSQL"
            if not self.survey.projects:
                return "nothing to judge: no Drizzle project for PostgreSQL was found"
            return "no migration or schema touched"
        return phrases.title(verdict, self.loud, checklist)

    def _notes(self) -> Iterator[str]:
        yield from self.survey.remarks
        for part in self.parts:
            shown = part.shown
            said = (part.plan.project.lost, shown.unjudged, *shown.notes, shown.stopped, shown.lacking)
            yield from (line for line in said if line)
            for name in sorted(part.shown.missing):
                yield f"The branch database has no extension `{name}`: what needs it could not run here, so nothing it did is known."
        yield from self.asides
        for problem in self.written.problems:
            yield f"{self.written.path}:{problem.line} (on base): {problem.message}"
        if self.wanted.path != self.written.path or self.wanted.policy != self.written.policy:
            yield from (
                f"This pull request changes the policy. {line}" for line in policy.changes(self.written, self.wanted)
            )
        if self.wanted.path in self.change.paths:
            for problem in self.wanted.problems:
                yield f"{self.wanted.path}:{problem.line}: {problem.message}"


def from_zero(plan: Plan, shown: Rehearsal) -> list[Fact]:
    """That head's own migration runs on base's state and not on an empty database."""
    zero, run = shown.zero, shown.run
    if run is None or run.state != "ok" or zero is None or zero.failed is None or zero.failure is None:
        return []
    if shown.notes:
        return []  # base's own chain makes no database either: no news
    tag, index = zero.failed
    migration = next((m for m in plan.added if m.tag == tag), None)
    if migration is None or index >= len(migration.statements):
        return []  # base's chain did that already
    at = migration.statements[index]
    place = Place(path=migration.path, line=at.line, end_line=at.end_line, migration=tag, statement=index)
    complete = shown.complete or zero.failure.stopped
    return [
        Fails(
            place=place, sqlstate=zero.failure.sqlstate, message=zero.failure.message, complete=complete, from_zero=True
        )
    ]


def known(before: Catalog | None, after: Catalog | None) -> Known:
    """What the rules may ask about the database before and after."""
    return look(before, after)


def _halves(plan: Plan) -> Iterator[tuple[str, str, int]]:
    """Where a migration lacks its file, its entry or its snapshot."""
    for fact in plan.facts:
        if isinstance(fact, JournalMismatch) and fact.problem in {"file-missing", "not-in-journal", "no-journal"}:
            yield "journal-mismatch", fact.place.path, fact.place.line
        if isinstance(fact, SnapshotChain) and fact.problem in {"missing", "missing-as-usual", "no-sql"}:
            yield "snapshot-chain", fact.place.path, fact.place.line


def _touched(plan: Plan) -> list[str]:
    """Tags of everything that head does to the migrations."""
    pairs = (*plan.modified, *plan.renamed)
    return [*(m.tag for m in plan.added), *(p.after.tag for p in pairs), *(m.tag for m in plan.deleted)]


def _worst(parts: Sequence[Part]) -> Replay:
    """One replay for all projects: the first that failed, else the first that ran."""
    replays = [record.replay(part.plan, part.shown) for part in parts]
    ranks: tuple[RunState, ...] = ("failed", "ok", "skipped")
    replays.sort(key=lambda each: (ranks.index(each.from_base), ranks.index(each.from_zero)))
    if not replays:
        return Replay()
    skipped = tuple(tag for each in replays for tag in each.would_skip)
    return replays[0].model_copy(update={"would_skip": skipped})


def schema_diff(shown: Rehearsal) -> SchemaDiff:
    """What head's migrations made of the schema."""
    before, after = shown.before, shown.after
    if before is None or after is None:
        return SchemaDiff()
    return SchemaDiff(
        sql=statements.text(statements.sql(before, after)),
        unified=difference.unified(before, after),
        summary=tuple(words.summary(before, after)),
        picture=picture.mermaid(before, after),
    )


def _difference(parts: Sequence[Part]) -> SchemaDiff:
    """One difference for all projects."""
    each = [part.difference for part in parts]
    return SchemaDiff(
        sql="".join(one.sql for one in each),
        unified="".join(one.unified for one in each),
        summary=tuple(line for one in each for line in one.summary),
        picture=next((one.picture for one in each if one.picture), ""),
    )


def _equality(parts: Sequence[Part]) -> Equality:
    """One equality for all projects: of each side the worst."""
    each = [part.equality for part in parts]
    if len(each) < 2:
        return each[0] if each else Equality()
    schema_ts = min(each, key=lambda e: ("differs", "unresolved", "unknown", "absent", "equal").index(e.schema_ts))
    snapshot = min(each, key=lambda e: ("differs", "absent", "equal").index(e.snapshot))
    return Equality(
        schema_ts=schema_ts.schema_ts,
        snapshot=snapshot.snapshot,
        missing_sql="".join(e.missing_sql for e in each),
        unresolved=tuple(u for e in each for u in e.unresolved),
    )


def _rollback(parts: Sequence[Part]) -> Rollback | None:
    """One way back for all projects; None where there is none for one of those that need it."""
    each = [part.shown.back for part in parts if part.plan.added]
    found = [back for back in each if back is not None]
    if not found or len(found) < len(each):
        return None
    return Rollback(
        sql="".join(f"{back.sql.rstrip()}\n" for back in found) if len(found) > 1 else found[0].sql,
        proven=all(back.proven for back in found),
        irreversible=tuple(lost for back in found for lost in back.irreversible),
    )


def _conflicts(parts: Iterable[Part]) -> Iterator[Conflict]:
    for part in parts:
        for c in part.plan.conflicts:
            yield Conflict.model_validate({"with": "base", "kind": c.kind, "message": c.message, "fix": c.fix})


def _coverage(parts: Iterable[Part]) -> Coverage:
    each = [coverage(part.shown.run, part.plan.added) for part in parts]
    return Coverage(
        statements=sum(c.statements for c in each),
        read=sum(c.read for c in each),
        executed=sum(c.executed for c in each),
        opaque=tuple(o for c in each for o in c.opaque),
    )


def _summary(project: Project) -> ProjectSummary:
    return ProjectSummary(
        format=project.format,
        migrations_dir=project.migrations_dir,
        schema_files=project.schema_files,
        migrator=project.migrator,
        config=project.config,
    )


def _rank(finding: Finding) -> tuple[bool, bool, int, str, int]:
    """What head made first, the worst first, then by place."""
    severities = ("error", "warning", "note")
    return (
        not finding.introduced,
        finding.waived is not None,
        severities.index(finding.severity),
        finding.path,
        finding.line,
    )
