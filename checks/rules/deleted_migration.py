"""A deleted migration is gone from every new database and stays in every old one.

Production has run it, and a developer who starts tomorrow has not: from then on the same chain makes two schemas. drizzle-orm 1.0 even
refuses to start where the database remembers a migration that has no folder.

```text bad
on base:  0006_add_orders.sql, 0007_add_refunds.sql
in head:  0006_add_orders.sql
```
Put the file and its journal entry back and undo the change with a migration of its own. A deliberate squash of the history is one
comment: `/migrate waive history REASON`.

```text good
in head:  0006_add_orders.sql, 0007_add_refunds.sql, 0008_drop_refunds.sql
```
"""

from checks.drizzle.history import DeletedMigration
from checks.rules import error


@error
def deleted_migration(fact: DeletedMigration) -> str:
    """Old databases have run it, new ones never will."""
    if fact.all_of_them:
        return f"All {fact.all_of_them} migrations of base are gone: databases that ran them cannot follow the new history."
    if fact.file_stays:
        return f"`{fact.tag}` is on base and no longer in the journal: new databases never run it, old ones have."
    return (
        f"`{fact.tag}` is on base and is deleted here: databases that ran it keep what it made, new ones never get it."
    )
