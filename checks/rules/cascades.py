"""CASCADE drops things that the migration does not name.

Dropping a type takes the columns of that type with it, dropping a view the views above it, dropping a schema
everything in it.

```sql bad
DROP TYPE size CASCADE;
```

Name what goes, in the order in which it goes. Without `CASCADE`, PostgreSQL refuses as long as something still
depends on it, and lists it.

```sql good
DROP TYPE size;
```
"""

from checks.facts import Cascades
from checks.rules import warning
from checks.so_far import short_name

SHOWN = 8


def listed(also: tuple[str, ...]) -> str:
    """The first of them."""
    shown = ", ".join(f"`{short_name(name)}`" for name in also[:SHOWN])
    return f"{shown} and {len(also) - SHOWN} more" if len(also) > SHOWN else shown


@warning
def cascades(fact: Cascades) -> str:
    also = (
        f": with it go {listed(fact.also)}"
        if fact.also
        else " takes everything that depends on it, named nowhere in this migration"
    )
    return f"`{fact.what}`{also}."
