"""The schema that a v1 snapshot means: a base snapshot's entities with the deltas of later ones applied."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from checks.drizzle.model import ROOT, Chain, Snapshot

Row = dict[str, Any]
Key = tuple[str, tuple[Any, ...]]


class Unreconstructable(ValueError):  # noqa: N818 - said to people as a state, not as an error
    """The schema cannot be put together; the text says why."""


# What tells two entities of a type apart (drizzle-kit 1.0, `dialects/postgres/ddl.ts`).
_OF_TABLE = ("schema", "table", "name")
IDENTITY: Mapping[str, tuple[str, ...]] = {
    "schemas": ("name",),
    "roles": ("name",),
    "tables": ("schema", "name"),
    "enums": ("schema", "name"),
    "sequences": ("schema", "name"),
    "views": ("schema", "name"),
    "indexes": ("schema", "name"),
    "columns": _OF_TABLE,
    "pks": _OF_TABLE,
    "fks": _OF_TABLE,
    "uniques": _OF_TABLE,
    "checks": _OF_TABLE,
    "policies": _OF_TABLE,
    "privileges": ("schema", "table", "grantor", "grantee", "type"),
}


@dataclass(frozen=True, slots=True)
class _Reference:
    """How entities of one type name one of another.

    Attributes:
        to: the type that is named.
        fields: its fields → the fields here that hold their values.
        names: the field here that lists several names of it, if any; its items are names, or objects with a `value`.
    """

    to: str
    fields: Mapping[str, str]
    names: str | None = None


_SCHEMA = _Reference("schemas", {"name": "schema"})
_TABLE = _Reference("tables", {"schema": "schema", "name": "table"})
_COLUMNS = _Reference("columns", {"schema": "schema", "table": "table"}, "columns")
REFERENCES: Mapping[str, tuple[_Reference, ...]] = {
    "tables": (_SCHEMA,),
    "enums": (_SCHEMA,),
    "sequences": (_SCHEMA,),
    "views": (_SCHEMA,),
    "checks": (_TABLE,),
    "policies": (_TABLE, _Reference("roles", {}, "roles")),
    "privileges": (_TABLE, _Reference("roles", {"name": "grantee"}), _Reference("roles", {"name": "grantor"})),
    "columns": (_TABLE, _Reference("enums", {"schema": "typeSchema", "name": "type"})),
    "indexes": (_TABLE, _COLUMNS),
    "pks": (_TABLE, _COLUMNS),
    "uniques": (_TABLE, _COLUMNS),
    "fks": (
        _TABLE,
        _COLUMNS,
        _Reference("tables", {"schema": "schemaTo", "name": "tableTo"}),
        _Reference("columns", {"schema": "schemaTo", "table": "tableTo"}, "columnsTo"),
    ),
}


def of(chain: Chain, snapshot: Snapshot) -> list[Row]:
    """The entities of the schema as a v1 snapshot leaves it, in no order.

    Raises:
        Unreconstructable: a snapshot before it is missing, or two migrations gave one name to two entities.
    """
    return list(_state({s.id: s for s in chain.snapshots}, snapshot).values())


def _state(by_id: Mapping[str, Snapshot], snapshot: Snapshot) -> dict[Key, Row]:
    diffs: list[Snapshot] = []
    here = snapshot
    while "ddl" not in here.data:
        diffs.append(here)
        if len(diffs) > len(by_id):
            raise Unreconstructable(f"The snapshots before `{snapshot.tag}` run in a circle.")
        here = _parent(by_id, here, here.parents[0] if here.parents else ROOT)
    state: dict[Key, Row] = {}
    for row in _rows(here, "ddl"):
        state[_key(row)] = row
    for diff in reversed(diffs):
        for other in _other_side(by_id, diff):
            _apply(state, other)
        _apply(state, diff)
    return state


def _parent(by_id: Mapping[str, Snapshot], child: Snapshot, parent: str) -> Snapshot:
    if parent not in by_id:
        raise Unreconstructable(f"The snapshot before `{child.tag}` ({parent}) is not there.")
    return by_id[parent]


def _other_side(by_id: Mapping[str, Snapshot], merge: Snapshot) -> Iterator[Snapshot]:
    """What a merge brings in beside its first parent's history, in the order of the folders."""
    if len(merge.parents) < 2:
        return
    known = _history(by_id, merge, merge.parents[:1])
    rest = _history(by_id, merge, merge.parents[1:]) - known
    yield from (s for s in by_id.values() if s.id in rest and s.type == "diff")


def _history(by_id: Mapping[str, Snapshot], child: Snapshot, starts: Sequence[str]) -> set[str]:
    found: set[str] = set()
    stack = list(starts)
    while stack:
        here = stack.pop()
        if here != ROOT and here not in found:
            found.add(here)
            stack.extend(_parent(by_id, child, here).parents)
    return found


