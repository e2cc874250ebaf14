"""The policy is strict, and something of the checklist could not be checked.

Without `strict: true` an unknown item is said and does not block; with it, unknown is not good enough.

```text bad
strict: true, and a table of schema.ts whose name is computed from the environment
```

Mend what keeps it from being checked, as the item says, or take `strict: true` out of the policy on base.

```text good
strict: true, and every table of schema.ts has a name that can be read
```
"""

from checks.requirements.strictness import NotChecked
from checks.rules import error


@error
def not_checked(fact: NotChecked) -> str:
    return f"“{fact.title}” could not be checked: {fact.why}"
