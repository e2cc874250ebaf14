"""What one file shows: the commands it runs, the connections it opens, the rows it writes past the migrator."""

import posixpath
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from checks import placed
from checks.drizzle.model import Project
from checks.facts import Fact, Place
from checks.policy import Policy
from checks.tree import Tree
from checks.typescript.modules import Resolver
from checks.ways import (
    commands,
    drivers,
    globs,
    opening,
    ordinary,
    recipes,
    shell,
    spawns,
    standard,
    tracking,
    tracking_typescript,
)
from checks.ways.facts import BannedCommand, ForbiddenDriver, ManualTracking, NonstandardConnection
from checks.ways.model import Connection, Unread
from checks.ways.recipes import Command
from checks.ways.scripts import Scripts
from checks.ways.shell import Simple
from checks.ways.source import Source

_EDGE = re.compile(r"(?:^|/)(?:supabase/functions|netlify/edge-functions|edge-functions|edge|workers?|cloudflare)/")
_EDGE_RUNTIME = re.compile(rb"\bruntime\s*[:=]\s*['\"](?:edge|experimental-edge)['\"]")
_OWN_NAMES = re.compile(rb"\bneon\b|\bPool\b|\bcreatePool\b")
_DUMP = re.compile(rb"^-- PostgreSQL database dump", re.MULTILINE)
_PSQL = frozenset({"psql", "pgcli", "usql", "neonctl"})
_EXPLAINED = frozenset(
    {
        "tsx",
        "ts-node",
        "node",
        "bun",
        "deno",
        "sh",
        "bash",
        "zsh",
        "npx",
        "bunx",
        "pnpm",
        "npm",
        "yarn",
        "python",
        "make",
        "env",
        "dotenv",
        "cross-env",
    }
)
_THROWAWAY = re.compile(rb"pglite|testcontainers|pg-mem|embedded-postgres")
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
    project: Project | None
    connection: Connection | None = None
    unread: list[Unread] = field(default_factory=list[Unread])
    scripts: Scripts = field(init=False)
    resolver: Resolver = field(init=False)
    _bad: re.Pattern[bytes] | None = None

    def __post_init__(self) -> None:
        self.scripts = Scripts(self.tree, self.policy.commands.banned)
        self.resolver = Resolver(self.tree)

    @property
    def table(self) -> tuple[str, str]:
        """The tracking table."""
        return self.policy.drizzle.tracking_table or (self.project.table if self.project else tracking.DEFAULT)

    @property
    def needles(self) -> re.Pattern[bytes]:
        """What a file must contain to run something banned: the banned words, or a script that leads to them."""
        if self._bad is None:
            words = {
                pattern.split()[0] for pattern in self.policy.commands.banned if pattern.split()
            } | self.scripts.bad()
            found = b"|".join(re.escape(word.encode()) for word in sorted(words, key=len, reverse=True))
            self._bad = re.compile(rb"(?<![\w-])(?:" + found + rb")(?![\w-])" if words else rb"(?!)")
        return self._bad

    @property
    def migrate(self) -> str:
        """The command to use instead."""
        manager = next((name for lock, name in _LOCKS if lock in self.tree), "npm run")
        word = self.policy.commands.migrate
        return f"{manager} {word}" if " " not in word else word


def matters(path: str, project: Project | None) -> bool:
    """Whether a path may show anything at all."""
    if project is not None and path.startswith(project.migrations_dir + "/"):
        return path.endswith(".sql")
    inside = path
    if project is not None and project.root and path.startswith(project.root + "/"):
        inside = path[len(project.root) + 1 :]
    if "node_modules/" in path or ordinary.aside(inside):
        return False
    return path.endswith(".sql") or recipes.is_typescript(path) or recipes.reader(path) is not None


def sightings(side: Side, path: str, data: bytes) -> list[Sighting]:
    """Everything that a file shows. What cannot be read is added to `side.unread`."""
    if path.endswith(".sql"):
        return list(_sql(side, path, data))
    if recipes.is_typescript(path):
        return list(_typescript(side, path, data))
    return list(_recipe(side, path, data))


# --- files of commands --------------------------------------------------------------------------------------------


def _recipe(side: Side, path: str, data: bytes) -> Iterator[Sighting]:
    read = recipes.reader(path)
    tracked = tracking.needle(side.table).search(data) is not None
    if read is None or not (side.needles.search(data) or tracked or _globs(data)):
        return
    if len(data) > recipes.LARGEST:
        side.unread.append(Unread(path, 1, f"it has {len(data) // 1_000_000} MB"))
        return
    seen: set[tuple[str, int, str]] = set()
    try:
        for command in read(path, data.decode("utf-8-sig", errors="replace")):
            for sighting in _banned(side, path, command):
                fact = sighting.fact
                key = (sighting.name, fact.place.line, sighting.text)
                if key not in seen:
                    seen.add(key)
                    yield sighting
            if tracked:
                yield from _psql(side, path, command)
    except placed.Unreadable as error:
        side.unread.append(Unread(path, error.line, error.why))


