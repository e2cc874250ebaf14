"""SET NOT NULL reads the whole table while reads and writes wait, and fails on the first NULL.

The proof runs under an `AccessExclusiveLock`.

```sql bad
ALTER TABLE users ALTER COLUMN nickname SET NOT NULL;
```

Three releases make it painless: a `CHECK (… IS NOT NULL) NOT VALID`, then `VALIDATE CONSTRAINT`, which lets others
read and write, then `SET NOT NULL`, which PostgreSQL takes from the validated constraint without a look at the rows.

```sql good
ALTER TABLE users ADD CONSTRAINT users_nickname_set CHECK (nickname IS NOT NULL) NOT VALID;
```

```sql good
-- `phone` has had a validated CHECK (phone IS NOT NULL) since the release before.
ALTER TABLE users ALTER COLUMN phone SET NOT NULL;
```
"""

from checks.facts import SetsNotNull
from checks.rules import warning
from checks.so_far import short_name, waits


@warning
def sets_not_null(fact: SetsNotNull) -> str:
    return f"Making `{short_name(fact.table)}.{fact.column}` NOT NULL reads every row while {waits(fact.mode)} wait, and fails on the first NULL."
