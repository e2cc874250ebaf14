"""A narrower type does not hold all that the column may hold by now.

One row that does not fit makes the migration fail, wherever that row is. The old release goes on writing values that
no longer fit, and its inserts fail. On the way the table is rewritten, or at least read, while its reads and writes
wait.

```sql bad
ALTER TABLE users ALTER COLUMN name TYPE varchar(50);
```

Keep the type and forbid new values that are too long; mend the old ones; validate the constraint in a later release.

```sql good
ALTER TABLE users ADD CONSTRAINT users_name_short CHECK (length(name) <= 50) NOT VALID;
```
"""

from checks.facts import NarrowsType
from checks.rules import SoFar, warning
from checks.so_far import short_name


@warning
def narrows_type(fact: NarrowsType, so_far: SoFar) -> str | None:
    if so_far.created(fact.table):
        return None
    rewrite = " It also rewrites the table while reads and writes wait." if fact.rewrites else ""
    return f"`{short_name(fact.table)}.{fact.column}` becomes {fact.new}, which does not hold every {fact.old}: rows that do not fit make it fail.{rewrite}"
