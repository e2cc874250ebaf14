"""Only the migrator writes the tracking table.

A row written by hand says that a migration ran which never did; a deleted row makes Drizzle run one twice.
"""

from checks.requirements.evidence import Evidence, Outcome, broken
from checks.ways.model import clean

TITLE = "The tracking table is left to the migrator"


def tracking_untouched(evidence: Evidence) -> Outcome:
    """Unmet where head writes the tracking table by hand."""
    found = broken(evidence.breaches("manual-tracking"))
    return found or Outcome(*clean(evidence.ways, "writes the tracking table", len(evidence.notes("manual-tracking"))))
