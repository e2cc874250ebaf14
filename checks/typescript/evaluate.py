"""Evaluates expressions: what JavaScript would compute, wherever that follows from the source alone."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from checks.typescript import classes, functions, literals, members, object_literals, operators, syntax
from checks.typescript.scopes import Budget, Closure, Scope
from checks.typescript.syntax import Node
from checks.typescript.values import (
    UNDEFINED,
    Native,
    Record,
    Regex,
    Site,
    Thing,
    Unknown,
    Value,
)

if TYPE_CHECKING:
    from checks.typescript.program import Program

_DEPTH = 110
_LONGEST = 100_000  # elements of an array
_CHAIN = frozenset({"call_expression", "member_expression", "subscript_expression", "non_null_expression"})
_SKIN = frozenset({"as_expression", "satisfies_expression", "parenthesized_expression", "type_assertion"})


class Evaluator:
    """Evaluates the expressions of a program within its budget."""

    def __init__(self, program: "Program", budget: Budget) -> None:
        self.program = program
        self.budget = budget
        # What `Object.assign(table, { … })` adds to a thing of the library, which is kept beside it, by identity.
        self.added: dict[int, tuple[Thing, Record]] = {}
        self._handlers: dict[str, Callable[[Node, Scope], Value]] = {
            "identifier": self.named,
            "shorthand_property_identifier": self.named,
            "undefined": lambda _n, _s: UNDEFINED,
            "null": lambda _n, _s: None,
            "true": lambda _n, _s: True,
            "false": lambda _n, _s: False,
            "string": lambda n, _s: literals.string(n),
            "number": self._number,
            "template_string": self._template,
            "regex": self._regex,
            "array": self._array,
            "object": partial(object_literals.make, self),
            "arrow_function": Closure,
            "function_expression": Closure,
            "function_declaration": Closure,
            "call_expression": self._chain,
            "member_expression": self._chain,
            "subscript_expression": self._chain,
            "non_null_expression": self._chain,
            "new_expression": self._new,
            "ternary_expression": partial(operators.ternary, self),
            "binary_expression": partial(operators.binary, self),
            "unary_expression": partial(operators.unary, self),
            "assignment_expression": lambda n, s: functions.assign(self, n, s),
            "augmented_assignment_expression": lambda n, s: functions.assign(self, n, s),
            "update_expression": lambda n, s: functions.update(self, n, s),
            "sequence_expression": lambda n, s: [self.value(c, s) for c in n.named_children][-1],
            "this": self._this,
            "super": lambda n, s: classes.parent_of(s, self.site(n, s)),
            "class": lambda n, s: classes.make(self, n, s),
            "await_expression": lambda n, s: self.site(n, s).unknown("is known only after waiting (`await`)"),
        }

    def site(self, node: Node, scope: Scope) -> Site:
        """The place of a node."""
        return Site(scope.module.path, node)

    def value(self, node: Node, scope: Scope) -> Value:
        """The value of an expression."""
        while (kind := node.type) in _SKIN:
            inner = node.named_children
            node = inner[-1] if kind == "type_assertion" else next((n for n in inner if n.type != "comment"), inner[0])
        budget = self.budget
        budget.steps += 1
        if budget.steps > budget.ceiling or not budget.steps & 0x3FF:
            budget.check()
        handler = self._handlers.get(kind)
        if handler is None:
            return self.site(node, scope).unknown(f"`{_words(kind)}` is not understood")
        if budget.depth > _DEPTH:
            return self.site(node, scope).unknown("is nested too deeply")
        budget.depth += 1
        try:
            return handler(node, scope)
        except RecursionError:
            return self.site(node, scope).unknown("is nested too deeply")
        finally:
            budget.depth -= 1

    def named(self, node: Node, scope: Scope) -> Value:
        """The value of a name."""
        name = syntax.text(node)
        here = scope
        while here.parent is not None:
            if name in here.names:
                return here.names[name]
            here = here.parent
        return here.module.local(name, node)

    def _this(self, node: Node, scope: Scope) -> Value:
        here: Scope | None = scope
        while here is not None:
            if "this" in here.names:
                return here.names["this"]
            here = here.parent
        return scope.module.this(self.site(node, scope))

    def _number(self, node: Node, scope: Scope) -> Value:
        value = literals.numeral(node)
        return self.site(node, scope).unknown("is a number that is not understood") if value is None else value

    def _regex(self, node: Node, _scope: Scope) -> Value:
        pattern, flags = node.child_by_field_name("pattern"), node.child_by_field_name("flags")
        return Regex("" if pattern is None else syntax.text(pattern), "" if flags is None else syntax.text(flags))

    def _template(self, node: Node, scope: Scope) -> Value:
        strings, values = self.parts(node, scope)
        result = strings[0]
        for value, after in zip(values, strings[1:], strict=True):
            if value.__class__ is Unknown:
                return value
            text = members.as_text(self, value, self.site(node, scope))
            if not isinstance(text, str):
                return text
            result += text + after
        return result if len(result) < 1 << 20 else self.site(node, scope).unknown("is a text of more than 1 MB")

    def parts(self, node: Node, scope: Scope, *, raw: bool = False) -> tuple[list[str], list[Value]]:
        """The texts of a template and the values between them; `raw`: the texts as they are written."""
        strings: list[str] = [""]
        values: list[Value] = []
        for child in node.named_children:
            if child.type == "template_substitution":
                inner = next((c for c in child.named_children if c.type != "comment"), None)
                values.append(UNDEFINED if inner is None else self.value(inner, scope))
                strings.append("")
            elif child.type == "string_fragment":
                strings[-1] += syntax.text(child).replace("\r\n", "\n")
            elif child.type == "escape_sequence":
                strings[-1] += syntax.text(child) if raw else literals.unescape(syntax.text(child))
        return strings, values

    def _array(self, node: Node, scope: Scope) -> Value:
        items: list[Value] = []
        before = ","
        for child in node.children:
            kind = child.type
            if kind == "spread_element":
                items += self.spread(child, scope)
            elif kind == "," and before == ",":
                items.append(self.site(child, scope).unknown("is a hole in an array"))
            elif child.is_named and kind != "comment":
                items.append(self.value(child, scope))
            if kind not in {"comment", "["}:
                before = kind
            if len(items) > _LONGEST:
                return self.site(node, scope).unknown(f"is an array of more than {_LONGEST} elements")
        return items

    def spread(self, node: Node, scope: Scope) -> list[Value]:
        """The elements that `...x` gives in an array or a call."""
        value = self.value(node.named_children[-1], scope)
        if value.__class__ is list:
            return value
        if isinstance(value, str):
            return list(value)
        if value.__class__ is members.Collection:
            return value.items()
        unknown = value if value.__class__ is Unknown else self.site(node, scope).unknown("cannot be spread")
        return [replace(unknown, many=True)]

    def _chain(self, node: Node, scope: Scope) -> Value:
        links: list[tuple[str, Node]] = []
        root, kind = node, node.type
        while kind in _CHAIN:
            links.append((kind, root))
            root = root.children[
                0
            ]  # the function or the object; asking for it by its field takes longer than all else here
            kind = root.type
            while kind in _SKIN:
                named = root.named_children
                root = named[-1] if kind == "type_assertion" else named[0]
                kind = root.type
        value = self.value(root, scope)
        receiver: Value = None
        for kind, link in reversed(links):
            if kind == "non_null_expression":
                continue
            nothing = value is None or value is UNDEFINED
            if nothing and any(child.type in {"optional_chain", "?."} for child in link.children):
                return UNDEFINED
            if kind == "call_expression":
                value = self._call_node(link, value, receiver, scope)
                receiver = None
                continue
            receiver = value
            if value.__class__ is Unknown:
                continue
            if kind == "member_expression":
                name: Value = syntax.text(link.children[-1])
            else:
                index = link.child_by_field_name("index")
                name = UNDEFINED if index is None else self.value(index, scope)
            value = members.get(self, value, name, self.site(link, scope))
        return value

    def _call_node(self, node: Node, callee: Value, receiver: Value, scope: Scope) -> Value:
        site = self.site(node, scope)
        arguments = node.children[-1]
        kind = arguments.type
        if kind not in {"arguments", "template_string"}:
            return site.unknown("is not TypeScript that is understood")
        if kind == "template_string":
            raw = callee.__class__ is Native and callee.name == "raw"
            strings, values = self.parts(arguments, scope, raw=raw)
            return self.call(callee, [strings, *values], site)
        if callee.__class__ is Unknown and callee.inert and not callee.source:
            return callee  # whatever it is given, nothing of a schema comes of it
        args: list[Value] = []
        for child in arguments.named_children:
            kind = child.type
            if kind == "string":
                args.append(literals.string(child))
            elif kind == "spread_element":
                args += self.spread(child, scope)
            elif kind != "comment":
                args.append(self.value(child, scope))
        if callee.__class__ is Native:
            return callee.call(args, site)
        if callee.__class__ is Closure and callee.this is None and isinstance(receiver, Record):
            callee = Closure(callee.node, callee.scope, callee.name, receiver)
        return self.call(callee, args, site)

    def call(self, callee: Value, args: list[Value], site: Site) -> Value:
        """What a call gives."""
        if callee.__class__ is Native:
            return callee.call(args, site)
        if callee.__class__ is Closure:
            return functions.call(self, callee, args, site)
        if isinstance(callee, Thing):
            return callee.call(args, site)
        if callee.__class__ is Unknown:
            return self.program.called(callee, args)
        return site.unknown("calls something that is not a function")

    def _new(self, node: Node, scope: Scope) -> Value:
        constructor, arguments = node.child_by_field_name("constructor"), node.child_by_field_name("arguments")
        name = "" if constructor is None else syntax.text(constructor)
        site = self.site(node, scope)
        if name.endswith("QueryBuilder") and constructor is not None:
            return self.call(self.value(constructor, scope), [], site)
        given = [] if arguments is None else [c for c in arguments.named_children if c.type != "comment"]
        make = members.CONSTRUCTORS.get(name)
        if make is not None and constructor is not None and not scope.module.declares(name):
            return make(self, [self.value(c, scope) for c in given], site)
        kind = UNDEFINED if constructor is None else self.value(constructor, scope)
        if isinstance(kind, classes.Class):
            return kind.new([self.value(c, scope) for c in given], site)
        return site.unknown(f"is an instance of a class (`new {name}`)", inert=True)


def _words(kind: str) -> str:
    return kind.replace("_", " ")
