"""One TypeScript file, asked in places: text finds where a name may stand, the tree says what stands there."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Literal

from checks.typescript import syntax
from checks.typescript.syntax import Node

_QUOTED = re.compile(rb"""["'`]([^"'`\n\\]{1,200})["'`]""")
_VERSION = re.compile(r"(?<=.)@[\dv^~*x][^/]*")
_TYPES = frozenset(
    {
        "type_annotation",
        "type_alias_declaration",
        "type_arguments",
        "interface_declaration",
        "type_query",
        "extends_type_clause",
        "nested_type_identifier",
    }
)
_STATEMENTS = frozenset({"program", "statement_block", "lexical_declaration", "expression_statement", "class_body"})
_THROUGH = frozenset(
    {"await_expression", "parenthesized_expression", "as_expression", "satisfies_expression", "non_null_expression"}
)
# What stands before the name of a module: other strings are no imports, a schema file has thousands, and each costs a look at the tree.
_BEFORE = re.compile(rb"(?:\b(?:from|import)|\b(?:require|import)\s*\(|\*/)\s*\Z")
_NEAR = 60  # bytes of that
_STATEMENT = 4_000  # bytes of an import, at most
_ONLY_BRACES = re.compile(rb"import\s*\{([^{}]*)\}\s*from\s*[\"'`]")
_MOST = 300  # places of one name: each costs a walk from the root of the tree
_HIGHEST = 40  # levels that are climbed: asking for a parent walks down from the root

Kind = Literal["import", "export", "require", "dynamic"]


@dataclass(frozen=True, slots=True)
class Import:
    """A module that a file asks for.

    Attributes:
        specifier: as written.
        package: without `npm:`, host and version.
        names: (name there, name here); `*` there is the whole of it, `*` here nothing in particular.
        types: only types are asked for.
        node: the statement or call.
    """

    specifier: str
    package: str
    kind: Kind
    names: tuple[tuple[str, str], ...]
    types: bool
    node: Node


@lru_cache(maxsize=4096)
def package_of(specifier: str) -> str:
    """`npm:pg@8` and a CDN's address of it are `pg`."""
    name = specifier.removeprefix("npm:").removeprefix("jsr:").removeprefix("node:")
    for scheme in ("https://", "http://"):
        if name.startswith(scheme):
            name = (
                name.removeprefix(scheme).partition("/")[2].partition("?")[0].removeprefix("npm/").removeprefix("v135/")
            )
        for place, known in (("x/postgresjs", "postgres"), ("x/postgres", "pg")):  # Deno's own registry
            name = known if name.startswith(place) else name
    return _VERSION.sub("", name, count=1)


