"""Nobody has read the SQL that is about to run in production.

The policy asks for it (`review: {required: true}`). An approval counts for the head it was given to: new commits need a new one.

```text bad
A pull request that adds 0007_drop_orders.sql, and no approval of its head.
```
Read the SQL and what it did to the branch database, then approve the pull request, or comment `/migrate approve`.

```text good
A pull request that adds 0007_drop_orders.sql, and `/migrate approve` of its head.
```
"""

from checks.requirements.approval import UnreviewedMigration
from checks.rules import error


@error
def unreviewed_migration(fact: UnreviewedMigration) -> str:
    """A required approval that nobody gave."""
    return f"Nobody has approved `{fact.tag}` yet, and the policy requires an approval of this head."
