"""Renaming a column breaks the code that is still running.

From the commit of the migration to the end of the last old instance, each query of the old release names a column
that is not there.

```sql bad
ALTER TABLE users RENAME COLUMN nickname TO handle;
```

Change only the name in code: `handle: text("nickname")`. If the name must change in the database, add the new column,
write both, fill the old rows, read the new one, and drop the old one, each in a release of its own.

```sql good
ALTER TABLE users ADD COLUMN handle text;
```
"""

from checks.facts import RenamesColumn
from checks.rules import SoFar, warning
from checks.so_far import short_name


@warning
def renames_column(fact: RenamesColumn, so_far: SoFar) -> str | None:
    if fact.returns or so_far.created(fact.table):
        return None
    return f"Renaming `{short_name(fact.table)}.{fact.column}` to `{fact.new}` breaks code that still reads it under its old name."
