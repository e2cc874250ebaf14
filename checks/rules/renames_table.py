"""Renaming a table breaks the code that is still running.

From the commit of the migration to the end of the last old instance, each query of the old release names a table that
is not there.

```sql bad
ALTER TABLE events RENAME TO activities;
```

Keep the table's name in the database and change only the name in code: `export const activities = pgTable("events",
…)`. If the name must change, give the old release a view under the old name in the same migration.

```sql good
ALTER TABLE events RENAME TO activities;
CREATE VIEW events AS SELECT * FROM activities;
```
"""

from checks.facts import RenamesTable
from checks.rules import SoFar, warning
from checks.so_far import short_name


@warning
def renames_table(fact: RenamesTable, so_far: SoFar) -> str | None:
    if fact.returns or so_far.created(fact.table):
        return None
    return f"Renaming `{short_name(fact.table)}` to `{short_name(fact.new)}` breaks code that still reads it under its old name."
