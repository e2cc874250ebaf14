"""Reading a whole table under its strongest lock, to prove a claim, stops reads and writes.

`ATTACH PARTITION` reads the table that it attaches, and whatever the default partition holds, and nobody may read or
write them meanwhile. A primary key from an index over columns that may be NULL reads them all, too.

```sql bad
ALTER TABLE metrics ATTACH PARTITION metrics_2030 FOR VALUES FROM ('2030-01-01') TO ('2031-01-01');
```

Prove it before: a `CHECK` constraint that says the same, added `NOT VALID` in one release and validated in the next,
spares the scan.

```sql good
ALTER TABLE metrics_2031 ADD CONSTRAINT metrics_2031_year CHECK (at IS NOT NULL AND at >= '2031-01-01' AND at < '2032-01-01') NOT VALID;
```
"""

from checks.facts import ScansTable
from checks.rules import warning
from checks.so_far import named, waits


@warning
def scans_table(fact: ScansTable) -> str:
    return f"{fact.why[:1].upper()}{fact.why[1:]} reads all of {named(fact)} while {waits(fact.mode)} wait."
