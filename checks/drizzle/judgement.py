"""The history facts of a change: each damage once, told as head's work or as old, on a file that head changed."""

import posixpath
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from checks.change import Change
from checks.drizzle import branches, collation, damage_v0, regress
from checks.drizzle.history import (
    DeletedMigration,
    EditedAppliedMigration,
    JournalMismatch,
    NumberCollision,
    OutOfOrder,
    SilentlySkipped,
    SnapshotChain,
)
from checks.drizzle.model import Chain, Damage, Migration
from checks.drizzle.sides import Sides
from checks.facts import Fact, Place

FIX_BRANCHES = "merge base, delete this pull request's migration, and `drizzle-kit generate` it again"
STOPS = {
    "conflict-markers": "cannot be read",
    "not-json": "cannot be read",
    "wrong-shape": "is not what Drizzle writes",
    "file-missing": "lists a file that is not there",
    "left-behind": "is of the old format and lies beside the new folders",
    "no-time": "is in a folder whose name begins with no time",
}
"""Damage at which Drizzle's migrator ends with an error before anything is applied, by what it says of the file."""
UNSEEN = {"symlink", "not-a-file", "climbs"}
"""What Drizzle may well run, and what a commit does not show."""
UNREADABLE = {"conflict-markers", "not-json", "wrong-shape", "symlink"}
FIX = "`bulletproof sync`, or a comment `/migrate sync`"


@dataclass(frozen=True, slots=True)
class Collision:
    """How a new migration of head collides with base; the words of the report's `conflicts`."""

    kind: str
    message: str
    fix: str = FIX


def of(change: Change, sides: Sides) -> tuple[tuple[Fact, ...], tuple[Collision, ...]]:
    """All facts, and the collisions with base among them."""
    stand = _Standing(change, sides)
    collisions = list(_collisions(sides, stand))
    facts: list[Fact] = [*_edited(sides, stand), *_deleted(change, sides, stand), *collisions, *_skipped(sides, stand)]
    facts += _damage(sides, stand)
    facts += _out_of_order(sides, stand)
    branching = list(_branches(sides, stand))
    facts += [fact for fact, _ in branching]
    conflicts = [Collision(c.kind, _words(c)) for c in collisions]
    conflicts += [
        Collision("branches", _branch_words(fact), FIX_BRANCHES) for fact, with_base in branching if with_base
    ]
    facts += _regressed(change, sides, stand)
    return tuple(facts), tuple(conflicts)


class _Standing:
    """Puts facts on places that head changed."""

    def __init__(self, change: Change, sides: Sides) -> None:
        self.paths = change.paths
        self._chain = sides.head
        folders = {sides.head.project.migrations_dir, sides.merge_base.project.migrations_dir}
        inside = tuple(f"{folder}/" if folder else "" for folder in folders)
        self._changed_inside = sorted(p for p in self.paths if p.startswith(inside))

    def on(self, *places: Place) -> Place | None:
        """The first of the places that head changed, else some other changed file of the migrations folder."""
        for place in places:
            if place.path in self.paths:
                return place
        journals = [p for p in self._changed_inside if p.endswith("meta/_journal.json")]
        other = next(iter([*journals, *self._changed_inside]), None)
        return None if other is None else Place(path=other, migration=places[0].migration)

    def migration(self, migration: Migration, line: int = 1) -> Place:
        """On its file, else its entry in the journal."""
        file = Place(path=migration.path, line=line, end_line=line, migration=migration.tag)
        return self.on(file, *self.entry(migration.tag)) or file

    def entry(self, tag: str) -> Iterator[Place]:
        """Its entry in head's journal, if it has one."""
        if self._chain.journal is not None and tag in self._chain.lines:
            first, last = self._chain.lines[tag]
            yield Place(path=self._chain.journal, line=first, end_line=last, migration=tag)


def _edited(sides: Sides, stand: _Standing) -> Iterator[Fact]:
    for pair in sides.modified:
        line = _first_difference(pair.before, pair.after)
        yield EditedAppliedMigration(place=stand.migration(pair.after, line), tag=pair.after.tag)
    for pair in sides.renamed:
        place = stand.migration(pair.after)
        yield EditedAppliedMigration(place=place, tag=pair.before.tag, change="renamed", now=pair.after.tag)
    for pair in sides.restamped:
        entry = next(stand.entry(pair.after.tag), None) or stand.migration(pair.after)
        yield EditedAppliedMigration(place=entry, tag=pair.after.tag, change="restamped")


