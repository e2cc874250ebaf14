"""What an object literal gives: its pairs, spreads, methods and accessors."""

from typing import TYPE_CHECKING

from checks.typescript import literals, syntax
from checks.typescript.scopes import Closure, Namespace, Scope
from checks.typescript.syntax import Node
from checks.typescript.values import Record, Thing, Unknown, Value, text_of

if TYPE_CHECKING:
    from checks.typescript.evaluate import Evaluator


def make(ev: "Evaluator", node: Node, scope: Scope) -> Value:  # noqa: C901 - one case a kind of member
    """The object of a literal; what is not known of it is its hole."""
    record = Record()
    for child in node.named_children:
        kind = child.type
        if kind == "pair":
            pair = child.children
            key, value = pair[0], pair[-1]
            if len(pair) < 3 or value.type == "comment":
                key, value = child.child_by_field_name("key"), child.child_by_field_name("value")
            if key is None or value is None:
                continue
            name = key_of(ev, key, scope)
            if isinstance(name, Unknown):
                record.hole = record.hole or name
            elif name == "__proto__" and key.type != "computed_property_name":
                record.hole = ev.site(child, scope).unknown("`__proto__` is not followed")
            else:
                record[name] = ev.value(value, scope)
        elif kind == "shorthand_property_identifier":
            record[syntax.text(child)] = ev.named(child, scope)
        elif kind == "spread_element":
            _spread_into(ev, record, child, scope)
        elif kind == "method_definition":
            _method(ev, record, child, scope)
        elif kind != "comment":
            record.hole = ev.site(child, scope).unknown("is not TypeScript that is understood")
    return record


def _spread_into(ev: "Evaluator", record: Record, node: Node, scope: Scope) -> None:
    value = ev.value(node.named_children[-1], scope)
    if isinstance(value, Record):
        value = value.plain(ev.site(node, scope))
        for name in value.names():
            record[name] = value[name]
        record.hole = record.hole or value.hole
    elif value.__class__ is Namespace:
        for name in value.names():
            record[name] = value.get(name)
    elif value.__class__ is list:
        record.update((str(index), item) for index, item in enumerate(value))
    elif isinstance(value, Thing):
        spread = value.member("...", ev.site(node, scope))
        if isinstance(spread, Record):
            record.update(spread)
        else:
            record.hole = ev.site(node, scope).unknown("cannot be spread")
    elif value.__class__ is Unknown:
        record.hole = record.hole or value
    elif isinstance(value, str):
        record.update((str(index), item) for index, item in enumerate(value))


def _method(ev: "Evaluator", record: Record, node: Node, scope: Scope) -> None:
    key = node.child_by_field_name("name")
    name = key_of(ev, key, scope) if key is not None else None
    words = {child.type for child in node.children}
    if not isinstance(name, str):
        record.hole = ev.site(node, scope).unknown("is a method with a computed name")
    elif "get" in words:
        record.get_by(name, lambda this, at: ev.call(Closure(node, scope, name, this), [], at), ev.site(node, scope))
    elif words & {"set", "*", "async"}:
        record[name] = ev.site(node, scope).unknown(f"`{name}` is a setter or not a plain method")
    else:
        record[name] = Closure(node, scope, name)


def key_of(ev: "Evaluator", node: Node, scope: Scope) -> str | Unknown:
    """The name of a property."""
    kind = node.type
    if kind == "property_identifier":
        return syntax.text(node)
    if kind == "string":
        return literals.string(node)
    value = ev.value(node.named_children[0] if kind == "computed_property_name" else node, scope)
    if value.__class__ is Unknown:
        return value
    text = text_of(value)
    return ev.site(node, scope).unknown("is a computed name") if text is None else text
