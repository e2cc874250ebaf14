"""Finds the Drizzle projects of a repository: by their configurations, else by the shape of their migrations."""

import posixpath
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from checks.drizzle import chain, config, constants, globs, journal, migrator, packages, schema_files, snapshots
from checks.drizzle.config import Config
from checks.drizzle.model import Format, Project
from checks.tree import Tree

IGNORED = {"node_modules", "dist", "build", ".next", "vendor"}
ASIDE = {"test", "tests", "__tests__", "fixtures", "__fixtures__", "testdata", "examples", "e2e"}
TABLE = ("drizzle", "__drizzle_migrations")


@dataclass(frozen=True, kw_only=True, slots=True)
class DrizzleOverrides:
    """What the policy file says about the project; None: to be detected."""

    config: str | None = None
    schema: tuple[str, ...] = ()
    migrations: str | None = None
    format: Format | None = None
    migrator: str | None = None
    table: str | None = None


@dataclass(frozen=True, slots=True)
class Other:
    """A Drizzle project that is not for PostgreSQL."""

    path: str
    dialect: str


@dataclass(frozen=True, slots=True)
class Survey:
    """All Drizzle projects of a tree: those that can be judged, those named in a configuration first, and the others.

    Attributes:
        remarks: what the policy file says of them and the tree does not bear out, in sentences.
    """

    projects: tuple[Project, ...]
    others: tuple[Other, ...]
    remarks: tuple[str, ...] = ()


def find(tree: Tree, overrides: DrizzleOverrides | None = None) -> list[Project]:
    """The PostgreSQL projects of a tree, those named in a configuration first."""
    return list(survey(tree, overrides).projects)


def others(tree: Tree) -> list[Other]:
    """The Drizzle projects of a tree that are for other databases."""
    return list(survey(tree).others)


def survey(tree: Tree, overrides: DrizzleOverrides | None = None) -> Survey:
    """Everything that looks like a Drizzle project."""
    overrides = overrides or DrizzleOverrides()
    found = _survey(tree, overrides)
    wrong = schema_files.named(tree, (_place(s, "") for s in overrides.schema)).astray
    if not wrong:
        return found
    by = "judged by the others" if len(wrong) < len(overrides.schema) else "judged by what was found"
    said = f"The policy file names a schema file (`drizzle.schema`) that cannot be read here: {', '.join(wrong)}; {by}."
    return replace(found, remarks=(*found.remarks, said))


def _survey(tree: Tree, overrides: DrizzleOverrides) -> Survey:
    if overrides.config and overrides.config not in tree:
        said = f"The policy file names `{overrides.config}` (`drizzle.config`), which is not there: judged by what was found."
        without = _survey(tree, replace(overrides, config=None))
        return replace(without, remarks=(said, *without.remarks))
    if overrides.migrations is not None:
        named = _overridden(tree, overrides, overrides.migrations)
        if chain.shape(tree, named.migrations_dir) is not None:
            return Survey((named,), ())
        without = _survey(tree, replace(overrides, migrations=None))
        there = tuple(p for p in without.projects if chain.shape(tree, p.migrations_dir) is not None)
        if not there:
            return Survey((named,), ())
        said = f"The policy file names `{overrides.migrations}` (`drizzle.migrations`), where no migrations are: judged by what was found."
        return replace(without, projects=there, remarks=(said,))
    found, foreign = _configured(tree, overrides)
    if not overrides.config:
        theirs = {_dir_of(tree, other) for other in foreign.values()}
        for folder, dialect in _shapes(tree):
            if dialect is not None and folder not in theirs:
                foreign[folder] = Other(folder, dialect)
            elif dialect is None and folder not in found:
                found[folder] = _by_shape(tree, folder)
    kept = [p for p in found.values() if not _aside(p.config or p.migrations_dir)] or list(found.values())
    kept.sort(key=lambda p: p.config is None)
    return Survey(tuple(_with(tree, p, overrides) for p in kept), tuple(foreign.values()))


# --- by configuration -------------------------------------------------------------------------------------------------


def _configured(tree: Tree, overrides: DrizzleOverrides) -> tuple[dict[str, Project], dict[str, Other]]:
    """Projects by migrations folder, and those for other databases by configuration."""
    found: dict[str, Project] = {}
    foreign: dict[str, Other] = {}
    named = _configs(tree)
    for path in [overrides.config] if overrides.config else named:
        for read in config.read(tree, path):
            project = _project(tree, read, named.get(path, []))
            if isinstance(project, Other):
                foreign.setdefault(project.path, project)
            else:
                found.setdefault(project.migrations_dir, project)
    return found, foreign


