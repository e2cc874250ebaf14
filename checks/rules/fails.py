"""The migration does not run.

It was run on a database that has everything which the migrations before it made, in the way the migrator will run it,
and PostgreSQL refused.

```sql bad
ALTER TABLE users ADD COLUMN email text;
```

Mend the migration, or generate it anew from the schema.

```sql good
ALTER TABLE users ADD COLUMN IF NOT EXISTS email text;
```
"""

from checks.facts import Fails
from checks.rules import Said, error


@error
def fails(fact: Fails) -> str | Said | None:
    if not fact.complete:
        return Said(
            f"It could not be run here: {fact.message} ({fact.sqlstate}).",
            severity="note",
            help="The branch database lacks something that this needs, so the failure says nothing of the migration. `branch.extensions` in the policy file names extensions, `--database URL` another server.",
        )
    if fact.from_zero:
        said = f"New databases cannot be made any more: on an empty one the whole chain fails here. {fact.message[:1].upper()}{fact.message[1:]} ({fact.sqlstate})."
        return Said(
            said,
            severity="warning",
            help="A database that grew with the chain runs it; a new developer's, a preview's or CI's does not, because Drizzle runs the whole chain in one transaction.",
        )
    half = " What ran before it stays, unrecorded." if fact.half_applied else ""
    said = f"{fact.message[:1].upper()}{fact.message[1:]} ({fact.sqlstate}).{half}"
    way_out = next((way for sign, way in _SIGNS if sign in f"{fact.message} ({fact.sqlstate})"), None)
    return Said(said, help=way_out) if way_out else said


# What the message does not say by itself.
_SIGNS = (
    (
        'at or near "\ufeff',
        "The file begins with a byte order mark, which cannot be seen and which PostgreSQL takes for a part of the first word: save it as UTF-8 without one.",
    ),
    (
        'at or near "\\"',
        "What begins with a backslash is a command of psql. Migrations are sent to the server, which knows SQL alone: take it out, or write what it does as SQL.",
    ),
    (
        "its time was up",
        "It did not end in the time that a review has, on tables with hardly a row. Look for a loop without an end, a wait for a lock, or rows made by the million; such work belongs in a script of its own.",
    ),
    (
        "too much room on disk",
        "It wrote more than a review has room for, on tables with hardly a row. Look for a loop without an end, or rows made by the million; such work belongs in a script of its own.",
    ),
)
