"""The last snapshot describes another database than the migrations build.

`drizzle-kit generate` compares the schema file with this snapshot, not with a database: from a wrong snapshot it writes
a migration that repeats or undoes something.

```text bad
0007_add_refunds.sql:        ALTER TABLE refunds ADD COLUMN amount integer
meta/0007_snapshot.json:     refunds.amount is bigint
```

Generate the migration anew instead of editing its SQL or its snapshot by hand: `drizzle-kit generate`.

```text good
0007_add_refunds.sql:        ALTER TABLE refunds ADD COLUMN amount bigint
meta/0007_snapshot.json:     refunds.amount is bigint
```
"""

from checks.inequalities import SnapshotDiffers
from checks.rules import Said, warning


@warning
def snapshot_differs(fact: SnapshotDiffers) -> Said:
    what = ", ".join(fact.what[:4]) + (f" and {len(fact.what) - 4} more" if len(fact.what) > 4 else "")
    said = f"The last snapshot says otherwise of `{fact.table}` than the migrations do: {what}."
    return Said(said, severity=None if fact.introduced else "note")
