"""Drizzle's own queries as readers: `users.nickname`, `.set({ nickname })`, `db.query.users.findMany({ columns: … })`."""

import re
from collections.abc import Iterator, Mapping, Sequence

from checks.readers.exports import Meant, Schema, Table
from checks.readers.names import Words
from checks.readers.scopes import Scopes
from checks.so_far import Target
from checks.typescript import syntax
from checks.typescript.syntax import Node
from checks.ways.source import Source, arguments, in_type

Relations = Mapping[tuple[str, str], str]
"""The table's variable that a relation leads to, by the variable and the relation's name."""

_MOST = 400
_HIGHEST = 25
_THROUGH = frozenset(
    {
        "parenthesized_expression", "as_expression", "satisfies_expression", "non_null_expression", "array",
        "ternary_expression", "binary_expression", "spread_element", "return_statement", "statement_block",
    }
)  # fmt: skip
_FINDS = {"findMany", "findFirst"}
_CALLED_WITH_TABLE = {"where", "orderBy", "extras", "RAW"}


class Queries:
    """The queries of one file."""

    def __init__(self, source: Source, schema: Schema, relations: Relations, schema_files: Sequence[str] = ()) -> None:
        self._source = source
        self._schema = schema
        self._relations = relations
        self._files = schema_files
        self._scopes = Scopes(source, schema, self._called_with)

    def readers(self, target: Target, words: Words) -> Iterator[tuple[int, bool]]:
        """The lines that name a target, each with whether it is sure to be that one."""
        found = self._of_table(target, words) if target.column is None else self._of_column(target, words)
        lines: dict[int, bool] = {}
        for line, certain in found:
            lines[line] = lines.get(line, False) or certain
        yield from sorted(lines.items())

    def _of_column(self, target: Target, words: Words) -> Iterator[tuple[int, bool]]:
        for node in self._places(words.columns):
            table = self._table_of(node)
            if table is None or not table.is_named(target.schema, target.table) or target.column is None:
                continue
            certain = table.column(syntax.text(node).strip("\"'`"), target.column)
            if certain is not None:
                yield syntax.line(node), certain

    def _of_table(self, target: Target, words: Words) -> Iterator[tuple[int, bool]]:
        aliases = {here for here, (_, there) in self._scopes.imports.items() if there in words.tables}
        for node in self._places(words.tables | aliases):
            meant = self._used(node, node.parent)
            if isinstance(meant, Table) and meant.is_named(target.schema, target.table):
                yield syntax.line(node), True

    def _used(self, node: Node, parent: Node | None) -> Meant | None:
        """What a word means where it is used, neither imported, exported nor declared."""
        if parent is None or parent.type in {"import_specifier", "export_specifier"}:
            return None
        if parent.type == "variable_declarator" and parent.child_by_field_name("value") != node:
            return None
        if node.type == "property_identifier":
            return (self._scopes.meaning(parent) or self._keyed(parent)) if parent.type == "member_expression" else None
        is_value = node.type in {"identifier", "shorthand_property_identifier"}
        return self._scopes.meaning(node) if is_value else None

    def _places(self, names: frozenset[str]) -> Iterator[Node]:
        """Where one of the names stands as a word of code, not in a type."""
        if not names:
            return
        pattern = re.compile(
            rb"(?<![\w$])(?:" + b"|".join(re.escape(n.encode()) for n in sorted(names)) + rb")(?![\w$])"
        )
        for number, found in enumerate(pattern.finditer(self._source.data)):
            if number > _MOST:
                return
            node = self._source.at(found.start(), found.end())
            if node.type == "string_fragment" and node.parent is not None:
                node = node.parent
            if node.type.endswith(("identifier", "identifier_pattern", "string")) and not in_type(node):
                yield node

    # -- whose name it is ---------------------------------------------------------------------------------------------

    def _table_of(self, node: Node) -> Table | None:
        """The table whose property a word names, if any."""
        parent = node.parent
        if parent is None:
            return None
        meant: Meant | None = None
        field = {"member_expression": "property", "subscript_expression": "index"}.get(parent.type)
        if field is not None and parent.child_by_field_name(field) == node:
            meant = self._scopes.meaning(parent.child_by_field_name("object"))
        elif node.type == "shorthand_property_identifier_pattern":
            meant = self._taken_apart(parent)
        elif parent.type == "pair_pattern" and parent.child_by_field_name("key") == node:
            meant = self._taken_apart(parent.parent)
        elif node.type == "shorthand_property_identifier":
            meant = self._table_of_keys(parent)
        elif parent.type == "pair" and parent.child_by_field_name("key") == node and not _is_false(parent):
            meant = self._table_of_keys(parent.parent)
        return meant if isinstance(meant, Table) else None

    def _taken_apart(self, pattern: Node | None) -> Meant | None:
        """What an object pattern takes apart: a variable's value, or the first parameter of a callback."""
        if pattern is not None and pattern.type == "object_assignment_pattern":
            pattern = pattern.parent
        parent = pattern.parent if pattern is not None else None
        if pattern is None or parent is None:
            return None
        if parent.type == "variable_declarator":
            return self._scopes.meaning(parent.child_by_field_name("value"))
        around = parent.parent
        if parent.type == "required_parameter" and around is not None and around.named_children[:1] == [parent]:
            function = around.parent
            return self._called_with(function) if function is not None else None
        return None

    def _table_of_keys(self, keys: Node | None, depth: int = 0) -> Table | None:  # noqa: PLR0911 - one answer a place
        """The table whose properties the keys of an object are."""
        if keys is None or depth > _HIGHEST:
            return None
        here = _outward(keys)
        parent = here.parent
        if parent is None:
            return None
        if parent.type == "object":  # through a spread
            return self._table_of_keys(parent, depth + 1)
        if parent.type == "arguments":
            call = parent.parent
            method = _method(call)
            verb = {"set": "update", "values": "insert"}.get(method)
            return self._written(call, verb) if verb is not None else None
        if parent.type != "pair" or parent.parent is None:
            return None
        key, owner = _key(parent), parent.parent
        if key == "set" and owner.parent is not None and owner.parent.type == "arguments":
            call = owner.parent.parent
            return self._written(call, "insert") if _method(call) == "onConflictDoUpdate" else None
        if key in {"columns", "where", "orderBy"} and (table := self._asked(owner)) is not None:
            return table
        return self._filtered(keys, depth)

    def _filtered(self, keys: Node, depth: int = 0) -> Table | None:
        """The table that an object of conditions is about (`where: { OR: [{ nickname: … }], author: { … } }`)."""
        if depth > _HIGHEST:
            return None
        parent = _outward(keys).parent
        owner = parent.parent if parent is not None and parent.type == "pair" else None
        if parent is None or owner is None:
            return None
        key = _key(parent)
        if key == "where" and (table := self._asked(owner)) is not None:
            return table
        above = self._filtered(owner, depth + 1)
        if above is None or key in {"OR", "AND", "NOT"}:
            return above
        return self._related(above, key)

    def _asked(self, config: Node, depth: int = 0) -> Table | None:
        """The table that the settings of a relational query are about."""
        parent = _outward(config).parent
        if parent is None or depth > _HIGHEST:
            return None
        if parent.type == "arguments" and parent.parent is not None and _method(parent.parent) in _FINDS:
            function = parent.parent.child_by_field_name("function")
            return self._keyed(function.child_by_field_name("object")) if function is not None else None
        owner = parent.parent if parent.type == "pair" else None
        holder = _outward(owner).parent if owner is not None else None
        if holder is None or holder.type != "pair" or _key(holder) != "with" or holder.parent is None:
            return None
        above = self._asked(holder.parent, depth + 1)
        return self._related(above, _key(parent)) if above is not None else None

    def _keyed(self, node: Node | None) -> Table | None:
        """`db.query.users` (or `db._query.users`), where it is asked for rows."""
        owner = node.child_by_field_name("object") if node is not None and node.type == "member_expression" else None
        prop = node.child_by_field_name("property") if node is not None and owner is not None else None
        if owner is None or prop is None or owner.type != "member_expression" or node is None or node.parent is None:
            return None
        named, finds = owner.child_by_field_name("property"), node.parent.child_by_field_name("property")
        if named is None or syntax.text(named) not in {"query", "_query"}:
            return None
        if finds is None or syntax.text(finds) not in _FINDS:
            return None
        return self._schema.keyed(syntax.text(prop), self._files)

    def _related(self, table: Table, name: str) -> Table | None:
        variable = self._relations.get((table.variable, name))
        return self._schema.keyed(variable, self._files) if variable is not None else None

    def _written(self, call: Node | None, verb: str) -> Table | None:
        """The table that a chain such as `db.update(users).set(…)` begins with."""
        for _ in range(_HIGHEST):
            function = call.child_by_field_name("function") if call is not None else None
            call = function.child_by_field_name("object") if function is not None else None
            if call is None or call.type != "call_expression":
                return None
            if _method(call) == verb:
                given = arguments(call)
                meant = self._scopes.meaning(given[0]) if given else None
                return meant if isinstance(meant, Table) else None
        return None

    def _called_with(self, function: Node) -> Meant | None:
        """The table that Drizzle calls a function with: `where: (users, { eq }) => …`."""
        parent = function.parent
        if parent is None or parent.type != "pair" or parent.parent is None:
            return None
        key = _key(parent)
        if key == "RAW":
            return self._filtered(parent.parent) or self._table_of_keys(parent.parent)
        if key in _CALLED_WITH_TABLE:
            return self._asked(parent.parent)
        above = _outward(parent.parent).parent  # extras: { lower: (users) => … }
        if above is not None and above.type == "pair" and _key(above) == "extras" and above.parent is not None:
            return self._asked(above.parent)
        return None


