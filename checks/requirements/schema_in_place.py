"""Every change of the database stands in the schema file.

A migration that changes what the schema file does not say leaves the code and the database with two ideas of the same table;
the next `generate` undoes the change or repeats it.
"""

from checks.requirements.evidence import Evidence, Outcome, broken, named, unapplicable, uncompared

TITLE = "Schema changes are in the schema file"


def schema_in_place(evidence: Evidence) -> Outcome:
    """Unmet where the migrations build what the schema file does not state."""
    if not evidence.touches_the_schema:
        return unapplicable("No schema file and no migration changes.")
    astray = evidence.breaches("snapshot-differs")
    if not evidence.schema_changed:  # the migrations alone moved, so they are what the schema file lacks
        astray += evidence.breaches("missing-migration")
    found = broken(astray)
    if found:
        return found
    if evidence.equality.schema_ts == "equal":
        return Outcome("met", f"{named(evidence.schema_files) or 'The schema file'} says what the migrations build.")
    if evidence.equality.schema_ts == "differs" and evidence.schema_changed:
        return Outcome("met", f"The change is in {named(evidence.schema_changed)}; what lacks is its migration.")
    return uncompared(evidence)
