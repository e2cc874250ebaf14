"""A folder that sorts before base's last one runs after it on old databases and before it on new ones.

drizzle-orm 1.0 runs every folder whose name a database does not remember, in the order of their names. Nothing is skipped; but a database
that has run base's last migration runs this one after it, and an empty database runs it first.

```text bad
on base:  20260301090000_orders/, 20260420090000_refunds/
in head:  20260415120000_invoices/  as well
```
Branches that touch different tables commute, and nothing need be done. Where they touch the same one, merge base, delete the
migration and `drizzle-kit generate` it again, so that every database runs both in one order.

```text good
on base:  20260301090000_orders/, 20260420090000_refunds/
in head:  20260502120000_invoices/  as well
```
"""

from checks.drizzle.history import OutOfOrder
from checks.rules import note


@note
def out_of_order(fact: OutOfOrder) -> str:
    """It runs everywhere, though not everywhere in the same order."""
    return f"`{fact.tag}` sorts before base's `{fact.other}`: databases that have run that one run this after it, new ones before it."
