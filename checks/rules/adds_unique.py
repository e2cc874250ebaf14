"""A new unique or primary key constraint builds its index while reads and writes wait, and fails on the first duplicate.

The index is built under an `AccessExclusiveLock`, in a transaction that Drizzle keeps open to the end.

```sql bad
ALTER TABLE users ADD CONSTRAINT users_nickname_unique UNIQUE (nickname);
```

```sql bad
ALTER TABLE users ADD COLUMN handle text UNIQUE;
```

Build the index by hand before the release (it tells you of duplicates, too), and let the migration turn it into the
constraint, which is instant.

```sql good none
CREATE UNIQUE INDEX CONCURRENTLY users_nickname_unique ON users (nickname);
ALTER TABLE users ADD CONSTRAINT users_nickname_unique UNIQUE USING INDEX users_nickname_unique;
```
"""

from checks.facts import AddsUnique
from checks.rules import warning
from checks.so_far import short_name, waits

KINDS = {"unique": "unique constraint", "primary key": "primary key"}


@warning
def adds_unique(fact: AddsUnique) -> str:
    columns = f" on {', '.join(f'`{column}`' for column in fact.columns)}" if fact.columns else ""
    end = (
        ", and fails on the first duplicate" if fact.kind == "unique" else ", and fails on the first duplicate or NULL"
    )
    return f"A new {KINDS[fact.kind]}{columns} goes through all of `{short_name(fact.table)}` while {waits(fact.mode)} wait{end}."
