"""Somebody has read the SQL.

Information until the policy says `review: {required: true}`; then an approval of this very head is needed (`/migrate approve`,
or an approving review).
"""

from checks.requirements.evidence import Evidence, Outcome, broken, unapplicable

TITLE = "The migration is reviewed"


def migration_reviewed(evidence: Evidence) -> Outcome:
    """Met by an approval; unmet only where the policy requires one."""
    if not evidence.migrations:
        return unapplicable("No migration changes.")
    if evidence.approvals:
        return Outcome("met", f"Approved by {', '.join(evidence.approvals)}.")
    found = broken(evidence.breaches("unreviewed-migration"))
    if found:
        return found
    if not evidence.review_required:
        return unapplicable("The policy requires no approval (`review.required` is false).")
    if evidence.approvals is None:
        return Outcome("unknown", "The policy requires an approval, and approvals cannot be seen from here.")
    return Outcome("unknown", "The policy requires an approval, and none was looked for.")
