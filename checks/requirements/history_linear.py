"""Migrations are only ever added, each after the last one of base.

A database that has run the old text of a migration never sees the new one, and Drizzle passes over whatever is older than its last row.
"""

from checks.requirements.evidence import Evidence, Outcome, broken, named, unapplicable

TITLE = "History goes only forward"

RULES = (
    "edited-applied-migration",
    "deleted-migration",
    "silently-skipped",
    "number-collision",
    "journal-mismatch",
    "snapshot-chain",
)


def history_linear(evidence: Evidence) -> Outcome:
    """Unmet where head rewrites history or puts a migration before base's last one."""
    found = broken(evidence.breaches(*RULES))
    if found:
        return found
    if not evidence.migrations:
        return unapplicable("No migration changes.")
    early = evidence.notes("out-of-order")
    if early:
        return Outcome("met", f"{early[0].message} (`{early[0].rule}`)")
    if evidence.added:
        return Outcome("met", f"{named(evidence.added)} comes after everything that base has.")
    return Outcome(
        "met",
        f"What base has applied is as it was ({named(evidence.migrations)} changes nothing that PostgreSQL sees).",
    )
