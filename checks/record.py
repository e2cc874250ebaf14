"""Writes down what was read and run, in the shapes of the report: migrations with their statements, and the replay."""

from collections.abc import Mapping

from checks.drizzle.history import JournalMismatch
from checks.drizzle.judgement import STOPS, UNSEEN
from checks.drizzle.model import Migration, Statement
from checks.drizzle.plan import Plan
from checks.evidence.steps import judged
from checks.rehearsal import Rehearsal
from checks.report import Lock, MigrationReport, Replay, ReplayError, RunState, SqlError, StatementReport
from checks.witnesses import deeds, text
from checks.witnesses.model import Observation, Run


def migrations(plan: Plan, run: Run | None) -> tuple[MigrationReport, ...]:
    """What head adds, edits, renames or deletes, each with its statements; new ones with what they did."""
    seen = observations(run)
    told = [
        MigrationReport(tag=m.tag, path=m.path, change="added", statements=statements(m, seen.get(m.tag, {})))
        for m in plan.added
    ]
    told += [
        MigrationReport(
            tag=pair.after.tag, path=pair.after.path, change="modified", statements=statements(pair.after, {})
        )
        for pair in plan.modified
    ]
    told += [
        MigrationReport(
            tag=pair.after.tag, path=pair.after.path, change="renamed", statements=statements(pair.after, {})
        )
        for pair in plan.renamed
    ]
    told += [MigrationReport(tag=m.tag, path=m.path, change="deleted") for m in plan.deleted]
    return tuple(told)


def observations(run: Run | None) -> dict[str, dict[int, Observation]]:
    """Observations by tag and statement index."""
    return {r.migration.tag: {o.statement.index: o for o in r.observations} for r in (run.runs if run else ())}


def statements(migration: Migration, seen: Mapping[int, Observation]) -> tuple[StatementReport, ...]:
    """The statements of one migration, with what was observed of them; of more than can be judged, those that are."""
    observations = [seen[s.index] for s in migration.statements] if len(seen) == len(migration.statements) else []
    listed = judged(migration.statements, observations)
    readings = text.read_all([s.sql for s in listed])
    return tuple(_statement(s, seen.get(s.index), reading) for s, reading in zip(listed, readings, strict=True))


def _statement(what: Statement, seen: Observation | None, reading: text.Reading) -> StatementReport:
    """One statement; without an observation, only what the text says."""
    kind = reading.kind or "unreadable"
    if seen is None:
        return StatementReport(index=what.index, line=what.line, sql=what.sql, kind=kind)
    failure = seen.failure
    return StatementReport(
        index=what.index,
        line=what.line,
        sql=what.sql,
        kind=kind,
        ms=None if seen.ms is None else round(seen.ms, 3),
        executed=seen.executed,
        error=SqlError(sqlstate=failure.sqlstate, message=failure.message) if failure else None,
        locks=tuple(
            Lock(relation=held.relation, mode=held.mode, existed=held.existed) for held in seen.locks if held.existed
        ),
        rewrites=seen.rewrites,
        scans=seen.scans,
        changes=seen.changes or (deeds.asked(reading) if seen.executed else ()),
        rows=seen.rows,
        notes=seen.notes,
    )


def replay(plan: Plan, shown: Rehearsal) -> Replay:
    """How both runs ended; the error is the first of base's state, else of zero.

    What we can run beside a broken journal is one thing; that Drizzle's migrator stops at it is the other.
    """
    run, zero = shown.run, shown.zero
    tried = run is not None or zero is not None or shown.before is not None
    stops = [f for f in plan.facts if isinstance(f, JournalMismatch) and f.problem in STOPS]
    stops.sort(key=lambda fact: not fact.introduced)
    ran_base: RunState = run.state if run else "skipped"
    ran_zero: RunState = zero.state if zero else "skipped"
    if any(isinstance(f, JournalMismatch) and f.problem in UNSEEN for f in plan.facts):
        ran_zero = "skipped"  # the whole chain was not there to be run
    return Replay(
        from_base="failed" if stops and stops[0].introduced and tried else ran_base,
        from_zero="failed" if stops and tried else ran_zero,
        error=_error(run) or _error(zero),
        would_skip=plan.would_skip,
        transaction=plan.project.transaction,
        stopped=_stopped(stops[0]) if stops else None,
    )


def _stopped(fact: JournalMismatch) -> str:
    """At what Drizzle stops."""
    at = f"`{fact.place.path}:{fact.place.line}`"
    if fact.problem == "file-missing":
        why = "is a folder" if (fact.other or "").endswith("/migration.sql") else "is in the journal and not there"
        return f"Drizzle stops before it runs anything: `{fact.other}` {why}."
    return f"Drizzle stops before it applies anything: {at} {STOPS[fact.problem]}."


def _error(run: Run | None) -> ReplayError | None:
    if run is None or run.failure is None:
        return None
    tag, index = run.failed or ("", 0)
    return ReplayError(migration=tag, statement=index, sqlstate=run.failure.sqlstate, message=run.failure.message)
