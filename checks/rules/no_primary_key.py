"""A table without a primary key has rows that nobody can point at.

Logical replication cannot update or delete them, and two equal rows stay two for ever.

```sql bad
CREATE TABLE notes (body text);
```

Give it a key: an identity column, or the columns that tell its rows apart.

```sql good
CREATE TABLE notes (id bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY, body text);
```
"""

from checks.facts import CreatesTable
from checks.rules import note
from checks.so_far import short_name


@note
def no_primary_key(fact: CreatesTable) -> str | None:
    if fact.primary_key != () or fact.temporary:
        return None
    return f"`{short_name(fact.table)}` has no primary key: nothing can point at one of its rows."
