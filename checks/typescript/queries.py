"""SQL and Drizzle tables in TypeScript: texts that look like SQL, and what `pgTable` and its kind declare."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from checks.typescript import syntax
from checks.typescript.syntax import Node

_VERB = re.compile(
    r"^(?:\s|--[^\n]*\n|/\*.*?\*/)*(?:select\b|insert\s+into\b|update\b|delete\s+from\b|with\b|merge\s+into\b|copy\b|truncate\b"
    r"|create\s+(?:or\s+replace\s+)?(?:materialized\s+)?view\b)",
    re.IGNORECASE | re.DOTALL,
)
_TAG = re.compile(r"(?:^|\.|\$)(?:sql|SQL|queryRaw|executeRaw)$")
_MAKES_TABLES = re.compile(r"(?:^|\.)(?:\w*[tT]able)$")
_SCHEMA = re.compile(r"(\w+)\s*=\s*pgSchema\(\s*[\"'](\w+)[\"']")
# pgTableCreator((name) => `shop_${name}`)
_CREATOR = re.compile(r"(\w+)\s*=\s*pgTableCreator\(\s*\(?\s*\w+[^=()]{0,40}\)?\s*=>\s*`(\w*)\$\{\s*\w+\s*\}(\w*)`")
_CASINGS = {"snakeCase", "camelCase"}
_WORDS = re.compile(r"[\da-z]+|[A-Z]+(?![a-z])|[A-Z][\da-z]+")


@dataclass(frozen=True, slots=True)
class Text:
    """A text that looks like SQL.

    Attributes:
        line: 1-based, of its first character.
        parts: what it is made of; odd ones are the TypeScript of an interpolation.
        tagged: it is a template with a tag such as `sql`.
    """

    line: int
    parts: tuple[str, ...]
    tagged: bool


@dataclass(frozen=True, slots=True)
class Declared:
    """A table that Drizzle code declares.

    Attributes:
        variable: the name it has in code, `""` where it has none.
        schema: `public`, or that of a pgSchema; `""` where that is not known.
        columns: the line of each column, by each name it may have in the database.
        properties: the name in code of each of those, the other way round.
        whole: all of its properties are written here; otherwise some come from elsewhere (`...timestamps`).
        path: the file.
    """

    line: int
    variable: str
    schema: str
    table: str
    columns: dict[str, int]
    properties: dict[str, str]
    whole: bool = True
    path: str = ""


def texts(root: Node, source: bytes) -> Iterator[Text]:
    """The texts of a file that look like SQL: those with a tag, and those that begin like a statement."""
    for node in _walk(root):
        if node.type == "template_string":
            tagged = _is_tagged(node)
            parts = tuple(_parts(node, source))
            if tagged or _VERB.match(parts[0]):
                yield Text(syntax.line(node), parts, tagged)
        elif node.type == "string":
            inside = syntax.text(node)[1:-1]
            if _VERB.match(inside) and " " in inside:
                yield Text(syntax.line(node), (inside,), tagged=False)


def schemas(source: bytes) -> dict[str, str]:
    """The variables of a file that are a pgSchema, with its name."""
    return dict(_SCHEMA.findall(source.decode(errors="replace"))) if b"pgSchema(" in source else {}


def tables(source: bytes, path: str, elsewhere: Mapping[str, str] | None = None) -> Iterator[Declared]:
    """The tables that a file declares: a call of something called `…Table` with a name and columns.

    Args:
        source: its text.
        path: where it is.
        elsewhere: variables of other files that are a pgSchema, with its name.
    """
    written = source.decode(errors="replace")
    known = {**(elsewhere or {}), **schemas(source)}
    creators: dict[str, tuple[str, str]] = {made: (before, after) for made, before, after in _CREATOR.findall(written)}
    for node in _walk(syntax.parse(source, path).root_node):
        if node.type != "call_expression":
            continue
        function, arguments = node.child_by_field_name("function"), node.child_by_field_name("arguments")
        if function is None or arguments is None or not _MAKES_TABLES.search(syntax.text(function)):
            continue
        given = arguments.named_children
        name = _string(given[0]) if len(given) > 1 else None
        body = _object(given[1]) if name is not None else None
        if name is None or body is None:
            continue
        owner, _, called = syntax.text(function).rpartition(".")
        plain = called != "table" or owner in _CASINGS
        before, after = creators.get(syntax.text(function), ("", ""))
        columns, properties = _columns(body)
        yield Declared(
            syntax.line(node),
            _variable(node),
            "public" if plain else known.get(owner, ""),
            f"{before}{name}{after}",
            columns,
            properties,
            whole=all(child.type in {"pair", "comment"} for child in body.named_children),
            path=path,
        )


def snake(name: str) -> str:
    """The name that Drizzle's `casing: snake_case` makes of a property."""
    return "_".join(word.lower() for word in _WORDS.findall(name.replace("'", "")))


def _walk(root: Node) -> Iterator[Node]:
    """All nodes below one, without recursion."""
    waiting = [root]
    while waiting:
        node = waiting.pop()
        yield node
        waiting.extend(reversed(node.children))


def _is_tagged(node: Node) -> bool:
    call = node.parent
    function = call.child_by_field_name("function") if call is not None and call.type == "call_expression" else None
    if function is None:
        return False
    return _TAG.search(re.sub(r"<.*", "", syntax.text(function), flags=re.DOTALL).strip()) is not None


def _parts(node: Node, source: bytes) -> Iterator[str]:
    start = node.start_byte + 1
    for child in node.children:
        if child.type == "template_substitution":
            yield source[start : child.start_byte].decode(errors="replace")
            yield source[child.start_byte + 2 : child.end_byte - 1].decode(errors="replace")
            start = child.end_byte
    yield source[start : node.end_byte - 1].decode(errors="replace")


def _string(node: Node) -> str | None:
    if node.type == "string" or (node.type == "template_string" and len(node.named_children) <= 1):
        return syntax.text(node)[1:-1]
    return None


def _object(node: Node) -> Node | None:
    """The columns: an object, or what a callback returns."""
    if node.type == "arrow_function":
        body = node.child_by_field_name("body")
        while body is not None and body.type == "parenthesized_expression":
            body = body.named_children[0] if body.named_children else None
        return body if body is not None and body.type == "object" else None
    return node if node.type == "object" else None


def _columns(body: Node) -> tuple[dict[str, int], dict[str, str]]:
    columns: dict[str, int] = {}
    properties: dict[str, str] = {}
    for pair in body.named_children:
        key, value = pair.child_by_field_name("key"), pair.child_by_field_name("value")
        if pair.type != "pair" or key is None or value is None:
            continue
        named = _builder_name(value)
        prop = syntax.text(key).strip("\"'")
        for name in [named] if named else [prop, snake(prop)]:
            columns.setdefault(name, syntax.line(pair))
            properties.setdefault(prop, name)
    return columns, properties


def _builder_name(value: Node) -> str | None:
    """The name given to the innermost call of `text("nickname").notNull()`."""
    node = value
    while node.type == "call_expression":
        function = node.child_by_field_name("function")
        if function is None or function.type != "member_expression":
            break
        inner = function.child_by_field_name("object")
        if inner is None or inner.type != "call_expression":
            break
        node = inner
    arguments = node.child_by_field_name("arguments") if node.type == "call_expression" else None
    return _string(arguments.named_children[0]) if arguments is not None and arguments.named_children else None


def _variable(node: Node) -> str:
    parent = node.parent
    name = parent.child_by_field_name("name") if parent is not None and parent.type == "variable_declarator" else None
    return syntax.text(name) if name is not None else ""
