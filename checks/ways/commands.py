"""Tells whether a command runs what the policy bans, itself or through a script, whatever is put before it."""

import fnmatch
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from checks.ways import shell
from checks.ways.shell import Simple

# These show, search or install; what they name they do not run.
_SHOW = frozenset(
    {
        "echo", "printf", "print", "cat", "grep", "egrep", "fgrep", "rg", "ag", "sed", "awk", "git", "gh", "glab", "which", "type", "whereis",
        "man", "test", "[", "[[", "case", "head", "tail", "less", "jq", "yq", "cspell", "touch", "mkdir", "rm", "ls", "write-host", "write-output",
        "write-error", "rem", "tee", "alias", "trap_", "curl", "say", "figlet", "warn", "die", "log", "info", "fail", "error", "abort",
    }
)  # fmt: skip
_MANAGERS = frozenset({"npm", "pnpm", "yarn", "bun", "deno", "cnpm"})
_MANAGING = frozenset(
    {
        "install", "i", "ci", "add", "remove", "uninstall", "un", "rm", "why", "view", "info", "show", "update", "up", "upgrade", "ls", "list", "link",
        "audit", "outdated", "pack", "publish", "dedupe", "config", "pkg", "set", "patch", "import", "explain",
    }
)  # fmt: skip
_RUNNERS = _MANAGERS | {
    "npx", "pnpx", "bunx", "run-s", "run-p", "npm-run-all", "npm-run-all2", "run-all", "turbo", "nx", "lerna", "rush", "rushx", "moon", "wireit", "nr", "na",
    "lage", "ultra", "task", "just", "make", "mise", "concurrently", "conc", "start-server-and-test", "server-test", "nps", "vp", "bnr", "wsrun", "zx",
}  # fmt: skip
_ORCHESTRATORS = frozenset({"nx", "turbo", "lerna", "moon", "lage", "run-s", "run-p", "npm-run-all", "npm-run-all2"})
_GLOBBING = frozenset(
    {"run-s", "run-p", "npm-run-all", "npm-run-all2", "run-all", "concurrently", "conc", "pnpm", "wsrun"}
)
_NOT_SCRIPTS = frozenset(
    {
        "run",
        "run-script",
        "exec",
        "dlx",
        "x",
        "workspace",
        "workspaces",
        "foreach",
        "run-many",
        "affected",
        "rum",
        "urn",
        "task",
    }
)
_REFUSING = frozenset({"echo", "printf", "exit", "false", "true", ":", "write-host", "write-error", "return"})
_MOST_WORDS = 500
_OLD_WORDS = {("drizzle-kit", "push"): "push:pg"}  # drizzle-kit before 0.21 named the dialect


@dataclass(frozen=True, slots=True)
class Hit:
    """A banned command in a text.

    Attributes:
        banned: the policy's words.
        simple: the command that runs it.
        through: the scripts on the way, the outermost first.
    """

    banned: str
    simple: Simple
    through: tuple[str, ...] = ()


Lookup = Callable[[str], "Hit | None"]


def nothing(_name: str) -> None:
    """No script is known."""


def hits(text: str, banned: Sequence[str], scripts: Lookup = nothing) -> Iterator[Hit]:
    """The banned commands that a shell text runs.

    Args:
        text: the shell text.
        banned: the policy's `commands.banned`.
        scripts: what a script of that name runs that is banned, if anything.
    """
    for simple in shell.commands(text):
        yield from _of(simple, banned, scripts, 0)


def of_words(words: Sequence[str], banned: Sequence[str], scripts: Lookup = nothing, line: int = 0) -> Iterator[Hit]:
    """The same for a command that is already a list of words."""
    yield from _of(Simple(tuple(words), line), banned, scripts, 0)


def refuses(text: str) -> bool:
    """A script that says no: it only prints, and ends with an error."""
    simples = [s for s in shell.commands(text) if s.words]
    if not simples:
        return True
    ends = False
    for simple in simples:
        name, *rest = simple.words
        if name == "node" and rest[:1] in (["-e"], ["--eval"]):
            source = " ".join(rest[1:])
            calls = "child_process" in source or "exec" in source or "spawn" in source
            if calls or not ("exit(" in source or "throw" in source or "exitCode" in source):
                return False
            ends = True
        elif name.lower() not in _REFUSING:
            return False
        ends = ends or name == "false" or (name in {"exit", "return"} and rest[:1] != ["0"])
    return ends


def program(word: str) -> str:
    """The name of the program that a word runs: no folder, no version, no ending."""
    if "drizzle-kit/" in word and "node_modules" in word:
        return "drizzle-kit"
    name = word.replace("\\", "/").rpartition("/")[2].removeprefix("npm:")
    at = name.find("@", 1)
    name = name[:at] if at > 0 else name
    for ending in (".cmd", ".exe", ".js", ".cjs", ".mjs", ".ps1"):
        name = name.removesuffix(ending)
    return name


