"""Nobody runs `drizzle-kit push`: it changes a database past its migrations.

After a push the tracking table is wrong or missing, and the next `migrate` fails on tables that are there already.
"""

from checks.requirements.evidence import Evidence, Outcome, broken
from checks.ways.model import clean

TITLE = "No banned command is used"


def no_banned_commands(evidence: Evidence) -> Outcome:
    """Unmet where head adds a way to run a banned command."""
    found = broken(evidence.breaches("banned-command"))
    return found or Outcome(*clean(evidence.ways, "runs a banned command", len(evidence.notes("banned-command"))))
