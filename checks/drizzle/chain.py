"""Reads the migrations of a project at one commit, in Drizzle's order, with whatever is wrong with their history."""

import hashlib
import posixpath
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace

from checks.drizzle import collation, damage_v0, damage_v1, folders, journal, snapshots, statements
from checks.drizzle.model import Chain, Damage, Format, Migration, Pieces, Project, Snapshot
from checks.place import Place
from checks.tree import REGULAR, SYMLINK, Tree

JOURNAL = "meta/_journal.json"
_SOON = 16  # snapshots, which may be large


@dataclass(frozen=True, slots=True)
class _Parsed:
    hash: str
    text: str
    pieces: Pieces
    utf8: bool


@dataclass(slots=True)
class Cache:
    """What was parsed already, by content: the trees of one change share almost every file."""

    parsed: dict[str, _Parsed] = field(default_factory=dict[str, _Parsed])
    headers: dict[tuple[str, Format], snapshots.Header | snapshots.Broken] = field(
        default_factory=dict[tuple[str, Format], snapshots.Header | snapshots.Broken]
    )
    data: dict[str, snapshots.Data] = field(default_factory=dict[str, snapshots.Data])


def read(tree: Tree, project: Project, *, cache: Cache | None = None, thorough: Collection[str] = ()) -> Chain:
    """The chain as far as it can be read; what cannot is in its `damage`. Never raises.

    Args:
        tree: the files of the commit.
        project: where its migrations are; the format is taken from the files where they show one.
        cache: shared by readings of several commits.
        thorough: paths of snapshots to parse whole, not just their heads (the last one always is).
    """
    cache = cache or Cache()
    form = shape(tree, project.migrations_dir) or project.format
    project = project if form == project.format else replace(project, format=form)
    return (_read_v0 if form == "v0" else _read_v1)(tree, project, cache, frozenset(thorough))


def shape(tree: Tree, folder: str) -> Format | None:
    """The format that the files of a migrations folder show; None where they show none.

    A folder that has both (half upgraded) is v1: drizzle-orm v1 refuses it, and v0 never reads folders.
    """
    if folders.names(tree, folder):
        return "v1"
    if tree.entry(posixpath.join(folder, JOURNAL)) is not None:
        return "v0"
    return None


def _read_v0(tree: Tree, project: Project, cache: Cache, thorough: frozenset[str]) -> Chain:
    folder = project.migrations_dir
    path = posixpath.join(folder, JOURNAL)
    found = tree.entry(path)
    damage: list[Damage] = []
    content = tree.read(path)
    read_journal = journal.Journal(None, None, ())
    if content is None:
        stuck = path if found is not None else link_above(tree, folder)
        if stuck is not None:
            damage.append(
                Damage(area="journal", problem=_no_file(tree, stuck), places=(Place(path=stuck),), other=stuck)
            )
    else:
        read_journal = journal.parse(content)
        if read_journal.problem:
            place = Place(path=path, line=read_journal.line, end_line=read_journal.line)
            damage.append(
                Damage(area="journal", problem=read_journal.problem, places=(place,), detail=read_journal.detail)
            )
    entries = [(e, e.tag) for e in read_journal.entries if e.tag is not None]
    paths = {tag: inside for _, tag in entries if (inside := _inside(folder, f"{tag}.sql")) is not None}
    snapshot_paths = _snapshot_paths(tree, folder)
    parsed = _parse(tree, paths.values(), cache, then=snapshot_paths[:_SOON])
    migrations: list[Migration] = []
    lines: dict[str, tuple[int, int]] = {}
    for entry, tag in entries:
        place = Place(path=path, line=entry.line, end_line=entry.end_line, migration=tag)
        lines.setdefault(tag, (entry.line, entry.end_line))
        if tag not in paths:
            damage.append(Damage(area="journal", problem="climbs", places=(place,), tag=tag))
            continue
        if paths[tag] not in parsed:
            damage.append(_absent(tree, paths[tag], tag, place))
            continue
        one = parsed[paths[tag]]
        if not one.utf8:
            damage.append(_not_utf8(paths[tag], tag))
        migrations.append(Migration(tag, paths[tag], entry.when or 0, entry.idx, one.hash, one.text, one.pieces))
    found_snapshots, broken = _snapshots(tree, snapshot_paths, project, cache, thorough)
    tagged = damage_v0.tagged(found_snapshots, [tag for _, tag in entries])
    chain = Chain(project, tuple(migrations), tagged, journal=path if content is not None else None, lines=lines)
    damage += broken
    damage += damage_v0.of(tree, chain, read_journal, {place.path for d in broken for place in d.places})
    return replace(chain, damage=tuple(damage))


