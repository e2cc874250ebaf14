"""Locks last until the migrator's transaction ends, so others wait for every statement after the one that took them.

Drizzle runs all pending migrations in one transaction. A lock of the first file is held through the last statement of
the last file, and a queue of queries grows behind it. It is worst where something slow comes later.

```sql setup
ALTER TABLE orders ADD CONSTRAINT orders_amount_small CHECK (amount < 1000000) NOT VALID;
```

```sql bad
ALTER TABLE users ADD COLUMN locale text;
ALTER TABLE orders VALIDATE CONSTRAINT orders_amount_small;
```

Put what is slow first, or into a release of its own, and what locks last.

```sql good
ALTER TABLE orders VALIDATE CONSTRAINT orders_amount_small;
ALTER TABLE users ADD COLUMN locale text;
```
"""

from checks.facts import HoldsLocks
from checks.rules import Said, warning
from checks.so_far import short_name

# A lock that is held through few quick statements is every migration's life; through many it is worth a note.
MANY = 8


@warning
def holds_locks(fact: HoldsLocks) -> str | Said | None:
    tables = sorted(fact.tables, key=lambda table: (table[2], table[0]))
    (table, what, first), *others = tables
    statements = fact.last - first + 1
    if not fact.slow and statements < MANY:
        return None
    end = "the end" if fact.at_end else f"statement {fact.last}"
    more = f", those of {_list([f'`{short_name(other)}`' for other, _, _ in others])} meanwhile, too" if others else ""
    slow = f"; {_list(list(fact.slow))}" if fact.slow else ""
    message = f"{what[:1].upper()}{what[1:]} {'to' if what == 'writes' else 'of'} `{short_name(table)}` wait from statement {first} to {end}, {statements} statements{more}{slow}."
    return Said(message, severity="warning" if fact.slow else "note")


def _list(words: list[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