def _first_difference(before: Migration, after: Migration) -> int:
    old = [s.sql for s in before.statements]
    for number, statement in enumerate(after.statements):
        if number >= len(old) or old[number] != statement.sql:
            return statement.line
    return after.statements[-1].end_line if after.statements else 1


def _deleted(change: Change, sides: Sides, stand: _Standing) -> Iterator[Fact]:
    unreadable = any(d.area == "journal" and d.problem in UNREADABLE and d.tag is None for d in sides.head.damage)
    stays = {m.tag for m in sides.deleted if m.path in change.head.tree}
    gone = [m for m in sides.deleted if not (unreadable and m.tag in stays)]
    if len(gone) > 1 and len(gone) == len(sides.merge_base.migrations):  # a squash is one decision, and one finding
        place = stand.on(*(Place(path=m.path, migration=m.tag) for m in gone)) or Place(path=gone[0].path)
        yield DeletedMigration(place=place, tag=gone[-1].tag, all_of_them=len(gone))
        return
    for migration in gone:
        yield DeletedMigration(place=stand.migration(migration), tag=migration.tag, file_stays=migration.tag in stays)


def _collisions(sides: Sides, stand: _Standing) -> Iterator[NumberCollision]:
    for migration in sides.added:
        found = _collision(sides, migration)
        if found is not None:
            kind, other, number = found
            yield NumberCollision(
                place=stand.migration(migration),
                tag=migration.tag,
                other=other.tag,
                kind=kind,
                number=number,
                with_base=True,
            )


def _collision(
    sides: Sides, migration: Migration
) -> tuple[Literal["name", "idx", "prefix", "parent"], Migration, str] | None:
    v0 = sides.head.project.format == "v0"
    number = damage_v0.prefix(migration.tag)
    for other in sides.arrived:
        if other.tag == migration.tag:
            return "name", other, other.tag
    for other in sides.arrived if v0 else ():
        if other.idx is not None and other.idx == migration.idx:
            return "idx", other, str(other.idx)
        if number and number == damage_v0.prefix(other.tag):
            return "prefix", other, number
    own = _parents(sides.head, migration, v0=v0)
    for other in sides.arrived:
        if own and own & _parents(sides.base, other, v0=v0):
            return "parent", other, ""
    return None


def _parents(chain: Chain, migration: Migration, *, v0: bool) -> set[str]:
    """What no other snapshot may continue: in v0 its parent, in v1 the empty beginning (two branches are normal there)."""
    found = [s for s in chain.snapshots if s.tag == migration.tag]
    return {s.parents[0] if v0 else "" for s in found if s.parents and (v0 or s.type == "base")}


def _branches(sides: Sides, stand: _Standing) -> Iterator[tuple[SnapshotChain, bool]]:
    """Branches of a v1 history that do not commute once head and base are together, and whether base is the other side."""
    if sides.head.project.format == "v0":
        return
    known = {s.id for s in sides.head.snapshots}
    arrived = {m.tag for m in sides.arrived}
    together = [*sides.head.snapshots, *(s for s in sides.base.snapshots if s.tag in arrived and s.id not in known)]
    together.sort(key=lambda s: collation.key(s.tag or ""))
    added = {m.tag for m in sides.added}
    for clash in branches.clashes(together):
        pair = (clash.other, clash.one) if clash.other.tag in added else (clash.one, clash.other)
        own, other = pair
        new = own.tag in added
        place = Place(path=own.path, migration=own.tag)
        fact = SnapshotChain(
            place=(stand.on(place) if new else None) or place,
            introduced=new,
            problem="branches-clash",
            tag=own.tag,
            other=other.tag,
            detail=clash.what,
        )
        yield fact, new and other.tag in arrived


def _skipped(sides: Sides, stand: _Standing) -> Iterator[Fact]:
    greatest = sides.base.greatest
    shapeless = any(d.area == "journal" and d.problem == "wrong-shape" for d in sides.head.damage)
    for migration in sides.skipped:
        if greatest is not None:
            entry = next(stand.entry(migration.tag), None)
            place = stand.on(*([entry] if entry else []), Place(path=migration.path, migration=migration.tag))
            yield SilentlySkipped(
                place=place or stand.migration(migration),
                tag=migration.tag,
                when=None if shapeless and migration.when == 0 else migration.when,
                other=greatest.tag,
                other_when=greatest.when,
                with_base=True,
            )


