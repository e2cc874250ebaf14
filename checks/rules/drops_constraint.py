"""Dropping a constraint lets in what it kept out.

Rows that break it are written from that moment on, and it cannot be put back before they are found and mended.

```sql bad
ALTER TABLE orders DROP CONSTRAINT orders_amount_check;
```

If another constraint takes its place, add that one in the same migration, `NOT VALID` where the table is large: new
rows are checked at once.

```sql good
ALTER TABLE orders DROP CONSTRAINT orders_amount_check;
ALTER TABLE orders ADD CONSTRAINT orders_amount_check CHECK (amount > 0) NOT VALID;
```
"""

from checks.facts import DropsConstraint
from checks.rules import warning
from checks.so_far import short_name


@warning
def drops_constraint(fact: DropsConstraint) -> str:
    return f"Dropping {fact.kind} `{fact.name}` lets rows into `{short_name(fact.table)}` that it kept out."
