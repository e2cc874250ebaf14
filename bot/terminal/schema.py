"""The `schema` command: reads schema files of a revision or of the work tree, and prints the DDL that they mean."""

import difflib
import hashlib
import json
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

from checks.drizzle import globs, packages, projects
from checks.errors import UserError
from checks.schema import ddl
from checks.schema.model import Format, Schema, Unresolved
from checks.schema.read import read
from checks.tree import Entry, Tree

_SKIPPED = frozenset({"node_modules", ".git", ".hg", ".next", ".turbo", ".venv", "__pycache__"})
_MOST_FILES = 400_000


def run(
    *,
    repo: Path,
    rev: str | None = None,
    config: str | None = None,
    files: Sequence[str] = (),
    format: Literal["sql", "json"] = "sql",  # noqa: A002 - the option's name
) -> int:
    """Print the DDL of a schema; 0, or 1 where something in it is not known.

    Args:
        repo: a folder in the repository.
        rev: the revision to read; None: the files as they are on disk.
        config: the drizzle.config of the project, where there are several.
        files: schema files or patterns, in place of those that the configuration names.
        format: SQL, or the one JSON document.

    Raises:
        UserError: no such repository, revision or file; the text says what to do.
    """
    schema = find(repo=repo, rev=rev, config=config, files=files)
    sys.stdout.write(as_json(schema) if format == "json" else as_sql(schema))
    return 1 if schema.unresolved else 0


def find(*, repo: Path, rev: str | None = None, config: str | None = None, files: Sequence[str] = ()) -> Schema:
    """The schema that is asked for.

    Raises:
        UserError: no such repository, revision or file; the text says what to do.
    """
    if config and files:
        raise UserError("name a configuration or files, not both: the configuration names its own files.")
    root = _root(repo, files, on_disk=rev is None)
    tree = _revision(root, rev) if rev is not None else disk(root)
    if files:
        return _of_files(tree, root, files)
    return _of_project(tree, root, config)


def _of_files(tree: Tree, root: Path, files: Sequence[str]) -> Schema:
    found = list(dict.fromkeys(path for name in files for path in _named(tree, root, name)))
    casing, form = None, _generation(tree, found[0])
    for project in projects.find(tree):
        if set(found) & set(project.schema_files):
            casing, form = project.casing, form or project.format
            break
    return read(tree, found, format=form or "v0", casing=casing)


def _of_project(tree: Tree, root: Path, config: str | None) -> Schema:
    if config is not None:
        config = _named(tree, root, config)[0]
    found = projects.find(tree, projects.DrizzleOverrides(config=config))
    found = [project for project in found if project.config is not None]
    if not found:
        what = (
            f"`{config}` describes no PostgreSQL project"
            if config
            else "there is no drizzle.config of a PostgreSQL project here"
        )
        raise UserError(f"{what}. Name the schema files: `bulletproof schema src/schema.ts`.")
    if len(found) > 1 and config is None:
        names = ", ".join(f"`{project.config}`" for project in found)
        raise UserError(f"there are {len(found)} projects here ({names}). Name one with --config.")
    project = found[0]
    if not project.schema_files:
        astray = f" ({', '.join(project.astray[:3])})" if project.astray else ""
        raise UserError(
            f"`{project.config}` names no schema file that is there{astray}, or computes its path, and it is not run."
            " Name the files: `bulletproof schema src/schema.ts`."
        )
    form = _generation(tree, project.config or project.schema_files[0]) or project.format
    return read(tree, project.schema_files, format=form, casing=project.casing)


def _generation(tree: Tree, path: str) -> Format | None:
    """The generation of Drizzle that the nearest package.json asks for."""
    above = packages.nearest(tree, path.rpartition("/")[0])
    return next((package.format for package in above if package.format), None)


def as_sql(schema: Schema) -> str:
    """The statements, and what is not known as a comment behind them."""
    text = "".join(statement.rstrip("\n") + "\n" for statement in ddl.statements(schema))
    if schema.unresolved:
        text += "-- unresolved:\n" + "".join(f"--   {_line(lack)}\n" for lack in schema.unresolved)
    return text


def _line(lack: Unresolved) -> str:
    return " ".join(f"{lack.path}:{lack.line}: {lack.what}: {lack.why}".split())


def as_json(schema: Schema) -> str:
    """The one JSON document of the command."""
    document = {
        "version": 1,
        "sql": "".join(statement.rstrip("\n") + "\n" for statement in ddl.statements(schema)),
        "unresolved": [
            {"path": lack.path, "line": lack.line, "why": lack.why, "what": lack.what} for lack in schema.unresolved
        ],
        "tables": len(schema.tables),
    }
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


# --- where files are --------------------------------------------------------------------------------------------------


def _root(repo: Path, files: Sequence[str], *, on_disk: bool) -> Path:
    """The folder that paths are counted from: of the repository, else the one that was named."""
    start = repo.resolve()
    if not start.is_dir():
        raise UserError(f"there is no folder `{repo}`. Name the repository with --repo.")
    if files and not any((Path.cwd() / name).resolve().is_relative_to(start) for name in files):
        outside = (Path.cwd() / files[0]).resolve()
        if outside.is_file():
            start = outside.parent
    for folder in (start, *start.parents):
        if (folder / ".git").exists():
            return folder
    if not on_disk:
        return start  # a bare repository
    return next((folder for folder in (start, *start.parents) if (folder / "package.json").exists()), start)


def _revision(root: Path, rev: str) -> Tree:
    from bot.git import Repository  # noqa: PLC0415 - only where a revision is named

    repository = Repository(root)
    return repository.tree(repository.resolve(rev))


def _named(tree: Tree, root: Path, name: str) -> list[str]:
    """The files that a person means by a path or pattern: from where they are, else from the root."""
    here = Path(os.path.abspath(Path.cwd() / name))  # noqa: PTH100 - resolve() would follow links, which a tree does not
    inside = here.relative_to(root).as_posix() if here.is_relative_to(root) else name
    for path in (inside, name.removeprefix("./")):
        found = globs.expand(tree, "" if path == "." else path)
        if found:
            return found
    near = difflib.get_close_matches(inside, [path for path in tree if path.endswith((".ts", ".js", ".mts"))], n=1)
    raise UserError(f"there is no file `{name}`." + (f" Did you mean `{near[0]}`?" if near else ""))


def disk(root: Path) -> Tree:
    """The files below a folder as they are now; those of packages are left out."""
    places: dict[str, Path] = {}
    entries: list[Entry] = []
    for folder, folders, names in os.walk(root):
        folders[:] = sorted(name for name in folders if name not in _SKIPPED)
        for name in names:
            path = Path(folder, name)
            inside = path.relative_to(root).as_posix()
            try:
                status = path.lstat()
            except OSError:
                continue
            linked = path.is_symlink()
            stamp = f"{path}\0{status.st_mtime_ns}\0{status.st_size}\0{status.st_ino}"
            oid = hashlib.sha1(stamp.encode(errors="surrogateescape"), usedforsecurity=False).hexdigest()
            places[oid] = path
            entries.append(Entry(inside, "120000" if linked else "100644", oid))
        if len(entries) > _MOST_FILES:
            raise UserError(f"there are more than {_MOST_FILES} files below `{root}`. Name the repository with --repo.")

    def fetch(oids: Sequence[str]) -> Mapping[str, bytes]:
        return {oid: _content(places[oid]) for oid in oids}

    return Tree(entries, fetch)


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise UserError(f"cannot read `{path}`: {error.strerror or error}.") from error
