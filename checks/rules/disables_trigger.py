"""A disabled trigger lets rows in that it would have changed, logged or refused.

It stays disabled for every session, not just for this one, until somebody enables it.

```sql bad
ALTER TABLE users DISABLE TRIGGER USER;
```

Let the trigger itself look at a setting of the session, and set it in the migration alone.

```sql good
SET LOCAL app.quiet = 'on';
```
"""

from checks.facts import DisablesTrigger
from checks.rules import SoFar, warning
from checks.so_far import short_name


@warning
def disables_trigger(fact: DisablesTrigger, so_far: SoFar) -> str | None:
    if so_far.created(fact.table):
        return None
    which = "All triggers" if fact.trigger in {"ALL", "USER"} else f"Trigger `{fact.trigger}`"
    return f"{which} of `{short_name(fact.table)}` no longer {'fire' if fact.trigger in {'ALL', 'USER'} else 'fires'}, for anybody."
