"""Only the standard connection module opens connections, with the one driver.

Two drivers beside each other mean two pools, two ideas of a transaction, and a migration that one of them does not see.
"""

from checks.requirements.evidence import Evidence, Outcome, broken, unapplicable
from checks.ways.model import clean

TITLE = "Only the standard module connects"


def standard_connection(evidence: Evidence) -> Outcome:
    """Unmet where head connects another way; where the module was only inferred, nothing is asked."""
    found = broken(evidence.breaches("forbidden-driver", "nonstandard-connection"))
    if found:
        return found
    ways = evidence.ways
    if ways is not None and not ways.unread:
        if ways.connection.module is None:
            return unapplicable("No connection module is named in a policy file, and none was found.")
        if ways.connection.inferred and evidence.notes("forbidden-driver", "nonstandard-connection"):
            return unapplicable(
                f"`{ways.connection.module}` looks like the connection module, but no policy file says so."
            )
    said = "opens a connection of its own"
    state, why = clean(ways, said, len(evidence.notes("forbidden-driver", "nonstandard-connection")))
    module = ways.connection.module if ways is not None else None
    inferred = " (inferred)" if ways is not None and ways.connection.inferred else ""
    return Outcome(state, f"{why} The standard module is `{module}`{inferred}." if state == "met" and module else why)
