"""Who reads it: the places of the repository that name what a migration drops, renames or narrows."""

import re
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

from checks import facts as f
from checks.readers import drizzle, sql
from checks.readers.exports import Exports, Schema
from checks.readers.names import Code, Words
from checks.readers.sql import A_QUERY, Hit
from checks.so_far import Context, Reader, SoFar, Target, full_name
from checks.tree import Tree
from checks.typescript import queries
from checks.ways.source import Source

if TYPE_CHECKING:
    from checks.change import Change
    from checks.drizzle.model import Project

__all__ = ["Reader", "Target", "find", "of"]

SECONDS = 8.0
LONGEST_FILE = 1_000_000
DRIZZLE_TABLE = "the Drizzle table"
DRIZZLE_QUERY = "a Drizzle query"
_RUNS = " of the release that runs"

_SCRIPTS = (".ts", ".tsx", ".mts", ".cts", ".js", ".jsx", ".mjs", ".cjs")
# What is generated or somebody else's.
_ELSEWHERE = re.compile(r"(?:^|/)(?:node_modules|dist|build|out|coverage|vendor|\.[^/]+)/|\.d\.ts$|\.min\.js$")
# History: such SQL has been run, and nobody will run it on this schema again.
_HISTORY = re.compile(r"(?:^|/)(?:[^/]*migrations?[^/]*|drizzle)/(?:.*/)?[^/]+\.sql$")
# A test, a seed or an old script that names it fails on a developer's machine, not in production.
_FOLDERS = "tests?|__tests__|__mocks__|e2e|specs?|fixtures?|seeds?|seeders?|examples?|docs?|[^/]*migrations?[^/]*"
_HARMLESS = re.compile(rf"(?:^|/)(?:{_FOLDERS})/|[.-](?:test|spec|seed)\.\w+$|(?:^|/)seed\.\w+$")

Files = Mapping[str, bytes]
Declarations = Mapping[str, Sequence[queries.Declared]]


def of(facts: Sequence[f.Fact], change: "Change", project: "Project") -> Mapping[Target, Sequence[Reader]]:
    """The readers of everything that the facts take away: head's code, and what base's Drizzle tables name."""
    so_far = SoFar(Context())
    wanted: dict[Target, None] = {}
    gone: set[Target] = set()
    dropped: set[Target] = set()
    for fact in facts:
        if isinstance(fact, f.Removes) and not fact.returns and not so_far.created(fact.table):
            schema, _, table = full_name(fact.table).partition(".")
            targets = [Target(schema, table, column) for column in fact.gone]
            wanted |= dict.fromkeys(targets)
            gone |= set[Target]() if isinstance(fact, f.NarrowsType) else set(targets)
            dropped |= set(targets) if isinstance(fact, f.DropsTable) else set[Target]()
        so_far.learn(fact)
    if not wanted:
        return {}
    about = _About(project.root, project.migrations_dir, project.schema_files)
    found = find(change.head.tree, wanted, about, base=change.base.tree, changed=change.paths, unused=dropped)
    for target, readers in _on_base(change, wanted, dropped, about):
        found[target] = _once([*found.get(target, []), *readers])
    # A narrower column is still declared, of course; only queries can count on what no longer fits.
    return {
        target: kept
        for target, readers in found.items()
        if (kept := [r for r in readers if target in gone or not r.what.startswith(DRIZZLE_TABLE)])
    }


def _on_base(
    change: "Change", wanted: Iterable[Target], dropped: set[Target], about: "_About"
) -> Iterator[tuple[Target, list[Reader]]]:
    """What only base's own files name: those that came meanwhile, and of a table that goes, those that head takes out."""
    came = {each.path for each in change.base_files} - change.paths
    for paths, targets, which in ((came, wanted, ""), (change.paths, dropped, _RUNS)):
        scripts = frozenset(path for path in paths if path.endswith((*_SCRIPTS, ".sql")))
        if not scripts or not targets:
            continue
        for target, readers in find(change.base.tree, targets, about, only=scripts).items():
            queried = [r for r in readers if r.path not in about.schema_files and not r.what.startswith(DRIZZLE_TABLE)]
            yield target, [replace(reader, what=f"{reader.what}{which}") for reader in queried]


