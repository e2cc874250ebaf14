"""Puts the steps of a difference in an order that PostgreSQL accepts and people can follow."""

from checks.catalog.statements import decide, links, say
from checks.catalog.statements.decisions import Decisions
from checks.catalog.statements.model import Statement
from checks.catalog.statements.plan import Plan
from checks.catalog.statements.steps import Step, ordered, priority
from checks.catalog.tables import Constraint

_SEPARABLE = {"default", "constraint", "trigger", "policy", "rule", "index"}
_REBUILDABLE = {"view", "function", "policy", "default"}


def arrange(done: Decisions) -> list[Statement]:
    """All statements, in order."""
    plan = Plan(done)
    order = _order(plan)
    while order is None:  # steps waited for each other; each time round there is less of it
        order = _order(plan)
    return [statement for step in order for statement in say.say(plan, step)]


def _foreign(plan: Plan, step: Step) -> bool:
    """A foreign key, which most circles are made of."""
    found = plan.a.objects.get(step[1]) or plan.b.objects[step[1]]
    return isinstance(found, Constraint) and found.contype == "f"


def _order(plan: Plan) -> list[Step] | None:
    """The steps in order; None where a circle had to be taken apart first."""
    plan.collect()
    links.connect(plan)
    order, stuck = ordered(plan.steps, plan.before)
    if not stuck:
        return order
    loose = {
        step
        for step, host in plan.along.items()
        if host in stuck and step not in plan.separate and step[1][0] in _SEPARABLE
    }
    if loose:  # what CREATE TABLE or DROP TABLE would do at once
        plan.separate |= {step for step in loose if _foreign(plan, step)} or loose
        return None
    rebuilt = [key for verb, key in stuck if verb == "alter" and key[0] in _REBUILDABLE]
    if rebuilt:
        decide.rebuild(plan.done, rebuilt)
        return None
    return order + sorted(stuck, key=priority)
