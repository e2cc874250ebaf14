"""The modules of a commit as one program: each name is evaluated when it is first asked for, in JavaScript's order."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from checks.tree import Tree
from checks.typescript import doubt, globals_, lodash, modules, outline
from checks.typescript import module as module_
from checks.typescript.evaluate import Evaluator
from checks.typescript.module import Module
from checks.typescript.scopes import Budget, Closure, Namespace
from checks.typescript.syntax import Node
from checks.typescript.values import Native, Record, Site, Thing, Unknown, Value

Packages = Callable[[str], Mapping[str, Value] | None]

_BIGGEST = 4 << 20
_STEPS = 4_000_000
_MOST_MODULES = 8_000  # 5,000 schema files, and what they import
_SCHEMA_LIKE = re.compile(r"schema|drizzle|table|database|model|auth|\bdb\b|\bsql\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Exported:
    """One export of a module.

    Attributes:
        name: as it is exported.
        value: what it is.
        path: of the module whose export it is.
        line: where it is exported.
    """

    name: str
    value: Value
    path: str
    line: int


class Program:
    """Reads modules of a tree without running them.

    Args:
        tree: the files.
        packages: what a package exports, by specifier; None for a package that is not known.
        steps: how many expressions may be evaluated in all.
        seconds: how long it may take in all.
    """

    def __init__(self, tree: Tree, packages: Packages, *, steps: int = _STEPS, seconds: float = 10.0) -> None:
        self.tree = tree
        self.resolver = modules.Resolver(tree)
        self.problems: dict[tuple[str, int, str], Unknown] = {}
        self.evaluator = Evaluator(self, Budget(steps, seconds))
        self.globals = globals_.table(self.evaluator)
        self._packages = packages
        self._modules: dict[str, Module] = {}

    @property
    def read(self) -> set[str]:
        """The paths on which the answer depends, whether there is such a file or not."""
        return self.resolver.asked | set(self._modules)

    def remark(self, site: Site, why: str) -> None:
        """Note something that is not understood and may matter."""
        self.problems.setdefault((site.path, site.line, why), site.unknown(why))

    def module(self, path: str) -> Module:
        """The module in a file of the tree."""
        if path not in self._modules:
            if len(self._modules) > _MOST_MODULES:
                self._modules[path] = Module(
                    self, path, outline.Outline(), f"is one of more than {_MOST_MODULES} files"
                )
            else:
                self._modules[path] = self._load(path)
        return self._modules[path]

    def _load(self, path: str) -> Module:
        entry, data = self.tree.entry(path), self.tree.read(path)
        if entry is None or data is None:
            why = self.tree.elsewhere(path) or ("there is no such file" if entry is None else "is too large to be read")
            return Module(self, path, outline.Outline(), why)
        if len(data) > _BIGGEST:
            return Module(
                self,
                path,
                outline.Outline(),
                f"is a file of {len(data) >> 20} MB; at most {_BIGGEST >> 20} MB are read",
            )
        if path.endswith(".json"):
            return Module(self, path, outline.Outline(), None, self.resolver.read_json(path))
        if path.endswith((".d.ts", ".d.mts", ".d.cts")):
            return Module(self, path, outline.Outline(), "is a file of types only")
        module = Module(self, path, outline.of(data, path, entry.oid), None)
        if module.outline.broken is not None:
            self.problems[path, module.outline.broken, ""] = Unknown(path, module.outline.broken, "is a syntax error")
        return module

    def exports(self, path: str) -> list[Exported]:
        """All exports of a module: its own by name, then those it passes on (`export *`), each once."""
        module = self.module(path)
        module.root = True
        module.complete()
        found = {name: Exported(name, module.export(name), path, line) for name, line in module.exported()}
        return list(found.values())

    def package(self, specifier: str) -> Mapping[str, Value] | None:
        """What a package exports that is known without being part of the repository."""
        return self._packages(specifier)

    def external(self, specifier: str, name: str, site: Site) -> Value:
        """What a package exports under a name (`*`: all of it)."""
        package = self._packages(specifier)
        if package is not None:
            if name == "*":
                return Namespace(specifier, lambda n: self.external(specifier, n, site), lambda: sorted(package))
            if name in package:
                value = package[name]
                return replace(value, path=site.path, line=site.line) if isinstance(value, Unknown) else value
            if name == "default" and "*" in package:
                return package["*"]
            return site.unknown(f"`{name}` of `{specifier}` is not known", inert=name[:1].isupper())
        why = f"`{name}` comes from the package `{specifier}`, which is not part of the repository"
        inert = bool(module_.HARMLESS.fullmatch(specifier)) or not _SCHEMA_LIKE.search(specifier + " " + name)
        unknown = Unknown(site.path, site.line, why, inert=inert, source=specifier)
        known = lodash.exports(specifier) or {}
        whole = Record(known)
        whole.hole = unknown
        return known.get(name, whole if known and name in {"default", "*"} else unknown)

    def called(self, callee: Unknown, args: list[Value]) -> Unknown:
        """What calling something unknown gives: a package that is handed pieces of a schema may give a schema."""
        for arg in args:
            if arg.__class__ is Closure:
                doubt.may_run(arg, callee)
            foreign = callee.source and not module_.HARMLESS.fullmatch(callee.source)
            if arg.__class__ is module_.Exports or (foreign and arg.__class__ is Record and _of_schema(arg)):
                arg.hole = arg.hole or replace(callee, inert=False)
        if callee.source and not module_.HARMLESS.fullmatch(callee.source):
            return replace(callee, inert=callee.inert and not any(_of_schema(arg) for arg in args), source="")
        return callee

    def imported(self, importer: str, specifier: str, name: str, node: Node) -> Value:
        """What `import { name } from specifier` gives."""
        site = Site(importer, node)
        package = self._packages(specifier)
        target = modules.External(specifier) if package is not None else self.resolver.resolve(specifier, importer)
        if isinstance(target, modules.External):
            return self.external(specifier, name, site)
        if isinstance(target, modules.Missing):
            return site.unknown(target.why)
        module = self.module(target)
        if name == "*":
            return Namespace(target, module.export, lambda: [n for n, _ in module.exported()])
        return module.export(name)


def _of_schema(value: Value) -> bool:
    if isinstance(value, Record):
        return any(_of_schema(item) for item in list(value.values())[:50])
    return isinstance(value, Thing) or (value.__class__ is Native and value.name.startswith("pg"))