def _apply(state: dict[Key, Row], snapshot: Snapshot) -> None:
    for delta in _rows(snapshot, "deltas"):
        operation = delta.get("op")
        if operation == "create":
            row = _object(delta.get("row"))
            if state.setdefault(_key(row), row) != row:
                raise Unreconstructable(f"`{snapshot.tag}` creates {_words(_key(row))}, which is there and different.")
            continue
        key = _parse(delta.get("key"))
        if operation == "drop":
            state.pop(key, None)
        elif key in state:
            _update(state, key, _object(delta.get("set")), str(snapshot.tag))


def rename(state: dict[Key, Row], key: Key, change: Row) -> None:
    """Change an entity in place; where that changes its identity, carry the new name to all that use it.

    Raises:
        Unreconstructable: the name is another's.
    """
    _update(state, key, change, "this")


def _update(state: dict[Key, Row], key: Key, change: Row, tag: str) -> None:
    row = state[key]
    old = dict(row)
    row.update(change)
    if _key(row) == key:
        return
    moved = [(key[0], old, row)]
    for kind, before, after in moved:  # grows while it runs: what is renamed may be named by others
        for dependent in state.values():
            was = dict(dependent)
            if dependent is not after and _relocate(dependent, kind, before, after) and _key(was) != _key(dependent):
                moved.append((str(dependent.get("entityType")), was, dependent))
    rows = list(state.values())
    state.clear()
    for each in rows:
        if state.setdefault(_key(each), each) is not each:
            raise Unreconstructable(f"`{tag}` renames {_words(key)} to the name of another.")


def _relocate(row: Row, kind: str, before: Row, after: Row) -> bool:
    changed = False
    for reference in REFERENCES.get(str(row.get("entityType")), ()):
        if reference.to != kind or any(row.get(own) != before.get(theirs) for theirs, own in reference.fields.items()):
            continue
        if reference.names is not None:
            names = row.get(reference.names)
            if not isinstance(names, list):
                continue
            renamed = [_renamed(item, before.get("name"), after.get("name")) for item in cast("list[Any]", names)]
            if renamed == names:
                continue
            row[reference.names] = renamed
        row.update({own: after.get(theirs) for theirs, own in reference.fields.items()})
        changed = True
    return changed


def _renamed(item: Any, old: object, new: object) -> Any:  # noqa: ANN401 - a name or an index column
    if isinstance(item, dict):
        column = cast("Row", item)
        return {**column, "value": new} if column.get("value") == old and not column.get("isExpression") else column
    return new if item == old else item


def _rows(snapshot: Snapshot, field: str) -> list[Row]:
    found = snapshot.data.get(field)
    if not isinstance(found, list) or not all(isinstance(row, dict) for row in cast("list[object]", found)):
        raise Unreconstructable(f"The snapshot of `{snapshot.tag}` has no `{field}`.")
    return [dict(row) for row in cast("list[Row]", found)]


def _key(row: Row) -> Key:
    kind = row.get("entityType")
    if not isinstance(kind, str) or kind not in IDENTITY:
        raise Unreconstructable(f"A snapshot has an entity of an unknown type ({kind}).")
    return _checked(kind, [row.get(field) for field in IDENTITY[kind]])


def _parse(key: object) -> Key:
    """A key as the file writes it: the type, a zero byte, and a JSON list."""
    kind, _, identity = str(key).partition("\0")
    try:
        return _checked(kind, json.loads(identity))
    except (ValueError, RecursionError) as error:
        raise Unreconstructable(f"A snapshot has a key that cannot be read ({key!r}).") from error


def _checked(kind: str, identity: object) -> Key:
    parts = cast("list[object]", identity) if isinstance(identity, list) else None
    if parts is None or not all(isinstance(part, str | int | None) for part in parts):
        raise Unreconstructable(f"A snapshot has an entity of {kind} whose name is no text.")
    return kind, tuple(parts)


def _object(value: object) -> Row:
    if not isinstance(value, dict):
        raise Unreconstructable("A snapshot has a change that cannot be read.")
    return dict(cast("Row", value))


def _words(key: Key) -> str:
    return f"{key[0]} {'.'.join(str(part) for part in key[1])}"


def state(chain: Chain, snapshot: Snapshot) -> dict[Key, Row]:
    """The entities as `of` gives them, by what tells them apart.

    Raises:
        Unreconstructable: as `of` does.
    """
    return _state({s.id: s for s in chain.snapshots}, snapshot)


def apply(rows: dict[Key, Row], snapshot: Snapshot) -> None:
    """Change entities in place by a snapshot's deltas.

    Raises:
        Unreconstructable: it creates what is there, or cannot be read.
    """
    _apply(rows, snapshot)


def key_of(delta: Mapping[str, Any]) -> Key:
    """What a delta is about.

    Raises:
        Unreconstructable: it cannot be read.
    """
    return _key(_object(delta.get("row"))) if delta.get("op") == "create" else _parse(delta.get("key"))


def rows_of(snapshot: Snapshot, field: str) -> list[Row]:
    """The rows of `ddl`, or the deltas.

    Raises:
        Unreconstructable: it has none.
    """
    return _rows(snapshot, field)
