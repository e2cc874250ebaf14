"""A failed CREATE INDEX CONCURRENTLY leaves a broken index, and IF NOT EXISTS keeps it.

The broken index is never read but always written. The retry finds its name taken, does nothing and reports success.

```sql bad none
CREATE INDEX CONCURRENTLY IF NOT EXISTS orders_placed_at_idx ON orders (placed_at);
```

Drop what a failure may have left, then build.

```sql good none
DROP INDEX CONCURRENTLY IF EXISTS orders_placed_at_idx;
CREATE INDEX CONCURRENTLY orders_placed_at_idx ON orders (placed_at);
```
"""

from checks.facts import LeavesInvalidIndex
from checks.rules import warning
from checks.so_far import short_name


@warning
def leaves_invalid_index(fact: LeavesInvalidIndex) -> str:
    return (
        f"If building `{fact.index}` fails, a broken index stays on `{short_name(fact.table)}`, and the retry keeps it."
    )
