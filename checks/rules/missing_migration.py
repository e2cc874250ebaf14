"""The schema file asks for something that no migration builds.

The code of the next release names it in its queries, and no database has it. The `missing_sql` of the report is what
lacks, made by comparing both on PostgreSQL.

Generate the migration (`drizzle-kit generate`), read its SQL, and commit it together with the schema file.
"""

from checks.equality import MissingMigration
from checks.rules import error


@error
def missing_migration(fact: MissingMigration) -> str:
    what = ", ".join(fact.what[:4]) + (f" and {len(fact.what) - 4} more" if len(fact.what) > 4 else "")
    return f"The schema file and the migrations differ on `{fact.table}`, and no migration says so: {what}."
