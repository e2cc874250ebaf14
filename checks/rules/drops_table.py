"""Dropping a table breaks the code that is still running, and its rows are gone.

Until its last instance stops, the old release reads and writes the table. No rollback brings the rows back. As long
as code of the repository or of base uses the table, the drop is an error that lists where.

```sql bad
DROP TABLE events;
```

Release the code that no longer uses it first, with its declaration left in the schema file, and drop both in the
release after. If you must be able to go back, revoke the right to write until that release has settled.

```sql good
REVOKE INSERT, UPDATE, DELETE ON events FROM PUBLIC;
```
"""

from checks.facts import DropsTable
from checks.rules import SoFar, warning
from checks.so_far import short_name


@warning
def drops_table(fact: DropsTable, so_far: SoFar) -> str | None:
    if so_far.created(fact.table):
        return None
    is_table = fact.kind.endswith("table")
    if fact.was and is_table:
        return f"`{short_name(fact.was)}`, renamed to `{short_name(fact.table)}` before, is dropped: its rows are gone."
    if fact.returns and is_table:
        return f"`{short_name(fact.table)}` is dropped and made anew: its rows are gone."
    rows = ", and its rows are gone" if is_table else ""
    return f"Dropping {fact.kind} `{short_name(fact.table)}` breaks code that still reads it{rows}."
