"""Two migrations claim the same place, so one of them is lost or runs in an order nobody tested.

Two branches generated a migration each from the same state. Both took the next number; their snapshots continue the same parent; one
snapshot file overwrites the other, and the next `generate` starts from a schema that lacks half of the changes.

```text bad
on base:  0008_invoices.sql  idx 8
in head:  0008_refunds.sql   idx 8
```
Put the pull request's migrations behind base's: `bulletproof sync`, or a comment `/migrate sync`, renumbers files, journal and
snapshots and touches nothing on base.

```text good
on base:  0008_invoices.sql  idx 8
in head:  0009_refunds.sql   idx 9
```
"""

from checks.drizzle.history import NumberCollision
from checks.rules import Said, error


@error
def number_collision(fact: NumberCollision) -> str | Said:
    """One place in the chain, two migrations."""
    other = f"base's `{fact.other}`" if fact.with_base else f"`{fact.other}`"
    match fact.kind:
        case "name":
            message = f"Base has another migration named `{fact.other}`: only one of the two can stay."
        case "idx":
            message = f"`{fact.tag}` and {other} both are number {fact.number} of the journal."
        case "prefix":
            message = f"`{fact.tag}` and {other} both begin with {fact.number}: they share one snapshot file."
        case "parent":
            message = f"The snapshots of `{fact.tag}` and of {other} continue the same snapshot: each forgets what the other one changed."
    return Said(message, None if fact.introduced else "note")
