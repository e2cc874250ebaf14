"""Puts head's v1 migration folders behind base's: their times, and the graph of their snapshots; base's own stay as they are."""

import posixpath
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, cast
from uuid import NAMESPACE_URL, uuid5

from checks.drizzle import collation, entities, folders, merge_rows, repair
from checks.drizzle.entities import Key, Row, Unreconstructable
from checks.drizzle.merge_rows import Fitted
from checks.drizzle.model import ROOT, Chain, Migration, Snapshot
from checks.drizzle.repair import RefusedError, Repair, Situation, inside, join
from checks.drizzle.sides import Sides
from checks.tree import Entry

_TROUBLE = {"before-parent", "cycle", "same-id"}


@dataclass(slots=True)
class _Work:
    last: str
    leaves: tuple[str, ...]
    state: dict[Key, Row] | None
    taken: set[str]
    files: dict[str, Entry | bytes | None] = field(default_factory=dict[str, "Entry | bytes | None"])
    renamed: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    omitted: list[str] = field(default_factory=list[str])
    notes: list[str] = field(default_factory=list[str])
    rewritten: bool = False


def repair_v1(s: Situation) -> Repair | None:
    """The folder after the merge; None where git's own merge is right.

    Raises:
        RefusedError: it cannot be put together without a person.
    """
    sides = Sides.of(s.base, s.merge_base, s.head)
    own = sides.added
    troubled = any(d.problem in _TROUBLE and d.tag in {m.tag for m in own} for d in s.head.damage)
    if not own or (
        not sides.arrived and not s.conflicted and not troubled and s.folder == s.base.project.migrations_dir
    ):
        _unresolved(s, {})
        return None
    names = [m.tag for m in s.base.migrations]
    work = _Work(
        max(names, key=collation.key, default=""), _leaves(s.base), _state(s.base), {x.id for x in s.base.snapshots}
    )
    _base_files(s, work)
    for migration in own:
        _step(s, sides, work, migration)
    if not (work.renamed or work.rewritten or s.conflicted):
        return None
    _unresolved(s, work.files)
    repair.refuse_edits(sides)
    return Repair(files=work.files, renamed=tuple(work.renamed), omitted=tuple(work.omitted), notes=tuple(work.notes))


def _unresolved(s: Situation, files: dict[str, Any]) -> None:
    left = sorted(p for p in s.conflicted if p not in files)
    if left:
        raise RefusedError(f"Git cannot merge {', '.join(left[:5])}. Merge base and resolve that first.", left)


def _base_files(s: Situation, work: _Work) -> None:
    """Base's folders as they are on base, head's own out of the way."""
    for chain, tree in ((s.head, s.head_tree), (s.merge_base, s.merge_base_tree)):
        for migration in chain.migrations:
            work.files.update(dict.fromkeys(tree.under(posixpath.dirname(migration.path))))
    for migration in s.base.migrations:
        for path in s.base_tree.under(posixpath.dirname(migration.path)):
            entry = s.base_tree.entry(path)
            rest = inside(path, s.base.project.migrations_dir)
            if entry is not None and rest is not None:
                work.files[join(s.folder, rest)] = replace(entry, path=join(s.folder, rest))


def _leaves(base: Chain) -> tuple[str, ...]:
    parents = {p for x in base.snapshots for p in x.parents}
    return tuple(x.id for x in base.snapshots if x.id not in parents) or (ROOT,)


def _state(base: Chain) -> dict[Key, Row] | None:
    """The schema of all of base's leaves; None where it cannot be put together."""
    leaves = [x for x in base.snapshots if x.id in set(_leaves(base))]
    if not leaves:
        return {}
    try:
        if len(leaves) == 1 or leaves[-1].version != "9":
            return entities.state(base, leaves[-1])
        meeting = Snapshot("base", "", "meeting", tuple(x.id for x in leaves), "9", {"deltas": []}, "diff")
        return entities.state(replace(base, snapshots=(*base.snapshots, meeting)), meeting)
    except Unreconstructable:
        return None


def _own(s: Situation, migration: Migration) -> Snapshot | None:
    """Head's snapshot of its migration, if it has one."""
    snapshot = next((x for x in s.head.snapshots if x.tag == migration.tag), None)
    path = join(posixpath.dirname(migration.path), "snapshot.json")
    if snapshot is None and s.head_tree.entry(path) is not None:
        raise RefusedError(f"{path} cannot be read. Restore it, then sync.", [path])
    if snapshot is not None and snapshot.version not in {"8", "9"}:
        raise RefusedError(f"{path} has the unknown version {snapshot.version!r}.", [path])
    return snapshot


def _step(s: Situation, sides: Sides, work: _Work, migration: Migration) -> None:
    snapshot = _own(s, migration)
    try:
        fitted = _fitted(s, work, migration, snapshot)
    except Unreconstructable as error:
        raise RefusedError(str(error), [migration.path]) from None
    twin = repair.same_work(migration, sides.arrived)
    if twin is not None and (fitted is None or not (fitted.deltas or fitted.clashes)):
        work.omitted.append(f"`{migration.tag}` is left out: base's `{twin.tag}` does the very same.")
        work.rewritten = True
        return
    if fitted is not None and fitted.clashes:
        told = "; ".join(str(c) for c in fitted.clashes[:4])
        raise RefusedError(
            f"`{migration.tag}` and base contradict each other: {told}. Change this branch's schema and generate it again.",
            [migration.path],
        )
    body, gone = repair.without(migration, sides.arrived, fitted.twice if fitted is not None else ())
    if gone:
        work.omitted += [
            f"`{migration.tag}`: `{g.sql.splitlines()[0][:120]}` is left out: base has done it." for g in gone
        ]
        work.rewritten = True
        if not body.strip():
            return
    _move(s, work, migration, body if gone else None)
    if snapshot is None:
        work.notes.append(f"`{work.last}` has no snapshot of its own, as before.")
    else:
        _put_snapshot(s, work, snapshot, fitted, join(s.folder, f"{work.last}/snapshot.json"))


