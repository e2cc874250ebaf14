"""Where a TypeScript file opens a connection to PostgreSQL, and which drivers it asks for."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from checks.tree import Tree
from checks.typescript import syntax
from checks.typescript.modules import Resolver
from checks.typescript.syntax import Node
from checks.ways import drivers
from checks.ways.source import Import, Source, arguments, call_of

_VARIABLES = re.compile(
    r"(?:env|environment|Deno\.env\.get)\s*(?:\.|\[|\()\s*['\"]?([A-Za-z_][A-Za-z0-9_]*)|\b([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)*_(?:URL|URI|DSN))\b"
)
# What is left of a variable's name without these says which database it is: ANALYTICS_DATABASE_URL → ANALYTICS
_COMMON = frozenset(
    {
        "DATABASE", "DB", "URL", "URI", "DSN", "POSTGRES", "POSTGRESQL", "PG", "NEON", "SUPABASE", "DIRECT", "UNPOOLED", "POOLED", "POOLER", "NON", "POOLING",
        "POOL", "PRISMA", "CONNECTION", "STRING", "MIGRATION", "MIGRATIONS", "MIGRATE", "PRIMARY", "MAIN", "PRODUCTION", "PROD", "DEV", "DEVELOPMENT", "LOCAL",
        "HOST", "USER", "PASSWORD", "PORT", "NAME", "SSL", "NODE", "ENV", "DRIZZLE", "NO", "SERVERLESS", "HYPERDRIVE", "NEXT", "PRIVATE", "PUBLIC", "APP",
    }
)  # fmt: skip
_NAMED = re.compile(rb"\b(?:" + b"|".join(name.encode() for name in (*drivers.NAMES, "default")) + rb")\b")
_DEEPEST = 4
_OWN = (".", "@/", "~", "#", "$")


@dataclass(frozen=True, slots=True)
class Opening:
    """A call that opens a connection."""

    call: str
    package: str
    line: int
    end_line: int
    variables: frozenset[str]


@dataclass(frozen=True, slots=True)
class Asked:
    """A driver that a file imports for its values."""

    package: str
    line: int


def asked(source: Source, wanted: Callable[[str], bool]) -> list[Asked]:
    """Imports of packages that are wanted, for more than types."""
    return [
        Asked(each.package, syntax.line(each.node))
        for each in source.imports(wanted)
        if not (each.types or (each.kind == "import" and each.names and _are_types(source, each)))
    ]


def openings(source: Source, tree: Tree | None = None, resolver: Resolver | None = None) -> list[Opening]:
    """The calls that open a connection, by whatever name the driver goes here.

    Args:
        source: the file.
        tree: with it, names that another module of the repository hands on are followed.
        resolver: what an import means.
    """
    found: dict[tuple[int, int], Opening] = {}
    # a name that is brought in twice is one name
    bindings = {
        (b.package, b.name, b.local, b.node.id if b.local == "*" else 0): b for b in _bindings(source, tree, resolver)
    }
    for bound in bindings.values():
        for opening in _opened(source, bound):
            found.setdefault((opening.line, opening.end_line), opening)
    return sorted(found.values(), key=lambda o: o.line)


def handed_on(source: Source) -> dict[str, tuple[str, str]]:
    """What a module exports of a driver: exported name → (package, name there); `*`: everything."""
    found: dict[str, tuple[str, str]] = {}
    for each in source.imports(drivers.is_driver):
        if each.types:
            continue
        for name, here in each.names:
            if each.kind == "export":
                found[here] = (each.package, name)
            elif here != "*":
                for exported in _exports_of(source, here):
                    found[exported] = (each.package, name)
    return found


def other_database(ours: frozenset[str], theirs: frozenset[str]) -> bool:
    """Whether the variables of two calls name different databases."""
    left, right = ({_which(v) for v in side} for side in (ours, theirs))
    return bool(left and right) and not left & right


def _which(variable: str) -> frozenset[str]:
    return frozenset(re.split(r"[_\W]+", re.sub(r"([a-z])([A-Z])", r"\1_\2", variable).upper())) - _COMMON


def _are_types(source: Source, each: Import) -> bool:
    """All its names stand in types and nowhere else: TypeScript drops such an import."""
    locals_ = [here for _, here in each.names if here != "*"]
    used = any(source.uses(here) or _exports_of(source, here) for here in locals_)
    return not used and any(source.is_typed(here) for here in locals_)


def _exports_of(source: Source, name: str) -> list[str]:
    """The names under which `export { name }` and `export default name` hand it on."""
    found: list[str] = []
    for match in re.finditer(
        rb"\bexport\s*\{[^}]{0,2000}\}(?!\s*from)|\bexport\s+default\s+" + re.escape(name.encode()) + rb"\b",
        source.data,
    ):
        if match[0].startswith(b"export") and b"{" not in match[0]:
            found.append("default")
            continue
        inner = match[0].decode(errors="replace").partition("{")[2].rpartition("}")[0]
        for part in inner.split(","):
            words = part.split()
            if words and words[0] == name:
                found.append(words[-1])
    return found


@dataclass(frozen=True, slots=True)
class _Bound:
    """A local name of something that comes from a driver: its package, its name there, its name here, and who brings it in."""

    package: str
    name: str
    local: str
    node: Node

    @property
    def is_whole(self) -> bool:
        return self.name in {"*", "default"}

    def opens(self, method: str) -> bool:
        """Whether calling it, or that method of it, opens a connection."""
        names = drivers.openers(self.package)
        if not method:
            return self.name in names or (self.is_whole and "default" in names)
        return self.is_whole and (method in names or (method == "default" and "default" in names))


def _bindings(source: Source, tree: Tree | None, resolver: Resolver | None) -> Iterator[_Bound]:
    """What comes from a driver, straight or through modules of the repository."""
    for each in source.imports(drivers.is_driver):
        if not each.types:
            for name, here in each.names:
                yield _Bound(each.package, name, here, each.node)
    if tree is None or resolver is None:
        return
    trail = _Trail(tree, resolver)
    for each in source.imports(lambda package: not drivers.is_driver(package), _NAMED):
        if each.types or each.kind == "export":
            continue
        own = each.specifier.startswith(_OWN)
        for name, here in each.names:
            if name in drivers.NAMES or (own and name in {"default", "*"}):
                for package, original in trail.follow(each, name, source.path):
                    yield _Bound(package, original, here, each.node)


@dataclass(frozen=True, slots=True)
class _Trail:
    """Follows a name from module to module of the repository until a driver is met."""

    tree: Tree
    resolver: Resolver

    def follow(self, each: Import, name: str, importer: str, depth: int = _DEEPEST) -> Iterator[tuple[str, str]]:
        target = self.resolver.resolve(each.specifier, importer) if depth else None
        data = self.tree.read(target) if isinstance(target, str) else None
        if data is None or not isinstance(target, str) or len(data) > 500_000:
            return
        source = Source(target, data)
        if any(package.encode() in data for package in drivers.packages()):
            exports = handed_on(source)
            if name in exports:
                yield exports[name]
            elif "*" in exports and name != "default":
                yield exports["*"][0], name
        for more in source.imports(lambda p: p.startswith(_OWN)) if b"export" in data else ():
            if more.kind == "export" and not more.types:
                for inner, outer in more.names:
                    if outer in {name, "*"}:
                        yield from self.follow(more, name if inner == "*" else inner, target, depth - 1)


def _opened(source: Source, bound: _Bound, depth: int = 0) -> Iterator[Opening]:
    """The openings by one local name."""
    if bound.local == "*":
        yield from _on_the_spot(bound)
    elif depth <= _DEEPEST:
        for use in source.uses(bound.local):
            yield from _by_use(source, bound, use, depth)


def _on_the_spot(bound: _Bound) -> Iterator[Opening]:
    """Nothing is bound: `(await import("pg")).Pool` is used where it stands."""
    outer = bound.node.parent
    while outer is not None and outer.type in {"await_expression", "parenthesized_expression"}:
        outer = outer.parent
    made = call_of(outer) if outer is not None and outer.type == "member_expression" else None
    if made is not None and bound.name in drivers.openers(bound.package):
        yield _opening(made[0], bound.package, bound.name)


def _by_use(source: Source, bound: _Bound, use: Node, depth: int) -> Iterator[Opening]:
    made = call_of(use)
    if bound.name in drivers.IMPLICIT and bound.package == "@vercel/postgres":
        yield _opening(use, bound.package, bound.name)
    elif made is not None:
        call, method = made
        if bound.opens(method) and ("drizzle" not in {bound.name, method} or _connects(source, call)):
            yield _opening(call, bound.package, method or bound.name)
    elif bound.is_whole:
        for inner, here in _taken_apart(use):
            yield from _opened(source, _Bound(bound.package, inner, here, use), depth + 1)
    elif bound.name in drivers.openers(bound.package):
        renamed = _renamed(use)
        if renamed:
            yield from _opened(source, _Bound(bound.package, bound.name, renamed, use), depth + 1)


def _taken_apart(use: Node) -> Iterator[tuple[str, str]]:
    """`const { Pool } = pg`, `const Pool = pg.Pool`."""
    parent = use.parent
    member = ""
    if parent is not None and parent.type == "member_expression":
        named = parent.child_by_field_name("property")
        member, parent = (syntax.text(named) if named is not None else ""), parent.parent
    if parent is None or parent.type != "variable_declarator":
        return
    pattern = parent.child_by_field_name("name")
    if pattern is None:
        return
    if member and pattern.type == "identifier":
        yield member, syntax.text(pattern)
    for child in pattern.named_children if pattern.type == "object_pattern" else ():
        if child.type == "shorthand_property_identifier_pattern":
            yield syntax.text(child), syntax.text(child)
        elif child.type == "pair_pattern":
            key, value = child.child_by_field_name("key"), child.child_by_field_name("value")
            if key is not None and value is not None:
                yield syntax.text(key), syntax.text(value)


def _renamed(use: Node) -> str | None:
    """`const connect = neon`."""
    parent = use.parent
    if parent is None or parent.type != "variable_declarator" or parent.child_by_field_name("value") != use:
        return None
    name = parent.child_by_field_name("name")
    return syntax.text(name) if name is not None and name.type == "identifier" else None


def _connects(source: Source, call: Node) -> bool:
    """`drizzle(url)` and `drizzle({ connection })` open a connection; `drizzle(client)` and `drizzle({ client })` wrap one."""
    given = arguments(call)
    if not given:
        return True
    first = given[0]
    if first.type in {"string", "template_string", "non_null_expression", "binary_expression", "as_expression"}:
        return True
    if first.type == "member_expression":
        return "env" in syntax.text(first).lower() or bool(re.search(r"(?i)ur[li]$", syntax.text(first)))
    if first.type == "object":
        keys = {
            syntax.text(k)
            for c in first.named_children
            if c.type == "pair" and (k := c.child_by_field_name("key")) is not None
        }
        return "connection" in keys or "connectionString" in keys
    if first.type == "identifier":
        value = source.constant(syntax.text(first))
        named_url = re.search(r"(?i)(?:ur[li]|connection_?string|dsn)$", syntax.text(first)) is not None
        return (
            named_url
            or (value is not None and value.type in {"string", "template_string"})
            or (value is not None and "process.env" in syntax.text(value)[:200])
        )
    return False


def _opening(call: Node, package: str, name: str) -> Opening:
    text = syntax.text(call)
    variables = frozenset(a or b for a, b in _VARIABLES.findall(text[:2000]))
    new = "new " if call.type == "new_expression" else ""
    function = call.child_by_field_name("function") or call.child_by_field_name("constructor")
    shown = f"{new}{syntax.text(function)[:60]}(…)" if function is not None else f"{name}`…`"
    return Opening(shown, package, syntax.line(call), call.end_point.row + 1, variables)
