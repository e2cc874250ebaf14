"""Which file of the commit an import means: relative paths, tsconfig `paths`, `#imports`, packages of the workspace."""

import posixpath
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from checks.tree import Tree
from checks.typescript import jsonc

EXTENSIONS = (".ts", ".tsx", ".mts", ".cts", ".js", ".jsx", ".mjs", ".cjs", ".json")
_SOURCES = {".js": (".ts", ".tsx"), ".jsx": (".tsx",), ".mjs": (".mts",), ".cjs": (".cts",)}
_BUILT = ("dist", "build", "lib", "out", ".output")
_CONDITIONS = ("source", "development", "types", "import", "module", "node", "require", "default", "browser")
_MOST_PACKAGES = 2000


@dataclass(frozen=True, slots=True)
class External:
    """A package that is not part of the commit."""

    specifier: str


@dataclass(frozen=True, slots=True)
class Missing:
    """A file of the commit that should be there and is not."""

    why: str


Target = str | External | Missing


@dataclass(slots=True)
class Resolver:
    """Resolves imports of one tree; remembers what it asked for, found or not, in `asked`."""

    tree: Tree
    asked: set[str] = field(default_factory=set[str])
    _answers: dict[tuple[str, str], Target] = field(default_factory=dict[tuple[str, str], Target])
    _json: dict[str, Any] = field(default_factory=dict[str, Any])
    _packages: dict[str, str] | None = None

    def resolve(self, specifier: str, importer: str) -> Target:
        """The file, the package or the lack that `import … from specifier` in `importer` means."""
        folder = posixpath.dirname(importer)
        key = (specifier, folder)
        if key not in self._answers:
            self._answers[key] = self._resolve(specifier, folder)
        return self._answers[key]

    def read_json(self, path: str) -> Mapping[str, Any]:
        """A JSON file (with comments) as a mapping; empty where there is none."""
        if path not in self._json:
            self.asked.add(path)
            text = self.tree.text(path)
            loaded = None if text is None else jsonc.loads(text)
            self._json[path] = jsonc.table(loaded)
        return self._json[path]

    def _resolve(self, specifier: str, folder: str) -> Target:  # noqa: PLR0911 - one case a kind of value
        if specifier.startswith("."):
            found = self.file(_join(folder, specifier))
            return found or Missing(f"there is no file for `{specifier}`{self._elsewhere(folder, specifier)}")
        if specifier.startswith("/"):
            return Missing(f"`{specifier}` is an absolute path")
        for config_folder in _ancestors(folder):
            found = self._by_tsconfig(specifier, config_folder)
            if found:
                return found
        if specifier.startswith("#"):
            return self._by_imports(specifier, folder) or Missing(f"no package.json explains `{specifier}`")
        found = self._by_workspace(specifier)
        if found:
            return found
        if specifier.startswith(("@/", "~/", "~", "$")):
            return Missing(f"no tsconfig.json explains `{specifier}`")
        return External(specifier)

    def file(self, path: str | None) -> str | None:
        """The file that `path` without its extension, or as a folder, means."""
        if path is None:
            return None
        stem, extension = posixpath.splitext(path)
        candidates = [stem + source for source in _SOURCES.get(extension, ())]
        candidates.append(path)
        candidates += [path + extension for extension in EXTENSIONS]
        candidates += [_join(path, "index" + extension) or "" for extension in EXTENSIONS]
        for candidate in candidates:
            self.asked.add(candidate)
            if candidate and self._is_file(candidate):
                return candidate
        return None

    def _elsewhere(self, folder: str, specifier: str) -> str:
        """Why a commit does not show what a relative path may well lead to."""
        path = posixpath.normpath(posixpath.join(folder, specifier))
        for each in (path, *(path + extension for extension in EXTENSIONS)):
            why = self.tree.elsewhere(each)
            if why is not None:
                return f": `{each}` {why}"
        return ""

    def _is_file(self, path: str) -> bool:
        entry = self.tree.entry(path)
        return entry is not None and entry.mode.startswith("100")

    def _by_tsconfig(self, specifier: str, folder: str) -> str | None:
        for name in ("tsconfig.json", "jsconfig.json"):
            config = _join(folder, name)
            if config and self._is_file(config):
                for base, paths in self._paths(config, 0):
                    found = self._by_paths(specifier, base, paths)
                    if found:
                        return found
            elif config:
                self.asked.add(config)
        return None

    def _by_paths(self, specifier: str, base: str, paths: Mapping[str, Any]) -> str | None:
        ranked = sorted(paths, key=lambda pattern: (pattern != specifier, -len(pattern.partition("*")[0])))
        for pattern in ranked:
            rest = _match(pattern, specifier)
            for target in jsonc.items(paths[pattern]) if rest is not None else []:
                if isinstance(target, str):
                    found = self.file(_join(base, target.replace("*", rest or "", 1)))
                    if found:
                        return found
        return None

    def _paths(self, config: str, depth: int) -> Iterator[tuple[str, Mapping[str, Any]]]:
        """The `paths` that hold for a tsconfig, each with the folder they are relative to."""
        if depth > 8:
            return
        data = self.read_json(config)
        folder = posixpath.dirname(config)
        options = jsonc.table(data.get("compilerOptions"))
        base_url = options.get("baseUrl")
        base = _join(folder, base_url) if isinstance(base_url, str) else folder
        if isinstance(options.get("paths"), dict) and base is not None:
            yield base, jsonc.table(options["paths"])
        if isinstance(base_url, str) and base is not None:
            yield base, {"*": ["*"]}
        extends = data.get("extends")
        for parent in jsonc.items(extends) or [extends]:
            path = self._extended(parent, folder) if isinstance(parent, str) else None
            if path:
                yield from self._paths(path, depth + 1)
        for reference in jsonc.items(data.get("references")):
            target = jsonc.table(reference).get("path")
            path = _join(folder, target) if isinstance(target, str) else None
            if path and not path.endswith(".json"):
                path = _join(path, "tsconfig.json")
            if path and self._is_file(path):
                yield from self._paths(path, depth + 8)

    def _extended(self, parent: str, folder: str) -> str | None:
        if not parent.startswith("."):
            return self._by_workspace(parent)
        path = _join(folder, parent)
        if path is None:
            return None
        return next((p for p in (path, path + ".json", f"{path}/tsconfig.json") if self._is_file(p)), None)

    def _by_imports(self, specifier: str, folder: str) -> str | None:
        for ancestor in _ancestors(folder):
            imports = self.read_json(_join(ancestor, "package.json") or "").get("imports")
            if isinstance(imports, dict):
                return self._by_exports(jsonc.table(imports), specifier, ancestor)
        return None

    def _by_workspace(self, specifier: str) -> str | None:
        parts = specifier.split("/")
        name = "/".join(parts[:2]) if specifier.startswith("@") else parts[0]
        root = self._workspace().get(name)
        if root is None:
            return None
        inside = specifier[len(name) + 1 :]
        package = self.read_json(_join(root, "package.json") or "")
        exports = jsonc.table(package.get("exports"))
        if not any(key.startswith(".") for key in exports):
            exports = {".": package.get("exports")}
        found = self._by_exports(exports, "./" + inside if inside else ".", root)
        if found:
            return found
        if inside:
            return self.file(_join(root, inside)) or self.file(_join(root, "src/" + inside))
        for key in ("source", "types", "typings", "module", "main"):
            target = package.get(key)
            found = self._source(root, target) if isinstance(target, str) else None
            if found:
                return found
        return self.file(_join(root, "src/index")) or self.file(_join(root, "index"))

    def _by_exports(self, exports: Mapping[str, Any], wanted: str, root: str) -> str | None:
        ranked = sorted(exports, key=lambda pattern: (pattern != wanted, -len(pattern.partition("*")[0])))
        for pattern in ranked:
            rest = _match(pattern, wanted)
            if rest is None:
                continue
            for target in _targets(exports[pattern]):
                found = self._source(root, target.replace("*", rest))
                if found:
                    return found
        return None

    def _source(self, root: str, target: str) -> str | None:
        """The file that an entry of package.json names, or the source that it is built from (`dist/x.js`: `src/x.ts`)."""
        path = target.removeprefix("./")
        for ending in (".d.ts", ".d.mts", ".d.cts"):
            path = path.removesuffix(ending)
        found = None if path != target.removeprefix("./") else self.file(_join(root, path))
        head, _, tail = path.partition("/")
        if not found and tail and head in _BUILT:
            tail = posixpath.splitext(tail)[0] if tail.endswith((".js", ".mjs", ".cjs")) else tail
            found = self.file(_join(root, "src/" + tail)) or self.file(_join(root, tail))
        return found or self.file(_join(root, path))

    def _workspace(self) -> Mapping[str, str]:
        if self._packages is None:
            names = [
                entry.path
                for entry in self.tree.entries()
                if entry.path.endswith("package.json")
                and posixpath.basename(entry.path) == "package.json"
                and "node_modules/" not in entry.path
            ]
            names.sort(key=lambda path: (path.count("/"), path))
            names = names[:_MOST_PACKAGES]
            self.tree.read_all(names)  # one batch
            self._packages = {}
            for path in names:
                name = self.read_json(path).get("name")
                if isinstance(name, str):
                    self._packages.setdefault(name, posixpath.dirname(path))
        return self._packages


