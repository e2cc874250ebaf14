"""Without row level security, whoever may read the table reads every row.

Where a client talks to the database itself (Supabase, PostgREST), that is everybody with the public key.

```sql bad
ALTER TABLE users DISABLE ROW LEVEL SECURITY;
```

```sql bad
CREATE POLICY everybody ON users FOR ALL USING (true);
```

Write a policy that says who may see which rows.

```sql good
CREATE POLICY own_row ON users FOR SELECT USING (email = current_user);
```
"""

from checks.facts import OpensRls
from checks.rules import SoFar, warning
from checks.so_far import short_name


@warning
def opens_rls(fact: OpensRls, so_far: SoFar) -> str | None:
    if so_far.created(fact.table):
        return None
    return f"`{short_name(fact.table)}`: {fact.how}."
