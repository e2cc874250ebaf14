"""What the database commands say: as text for people, as JSON for programs."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bot.database.evidence import Drift
    from bot.database.generate import Generated
    from bot.database.line import Failed
    from bot.database.migrate import Migrated
    from bot.database.reset import Emptied
    from bot.database.status import Status
    from bot.database.sync import Plan, Synced
    from bot.database.verify import Audit, Verified
    from checks.witnesses.tracking import Row

_MOST = 12


def drift(found: "Drift") -> Iterator[str]:
    """A difference, in words and as SQL."""
    yield from _few(found.summary)
    yield "To make the database what the files say:"
    yield from _indented(found.to_files)
    yield "To make the files what the database is:"
    yield from _indented(found.to_real)


def _few(lines: Sequence[str]) -> Iterator[str]:
    yield from (f"  - {line}" for line in lines[:_MOST])
    if len(lines) > _MOST:
        yield f"  - and {len(lines) - _MOST} more"


def drift_json(found: "Drift | None") -> dict[str, Any] | None:
    """The same as data."""
    if found is None:
        return None
    return {
        "summary": list(found.summary),
        "to_files": found.to_files,
        "to_database": found.to_real,
        "unified": found.unified,
    }


def migrated(done: "Migrated") -> Iterator[str]:
    """What `db migrate` did."""
    if done.synced is not None and done.synced.changes:
        yield from _plan(done.synced, would=done.dry_run)
    yield from done.notes
    if done.out_of_order:
        verb = "would skip" if done.dry_run else "skips in silence"
        yield f"Drizzle's own migrator {verb}: {', '.join(done.out_of_order)}."
    if done.refused is not None:
        yield done.refused
        if done.drift is not None:
            yield from drift(done.drift)
        yield "Look at the difference: write it as a migration, undo it, or go on with --force --reason TEXT."
        return
    if done.dry_run:
        yield f"{len(done.pending)} would run: {', '.join(done.pending)}." if done.pending else "Nothing to run."
        return
    if done.applied:
        yield f"Ran {len(done.applied)}: {', '.join(done.applied)}."
    yield from (failed(each) for each in done.failed)
    if not done.applied and not done.failed:
        yield "Nothing to run: all migrations are applied." if not done.pending else "Nothing was run."


def failed(one: "Failed") -> str:
    """Why a migration did not run."""
    kept = (
        "The steps before it are kept, and the next run goes on from there."
        if one.kept
        else "It was rolled back and is not recorded."
    )
    more = f" {one.failure.detail}" if one.failure.detail else ""
    return f"{one.place}: {one.failure.message} ({one.failure.sqlstate}).{more} {kept}"


def migrated_json(done: "Migrated") -> dict[str, Any]:
    """The same as data."""
    return {
        "version": 1,
        "status": "refused" if done.refused else "failed" if done.failed else "would-run" if done.dry_run else "ok",
        "applied": done.applied,
        "pending": [tag for tag in done.pending if tag not in done.applied],
        "would_skip": done.out_of_order,
        "synced": plan_json(done.synced) if done.synced is not None else None,
        "failed": [
            {
                "migration": f.migration.tag,
                "path": f.migration.path,
                "statement": f.statement,
                "sqlstate": f.failure.sqlstate,
                "message": f.failure.message,
            }
            for f in done.failed
        ],
        "reason": done.refused,
        "drift": drift_json(done.drift),
        "notes": done.notes,
    }


def synced(done: "Synced", *, dry_run: bool) -> Iterator[str]:
    """What `db sync` did."""
    yield from _plan(done.plan, would=dry_run)
    if not done.plan.found:
        if done.plan.drift is not None:
            yield from drift(done.plan.drift)
        return
    if not done.plan.changes:
        yield "The migrations table says the same: nothing to do."


def _plan(plan: "Plan", *, would: bool) -> Iterator[str]:
    yield from plan.proof
    if plan.unproven and plan.found:
        yield f"No schema shows whether these ran; later ones did, so they are recorded: {', '.join(plan.unproven)}."
    if plan.found and plan.changes:
        yield "The migrations table would change:" if would else "The migrations table was changed:"
        yield from (f"  - {change.what}" for change in plan.changes)


def plan_json(plan: "Plan") -> dict[str, Any]:
    """A sync as data."""
    return {
        "found": plan.found,
        "point": plan.point,
        "of": plan.of,
        "proof": list(plan.proof),
        "changes": [c.what for c in plan.changes],
        "unproven": list(plan.unproven),
        "drift": drift_json(plan.drift),
    }


def synced_json(done: "Synced") -> dict[str, Any]:
    """The same as data."""
    status = (
        "refused"
        if not done.plan.found
        else "synced"
        if done.written
        else "nothing-to-do"
        if not done.plan.changes
        else "would-sync"
    )
    return {"version": 1, "status": status, **plan_json(done.plan)}


def status(found: "Sequence[Status]") -> Iterator[str]:
    """What `db status` saw."""
    for each in found:
        yield from _status(each)


def _status(one: "Status") -> Iterator[str]:
    ledger = one.ledger
    if one.error is not None or ledger is None or one.table is None:
        yield f"{one.name}: {one.error or one.unchecked or 'not looked at'}"
        return
    total = len(ledger.applied) + len(ledger.pending)
    absent = ", no migrations table yet" if one.table.shape == "absent" else ""
    verdict = "up to date" if one.fine else "needs attention"
    yield f"{one.name}: {verdict}; {len(ledger.applied)} of {total} migrations applied{absent}"
    skipped = set(ledger.would_skip)
    yield from _listed("applied", list(ledger.applied))
    yield from _listed("pending", [m.tag for m in ledger.pending if m.tag not in skipped])
    yield from _listed("pending, and Drizzle would skip it in silence", list(ledger.would_skip))
    yield from _listed("edited since applied", list(ledger.edited))
    yield from _listed("renumbered since applied (`db sync` moves the row)", list(ledger.moved))
    yield from _listed("recorded twice", [_row(r) for r in ledger.doubled])
    yield from _listed("recorded, and in no file", [_row(r) for r in ledger.unknown])
    yield from _listed("stopped half way", [f"{tag}, after step {p.done}" for tag, p in one.half.items()])
    if one.unchecked:
        yield f"  {one.unchecked}"
    if one.drift is not None:
        why = "; the migrations that are in no file may be why" if ledger.unknown else ""
        yield f"  drift: the schema is not what the applied migrations build{why}"
        yield from (f"  {line}" for line in drift(one.drift))


def status_json(found: "Sequence[Status]") -> dict[str, Any]:
    """The same as data."""
    return {
        "version": 1,
        "ok": all(s.fine and s.error is None for s in found),
        "environments": [_one_json(s) for s in found],
    }


def _one_json(one: "Status") -> dict[str, Any]:
    ledger = one.ledger
    said: dict[str, Any] = {
        "name": one.name,
        "ok": one.fine and one.error is None,
        "error": one.error,
        "note": one.unchecked,
    }
    if ledger is None or one.table is None:
        return said
    return {
        **said,
        "table": one.table.shape,
        "applied": list(ledger.applied),
        "pending": [m.tag for m in ledger.pending],
        "would_skip": list(ledger.would_skip),
        "edited": list(ledger.edited),
        "renumbered": list(ledger.moved),
        "doubled": [_row_json(r) for r in ledger.doubled],
        "unknown": [_row_json(r) for r in ledger.unknown],
        "half_applied": list(one.half),
        "drift": drift_json(one.drift),
    }


def verified(done: "Verified") -> Iterator[str]:
    """What `db verify` saw."""
    yield from _status(done.rows)
    if done.whole is not None and done.rows.drift is None:
        yield "What is pending would change:"
        yield from _few(done.whole.lacking)
        yield from _indented(done.whole.to_files)
    if done.why is not None:
        yield done.why
    if done.equal and done.rows.fine:
        yield "Files, migrations table and schema say the same."


def verified_json(done: "Verified") -> dict[str, Any]:
    """The same as data."""
    same = None if done.why is not None else done.whole is None
    return {
        "version": 1, "ok": done.code == 0, "files_and_schema_equal": same, "files_and_schema": drift_json(done.whole),
        "reason": done.why, **{k: v for k, v in _one_json(done.rows).items() if k not in {"ok", "name", "error", "note"}},
    }  # fmt: skip


def audited(seen: "Audit") -> Iterator[str]:
    """What `db verify --offline` saw."""
    for finding in seen.findings:
        yield f"{finding.severity}: {finding.path}:{finding.line}: {finding.message} [{finding.rule}]"
    for unread in seen.unread:
        yield f"not read: {unread.path}:{unread.line}: {unread.why}"
    if not seen.findings:
        yield f"Nothing found in {seen.looked} files: no push, one way to connect, nobody writes the migrations table."


def audited_json(seen: "Audit") -> dict[str, Any]:
    """The same as data."""
    return {
        "version": 1,
        "ok": seen.code == 0,
        "findings": [finding.model_dump(mode="json", by_alias=True) for finding in seen.findings],
        "files": seen.looked,
        "unread": [{"path": u.path, "line": u.line, "why": u.why} for u in seen.unread],
    }


def emptied(done: "Emptied") -> Iterator[str]:
    """What `db reset-dev` did."""
    yield f"Emptied: {', '.join(done.schemas)}." if done.schemas else "There was nothing to empty."
    yield from migrated(done.migrated)


def emptied_json(done: "Emptied") -> dict[str, Any]:
    """The same as data."""
    return {**migrated_json(done.migrated), "emptied": list(done.schemas), "signs": list(done.signs)}


def generated(done: "Generated") -> Iterator[str]:
    """What `db generate` made."""
    if done.state == "nothing":
        yield "No migration is needed: drizzle-kit sees no difference between the schema files and the last snapshot."
        return
    if done.state == "failed":
        yield done.why
        return
    yield f"Wrote {', '.join(done.tags)}."
    yield from done.notes
    if done.report is not None:
        from checks import render  # noqa: PLC0415 - for a review only

        yield ""
        yield render.as_text(done.report, "text").rstrip("\n")
    yield "Read the SQL, run `db migrate`, and commit schema and migration together."


def generated_json(done: "Generated") -> dict[str, Any]:
    """The same as data."""
    return {
        "version": 1,
        "status": done.state,
        "migrations": list(done.tags),
        "files": list(done.files),
        "reason": done.why or None,
        "notes": done.notes,
        "review": None if done.report is None else done.report.model_dump(mode="json", by_alias=True),
    }


def _row(row: "Row") -> str:
    name = f" {row.name}" if row.name else ""
    return f"row {row.id}{name} ({row.hash[:12]}…, {row.created_at})"


def _row_json(row: "Row") -> dict[str, Any]:
    return {"id": row.id, "hash": row.hash, "created_at": row.created_at, "name": row.name}


def _listed(title: str, items: Sequence[str]) -> Iterator[str]:
    if not items:
        return
    shown = items if len(items) <= _MOST else [*items[:3], f"… {len(items) - 6} more …", *items[-3:]]
    yield f"  {title}: {', '.join(shown)}"


def _indented(text: str) -> Iterator[str]:
    yield from (f"    {line}" for line in (text.rstrip("\n") or "-- nothing").splitlines())
