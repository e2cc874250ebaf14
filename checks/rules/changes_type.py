"""A column of another type gives its readers other values.

Nothing is rewritten, but what the old release reads and writes may look different: a `timestamp` that becomes
`timestamptz`, say, is read in the zone of each session. (That very change rewrites the table wherever the session's
time zone is not UTC.)

```sql bad
ALTER TABLE events ALTER COLUMN seen_at TYPE timestamptz;
```

Say how values are to be read, and look at the code that reads them. A new column beside the old one lets both
releases read what they expect.

```sql good
ALTER TABLE events ADD COLUMN seen_at_utc timestamptz;
```
"""

from checks.facts import ChangesType
from checks.rules import SoFar, note
from checks.so_far import short_name


@note
def changes_type(fact: ChangesType, so_far: SoFar) -> str | None:
    if so_far.created(fact.table):
        return None
    zone = " Where the session's time zone is not UTC, it also rewrites the table." if fact.depends_on_zone else ""
    return f"`{short_name(fact.table)}.{fact.column}` changes from {fact.old} to {fact.new}: its readers see other values.{zone}"
