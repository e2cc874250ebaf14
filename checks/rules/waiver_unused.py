"""A waiver that excuses nothing hides the next finding of that rule.

What it excused was mended, or it stands above the wrong statement.

Take it out, or put it right above the statement that it is about.
"""

from checks.facts import WaiverUnused
from checks.rules import note


@note
def waiver_unused(fact: WaiverUnused) -> str:
    return f"The waiver of `{fact.rule}` excuses nothing here."
