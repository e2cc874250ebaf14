"""A SECURITY DEFINER function without a search_path of its own runs whatever its caller puts in the way.

It runs with its owner's rights but looks names up along the caller's path: a function or table of the same name in
the caller's schema is taken instead.

```sql bad
CREATE FUNCTION admin_count() RETURNS bigint LANGUAGE sql SECURITY DEFINER AS 'SELECT count(*) FROM public.users';
```

Fix the path, and name schemas.

```sql good
CREATE FUNCTION admin_count() RETURNS bigint LANGUAGE sql SECURITY DEFINER SET search_path = '' AS 'SELECT count(*) FROM public.users';
```
"""

from checks.facts import UnsafeFunction
from checks.rules import warning
from checks.so_far import short_name


@warning
def unsafe_function(fact: UnsafeFunction) -> str:
    return f"`{short_name(fact.name)}` runs with its owner's rights but looks names up where its caller says."
