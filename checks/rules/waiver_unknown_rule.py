"""A waiver that names no rule excuses nothing.

`bulletproof rules` lists the ids.

Write the id of the rule that the finding shows: `-- migrate:allow drops-column: no release since 4.2 reads it`.
"""

from checks.facts import WaiverUnknownRule
from checks.rules import warning


@warning
def waiver_unknown_rule(fact: WaiverUnknownRule) -> str:
    return f"There is no rule `{fact.rule}`.{fact.nearest}"