@dataclass(frozen=True, slots=True)
class _About:
    """The project whose tables are meant.

    Attributes:
        root: its folder; what is outside of it may speak of another database, so it is never sure.
        ignore: the folder of its migrations.
        schema_files: the files that declare its tables (none: all that declare tables).
    """

    root: str = ""
    ignore: str = ""
    schema_files: Sequence[str] = ()


def find(
    tree: Tree,
    targets: Iterable[Target],
    about: _About | None = None,
    *,
    base: Tree | None = None,
    changed: Iterable[str] = (),
    unused: Iterable[Target] = (),
    only: frozenset[str] | None = None,
    seconds: float = SECONDS,
) -> dict[Target, list[Reader]]:
    """The places of a tree that name the targets.

    Args:
        tree: the files to look into.
        targets: tables and columns.
        about: the project; None: one that is all of the tree.
        base: the release that still runs; what its tables are called resolves what head's code still names.
        changed: files that differ between the two.
        unused: targets that nothing reads by being declared alone.
        only: the files that may read; None: all.
        seconds: how long it may take; files that are left then are listed as not looked at.
    """
    targets = list(targets)
    until = time.monotonic() + seconds
    about = about or _About()
    schema_files = about.schema_files
    looked = tree if only is None or not schema_files else (p for p in {*only, *schema_files} if p in tree)
    files = _files(tree, looked, about.ignore)
    now = _declared(files, targets)
    before: Declarations = {}
    if base is not None:
        paths = {*schema_files, *now, *(path for path in changed if not _ELSEWHERE.search(path))}
        before = _declared({p: d for p, d in base.read_all(sorted(paths)).items() if p.endswith(_SCRIPTS)}, targets)
    code = Code()
    for each in (d for some in (now, before) for declarations in some.values() for d in declarations):
        code.learn(each)
    deployed = {d.variable: d for some in before.values() for d in some if d.variable}
    words = {target: code.words(target, deployed) for target in targets}
    schema = Schema(Exports(tree, _by_name(now)), Exports(base, _by_name(before)) if base is not None else None)
    search = _Search(files, code, schema, words, about, now)
    found: dict[Target, list[Reader]] = {target: [] for target in targets}
    for path, data in sorted(files.items()):
        if only is None or path in only:
            for target, reader in search.look(path, data, until):
                found[target].append(reader)
    quiet = set(unused)
    for target in targets:
        if target not in quiet and not any(r.what.startswith(DRIZZLE_TABLE) for r in found[target]):
            found[target] += _deployed(before, target, schema_files)
    return {target: _once(readers) for target, readers in found.items() if readers}


@dataclass(frozen=True)
class _Search:
    """What the files of a tree name, one after the other."""

    files: Files
    code: Code
    schema: Schema
    words: Mapping[Target, Words]
    about: _About
    declared: Declarations

    def look(self, path: str, data: bytes, until: float) -> Iterator[tuple[Target, Reader]]:
        """The readers in one file; after `until` it is only said that nobody looked."""
        small, about = data.lower(), self.about
        here = [target for target, words in self.words.items() if words.in_(data, small)]
        if here and (time.monotonic() > until or len(data) > LONGEST_FILE):
            yield from ((target, Reader(path, 1, "too much to look into", sure=False)) for target in here)
            return
        inside = not about.root or path.startswith(f"{about.root}/") or path in about.schema_files
        sure = inside and not _HARMLESS.search(path)
        ours = not about.schema_files or path in about.schema_files
        for target, line, what, certain in _in_schema(self.declared.get(path, []), here):
            yield target, Reader(path, line, what, sure=sure and ours and certain)
        for target, line, what, certain in self.readers(path, data, here):
            yield target, Reader(path, line, what, sure=sure and certain)

    def readers(self, path: str, data: bytes, targets: Sequence[Target]) -> Iterator[Hit]:
        """The targets that one file names."""
        if not targets:
            return
        if path.endswith(".sql"):
            yield from sql.mentions(data.decode("utf-8-sig", errors="replace"), 1, "SQL", targets, self.code)
            return
        source = Source(path, data)
        for text in queries.texts(source.root, data):
            filled = _filled(text.parts, self.code)
            what = "a query in an `sql` template" if text.tagged else A_QUERY
            yield from sql.mentions(filled, text.line, what, targets, self.code, fragment=text.tagged)
        asked = drizzle.Queries(source, self.schema, self._relations, self.about.schema_files)
        for target in targets:
            for line, certain in asked.readers(target, self.words[target]):
                yield target, line, DRIZZLE_QUERY, certain

    @cached_property
    def _relations(self) -> drizzle.Relations:
        """Where the relations of the tables lead; one that is told twice, and not alike, leads nowhere."""
        found: dict[tuple[str, str], set[str]] = {}
        for path, data in self.files.items():
            if path.endswith(_SCRIPTS) and (b"relations(" in data or b"defineRelations" in data):
                for key, to in drizzle.relations(Source(path, data)):
                    found.setdefault(key, set()).add(to)
        return {key: next(iter(to)) for key, to in found.items() if len(to) == 1}


