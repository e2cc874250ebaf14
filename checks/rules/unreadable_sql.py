"""Nobody could look into this statement.

It was not run, and its text does not say what it does: it could do any of the things that the other rules are about.

```sql bad offline
DO $$ BEGIN EXECUTE 'ALTER TABLE users DROP COLUMN nickname'; END $$;
```

Review it with a database (without `--offline`), or write the statements that are meant.

```sql good offline
ALTER TABLE users ADD COLUMN locale text;
```
"""

from checks.facts import Unreadable
from checks.rules import warning


@warning
def unreadable_sql(fact: Unreadable) -> str:
    return f"No witness could look into this statement: {fact.why}."
