"""Drizzle runs what the journal lists, not what lies in the folder, and stops or passes over the rest.

An entry without its file stops every migration run. A file without its entry is never run, in silence. A journal that is not JSON, or
still has conflict markers, stops everything.

```text bad
meta/_journal.json  lists   0004_add_orders, 0005_add_refunds
the folder has      files   0004_add_orders.sql, 0006_add_refunds.sql
```
Let `drizzle-kit generate` write both (`--custom` for SQL of your own), and resolve merge conflicts in the journal by keeping the
entries of both sides: `bulletproof sync`, or a comment `/migrate sync`, does that.

```text good
meta/_journal.json  lists   0004_add_orders, 0005_add_refunds
the folder has      files   0004_add_orders.sql, 0005_add_refunds.sql
```
"""

from checks.drizzle.history import JournalMismatch
from checks.rules import Said, error

# The migrator goes by the order of the entries, and the next number by the last entry: a gap stays a gap, a fall meets a number again.
HARMLESS = {"idx-falls"}
TIDINESS = {"idx-gap"}


@error
def journal_mismatch(fact: JournalMismatch) -> Said:
    """Journal and folder tell two stories."""
    severity = (
        "note" if not fact.introduced or fact.problem in TIDINESS else "warning" if fact.problem in HARMLESS else None
    )
    return Said(_message(fact), severity)


def _message(fact: JournalMismatch) -> str:
    because = f" ({fact.detail})" if fact.detail else ""
    words = {
        "conflict-markers": "The journal still has the markers of a merge conflict: Drizzle cannot read it.",
        "not-json": f"The journal is not JSON{because}: Drizzle cannot read it.",
        "wrong-shape": f"The journal is not what Drizzle writes{because}.",
        "not-utf8": "The journal has bytes that are not UTF-8.",
        "symlink": f"`{fact.other}` is a symbolic link, which is not followed: what it runs cannot be known from the commit.",
        "not-a-file": f"`{fact.other}` is not a file.",
        "file-missing": (
            f"`{fact.other}` is a folder: Drizzle stops with an error."
            if (fact.other or "").endswith(f"/{fact.tag}/migration.sql")
            else f"The journal lists `{fact.tag}`, and `{fact.other}` is not there: Drizzle stops with an error."
        ),
        "not-in-journal": f"`{fact.tag}.sql` is not in the journal: Drizzle never runs it.",
        "no-journal": f"`{fact.tag}.sql` has no journal beside it: Drizzle never runs it.",
        "climbs": f"The journal's `{fact.tag}` leads out of the migrations folder.",
        "tag-twice": f"The journal lists `{fact.tag}` twice.",
        "negative-idx": f"`{fact.tag}` has the number {fact.detail}; numbers begin at 0.",
        "idx-gap": f"`{fact.tag}` has the number {fact.detail} where {fact.other} is next.",
        "idx-falls": f"`{fact.tag}` has the number {fact.detail} and comes after {fact.other}.",
        "sql-not-utf8": f"`{fact.other}` is not UTF-8: Drizzle replaces what it cannot decode, and PostgreSQL gets other text than you wrote.",
        "left-behind": "A journal of the old format lies beside the new folders: drizzle-orm 1.0 refuses to migrate until it is removed.",
        "no-time": f"The folder `{fact.tag}` does not begin with a time (YYYYMMDDHHMMSS): drizzle-orm 1.0 cannot record it.",
    }
    return words.get(fact.problem, f"`{fact.tag}`: {fact.problem}{because}.")
