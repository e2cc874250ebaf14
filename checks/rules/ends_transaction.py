"""A migration that ends the migrator's transaction leaves half of the work behind when it fails.

After `COMMIT`, each statement stands alone. If one fails, those before it stay, nothing is recorded, and the next run
fails on what is already there.

```sql bad
ALTER TABLE users ADD COLUMN locale text;
COMMIT;
ALTER TABLE users ADD COLUMN zone text;
```

Leave the transaction to the migrator. What refuses a transaction is run by hand before the release.

```sql good
ALTER TABLE users ADD COLUMN locale text;
ALTER TABLE users ADD COLUMN zone text;
```
"""

from checks.facts import EndsTransaction
from checks.rules import warning


@warning
def ends_transaction(fact: EndsTransaction) -> str:
    return f"`{fact.verb}` ends the migrator's transaction: what follows stands alone, and a failure leaves half of it behind."