class Source:
    """A file and, once it is asked for, its tree."""

    def __init__(self, path: str, data: bytes) -> None:
        self.path = path
        self.data = data
        self._uses: dict[str, tuple[Node, ...]] = {}
        self._imports: dict[int, Import | None] = {}

    @cached_property
    def root(self) -> Node:
        """The tree's root."""
        self._tree = syntax.parse(self.data, self.path)
        return self._tree.root_node

    def imports(self, wanted: Callable[[str], bool], names: re.Pattern[bytes] | None = None) -> list[Import]:
        """The imports, re-exports, `require`s and dynamic imports of packages that are wanted.

        Args:
            wanted: whether a package is.
            names: what an import statement with braces must name inside them to be looked at.
        """
        found: list[Import] = []
        for specifier, start, end in self._asked:
            if not wanted(package_of(specifier)) or (names is not None and self._names_none(names, start)):
                continue
            if start not in self._imports:
                string = _up(self.at(start, end), {"string", "template_string"}, 2)
                self._imports[start] = _import(specifier, string) if string is not None else None
            made = self._imports[start]
            if made is not None:
                found.append(made)
            if len(found) > _MOST:
                break
        return found

    @cached_property
    def _asked(self) -> list[tuple[str, int, int]]:
        """The strings that stand where a module's name does, with their places."""
        return [
            (quoted[1].decode(errors="replace"), quoted.start(1), quoted.end(1))
            for quoted in _QUOTED.finditer(self.data)
            if _BEFORE.search(self.data, max(0, quoted.start() - _NEAR), quoted.start())
        ]

    def _names_none(self, names: re.Pattern[bytes], before: int) -> bool:
        """Whether the `import { … } from` that ends here has none of the names in its braces, and nothing outside of them."""
        begin = self.data.rfind(b"import", max(0, before - _STATEMENT), before)
        braces = _ONLY_BRACES.fullmatch(self.data, begin, before) if begin >= 0 else None
        return braces is not None and names.search(braces[1]) is None

    def at(self, start: int, end: int) -> Node:
        """The smallest node around these bytes."""
        return self.root.descendant_for_byte_range(start, end) or self.root

    def uses(self, name: str) -> tuple[Node, ...]:
        """Where a name stands as a value: neither in a type nor where it is declared or imported."""
        if name not in self._uses:
            self._uses[name] = tuple(self._find_uses(name))
        return self._uses[name]

    def _find_uses(self, name: str) -> Iterator[Node]:
        if not name.isidentifier() and not name.startswith("$"):
            return
        pattern = re.compile(rb"(?<![\w$.])" + re.escape(name.encode()) + rb"(?![\w$])")
        for number, found in enumerate(pattern.finditer(self.data)):
            if number > _MOST:
                return
            node = self.at(found.start(), found.end())
            if node.type not in {"identifier", "shorthand_property_identifier"} or syntax.text(node) != name:
                continue
            parent = node.parent
            if parent is None or parent.type in _DECLARING or in_type(node):
                continue
            if parent.type == "variable_declarator" and parent.child_by_field_name("name") == node:
                continue
            yield node

    def is_typed(self, name: str) -> bool:
        """Whether a name stands in a type anywhere."""
        pattern = re.compile(rb"(?<![\w$.])" + re.escape(name.encode()) + rb"(?![\w$])")
        nodes = (self.at(found.start(), found.end()) for found in list(pattern.finditer(self.data))[:_MOST])
        return any(node.type == "type_identifier" or in_type(node) for node in nodes)

    def constant(self, name: str) -> Node | None:
        """The value that `const name = …` gives, the first one in the file."""
        pattern = re.compile(rb"\b(?:const|let|var)\s+" + re.escape(name.encode()) + rb"\b")
        for found in pattern.finditer(self.data):
            declarator = _up(self.at(found.end() - 1, found.end()), {"variable_declarator"}, 2)
            if declarator is not None:
                return declarator.child_by_field_name("value")
        return None


_DECLARING = frozenset(
    {
        "import_specifier", "import_clause", "namespace_import", "export_specifier", "required_parameter", "optional_parameter", "function_declaration",
        "object_pattern", "pair_pattern", "shorthand_property_identifier_pattern", "import_require_clause", "array_pattern",
    }
)  # fmt: skip


def in_type(node: Node) -> bool:
    """Whether a node is part of a type."""
    here: Node | None = node
    for _ in range(_HIGHEST):
        if here is None or here.type in _STATEMENTS:
            break
        if here.type in _TYPES:
            return True
        here = here.parent
    return False


def call_of(node: Node) -> tuple[Node, str] | None:
    """The call or `new` whose function a name is (or an object with that method), and the method's name or `""`."""
    here, method = node, ""
    parent = here.parent
    while parent is not None and parent.type == "member_expression" and parent.child_by_field_name("object") == here:
        named = parent.child_by_field_name("property")
        method = syntax.text(named) if named is not None else ""
        here, parent = parent, parent.parent
        if method != "default":  # `module.default.Client`: what `import()` gives for CommonJS
            break
    while parent is not None and parent.type == "parenthesized_expression":  # new (require("pg").Pool)()
        here, parent = parent, parent.parent
    if parent is None:
        return None
    if parent.type == "call_expression" and parent.child_by_field_name("function") == here:
        return parent, method
    if parent.type == "new_expression" and parent.child_by_field_name("constructor") == here:
        return parent, method
    return None


def arguments(call: Node) -> list[Node]:
    """The arguments of a call, comments left out."""
    given = call.child_by_field_name("arguments")
    if given is None:
        return []
    return [given] if given.type == "template_string" else [n for n in given.named_children if n.type != "comment"]


def _up(node: Node, types: set[str], levels: int) -> Node | None:
    here: Node | None = node
    for _ in range(levels + 1):
        if here is None or here.type in types:
            return here
        here = here.parent
    return None


