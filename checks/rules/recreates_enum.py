"""Making an enum anew rewrites every column of that type twice, and fails on rows with a value that is gone.

Drizzle does this when a value is removed or moved: the column becomes text, the type is dropped and created, the
column gets the new type. Reads and writes wait all the while.

```sql bad
ALTER TABLE users ALTER COLUMN mood SET DATA TYPE text;
ALTER TABLE users ALTER COLUMN mood SET DEFAULT 'ok'::text;
DROP TYPE mood;
CREATE TYPE mood AS ENUM ('ok', 'happy');
ALTER TABLE users ALTER COLUMN mood SET DEFAULT 'ok'::mood;
ALTER TABLE users ALTER COLUMN mood SET DATA TYPE mood USING mood::mood;
```

Leave the value in the type and forbid it where it is written: in code, or with a `CHECK` that is added `NOT VALID`.
New values go to the end of the enum, which is instant.

```sql good
ALTER TABLE users ADD CONSTRAINT users_mood_known CHECK (mood <> 'sad') NOT VALID;
```
"""

from checks.facts import RecreatesEnum
from checks.rules import warning
from checks.so_far import short_name


@warning
def recreates_enum(fact: RecreatesEnum) -> str:
    columns = ", ".join(f"`{short_name(column)}`" for column in fact.columns)
    through = f", and with it {columns}, twice" if columns else ""
    return f"Enum `{short_name(fact.enum)}` is dropped and made anew{through}: reads and writes wait, and rows with a value that is gone make it fail."
