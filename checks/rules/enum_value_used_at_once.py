"""A new enum value cannot be used in the transaction that adds it.

PostgreSQL refuses with "unsafe use of new value" (55P04). Drizzle runs all pending migrations in one transaction, so
two files do not help where both are pending.

```sql bad
ALTER TYPE mood ADD VALUE 'proud';
ALTER TABLE users ALTER COLUMN mood SET DEFAULT 'proud';
```

Add the value in this release and use it in the next one, when every database has run this one.

```sql good
ALTER TYPE mood ADD VALUE 'proud';
```
"""

from checks.facts import UsesNewEnumValue
from checks.rules import error


@error
def enum_value_used_at_once(fact: UsesNewEnumValue) -> str:
    return (
        f"The new value `{fact.value}` of `{fact.enum}` is used in the transaction that adds it: this migration fails."
    )
