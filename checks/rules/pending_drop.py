"""A column left the schema file and is still in the database.

That is the safe order: first the release that no longer names the column, then its drop. Until the drop is written it is
listed here, so that it is not forgotten.

```text bad
schema.ts no longer declares users.nickname; no migration drops it
```

When the code without it is live everywhere, write the drop: `/migrate generate --drop users.nickname`.

```text good
schema.ts no longer declares users.nickname; a later release drops it in 0009_drop_nickname.sql
```
"""

from checks.inequalities import PendingDrop
from checks.rules import note


@note
def pending_drop(fact: PendingDrop) -> str:
    return f"`{fact.table}.{fact.column}` left the schema file and stays in the database until its drop is generated."
