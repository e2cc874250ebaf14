"""TRUNCATE empties a table for everybody, and no rollback brings the rows back.

It takes an `AccessExclusiveLock`, fires no `DELETE` triggers, and with `CASCADE` it empties every table that refers
to this one.

```sql bad
TRUNCATE events;
```

If the rows must go, delete those that are meant, from a script that can be watched.

```sql good
DELETE FROM events WHERE seen_at < '2020-01-01';
```
"""

from checks.facts import Truncates
from checks.rules import SoFar, warning
from checks.so_far import short_name


@warning
def truncates(fact: Truncates, so_far: SoFar) -> str | None:
    if so_far.created(fact.table):
        return None
    more = ", and every table that refers to it" if fact.cascades else ""
    return f"`{short_name(fact.table)}` is emptied{more}."
