"""One tree and all that its files are judged by, and what a file shows."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from checks.drizzle.model import Project
from checks.facts import Fact, Place
from checks.policy import Policy
from checks.tree import Tree
from checks.typescript.modules import Resolver
from checks.ways import opening, ordinary, pages, recipes, standard, tracking
from checks.ways.model import Connection, Unread
from checks.ways.scripts import Scripts
from checks.ways.source import Source

_LOCKS = (("pnpm-lock.yaml", "pnpm"), ("yarn.lock", "yarn"), ("bun.lock", "bun run"), ("bun.lockb", "bun run"))


@dataclass(frozen=True, slots=True)
class Sighting:
    """A fact, and what it is the same as in another version of the file: the same `name` and `text`, whatever its line."""

    fact: Fact
    name: str
    text: str


@dataclass(slots=True)
class Side:
    """One tree with all that its files are judged by."""

    tree: Tree
    policy: Policy
    projects: tuple[Project, ...] = ()
    connection: Connection | None = None
    unread: list[Unread] = field(default_factory=list[Unread])
    scripts: Scripts = field(init=False)
    resolver: Resolver = field(init=False)
    _tables: tuple[tuple[str, str], ...] | None = None
    _bad: re.Pattern[bytes] | None = None
    _banned: frozenset[bytes] | None = None
    _openings: dict[str, list[opening.Opening]] = field(default_factory=dict[str, list[opening.Opening]])

    def __post_init__(self) -> None:
        self.scripts = Scripts(self.tree, self.policy.commands.banned)
        self.resolver = Resolver(self.tree)

    @property
    def tables(self) -> tuple[tuple[str, str], ...]:
        """The tracking tables: the one that the policy names, else each project's; Drizzle's own where nothing is said."""
        if self._tables is None:
            written = self.policy.drizzle.tracking_table
            known = (written,) if written else tuple(dict.fromkeys(p.table for p in self.projects))
            self._tables = known or (tracking.DEFAULT,)
        return self._tables

    def of(self, path: str) -> Project | None:
        """The project whose migrations a path is one of."""
        return next((p for p in self.projects if path.startswith(p.migrations_dir + "/")), None)

    def runs(self, data: bytes) -> bool:
        """Whether a file may run something banned: it has a banned word, or the name of a script that leads to one."""
        for word in self._words():
            if word in data:
                return self.needles.search(data) is not None
        return False

    @property
    def needles(self) -> re.Pattern[bytes]:
        """The banned words, and the names of scripts that lead to them."""
        if self._bad is None:
            found = b"|".join(re.escape(word) for word in sorted(self._words(), key=len, reverse=True))
            self._bad = re.compile(rb"(?<![\w-])(?:" + found + rb")(?![\w-])" if found else rb"(?!)")
        return self._bad

    def _words(self) -> frozenset[bytes]:
        if self._banned is None:
            banned = {pattern.split()[0] for pattern in self.policy.commands.banned if pattern.split()}
            self._banned = frozenset(word.encode() for word in banned | self.scripts.bad())
        return self._banned

    def variables(self, module: str) -> frozenset[str]:
        """The environment variables that the standard module connects with."""
        return frozenset(v for each in self._opened(module) for v in each.variables)

    def driver_of(self, module: str) -> str | None:
        """The driver that a module opens its connection with."""
        opened = self._opened(module)
        return opened[0].package if opened else standard.driver_of(self.tree, module)

    def _opened(self, module: str) -> list[opening.Opening]:
        if module not in self._openings:
            data = self.tree.read(module)
            known = data is not None and standard.mentions(data)
            self._openings[module] = opening.openings(Source(module, data)) if data is not None and known else []
        return self._openings[module]

    @property
    def migrate(self) -> str:
        """The command to use instead."""
        manager = next((name for lock, name in _LOCKS if lock in self.tree), "npm run")
        word = self.policy.commands.migrate
        return f"{manager} {word}" if " " not in word else word


def matters(path: str, projects: Iterable[Project]) -> bool:
    """Whether a path may show anything at all."""
    inside = path
    for project in projects:
        if path.startswith(project.migrations_dir + "/"):
            return path.endswith(".sql")
        if project.root and path.startswith(project.root + "/"):
            inside = path[len(project.root) + 1 :]
    if "node_modules/" in path or (ordinary.aside(inside) and not recipes.is_ci(inside)):
        return False
    return (
        path.endswith(".sql") or recipes.is_typescript(path) or pages.is_page(path) or recipes.reader(path) is not None
    )


def at(path: str, line: int, end_line: int | None = None) -> Place:
    """A place in a file."""
    return Place(path=path, line=line, end_line=end_line or line)
