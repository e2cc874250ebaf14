"""Going through a whole table under a lock that stops writes makes every writer wait.

`CREATE INDEX` and `REINDEX` take a `ShareLock`: nobody can insert, update or delete until every row has been read,
nor until the migrator's transaction ends. Where an earlier statement of the same transaction holds a stronger lock on
the table, reads wait as well.

```sql bad
CREATE INDEX orders_placed_at_idx ON orders (placed_at);
```

Build the index by hand before the release, `CONCURRENTLY` and under the same name (the migrator's transaction refuses
that), and write `IF NOT EXISTS`, with `-- migrate:allow blocks-writes: built before the release` above it.

```sql good none
CREATE INDEX CONCURRENTLY orders_placed_at_idx ON orders (placed_at);
CREATE INDEX IF NOT EXISTS orders_placed_at_idx ON orders (placed_at);
```
"""

from checks.facts import BlocksWrites
from checks.rules import warning
from checks.so_far import named, waits


@warning
def blocks_writes(fact: BlocksWrites) -> str:
    work = fact.why[:1].upper() + fact.why[1:]
    return f"{work} reads all of {named(fact)} while {waits(fact.mode)} wait."
