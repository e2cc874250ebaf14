"""What TypeScript declares beside JavaScript: enums and namespaces, each as the object that it is at run time."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from checks.typescript import functions, literals, syntax
from checks.typescript.scopes import Closure, Scope
from checks.typescript.syntax import Node
from checks.typescript.values import Record, Unknown, Value, number_text

if TYPE_CHECKING:
    from checks.typescript.evaluate import Evaluator

_DEEP = 90
_KINDS = frozenset({"internal_module", "module"})
_NAMED = frozenset({"function_declaration", "class_declaration", "abstract_class_declaration", "enum_declaration"})


def enumeration(ev: "Evaluator", node: Node, scope: Scope, record: Record | None = None) -> Value:
    """The object that a TypeScript enum is at run time (numbers are also mapped back to their names); `record`: it goes on."""
    record = Record() if record is None else record
    inner = Scope(scope.module, scope)
    inner.names |= record
    following: Value = 0
    body = node.child_by_field_name("body")
    for child in [] if body is None else body.named_children:
        if child.type == "comment":
            continue
        name_node = child.child_by_field_name("name") if child.type == "enum_assignment" else child
        value_node = child.child_by_field_name("value") if child.type == "enum_assignment" else None
        if name_node is None:
            continue
        name = literals.word(name_node)
        value = following if value_node is None else ev.value(value_node, inner)
        record[name] = inner.names[name] = value
        if isinstance(value, int | float) and not isinstance(value, bool):
            record[number_text(value)] = name
            following = value + 1
        else:
            following = ev.site(child, scope).unknown(f"`{syntax.text(name_node)}` follows a member that is no number")
    return record


def parts(ev: "Evaluator", nodes: Sequence[Node], scope: Scope) -> Value:
    """An enum or a namespace that is declared in several parts."""
    record = Record()
    for node in nodes:
        if node.type == "enum_declaration":
            enumeration(ev, node, scope, record)
        elif node.type in _KINDS:
            read(ev, node, scope, record)
        else:
            return ev.site(node, scope).unknown("shares its name with a `namespace`")
    return record


def read(ev: "Evaluator", node: Node, scope: Scope, record: Record | None = None) -> Value:
    """The object that a `namespace` is: what it exports; `record`: it goes on."""
    record = Record() if record is None else record
    inner = Scope(scope.module, scope)
    inner.names |= record
    name, body = node.child_by_field_name("name"), node.child_by_field_name("body")
    if name is not None:
        inner.names[syntax.text(name)] = record
    if name is None or name.type != "identifier" or body is None:
        return ev.site(node, scope).unknown("is a `namespace` that is not understood")
    budget = ev.budget
    if budget.depth > _DEEP:
        return ev.site(node, scope).unknown("is nested too deeply")
    budget.depth += 2
    try:
        _fill(ev, body, record, inner)
    finally:
        budget.depth -= 2
    return record


def _fill(ev: "Evaluator", body: Node, record: Record, inner: Scope) -> None:
    """Run the statements of a namespace, and note what it exports."""
    statements: list[tuple[Node, bool]] = []
    for child in body.named_children:
        declared = child.child_by_field_name("declaration") if child.type == "export_statement" else child
        if declared is not None and declared.type == "expression_statement" and declared.named_children[:1]:
            declared = declared.named_children[0] if declared.named_children[0].type in _KINDS else declared
        if declared is None:
            record.hole = ev.site(child, inner).unknown("is an export of a `namespace` that is not understood")
        else:
            statements.append((declared, child.type == "export_statement"))
    for child, _ in statements:
        if child.type == "function_declaration":
            text = syntax.text(child.child_by_field_name("name") or child)
            inner.names[text] = Closure(child, inner, text)
    try:
        for child, exported in statements:
            named = _run(ev, child, inner)
            record.update((text, inner.names[text]) for text in named if exported and text in inner.names)
    except functions.Leave as leave:
        unknown = leave.value if leave.value.__class__ is Unknown else ev.site(body, inner).unknown("ends early")
        record.hole = record.hole or unknown


def _run(ev: "Evaluator", node: Node, scope: Scope) -> list[str]:
    """Run a statement of a namespace; the names that it declares."""
    if node.type in {"lexical_declaration", "variable_declaration"}:
        functions.run(ev, node, scope)
        patterns = [child.child_by_field_name("name") for child in node.named_children]
        return [name for pattern in patterns if pattern is not None for name in literals.bound(pattern)]
    name = node.child_by_field_name("name")
    text = "" if name is None else syntax.text(name)
    if node.type in _KINDS:
        before = scope.names.get(text)
        scope.names[text] = read(ev, node, scope, before if isinstance(before, Record) else None)
    else:
        functions.run(ev, node, scope)
    return [text] if node.type in _NAMED or node.type in _KINDS else []
