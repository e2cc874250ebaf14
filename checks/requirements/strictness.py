"""What the rule `not-checked` hears of: an item of the checklist that could not be checked, under a strict policy."""

from collections.abc import Iterable
from dataclasses import dataclass

from checks.facts import Fact, Place
from checks.report import ChecklistItem


@dataclass(frozen=True, kw_only=True, slots=True)
class NotChecked(Fact):
    """An item whose state is unknown, and why."""

    title: str
    why: str


def facts(checklist: Iterable[ChecklistItem], path: str, *, strict: bool) -> list[NotChecked]:
    """One fact for each unknown item, standing on `path`; none unless the policy is strict."""
    if not strict:
        return []
    return [NotChecked(place=Place(path=path), title=i.title, why=i.why) for i in checklist if i.state == "unknown"]