def _files(tree: Tree, paths: Iterable[str], ignore: str) -> dict[str, bytes]:
    """The code of the repository."""
    return tree.read_all(
        path
        for path in paths
        if path.endswith((*_SCRIPTS, ".sql"))
        and not _ELSEWHERE.search(path)
        and not _HISTORY.search(path)
        and not (ignore and path.startswith(f"{ignore}/"))
    )


def _declared(files: Files, targets: Sequence[Target]) -> Declarations:
    """The tables that the files declare, where they may be one of the targets'."""
    elsewhere: dict[str, str] = {}
    for path, data in files.items():
        if path.endswith(_SCRIPTS):
            elsewhere.update(queries.schemas(data))
    names = [target.table.encode() for target in targets]
    return {
        path: list(queries.tables(data, path, elsewhere))
        for path, data in files.items()
        if _declares(path, data) and (b"pgTableCreator" in data or any(name in data for name in names))
    }


def _declares(path: str, data: bytes) -> bool:
    return path.endswith(_SCRIPTS) and b"able(" in data and len(data) <= LONGEST_FILE


def _by_name(declared: Declarations) -> dict[tuple[str, str], queries.Declared]:
    return {(path, d.variable): d for path, some in declared.items() for d in some if d.variable}


def _in_schema(declared: Iterable[queries.Declared], targets: Sequence[Target]) -> Iterator[Hit]:
    for each in declared:
        for target in targets:
            if (each.schema, each.table) != (target.schema, target.table):
                continue
            line = each.line if target.column is None else each.columns.get(target.column)
            if line is not None:
                yield target, line, f"{DRIZZLE_TABLE} `{each.table}`", True


def _deployed(before: Declarations, target: Target, schema_files: Sequence[str]) -> Iterator[Reader]:
    """What the release that still runs declares, and so names in every query of that table."""
    for path, some in before.items():
        for _, line, what, _ in _in_schema(some, [target]):
            sure = (not schema_files or path in schema_files) and not _HARMLESS.search(path)
            yield Reader(path, line, f"{what}{_RUNS}", sure=sure)


def _once(readers: list[Reader]) -> list[Reader]:
    """One reader a line, the sure ones first."""
    kept: dict[tuple[str, int], Reader] = {}
    for reader in sorted(readers, key=lambda r: (not r.sure, r.path, r.line)):
        kept.setdefault((reader.path, reader.line), reader)
    return list(kept.values())


def _filled(parts: Sequence[str], code: Code) -> str:
    """A template as one text: Drizzle's tables and columns by their names, anything else as a name that means nothing."""
    made: list[str] = []
    for number, part in enumerate(parts):
        if number % 2 == 0:
            made.append(part)
            continue
        variable, _, prop = part.strip().partition(".")
        table, properties = code.names.get(variable, ("", dict[str, str]()))
        if table and not prop:
            name = table.removeprefix("public.")
        elif table and prop in properties:
            name = f"{table.rpartition('.')[2]}.{properties[prop]}"
        else:
            name = f"_p{number}"
        made.append(name + "\n" * part.count("\n"))
    return "".join(made)
