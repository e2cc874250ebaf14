"""What an expression of TypeScript means, as far as Drizzle's tables go: the table, all exports of a module, or nothing known."""

from collections.abc import Callable

from checks.readers.exports import Meant, Schema, Table, Whole
from checks.typescript import literals, syntax
from checks.typescript.syntax import Node
from checks.ways.source import Source, arguments

_FUNCTIONS = frozenset(
    {
        "arrow_function", "function_declaration", "function_expression", "function", "method_definition",
        "generator_function", "generator_function_declaration",
    }
)  # fmt: skip
_BLOCKS = frozenset({"statement_block", "program", "switch_body", "for_statement", "for_in_statement", "catch_clause"})
_NAMED = frozenset({"function_declaration", "generator_function_declaration", "class_declaration", "enum_declaration"})
_PLAIN = frozenset(
    {"parenthesized_expression", "as_expression", "satisfies_expression", "non_null_expression", "await_expression"}
)
_SAME = frozenset({"alias", "aliasedTable", "getTableColumns", "getColumns", "getViewSelectedFields"})
_DEEPEST = 12


class Scopes:
    """The names of one file."""

    def __init__(self, source: Source, schema: Schema, parameter: Callable[[Node], Meant | None]) -> None:
        """Read nothing yet.

        Args:
            source: the file.
            schema: whose tables are meant.
            parameter: what the first parameter of a function is called with, where somebody knows.
        """
        self.source = source
        self.schema = schema
        self._parameter = parameter
        self._scopes: dict[int, dict[str, Node]] = {}
        self._imports: dict[str, tuple[str, str]] | None = None

    def meaning(self, node: Node | None, depth: int = 0) -> Meant | None:  # noqa: PLR0911 - one answer a kind of expression
        """What an expression is."""
        if node is None or depth > _DEEPEST:
            return None
        if node.type in _PLAIN:
            return self.meaning(node.named_children[0] if node.named_children else None, depth + 1)
        if node.type in {"identifier", "shorthand_property_identifier"}:
            return self._named(node, depth)
        if node.type == "member_expression":
            owner, prop = node.child_by_field_name("object"), node.child_by_field_name("property")
            return self._member(self.meaning(owner, depth + 1), syntax.text(prop)) if prop is not None else None
        if node.type == "call_expression":
            function, given = node.child_by_field_name("function"), arguments(node)
            name = syntax.text(function).rpartition(".")[2] if function is not None else ""
            if name in _SAME and given:
                return self.meaning(given[0], depth + 1)
            if name in {"require", "import"} and given and given[0].type == "string":
                return self.schema.imported(syntax.text(given[0])[1:-1], "*", self.source.path)
        return None

    def _member(self, of: Meant | None, name: str) -> Meant | None:
        return self.schema.member(of.path, name) if isinstance(of, Whole) else None

    def _named(self, node: Node, depth: int) -> Meant | None:
        name = syntax.text(node)
        found = self._declaring(node, name)
        if found is None:
            specifier, there = self.imports.get(name, ("", ""))
            return self.schema.imported(specifier, there, self.source.path) if specifier else None
        if found.type == "variable_declarator":
            return self._declared(found, name, depth)
        function = found.parent.parent if found.parent is not None else None
        if found.type == "identifier":  # x => …
            function = found.parent
        if function is not None and function.type == "arrow_function":
            first = function.child_by_field_name("parameters")
            is_first = found.type == "identifier" or (first is not None and first.named_children[:1] == [found])
            return self._parameter(function) if is_first and self._plain(found) == name else None
        return None

    def _plain(self, parameter: Node) -> str:
        pattern = parameter if parameter.type == "identifier" else parameter.child_by_field_name("pattern")
        return syntax.text(pattern) if pattern is not None and pattern.type == "identifier" else ""

    def _declared(self, declarator: Node, name: str, depth: int) -> Meant | None:
        pattern, value = declarator.child_by_field_name("name"), declarator.child_by_field_name("value")
        if pattern is None or value is None:
            return None
        if pattern.type == "identifier":
            if self._top(declarator) and (table := self._own(name)) is not None:
                return table
            return self.meaning(value, depth + 1)
        key = key_of(pattern, name)
        return self._member(self.meaning(value, depth + 1), key) if key else None

    def _top(self, declarator: Node) -> bool:
        above = declarator.parent.parent if declarator.parent is not None else None
        return above is not None and above.type in {"program", "export_statement"}

    def _own(self, name: str) -> Table | None:
        """A table that this very file declares."""
        place = (self.source.path, name)
        found = self.schema.told(place, place) if place in self.schema.head.declared else None
        return found if isinstance(found, Table) else None

    @property
    def imports(self) -> dict[str, tuple[str, str]]:
        """Module and name there of what the file imports, by the name here."""
        if self._imports is None:
            every = self.source.imports(lambda _: True)
            taken = [each for each in every if each.kind in {"import", "require", "dynamic"} and not each.types]
            self._imports = {here: (each.specifier, there) for each in taken for there, here in each.names}
        return self._imports

    def _declaring(self, node: Node, name: str) -> Node | None:
        """What declares a name, seen from a place: a declarator, a parameter or other; None: the module's imports."""
        here = node.parent
        while here is not None:
            if here.type in _FUNCTIONS or here.type in _BLOCKS:
                found = self._scope(here).get(name)
                if found is not None:
                    return found
            here = here.parent
        return None

    def _scope(self, node: Node) -> dict[str, Node]:
        if node.id not in self._scopes:
            made: dict[str, Node] = {}
            if node.type in _FUNCTIONS:
                _parameters(node, made)
            else:
                for child in node.named_children:
                    _statement(child, made)
            self._scopes[node.id] = made
        return self._scopes[node.id]


