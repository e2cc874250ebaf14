"""A row in the tracking table that the migrator did not write says what never happened.

Drizzle asks the table for its last row and runs what is newer. A row too many, and a migration never runs; a row too few, and one runs
twice; another shape, and `migrate` fails everywhere at once.

```sql bad
INSERT INTO drizzle.__drizzle_migrations (hash, created_at) VALUES ('4b1f', 1700000000000);
```
Leave the table to the migrator. Where a database was pushed to, `bulletproof db sync` compares it with the migrations and writes the
rows that are true.

```sql good
SELECT hash, created_at FROM drizzle.__drizzle_migrations ORDER BY created_at DESC;
```
"""

from checks.rules import Said, error
from checks.ways.facts import ManualTracking


@error
def manual_tracking(fact: ManualTracking) -> Said:
    """DML or DDL on the tracking table, wherever it is written."""
    if fact.observed:
        message = f"This statement writes `{fact.table}`, as PostgreSQL's locks show: only the migrator may."
    else:
        message = f"`{fact.action}` on `{fact.table}` writes the tracking table by hand: only the migrator may."
    return Said(message, severity="note" if fact.inferred else None)
