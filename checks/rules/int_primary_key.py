"""A primary key of type integer is used up after two thousand million rows.

Inserts fail from then on, and changing the type by then rewrites the largest table there is.

```sql bad
CREATE TABLE notes (id serial PRIMARY KEY, body text);
```

Use bigint, which costs nothing while the table is new: `bigint("id", { mode: "number"
}).primaryKey().generatedAlwaysAsIdentity()`.

```sql good
CREATE TABLE notes (id bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY, body text);
```
"""

from checks.facts import CreatesTable
from checks.rules import note
from checks.so_far import short_name

SMALL = {
    "integer": "2,147,483,647",
    "serial": "2,147,483,647",
    "smallint": "32,767",
    "smallserial": "32,767",
}


@note
def int_primary_key(fact: CreatesTable) -> str | None:
    key = fact.primary_key or ()
    if len(key) != 1 or key[0][1] not in SMALL or fact.temporary:
        return None
    return f"`{short_name(fact.table)}.{key[0][0]}` is {key[0][1]}: it is used up after {SMALL[key[0][1]]} rows."
