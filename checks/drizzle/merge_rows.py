"""Merges what two sides made of a v1 schema: base's entities with the deltas of a migration of head, or why that cannot be."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from checks.drizzle.entities import Key, Row, key_of
from checks.drizzle.merge_snapshots import joined
from checks.drizzle.snapshot_parts import Clash

State = Mapping[Key, Row]

_NOUNS = {"pks": "primary key", "fks": "foreign key", "indexes": "index", "policies": "policy"}


@dataclass(slots=True)
class Fitted:
    """Deltas that fit base.

    Attributes:
        deltas: without those that base has done already.
        clashes: where the sides contradict each other.
        twice: what both did equally: in words, and its name.
        dropped: keys of the deltas that are left out.
    """

    deltas: list[Row] = field(default_factory=list[Row])
    clashes: list[Clash] = field(default_factory=list[Clash])
    twice: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    dropped: list[Key] = field(default_factory=list[Key])


def between(before: State, after: State, *, mentions: Callable[[str], bool]) -> Iterator[Row]:
    """The deltas that lead from one state to another, for snapshots that hold whole schemas.

    A table or column that is gone although the SQL never names it was forgotten, not dropped.
    """
    for key in before:
        forgotten = key[0] in {"tables", "columns"} and not mentions(str(key[1][-1]))
        if key not in after and not forgotten:
            yield {"op": "drop", "key": written(key)}
    for key, row in after.items():
        if key not in before:
            yield {"op": "create", "row": row}
        elif row != before[key]:
            changes = {k: v for k, v in row.items() if before[key].get(k) != v}
            yield {"op": "alter", "key": written(key), "set": changes}


def fit(deltas: Sequence[Row], before: State | None, base: State) -> Fitted:
    """Which of the deltas base still needs, and where they contradict what base did.

    Args:
        deltas: of head's migration.
        before: the state that they start from; None: unknown.
        base: the state that they are to be applied to.
    """
    found = Fitted()
    here = set(base)
    for delta in deltas:
        key = key_of(delta)
        operation = delta.get("op")
        if operation == "create":
            _create(found, delta, key, base, here=here)
        elif operation == "drop":
            _drop(found, delta, key, before, base, here=here)
        else:
            _alter(found, delta, key, before, base, here=here)
    return found


def _create(found: Fitted, delta: Row, key: Key, base: State, *, here: set[Key]) -> None:
    row = cast("Row", delta["row"])
    if key in here and key in base:
        if base[key] == row:
            _twice(found, key)
        else:
            found.clashes.append(Clash(words(key), "made it otherwise", "makes it"))
        return
    table = row.get("table")
    home: Key = ("tables", (row.get("schema"), table))
    if isinstance(table, str) and home not in here:
        found.clashes.append(Clash(words(home), "dropped it or renamed it", f"adds {words(key)}"))
    here.add(key)
    found.deltas.append(delta)


def _drop(found: Fitted, delta: Row, key: Key, before: State | None, base: State, *, here: set[Key]) -> None:
    if key not in here:
        _twice(found, key)
        return
    if before is not None and key in before and base.get(key, before[key]) != before[key]:
        found.clashes.append(Clash(words(key), "changed it", "drops it"))
    here.discard(key)
    found.deltas.append(delta)


def _alter(found: Fitted, delta: Row, key: Key, before: State | None, base: State, *, here: set[Key]) -> None:
    if key not in here:
        found.clashes.append(Clash(words(key), "dropped it or renamed it", "changes it"))
        return
    wanted = dict(cast("Row", delta.get("set") or {}))
    was = before.get(key) if before is not None else None
    now = base.get(key)
    if was is not None and now is not None:
        for name, value in list(wanted.items()):
            if now.get(name) == was.get(name):
                continue
            if now.get(name) == value:
                del wanted[name]
                found.twice.append((words(key), str(key[1][-1])))
                continue
            values = _enum(key, name, was, now, value)
            if values is None:
                made, makes = (f"`{v}`" for v in (now.get(name), value))
                found.clashes.append(Clash(f"{words(key)} ({name})", f"made it {made}", f"makes it {makes}"))
            else:
                wanted[name] = values
        if not wanted:
            found.dropped.append(key)
            return
    if delta.get("op") == "rename":
        here.discard(key)
        new = {**(now or was or {}), **wanted}
        here.add(key_of({"op": "create", "row": new}))
        here |= {_moved(k, key, new) for k in here}
    found.deltas.append({**delta, "set": wanted})


def _enum(key: Key, name: str, was: Row, now: Row, wanted: Any) -> list[str] | None:  # noqa: ANN401 - JSON
    """An enum's values with those of both sides; None where they contradict each other."""
    if key[0] != "enums" or name != "values" or not isinstance(wanted, list):
        return None
    sides = [list(cast("list[str]", row.get("values") or [])) for row in (was, now)]
    return joined(sides[0], sides[1], cast("list[str]", wanted))


def _moved(key: Key, table: Key, new: Row) -> Key:
    """The key of something in a table that gets another name."""
    if table[0] == "tables" and len(key[1]) == 3 and key[1][:2] == table[1]:
        return key[0], (new.get("schema"), new.get("name"), key[1][2])
    return key


def _twice(found: Fitted, key: Key) -> None:
    found.twice.append((words(key), str(key[1][-1])))
    found.dropped.append(key)


def dangling(state: State) -> Iterator[Clash]:
    """Indexes and constraints on columns and tables that are gone: one side made them, the other dropped those."""
    tables = {key[1] for key in state if key[0] == "tables"}
    columns = {key[1] for key in state if key[0] == "columns"}
    for key, row in state.items():
        named = row.get("columns")
        if key[0] not in {"indexes", "pks", "uniques", "fks"} or not isinstance(named, list):
            continue
        for each in cast("list[Any]", named):
            if isinstance(each, Mapping):
                item = cast("Row", each)
                name = None if item.get("isExpression") else item.get("value")
            else:
                name = each
            if isinstance(name, str) and (row.get("schema"), row.get("table"), name) not in columns:
                yield Clash(words(key), f"or this branch dropped column {row.get('table')}.{name}", "the other uses it")
        if key[0] == "fks" and (row.get("schemaTo"), row.get("tableTo")) not in tables:
            gone = f"or this branch dropped or renamed table {row.get('tableTo')}"
            yield Clash(words(key), gone, "the other refers to it")


def written(key: Key) -> str:
    """A key as drizzle-kit writes it."""
    return f"{key[0]}\0{json.dumps(list(key[1]), separators=(',', ':'), ensure_ascii=False)}"


def words(key: Key) -> str:
    """`column users.age`."""
    names = [str(part) for part in key[1] if part not in {None, "public"}]
    return f"{_NOUNS.get(key[0], key[0].removesuffix('s'))} {'.'.join(names)}"
