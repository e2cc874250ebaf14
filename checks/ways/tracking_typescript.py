"""TypeScript that writes the tracking table: `sql` templates, queries as text, `.insert(…)` of a table with that name."""

import re
from collections.abc import Iterator
from itertools import chain

from checks.tree import Tree
from checks.typescript import syntax
from checks.typescript.modules import Resolver
from checks.typescript.syntax import Node
from checks.ways.source import Source, arguments
from checks.ways.tracking import DEFAULT, DROPS_SCHEMA, Placed, Write, is_tracking, needle, writes

_RUNS_SQL = re.compile(
    r"(?i)(?:^|[.$_])(?:\$?(?:query|execute)(?:raw)?(?:unsafe)?|unsafe|raw|exec|run|sql|batch|prepare|none|any|one|many|oneornone|simple|session|statement|pg|client|db)\w*$"
)
_WRITE_METHODS = frozenset({"insert", "update", "delete"})
_NAMED_METHODS = {
    "insertInto": "INSERT INTO",
    "deleteFrom": "DELETE FROM",
    "updateTable": "UPDATE",
    "dropTable": "DROP TABLE",
    "alterTable": "ALTER TABLE",
    "truncateTable": "TRUNCATE",
}
_INSIDE = frozenset(
    {
        "parenthesized_expression", "as_expression", "binary_expression", "array", "await_expression", "template_substitution", "template_string", "pair",
        "object",
    }
)  # fmt: skip
_HIGHEST = 15
_MOST = 300
_LIKE_MIGRATIONS = re.compile(r"(?i)migrat")


def in_typescript(source: Source, table: tuple[str, str], tree: Tree, resolver: Resolver) -> list[Placed]:
    """The writes in a TypeScript file: `sql` templates, queries as strings, `.insert(…)` of a table with that name."""
    found: dict[int, Placed] = {}
    variables = _tables(source, table)
    for local in _imported_tables(source, table, tree, resolver):
        variables.setdefault(local, ".".join(table))
    for name, shown in variables.items():
        for use in source.uses(name):
            for action, node in _by_variable(source, use, shown, table):
                found.setdefault(node.id, _place(node, Write(action, shown)))
    for string in _strings(source, table):
        if not _is_run(source, string):
            continue
        for write in writes(_sql_of(source, string, variables), table):
            found.setdefault(string.id, _place(string, write))
    found.update(_by_name(source, table))
    return sorted(found.values(), key=lambda p: p.line)


def _place(node: Node, write: Write) -> Placed:
    return Placed(write, syntax.line(node), node.end_point.row + 1, key=" ".join(syntax.text(node).split())[:500])


def _strings(source: Source, table: tuple[str, str]) -> Iterator[Node]:
    seen: set[int] = set()
    for number, found in enumerate(chain(needle(table).finditer(source.data), DROPS_SCHEMA.finditer(source.data))):
        if number > _MOST:
            return
        here: Node | None = source.at(found.start(), found.end())
        for _ in range(6):
            if here is None or here.type in {"string", "template_string", "comment"}:
                break
            here = here.parent
        if here is None or here.type == "comment":
            continue
        for string in (here, *_around(source, here)):
            if string.type in {"string", "template_string"} and string.id not in seen:
                seen.add(string.id)
                yield string


def _around(source: Source, string: Node) -> Iterator[Node]:
    """The templates that a string is put into, straight, by `sql.identifier(…)`, or as a constant."""
    parent = string.parent
    if parent is not None and parent.type == "variable_declarator":
        name = parent.child_by_field_name("name")
        for use in source.uses(syntax.text(name)) if name is not None and name.type == "identifier" else ():
            yield from _templates(use)
    yield from _templates(string)


def _templates(node: Node) -> Iterator[Node]:
    here = node.parent
    for _ in range(8):
        if here is None:
            return
        if here.type == "template_string":
            yield here
        here = here.parent


def _tables(source: Source, table: tuple[str, str]) -> dict[str, str]:
    """Local variables that are the tracking table: `pgTable("__drizzle_migrations", …)`, `schema.table(…)`."""
    found: dict[str, str] = {}
    for string in _strings(source, table):
        value = _unquoted(string)
        call = string.parent.parent if string.parent is not None and string.parent.type == "arguments" else None
        function = call.child_by_field_name("function") if call is not None else None
        if call is None or function is None or not re.search(r"(?i)table\w*$", syntax.text(function)[-40:]):
            continue
        if value in {table[1], DEFAULT[1]} and call.parent is not None and call.parent.type == "variable_declarator":
            name = call.parent.child_by_field_name("name")
            if name is not None:
                found[syntax.text(name)] = value
    return found