def _globs(data: bytes) -> bool:
    return b"*" in data and (b"run-s" in data or b"run-p" in data or b"npm-run-all" in data)


def _banned(side: Side, path: str, command: Command) -> Iterator[Sighting]:
    banned = side.policy.commands.banned
    lookup = side.scripts.lookup(command.folder)
    if isinstance(command.text, str):
        found = list(commands.hits(command.text, banned, lookup))
    else:
        found = list(commands.of_words(command.text, banned, lookup))
    for hit in found:
        line = command.line + (hit.simple.line if command.spread else 0)
        folder = _folder(command, hit.simple)
        if _is_excused(command, hit.simple) or not side.scripts.postgres(hit.simple, folder):
            continue
        yield _command(side, _at(path, line), command, hit.banned, _shown(hit.simple), hit.through)
    if (
        not found
        and command.script in banned
        and isinstance(command.text, str)
        and _stands_for_it(side, command, command.text)
    ):
        yield _command(side, _at(path, command.line), command, command.script, command.text[:80])


def _stands_for_it(side: Side, command: Command, text: str) -> bool:
    """A script with a banned name that does something of its own: neither a refusal nor the work of another tool."""
    if command.scratch or commands.refuses(text) or side.policy.commands.migrate in text or "drizzle-kit" in text:
        return False
    if "commands" in side.policy.model_fields_set and "banned" in side.policy.commands.model_fields_set:
        return True
    heads = [commands.program(s.words[0]) for s in shell.commands(text) if s.words]
    return any(head in _EXPLAINED or "/" in head for head in heads)


def _is_excused(command: Command, simple: Simple) -> bool:
    words = (*simple.words, *simple.settings)
    if ordinary.scratch(words):
        return True
    outlives = any("secrets." in word or "PROD" in word.upper() for word in simple.settings)
    return command.scratch and not outlives


def _folder(command: Command, simple: Simple) -> str:
    """Where a command runs: after the last `cd` before it."""
    folder = command.folder
    if not isinstance(command.text, str) or "cd " not in command.text:
        return folder
    for each in shell.commands(command.text):
        if each == simple:
            break
        if each.words[:1] == ("cd",) and len(each.words) == 2 and "$" not in each.words[1]:
            folder = posixpath.normpath(posixpath.join(folder, each.words[1])).removeprefix("./")
    return "" if folder == "." else folder


def _at(path: str, line: int) -> Place:
    return Place(path=path, line=line, end_line=line)


def _shown(simple: Simple) -> str:
    text = " ".join(simple.words)
    return text if len(text) <= 80 else text[:79] + "…"


def _command(
    side: Side, place: Place, command: Command, banned: str, shown: str, through: tuple[str, ...] = ()
) -> Sighting:  # noqa: PLR0917 - a record
    fact = BannedCommand(
        place=place, banned=banned, command=shown, where=command.where, through=through, migrate=side.migrate
    )
    return Sighting(fact, command.name, f"{banned}>{'>'.join(through)}")


def _psql(side: Side, path: str, command: Command) -> Iterator[Sighting]:
    simples = shell.commands(command.text) if isinstance(command.text, str) else [Simple(command.text, 0)]
    for simple in simples:
        if any(commands.program(word) in _PSQL for word in simple.words):
            for word in shell.quoted(simple.words):
                for write in tracking.writes(word, side.table):
                    line = command.line + (simple.line if command.spread else 0)
                    fact = ManualTracking(
                        place=Place(path=path, line=line, end_line=line), table=write.table, action=write.action
                    )
                    yield Sighting(fact, command.name, word[:300])


# --- SQL ----------------------------------------------------------------------------------------------------------


def _sql(side: Side, path: str, data: bytes) -> Iterator[Sighting]:
    schema = side.table[0].encode().lower() if side.table[0] != "public" else b"\0"
    lowered = data.lower()
    if not tracking.needle(side.table).search(data) and not (schema in lowered and b"schema" in lowered):
        return
    if _DUMP.search(data[:2000]):
        return
    if len(data) > 20_000_000:
        side.unread.append(Unread(path, 1, f"it has {len(data) // 1_000_000} MB"))
        return
    folder = side.project.migrations_dir + "/" if side.project is not None else "\0"
    tag = None
    if path.startswith(folder):
        name = posixpath.basename(path)
        tag = posixpath.basename(posixpath.dirname(path)) if name == "migration.sql" else name.removesuffix(".sql")
    for each in tracking.in_sql(data.decode("utf-8-sig", errors="replace"), side.table):
        statement = each.statement if tag is not None else None
        place = Place(path=path, line=each.line, end_line=each.end_line, migration=tag, statement=statement)
        yield Sighting(ManualTracking(place=place, table=each.write.table, action=each.write.action), "", each.key)


