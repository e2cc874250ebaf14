"""What is not known to run: everything that it may change is unknown from then on."""

from collections.abc import Iterator
from dataclasses import replace

from checks.typescript import literals, syntax
from checks.typescript.scopes import Scope
from checks.typescript.syntax import Node
from checks.typescript.values import UNDEFINED, Record, Unknown, Value


class Leave(Exception):  # noqa: N818 - how a statement ends its function or loop
    """`return`, `break` or `continue`."""

    def __init__(self, kind: str, value: Value = UNDEFINED, *, unsure: bool = False) -> None:
        super().__init__(kind)
        self.kind = kind
        self.value = value
        self.unsure = unsure  # whether it may as well not leave here


def unsure(node: Node, scope: Scope, unknown: Unknown) -> None:
    """Not known whether or how often `node` runs: a function's result is unknown, and so is all that it may change."""
    unknown = Unknown(unknown.path, unknown.line, unknown.why)
    pending, leaves = [node], False
    while pending:
        item = pending.pop()
        for name in changed_by(item):
            assign_name(scope, name, unknown, spoiled=True)
        leaves = leaves or item.type in {"return_statement", "throw_statement"}
        pending += item.named_children
    if leaves and scope.parent is not None:
        raise Leave("return", unknown, unsure=True)


def cut_short(body: Node, scope: Scope, unknown: Unknown) -> None:
    """Not known how far `body` runs: whatever it may change is unknown, but for what is its own."""
    own: set[str] = set()
    changed: set[str] = set()
    pending = [body]
    while pending:
        item = pending.pop()
        if item.type == "variable_declarator":
            pattern = item.child_by_field_name("name")
            own.update(() if pattern is None else literals.bound(pattern))
        changed.update(changed_by(item))
        pending += item.named_children
    for name in changed:
        if name in scope.names or name not in own:
            assign_name(scope, name, unknown, spoiled=True)


def spoil(value: Value, unknown: Unknown, depth: int = 0) -> None:
    """Make everything unknown that an object or array holds: it may have been changed."""
    if depth > 3 or unknown is value:
        return
    inside = list(value.values()) if isinstance(value, Record) else value if value.__class__ is list else []
    for item in inside:
        spoil(item, unknown, depth + 1)
    if isinstance(value, Record):
        value.hole, value.getters = unknown, None
        value.update(dict.fromkeys(value, unknown))
    elif value.__class__ is list:
        value[:] = [replace(unknown, many=True)]


def changed_by(node: Node) -> Iterator[str]:
    """The name that a node assigns to, or calls a method of."""
    target: Node | None = None
    if node.type in {"assignment_expression", "augmented_assignment_expression"}:
        target = node.child_by_field_name("left")
    elif node.type == "update_expression":
        target = node.child_by_field_name("argument")
    elif node.type == "call_expression":
        target = node.child_by_field_name("function")
        if target is not None and syntax.text(target) == "Object.assign":
            arguments = node.child_by_field_name("arguments")
            target = arguments.named_children[0] if arguments is not None and arguments.named_children else None
        elif target is not None and target.type == "identifier":
            target = None
    while target is not None and target.type not in {"identifier", "object_pattern", "array_pattern", "this"}:
        target = target.child_by_field_name("object") or target.child_by_field_name("function")
    if target is not None and target.type == "this":
        yield "this"
    elif target is not None:
        yield from literals.bound(target)


def assign_name(scope: Scope, name: str, value: Value, *, spoiled: bool = False) -> None:
    """Assign to a variable, wherever it was declared; `spoiled`: what it held may have been changed, too."""
    here = scope
    while here.parent is not None:
        if name in here.names:
            if spoiled:
                spoil(here.names[name], value)
            here.names[name] = value
            return
        here = here.parent
    here.module.assign(name, value, spoiled=spoiled)
