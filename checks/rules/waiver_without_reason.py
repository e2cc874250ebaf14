"""A waiver without a reason tells the next reader nothing.

Whoever meets it later cannot know whether it still holds. It excuses nothing until it says why.

Write the reason behind the colon: `-- migrate:allow drops-column: no release since 4.2 reads it`.
"""

from checks.facts import WaiverWithoutReason
from checks.rules import warning


@warning
def waiver_without_reason(fact: WaiverWithoutReason) -> str:
    return f"The waiver of `{fact.rule}` gives no reason, so it excuses nothing."
