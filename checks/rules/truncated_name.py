"""PostgreSQL cuts names after 63 bytes, and two that begin alike become one.

The schema then knows the thing under another name than the code does.

```sql bad
ALTER TABLE users ADD COLUMN the_day_on_which_this_person_was_last_seen_by_anybody_in_the_shop date;
```

Give it a shorter name.

```sql good
ALTER TABLE users ADD COLUMN last_seen_on date;
```
"""

from checks.facts import TruncatedName
from checks.rules import note


@note
def truncated_name(fact: TruncatedName) -> str:
    return f"`{fact.name}` is longer than 63 bytes: it becomes `{fact.becomes}`."