def relations(source: Source) -> Iterator[tuple[tuple[str, str], str]]:
    """The relations of a file: `relations(users, ({ many }) => ({ posts: many(posts) }))`, `defineRelations(schema, …)`."""
    for found in re.finditer(rb"\b(?:defineRelations|defineRelationsPart|relations)\s*\(", source.data):
        call: Node | None = source.at(found.end() - 1, found.end())
        while call is not None and call.type != "call_expression":
            call = call.parent
        given = arguments(call) if call is not None else []
        body = _returned(given[1]) if len(given) > 1 else None
        if body is None:
            continue
        if found[0].startswith(b"relations"):
            yield from _leads(syntax.text(given[0]).rpartition(".")[2], body)
            continue
        for pair in body.named_children:
            value = pair.child_by_field_name("value") if pair.type == "pair" else None
            if value is not None and value.type == "object":
                yield from _leads(_key(pair), value)


def _leads(variable: str, body: Node) -> Iterator[tuple[tuple[str, str], str]]:
    for pair in body.named_children:
        value = pair.child_by_field_name("value") if pair.type == "pair" else None
        function = (
            value.child_by_field_name("function") if value is not None and value.type == "call_expression" else None
        )
        if value is None or function is None:
            continue
        name = syntax.text(function)
        parts = name.split(".")
        if parts[-1] in {"one", "many"}:
            given = arguments(value)
            to = syntax.text(given[0]).rpartition(".")[2] if given else ""
        else:
            to = parts[-1] if len(parts) > 1 and parts[-2] in {"one", "many"} else ""
        if to:
            yield (variable, _key(pair)), to


