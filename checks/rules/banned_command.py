"""A push changes the database past its migrations, so that no file says what the database is.

`drizzle-kit push` compares the schema file with a live database and alters it there and then. Nothing is written down: the next
`migrate` meets tables that are there already, or a tracking table that is not, and no other environment ever gets the change.

```json bad
{ "scripts": { "db:push": "drizzle-kit push" } }
```
Write the change as a migration and run that: `drizzle-kit generate`, read the SQL, then the migrate command of the policy
(`commands.migrate`). `bulletproof init --scripts` puts the right commands into package.json.

A database that lives for one test run may be pushed to: give it a URL on localhost in the CI job, or call the script a
test's.

```json good
{ "scripts": { "db:generate": "drizzle-kit generate", "db:migrate": "bulletproof db migrate" } }
```
"""

from checks.rules import Said, error
from checks.ways.facts import BannedCommand


@error
def banned_command(fact: BannedCommand) -> Said:
    """Whatever leads to a banned command, through however many scripts."""
    through = f" through {' → '.join(f'`{name}`' for name in fact.through)}" if fact.through else ""
    says = f"{fact.where[:1].upper()}{fact.where[1:]} runs `{fact.banned}`{through}"
    if fact.command not in {fact.banned, ""}:
        says += f" (`{fact.command}`)"
    message = f"{says}: it changes a database past its migrations."
    return Said(
        message,
        severity="note" if fact.inferred else None,
        help=f"Use `{fact.migrate}` instead: generate a migration, read it, run it.",
    )
