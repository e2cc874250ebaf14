"""The schema file asks for something that no migration builds.

The code of the next release names it in its queries, and no database has it. The `missing_sql` of the report is what
lacks, made by comparing both on PostgreSQL.

```text bad
in head:  schema.ts declares users.handle; no migration creates it
```

Generate the migration (`drizzle-kit generate`), read its SQL, and commit it together with the schema file.

```text good
in head:  schema.ts declares users.handle; 0007_add_handle.sql, its snapshot and its journal entry come with it
```
"""

from checks.inequalities import MissingMigration
from checks.rules import Said, error


@error
def missing_migration(fact: MissingMigration) -> Said:
    what = ", ".join(fact.what[:4]) + (f" and {len(fact.what) - 4} more" if len(fact.what) > 4 else "")
    said = f"The schema file and the migrations differ on `{fact.table}`, and no migration says so: {what}."
    return Said(said, severity=None if fact.introduced else "note")