def _out_of_order(sides: Sides, stand: _Standing) -> Iterator[Fact]:
    """V1's migrator runs every folder whose name a database does not know, so one that sorts early is late there."""
    if sides.head.project.format == "v0" or not sides.base.migrations:
        return
    last = max(sides.base.migrations, key=lambda m: collation.key(m.tag))
    for migration in sides.added:
        if migration.idx is None and collation.key(migration.tag) < collation.key(last.tag):
            yield OutOfOrder(place=stand.migration(migration), tag=migration.tag, other=last.tag)


def _damage(sides: Sides, stand: _Standing) -> Iterator[Fact]:
    old = {_key(c, d) for c in (sides.merge_base, sides.base) for d in c.damage}
    skipped = {m.tag for m in sides.skipped}
    added = {m.tag: m for m in sides.added}
    for damage in sides.head.damage:
        place = stand.on(*damage.places) if _key(sides.head, damage) not in old else None
        if damage.area == "order" and damage.tag in skipped:
            continue  # said already, and worse
        fact = _fact(damage, place or damage.places[0], introduced=place is not None)
        if isinstance(fact, SnapshotChain) and fact.problem == "missing" and damage.tag in added:
            fact = SnapshotChain(
                place=fact.place,
                introduced=fact.introduced,
                problem=_how_missing(sides.base, added[damage.tag or ""]),
                tag=fact.tag,
                other=fact.other,
            )
        yield fact


def _how_missing(base: Chain, migration: Migration) -> str:
    """`missing`, or the milder `missing-as-usual` and `missing-unneeded`."""
    if not regress.needs_snapshot(migration):
        return "missing-unneeded"
    recent = base.migrations[-6:]
    have = {s.tag for s in base.snapshots}
    usual = len(recent) > 1 and sum(m.tag in have for m in recent) * 2 < len(recent)
    return "missing-as-usual" if usual else "missing"


def _fact(damage: Damage, place: Place, *, introduced: bool) -> Fact:
    if damage.area == "order":
        when, greatest = (int(n) for n in damage.detail.split())
        return SilentlySkipped(
            place=place,
            introduced=introduced,
            tag=damage.tag or "",
            when=when,
            other=damage.other or "",
            other_when=greatest,
            with_base=False,
        )
    if damage.area == "number":
        kind: Literal["idx", "prefix"] = "idx" if damage.problem == "idx" else "prefix"
        return NumberCollision(
            place=place,
            introduced=introduced,
            tag=damage.tag or "",
            other=damage.other or "",
            kind=kind,
            number=damage.detail,
            with_base=False,
        )
    made = JournalMismatch if damage.area == "journal" else SnapshotChain
    return made(
        place=place,
        introduced=introduced,
        problem=damage.problem,
        tag=damage.tag,
        other=damage.other,
        detail=damage.detail,
    )


def _regressed(change: Change, sides: Sides, stand: _Standing) -> Iterator[Fact]:
    for migration in sides.added:
        lost = regress.lost(sides.head, migration)
        wanted = None if lost is None else regress.wanted(change.head.tree, sides.head.project, lost)
        if lost is None or wanted is False:
            continue
        snapshot = next(s for s in sides.head.snapshots if s.tag == migration.tag)
        place = stand.on(
            Place(path=snapshot.path, migration=migration.tag), Place(path=migration.path, migration=migration.tag)
        )
        if place is not None:
            problem = "regresses" if wanted else "regresses-maybe"
            yield SnapshotChain(place=place, problem=problem, tag=migration.tag, other=snapshot.path, detail=lost)


def _key(chain: Chain, damage: Damage) -> tuple[str, ...]:
    """As `Damage.key`, wherever the migrations folder is."""
    area, problem, tag, other, detail = damage.key
    folder = chain.project.migrations_dir
    return (
        area,
        problem,
        tag,
        posixpath.relpath(other, folder) if folder and other.startswith(f"{folder}/") else other,
        detail,
    )


def _branch_words(fact: SnapshotChain) -> str:
    return f"`{fact.tag}` and base's `{fact.other}` both touch {fact.detail}."


def _words(fact: NumberCollision) -> str:
    match fact.kind:
        case "name":
            return f"Base has another migration named `{fact.other}`."
        case "idx":
            return f"`{fact.tag}` and base's `{fact.other}` both are number {fact.number} of the journal."
        case "prefix":
            return f"`{fact.tag}` and base's `{fact.other}` both begin with {fact.number}."
        case "parent":
            return f"The snapshots of `{fact.tag}` and of base's `{fact.other}` continue the same snapshot."
