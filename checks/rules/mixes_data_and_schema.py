"""Changing rows while the same transaction holds a table's strongest lock makes everybody wait for the rows.

Drizzle runs all pending migrations in one transaction. After an `ALTER TABLE`, reads and writes of that table wait
until every row of the backfill is written.

```sql bad
ALTER TABLE users ADD COLUMN locale text;
UPDATE users SET locale = 'en' WHERE locale IS NULL;
```

Change the schema in this release; fill the rows in batches from a script once it is deployed. A constant needs no
backfill: a default fills old rows at once.

```sql good
ALTER TABLE users ADD COLUMN locale text DEFAULT 'en';
```
"""

from checks.facts import MixesDataAndSchema
from checks.rules import warning
from checks.so_far import short_name


@warning
def mixes_data_and_schema(fact: MixesDataAndSchema) -> str:
    return f"{fact.verb} on `{short_name(fact.table)}` runs while statement {fact.since} makes reads and writes of `{short_name(fact.locked)}` wait."
