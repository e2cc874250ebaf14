"""What is not known to run: everything that it may change is unknown from then on."""

from collections.abc import Iterator
from dataclasses import replace

from checks.typescript import literals, syntax
from checks.typescript.scopes import Closure, Scope
from checks.typescript.syntax import Node
from checks.typescript.values import UNDEFINED, Record, Unknown, Value

_FUNCTIONS = frozenset(
    {"arrow_function", "function_expression", "function_declaration", "method_definition", "class_body"}
)
_FILLING = frozenset({
    "push", "unshift", "pop", "shift", "splice", "sort", "reverse", "fill", "set", "add", "delete", "clear", "assign"
})  # fmt: skip
_LOOPS = frozenset({"for_statement", "for_in_statement", "while_statement", "do_statement", "switch_statement"})


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
    pending = [node]
    while pending:
        item = pending.pop()
        for name in changed_by(item):
            assign_name(scope, name, unknown, spoiled=True)
        for name in _handed_by(item):
            spoil(_held(scope, name), unknown)
        pending += item.named_children
    left = _ways_out(node)
    if "return" in left and scope.parent is not None:
        raise Leave("return", unknown, unsure=True)
    if left:
        raise Leave("break", unknown, unsure=True)


def _ways_out(node: Node) -> set[str]:
    """`return`, `break` and `continue` that leave what is around a statement. What it throws leaves no schema at all."""
    found: set[str] = set()
    pending = [(node, True)]
    while pending:
        item, loose = pending.pop()
        kind = item.type
        if kind == "return_statement" or (loose and kind in {"break_statement", "continue_statement"}):
            found.add(kind.partition("_")[0])
        elif kind not in _FUNCTIONS:
            loose = loose and (item is node or kind not in _LOOPS)
            pending += [(child, loose) for child in item.named_children]
    return found


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
        for name in _handed_by(item):
            spoil(_held(scope, name), unknown)
        pending += item.named_children
    for name in changed:
        if name in scope.names or name not in own:
            assign_name(scope, name, unknown, spoiled=True)


def may_run(closure: Closure, unknown: Unknown) -> None:
    """A function was handed to something that is not known, which may call it any number of times."""
    unknown = Unknown(unknown.path, unknown.line, unknown.why)
    pending = [closure.node]
    own: set[str] = set()
    changed: set[str] = set()
    while pending:
        item = pending.pop()
        if item.type in {"variable_declarator", "required_parameter", "optional_parameter"}:
            pattern = item.child_by_field_name("name") or item.child_by_field_name("pattern")
            own.update(() if pattern is None else literals.bound(pattern))
        if item.type != "call_expression" or _fills(item):
            changed.update(changed_by(item))
        pending += item.named_children
    single = closure.node.child_by_field_name("parameter")
    for name in changed - own - set(() if single is None else literals.bound(single)):
        assign_name(closure.scope, name, unknown, spoiled=True)


def _fills(call: Node) -> bool:
    """A call of a method that changes its object."""
    target = call.child_by_field_name("function")
    method = None if target is None else target.child_by_field_name("property")
    return method is not None and syntax.text(method) in _FILLING


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


def _handed_by(node: Node) -> Iterator[str]:
    """The names that a call of a plain function hands over: the function may fill what they hold."""
    target = node.child_by_field_name("function") if node.type == "call_expression" else None
    arguments = node.child_by_field_name("arguments")
    if target is not None and target.type == "identifier" and arguments is not None:
        yield from (syntax.text(child) for child in arguments.named_children if child.type == "identifier")


def _held(scope: Scope, name: str) -> Value:
    here = scope
    while here.parent is not None:
        if name in here.names:
            return here.names[name]
        here = here.parent
    return here.module.held(name)


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
