"""Knows the constant values of TypeScript expressions without running them; what it cannot know is UNKNOWN.

Only what configuration files do is understood: literals, constants of the file and of files it imports, template
strings, spreads, `path.join`, `process.env.X ?? "…"`, `fileURLToPath(new URL(…))`.
"""

import posixpath
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, cast

from checks.tree import Tree
from checks.typescript import syntax
from checks.typescript.syntax import Node

DEEPEST = 60
MOST_FILES = 20
LARGEST = 500_000

# Absolute paths inside values: below the repository, and below wherever the command is started.
REPOSITORY: Final = "/\0repository"
WORKING: Final = "/\0working"


class _Unknown:
    def __repr__(self) -> str:
        return "UNKNOWN"


UNKNOWN: Final = _Unknown()


@dataclass(frozen=True, slots=True)
class OneOf:
    """A value that depends on something unknown, usually the environment."""

    values: tuple[Any, ...]


def alternatives(value: object) -> tuple[Any, ...]:
    """What a value may be: itself, or every branch of a conditional; nothing where it is unknown."""
    if isinstance(value, OneOf):
        return tuple(v for each in value.values for v in alternatives(each))
    return () if value is UNKNOWN else (value,)


@dataclass(slots=True)
class Modules:
    """The modules of a tree, each read once."""

    tree: Tree
    read: dict[str, "Module"] = field(default_factory=dict[str, "Module"])

    def open(self, path: str) -> "Module | None":
        """The module at that path; None where there is no such file, or enough were read."""
        if path not in self.read:
            content = self.tree.read(path) if len(self.read) < MOST_FILES else None
            if content is None or len(content) > LARGEST:
                return None
            self.read[path] = Module(self, path, content)
        return self.read[path]

    def find(self, path: str) -> "Module | None":
        """The module that an import of `path` means."""
        stem, ending = posixpath.splitext(path)
        written = [path] if ending else []
        if ending in {".js", ".mjs", ".cjs"}:  # TypeScript imports name the file that will be built
            written.append(stem + ending.replace("j", "t"))
        guesses = [
            *written,
            *(path + e for e in (".ts", ".js", ".mts", ".mjs", ".cjs", ".json", "/index.ts", "/index.js")),
        ]
        return next((m for g in guesses if g in self.tree and (m := self.open(g)) is not None), None)


