"""The migration has run, on a real PostgreSQL, on the state that base has.

Reading SQL shows what it says; running it shows what it does.
"""

from checks.requirements.evidence import Evidence, Outcome, named, unapplicable

TITLE = "The migration is tested"

REASONS = ("fails", "concurrently-in-transaction", "enum-value-used-at-once", "journal-mismatch")
"""The rules that say why a replay failed."""


def migration_tested(evidence: Evidence) -> Outcome:
    """Met by a replay that went through; unmet by one that failed."""
    replay = evidence.replay
    if not evidence.migrations:  # a journal may name what is not there: that is no migration, and Drizzle stops at it
        stops = replay.from_base == "failed" and evidence.breaches(*REASONS)
        return _failed(evidence) if stops else unapplicable("No migration changes.")
    match replay.from_base:
        case "failed":
            return _failed(evidence)
        case "skipped":
            why = evidence.not_replayed or (
                "there was no database (`--offline`)" if evidence.offline else "the migrations were not run"
            )
            return Outcome("unknown", f"Not run: {why.rstrip('.')}.")
        case "ok":
            if evidence.not_replayed:
                return Outcome("unknown", evidence.not_replayed)
            zero = {
                "ok": ", and the whole chain runs from an empty database",
                "failed": "; the whole chain does not run from an empty database",
            }
            names = named(evidence.added or evidence.migrations)
            return Outcome("met", f"{names} ran on base's state{zero.get(replay.from_zero, '')}.")


def _failed(evidence: Evidence) -> Outcome:
    replay = evidence.replay
    error = replay.error
    said = (
        f" `{error.migration}`, statement {error.statement + 1}: {error.message} ({error.sqlstate})." if error else ""
    )
    said = said or (f" {replay.stopped}" if replay.stopped else "")
    failures = evidence.breaches(*REASONS)
    if failures and all(f.waived for f in failures):
        return Outcome("waived", f"The replay failed, and that is waived.{said}")
    if not failures:
        return Outcome("unknown", f"{evidence.not_replayed or 'It could not be run to its end here.'}{said}")
    return Outcome("unmet", f"The replay on base's state failed.{said}")
