"""A new NOT NULL column without a default fails as soon as the table has a row.

PostgreSQL has nothing to put into the rows that are there and stops with "column contains null values" (23502). An
empty table lets it through, so it passes on a developer's machine. The old release, which does not know the column,
can no longer insert.

```sql bad
ALTER TABLE users ADD COLUMN locale text NOT NULL;
```

Give it a default: a constant, or `now()`, is instant. Or add it without NOT NULL, fill it, and set NOT NULL in a
later release.

```sql good
ALTER TABLE users ADD COLUMN locale text DEFAULT 'en' NOT NULL;
```

```sql good
ALTER TABLE users ADD COLUMN joined_at timestamptz DEFAULT now() NOT NULL;
```
"""

from checks.facts import AddsRequiredColumn
from checks.rules import warning
from checks.so_far import short_name


@warning
def adds_required_column(fact: AddsRequiredColumn) -> str:
    return f"`{short_name(fact.table)}.{fact.column}` is NOT NULL and has no default: this fails as soon as the table has a row."
