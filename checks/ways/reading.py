"""Reads a change, or a whole tree: what runs past the migrations, connects past the standard module, writes past the migrator."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace

from checks.change import Change
from checks.drizzle.model import Project
from checks.facts import Fact, Place
from checks.policy import Policy, PolicyFile
from checks.tree import Tree
from checks.ways import pages, recipes, standard, tracking
from checks.ways.facts import BannedCommand, ManualTracking
from checks.ways.model import Connection, Reading
from checks.ways.side import Side, Sighting, matters
from checks.ways.sightings import sightings
from checks.witnesses.model import Run

_CHUNK = 500

Projects = Project | Sequence[Project] | None


def read(change: Change, policy: PolicyFile | Policy, projects: Projects = ()) -> Reading:
    """What head introduces. The same thing at the merge base, on whatever line or under another name of the file, is not news.

    Args:
        change: what is under review.
        policy: of the base commit.
        projects: the PostgreSQL projects of head; without one, only a policy file makes anything of it matter.
    """
    said = policy.policy if isinstance(policy, PolicyFile) else policy
    all_projects = _all(projects)
    if not all_projects and not (isinstance(policy, PolicyFile) and policy.path):
        return Reading()
    known = standard.written(change.merge_base.tree, said) or standard.written(change.head.tree, said)
    moved = next(
        (f.path for f in change.files if known is not None and f.change == "renamed" and f.old_path == known.module),
        None,
    )
    head = Side(
        change.head.tree, said, all_projects, replace(known, module=moved) if known is not None and moved else known
    )
    base = Side(change.merge_base.tree, said, all_projects, known)
    paths = [f for f in change.files if f.change != "deleted" and matters(f.path, all_projects)]
    before = {f.path: f.old_path or f.path for f in paths}
    now = head.tree.read_all(before)
    found: dict[str, list[Sighting]] = {}
    for path, data in now.items():
        old = base.tree.entry(before[path])
        here = head.tree.entry(path)
        if old is not None and here is not None and old.oid == here.oid:
            continue
        if known is None and head.connection is None and standard.mentions(data):
            head.connection = standard.inferred(base.tree)  # the state that head is measured by
        if seen := sightings(head, path, data):
            found[path] = seen
    facts = _introduced(change, head, base, found, before) if found else []
    connection = head.connection or Connection()
    return Reading(tuple(facts), len(now), tuple(head.unread), connection)


def audit(tree: Tree, policy: PolicyFile | Policy, projects: Projects = ()) -> Reading:
    """Everything that a whole tree shows, whoever brought it in (`bulletproof db verify`)."""
    said = policy.policy if isinstance(policy, PolicyFile) else policy
    side = Side(tree, said, _all(projects))
    side.connection = standard.written(tree, said) or standard.inferred(tree)
    paths = [path for path in tree if matters(path, side.projects)]
    found: list[Fact] = []
    looked = 0
    for start in range(0, len(paths), _CHUNK):
        for path, data in tree.read_all(paths[start : start + _CHUNK]).items():
            looked += 1
            found += [sighting.fact for sighting in sightings(side, path, data)]
    return Reading(tuple(found), looked, tuple(side.unread), side.connection)


def observed(run: Run, project: Project, known: Iterable[Fact]) -> list[ManualTracking]:
    """Writes to the tracking table that only the replay shows: its locks name the table, and the text does not."""
    said = {(f.place.migration, f.place.statement) for f in known if isinstance(f, ManualTracking)}
    found: list[ManualTracking] = []
    for each in run.runs:
        for seen in each.observations:
            statement = seen.statement
            if (each.migration.tag, statement.index) in said:
                continue
            if tracking.locked([(lock.relation, lock.mode) for lock in (*seen.locks,)], project.table):
                place = Place(
                    path=each.migration.path,
                    line=statement.line,
                    end_line=statement.end_line,
                    migration=each.migration.tag,
                    statement=statement.index,
                )
                found.append(
                    ManualTracking(place=place, table=".".join(project.table), action="a write", observed=True)
                )
    return found


def _introduced(
    change: Change, head: Side, base: Side, found: dict[str, list[Sighting]], before: dict[str, str]
) -> list[Fact]:
    """What head shows more often than base did: first file by file, then against what other files lost."""
    fresh: list[Sighting] = []
    lost: Counter[tuple[str, ...]] = Counter()
    for path, seen in found.items():
        new, gone = _differences(seen, _at_base(base, before[path]))
        fresh += new
        lost.update(_moved(s) for s in gone)
    if fresh:
        for changed in change.files:  # files that lost it: deleted, or changed and clean now
            old = changed.old_path or changed.path
            if changed.path not in found and matters(old, base.projects):
                lost.update(_moved(s) for s in _at_base(base, old))
    kept: list[Sighting] = []
    for sighting in fresh:
        key = _moved(sighting)
        if lost[key] > 0:
            lost[key] -= 1
        else:
            kept.append(sighting)
    facts = [_born(s.fact, change, head.projects) for s in kept]
    return [f for f in facts if not _is_echo(f, facts)]


def _at_base(base: Side, path: str) -> list[Sighting]:
    data = base.tree.read(path)
    return [] if data is None else sightings(base, path, data)


def _differences(now: Sequence[Sighting], then: Sequence[Sighting]) -> tuple[list[Sighting], list[Sighting]]:
    """What is new and what is gone: equal ones are paired first, then those of one name, then those of one text."""
    new, gone = list(now), list(then)
    for same in (_same, _same_name):
        for sighting in list(new):
            match = next((old for old in gone if same(sighting, old)), None)
            if match is not None:
                new.remove(sighting)
                gone.remove(match)
    return new, gone


def _same(a: Sighting, b: Sighting) -> bool:
    return type(a.fact) is type(b.fact) and a.name == b.name and a.text == b.text


def _same_name(a: Sighting, b: Sighting) -> bool:
    return (
        isinstance(a.fact, BannedCommand)
        and isinstance(b.fact, BannedCommand)
        and a.name == b.name
        and a.fact.banned == b.fact.banned
    )


def _moved(sighting: Sighting) -> tuple[str, ...]:
    """What stays of a sighting when it moves to another file of the same kind."""
    path = sighting.fact.place.path
    ending = (
        "typescript"
        if recipes.is_typescript(path) or pages.is_page(path)
        else path.rpartition("/")[2].rpartition(".")[2]
    )
    name = "" if isinstance(sighting.fact, BannedCommand) else sighting.name
    return (type(sighting.fact).__name__, ending, name, sighting.text)


def _born(fact: Fact, change: Change, projects: Sequence[Project]) -> Fact:
    """A package that is born with a banned script, away from the projects, has a database of its own as like as not."""
    path = fact.place.path
    if not isinstance(fact, BannedCommand) or not path.endswith("package.json"):
        return fact
    if path in change.merge_base.tree or any(f.path == path and f.old_path for f in change.files):
        return fact
    folder = path.rpartition("/")[0]
    ours = [each for p in projects for each in (p.root, p.migrations_dir, p.config or p.root)]
    if not folder or any(p == folder or p.startswith(folder + "/") for p in ours):
        return fact
    return replace(fact, inferred=True)


def _all(projects: Projects) -> tuple[Project, ...]:
    return () if projects is None else (projects,) if isinstance(projects, Project) else tuple(projects)


def _is_echo(fact: Fact, facts: Sequence[Fact]) -> bool:
    """A script that only calls another one of the same file, which is reported itself."""
    if not isinstance(fact, BannedCommand) or not fact.through:
        return False
    last = f"the script `{fact.through[-1]}`"
    return any(
        isinstance(f, BannedCommand) and f is not fact and f.place.path == fact.place.path and f.where == last
        for f in facts
    )
