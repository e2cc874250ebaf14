"""Binds names: parameters with defaults, destructuring of objects and arrays, assignments."""

from typing import TYPE_CHECKING

from checks.typescript import members, object_literals, syntax
from checks.typescript.scopes import Scope
from checks.typescript.syntax import Node
from checks.typescript.values import UNDEFINED, Record, Unknown, Value

if TYPE_CHECKING:
    from checks.typescript.evaluate import Evaluator


def parameters(ev: "Evaluator", function: Node, args: list[Value], scope: Scope) -> None:
    """Bind the parameters of a function to arguments."""
    single = function.child_by_field_name("parameter")
    if single is not None:  # `x => …`
        bind(ev, single, args[0] if args else UNDEFINED, scope)
        return
    listed = function.child_by_field_name("parameters")
    spread = next((i for i, arg in enumerate(args) if arg.__class__ is Unknown and arg.many), None)
    index = 0
    for node in [] if listed is None else listed.named_children:
        if node.type not in {"required_parameter", "optional_parameter"}:
            continue
        pattern, default = node.child_by_field_name("pattern"), node.child_by_field_name("value")
        if pattern is None or pattern.type == "this":
            continue
        if pattern.type == "rest_pattern":
            bind(ev, pattern.named_children[0], args[index:], scope)
            return
        given = args[index] if index < len(args) else UNDEFINED
        if spread is not None and index >= spread:
            given = args[spread]
        if given is UNDEFINED and default is not None:
            given = ev.value(default, scope)
        bind(ev, pattern, given, scope)
        index += 1


def bind(ev: "Evaluator", pattern: Node, value: Value, scope: Scope) -> None:
    """Declare the names of a pattern in `scope`."""
    kind = pattern.type
    if kind in {"identifier", "shorthand_property_identifier_pattern"}:
        scope.names[syntax.text(pattern)] = value
    elif kind == "object_pattern":
        _object(ev, pattern, value, scope)
    elif kind == "array_pattern":
        _array(ev, pattern, value, scope)
    elif kind in {"assignment_pattern", "object_assignment_pattern"}:
        left, right = pattern.child_by_field_name("left"), pattern.child_by_field_name("right")
        if left is not None and right is not None:
            bind(ev, left, ev.value(right, scope) if value is UNDEFINED else value, scope)


def _object(ev: "Evaluator", pattern: Node, value: Value, scope: Scope) -> None:
    taken: set[str] = set()
    site = ev.site(pattern, scope)
    for node in pattern.named_children:
        kind = node.type
        if kind == "rest_pattern":
            rest = Record()
            spread = members.spread(value, site)
            if isinstance(spread, Record):
                rest.update((name, spread[name]) for name in spread.names() if name not in taken)
                rest.hole = spread.hole
            else:
                rest.hole = spread
            bind(ev, node.named_children[0], rest, scope)
            continue
        if kind == "pair_pattern":
            key, target = node.child_by_field_name("key"), node.child_by_field_name("value")
        else:
            key, target = node, node
            if kind == "object_assignment_pattern":
                key = node.child_by_field_name("left")
        if key is None or target is None:
            continue
        name = object_literals.key_of(ev, key, scope) if kind == "pair_pattern" else syntax.text(key)
        if isinstance(name, Unknown):
            bind(ev, target, name, scope)
            continue
        taken.add(name)
        bind(ev, target, members.get(ev, value, name, site), scope)


def _array(ev: "Evaluator", pattern: Node, value: Value, scope: Scope) -> None:
    site = ev.site(pattern, scope)
    items = members.items(value)
    index = 0
    for node in pattern.children:
        if node.type == ",":
            index += 1
        elif node.type == "rest_pattern":
            rest = items[index:] if items is not None else [Unknown(site.path, site.line, "is not known", many=True)]
            bind(ev, node.named_children[0], rest, scope)
        elif node.is_named and node.type != "comment":
            bind(ev, node, members.get(ev, value if items is None else items, index, site), scope)


def store(ev: "Evaluator", target: Node, value: Value, scope: Scope) -> None:
    """Assign to a name, a property, or the places of a pattern."""
    from checks.typescript import functions  # noqa: PLC0415 - statements and patterns need each other

    while target.type in {"non_null_expression", "parenthesized_expression", "as_expression"}:
        target = target.named_children[0]
    kind = target.type
    if kind == "identifier":
        functions.assign_name(scope, syntax.text(target), value)
    elif kind in {"member_expression", "subscript_expression"}:
        owner_node = target.child_by_field_name("object")
        owner = UNDEFINED if owner_node is None else ev.value(owner_node, scope)
        name_node = target.child_by_field_name("property" if kind == "member_expression" else "index")
        if name_node is None:
            return
        name = syntax.text(name_node) if kind == "member_expression" else ev.value(name_node, scope)
        functions.set_member(ev, owner, name, value, ev.site(target, scope))
    else:
        inner = Scope(scope.module, scope)
        bind(ev, target, value, inner)
        for name, item in inner.names.items():
            functions.assign_name(scope, name, item)