# --- TypeScript ---------------------------------------------------------------------------------------------------


def _typescript(side: Side, path: str, data: bytes) -> Iterator[Sighting]:
    runs = side.needles.search(data) is not None
    tracked = tracking.needle(side.table).search(data) is not None or (b"igration" in data and b"insert(" in data)
    connects = standard.mentions(data) or _OWN_NAMES.search(data) is not None or _is_named(side, data)
    if not (runs or tracked or connects) or ordinary.generated(path, data):
        return
    if len(data) > recipes.LARGEST:
        side.unread.append(Unread(path, 1, f"it has {len(data) // 1_000_000} MB"))
        return
    source = Source(path, data)
    if runs:
        yield from _spawned(side, source)
    if tracked:
        for each in tracking_typescript.in_typescript(source, side.table, side.tree, side.resolver):
            place = Place(path=path, line=each.line, end_line=each.end_line)
            yield Sighting(ManualTracking(place=place, table=each.write.table, action=each.write.action), "", each.key)
    if connects:
        yield from _connections(side, source)


def _is_named(side: Side, data: bytes) -> bool:
    """A package that only the policy knows."""
    return any(name.encode() in data for name in side.policy.connection.forbidden)


def _spawned(side: Side, source: Source) -> Iterator[Sighting]:
    for each in spawns.spawns(source, side.needles):
        if ordinary.scratch([each.around]):
            continue
        folder = standard.package_folder(side.tree, source.path)
        command = Command(each.text, each.line, "a command that this file runs", "spawn", folder=folder)
        yield from _banned(side, source.path, command)
    pushing = next((p for p in side.policy.commands.banned if p.split()[:2] == ["drizzle-kit", "push"]), None)
    if pushing is not None and not _THROWAWAY.search(source.data):
        for line in spawns.pushes(source):
            called = Command("", line, "drizzle-kit's API", "api")
            yield _command(side, _at(source.path, line), called, pushing, "pushSchema")


def _connections(side: Side, source: Source) -> Iterator[Sighting]:
    paths = side.policy.connection.paths
    if paths and not globs.included(source.path, paths):
        return
    asked = opening.asked(
        source,
        lambda package: (
            drivers.is_driver(package) or drivers.under(package, side.policy.connection.forbidden) is not None
        ),
    )
    found = opening.openings(source, side.tree, side.resolver)
    if not asked and not found:
        return
    if side.connection is None:
        side.connection = standard.written(side.tree, side.policy) or standard.inferred(side.tree)
    connection = side.connection
    outside = connection.inferred or (not paths and _is_elsewhere(side, source, connection))
    yield from _forbidden(side, source, asked, connection, outside=outside)
    if connection.module is None or source.path == connection.module:
        return
    ours = _variables(side, connection.module)
    for each in found:
        other = opening.other_database(ours, each.variables)
        place = Place(path=source.path, line=each.line, end_line=each.end_line)
        fact = NonstandardConnection(
            place=place, call=each.call, package=each.package, module=connection.module, inferred=outside or other
        )
        yield Sighting(fact, each.package, each.call)


def _forbidden(
    side: Side, source: Source, asked: list[opening.Asked], connection: Connection, *, outside: bool
) -> Iterator[Sighting]:
    driver, guessed = connection.driver, connection.inferred
    if driver is None and connection.module is not None:
        driver, guessed = standard.driver_of(side.tree, connection.module), True
    if source.path == connection.module and connection.inferred:
        return
    seen: set[str] = set()
    for each in asked:
        named = drivers.under(each.package, connection.forbidden) is not None
        mixed = (
            not connection.forbidden
            and driver is not None
            and drivers.family(each.package) != drivers.family(driver)
            and drivers.is_driver(each.package)
        )
        if not (named or mixed) or each.package in seen:
            continue
        seen.add(each.package)
        place = Place(path=source.path, line=each.line, end_line=each.line)
        inferred = outside or (not named and guessed)
        yield Sighting(
            ForbiddenDriver(
                place=place, driver=each.package, standard=driver, module=connection.module, inferred=inferred
            ),
            each.package,
            "",
        )


def _is_elsewhere(side: Side, source: Source, connection: Connection) -> bool:
    """Another package of the repository, or code that runs on the edge: it may have a database, or a way to it, of its own."""
    if _EDGE.search(source.path) or _EDGE_RUNTIME.search(source.data):
        return True
    module = connection.module
    return module is not None and standard.package_folder(side.tree, source.path) != standard.package_folder(
        side.tree, module
    )


def _variables(side: Side, module: str) -> frozenset[str]:
    data = side.tree.read(module)
    if data is None or not standard.mentions(data):
        return frozenset()
    return frozenset(v for each in opening.openings(Source(module, data)) for v in each.variables)
