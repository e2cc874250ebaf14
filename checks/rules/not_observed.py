"""A statement ran, but what it did was not seen in full.

Its locks, rewrites and scans may be more than the report lists: it was sent as one query with its neighbours, came to
more tables than can be watched, or ended the session that watched it.

```text bad
a chunk of several statements on a driver that sends each chunk as one query
```

Put one statement into each chunk (`--> statement-breakpoint` between them), so that each is seen by itself.

```text good
one statement in each chunk
```
"""

from checks.facts import NotObserved
from checks.rules import note


@note
def not_observed(fact: NotObserved) -> str:
    return f"What this statement does was not seen in full: {fact.why}."
