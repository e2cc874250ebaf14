"""Which commands of a file are banned: not those for a test's database, another dialect, or a refusal."""

import posixpath
import re
from collections.abc import Iterable, Iterator

from checks.facts import Place
from checks.ways import commands, ordinary, shell, spawns, standard
from checks.ways.facts import BannedCommand
from checks.ways.recipes import Command
from checks.ways.shell import Simple
from checks.ways.side import Side, Sighting, at
from checks.ways.source import Source

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


def of_recipe(side: Side, path: str, commands_there: Iterable[Command]) -> Iterator[Sighting]:
    """The banned commands among those of a file."""
    seen: set[tuple[str, int, str]] = set()
    for command in commands_there:
        for sighting in _banned(side, path, command):
            key = (sighting.name, sighting.fact.place.line, sighting.text)
            if key not in seen:
                seen.add(key)
                yield sighting


def of_typescript(side: Side, source: Source) -> Iterator[Sighting]:
    """The banned commands that a file spawns, and `pushSchema`."""
    for each in spawns.spawns(source, side.needles):
        if ordinary.scratch([each.around]):
            continue
        folder = standard.package_folder(side.tree, source.path)
        command = Command(each.text, each.line, "a call in this file", "spawn", folder=folder)
        yield from _banned(side, source.path, command)
    pushing = next((p for p in side.policy.commands.banned if p.split()[:2] == ["drizzle-kit", "push"]), None)
    if pushing is not None and not _THROWAWAY.search(source.data):
        for line in spawns.pushes(source):
            called = Command("", line, "drizzle-kit's API", "api")
            yield _command(side, at(source.path, line), called, (pushing, "pushSchema"))


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
        yield _command(side, at(path, line), command, (hit.banned, _shown(hit.simple)), hit.through)
    if (
        not found
        and command.script in banned
        and isinstance(command.text, str)
        and _stands_for_it(side, command, command.text)
    ):
        yield _command(side, at(path, command.line), command, (command.script, command.text[:80]))


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


def _shown(simple: Simple) -> str:
    text = " ".join(simple.words)
    return text if len(text) <= 80 else text[:79] + "…"


def _command(
    side: Side, place: Place, command: Command, words: tuple[str, str], through: tuple[str, ...] = ()
) -> Sighting:
    """`words`: what is banned, and what stands there."""
    banned, shown = words
    fact = BannedCommand(
        place=place,
        banned=banned,
        command=shown,
        where=command.where,
        through=through,
        migrate=side.migrate,
        inferred=command.doubtful,
    )
    return Sighting(fact, command.name, f"{banned}>{'>'.join(through)}")
