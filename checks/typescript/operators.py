"""What operators give: of their sides only those are evaluated that JavaScript evaluates."""

from dataclasses import replace
from typing import TYPE_CHECKING

from checks.typescript import arithmetic, functions
from checks.typescript.scopes import Scope
from checks.typescript.syntax import Node
from checks.typescript.values import UNDEFINED, Unknown, Value, truthy

if TYPE_CHECKING:
    from checks.typescript.evaluate import Evaluator


def ternary(ev: "Evaluator", node: Node, scope: Scope) -> Value:
    """`a ? b : c`."""
    condition = node.child_by_field_name("condition")
    chosen = truthy(ev.value(condition, scope)) if condition is not None else UNDEFINED
    if isinstance(chosen, Unknown):
        return chosen if not chosen.inert else replace(chosen, inert=False)
    branch = node.child_by_field_name("consequence" if chosen else "alternative")
    return UNDEFINED if branch is None else ev.value(branch, scope)


def binary(ev: "Evaluator", node: Node, scope: Scope) -> Value:
    """`a + b`, `a && b`, `a ?? b` and all others between two."""
    pending: list[tuple[str, Node]] = []
    while node.type == "binary_expression":  # a long sum leans to the left: no recursion for it
        left, right = node.child_by_field_name("left"), node.child_by_field_name("right")
        operator = node.child_by_field_name("operator")
        if left is None or right is None or operator is None:
            return ev.site(node, scope).unknown("is not TypeScript that is understood")
        pending.append((operator.type, right))
        node = left
    value = ev.value(node, scope)
    for operator, right in reversed(pending):
        value = _operate(ev, operator, value, right, scope)
    return value


def _operate(ev: "Evaluator", operator: str, left: Value, right: Node, scope: Scope) -> Value:
    if operator in {"&&", "||"}:
        chosen = truthy(left)
        if isinstance(chosen, Unknown):
            return chosen if not chosen.inert else replace(chosen, inert=False)
        return ev.value(right, scope) if chosen == (operator == "&&") else left
    if operator == "??":
        if left.__class__ is Unknown:
            return left
        return ev.value(right, scope) if left is None or left is UNDEFINED else left
    return arithmetic.binary(operator, left, ev.value(right, scope), ev.site(right, scope))


def unary(ev: "Evaluator", node: Node, scope: Scope) -> Value:
    """`!a`, `-a`, `typeof a`, `delete a.b`."""
    operator, argument = node.child_by_field_name("operator"), node.child_by_field_name("argument")
    if operator is None or argument is None:
        return ev.site(node, scope).unknown("is not TypeScript that is understood")
    if operator.type == "delete":
        return functions.delete(ev, argument, scope)
    return arithmetic.unary(operator.type, ev.value(argument, scope), ev.site(node, scope))
