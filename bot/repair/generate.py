"""`/migrate generate` and `bulletproof db generate --static`: writes the missing migration without running the repository's code."""

import posixpath
import shlex
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bot import git_write
from bot.database import source as sources
from checks.drizzle import generate, packages
from checks.drizzle.generate import Generated
from checks.errors import UserError
from checks.render import gfm
from checks.schema import read as schemas

if TYPE_CHECKING:
    from bot.database.source import Source
    from bot.git import Repository

_OPTIONS = ("--config", "--drop", "--keep", "--name", "--rename")


@dataclass(frozen=True, kw_only=True, slots=True)
class Answers:
    """What a person said about it.

    Attributes:
        name: of the migration; None: two words.
        drops: what may be dropped, e.g. `users.nick`.
        renames: e.g. `users.nick=users.handle`.
        keeps: columns that stay in the database for now, though they might have been renamed.
        config: the drizzle config, where there are several projects.
    """

    name: str | None = None
    drops: tuple[str, ...] = ()
    renames: tuple[str, ...] = ()
    keeps: tuple[str, ...] = ()
    config: str | None = None


def answers(words: str) -> Answers:
    """The options of `/migrate generate`.

    Raises:
        UserError: an option is not known or has no value.
    """
    try:
        given = shlex.split(words)
    except ValueError as error:
        raise UserError(f"`{words}` cannot be read: {error}.") from None
    found: dict[str, list[str]] = {option: [] for option in _OPTIONS}
    rest = iter(given)
    for word in rest:
        option, equals, value = word.partition("=")
        if option not in found:
            known = ", ".join(f"`{each}`" for each in _OPTIONS)
            raise UserError(f"`{word}` is no option of generate; there are {known}.")
        if not equals:
            value = next(rest, "")
        if not value or value.startswith("--"):
            raise UserError(
                f"`{option}` needs a value, e.g. `--rename users.nick=users.handle` or `--drop users.nick`."
            )
        found[option].append(value)
    names, configs = found["--name"], found["--config"]
    if len(names) > 1 or len(configs) > 1:
        raise UserError("A migration has one name and one config; an option is there twice.")
    lists = (tuple(found[option]) for option in ("--drop", "--rename", "--keep"))
    drops, renames, keeps = lists
    config = configs[0] if configs else None
    return Answers(name=names[0] if names else None, drops=drops, renames=renames, keeps=keeps, config=config)


def at(
    repo: Path, revision: str | None, given: Answers, *, when: int | None = None, config: str | None = None
) -> Generated:
    """The missing migration at a commit (or on disk, where `revision` is None); nothing is written anywhere.

    Args:
        repo: a git repository, or a folder of it.
        revision: a commit.
        given: what a person said.
        when: now, in milliseconds.
        config: the drizzle config, where there are several projects.

    Raises:
        UserError: it cannot be written, and why.
    """
    return _of(sources.read(repo, revision, config or given.config), given, when)


def _of(source: "Source", given: Answers, when: int | None) -> Generated:
    sources.sound(source)
    project, tree = source.chain.project, source.tree
    present = [path for path in project.schema_files if path in tree]
    if not present:
        astray = f": {', '.join(project.astray[:3])}" if project.astray else ""
        raise UserError(
            f"No schema file was found{astray}. Name it with `schema` in drizzle.config.ts, or under `drizzle` in the policy file."
        )
    wanted = schemas.read(tree, present, format=project.format, casing=project.casing)
    raw = tree.read(source.chain.journal) if source.chain.journal else None
    return generate.migration(
        source.chain,
        wanted,
        name=given.name,
        drops=given.drops,
        renames=given.renames,
        keeps=given.keeps,
        when=int(time.time() * 1000) if when is None else when,
        journal=None if raw is None else raw.decode("utf-8-sig", errors="replace"),
        kit=_kit(source),
    )


def _kit(source: "Source") -> str | None:
    """The version of drizzle-kit that the nearest package.json asks for."""
    folder = posixpath.dirname(source.chain.project.config or source.chain.project.migrations_dir)
    found = (package.dependencies.get("drizzle-kit") for package in packages.nearest(source.tree, folder))
    return next((version for version in found if version), None)


