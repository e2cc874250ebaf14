"""A migration without statements does nothing, and is recorded as run.

What is written into it later never runs where it has already been recorded: the file that `drizzle-kit generate --custom`
makes is often committed before anybody has filled it.

```sql bad
-- Custom SQL migration file, put your code below! --
```

Write the SQL before the migration is merged, or take the migration out.

```sql good
-- Custom SQL migration file, put your code below! --
COMMENT ON TABLE users IS 'who may log in';
```
"""

from checks.facts import NoStatements
from checks.rules import note


@note
def no_statements(fact: NoStatements) -> str:
    return f"`{fact.place.migration}` has no statements: it does nothing, and what is added to it later never runs where it has run."
