"""Rewriting a table stops its reads and writes until every row is written anew.

PostgreSQL copies the whole table and builds all its indexes again under an `AccessExclusiveLock`: every query on the
table waits, and so does everything behind it. Most changes of a column's type do this, and so do new columns that
differ from row to row (`serial`, identity, `GENERATED … STORED`, `DEFAULT gen_random_uuid()`), `SET UNLOGGED`,
`CLUSTER` and `VACUUM FULL`.

```sql bad
ALTER TABLE events ALTER COLUMN position TYPE bigint;
```

```sql bad
ALTER TABLE events ADD COLUMN token uuid DEFAULT gen_random_uuid();
```

Add a second column, which is instant, let the code write both, fill the old rows in batches from a script (all pending
migrations are one transaction), read the new column in the next release, and drop the old one in the one after.

```sql good
ALTER TABLE events ADD COLUMN position_big bigint;
```

```sql good
ALTER TABLE events ADD COLUMN token uuid;
ALTER TABLE events ALTER COLUMN token SET DEFAULT gen_random_uuid();
```
"""

from checks.facts import RewritesTable
from checks.rules import warning
from checks.so_far import named, waits


@warning
def rewrites_table(fact: RewritesTable) -> str:
    zone = " (not where the session's time zone is UTC)" if fact.depends_on_zone else ""
    return f"{fact.why} rewrites {named(fact)}{zone}: {waits(fact.mode)} wait until every row is written anew."