class Module:
    """One file: its constants, and what it exports."""

    def __init__(self, modules: Modules, path: str, content: bytes) -> None:
        self._modules = modules
        self._path = path
        self._names: dict[str, Node] = {}
        self._imports: dict[str, tuple[str, str]] = {}
        self._values: dict[str, Any] = {}
        self._depth = 0
        self.exported: Node | None = None
        self.root = syntax.parse(content, path).root_node
        for statement in self.root.named_children:
            self._collect(statement)

    def export(self) -> Any:  # noqa: ANN401 - a JavaScript value
        """The value of `export default` or `module.exports`."""
        return UNKNOWN if self.exported is None else self.value(self.exported)

    def name(self, name: str) -> Any:  # noqa: ANN401 - a JavaScript value
        """The value of a constant of this file."""
        if name not in self._values:
            self._values[name] = UNKNOWN  # a constant that needs itself is unknown
            if name in self._names:
                self._values[name] = self.value(self._names[name])
            elif name in self._imports:
                self._values[name] = self._imported(*self._imports[name])
        return self._values[name]

    def value(self, node: Node | None) -> Any:  # noqa: ANN401 - a JavaScript value
        """The value of an expression."""
        if node is None or self._depth >= DEEPEST:
            return UNKNOWN
        self._depth += 1
        try:
            return self._value(node)
        finally:
            self._depth -= 1

    # --- what the file says ---------------------------------------------------------------------------------------

    def _collect(self, statement: Node) -> None:
        match statement.type:
            case "lexical_declaration" | "variable_declaration":
                for declared in statement.named_children:
                    self._declare(declared)
            case "function_declaration":
                if (name := statement.child_by_field_name("name")) is not None:
                    self._names[syntax.text(name)] = statement
            case "export_statement":
                if (declaration := statement.child_by_field_name("declaration")) is not None:
                    self._collect(declaration)
                elif (value := statement.child_by_field_name("value")) is not None:
                    self.exported = value
                else:
                    self._export_list(statement)
            case "expression_statement":
                self._assign(statement.named_child(0))
            case "import_statement":
                self._import(statement)
            case _:
                pass

    def _export_list(self, statement: Node) -> None:
        """`export { config as default }`."""
        for clause in statement.named_children:
            for each in clause.named_children if clause.type == "export_clause" else ():
                name, alias = each.child_by_field_name("name"), each.child_by_field_name("alias")
                if name is not None and alias is not None and syntax.text(alias) == "default":
                    self.exported = name

    def _declare(self, declared: Node) -> None:
        name, value = declared.child_by_field_name("name"), declared.child_by_field_name("value")
        if name is not None and value is not None and name.type == "identifier":
            self._names[syntax.text(name)] = value

    def _assign(self, node: Node | None) -> None:
        if node is None or node.type != "assignment_expression":
            return
        left, right = node.child_by_field_name("left"), node.child_by_field_name("right")
        if left is not None and syntax.text(left) in {"module.exports", "exports.default", "exports"}:
            self.exported = right

    def _import(self, statement: Node) -> None:
        source = statement.child_by_field_name("source")
        if source is None:
            return
        origin = syntax.text(source)[1:-1]
        for clause in statement.named_children:
            for part in clause.named_children if clause.type == "import_clause" else ():
                if part.type == "identifier":
                    self._imports[syntax.text(part)] = (origin, "default")
                for each in part.named_children if part.type == "named_imports" else ():
                    name, alias = each.child_by_field_name("name"), each.child_by_field_name("alias")
                    if name is not None:
                        self._imports[syntax.text(alias or name)] = (origin, syntax.text(name))

    def _imported(self, origin: str, name: str) -> Any:  # noqa: ANN401 - a JavaScript value
        if not origin.startswith("."):
            return UNKNOWN
        module = self._modules.find(posixpath.normpath(posixpath.join(posixpath.dirname(self._path), origin)))
        if module is None:
            return UNKNOWN
        return module.export() if name == "default" else module.name(name)

    # --- what an expression is ------------------------------------------------------------------------------------

    def _value(self, node: Node) -> Any:  # noqa: ANN401 - a JavaScript value
        if node.type in _PLAIN:
            return _PLAIN[node.type](node)
        if node.type in _WRAPPERS:
            return self.value(node.named_child(0))
        reads: dict[str, Callable[[Node], Any]] = {
            "template_string": self._template,
            "identifier": self._identifier,
            "object": self._object,
            "array": self._array,
            "member_expression": self._member,
            "subscript_expression": self._member,
            "binary_expression": self._binary,
            "ternary_expression": self._ternary,
            "call_expression": self._call,
            "new_expression": self._new,
            "arrow_function": self._returned,
            "function_expression": self._returned,
            "function_declaration": self._returned,
        }
        read = reads.get(node.type)
        return UNKNOWN if read is None else read(node)

    def _identifier(self, node: Node) -> Any:  # noqa: ANN401 - a JavaScript value
        name = syntax.text(node)
        if name == "undefined":
            return None
        if name in self._names or name in self._imports:
            return self.name(name)
        if name == "__dirname":
            return self._folder()
        return f"{REPOSITORY}/{self._path}" if name == "__filename" else UNKNOWN

    def _folder(self) -> str:
        return posixpath.join(REPOSITORY, posixpath.dirname(self._path)).rstrip("/")

    def _template(self, node: Node) -> Any:  # noqa: ANN401 - a JavaScript value
        text = ""
        for part in node.named_children:
            if part.type == "template_substitution":
                value = self.value(part.named_child(0))
                if not isinstance(value, str | int) or isinstance(value, bool):
                    return UNKNOWN
                text += str(value)
            elif part.type == "string_fragment":
                text += syntax.text(part)
            else:
                return UNKNOWN
        return text

    def _object(self, node: Node) -> Any:  # noqa: ANN401 - a JavaScript value
        found: dict[str, Any] = {}
        for part in node.named_children:
            match part.type:
                case "pair":
                    key = part.child_by_field_name("key")
                    if key is not None:
                        name = _string(key) if key.type == "string" else syntax.text(key)
                        found[name] = self.value(part.child_by_field_name("value"))
                case "shorthand_property_identifier":
                    found[syntax.text(part)] = self._identifier(part)
                case "spread_element":
                    for value in alternatives(self.value(part.named_child(0))):
                        if isinstance(value, Mapping):
                            found.update(cast("Mapping[str, Any]", value))
                case _:
                    pass
        return found

    def _array(self, node: Node) -> list[Any]:
        found: list[Any] = []
        for part in node.named_children:
            if part.type == "spread_element":
                value = self.value(part.named_child(0))
                found.extend(cast("list[Any]", value) if isinstance(value, list) else [UNKNOWN])
            elif part.type != "comment":
                found.append(self.value(part))
        return found

    def _member(self, node: Node) -> Any:  # noqa: ANN401 - a JavaScript value
        written = syntax.text(node)
        if written == "import.meta.dirname":
            return self._folder()
        if written in {"import.meta.url", "import.meta.filename"}:
            return f"{REPOSITORY}/{self._path}"
        holder = self.value(node.child_by_field_name("object"))
        named = node.child_by_field_name("property")
        key = self.value(node.child_by_field_name("index")) if named is None else syntax.text(named)
        if isinstance(holder, list) and isinstance(key, int) and 0 <= key < len(cast("list[Any]", holder)):
            return cast("list[Any]", holder)[key]
        return (
            cast("dict[Any, Any]", holder).get(key, None)
            if isinstance(holder, dict) and isinstance(key, str)
            else UNKNOWN
        )

    def _binary(self, node: Node) -> Any:  # noqa: ANN401 - a JavaScript value
        sign = syntax.text(node.child_by_field_name("operator") or node)
        left, right = (self.value(node.child_by_field_name(side)) for side in ("left", "right"))
        if sign in {"??", "||"}:
            if left is UNKNOWN:
                return right
            return right if left is None or (sign == "||" and not left) else left
        if UNKNOWN in (left, right) or isinstance(left, OneOf) or isinstance(right, OneOf):
            return UNKNOWN
        if sign in {"===", "=="}:
            return left == right
        if sign in {"!==", "!="}:
            return left != right
        return left + right if sign == "+" and isinstance(left, str) and isinstance(right, str) else UNKNOWN

    def _ternary(self, node: Node) -> Any:  # noqa: ANN401 - a JavaScript value
        condition = self.value(node.child_by_field_name("condition"))
        yes, no = (self.value(node.child_by_field_name(side)) for side in ("consequence", "alternative"))
        if condition is UNKNOWN or isinstance(condition, OneOf):
            return yes if yes == no else OneOf((no, yes))
        return yes if condition else no

    def _call(self, node: Node) -> Any:  # noqa: ANN401 - a JavaScript value
        function = node.child_by_field_name("function")
        given = node.child_by_field_name("arguments")
        if function is None or given is None:
            return UNKNOWN
        name = syntax.text(function).rpartition(".")[2]
        values = [self.value(a) for a in given.named_children if a.type != "comment"]
        if name == "defineConfig":
            return values[0] if values else UNKNOWN
        if syntax.text(function) == "process.cwd":
            return WORKING
        made = self._identifier(function) if function.type == "identifier" else UNKNOWN
        if made is not UNKNOWN:
            return made
        return _path(name, values)

    def _returned(self, node: Node) -> Any:  # noqa: ANN401 - a JavaScript value
        """A function stands for what it returns last; its parameters are unknown."""
        body = node.child_by_field_name("body")
        if body is None or body.type != "statement_block":
            return self.value(body)
        returned: Node | None = None
        for statement in body.named_children:
            if statement.type in {"lexical_declaration", "variable_declaration"}:
                self._collect(statement)
            elif statement.type == "return_statement":
                returned = statement.named_child(0)
        return self.value(returned)

    def _new(self, node: Node) -> Any:  # noqa: ANN401 - a JavaScript value
        given = node.child_by_field_name("arguments")
        made = node.child_by_field_name("constructor")
        if given is None or made is None or syntax.text(made) != "URL":
            return UNKNOWN
        values = [self.value(a) for a in given.named_children]
        texts = [v for v in values if isinstance(v, str)]
        if len(texts) == len(values) == 2:
            return posixpath.normpath(posixpath.join(posixpath.dirname(texts[1]), texts[0]))
        return UNKNOWN


