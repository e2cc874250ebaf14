"""The last snapshot describes another database than the migrations build.

`drizzle-kit generate` compares the schema file with this snapshot, not with a database: from a wrong snapshot it writes
a migration that repeats or undoes something.

Generate the migration anew instead of editing its SQL or its snapshot by hand: `drizzle-kit generate`.
"""

from checks.equality import SnapshotDiffers
from checks.rules import warning


@warning
def snapshot_differs(fact: SnapshotDiffers) -> str:
    what = ", ".join(fact.what[:4]) + (f" and {len(fact.what) - 4} more" if len(fact.what) > 4 else "")
    return f"The last snapshot says otherwise of `{fact.table}` than the migrations do: {what}."