def key_of(pattern: Node, name: str) -> str:
    """The property that an object pattern takes out under a name."""
    for child in pattern.named_children if pattern.type == "object_pattern" else ():
        if child.type == "shorthand_property_identifier_pattern" and syntax.text(child) == name:
            return name
        if child.type == "pair_pattern":
            key, value = child.child_by_field_name("key"), child.child_by_field_name("value")
            if key is not None and value is not None and name in literals.bound(value):
                return syntax.text(key).strip("\"'") if value.type == "identifier" else ""
    return ""


def _parameters(function: Node, made: dict[str, Node]) -> None:
    single = function.child_by_field_name("parameter")
    if single is not None:
        made[syntax.text(single)] = single
    several = function.child_by_field_name("parameters")
    for each in several.named_children if several is not None else ():
        pattern = each.child_by_field_name("pattern")
        for name in literals.bound(pattern if pattern is not None else each):
            made[name] = each
    own = function.child_by_field_name("name")
    if own is not None and function.type not in _NAMED:
        made.setdefault(syntax.text(own), function)


def _statement(node: Node, made: dict[str, Node]) -> None:
    """The names that a statement declares in the block around it."""
    inner = node.child_by_field_name("declaration") if node.type == "export_statement" else node
    if inner is None:
        return
    if inner.type in {"lexical_declaration", "variable_declaration"}:
        for declarator in inner.named_children:
            pattern = declarator.child_by_field_name("name") if declarator.type == "variable_declarator" else None
            made.update(dict.fromkeys(literals.bound(pattern) if pattern is not None else (), declarator))
    elif inner.type in _NAMED:
        own = inner.child_by_field_name("name")
        made.update({syntax.text(own): inner} if own is not None else {})
    elif inner.type in {"switch_case", "switch_default"}:
        for child in inner.named_children:
            _statement(child, made)
    elif inner.type in {"identifier", "object_pattern", "array_pattern"} and _binds(inner):
        made.update(dict.fromkeys(literals.bound(inner), inner))


def _binds(pattern: Node) -> bool:
    """`for (const x of …)`, `catch (x)`."""
    parent = pattern.parent
    loops = parent is not None and parent.type in {"for_in_statement", "catch_clause"}
    return loops and parent is not None and parent.named_children[:1] == [pattern]