def _path(name: str, values: list[Any]) -> Any:  # noqa: ANN401 - a JavaScript value
    """What functions of `path` and `url` make of known strings."""
    if not values or not all(isinstance(v, str) for v in values):
        return UNKNOWN
    texts = cast("list[str]", values)
    functions: dict[str, Callable[[], str]] = {
        "join": lambda: posixpath.normpath("/".join(texts)),
        "resolve": lambda: posixpath.normpath(posixpath.join(WORKING, *texts)),
        # From the working folder it means the same place; nobody computes another in a configuration.
        "relative": lambda: texts[-1] if texts[0] == WORKING else posixpath.relpath(texts[-1], texts[0]),
        "dirname": lambda: posixpath.dirname(texts[0]),
        "fileURLToPath": lambda: texts[0],
        "normalize": lambda: texts[0],
        "String": lambda: texts[0],
    }
    return functions[name]() if name in functions else UNKNOWN


def _string(node: Node) -> str:
    simple = {"n": "\n", "t": "\t", "r": "\r"}
    return "".join(
        simple.get(syntax.text(part)[1:], syntax.text(part)[1:])
        if part.type == "escape_sequence"
        else syntax.text(part)
        for part in _children(node)
    )


def _children(node: Node) -> Iterable[Node]:
    return (c for c in node.named_children if c.type in {"string_fragment", "escape_sequence"})


def _number(text: str) -> Any:  # noqa: ANN401 - a JavaScript value
    try:
        return int(text)
    except ValueError:
        return UNKNOWN


_PLAIN: Final[dict[str, Callable[[Node], Any]]] = {
    "string": _string,
    "number": lambda node: _number(syntax.text(node)),
    "true": lambda _: True,
    "false": lambda _: False,
    "null": lambda _: None,
}
_WRAPPERS: Final = {
    "as_expression",
    "satisfies_expression",
    "non_null_expression",
    "parenthesized_expression",
    "await_expression",
}