def _returned(function: Node) -> Node | None:
    body = function.child_by_field_name("body") if function.type == "arrow_function" else None
    while body is not None and body.type == "parenthesized_expression":
        body = body.named_children[0] if body.named_children else None
    return body if body is not None and body.type == "object" else None


def _outward(node: Node) -> Node:
    """The outermost expression whose value a node is, through brackets, lists, choices, spreads and `rows.map(…)`."""
    here = node
    for _ in range(_HIGHEST):
        parent = here.parent
        if parent is None:
            break
        if parent.type in _THROUGH:
            here = parent
            continue
        call = parent.parent.parent if parent.type == "arrow_function" and parent.parent is not None else None
        if call is not None and parent.child_by_field_name("body") == here and _method(call) in {"map", "flatMap"}:
            here = call
            continue
        break
    return here


def _method(call: Node | None) -> str:
    function = call.child_by_field_name("function") if call is not None and call.type == "call_expression" else None
    prop = function.child_by_field_name("property") if function is not None else None
    return syntax.text(prop) if prop is not None else ""


def _key(pair: Node) -> str:
    key = pair.child_by_field_name("key")
    return syntax.text(key).strip("\"'") if key is not None else ""


def _is_false(pair: Node) -> bool:
    """`columns: { nickname: false }` leaves it out."""
    value = pair.child_by_field_name("value")
    return value is not None and value.type == "false"
