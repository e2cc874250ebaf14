"""Turns a change into a plan: what head does to the migrations, what would run after the merge, and what is wrong with it."""

from dataclasses import dataclass, replace

from checks.change import Change
from checks.drizzle import chain, collation, judgement, projects
from checks.drizzle.history import JournalMismatch
from checks.drizzle.judgement import Collision
from checks.drizzle.model import Chain, Migration, Project
from checks.drizzle.sides import Pair, Sides
from checks.facts import Fact

MOST_FILES = 1000
_OF_MIGRATIONS = (".sql", "/snapshot.json", "_snapshot.json", "_journal.json")
_CODE = (".ts", ".mts", ".cts", ".js", ".mjs", ".cjs", ".tsx")
_TABLES = b"drizzle-orm/pg-core"

__all__ = ["Collision", "Pair", "Plan", "concerned", "make"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """One project's part of a change.

    Attributes:
        base: the chain at base's tip; `merge_base` where head left it, `head` at head.
        added: head's new migrations, in the order in which Drizzle runs them.
        modified: migrations of base whose SQL head changes (not just white space or comments).
        renamed: migrations of base that head gives another name.
        deleted: migrations of base that head removes.
        would_skip: tags of `added` that v0's migrator passes over, because base's greatest `when` is not smaller.
        pending: what a database at base's state runs after the merge, in order.
        merged: the chain after the merge.
        conflicts: how head's new migrations collide with those that base got meanwhile.
        touched: head changes a file of the project's migrations folder, its configuration, or one that declares tables.
    """

    project: Project
    base: Chain
    merge_base: Chain
    head: Chain
    added: tuple[Migration, ...] = ()
    modified: tuple[Pair, ...] = ()
    renamed: tuple[Pair, ...] = ()
    deleted: tuple[Migration, ...] = ()
    would_skip: tuple[str, ...] = ()
    pending: tuple[Migration, ...] = ()
    merged: Chain
    facts: tuple[Fact, ...] = ()
    conflicts: tuple[Collision, ...] = ()
    touched: bool = True

    @property
    def whole(self) -> bool:
        """All of head's chain is there to be read; what lacks cannot be told from what is not written."""
        unseen = (f for f in self.facts if isinstance(f, JournalMismatch) and f.problem in judgement.UNSEEN)
        emptied = bool(self.merge_base.migrations) and not self.head.migrations
        return self.project.lost is None and not emptied and next(unseen, None) is None


def concerned(change: Change, overrides: projects.DrizzleOverrides | None = None) -> list[Project]:
    """The projects of head, those named in a configuration first, then those that head removes."""
    found = projects.find(change.head.tree, overrides)
    if change.head.sha == change.base.sha:
        return found
    here = {p.migrations_dir for p in found}
    configs = {p.config for p in found if p.config}
    gone = (
        p
        for p in projects.find(change.merge_base.tree, overrides)
        if p.migrations_dir not in here
        and p.config not in configs
        and chain.shape(change.merge_base.tree, p.migrations_dir)
    )
    moved_to = {d for p in found if (d := _folder_before(change, p)) != p.migrations_dir}
    return found + [p for p in gone if p.migrations_dir not in moved_to]


def make(change: Change, project: Project) -> Plan:
    """The plan of one project. Never raises: what cannot be read is among the facts."""
    sides = _sides(change, project)
    merged = _merged(sides)
    facts, conflicts = judgement.of(change, sides)
    return Plan(
        project=sides.head.project,
        base=sides.base,
        merge_base=sides.merge_base,
        head=sides.head,
        added=sides.added,
        modified=sides.modified,
        renamed=sides.renamed,
        deleted=sides.deleted,
        would_skip=tuple(m.tag for m in sides.skipped),
        pending=_pending(sides, merged),
        merged=merged,
        facts=facts,
        conflicts=conflicts,
        touched=_touches(change, sides),
    )


def _sides(change: Change, project: Project) -> Sides:
    cache = chain.Cache()
    before = _folder_before(change, project)
    old = project if before == project.migrations_dir else replace(project, migrations_dir=before)
    paths = change.paths
    head = chain.read(change.head.tree, project, cache=cache, thorough=paths)
    merge_base = chain.read(change.merge_base.tree, old, cache=cache)
    if change.base.sha == change.merge_base.sha:
        return Sides.of(merge_base, merge_base, head)
    at_tip = old if chain.shape(change.base.tree, before) else project  # base may have moved the folder meanwhile
    return Sides.of(chain.read(change.base.tree, at_tip, cache=cache), merge_base, head)


def _folder_before(change: Change, project: Project) -> str:
    """Where the project's migrations were before head: the same folder, or the one that head moved."""
    here = project.migrations_dir
    if chain.shape(change.merge_base.tree, here) or chain.shape(change.base.tree, here):
        return here
    if not any(f.path.startswith(f"{here}/") for f in change.files):
        return here
    tags = {m.tag for m in chain.read(change.head.tree, project).migrations}
    best, most = here, 0
    for other in projects.find(change.merge_base.tree):
        if chain.shape(change.head.tree, other.migrations_dir):
            continue  # still there, so it did not move
        common = len(tags & {m.tag for m in chain.read(change.merge_base.tree, other).migrations})
        if common > most:
            best, most = other.migrations_dir, common
    return best


def _merged(sides: Sides) -> Chain:
    """The chain after the merge: base's order, then head's new migrations (v1: all by name)."""
    head = sides.head
    at_base, here = sides.at_base, sides.at_head
    if not sides.arrived and all(name in here for name in at_base):
        removed = sides.at_merge_base.keys() - at_base.keys()  # by base
        migrations = [_newer(sides, name, m) for name, m in here.items() if name not in removed]
    else:
        gone = {sides.name(m) for m in sides.deleted} | {sides.name(p.before) for p in sides.renamed}
        kept = [_newer(sides, name, here.get(name, m)) for name, m in at_base.items() if name not in gone]
        fresh = {m.tag for m in sides.added} | {p.after.tag for p in sides.renamed}
        migrations = kept + [m for m in head.migrations if m.tag in fresh and m not in kept]
    if head.project.format == "v1":
        migrations.sort(key=lambda m: collation.key(m.tag))
    old = {s.id for s in sides.merge_base.snapshots} | {s.id for s in sides.base.snapshots}
    known = {s.id for s in head.snapshots}
    arrived = {s.id for s in sides.base.snapshots} - {s.id for s in sides.merge_base.snapshots}
    base_part = [s for s in sides.base.snapshots if s.id in known or s.id in arrived]
    return replace(
        head,
        migrations=tuple(migrations),
        snapshots=(*base_part, *(s for s in head.snapshots if s.id not in old)),
        damage=(),
    )


def _newer(sides: Sides, name: str, at_head: Migration) -> Migration:
    """Of a migration that both sides have, the one that the merge keeps: head's where head changed it, else base's."""
    base, before = sides.at_base.get(name), sides.at_merge_base.get(name)
    if base is None or before is None:
        return at_head
    return (
        at_head
        if (at_head.hash, at_head.when) != (before.hash, before.when)
        else replace(base, tag=at_head.tag, path=at_head.path)
    )


def _pending(sides: Sides, merged: Chain) -> tuple[Migration, ...]:
    if merged.project.format == "v1":
        return tuple(m for m in merged.migrations if m.tag not in sides.at_base)
    watermark = sides.base.greatest
    return tuple(m for m in merged.migrations if watermark is None or m.when > watermark.when)


def _touches(change: Change, sides: Sides) -> bool:
    project, before = sides.head.project, sides.merge_base.project
    files = {*project.schema_files, *before.schema_files, project.config}
    folders = tuple(f"{p.migrations_dir}/" for p in (project, before) if p.migrations_dir)
    links = {
        chain.link_above(c.tree, p.migrations_dir) for c in (change.head, change.merge_base) for p in (project, before)
    }
    at_root = not (project.migrations_dir and before.migrations_dir)
    return any(
        path in files or path in links or path.startswith(folders) or (at_root and path.endswith(_OF_MIGRATIONS))
        for path in change.paths
    ) or _touches_tables(change, project.root)


def _touches_tables(change: Change, root: str) -> bool:
    """Whether a changed file declares tables: schema.ts may import it from anywhere."""
    start = f"{root}/" if root else ""
    code = [p for p in sorted(change.paths) if p.startswith(start) and p.endswith(_CODE)][:MOST_FILES]
    return any(
        _TABLES in content
        for commit in (change.head, change.merge_base)
        for content in commit.tree.read_all(code).values()
    )
