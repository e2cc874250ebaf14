"""Changing every row in one statement locks them all until the migrator's transaction ends.

Writers to any of those rows wait, the table doubles in size, and replicas fall behind.

```sql bad
UPDATE users SET nickname = name;
```

Fill rows in batches from a script, each batch in a transaction of its own, after the release. What few rows a
migration must change, it should name.

```sql good
UPDATE users SET nickname = name WHERE id = 1;
```
"""

from checks.facts import TouchesAllRows
from checks.rules import SoFar, warning
from checks.so_far import short_name


@warning
def updates_all_rows(fact: TouchesAllRows, so_far: SoFar) -> str | None:
    if so_far.created(fact.table):
        return None
    rows = f" ({fact.rows:,} here)" if fact.rows else ""
    return f"{fact.verb} changes every row of `{short_name(fact.table)}`{rows} in one transaction."
