"""Building something from a whole table under its strongest lock stops reads, too.

Under an `AccessExclusiveLock` not even a `SELECT` gets through. Exclusion constraints build their index under it,
`REFRESH MATERIALIZED VIEW` computes the whole view under it, and some changes of a type spare the rows but not the
indexes.

```sql bad
ALTER TABLE bookings ADD CONSTRAINT bookings_apart EXCLUDE USING gist (during WITH &&);
```

```sql bad
REFRESH MATERIALIZED VIEW daily_orders;
```

Refresh a view that has a unique index `CONCURRENTLY`, and outside the migration. An exclusion constraint has no
gentle way in: add it while the table is small, or in a window that was announced.

```sql good none
REFRESH MATERIALIZED VIEW CONCURRENTLY daily_orders;
```
"""

from checks.facts import BlocksReads
from checks.rules import warning
from checks.so_far import named, waits


@warning
def blocks_reads(fact: BlocksReads) -> str:
    work = fact.why[:1].upper() + fact.why[1:]
    return f"{work} takes all of {named(fact)} while {waits(fact.mode)} wait."
