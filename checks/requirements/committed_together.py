"""The schema file, the migration, its journal entry and its snapshot come in one pull request.

Half of them on base means that whoever pulls next generates the other half again, under another name.
"""

from checks.requirements.evidence import Evidence, Outcome, broken, named, unapplicable

TITLE = "Schema and migration are committed together"


def committed_together(evidence: Evidence) -> Outcome:
    """Unmet where a schema change comes without its migration, or a migration without its journal entry or snapshot."""
    if not evidence.touches_the_schema:
        return unapplicable("No schema file and no migration changes.")
    lacking = evidence.halved()
    if not (evidence.schema_changed and evidence.added):  # with both there, what differs is content, not a missing half
        lacking += evidence.breaches("missing-migration")
    found = broken(lacking)
    if found:
        return found
    if evidence.schema_changed and evidence.added:
        return Outcome("met", f"{named(evidence.schema_changed)} comes with {named(evidence.added)}.")
    if evidence.equality.schema_ts == "equal":
        one = evidence.schema_changed or evidence.migrations
        return Outcome(
            "met",
            f"{named(one)} changes alone, and nothing is missing: the schema file says what the migrations build.",
        )
    alone = (
        f"{named(evidence.schema_changed)} changes without a migration"
        if evidence.schema_changed
        else f"{named(evidence.migrations)} comes without a schema change"
    )
    return Outcome("unknown", f"{alone}, and whether one is missing could not be told.")
