"""A connection of its own has its own URL, pool and settings, and may talk to another database than everything else does.

Migrations run on one database and the script's queries on another; or its pool takes the connections that the application needs.

```typescript bad
import { neon } from "@neondatabase/serverless";
const sql = neon(process.env.DATABASE_URL!);
```
Only the standard module opens connections (`connection.module` of the policy); everything else imports them from there.

```typescript good
import { sql } from "@/lib/database/connection-standard";
```
"""

from checks.rules import Said, error
from checks.ways.facts import NonstandardConnection


@error
def nonstandard_connection(fact: NonstandardConnection) -> Said:
    """A call that opens a connection outside the standard module."""
    module = (
        f"`{fact.module}`, which looks like the module that does"
        if fact.inferred
        else f"`{fact.module}`, the only module that may"
    )
    message = f"`{fact.call}` opens a connection outside {module}."
    return Said(
        message, severity="note" if fact.inferred else None, help=f"Import the connection from `{fact.module}`."
    )
