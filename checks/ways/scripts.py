"""The scripts of a repository's packages as a graph: what a script runs in the end, through whichever scripts."""

import posixpath
import re
from collections.abc import Iterator, Sequence

from checks import placed
from checks.drizzle import config as configs
from checks.tree import Tree
from checks.ways import commands, ordinary, structured
from checks.ways.commands import Hit
from checks.ways.shell import Simple

_MOST_PACKAGES = 2_000
_DEEPEST = 10
_NEEDLE = b"scripts"
# Where a command names its folder: cd, and the options of package managers.
_FOLDER = re.compile(r"^--(?:prefix|cwd|dir|directory)$|^-C$")


class Scripts:
    """The packages of one tree, read when they are first asked for."""

    def __init__(self, tree: Tree, banned: Sequence[str]) -> None:
        self.tree = tree
        self.banned = banned
        self._packages: dict[str, dict[str, tuple[str, int]]] | None = None
        self._answers: dict[tuple[str, str], Hit | None] = {}
        self._postgres: dict[str, bool] = {}

    def lookup(self, folder: str) -> commands.Lookup:
        """What scripts run, as seen from a folder."""
        return lambda name: self.hit(name, folder)

    def hit(self, name: str, folder: str, depth: int = 0) -> Hit | None:
        """The banned command that a script (or any that a pattern names) runs in the end."""
        key = (name, folder)
        if key not in self._answers:
            self._answers[key] = None  # a script that calls itself ends here
            if depth < _DEEPEST:
                self._answers[key] = self._hit(name, folder, depth)
        return self._answers[key]

    def bad(self) -> set[str]:
        """The names of all scripts that run a banned command in the end."""
        return {
            name
            for folder, scripts in self.packages().items()
            for name in scripts
            if self.hit(name, folder) is not None
        }

    def packages(self) -> dict[str, dict[str, tuple[str, int]]]:
        """Folder → scripts (text and line); broken package.json files are left out, and said elsewhere."""
        if self._packages is None:
            paths = [
                e.path
                for e in self.tree.entries()
                if posixpath.basename(e.path) == "package.json"
                and "node_modules/" not in e.path
                and not ordinary.aside(e.path)
            ]
            paths = sorted(paths, key=lambda p: (p.count("/"), p))[:_MOST_PACKAGES]
            self._packages = {}
            for path, data in self.tree.read_all(paths).items():
                if _NEEDLE in data and len(data) < 1_000_000:
                    try:
                        self._packages[posixpath.dirname(path)] = structured.scripts(
                            data.decode("utf-8-sig", errors="replace")
                        )
                    except placed.Unreadable:
                        continue
        return self._packages

    def postgres(self, simple: Simple, folder: str) -> bool:
        """Whether a drizzle-kit command works on PostgreSQL, as its configuration says; yes where nothing says."""
        if not any(commands.program(w) == "drizzle-kit" for w in simple.words):
            return True
        return not any(self._is_other(path) for path in self._configs(simple, folder)[:1])

    def _configs(self, simple: Simple, folder: str) -> list[str]:
        words = simple.words
        for i, word in enumerate(words):
            named = (
                word.partition("=")[2]
                if word.startswith("--config=")
                else words[i + 1]
                if word in {"--config", "-c"} and i + 1 < len(words)
                else ""
            )
            if named:
                return [posixpath.normpath(posixpath.join(folder, named))]
        for i, word in enumerate(words[:-1]):
            if _FOLDER.match(word):
                folder = posixpath.normpath(posixpath.join(folder, words[i + 1]))
        names = [f"drizzle.config.{ending}" for ending in ("ts", "js", "mjs", "cjs", "mts", "json")]
        return [path for name in names if (path := posixpath.join(folder, name)) in self.tree]

    def _is_other(self, path: str) -> bool:
        if path not in self._postgres:
            found = configs.read(self.tree, path) if path in self.tree else []
            self._postgres[path] = bool(found) and all(c.postgres is False for c in found)
        return self._postgres[path]

    def _hit(self, name: str, folder: str, depth: int) -> Hit | None:
        for home, script, text in self._named(name, folder):
            if ordinary.scratch([script]):
                continue
            for found in commands.hits(text, self.banned, lambda inner, at=home: self.hit(inner, at, depth + 1)):
                if self.postgres(found.simple, home) and not ordinary.scratch(
                    (*found.simple.words, *found.simple.settings)
                ):
                    through = (script, *found.through) if script != name else found.through
                    return Hit(found.banned, found.simple, through)
        return None

    def _named(self, name: str, folder: str) -> Iterator[tuple[str, str, str]]:
        """The scripts a name means: of the nearest package that has one, else of any package of the workspace."""
        packages = self.packages()
        pattern = "*" in name or name.startswith("/")
        homes = [home for home in _ancestors(folder) if home in packages]
        near = [h for h in homes if name in packages[h] or pattern]
        for home in near[:1] or [h for h in packages if name in packages[h]]:
            for script, (text, _) in packages[home].items():
                if script == name or (pattern and commands.matches(script, name)):
                    yield home, script, text


def _ancestors(folder: str) -> Iterator[str]:
    while folder:
        yield folder
        folder = posixpath.dirname(folder)
    yield ""