def _configs(tree: Tree) -> dict[str, list[str]]:
    """All configurations with the folders whose scripts name them, the plainly named first.

    A project that several of them describe is read from the first.
    """
    found: dict[str, list[str]] = {path: [] for path in tree if config.is_config(path) and not _ignored(path)}
    manifests = [p for p in tree if (p == "package.json" or p.endswith("/package.json")) and not _ignored(p)]
    tree.read_all(manifests)  # one batch
    for path in manifests:
        package = packages.read(tree, posixpath.dirname(path))
        for named in package.configs if package else ():
            if named in tree:
                found.setdefault(named, []).append(posixpath.dirname(path))
    order = sorted(
        found, key=lambda p: (not posixpath.basename(p).startswith("drizzle.config."), p.count("/"), len(p), p)
    )
    return {path: found[path] for path in order}


def _project(tree: Tree, read: Config, starters: Sequence[str]) -> Project | Other:
    above = packages.nearest(tree, starters[0] if starters else posixpath.dirname(read.path))
    folder, root, lost = _migrations(tree, read, above, starters)
    postgres = read.postgres
    if postgres is None:
        dialect = _dialect(tree, folder)
        postgres = dialect in {None, "postgresql"}
    else:
        dialect = read.dialect or read.driver
    if not postgres:
        return Other(read.path, dialect or "another database")
    shown = chain.shape(tree, folder)
    installed: Format | None = next((p.format for p in above if p.format), None)
    form: Format = shown or installed or "v0"
    driven = migrator.infer(tree, above, above[0].folder if above else "")
    inferred = {"migrator", "transaction"}
    inferred.update(
        ("format",) if shown is None else (), () if read.out and "out" not in read.unresolved else ("migrations_dir",)
    )
    schema = schema_files.named(tree, (_place(s, root) for s in read.schema))
    casing: Literal["snake_case", "camelCase"] | None = None
    if read.casing in {"snake_case", "camelCase"}:
        casing = "snake_case" if read.casing == "snake_case" else "camelCase"
    return Project(
        root=root,
        format=form,
        migrations_dir=folder,
        schema_files=schema.files,
        migrator=driven,
        transaction=migrator.transaction(driven, form),
        config=read.path,
        table=(read.table_schema or TABLE[0], read.table or TABLE[1]),
        casing=casing,
        inferred=frozenset(inferred),
        lost=lost,
        astray=schema.unseen if schema.files else schema.astray or _untold(read),
    )


def _untold(read: Config) -> tuple[str, ...]:
    """Why a configuration names no schema file, where it is its own doing."""
    return (f"`schema` in `{read.path}` cannot be known without running it",) if "schema" in read.unresolved else ()


def _migrations(
    tree: Tree, read: Config, above: Sequence[packages.Package], starters: Sequence[str]
) -> tuple[str, str, str | None]:
    """The migrations folder, the folder that drizzle-kit is started in (paths are relative to that, not to the file), and what is wrong."""
    folders = [p.folder for p in above]
    roots = list(dict.fromkeys([*starters, *folders[:1], posixpath.dirname(read.path), *folders, ""]))
    outs = read.out or ("drizzle",)
    places = [(_place(out, root), root) for root in roots for out in outs]
    for folder, root in places:
        if chain.shape(tree, folder) is not None:
            return folder, root, None
    lost = _lost(tree, read, places[0][0])
    if lost is not None:  # then the only folder of migrations in the package, if there is one
        start = f"{folders[0]}/" if folders and folders[0] else ""
        shown = [folder for folder, dialect in _shapes(tree) if folder.startswith(start) and dialect is None]
        if len(shown) == 1:
            return shown[0], roots[0], None
    for folder, root in places:
        if any(globs.expand(tree, _place(s, root)) for s in read.schema) or (folder and tree.under(folder)):
            return folder, root, lost
    return *places[0], lost


def _lost(tree: Tree, read: Config, folder: str) -> str | None:
    """Why the folder that a configuration names cannot be looked into."""
    out = f"`out` in `{read.path}`"
    name = "`drizzle.migrations` in the policy file can name the folder of its migrations."
    if "out" in read.unresolved:
        return f"{out} cannot be known without running it; {name}"
    if folder == ".." or folder.startswith("../"):
        return f"{out} leads out of the repository; {name}"
    link = chain.link_above(tree, folder)
    return None if link is None else f"{out} leads through `{link}`, a link that is not followed; {name}"


def _place(written: str, root: str) -> str:
    """A path of a configuration, from the root of the repository."""
    if written.startswith(constants.REPOSITORY):
        path = written.removeprefix(constants.REPOSITORY).lstrip("/")
    elif written.startswith(constants.WORKING):
        path = posixpath.join(root, written.removeprefix(constants.WORKING).lstrip("/"))
    else:
        path = posixpath.join(root, written.replace("\\", "/").lstrip("/") if written.startswith("/") else written)
    path = posixpath.normpath(path)
    return "" if path == "." else path