def script_names(words: Sequence[str]) -> Iterator[tuple[str, bool]]:
    """What a command may name as scripts, and whether it is a pattern; nothing where it runs none."""
    if "--run" in words[:-1] and program(words[0]) == "node":  # Node.js runs scripts of package.json itself
        yield words[words.index("--run") + 1], False
    first = next((i for i, w in enumerate(words) if program(w) in _RUNNERS), None)
    if first is None:
        return
    while first + 1 < len(words) and program(words[first + 1]) in _ORCHESTRATORS:  # `npx nx run …`
        first += 1
    runner = program(words[first])
    rest = list(words[first + 1 :])
    managing = next((w for w in rest if not w.startswith("-")), "")
    if runner in _MANAGERS and managing in _MANAGING:
        return
    for word in rest:
        if word.startswith("-") and not word.startswith(("--target=", "--targets=")):
            continue
        bare = (
            word.rpartition("=")[2]
            .strip("\"'")
            .removeprefix("npm:")
            .removeprefix("pnpm:")
            .removeprefix("yarn:")
            .removeprefix("bun:")
        )
        for name in bare.split(",") if runner == "nx" else [bare]:
            yield from _spelled(name, runner)


def _spelled(name: str, runner: str) -> Iterator[tuple[str, bool]]:
    if not name or name in _NOT_SCRIPTS or len(name) > 200:
        return
    yield name, runner in _GLOBBING and ("*" in name or name.startswith("/"))
    if "#" in name:
        yield name.rpartition("#")[2], False
    if runner == "nx" and ":" in name:
        yield name.partition(":")[2], False


def _of(simple: Simple, banned: Sequence[str], scripts: Lookup, depth: int) -> Iterator[Hit]:
    words = simple.words[:_MOST_WORDS]
    if not words or depth > shell.DEEPEST:
        return
    head = program(words[0]).lower().lstrip("@")
    if head in _SHOW or (head == "command" and words[1:2] == ("-v",)):
        return
    found = _direct(words, banned) or _called(words, banned, scripts)
    if found:
        pattern, through = found
        yield Hit(pattern, simple, through)
        return
    for word in shell.quoted(words):
        for inner in shell.commands(word, depth=depth + 1):
            # the settings of the outer command hold for the inner ones
            nested = Simple(
                inner.words, simple.line + inner.line, simple.settings + words_that_set(words) + inner.settings
            )
            yield from _of(nested, banned, scripts, depth + 1)


def words_that_set(words: Iterable[str]) -> tuple[str, ...]:
    """Words like `A=b` (`env`, `cross-env`) and the files of `dotenv`."""
    return tuple(w for w in words if " " not in w and ("=" in w or ".env" in w))


def _direct(words: Sequence[str], banned: Sequence[str]) -> tuple[str, tuple[str, ...]] | None:
    if _manages(words):
        return None
    for pattern in banned:
        name, *rest = pattern.split() or [""]
        if not rest:
            continue
        for i, word in enumerate(words):
            if program(word) == name and _follows(name, rest, words[i + 1 :]):
                return pattern, ()
    return None


def _manages(words: Sequence[str]) -> bool:
    """`npm install drizzle-kit push` runs nothing."""
    for i, word in enumerate(words):
        if program(word) in _MANAGERS:
            return next((w for w in words[i + 1 :] if not w.startswith("-")), "") in _MANAGING
    return False


def _follows(name: str, rest: Sequence[str], words: Sequence[str]) -> bool:
    """The words of the pattern come next, options and their values apart."""
    if "--help" in words or "-h" in words:
        return False
    wanted = list(rest)
    after_option = False
    for word in words:
        if not wanted:
            return True
        if word.startswith("-"):
            after_option = "=" not in word
        elif word == wanted[0] or word == _OLD_WORDS.get((name, wanted[0])):
            wanted.pop(0)
        elif not after_option:
            return False
        else:
            after_option = False
    return not wanted


def _called(words: Sequence[str], banned: Sequence[str], scripts: Lookup) -> tuple[str, tuple[str, ...]] | None:
    single = [p for p in banned if len(p.split()) == 1]
    for name, pattern in script_names(words):
        if not pattern:
            if name in single:
                return name, ()
            found = scripts(name)
            if found:
                return found.banned, (name, *found.through)
        else:
            found = scripts(name)
            if found:
                return found.banned, (name, *found.through)
    return None


def matches(name: str, pattern: str) -> bool:
    """`db:*` of npm-run-all, `/^db:/` of pnpm."""
    if pattern.startswith("/"):
        return name.startswith(pattern.strip("/").lstrip("^").rstrip("$").rstrip(".*"))
    return fnmatch.fnmatchcase(name.replace(":", "/"), pattern.replace(":", "/")) or fnmatch.fnmatchcase(name, pattern)
