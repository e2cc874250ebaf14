"""Validating a constraint in the transaction that adds it undoes what NOT VALID is for.

Adding it took a lock that stops writes (for a `CHECK`: reads, too). That lock is held until the transaction ends, so
also while `VALIDATE` reads every row. Drizzle runs all pending migrations in one transaction: two files do not help
where both are pending.

```sql bad
ALTER TABLE orders ADD CONSTRAINT orders_amount_small CHECK (amount < 1000000) NOT VALID;
ALTER TABLE orders VALIDATE CONSTRAINT orders_amount_small;
```

Ship the `NOT VALID` constraint in this release and `VALIDATE` it in the next one, when it is deployed everywhere.

```sql good
ALTER TABLE orders ADD CONSTRAINT orders_amount_small CHECK (amount < 1000000) NOT VALID;
```
"""

from checks.facts import ValidatesAtOnce
from checks.rules import warning
from checks.so_far import short_name, waits


@warning
def validates_at_once(fact: ValidatesAtOnce) -> str:
    return f"Validating `{fact.name}` reads all of `{short_name(fact.table)}` while the lock of adding it makes {waits(fact.mode)} wait."
