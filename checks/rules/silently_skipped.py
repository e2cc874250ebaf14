"""Drizzle skips a migration in silence when its `when` is not later than the last one that the database ran.

The migrator compares one number, the greatest `when` it has recorded. An entry that is equal or older is passed over: no error, no
log line, and the code that needs the table meets production without it.

```text bad
meta/_journal.json  on base:  0007_invoices  "when": 1760000002000
meta/_journal.json  in head:  0008_refunds   "when": 1760000001000
```
Give the entry a `when` after base's last one: `bulletproof sync`, or a comment `/migrate sync`, does it for every migration of the
pull request.

```text good
meta/_journal.json  in head:  0008_refunds   "when": 1760000003000
```
"""

from checks.drizzle.history import SilentlySkipped
from checks.rules import Said, error


@error
def silently_skipped(fact: SilentlySkipped) -> str | Said:
    """The watermark of a database that is up to date lies behind this migration."""
    when = "is no number" if fact.when is None else f"({fact.when}) is not after {fact.other_when}"
    if fact.with_base:
        return f"`{fact.tag}` will never run where `{fact.other}` of base has run: its `when` {when}."
    message = f"`{fact.tag}` is skipped wherever `{fact.other}` ran before it: its `when` {when}."
    # Both are new, so where they run together both run; only databases that had the first one alone are hurt.
    return Said(message, "warning" if fact.introduced else "note")
