"""Files of commands in YAML, JSON and TOML: CI, compose, package.json, task runners, hosting."""

import posixpath
import re
from collections.abc import Iterator
from dataclasses import replace
from itertools import chain

from checks import placed
from checks.placed import Placed
from checks.ways import ordinary
from checks.ways.recipes import Command, folder_of

# Under these keys stand words for people, names of things, and settings: nothing that a shell reads.
_SAID = frozenset(
    {
        "name", "description", "title", "label", "labels", "displayname", "summary", "message", "msg", "image", "if", "uses", "key", "group", "help", "desc",
        "id", "on", "paths", "branches", "tags", "url", "env", "environment", "variables", "vars", "envvars", "metadata", "annotations", "comment", "default",
        "restore-keys", "only", "except", "rules", "needs", "stage", "stages", "services", "customizations", "extensions", "settings", "outputs", "options?",
        "envfile", "env_file", "matrix", "permissions", "detail", "problemmatcher", "presentation", "inputs", "input", "files", "exclude", "include",
    }
)  # fmt: skip
_EXEC = frozenset({"command", "entrypoint", "args", "cmd", "exec", "test"})
_NEEDS = frozenset({"dependsOn", "deps", "with"})  # of turbo, nx and moon: names of scripts that run before
_OF_PACKAGE = ("scripts", "lint-staged", "husky", "simple-git-hooks", "pre-commit", "pre-push", "wireit", "nx")
_INPUT = re.compile(r"(?i)script|run|command|cmd|exec|entrypoint|^args$|build|start|install|deploy")
_FOR_CI = re.compile(r"compose[\w.-]*[.-]ci\b|\bci[.-][\w.-]*compose")
_OTHER_SHELLS = ("python", "node", "ruby", "perl", "deno", "tsx")
_MOST = 20_000
_DATABASE = re.compile(r"(?:DATABASE|POSTGRES|NEON|DIRECT|DB|PG)\w*(?:URL|URI|DSN|STRING|HOST)$", re.IGNORECASE)


def ci(path: str, text: str) -> Iterator[Command]:
    """A CI file: every string that is a command; a job with a database of its own may do what it wants with it."""
    for document in placed.yaml_documents(text):
        known: dict[tuple[int, int], bool] = {}
        for keys, value, holder in _strings(document):
            scope = _scope(path, document, keys)
            place = (id(scope), id(holder))
            if place not in known:
                known[place] = _has_scratch(scope, document, holder)
            doubtful = not known[place] and _is_doubtful(path, scope, keys)
            for command in _commands(path, keys, value, holder, scratch=known[place]):
                yield replace(command, doubtful=doubtful)


def yaml(path: str, text: str) -> Iterator[Command]:
    """Compose files, task runners, hooks, manifests, hosting."""
    scratch = _FOR_CI.search(path) is not None
    for document in placed.yaml_documents(text):
        yield from (replace(command, scratch=True) if scratch else command for command in _all(path, document))


def toml(path: str, text: str) -> Iterator[Command]:
    """Hosting and task runners."""
    yield from _all(path, placed.toml(text))


def json(path: str, text: str) -> Iterator[Command]:
    """package.json, task runners, hosting, editors."""
    document = placed.json(text)
    name = posixpath.basename(path)
    if name == "package.json":
        yield from _package(path, document)
    elif name.startswith("turbo."):
        for keys, value, _ in _strings(document):
            if any(key in _NEEDS for key in keys):
                yield _need(path, keys, value)
    else:
        yield from _all(path, document)


def scripts(text: str) -> dict[str, tuple[str, int]]:
    """The scripts of a package.json: name → text and line.

    Raises:
        placed.Unreadable: it is not JSON.
    """
    found = placed.json(text).get("scripts")
    return (
        {}
        if found is None
        else {key.name: (value.value, key.line) for key, value in found.pairs() if isinstance(value.value, str)}
    )


def _package(path: str, document: Placed) -> Iterator[Command]:
    folder = posixpath.dirname(path)
    for section in _OF_PACKAGE:
        value = document.get(section)
        if value is None:
            continue
        if section == "scripts":
            for key, script in value.pairs():
                if isinstance(script.value, str):
                    scratch = ordinary.scratch([key.name])
                    yield Command(
                        script.value,
                        key.line,
                        f"the script `{key.name}`",
                        key.name,
                        folder=folder,
                        scratch=scratch,
                        script=key.name,
                    )
        else:
            for keys, each, holder in _strings(value):
                yield from _commands(path, (section, *keys), each, holder, scratch=False)


def _all(path: str, document: Placed) -> Iterator[Command]:
    for keys, value, holder in _strings(document):
        if any(key in _NEEDS for key in keys) or keys[-1:] == ("task",):
            yield _need(path, keys, value)
        else:
            yield from _commands(path, keys, value, holder, scratch=False)


def _need(path: str, keys: tuple[str, ...], value: Placed) -> Command:
    task = str(value.value).lstrip("^")
    return Command(
        ("turbo", "run", task),
        value.line,
        f"`{'.'.join(k for k in keys if k != '*')}`",
        ".".join(keys),
        folder=posixpath.dirname(path),
    )