def _imported_tables(source: Source, table: tuple[str, str], tree: Tree, resolver: Resolver) -> Iterator[str]:
    if not re.search(rb"\.\s*(?:insert|update|delete)\s*\(", source.data):
        return
    for each in source.imports(lambda package: package.startswith((".", "@/", "~", "#"))):
        for name, here in each.names if not each.types else ():
            if not _LIKE_MIGRATIONS.search(name):
                continue
            target = resolver.resolve(each.specifier, source.path)
            data = tree.read(target) if isinstance(target, str) else None
            if (
                data is not None
                and isinstance(target, str)
                and needle(table).search(data)
                and name in _tables(Source(target, data), table)
            ):
                yield here


def _by_variable(source: Source, use: Node, shown: str, table: tuple[str, str]) -> Iterator[tuple[str, Node]]:
    parent = use.parent
    if parent is None:
        return
    call = parent.parent
    if parent.type == "arguments" and call is not None and arguments(call)[:1] == [use]:
        function = call.child_by_field_name("function")
        named = function.child_by_field_name("property") if function is not None else None
        method = syntax.text(named) if named is not None else ""
        if method in _WRITE_METHODS:
            yield f".{method}(…)", call
    elif (
        parent.type == "template_substitution"
        and call is not None
        and call.type == "template_string"
        and _is_run(source, call)
    ):
        for write in writes(_sql_of(source, call, {syntax.text(use): shown}), table):
            yield write.action, call


def _by_name(source: Source, table: tuple[str, str]) -> dict[int, Placed]:
    """Query builders that take the name as text: `.deleteFrom("drizzle.__drizzle_migrations")`."""
    found: dict[int, Placed] = {}
    for string in _strings(source, table):
        call = string.parent.parent if string.parent is not None and string.parent.type == "arguments" else None
        function = call.child_by_field_name("function") if call is not None else None
        named = function.child_by_field_name("property") if function is not None else None
        action = _NAMED_METHODS.get(syntax.text(named)) if named is not None else None
        name = tuple(_unquoted(string).replace('"', "").split("."))
        if action and call is not None and is_tracking(name, action, table):
            found[call.id] = _place(call, Write(action, ".".join(name)))
    return found


def _is_run(source: Source, string: Node, depth: int = 0) -> bool:
    """A string that goes to the database: tagged, or given to something that runs queries; no message for people."""
    parent = string.parent
    for _ in range(_HIGHEST):
        if parent is None or parent.type not in _INSIDE:
            break
        parent = parent.parent
    if parent is None or depth > 3:
        return False
    if parent.type == "arguments":
        parent = parent.parent
    if parent is not None and parent.type in {"call_expression", "new_expression"}:
        function = parent.child_by_field_name("function") or parent.child_by_field_name("constructor")
        name = syntax.text(function)[-60:] if function is not None else ""
        return _RUNS_SQL.search(name.partition("<")[0]) is not None and not name.startswith("console.")
    if parent is not None and parent.type == "variable_declarator":
        name_node = parent.child_by_field_name("name")
        uses = source.uses(syntax.text(name_node)) if name_node is not None and name_node.type == "identifier" else ()
        return any(_is_run(source, use, depth + 1) for use in uses)
    return False


def _sql_of(source: Source, string: Node, variables: dict[str, str]) -> str:
    parts: list[str] = []
    for child in string.named_children:
        if child.type == "template_substitution":
            inner = child.named_children[0] if child.named_children else None
            parts.append(_substituted(source, inner, variables))
        else:
            parts.append(_read(child))
    return "".join(parts)


def _substituted(source: Source, node: Node | None, variables: dict[str, str]) -> str:
    """What stands in a query for `${…}`: a known name, or a parameter."""
    if node is None:
        return " NULL "
    if node.type == "identifier":
        name = syntax.text(node)
        value = source.constant(name)
        return variables.get(name) or (
            _unquoted(value) if value is not None and value.type in {"string", "template_string"} else " NULL "
        )
    if node.type in {"string", "template_string"}:
        return _unquoted(node)
    if node.type == "call_expression":  # sql.identifier("drizzle"), sql.raw(name)
        given = arguments(node)
        return _substituted(source, given[0], variables) if len(given) == 1 else " NULL "
    return " NULL "


def _unquoted(string: Node) -> str:
    return "".join(_read(child) for child in string.named_children)


def _read(part: Node) -> str:
    """A part of a string as the program has it."""
    written = syntax.text(part)
    if part.type != "escape_sequence":
        return written
    return " " if written[1:2] in {"n", "r", "t"} else written[1:]
