"""Dropping a column breaks the code that is still running.

Until its last instance stops, the old release names the column in every query Drizzle wrote for it (`select`,
`insert` and `returning` list all columns), and every one of them fails. The values are gone. As long as base's schema
file declares the column, or code of the repository names it, the drop is an error that lists where.

```sql bad
ALTER TABLE users DROP COLUMN nickname;
```

Release the code and schema file without the column first (it is kept as a pending drop), and drop it in the release
after. If it is NOT NULL without a default, let the first of the two releases allow NULL, so that rows can be written.

```sql good
ALTER TABLE users ALTER COLUMN phone DROP NOT NULL;
```
"""

from checks.facts import DropsColumn
from checks.rules import SoFar, warning
from checks.so_far import short_name


@warning
def drops_column(fact: DropsColumn, so_far: SoFar) -> str | None:
    if so_far.created(fact.table):
        return None
    if fact.returns:
        return f"`{short_name(fact.table)}.{fact.column}` is dropped and made anew: its values are gone."
    return f"Dropping `{short_name(fact.table)}.{fact.column}` breaks code that still reads it."