def _commands(
    path: str, keys: tuple[str, ...], value: Placed, holder: Placed | None, *, scratch: bool
) -> Iterator[Command]:
    shown = ".".join(k for k in keys[-4:] if k != "*")
    folder = _folder(path, holder)
    name = ".".join(keys[:3])
    shell = holder.get("shell") if holder is not None else None
    if shell is not None and str(shell.value).startswith(_OTHER_SHELLS):
        return
    if isinstance(value.value, str):
        line = value.line + 1 if value.block else value.line
        yield Command(value.value, line, f"`{shown}`", name, spread=value.block, folder=folder, scratch=scratch)
    elif isinstance(value.value, tuple):
        more = holder.get("args") if holder is not None and keys[-1] == "command" else None
        items = (*value.items(), *(more.items() if more else ()))
        words = tuple(item.value for item in items if isinstance(item.value, str))
        yield Command(words, value.line, f"`{shown}`", name, folder=folder, scratch=scratch)


def _folder(path: str, holder: Placed | None) -> str:
    said = None
    for key in ("working-directory", "working_dir", "workingDirectory", "cwd", "dir"):
        said = said or (holder.get(key) if holder is not None else None)
    written = said.string() if said is not None else None
    if written and "$" not in written and not written.startswith("/"):
        return posixpath.normpath(posixpath.join(folder_of(path), written)).removeprefix("./").removeprefix("../")
    return folder_of(path)


def _strings(root: Placed) -> Iterator[tuple[tuple[str, ...], Placed, Placed | None]]:
    """Whatever may be a command: strings, and lists of plain words in the exec form, with the mapping that holds them."""
    stack: list[tuple[tuple[str, ...], Placed, Placed | None]] = [((), root, None)]
    seen = 0
    while stack:
        keys, value, holder = stack.pop()
        seen += 1
        if seen > _MOST:
            raise placed.Unreadable(value.line, f"more than {_MOST:,} values")
        if isinstance(value.value, str):
            yield keys, value, holder
            continue
        paired = (
            keys[-1:] == ("args",) and holder is not None and holder.get("command") is not None
        )  # read with its command
        if (
            not paired
            and value.items()
            and keys
            and keys[-1] in _EXEC
            and all(isinstance(i.value, str) and " " not in i.value.strip() for i in value.items())
        ):
            yield keys, value, holder
        stack.extend(reversed([((*keys, "*"), item, holder) for item in value.items()]))
        stack.extend(reversed(list(_below(keys, value))))


def _below(keys: tuple[str, ...], value: Placed) -> Iterator[tuple[tuple[str, ...], Placed, Placed | None]]:
    """What a mapping may hold commands in; of the inputs of an action, those that are called like one."""
    uses = value.get("uses")
    for key, each in value.pairs():
        if key.name == "with" and uses is not None:
            inputs = () if "github-script" in str(uses.value) else each.pairs()  # JavaScript, no shell
            yield from (((*keys, "with", k.name), v, each) for k, v in inputs if _INPUT.search(k.name))
        elif key.name == "inputs" and value.get("task") is not None:  # of a task of Azure Pipelines
            yield from (((*keys, "inputs", k.name), v, each) for k, v in each.pairs() if _INPUT.search(k.name))
        elif not _is_said(key.name, each):
            yield (*keys, key.name), each, value


def _is_said(key: str, value: Placed) -> bool:
    """A mapping called `services` or `include` may hold commands in a compose file; a word under it does not."""
    lowered = key.lower()
    if lowered.endswith((".md", ".txt")) or lowered == "readme":
        return True
    if lowered not in _SAID:
        return False
    return lowered not in {"services", "options?", "include", "tags", "files", "default", "stages"} or isinstance(
        value.value, str
    )


def _scope(path: str, document: Placed, keys: tuple[str, ...]) -> Placed:
    """The job that a command is in, where the file has jobs."""
    if keys[:1] == ("jobs",) and len(keys) > 1:
        return document.at("jobs", keys[1]) or document
    if ".gitlab" in path and keys:
        return document.get(keys[0]) or document
    return document


def _has_scratch(scope: Placed, document: Placed, holder: Placed | None) -> bool:
    """The URL nearest to the step decides; without one, whatever the job starts or names."""
    for level in (holder, scope, document):
        urls = _urls(level)
        if any(
            ordinary.scratch([name, value]) or ordinary.scratch_database([value]) or ".outputs." in value
            for name, value in urls
        ):
            return True
        if urls:
            return False  # a database that outlives the job
    around = [
        value for key in ("services", "variables", "default", "image") if (value := document.get(key)) is not None
    ]
    texts = chain.from_iterable(placed.strings(each, most=_MOST) for each in (scope, *around))
    return ordinary.scratch_database(str(value.value) for _, value in texts)


def _is_doubtful(path: str, scope: Placed, keys: tuple[str, ...]) -> bool:
    """A preview, or a test that names no database: whose it is cannot be known from here."""
    environment = scope.get("environment")
    name = environment.at("name") if environment is not None and environment.pairs() else environment
    names = [posixpath.basename(path), *keys[1:2], str(name.value) if name is not None else ""]
    if any("preview" in word.lower() for word in names):
        return True
    return ordinary.scratch(names) and not _urls(scope)


def _urls(level: Placed | None) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for key in ("env", "variables", "environment"):
        settings = level.get(key) if level is not None else None
        found += [
            (k.name, v.string() or "") for k, v in (settings.pairs() if settings else ()) if _DATABASE.search(k.name)
        ]
    return found