# --- by shape ---------------------------------------------------------------------------------------------------------

_V1_SNAPSHOT = re.compile(r"(?:(.*)/)?\d{14}_[^/]*/snapshot\.json")


def _shapes(tree: Tree) -> Iterator[tuple[str, str | None]]:
    """Folders that hold migrations, and their dialect where it is not PostgreSQL."""
    seen: set[str] = set()
    for path in tree:
        if not path.endswith(".json"):
            continue
        if path == chain.JOURNAL or path.endswith(f"/{chain.JOURNAL}"):
            folder = path.removesuffix(chain.JOURNAL).rstrip("/")
        elif path.endswith("/snapshot.json") and (found := _V1_SNAPSHOT.fullmatch(path)) is not None:
            folder = found[1] or ""
        else:
            continue
        if folder not in seen and not _ignored(path):
            seen.add(folder)
            dialect = _dialect(tree, folder)
            yield folder, None if dialect == "postgresql" else dialect or "an unknown database"


def _dialect(tree: Tree, folder: str) -> str | None:
    """What the files of a migrations folder are written for; None where there are none, or they do not say."""
    content = tree.read(posixpath.join(folder, chain.JOURNAL))
    if content is not None:
        read = journal.parse(content)
        return "postgresql" if read.dialect is not None and read.postgres else read.dialect
    start = len(folder) + 1 if folder else 0
    for path in tree.under(folder):
        if path.count("/", start) == 1 and path.endswith("/snapshot.json"):
            head = snapshots.header(tree.read(path) or b"", "v1")
            if isinstance(head, snapshots.Header) and head.dialect is not None:
                return "postgresql" if head.dialect in {"postgres", "postgresql"} else head.dialect
    return None


def _by_shape(tree: Tree, folder: str) -> Project:
    above = packages.nearest(tree, folder)
    form = chain.shape(tree, folder) or "v0"
    root = above[0].folder if above else ""
    driven = migrator.infer(tree, above, root)
    near = (path for path in _configs(tree) if f"{folder}/".startswith(path.removesuffix(posixpath.basename(path))))
    mute = (path for path in near if not config.read(tree, path))
    return Project(
        root=root,
        format=form,
        migrations_dir=folder,
        migrator=driven,
        transaction=migrator.transaction(driven, form),
        inferred=frozenset({"migrations_dir", "migrator", "transaction", "schema_files", "table"}),
        astray=tuple(f"nothing in `{path}` can be read" for path in mute)[:1],
    )


def _dir_of(tree: Tree, other: Other) -> str | None:
    """Where another database's configuration keeps its migrations."""
    for read in config.read(tree, other.path) if other.path in tree else ():
        return _migrations(tree, read, packages.nearest(tree, posixpath.dirname(read.path)), ())[0]
    return other.path


# --- by policy --------------------------------------------------------------------------------------------------------


def _overridden(tree: Tree, overrides: DrizzleOverrides, migrations: str) -> Project:
    """The project whose migrations the policy names; a configuration still tells what the policy does not."""
    folder = _place(migrations, "")
    named = _configs(tree)
    paths = [overrides.config] if overrides.config else named
    read = (_project(tree, c, named.get(path, [])) for path in paths for c in config.read(tree, path))
    same = next((p for p in read if isinstance(p, Project) and (p.migrations_dir == folder or overrides.config)), None)
    project = replace(same, migrations_dir=folder, lost=None) if same else _by_shape(tree, folder)
    return _with(tree, replace(project, inferred=project.inferred - {"migrations_dir"}), overrides)


def _with(tree: Tree, project: Project, overrides: DrizzleOverrides) -> Project:
    form = overrides.format or project.format
    driven = overrides.migrator or project.migrator
    where, dot, name = (overrides.table or "").rpartition(".")
    schema = schema_files.named(tree, (_place(s, "") for s in overrides.schema))
    if schema.files:
        project = replace(project, schema_files=schema.files, astray=schema.unseen)
    elif not project.schema_files:
        project = replace(project, astray=(*schema.astray, *project.astray))
    said = {
        "format": overrides.format,
        "migrator": overrides.migrator,
        "transaction": overrides.migrator,
        "table": overrides.table,
        "schema_files": overrides.schema,
    }
    return replace(
        project,
        format=form,
        migrator=driven,
        transaction=migrator.transaction(driven, form),
        table=(where if dot else TABLE[0], name) if name else project.table,
        inferred=project.inferred - {key for key, value in said.items() if value},
    )


def _ignored(path: str) -> bool:
    return not IGNORED.isdisjoint(path.split("/")[:-1])


def _aside(path: str) -> bool:
    return not ASIDE.isdisjoint(path.split("/")[:-1])