def _move(s: Situation, work: _Work, migration: Migration, body: str | None) -> None:
    """Put the files of a migration into the folder that is its own now."""
    tag = work.last = _name(migration.tag, work.last)
    if tag != migration.tag:
        work.renamed.append((migration.tag, tag))
    for old in s.head_tree.under(posixpath.dirname(migration.path)):
        entry = s.head_tree.entry(old)
        new = join(s.folder, f"{tag}/{old[len(posixpath.dirname(migration.path)) + 1 :]}")
        if entry is not None:
            work.files[new] = body.encode() if body is not None and old == migration.path else replace(entry, path=new)


def _fitted(s: Situation, work: _Work, migration: Migration, snapshot: Snapshot | None) -> Fitted | None:
    """The migration's change, fitted to what is before it now."""
    if snapshot is None:
        return None
    before = _before(s, snapshot)
    if "ddl" in snapshot.data:
        after = entities.state(s.head, snapshot)
        if before is None or work.state is None:
            raise Unreconstructable(
                f"The snapshot before `{migration.tag}` is not there, so its own change cannot be told."
            )
        deltas = list(merge_rows.between(before, after, mentions=lambda name: repair.mentions(migration, name)))
    else:
        deltas = entities.rows_of(snapshot, "deltas")
    if work.state is None:  # old damage: the deltas stand on their own, and PostgreSQL is the proof
        return Fitted(deltas)
    fitted = merge_rows.fit(deltas, before, work.state)
    if not fitted.clashes:
        state = _after(work.state, snapshot, fitted.deltas)
        if before is not None:  # else PostgreSQL is the proof: what is outside of the snapshots cannot be told apart
            known = {*merge_rows.dangling(work.state), *merge_rows.dangling(_after(before, snapshot, deltas))}
            fitted.clashes += [c for c in merge_rows.dangling(state) if c not in known]
        if not fitted.clashes:
            work.state = state
    return fitted


def _after(before: Mapping[Key, Row], snapshot: Snapshot, deltas: Sequence[Row]) -> dict[Key, Row]:
    """A schema with a change applied."""
    state = {key: dict(row) for key, row in before.items()}
    entities.apply(state, replace(snapshot, data={"deltas": deltas}, type="diff"))
    return state


def _before(s: Situation, snapshot: Snapshot) -> dict[Key, Row] | None:
    """The schema that the migration was generated from."""
    known = {x.id: x for chain in (s.base, s.merge_base, s.head) for x in chain.snapshots}
    parents = [known[p] for p in snapshot.parents if p in known]
    if not parents:
        return {} if all(p == ROOT for p in snapshot.parents) else None
    together = replace(s.head, snapshots=tuple(known.values()))
    try:
        if len(parents) == 1 or parents[0].version != "9":
            return entities.state(together, parents[-1])
        meeting = replace(snapshot, id="meeting", data={"deltas": []}, type="diff")
        return entities.state(replace(together, snapshots=(*together.snapshots, meeting)), meeting)
    except Unreconstructable:
        return None


def _name(tag: str, last: str) -> str:
    """The folder's name, with a later time where it would not sort after the last one."""
    if not last or (tag > last and collation.key(tag) > collation.key(last) and tag[:14] > last[:14]):
        return tag
    ms = folders.milliseconds(last)
    if ms is None:
        return tag
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=ms, seconds=1)
    rest = tag[14:] if folders.milliseconds(tag) is not None else f"_{tag}"
    return f"{moment:%Y%m%d%H%M%S}{rest}"


def _put_snapshot(s: Situation, work: _Work, snapshot: Snapshot, fitted: Fitted | None, path: str) -> None:
    raw = s.head_tree.read(snapshot.path) or b""
    own = snapshot.id
    if own in work.taken:
        own = str(uuid5(NAMESPACE_URL, f"{own} after {work.leaves}"))
    work.taken.add(own)
    data: dict[str, Any] = {**snapshot.data, "id": own, "prevIds": list(work.leaves)}
    if "prevId" in data and "prevIds" not in snapshot.data:
        del data["prevIds"]
        data["prevId"] = work.leaves[-1]
    if "ddl" in data and work.state is not None:
        rows = list(work.state.values())
        if not _same_rows(rows, data["ddl"]):
            data["ddl"] = rows
    elif fitted is not None and fitted.dropped:
        data["deltas"] = fitted.deltas
        gone = [list(key[1]) for key in fitted.dropped]
        prints = cast("list[dict[str, Any]]", data.get("footprints") or [])
        data["footprints"] = [f for f in prints if list(f.get("statementTarget") or ())[1:] not in gone]
    elif fitted is not None and fitted.deltas != data.get("deltas"):
        data["deltas"] = fitted.deltas
    work.leaves = (own,)
    if data == dict(snapshot.data):
        return
    work.files[path] = repair.dumped(data, raw)
    work.rewritten = True


def _same_rows(one: Sequence[Row], other: Sequence[Row]) -> bool:
    key = merge_rows.written
    return {key(entities.key_of({"op": "create", "row": r})): r for r in one} == {
        key(entities.key_of({"op": "create", "row": r})): r for r in other
    }