def _import(specifier: str, string: Node) -> Import | None:
    package, parent = package_of(specifier), string.parent
    match parent.type if parent is not None else "":
        case "import_require_clause" if parent is not None:
            name = next((syntax.text(n) for n in parent.named_children if n.type == "identifier"), "*")
            made = Import(specifier, package, "require", (("*", name),), types=False, node=parent)
        case "import_statement" if parent is not None:
            made = Import(specifier, package, "import", tuple(_clause(parent)), types=_type_only(parent), node=parent)
        case "export_statement" if parent is not None:
            made = Import(specifier, package, "export", tuple(_exported(parent)), types=_type_only(parent), node=parent)
        case "arguments" if parent is not None and parent.parent is not None:
            made = _called(specifier, package, parent.parent)
        case _:
            made = None
    return made


def _called(specifier: str, package: str, call: Node) -> Import | None:
    function = call.child_by_field_name("function")
    name = syntax.text(function) if function is not None else ""
    if name not in {"require", "import"}:
        return None
    kind: Kind = "require" if name == "require" else "dynamic"
    return Import(specifier, package, kind, tuple(_bound(call)), types=in_type(call), node=call)


def _type_only(statement: Node) -> bool:
    if any(child.type in {"type", "typeof"} for child in statement.children):
        return True
    clause = next((c for c in statement.named_children if c.type in {"import_clause", "export_clause"}), None)
    if clause is None:
        return False
    named = (
        clause
        if clause.type == "export_clause"
        else next((c for c in clause.named_children if c.type == "named_imports"), None)
    )
    if named is None or (
        clause.type == "import_clause"
        and any(c.type in {"identifier", "namespace_import"} for c in clause.named_children)
    ):
        return False
    specifiers = [c for c in named.named_children if c.type in {"import_specifier", "export_specifier"}]
    return bool(specifiers) and all(_is_type(s) for s in specifiers)


def _is_type(specifier: Node) -> bool:
    return any(child.type in {"type", "typeof"} for child in specifier.children)


def _clause(statement: Node) -> Iterator[tuple[str, str]]:
    clause = next((c for c in statement.named_children if c.type == "import_clause"), None)
    for child in clause.named_children if clause is not None else ():
        if child.type == "identifier":
            yield "default", syntax.text(child)
        elif child.type == "namespace_import":
            yield "*", syntax.text(child.named_children[-1])
        else:
            yield from _specifiers(child)


def _exported(statement: Node) -> Iterator[tuple[str, str]]:
    clause = next((c for c in statement.named_children if c.type == "export_clause"), None)
    if clause is not None:
        yield from _specifiers(clause)
    else:
        yield "*", "*"


def _specifiers(clause: Node) -> Iterator[tuple[str, str]]:
    for specifier in clause.named_children:
        name, alias = specifier.child_by_field_name("name"), specifier.child_by_field_name("alias")
        if name is not None and not _is_type(specifier):
            yield syntax.text(name), syntax.text(alias or name)


def _bound(call: Node) -> Iterator[tuple[str, str]]:
    """What `const … = require(…)`, `(await import(…)).x` and `import(…).then(({ x }) => …)` bring in."""
    parent, member = call.parent, ""
    while parent is not None and (parent.type in _THROUGH or (parent.type == "member_expression" and not member)):
        if parent.type == "member_expression":
            named = parent.child_by_field_name("property")
            member = syntax.text(named) if named is not None else "*"
        parent = parent.parent
    if parent is None:
        return
    if member == "then" and parent.type == "call_expression":
        function = next(iter(arguments(parent)), None)
        taken = (
            function.child_by_field_name("parameters") or function.child_by_field_name("parameter")
            if function is not None
            else None
        )
        inside = taken.named_children[0] if taken is not None and taken.named_children else taken
        pattern = (
            inside.child_by_field_name("pattern")
            if inside is not None and inside.type == "required_parameter"
            else inside
        )
        yield from _pattern(pattern, "")
    elif parent.type == "variable_declarator":
        yield from _pattern(parent.child_by_field_name("name"), member)
    elif member:
        yield member, "*"
    else:
        yield "*", "*"


def _pattern(pattern: Node | None, member: str) -> Iterator[tuple[str, str]]:
    if pattern is None:
        return
    if pattern.type == "identifier":
        yield member or "*", syntax.text(pattern)
    for child in pattern.named_children if pattern.type == "object_pattern" else ():
        if child.type == "shorthand_property_identifier_pattern":
            yield syntax.text(child), syntax.text(child)
        elif child.type == "pair_pattern":
            key, value = child.child_by_field_name("key"), child.child_by_field_name("value")
            if key is not None and value is not None and value.type == "identifier":
                yield syntax.text(key), syntax.text(value)
