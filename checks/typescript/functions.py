"""Runs the bodies of functions and the statements of modules on known data."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from checks.typescript import arithmetic, doubt, members, patterns, syntax
from checks.typescript.doubt import Leave, assign_name, spoil
from checks.typescript.scopes import Closure, Namespace, Scope
from checks.typescript.syntax import Node
from checks.typescript.values import UNDEFINED, Record, Site, Thing, Unknown, Value, text_of, truthy

if TYPE_CHECKING:
    from checks.typescript.evaluate import Evaluator

_ROUNDS = 20_000
_CALLS = 40
_NESTED = 110  # statements and expressions in one another
_LITERAL = ("=", "+=", "-=", "*=", "/=", "??=", "||=", "&&=", "%=")


def call(ev: "Evaluator", closure: Closure, args: list[Value], site: Site) -> Value:
    """What a function of the source returns."""
    node = closure.node
    if any(child.type in {"async", "*"} for child in node.children[:3]):
        return site.unknown("is known only after waiting (an async function or a generator)", inert=True)
    body = node.child_by_field_name("body")
    if body is None:
        return site.unknown("calls a function without a body")
    scope = Scope(closure.scope.module, closure.scope)
    if node.type != "arrow_function":
        scope.names["this"] = site.unknown("`this` is not understood") if closure.this is None else closure.this
    budget = ev.budget
    if budget.depth > _CALLS * 2 and _recurses(closure, site):
        return site.unknown("is a function that calls itself too deeply")
    budget.depth += 2
    try:
        patterns.parameters(ev, node, args, scope)
        if body.type != "statement_block":
            return ev.value(body, scope)
        left = run_body(ev, body, scope)
    except RecursionError:
        return site.unknown("is a function that calls itself too deeply")
    finally:
        budget.depth -= 2
    return left.value if left is not None and left.kind == "return" else UNDEFINED


def run_body(ev: "Evaluator", body: Node, scope: Scope) -> Leave | None:
    """Run the body of a function; how it was left, where it did not just end."""
    try:
        run_block(ev, body, scope)
    except Leave as leave:
        if leave.unsure:
            doubt.cut_short(body, scope, leave.value)
        return leave
    return None


def _recurses(closure: Closure, site: Site) -> bool:
    return closure.node.start_byte <= site.node.start_byte < closure.node.end_byte


def run_block(ev: "Evaluator", block: Node, scope: Scope) -> None:
    """Run the statements of a block in a scope that has been made for it."""
    statements = block.named_children
    for node in statements:
        if node.type == "function_declaration":
            name = node.child_by_field_name("name")
            if name is not None:
                scope.names[syntax.text(name)] = Closure(node, scope, syntax.text(name))
    for node in statements:
        run(ev, node, scope)


def run(ev: "Evaluator", node: Node, scope: Scope) -> None:
    """Run one statement.

    Raises:
        Leave: it ends the function or loop. A condition that is not known ends the function with that Unknown.
    """
    budget = ev.budget
    budget.steps += 1
    handler = _STATEMENTS.get(node.type)
    if handler is not None:
        if budget.depth > _NESTED:
            raise Leave("return", ev.site(node, scope).unknown("is nested too deeply"))
        budget.depth += 1
        try:
            handler(ev, node, scope)
        finally:
            budget.depth -= 1
    elif node.type not in _SKIPPED:
        raise Leave("return", ev.site(node, scope).unknown(f"`{node.type.replace('_', ' ')}` is not understood"))


def _declare(ev: "Evaluator", node: Node, scope: Scope) -> None:
    for declarator in node.named_children:
        if declarator.type == "variable_declarator":
            pattern, value = declarator.child_by_field_name("name"), declarator.child_by_field_name("value")
            if pattern is not None:
                given = UNDEFINED if value is None else ev.value(value, scope)
                patterns.bind(ev, pattern, given, scope)


def _return(ev: "Evaluator", node: Node, scope: Scope) -> None:
    value = next((c for c in node.named_children if c.type != "comment"), None)
    raise Leave("return", UNDEFINED if value is None else ev.value(value, scope))


def _if(ev: "Evaluator", node: Node, scope: Scope) -> None:
    condition = node.child_by_field_name("condition")
    chosen = UNDEFINED if condition is None else truthy(ev.value(condition, scope))
    if isinstance(chosen, Unknown):
        doubt.unsure(node, scope, chosen)
        return
    branch = node.child_by_field_name("consequence" if chosen else "alternative")
    if branch is not None and branch.type == "else_clause":
        branch = branch.named_children[0]
    if branch is not None:
        run(ev, branch, Scope(scope.module, scope) if branch.type == "statement_block" else scope)


def _block(ev: "Evaluator", node: Node, scope: Scope) -> None:
    run_block(ev, node, Scope(scope.module, scope))


def _for_in(ev: "Evaluator", node: Node, scope: Scope) -> None:
    left, right, body = (node.child_by_field_name(name) for name in ("left", "right", "body"))
    operator = node.child_by_field_name("operator")
    if left is None or right is None or body is None or operator is None:
        return
    over = ev.value(right, scope)
    items = members.keys(ev, over) if operator.type == "in" else members.items(over)
    if items is None:
        unknown = over if isinstance(over, Unknown) else ev.site(right, scope).unknown("cannot be looped over")
        doubt.unsure(node, scope, unknown)
        return
    declares = node.child_by_field_name("kind") is not None
    for item in items:
        if item.__class__ is Unknown and item.many:
            doubt.unsure(node, scope, item)
            continue
        inner = Scope(scope.module, scope)
        if declares:
            patterns.bind(ev, left, item, inner)
        else:
            patterns.store(ev, left, item, inner)
        if _round(ev, body, inner):
            break


def _round(ev: "Evaluator", body: Node, scope: Scope) -> bool:
    """Run the body of a loop once; whether it says `break`."""
    try:
        run(ev, body, scope)
    except Leave as leave:
        if leave.unsure:
            doubt.cut_short(body, scope, leave.value)
        if leave.kind == "return":
            raise
        return leave.kind == "break"
    return False


def _for(ev: "Evaluator", node: Node, scope: Scope) -> None:
    inner = Scope(scope.module, scope)
    first = node.child_by_field_name("initializer")
    if first is not None and first.type not in {"empty_statement", ";"}:
        run(ev, first, inner) if first.type.endswith(("_statement", "_declaration")) else ev.value(first, inner)
    _loop(ev, node, inner, node.child_by_field_name("increment"))


def _while(ev: "Evaluator", node: Node, scope: Scope) -> None:
    _loop(ev, node, scope, None)


def _do(ev: "Evaluator", node: Node, scope: Scope) -> None:
    body = node.child_by_field_name("body")
    if body is not None and not _round(ev, body, Scope(scope.module, scope)):
        _loop(ev, node, scope, None)


def _loop(ev: "Evaluator", node: Node, scope: Scope, increment: Node | None) -> None:
    condition, body = node.child_by_field_name("condition"), node.child_by_field_name("body")
    if body is None:
        return
    if condition is not None and condition.type == "expression_statement":
        condition = condition.named_children[0]
    for _ in range(_ROUNDS):
        go = truthy(ev.value(condition, scope)) if condition is not None and condition.is_named else True
        if isinstance(go, Unknown):
            doubt.unsure(node, scope, go)
            return
        if not go or _round(ev, body, Scope(scope.module, scope)):
            return
        if increment is not None:
            ev.value(increment, scope)
    endless = ev.site(node, scope).unknown(f"loops more than {_ROUNDS} times")
    doubt.unsure(node, scope, endless)
    raise Leave("return", endless, unsure=True)


def _switch(ev: "Evaluator", node: Node, scope: Scope) -> None:  # noqa: C901 - one case a kind of value
    given, body = node.child_by_field_name("value"), node.child_by_field_name("body")
    if given is None or body is None:
        return
    value = ev.value(given, scope)
    if isinstance(value, Unknown):
        doubt.unsure(node, scope, value)
        return
    cases = [c for c in body.named_children if c.type in {"switch_case", "switch_default"}]
    start: int | None = None
    for index, case in enumerate(cases):
        label = case.child_by_field_name("value")
        if label is not None and arithmetic.same(ev.value(label, scope), value):
            start = index
            break
    if start is None:
        start = next((i for i, case in enumerate(cases) if case.type == "switch_default"), len(cases))
    inner = Scope(scope.module, scope)
    try:
        for case in cases[start:]:
            label = case.child_by_field_name("value")
            for statement in case.named_children:
                if statement != label:
                    run(ev, statement, inner)
    except Leave as leave:
        if leave.kind != "break":
            raise


def _try(ev: "Evaluator", node: Node, scope: Scope) -> None:
    body = node.child_by_field_name("body")
    if body is not None:
        run_block(ev, body, Scope(scope.module, scope))
    for clause in node.named_children:
        if clause.type == "catch_clause" and clause.named_children:
            # Whether something fails is not known: what is not understood may, and so may what a package does.
            failing = ev.site(clause, scope).unknown("depends on whether something fails (`catch`)")
            doubt.unsure(clause.named_children[-1], scope, failing)
        elif clause.type == "finally_clause":
            run(ev, clause.named_children[-1], scope)


def _throw(ev: "Evaluator", node: Node, scope: Scope) -> None:
    raise Leave("return", ev.site(node, scope).unknown("throws an error"))


def _leave(kind: str) -> Callable[["Evaluator", Node, Scope], None]:
    def leave(_ev: "Evaluator", _node: Node, _scope: Scope) -> None:
        raise Leave(kind)

    return leave


def _class(ev: "Evaluator", node: Node, scope: Scope) -> None:
    from checks.typescript import classes  # noqa: PLC0415 - a class has functions, and a function may have a class

    name = node.child_by_field_name("name")
    if name is not None:
        scope.names[syntax.text(name)] = classes.make(ev, node, scope)


def _enumeration(ev: "Evaluator", node: Node, scope: Scope) -> None:
    from checks.typescript import namespaces  # noqa: PLC0415 - the same

    name = node.child_by_field_name("name")
    if name is not None:
        scope.names[syntax.text(name)] = namespaces.enumeration(ev, node, scope)


def _expression(ev: "Evaluator", node: Node, scope: Scope) -> None:
    for child in node.named_children:
        if child.type not in {"comment", "string"}:  # a string is a directive
            ev.value(child, scope)


_STATEMENTS: dict[str, Callable[["Evaluator", Node, Scope], None]] = {
    "lexical_declaration": _declare,
    "variable_declaration": _declare,
    "return_statement": _return,
    "if_statement": _if,
    "statement_block": _block,
    "for_in_statement": _for_in,
    "for_statement": _for,
    "while_statement": _while,
    "do_statement": _do,
    "switch_statement": _switch,
    "try_statement": _try,
    "throw_statement": _throw,
    "break_statement": _leave("break"),
    "continue_statement": _leave("continue"),
    "expression_statement": _expression,
    "class_declaration": _class,
    "abstract_class_declaration": _class,
    "enum_declaration": _enumeration,
}
_SKIPPED = frozenset({
    "comment", "empty_statement", "function_declaration", "type_alias_declaration", "interface_declaration",
    "debugger_statement", "import_alias", "ambient_declaration",
})  # fmt: skip


def delete(ev: "Evaluator", node: Node, scope: Scope) -> Value:
    """`delete x.name`."""
    while node.type in {"non_null_expression", "parenthesized_expression", "as_expression"}:
        node = node.named_children[0]
    owner_node = node.child_by_field_name("object")
    owner = UNDEFINED if owner_node is None else ev.value(owner_node, scope)
    key_node = node.child_by_field_name("property" if node.type == "member_expression" else "index")
    key: Value = None
    if key_node is not None:
        key = syntax.text(key_node) if node.type == "member_expression" else text_of(ev.value(key_node, scope))
    if isinstance(owner, Record) and isinstance(key, str):
        owner.pop(key, None)
    else:
        spoil(owner, ev.site(node, scope).unknown("deletes something that is not known"))
    return True


def assign(ev: "Evaluator", node: Node, scope: Scope) -> Value:
    """`a = b`, `a += b`, …: the value assigned."""
    left, right = node.child_by_field_name("left"), node.child_by_field_name("right")
    if left is None or right is None:
        return UNDEFINED
    operator = node.child_by_field_name("operator")
    sign = "=" if operator is None else operator.type
    if sign == "=":
        value = ev.value(right, scope)
    else:
        before = ev.value(left, scope)
        if sign in {"??=", "||=", "&&="}:
            keep = (before is not None and before is not UNDEFINED) if sign == "??=" else truthy(before)
            if isinstance(keep, Unknown):
                value: Value = keep
            elif keep != (sign == "&&="):
                return before
            else:
                value = ev.value(right, scope)
        else:
            value = arithmetic.binary(sign[:-1], before, ev.value(right, scope), ev.site(node, scope))
    patterns.store(ev, left, value, scope)
    return value


def update(ev: "Evaluator", node: Node, scope: Scope) -> Value:
    """`i++`, `--i`: the value of the expression."""
    argument, operator = node.child_by_field_name("argument"), node.child_by_field_name("operator")
    if argument is None or operator is None:
        return UNDEFINED
    before = ev.value(argument, scope)
    after = arithmetic.binary(operator.type[0], before, 1, ev.site(node, scope))
    patterns.store(ev, argument, after, scope)
    return after if operator.start_byte < argument.start_byte else before


def set_member(ev: "Evaluator", owner: Value, name: Value, value: Value, site: Site) -> None:
    """Assign to a property."""
    key = text_of(name)
    if isinstance(owner, Record):
        if key is None or key == "__proto__":
            owner.hole = owner.hole or site.unknown("assigns to a property that is not known")
        else:
            owner[key] = value
    elif owner.__class__ is list:
        if isinstance(name, int) and 0 <= name <= len(owner):
            owner[name : name + 1] = [value]
        else:
            owner.append(Unknown(site.path, site.line, "an element is assigned that is not known", many=True))
    elif isinstance(owner, Thing) and key is not None and owner.put(key, value):
        return
    elif isinstance(owner, Thing | Namespace | Closure):
        ev.program.remark(site, "changes a property of something that is not a plain object")


__all__ = [
    "Leave",
    "assign",
    "assign_name",
    "call",
    "delete",
    "run",
    "run_block",
    "run_body",
    "set_member",
    "spoil",
    "update",
]
