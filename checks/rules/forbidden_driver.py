"""Two drivers are two pools and two ideas of a transaction, and what one of them sees the other does not.

A script that connects another way than the application meets other time-outs, other TLS settings and other pooling. It works on the
machine it was written on, and the error it makes elsewhere ("table doesn't exist") says nothing of the reason.

```typescript bad
import { drizzle } from "drizzle-orm/node-postgres";
```
Import the connection from the standard module (`connection.module` of the policy). Types may come from anywhere: `import type`.

```typescript good
import { db } from "@/lib/database/connection-standard";
import type { NodePgDatabase } from "drizzle-orm/node-postgres";
```
"""

from checks.rules import Said, error
from checks.ways.facts import ForbiddenDriver


@error
def forbidden_driver(fact: ForbiddenDriver) -> Said:
    """An import that brings a second driver in; types do not count."""
    beside = f" beside `{fact.standard}`" if fact.standard and fact.standard != fact.driver else ""
    guess = ", which looks like the standard here" if beside and fact.inferred else ""
    message = f"`{fact.driver}` is a second way to connect{beside}{guess}."
    way = f"Import the connection from `{fact.module}`." if fact.module else None
    return Said(message, severity="note" if fact.inferred else None, help=way)
