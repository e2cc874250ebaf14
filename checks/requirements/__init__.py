"""The policy's checklist: one file an item, each with its title, its page, and its judgement of the evidence."""

from collections.abc import Callable
from importlib import import_module
from typing import cast

from checks.report import ChecklistItem
from checks.requirements.evidence import Evidence, Outcome

__all__ = ["IDS", "Evidence", "Outcome", "checklist", "page"]

IDS = (
    "schema-in-place",
    "migration-generated",
    "migration-reviewed",
    "migration-tested",
    "committed-together",
    "no-banned-commands",
    "standard-connection",
    "tracking-untouched",
    "history-linear",
)


def checklist(evidence: Evidence) -> tuple[ChecklistItem, ...]:
    """All nine items in the policy's order. What could not be checked is `unknown`, never `met`."""
    return tuple(_item(each, evidence) for each in IDS)


def page(item: str) -> str:
    """What an item asks for, as people read it."""
    return (import_module(_module(item)).__doc__ or "").strip()


def _item(item: str, evidence: Evidence) -> ChecklistItem:
    module = import_module(_module(item))
    judge = cast("Callable[[Evidence], Outcome]", getattr(module, item.replace("-", "_")))
    outcome = judge(evidence)
    why_not = evidence.unknown.get(item)
    if why_not is not None and outcome.state in {
        "met",
        "not-applicable",
    }:  # a finding stands, whatever else was not seen
        outcome = Outcome("unknown", why_not)
    return ChecklistItem(id=item, title=str(module.TITLE), state=outcome.state, why=outcome.why)


def _module(item: str) -> str:
    return f"{__name__}.{item.replace('-', '_')}"
