"""One difference between what schema files, a snapshot and a chain say: whose it is, where it is shown, and in which words."""

import dataclasses
from collections.abc import Iterable

from checks.catalog.model import Key, Object
from checks.catalog.tables import Column, Table, View
from checks.catalog.types import Enum, Sequence
from checks.facts import Place
from checks.schema import model

Difference = tuple[Key, Object | None, Object | None]
"""What it is about, and how each of the two has it; None: not at all."""


def secured_by_hand(difference: Difference) -> bool:
    """A table whose rows the migrations secure and Drizzle does not: with policies of their own, as platforms advise."""
    _, before, after = difference
    return isinstance(before, Table) and before.rls and after == dataclasses.replace(before, rls=False)


class Places:
    """Where a fact about a table stands: where the schema file declares it, if head changed that file."""

    def __init__(self, schema: model.Schema | None, changed: frozenset[str], fallback: str) -> None:
        self._tables = {(t.schema, t.name): t for t in schema.tables} if schema else {}
        self._changed = changed
        self._files = [f for f in (schema.files if schema else ()) if f in changed]
        self._fallback = fallback

    def of(self, owner: tuple[str, str]) -> Place:
        """The best place for what belongs to `owner`."""
        table = self._tables.get(owner)
        if table is not None and table.path in self._changed and table.line:
            return Place(path=table.path, line=table.line, end_line=table.line)
        return Place(path=self._files[0] if self._files else self._fallback)


def by_owner(differences: Iterable[Difference]) -> dict[tuple[str, str], list[Difference]]:
    """Differences by the table (or enum, view, …) that they are about, tables born or gone as one difference."""
    listed = list(differences)
    whole = {k[1:3] for k, _, _ in listed if k[0] == "table"}
    groups: dict[tuple[str, str], list[Difference]] = {}
    for difference in listed:
        (kind, *path), before, after = difference
        found = before or after
        owned = found.owned_by if isinstance(found, Sequence) else None
        table = owned[1] if owned else getattr(found, "table", None)
        owner = (path[0], table or "".join(path[1:2]))
        if kind != "table" and owner in whole and (before is None or after is None):
            continue
        groups.setdefault(owner, []).append(difference)
    return groups


def words(difference: Difference, *, lacking: bool) -> str:
    """What it is, in a few words; `lacking`: something that should be there is not."""
    (word, *path), before, after = difference
    found = after or before
    kind = {"type": "enum", "default": "default of column"}.get(word, word)
    if isinstance(found, View) and found.materialized:
        kind = "materialized view"
    name = f"row level security of `{path[-1]}`" if secured_by_hand(difference) else f"{kind} `{path[-1]}`"
    if before is None:
        return name
    if after is None:
        return f"{name} dropped" if lacking else name
    if isinstance(before, Column) and isinstance(after, Column):
        if before.type != after.type:
            return f"{name} as {after.type} (the migrations build {before.type})"
        if before.not_null != after.not_null:
            return f"{name} {'NOT NULL' if after.not_null else 'nullable'}"
    if isinstance(before, Enum) and isinstance(after, Enum):
        added = [f"'{label}'" for label in after.labels if label not in before.labels]
        gone = [f"'{label}'" for label in before.labels if label not in after.labels]
        return (
            f"{name}" + (f" with {', '.join(added)}" if added else "") + (f" without {', '.join(gone)}" if gone else "")
        )
    return f"{name} changed" if lacking else name


def short(owner: tuple[str, str]) -> str:
    """A name without the schema that everyone is in."""
    schema, name = owner
    return schema if not name else name if schema == "public" else f"{schema}.{name}"


def identity(difference: Difference) -> tuple[Key, str, str]:
    """Equal for the same difference at another commit."""
    return difference[0], repr(difference[1]), repr(difference[2])
