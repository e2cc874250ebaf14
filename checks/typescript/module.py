"""One module: names are evaluated on demand, and statements that do something run in order, before what follows them."""

import posixpath
import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from checks.typescript import classes, functions, modules, namespaces, outline, patterns, syntax
from checks.typescript.scopes import Closure, Exhausted, Scope
from checks.typescript.syntax import Node
from checks.typescript.values import UNDEFINED, Native, Record, Site, Unknown, Value, listed

if TYPE_CHECKING:
    from checks.typescript.program import Program

_STEPS_EACH = 120_000
# Packages that cannot give a table, an enum or a view, whatever is done with them.
HARMLESS = re.compile(
    r"(?:zod|valibot|yup|joi|ajv|arktype|superstruct|typebox|@sinclair/typebox|drizzle-(?:zod|valibot|typebox|arktype|graphql)|nanoid|cuid|ulid"
    r"|uuid|ulidx|typeid-js|bcrypt(?:js)?|argon2|date-fns|dayjs|luxon|moment|lodash|ramda|remeda|react|next|hono|express|fastify"
    r"|pg|postgres|mysql2|better-sqlite3|dotenv|server-only|client-only|superjson|crypto|node:.*|fs|path|url|os|util|bun|@types"
    r"|@paralleldrive/cuid2|@neondatabase/serverless|@vercel/postgres|@trpc|@tanstack|@hono|@ai-sdk|ai|openai|stripe|type-fest"
    r"|@t3-oss|pino|winston|vitest|effect|ts-pattern)(?:/.*)?"
)


class Exports(Record):
    """`exports` of a module of CommonJS: what is handed to code that is not known may get any export."""


