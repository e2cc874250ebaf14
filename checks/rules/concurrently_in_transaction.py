"""CONCURRENTLY fails inside a transaction, and Drizzle's migrator always has one open.

PostgreSQL refuses with "cannot run inside a transaction block" (25001), and everything that was pending is rolled
back.

```sql bad
CREATE INDEX CONCURRENTLY orders_placed_at_idx ON orders (placed_at);
```

Run that one statement by hand, outside any transaction, before the release; let the migration say `IF NOT EXISTS`
without `CONCURRENTLY`, so that it finds the index there and builds it where a database is new.

```sql good none
CREATE INDEX CONCURRENTLY orders_placed_at_idx ON orders (placed_at);
CREATE INDEX IF NOT EXISTS orders_placed_at_idx ON orders (placed_at);
```
"""

from checks.facts import ConcurrentlyInTransaction
from checks.rules import error


@error
def concurrently_in_transaction(fact: ConcurrentlyInTransaction) -> str:
    index = f" `{fact.index}`" if fact.index else ""
    return f"`{fact.what}`{index} cannot run inside the migrator's transaction: this migration fails."
