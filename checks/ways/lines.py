"""Files of commands by lines: shell scripts, Dockerfiles, Makefiles, justfiles, Procfiles, Jenkinsfiles."""

import re
from collections.abc import Iterator

from checks import placed
from checks.ways.recipes import Command, folder_of

_INSTRUCTION = re.compile(r"\s*(?:ONBUILD\s+)?(?:HEALTHCHECK\s+(?:--\S+\s+)*)?(RUN|CMD|ENTRYPOINT)\s+", re.IGNORECASE)
_HEREDOC = re.compile(r"(?:(?:/bin/)?(?:ba|da|a)?sh\s+(?:-\w+\s+)*)?<<-?\s*['\"]?(\w+)['\"]?\s*$")
_OPTION = re.compile(r"--[\w-]+(?:=\S+)?\s+")
_TARGET = re.compile(r"([^\s:=#.$][^:=#]*?)\s*:(?!=)([^=].*|)$")
_VARIABLE = re.compile(r"\s*(?:export\s+)?([\w.-]+)\s*[:?+!]{0,2}=\s*(.*)$")
_USED = re.compile(r"\$[({]([\w.-]+)[)}]")
_PROCESS = re.compile(r"([\w-]+)\s*:\s*(\S.*)$")
_GROOVY = re.compile(r"\b(?:sh|bat|pwsh|powershell)\b\s*\(?\s*(?:script\s*:\s*)?('''|\"\"\"|'|\")(.*?)\1", re.DOTALL)
_RECIPE = re.compile(r"@?([\w-]+)(?:\s+[^:\n]*)?:(?!=)")


def shell(path: str, text: str) -> Iterator[Command]:
    """The whole file is one script."""
    yield Command(text, 1, "the shell script", "script", spread=True, folder=folder_of(path))


def bare(path: str, text: str) -> Iterator[Command]:
    """A file without an ending is a shell script where its first line says so."""
    first = text.partition("\n")[0]
    if first.startswith("#!") and re.search(r"\b(?:ba|z|k|da)?sh\b", first):
        yield from shell(path, text)


def docker(path: str, text: str) -> Iterator[Command]:
    """RUN, CMD and ENTRYPOINT: in the shell's form, as a list of words, or with a script in a here-document."""
    document: tuple[str, str, int, list[str]] | None = None  # its end, the instruction, its first line, its lines
    for number, line in _joined(text):
        if document is not None:
            end, name, first, body = document
            if line.strip() == end:
                yield Command("\n".join(body), first, f"`{name}`", name, spread=True, folder=folder_of(path))
                document = None
            else:
                body.append(line)
            continue
        found = _INSTRUCTION.match(line)
        if not found:
            continue
        name, rest = found[1].upper(), line[found.end() :]
        while option := _OPTION.match(rest):
            rest = rest[option.end() :]
        if here := _HEREDOC.match(rest):
            document = (here[1], name, number + 1, [])
            continue
        words = _words(rest)
        yield Command(words or rest, number, f"`{name}`", name, spread=not words, folder=folder_of(path))


def make(path: str, text: str) -> Iterator[Command]:
    """The recipes of a Makefile, its own variables put in."""
    variables: dict[str, str] = {}
    target = ""
    for number, line in _joined(text):
        if line.startswith("\t"):
            recipe = _USED.sub(lambda m: variables.get(m[1], m[0]), line.strip().lstrip("@-+ "))
            yield Command(
                recipe.replace("$$", "$"), number, f"the target `{target}`", target, spread=True, folder=folder_of(path)
            )
        elif variable := _VARIABLE.match(line):
            if len(variable[2]) < 500 and len(variables) < 500:
                variables[variable[1]] = variable[2]
        elif found := _TARGET.match(line):
            target, rest = found[1], found[2]
            recipe = rest.partition(";")[2]
            if recipe:
                yield Command(recipe, number, f"the target `{target}`", target, folder=folder_of(path))


def just(path: str, text: str) -> Iterator[Command]:
    """The recipes of a justfile."""
    name = ""
    for number, line in _joined(text):
        if line[:1] in {" ", "\t"}:
            if name and line.strip():
                yield Command(
                    line.strip().lstrip("@-"), number, f"the recipe `{name}`", name, spread=True, folder=folder_of(path)
                )
        elif line.strip() and not line.startswith("#"):
            found = _RECIPE.match(line)
            name = found[1] if found else ""


def procfile(path: str, text: str) -> Iterator[Command]:
    """One process a line."""
    for number, line in enumerate(text.splitlines(), 1):
        found = _PROCESS.match(line)
        if found:
            yield Command(found[2], number, f"the process `{found[1]}`", found[1], folder=folder_of(path))


def groovy(path: str, text: str) -> Iterator[Command]:
    """The `sh` steps of a Jenkinsfile; comments are taken out first."""
    blank = re.sub(r"/\*.*?\*/|(?m:(?<![:'\"])//[^\n]*)", lambda m: "\n" * m[0].count("\n"), text, flags=re.DOTALL)
    for found in _GROOVY.finditer(blank):
        number = blank.count("\n", 0, found.start(2)) + 1
        yield Command(found[2], number, "an `sh` step", "sh", spread=True, folder=folder_of(path))


def _joined(text: str) -> Iterator[tuple[int, str]]:
    """Lines with their continuations (the backslash stays, as the shell reads it), and the number of the first."""
    begun, parts = 0, list[str]()
    for number, line in enumerate(text.split("\n"), 1):
        line = line.rstrip("\r")  # noqa: PLW2901 - the same line
        if not parts:
            begun = number
        elif line.lstrip().startswith("#"):
            continue  # Docker takes comments out of the middle of an instruction
        parts.append(line)
        if line.endswith("\\") and len(parts) < 1000:
            continue
        yield begun, "\n".join(parts)
        parts = []
    if parts:
        yield begun, "\n".join(parts)


def _words(rest: str) -> tuple[str, ...]:
    """The exec form, `["npx", "x"]`; nothing where it is the shell's."""
    if not rest.lstrip().startswith("["):
        return ()
    try:
        value = placed.json(rest.replace("\\\n", " ").strip())
    except placed.Unreadable:
        return ()
    return tuple(word for item in value.items() if (word := item.string()) is not None)