class Module:
    """The names of one file."""

    def __init__(
        self,
        program: "Program",
        path: str,
        top: outline.Outline,
        lost: str | None,
        json: Mapping[str, Value] | None = None,
    ) -> None:
        self.program = program
        self.path = path
        self.outline = top
        self.lost = lost
        self.scope = Scope(self, None)
        self._values: dict[str, Value] = {}
        self._busy: set[str] = set()
        self._done = 0  # how many effects have been started
        self._state = "new"
        self.root = False  # whether its exports are asked for as a whole
        if json is not None:
            self._values["*default*"] = _plain(json)

    def declares(self, name: str) -> bool:
        """Whether the module itself declares or imports that name at its top level."""
        return name in self.outline.declarations or name in self.outline.imports

    def local(self, name: str, node: Node) -> Value:  # noqa: PLR0911 - one case a kind of value
        """The value of a name at the top level of this module."""
        if name in self._values:
            return self._values[name]
        if name in self.outline.declarations:
            return self._declared(name)
        found = self.outline.imports.get(name)
        if found is not None:
            if name in self._busy:
                return Unknown(self.path, syntax.line(found.node), f"`{name}` is imported from itself")
            self._busy.add(name)
            try:
                value = self.program.imported(self.path, found.specifier, found.name, found.node)
            finally:
                self._busy.discard(name)
            if not (value.__class__ is Unknown and self._state == "busy"):
                self._values[name] = value
            return value
        if name in self.program.globals:
            return self.program.globals[name]
        if name == "require":
            return Native(name, self._require)
        if name in {"exports", "module"}:
            return self._common(name)
        return Site(self.path, node).unknown(f"`{name}` is not defined here")

    def held(self, name: str) -> Value:
        """What a variable of the module holds by now."""
        return self._values.get(name, UNDEFINED)

    def assign(self, name: str, value: Value, *, spoiled: bool = False) -> None:
        """Assign to a variable of the module; `spoiled`: what it held may have been changed, too."""
        if spoiled and name in self._values:
            functions.spoil(self._values[name], value)
        self._values[name] = value

    def _require(self, args: list[Value], site: Site) -> Value:
        if len(args) == 1 and isinstance(args[0], str):
            return self.program.imported(self.path, args[0], "*", site.node)
        return site.unknown("is a `require` of something that is not known")

    def this(self, site: Site) -> Value:
        """`this` at the top level."""
        if self.outline.exports or self.outline.stars or self.outline.imports:
            return UNDEFINED
        return (
            self._common("exports") if self.path.endswith((".js", ".cjs")) else site.unknown("`this` is not understood")
        )

    def _common(self, name: str) -> Value:
        exports = self._values.setdefault("exports", Exports())
        module = self._values.setdefault("module", Record(exports=exports))
        return exports if name == "exports" else module

    def _declared(self, name: str) -> Value:
        order, node = self.outline.declarations[name]
        if name in self._busy:
            return Unknown(self.path, syntax.line(node), f"`{name}` is defined by itself")
        self._busy.add(name)
        if node.type not in {"function_declaration", "class_declaration", "enum_declaration"}:
            self._run_effects(order)
        budget = self.program.evaluator.budget
        ceiling = budget.ceiling
        budget.ceiling = min(ceiling, budget.steps + _STEPS_EACH)
        try:
            self._evaluate(name, node)
        except Exhausted as exhausted:
            value = node.child_by_field_name("value")
            data = value is not None and value.type in {"array", "object"}  # however big, it is no table
            self._values[name] = Unknown(self.path, syntax.line(node), f"`{name}` {exhausted}", inert=data)
        finally:
            budget.ceiling = min(ceiling, budget.total)
            self._busy.discard(name)
        return self._values[name]

    def _evaluate(self, name: str, node: Node) -> None:
        evaluator = self.program.evaluator
        kind = node.type
        if name in self.outline.parts:
            self._values[name] = namespaces.parts(evaluator, self.outline.parts[name], self.scope)
        elif node.has_error and kind not in {"function_declaration", "class_declaration"}:
            self._values[name] = Unknown(self.path, syntax.line(node), "is in or beside a syntax error")
        elif kind == "variable_declarator":
            self._variable(name, node)
        elif kind in {"function_declaration", "function_signature"}:
            self._values[name] = Closure(node, self.scope, name)
        elif kind == "enum_declaration":
            self._values[name] = namespaces.enumeration(evaluator, node, self.scope)
        elif kind in {"class_declaration", "abstract_class_declaration", "class"}:
            self._values[name] = classes.make(evaluator, node, self.scope)
        elif kind == "generator_function_declaration":
            self._values[name] = Unknown(self.path, syntax.line(node), "is a generator", inert=True)
        elif kind in {"internal_module", "module"}:
            self._values[name] = namespaces.read(evaluator, node, self.scope)
        else:
            self._values[name] = evaluator.value(node, self.scope)

    def _variable(self, name: str, node: Node) -> None:
        evaluator = self.program.evaluator
        pattern, value = node.child_by_field_name("name"), node.child_by_field_name("value")
        if pattern is None:
            return
        if value is None:
            ambient = (
                node.parent is not None
                and node.parent.parent is not None
                and node.parent.parent.type == "ambient_declaration"
            )
            site = Site(self.path, node)
            self._values[name] = site.unknown(f"`{name}` is only declared, not defined") if ambient else UNDEFINED
            return
        given = evaluator.value(value, self.scope)
        if pattern.type == "identifier":
            self._values.setdefault(name, given)
            if given.__class__ is Closure and not given.name:
                given.name = name
            return
        inner = Scope(self, self.scope)
        patterns.bind(evaluator, pattern, given, inner)
        for bound, item in inner.names.items():
            self._values.setdefault(bound, item)
        self._values.setdefault(name, UNDEFINED)

    def _run_effects(self, before: int) -> None:
        """Run the statements that stand before a place, once each."""
        effects = self.outline.effects
        while self._done < len(effects) and effects[self._done][0] < before:
            _, node, _ = effects[self._done]
            self._done += 1
            self._run(node)

    def _run(self, node: Node) -> None:
        if node.has_error or node.type == "ERROR":
            self._remark(node, "is a syntax error")
            return
        budget = self.program.evaluator.budget
        ceiling = budget.ceiling
        budget.ceiling = min(ceiling, budget.steps + _STEPS_EACH)
        try:
            functions.run(self.program.evaluator, node, self.scope)
        except functions.Leave as leave:
            if leave.value.__class__ is Unknown:
                self._remark(node, leave.value.why)
        except Exhausted as exhausted:
            self._remark(node, str(exhausted))
        finally:
            budget.ceiling = min(ceiling, budget.total)

    def _remark(self, node: Node, why: str) -> None:
        """Note a statement that is not understood, where it could change a schema."""
        if self.root or self.of_schema():
            self.program.remark(Site(self.path, node), why)

    def complete(self) -> None:
        """Evaluate the whole module as JavaScript would when it is loaded, modules that it loads first."""
        if self._state != "new":
            return
        self._state = "busy"
        for specifier in self.outline.loads:
            target = (
                None
                if self.program.package(specifier) is not None
                else self.program.resolver.resolve(specifier, self.path)
            )
            if isinstance(target, str):
                module = self.program.module(target)
                if module.of_schema():
                    module.complete()
        places = [(order, name) for name, (order, _) in self.outline.declarations.items()]
        for order, name in sorted(places, key=lambda place: place[0]):
            self._run_effects(order)
            if name not in self._values:
                self._declared(name)
        self._run_effects(1 << 60)
        self._state = "done"

    def of_schema(self) -> bool:
        """Whether the module uses Drizzle's builders itself."""
        return any(specifier.startswith("drizzle-orm") for specifier in self.outline.loads)

    def exported(self) -> list[tuple[str, int]]:
        """The names of all exports with their lines: its own in order of their names, then those of `export *`."""
        return list(self._exported(set()).items())

    def _exported(self, seen: set[str]) -> dict[str, int]:
        if self.path in seen:
            return {}
        seen.add(self.path)
        names = {name: syntax.line(self.outline.exports[name].node) for name in sorted(self.outline.exports)}
        for specifier, node in self.outline.stars:
            for name in self._star_names(specifier, node, seen):
                names.setdefault(name, syntax.line(node))
        if not self.outline.exports and not self.outline.stars:
            names.update(self._common_names())
        return names

    def _common_names(self) -> dict[str, int]:
        """CommonJS: the properties of `module.exports`."""
        mentions = any({"exports"} & names for _, _, names in self.outline.effects)
        if not mentions:
            return {}
        self.complete()
        exports = self._common("module").get("exports")
        lost = exports if exports.__class__ is Unknown else getattr(exports, "hole", None)
        if lost is not None and self.root:
            self.program.problems.setdefault((lost.path, lost.line, lost.why), lost)
        return dict.fromkeys(exports.names(), 1) if isinstance(exports, Record) else {}

    def _star_names(self, specifier: str, node: Node, seen: set[str]) -> Iterator[str]:
        package = self.program.package(specifier)
        if package is not None:
            yield from sorted(package)
            return
        target = self.program.resolver.resolve(specifier, self.path)
        if isinstance(target, str):
            yield from (n for n in self.program.module(target)._exported(seen) if n != "default")  # noqa: SLF001 - the same class
        elif isinstance(target, modules.Missing):
            self.program.remark(Site(self.path, node), target.why)
        elif not HARMLESS.fullmatch(specifier):
            why = f"passes on whatever the package `{specifier}` exports, which is not part of the repository"
            self.program.remark(Site(self.path, node), why)

    def export(self, name: str) -> Value:
        """The value of an export."""
        if self.lost is not None:
            return Unknown(self.path, 1, self.lost)
        if self._state == "new" and (self.of_schema() or any(name in names for _, _, names in self.outline.effects)):
            self.complete()
        return self._export(name, set())

    def _passed_on(self, name: str, found: outline.Export) -> Value:
        """`export { name } from "./other"`."""
        mark = f"export {name}"
        if mark in self._busy:
            return Unknown(self.path, syntax.line(found.node), f"`{name}` is imported from itself")
        self._busy.add(mark)
        try:
            return self.program.imported(self.path, found.source or "", found.local, found.node)
        finally:
            self._busy.discard(mark)

    def _export(self, name: str, seen: set[str]) -> Value:  # noqa: C901, PLR0911 - one case a kind of value
        if self.path in seen:
            return UNDEFINED
        seen.add(self.path)
        found = self.outline.exports.get(name)
        if found is not None:
            if found.source is not None:
                return self._passed_on(name, found)
            return self.local(found.local, found.node)
        for specifier, _ in self.outline.stars:
            package = self.program.package(specifier)
            if package is not None:
                if name in set(package):
                    return package[name]
                continue
            target = self.program.resolver.resolve(specifier, self.path)
            if isinstance(target, str):
                module = self.program.module(target)
                if module.lost is None and name in module._exported(set()):  # noqa: SLF001 - the same class
                    return module.export(name)
        if "*default*" in self._values and not self.outline.declarations:  # JSON
            default = self._values["*default*"]
            return default if name == "default" or not isinstance(default, Record) else default.get(name, UNDEFINED)
        exports = self._common("module").get("exports") if self._common_names() else None
        if isinstance(exports, Record):
            site = Site(self.path, syntax.parse(b"").root_node)
            return exports if name == "default" else exports.read(name, site) if name in exports else UNDEFINED
        return Unknown(self.path, self.outline.broken or 1, f"{posixpath.basename(self.path)} has no export `{name}`")


def _plain(value: Value) -> Value:
    """JSON as values of ours."""
    if isinstance(value, Mapping):
        return Record((str(key), _plain(item)) for key, item in value.items())  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType] - JSON
    items = listed(value)
    return value if items is None else [_plain(item) for item in items]
