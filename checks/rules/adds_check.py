"""A new CHECK reads the whole table while reads and writes wait, and fails on the first row that breaks it.

The proof runs under an `AccessExclusiveLock`. A `CHECK` inside `ADD COLUMN` is no better.

```sql bad
ALTER TABLE orders ADD CONSTRAINT orders_amount_small CHECK (amount < 1000000);
```

```sql bad
ALTER TABLE orders ADD COLUMN discount integer CHECK (discount >= 0);
```

Add it `NOT VALID`: new rows are checked from then on, and nothing is read. `VALIDATE` it in a later release, which
stops nobody.

```sql good
ALTER TABLE orders ADD CONSTRAINT orders_amount_small CHECK (amount < 1000000) NOT VALID;
```
"""

from checks.facts import AddsCheck
from checks.rules import warning
from checks.so_far import short_name, waits


@warning
def adds_check(fact: AddsCheck) -> str:
    name = f" `{fact.name}`" if fact.name else ""
    return f"Proving the new CHECK{name} reads all of `{short_name(fact.table)}` while {waits(fact.mode)} wait, and fails on the first row that breaks it."
