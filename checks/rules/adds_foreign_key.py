"""A new foreign key reads the whole table while writes to both tables wait, and fails on the first orphan.

It takes a `ShareRowExclusiveLock` on the referencing and on the referenced table, and holds both until the
transaction ends.

```sql bad
ALTER TABLE orders ADD CONSTRAINT orders_user_id_fk FOREIGN KEY (user_id) REFERENCES users (id);
```

Add it `NOT VALID`: new rows are checked from then on, and nothing is read. `VALIDATE` it in a later release, which
stops nobody.

```sql good
ALTER TABLE orders ADD CONSTRAINT orders_user_id_fk FOREIGN KEY (user_id) REFERENCES users (id) NOT VALID;
```
"""

from checks.facts import AddsForeignKey
from checks.rules import warning
from checks.so_far import short_name, waits


@warning
def adds_foreign_key(fact: AddsForeignKey) -> str:
    table, other = short_name(fact.table), short_name(fact.referenced)
    if table == other:
        return f"A new foreign key of `{table}` on itself reads all of it while {waits(fact.mode)} wait, and fails on the first row without its other."
    return f"A new foreign key reads all of `{table}` while {waits(fact.mode)} of `{table}` and `{other}` wait, and fails on the first row without its `{other}`."
