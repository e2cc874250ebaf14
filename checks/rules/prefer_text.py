"""A length in a column's type is a limit that is hard to change.

`varchar(50)` is stored as `text` is, and saves nothing. A shorter limit later reads the whole table, and a longer one waits for every query on it;
views that show the column have to be made anew.

```sql bad
CREATE TABLE notes (id bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY, title varchar(50));
```

Use `text`, and a CHECK where a limit is meant. This rule is silent until the policy asks for it: `rules: {prefer-text: note}`.

```sql good
CREATE TABLE notes (id bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY, title text CHECK (length(title) <= 50));
```
"""

from checks.facts import LimitsText
from checks.rules import off
from checks.so_far import short_name


@off
def prefer_text(fact: LimitsText) -> str:
    return f"`{short_name(fact.table)}.{fact.column}` is {fact.type}: a limit that is hard to change later."