def _read_v1(tree: Tree, project: Project, cache: Cache, thorough: frozenset[str]) -> Chain:
    folder = project.migrations_dir
    names = folders.names(tree, folder)
    damage: list[Damage] = []
    leftover = posixpath.join(folder, JOURNAL)
    if tree.entry(leftover) is not None:
        damage.append(Damage(area="journal", problem="left-behind", places=(Place(path=leftover),)))
    paths = {name: posixpath.join(folder, name, "migration.sql") for name in names}
    parsed = _parse(tree, paths.values(), cache)
    migrations: list[Migration] = []
    for name in names:
        place = Place(path=paths[name], migration=name)
        if paths[name] not in parsed:
            damage.append(_absent(tree, paths[name], name, place))
            continue
        one = parsed[paths[name]]
        when = folders.milliseconds(name)
        if when is None:
            damage.append(Damage(area="journal", problem="no-time", places=(place,), tag=name))
        if not one.utf8:
            damage.append(_not_utf8(paths[name], name))
        migrations.append(Migration(name, paths[name], when or 0, None, one.hash, one.text, one.pieces))
    for name in (alone := folders.without_sql(tree, folder)):
        place = Place(path=posixpath.join(folder, name, "snapshot.json"), migration=name)
        damage.append(Damage(area="snapshot", problem="no-sql", places=(place,), tag=name, other=place.path))
    wanted = {
        posixpath.join(folder, name, "snapshot.json"): name for name in sorted([*names, *alone], key=collation.key)
    }
    found_snapshots, broken = _snapshots(
        tree, [p for p in wanted if tree.entry(p) is not None], project, cache, thorough
    )
    tagged = tuple(replace(s, tag=wanted[s.path]) for s in found_snapshots)
    chain = Chain(project, tuple(migrations), tagged)
    damage += broken
    damage += damage_v1.of(chain, {place.path for d in broken for place in d.places})
    return replace(chain, damage=tuple(damage))


def _parse(tree: Tree, paths: Iterable[str], cache: Cache, *, then: Sequence[str] = ()) -> dict[str, _Parsed]:
    """Every one of the files that is a regular file, parsed once a content; `then`: what will be read after them."""
    oids = {p: e.oid for p in paths if (e := tree.entry(p)) is not None and e.mode in REGULAR}
    wanted = [path for path, oid in oids.items() if oid not in cache.parsed]
    if wanted:
        tree.ahead([*wanted, *then])
    for path, content in tree.read_each(wanted):
        text = content.decode("utf-8", errors="replace")  # as Node.js decodes it, byte order mark included
        utf8 = "\ufffd" not in text or b"\xef\xbf\xbd" in content
        cache.parsed[oids[path]] = _Parsed(
            hashlib.sha256(text.encode()).hexdigest(), text, statements.pieces(text), utf8
        )
    return {path: cache.parsed[oid] for path, oid in oids.items()}


def _snapshots(
    tree: Tree, paths: list[str], project: Project, cache: Cache, thorough: frozenset[str]
) -> tuple[list[Snapshot], list[Damage]]:
    """The snapshots that can be read, and what is wrong with the others."""
    oids = {p: e.oid for p in paths if (e := tree.entry(p)) is not None and e.mode in REGULAR}
    form = project.format
    for path, content in tree.read_each(p for p, oid in oids.items() if (oid, form) not in cache.headers):
        cache.headers[oids[path], form] = snapshots.header(content, form)
        cache.data[oids[path]] = snapshots.Data(_reader(tree, path))
    found: list[Snapshot] = []
    damage: list[Damage] = []
    for path in paths:
        if path not in oids:
            damage.append(Damage(area="snapshot", problem=_no_file(tree, path), places=(Place(path=path),), other=path))
            continue
        head = cache.headers[oids[path], form]
        data = cache.data[oids[path]]
        if isinstance(head, snapshots.Header) and (path in thorough or path == paths[-1]) and data.broken is not None:
            head = cache.headers[oids[path], form] = data.broken
        if isinstance(head, snapshots.Broken):
            place = Place(path=path, line=head.line, end_line=head.line)
            damage.append(
                Damage(area="snapshot", problem=head.problem, places=(place,), other=path, detail=head.detail)
            )
            continue
        if head.version not in snapshots.KNOWN[form]:
            damage.append(
                Damage(
                    area="snapshot",
                    problem="unknown-version",
                    places=(Place(path=path),),
                    other=path,
                    detail=head.version,
                )
            )
        found.append(Snapshot(None, path, head.id, head.parents, head.version, data, head.type))
    return found, damage


def _reader(tree: Tree, path: str):  # noqa: ANN202 - a closure over one file
    return lambda: tree.read(path) or b""


def _snapshot_paths(tree: Tree, folder: str) -> list[str]:
    """Everything that drizzle-kit takes for a snapshot: what lies in `meta` and does not begin with `_`."""
    meta = posixpath.join(folder, "meta")
    below = (path.removeprefix(f"{meta}/") for path in tree.under(meta))
    return sorted(
        posixpath.join(meta, name) for name in below if "/" not in name and name[0] != "_" and name.endswith(".json")
    )


def _inside(folder: str, name: str) -> str | None:
    """The path of a file of the migrations folder; None where the name climbs out of it."""
    path = posixpath.normpath(posixpath.join(folder, name.lstrip("/")))
    below = posixpath.normpath(folder) if folder else ""
    if path.startswith("../") or path == ".." or (below and not path.startswith(f"{below}/")):
        return None
    return path


def link_above(tree: Tree, folder: str) -> str | None:
    """The link or submodule that stands where the migrations folder, or a folder above it, should be."""
    while folder:
        if tree.entry(folder) is not None:
            return folder
        folder = posixpath.dirname(folder)
    return None


def _no_file(tree: Tree, path: str) -> str:
    """Why what is there cannot be read."""
    entry = tree.entry(path)
    return "symlink" if entry is not None and entry.mode == SYMLINK else "not-a-file"


def _absent(tree: Tree, path: str, tag: str, place: Place) -> Damage:
    stuck = link_above(tree, path)
    problem = "file-missing" if stuck is None else _no_file(tree, stuck)
    here = Place(path=stuck or path, migration=tag)
    return Damage(area="journal", problem=problem, places=(place, here), tag=tag, other=stuck or path)


def _not_utf8(path: str, tag: str) -> Damage:
    return Damage(
        area="journal", problem="sql-not-utf8", places=(Place(path=path, migration=tag),), tag=tag, other=path
    )
