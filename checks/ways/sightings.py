"""What one file shows: the commands it runs, the connections it opens, the rows it writes past the migrator."""

import posixpath
import re
from collections.abc import Iterator

from checks import placed
from checks.facts import Place
from checks.ways import commands, connects, ordinary, pages, recipes, runs, shell, tracking, tracking_typescript
from checks.ways.facts import ManualTracking
from checks.ways.model import Unread
from checks.ways.recipes import Command
from checks.ways.shell import Simple
from checks.ways.side import Side, Sighting, at
from checks.ways.source import Source

_DUMP = re.compile(rb"^-- PostgreSQL database dump", re.MULTILINE)
_FED = re.compile(r"\b(?:psql|pgcli|usql)\b[^\n]*<<-?\s*['\"]?(\w+)['\"]?[^\n]*\n(.*?)\n[ \t]*\1\b", re.DOTALL)
_PSQL = frozenset({"psql", "pgcli", "usql", "neonctl"})
_LARGEST_SQL = 20_000_000


def sightings(side: Side, path: str, data: bytes) -> list[Sighting]:
    """Everything that a file shows. What cannot be read is added to `side.unread`."""
    if path.endswith(".sql"):
        return list(_sql(side, path, data))
    if pages.is_page(path):
        return list(_typescript(side, path, pages.script(data)))
    if recipes.is_typescript(path):
        return list(_typescript(side, path, data))
    return list(_recipe(side, path, data))


def _recipe(side: Side, path: str, data: bytes) -> Iterator[Sighting]:
    read = recipes.reader(path)
    tables = [table for table in side.tables if tracking.needle(table).search(data)]
    if read is None or not (side.runs(data) or tables or _globs(data)):
        return
    if len(data) > recipes.LARGEST:
        side.unread.append(Unread(path, 1, f"it has {len(data) // 1_000_000} MB"))
        return
    try:
        found = list(read(path, data.decode("utf-8-sig", errors="replace")))
    except placed.Unreadable as error:
        side.unread.append(Unread(path, error.line, error.why))
        return
    yield from runs.of_recipe(side, path, found)
    for table in tables:
        for command in found:
            yield from _psql(table, path, command)


def _globs(data: bytes) -> bool:
    return b"*" in data and (b"run-s" in data or b"run-p" in data or b"npm-run-all" in data)


def _psql(table: tuple[str, str], path: str, command: Command) -> Iterator[Sighting]:
    simples = shell.commands(command.text) if isinstance(command.text, str) else [Simple(command.text, 0)]
    for simple in simples:
        if any(commands.program(word) in _PSQL for word in simple.words):
            for word in shell.quoted(simple.words):
                yield from _fed(table, path, command, word, simple.line)
    if isinstance(command.text, str):
        for found in _FED.finditer(command.text):
            yield from _fed(table, path, command, found[2], command.text.count("\n", 0, found.start(2)))


def _fed(table: tuple[str, str], path: str, command: Command, sql: str, line: int) -> Iterator[Sighting]:
    """What psql is given to run."""
    for write in tracking.writes(sql, table):
        at_line = command.line + (line if command.spread else 0)
        place = Place(path=path, line=at_line, end_line=at_line)
        yield Sighting(ManualTracking(place=place, table=write.table, action=write.action), command.name, sql[:300])


def _sql(side: Side, path: str, data: bytes) -> Iterator[Sighting]:
    tables = [table for table in side.tables if _may_write(table, data)]
    if not tables or _DUMP.search(data[:2000]):
        return
    if len(data) > _LARGEST_SQL:
        side.unread.append(Unread(path, 1, f"it has {len(data) // 1_000_000} MB"))
        return
    tag = None
    if side.of(path) is not None:
        name = posixpath.basename(path)
        tag = posixpath.basename(posixpath.dirname(path)) if name == "migration.sql" else name.removesuffix(".sql")
    text = data.decode("utf-8-sig", errors="replace")
    for table in tables:
        for each in tracking.in_sql(text, table):
            statement = each.statement if tag is not None else None
            place = Place(path=path, line=each.line, end_line=each.end_line, migration=tag, statement=statement)
            yield Sighting(ManualTracking(place=place, table=each.write.table, action=each.write.action), "", each.key)


def _may_write(table: tuple[str, str], data: bytes) -> bool:
    if tracking.needle(table).search(data):
        return True
    lowered = data.lower()
    return table[0] != "public" and table[0].lower().encode() in lowered and b"schema" in lowered


def _typescript(side: Side, path: str, data: bytes) -> Iterator[Sighting]:
    running = side.runs(data)
    by_variable = b"igration" in data and any(method in data for method in (b"insert(", b"delete(", b"update("))
    tables = [table for table in side.tables if by_variable or tracking.named(table, data)]
    connecting = connects.may(side, data)
    if not (running or tables or connecting) or ordinary.generated(path, data):
        return
    if len(data) > recipes.LARGEST:
        side.unread.append(Unread(path, 1, f"it has {len(data) // 1_000_000} MB"))
        return
    source = Source(path, data)
    if running:
        try:
            yield from runs.of_typescript(side, source)
        except placed.Unreadable as error:
            side.unread.append(Unread(path, error.line, error.why))
    for table in tables:
        for each in tracking_typescript.in_typescript(source, table, side.tree, side.resolver):
            fact = ManualTracking(
                place=at(path, each.line, each.end_line), table=each.write.table, action=each.write.action
            )
            yield Sighting(fact, "", each.key)
    if connecting:
        yield from connects.of_typescript(side, source)
