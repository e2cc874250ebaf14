"""What a statement costs depends on a setting of the session that runs it.

Between `timestamp` and `timestamptz` nothing is rewritten where the session's time zone is UTC, and every row is where
it is not. The review runs migrations in UTC; production may have another zone, set for the server, the database or the
role.

```sql bad
DO $$ BEGIN EXECUTE 'ALTER TABLE events ALTER COLUMN seen_at TYPE timestamptz'; END $$;
```

Set the zone where the migration runs, above the statement and for the transaction alone, so that it is the same
everywhere.

```sql good
SET LOCAL TIME ZONE 'UTC';
ALTER TABLE events ADD COLUMN seen_at_utc timestamptz;
```
"""

from checks.facts import DependsOnSession
from checks.rules import note


@note
def depends_on_session(fact: DependsOnSession) -> str:
    return f"{fact.how}."