def run(repo: Path, given: Answers, *, when: int | None = None, config: str | None = None) -> Generated:
    """The command: write the files of the missing migration into the work tree.

    Raises:
        UserError: it cannot be written, and why.
    """
    source = sources.read(repo, config=config)
    made = _of(source, given, when)
    _write(source.top, made.files)
    return made


def commit(repository: "Repository", head: str, made: Generated) -> str:
    """A commit on head that adds the migration; no ref points to it yet."""
    tree = git_write.with_files(repository, head, {path: text.encode() for path, text in made.files.items()})
    return git_write.commit(repository, tree, [head], f"Add migration {made.tag}\n")


def _write(top: Path, files: Mapping[str, str]) -> None:
    """All of them or none; what is there already is replaced only where it is the journal, which comes last."""
    targets = {_inside(top, path): text for path, text in files.items()}
    written: list[Path] = []
    try:
        for target, text in sorted(targets.items(), key=lambda item: item[0].name == "_journal.json"):
            target.parent.mkdir(parents=True, exist_ok=True)
            journal = target.name == "_journal.json"
            with target.open("wb" if journal else "xb") as file:
                if not journal:
                    written.append(target)
                file.write(text.encode())
    except OSError as error:
        for each in written:
            each.unlink(missing_ok=True)
        raise UserError(f"{error.filename} cannot be written ({error.strerror}); no migration was.") from None


def _inside(top: Path, path: str) -> Path:
    target = top / path
    if target.is_symlink() or not target.parent.resolve().is_relative_to(top.resolve()):
        raise UserError(f"{path} leads out of the repository through a link; no migration was written.")
    return target


# -- what is said -----------------------------------------------------------------------------------------------------


def code(made: Generated) -> int:
    """The exit code: 1 where something has to be answered first."""
    return 1 if made.questions else 0


def text(made: Generated) -> str:
    """For people, on a terminal."""
    lines: list[str] = []
    if made.questions:
        lines.append(
            "Something left schema.ts while something like it came. Was it renamed? Say so, and generate again:"
        )
        lines += [f"  {each.kind} {each.gone}: {'  or  '.join(each.answers)}" for each in made.questions]
    elif made.files:
        lines.append(f"written: {made.tag}")
        lines += [f"  {path}" for path in made.files]
    else:
        lines.append("No schema changes, nothing to generate.")
    return "\n".join([*lines, *_asides(made, "generate", str)])


def markdown(made: Generated) -> str:
    """For a reply; `made` may have been committed already."""
    if made.questions:
        lines = [
            "Something left `schema.ts` while something like it came. Was it renamed? One of these decides it:",
            "",
        ]
        for each in made.questions:
            lines.append(f"* {each.kind} {gfm.code(each.gone)}")
            lines += [f"  * {gfm.code(f'/migrate generate {answer}')}" for answer in each.answers]
        if len(made.questions) > 1:
            lines += ["", "Several answers go into one command."]
    elif made.files:
        fence = gfm.fence(made.sql)
        lines = [f"Added the migration {gfm.code(made.tag or '')}:", "", f"{fence}sql", *gfm.lines(made.sql), fence]
    else:
        lines = ["The last snapshot says what `schema.ts` says; there is nothing to generate."]
    return "\n".join([*lines, *_asides(made, "/migrate generate", gfm.code)])


def _asides(made: Generated, command: str, code_of: Callable[[str], str]) -> list[str]:
    lines = [
        *made.notes,
        *(
            f"{code_of(name)} left schema.ts and stays in the database until you ask for its drop, once the release that"
            f" no longer reads it is out: {code_of(f'{command} --drop {name}')}"
            for name in made.pending
        ),
    ]
    return ["", *lines] if lines else []


def data(made: Generated) -> dict[str, Any]:
    """For `--format json`."""
    state = "asked" if made.questions else "written" if made.files else "nothing"
    return {
        "version": 1,
        "state": state,
        "tag": made.tag,
        "files": list(made.files),
        "sql": made.sql,
        "questions": [
            {"kind": q.kind, "gone": q.gone, "new": list(q.new), "answers": list(q.answers)} for q in made.questions
        ],
        "pending": list(made.pending),
        "notes": list(made.notes),
    }
