"""Without an index on the referencing columns, every delete of a referenced row reads the whole referencing table.

PostgreSQL indexes the referenced side only.

```sql bad
ALTER TABLE events ADD CONSTRAINT events_user_id_fk FOREIGN KEY (user_id) REFERENCES users (id) NOT VALID;
```

Add an index that begins with those columns: `index().on(t.userId)` in Drizzle.

```sql good
ALTER TABLE orders ADD CONSTRAINT orders_user_id_fk FOREIGN KEY (user_id) REFERENCES users (id) NOT VALID;
```
"""

from checks.facts import LacksIndex
from checks.rules import note
from checks.so_far import short_name


@note
def foreign_key_without_index(fact: LacksIndex) -> str:
    columns = ", ".join(f"`{column}`" for column in fact.columns)
    return f"No index of `{short_name(fact.table)}` begins with {columns}: each delete in `{short_name(fact.referenced)}` reads the whole table."
