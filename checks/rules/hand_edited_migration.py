"""The migrations build something that neither the schema file nor the snapshot knows.

Functions, triggers, or what Drizzle cannot say belong there; the rest is better said in the schema file, because
`drizzle-kit generate` and `push` know nothing of it.

```text bad
0007_add_refunds.sql:  CREATE TABLE refunds (…); CREATE TABLE audit (…)
schema.ts and the snapshot know refunds alone
```

If Drizzle can say it, add it to the schema file and generate a migration for it.

```text good
0007_add_refunds.sql:  CREATE TABLE refunds (…)
0008_audit.sql:        CREATE FUNCTION audit() …, which Drizzle cannot say
```
"""

from checks.inequalities import HandEditedMigration
from checks.rules import note


@note
def hand_edited_migration(fact: HandEditedMigration) -> str:
    what = ", ".join(fact.what[:4]) + (f" and {len(fact.what) - 4} more" if len(fact.what) > 4 else "")
    return f"The SQL makes more than the schema file and the snapshot say: {what}."