def _targets(entry: Any, depth: int = 0) -> Iterator[str]:  # noqa: ANN401 - JSON
    """The paths that a value of `exports` may give, sources and types first."""
    if isinstance(entry, str):
        yield entry
    elif depth < 8:
        for item in jsonc.items(entry):
            yield from _targets(item, depth + 1)
        conditions = jsonc.table(entry)
        for condition in sorted(conditions, key=_preference):
            yield from _targets(conditions[condition], depth + 1)


def _preference(condition: str) -> int:
    return _CONDITIONS.index(condition) if condition in _CONDITIONS else len(_CONDITIONS)


def _match(pattern: str, text: str) -> str | None:
    """What `*` stands for, `""` where the pattern has none; None where it does not match."""
    head, star, tail = pattern.partition("*")
    if not star:
        return "" if pattern == text else None
    if len(text) < len(head) + len(tail) or not text.startswith(head) or not text.endswith(tail):
        return None
    return text[len(head) : len(text) - len(tail)]


def _join(folder: str, path: str) -> str | None:
    """A path inside the repository; None where it leaves it."""
    joined = posixpath.normpath(posixpath.join(folder, path))
    if joined.startswith(("..", "/")):
        return None
    return "" if joined == "." else joined


def _ancestors(folder: str) -> Iterator[str]:
    while folder:
        yield folder
        folder = posixpath.dirname(folder)
    yield ""
