"""Every change of the schema file has a migration.

Without one the code of the next release asks for columns that no database has.
"""

from checks.requirements.evidence import Evidence, Outcome, broken, named, unapplicable, uncompared

TITLE = "A migration is generated"


def migration_generated(evidence: Evidence) -> Outcome:
    """Unmet where the schema file asks for what no migration builds."""
    if not evidence.schema_changed:
        return unapplicable("No schema file changes.")
    found = broken(evidence.breaches("missing-migration"))
    if found:
        return found
    if (
        evidence.equality.schema_ts == "differs"
        and evidence.notes("pending-drop")
        and not evidence.equality.missing_sql
        and not evidence.equality.unresolved
    ):
        return Outcome("met", "All that differs is a drop which is put off until the code without it is released.")
    if evidence.equality.schema_ts != "equal":
        return uncompared(evidence)
    if evidence.added:
        return Outcome("met", f"{named(evidence.added)} builds what the schema file says.")
    return Outcome("met", "The schema file still means what the migrations build; no migration is needed.")
