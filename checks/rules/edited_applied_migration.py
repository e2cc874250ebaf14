"""An edited migration never runs again where it has already run, so databases drift apart without a word.

Drizzle stores a hash of each migration and never compares it. Production keeps what the old text made, a new developer's database
gets the new text, and the next migration meets two different schemas.

```text bad
0003_add_orders.sql   on base:  ALTER TABLE "orders" ADD COLUMN "total" integer;
0003_add_orders.sql   in head:  ALTER TABLE "orders" ADD COLUMN "total" numeric;
```
Put the file back as base has it and write the change as a migration of its own: `git checkout origin/main -- PATH`, then
`drizzle-kit generate`. White space, line ends and comments may change freely.

```text good
0003_add_orders.sql   as on base
0004_wide_totals.sql  ALTER TABLE "orders" ALTER COLUMN "total" SET DATA TYPE numeric;
```
"""

import shlex

from checks.drizzle.history import EditedAppliedMigration
from checks.rules import Said, error


@error
def edited_applied_migration(fact: EditedAppliedMigration) -> str | Said:
    """Databases that ran the old text never see the new one."""
    match fact.change:
        case "edited":
            return Said(
                f"`{fact.tag}` is on base already: databases that ran it never run the new text.",
                help=f"Put the file back as base has it, `git checkout origin/main -- {shlex.quote(fact.place.path)}`, and write the change as a migration of its own: `drizzle-kit generate`. White space, line ends and comments may change freely.",
            )
        case "renamed":
            return f"`{fact.tag}` is on base already and is `{fact.now}` here: the same SQL under another name is another migration."
        case "restamped":
            return f"`{fact.tag}` is on base already and has a later `when` here: databases that ran it run it a second time."
