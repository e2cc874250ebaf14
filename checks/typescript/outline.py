"""The top level of a module: what it imports, declares and exports, without evaluating anything; kept by content hash."""

import re
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field

from checks.typescript import literals, syntax
from checks.typescript.syntax import Node

_KEEP_BYTES = 24 << 20  # of source; a tree takes some ten times as much
_NAMES = re.compile(rb"[A-Za-z_$][\w$]*")
_VALUES = frozenset({
    "lexical_declaration", "variable_declaration", "function_declaration", "generator_function_declaration",
    "class_declaration", "abstract_class_declaration", "enum_declaration", "ambient_declaration", "module",
    "internal_module", "function_signature",
})  # fmt: skip
_ADDING = frozenset({"enum_declaration", "internal_module", "module"})
_NOTHING = frozenset({
    "comment", "empty_statement", "type_alias_declaration", "interface_declaration", "hash_bang_line", "import_alias",
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class Import:
    """A local name for something of another module: its export `name`, or the whole of it (`*`)."""

    specifier: str
    name: str
    node: Node


@dataclass(frozen=True, slots=True)
class Export:
    """A name that a module exports: its own `local`, or the `local` of the module `source`."""

    local: str
    node: Node
    source: str | None = None


@dataclass(slots=True)
class Outline:
    """The top level of one file.

    Attributes:
        imports: by local name.
        exports: by exported name.
        stars: the modules whose exports are all exported, in order.
        declarations: the declaring node of each local name, with its place in the order of statements.
        effects: statements that do something, with their place, and the identifiers they mention.
        loads: specifiers imported for values or effects, in order.
        parts: every declaration of a name that is declared several times, where that adds up (enums, namespaces).
        broken: the line of the first place that is not TypeScript, or None.
    """

    imports: dict[str, Import] = field(default_factory=dict[str, Import])
    exports: dict[str, Export] = field(default_factory=dict[str, Export])
    stars: list[tuple[str, Node]] = field(default_factory=list[tuple[str, Node]])
    declarations: dict[str, tuple[int, Node]] = field(default_factory=dict[str, tuple[int, Node]])
    effects: list[tuple[int, Node, frozenset[str]]] = field(default_factory=list[tuple[int, Node, frozenset[str]]])
    loads: list[str] = field(default_factory=list[str])
    parts: dict[str, list[Node]] = field(default_factory=dict[str, list[Node]])
    broken: int | None = None


_kept: OrderedDict[tuple[str, bool], tuple[int, Outline]] = OrderedDict()


def of(source: bytes, path: str, oid: str) -> Outline:
    """The outline of a file; the same content (by object id) is read once in a process."""
    key = (oid, path.endswith((".tsx", ".jsx", ".js", ".mjs", ".cjs")))
    found = _kept.get(key)
    if found is None:
        found = (len(source), _read(syntax.parse(source, path).root_node))
        _kept[key] = found
        excess = sum(size for size, _ in list(_kept.values())) - _KEEP_BYTES if len(_kept) % 16 == 0 else 0
        while excess > 0 and len(_kept) > 1:
            excess -= _kept.popitem(last=False)[1][0]
    return found[1]


def _read(root: Node) -> Outline:
    outline = Outline()
    if root.has_error:
        outline.broken = _first_error(root)
    for order, node in enumerate(root.named_children):
        kind = node.type
        if kind == "import_statement":
            _import(outline, node)
        elif kind == "export_statement":
            _export(outline, order, node)
        elif kind in _VALUES:
            _declare(outline, order, node)
        elif kind == "expression_statement" and _is_namespace(node):
            _declare(outline, order, node.named_children[0])
        elif kind not in _NOTHING:
            outline.effects.append((order, node, names_in(node)))
    return outline


def names_in(node: Node) -> frozenset[str]:
    """The identifiers that the text of a node mentions."""
    return frozenset(name.decode() for name in _NAMES.findall(node.text or b""))


def _is_namespace(node: Node) -> bool:
    children = node.named_children
    return len(children) == 1 and children[0].type == "internal_module"


def _first_error(root: Node) -> int:
    node, budget = root, 10_000
    while budget:
        broken = next((child for child in node.children if child.has_error or child.is_missing), None)
        if broken is None or node.type == "ERROR":
            break
        node = broken
        budget -= 1
    return syntax.line(node)


def _source(node: Node) -> str | None:
    source = node.child_by_field_name("source")
    return None if source is None else literals.string(source)


def _types_only(node: Node) -> bool:
    return any(child.type in {"type", "typeof"} for child in node.children[:3])


def _import(outline: Outline, node: Node) -> None:  # noqa: C901 - one case a kind of value
    if _types_only(node):
        return
    clause = next((c for c in node.named_children if c.type in {"import_clause", "import_require_clause"}), None)
    if clause is not None and clause.type == "import_require_clause":
        name, source = clause.named_children[0], _source(clause)
        if source is not None:
            outline.imports[syntax.text(name)] = Import(source, "*", node)
            outline.loads.append(source)
        return
    source = _source(node)
    if source is None:
        return
    names: dict[str, str] = {}
    for part in clause.named_children if clause is not None else []:
        if part.type == "identifier":
            names[syntax.text(part)] = "default"
        elif part.type == "namespace_import":
            names[syntax.text(part.named_children[0])] = "*"
        else:
            for item in part.named_children:
                if item.type == "import_specifier" and item.children[0].type not in {"type", "typeof"}:
                    imported, local = _specifier(item)
                    names[local] = imported
    if names or clause is None:
        outline.loads.append(source)
    for local, imported in names.items():
        outline.imports[local] = Import(source, imported, node)


def _specifier(item: Node) -> tuple[str, str]:
    name, alias = item.child_by_field_name("name"), item.child_by_field_name("alias")
    first = "" if name is None else literals.word(name)
    return first, first if alias is None else literals.word(alias)


def _export(outline: Outline, order: int, node: Node) -> None:
    if _types_only(node):
        return
    declaration = node.child_by_field_name("declaration")
    value = node.child_by_field_name("value")
    source = _source(node)
    default = any(child.type == "default" for child in node.children[:3])
    if declaration is not None:
        if declaration.type in _NOTHING:
            return
        names = _declare(outline, order, declaration)
        for name in names:
            outline.exports["default" if default else name] = Export(name, declaration)
        if default and not names:
            outline.declarations["default"] = (order, declaration)
            outline.exports["default"] = Export("default", declaration)
        return
    if value is not None:
        outline.declarations["*default*"] = (order, value)
        outline.exports["default"] = Export("*default*", value)
        return
    _export_clause(outline, order, node, source)
    if source is not None:
        outline.loads.append(source)


def _export_clause(outline: Outline, order: int, node: Node, source: str | None) -> None:
    named = node.named_children
    clause = next((c for c in named if c.type in {"export_clause", "namespace_export"}), None)
    if clause is None and source is not None:
        outline.stars.append((source, node))
    elif clause is None:  # `export = value`
        if named:
            outline.declarations["*default*"] = (order, named[0])
            outline.exports["default"] = Export("*default*", named[0])
    elif clause.type == "namespace_export":
        outline.exports[literals.word(clause.named_children[0])] = Export("*", node, source)
    else:
        for item in clause.named_children:
            if item.type == "export_specifier" and item.children[0].type not in {"type", "typeof"}:
                local, exported = _specifier(item)
                outline.exports[exported] = Export(local, node, source)


def _declare(outline: Outline, order: int, node: Node) -> list[str]:
    """Note what a declaration declares; the names."""
    if node.type == "ambient_declaration":
        named = node.named_children
        return _declare(outline, order, named[0]) if named and named[0].type in _VALUES else []
    if node.type in {"lexical_declaration", "variable_declaration"}:
        names: list[str] = []
        for declarator in node.named_children:
            pattern = declarator.child_by_field_name("name")
            if declarator.type == "variable_declarator" and pattern is not None:
                for name in literals.bound(pattern):
                    outline.declarations[name] = (order, declarator)
                    names.append(name)
        return names
    name = node.child_by_field_name("name")
    if name is None:
        return []
    text = syntax.text(name)
    if node.type == "function_signature" and text in outline.declarations:
        return [text]
    before = outline.declarations.get(text)
    if before is not None and {before[1].type, node.type} & _ADDING and before[1].type != "function_signature":
        outline.parts.setdefault(text, [before[1]]).append(node)
    outline.declarations[text] = (order, node)
    return [text]


def forget() -> None:
    """Forget every outline (for measurements)."""
    _kept.clear()


def kept() -> Mapping[tuple[str, bool], tuple[int, Outline]]:
    """What is remembered (for tests and measurements)."""
    return _kept
