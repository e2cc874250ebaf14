"""A wide grant gives away more than the code needs.

`PUBLIC` is every role there is and will be, `ALL` includes `TRUNCATE` and `TRIGGER`, and a grant option can be passed
on.

```sql bad
GRANT ALL ON users TO PUBLIC;
```

Name the role and what it needs.

```sql good
GRANT SELECT, INSERT ON users TO current_user;
```
"""

from checks.facts import WidensGrant
from checks.rules import warning
from checks.so_far import short_name


@warning
def widens_grant(fact: WidensGrant) -> str:
    return f"{fact.privileges} on `{short_name(fact.what)}` is granted to {fact.to}."
