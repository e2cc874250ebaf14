"""Merges what two sides made of one snapshot: base's last one, plus a migration's own change."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from checks.drizzle import merge_renames
from checks.drizzle import snapshot_parts as parts
from checks.drizzle.snapshot_parts import Clash, Data, Path

Three = tuple[Any, Any, Any]
Inside = Callable[[Three, Path], Any]

# Kinds whose members are merged field by field where both sides change one; everything else is one thing.
_TABLE_PARTS = (
    "columns",
    "indexes",
    "foreignKeys",
    "compositePrimaryKeys",
    "uniqueConstraints",
    "policies",
    "checkConstraints",
)
_FIELDWISE = {"columns", "policies"}


@dataclass(slots=True)
class Merged:
    """The outcome of a merge.

    Attributes:
        data: the merged snapshot, without regard to clashes.
        clashes: where the sides contradict each other.
        twice: names of what both made, dropped or changed equally (`column users.age`), with its own name last.
    """

    data: dict[str, Any] = field(default_factory=dict[str, Any])
    clashes: list[Clash] = field(default_factory=list[Clash])
    twice: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])


def merge(before: Data, base: Data, head: Data, *, mentions: Callable[[str], bool] = lambda _: True) -> Merged:
    """`base` with the change that leads from `before` to `head` (version 7, or 5 or 6, all of one version).

    Args:
        before: the snapshot that head's was generated from.
        base: what it is to come after.
        head: the migration's own.
        mentions: whether the migration's SQL names a table or column; what a snapshot lacks although its SQL never names
            it was forgotten, not dropped.
    """
    merger = _Merger(mentions)
    merger.clashes += merge_renames.lost_names(base, head)
    before, base = merge_renames.renamed(before, head), merge_renames.renamed(base, head)
    skip = {"id", "prevId", "version", "dialect", "_meta", "internal"}
    data: dict[str, Any] = {}
    for key in dict.fromkeys([*head, *base]):
        if key in skip:
            source = head if key in head else base
            if key in source:
                data[key] = source[key]
            continue
        fieldwise = key in {"sequences", "roles", "policies"}
        inside = {"tables": merger.table, "enums": merger.enum}.get(key, merger.fields if fieldwise else merger.whole)
        data[key] = merger.members((before.get(key), base.get(key), head.get(key)), (key,), inside)
    if "internal" in base or "internal" in head:
        data["internal"] = _internal(base.get("internal"), head.get("internal"))
    merged = Merged(data, merger.clashes, merger.twice)
    known = {*_dangling(base), *_dangling(head)}  # old damage, or a table that Drizzle does not keep (`auth.users`)
    merged.clashes += [clash for clash in _dangling(data) if clash not in known]
    return merged


class _Merger:
    def __init__(self, mentions: Callable[[str], bool]) -> None:
        self._mentions = mentions
        self.clashes: list[Clash] = []
        self.twice: list[tuple[str, str]] = []

    def members(self, sides: Three, path: Path, inside: Inside) -> dict[str, Any]:
        """A mapping of things by name: base's order, then what head adds."""
        a, o, t = (parts.mapping(side) for side in sides)
        result: dict[str, Any] = {}
        for key in dict.fromkeys([*o, *t]):
            three = (a.get(key, parts.MISSING), o.get(key, parts.MISSING), t.get(key, parts.MISSING))
            value = self._member(three, (*path, key), inside)
            if value is not parts.MISSING:
                result[key] = value
        for key in a:
            if key not in o and key not in t and not self._forgotten((*path, key)):
                self._both((*path, key))
        return result

    def _member(self, sides: Three, path: Path, inside: Inside) -> Any:  # noqa: ANN401 - JSON
        a, o, t = sides
        if a is parts.MISSING:
            return self._added(o, t, path)
        if t is parts.MISSING:  # head drops it
            if self._forgotten(path):
                return o
            if o not in (parts.MISSING, a):
                self._clash(path, "changed it", "drops it")
            return parts.MISSING
        if o is parts.MISSING:  # base dropped it, or gave it another name
            if t != a:
                self._clash(path, "dropped it or renamed it", "changes it")
            return parts.MISSING
        if a in (o, t):
            return t if o == a else o
        return inside(sides, path)

    def _added(self, o: Any, t: Any, path: Path) -> Any:  # noqa: ANN401 - JSON
        if o is parts.MISSING:
            return t
        if o == t:
            self._both(path)
        elif t is not parts.MISSING:
            self._clash(path, f"made it {parts.told(o)}", f"makes it {parts.told(t)}")
        return o

    def _forgotten(self, path: Path) -> bool:
        """Whether head's snapshot lacks a table or column that its SQL never names."""
        named = path[0] == "tables" and (len(path) == 2 or path[2] == "columns")
        return named and not self._mentions(parts.short(path[-1]))

    def table(self, sides: Three, path: Path) -> Any:  # noqa: ANN401 - JSON
        """A table that both sides changed."""
        return self._each(sides, path, self._part)

    def _part(self, sides: Three, path: Path) -> Any:  # noqa: ANN401 - JSON
        if path[-1] not in _TABLE_PARTS:
            return self._leaf(sides, path)
        return self.members(sides, path, self.fields if path[-1] in _FIELDWISE else self.whole)

    def fields(self, sides: Three, path: Path) -> Any:  # noqa: ANN401 - JSON
        """A thing whose fields change one by one."""
        if not all(isinstance(side, Mapping) for side in sides):
            return self.whole(sides, path)
        return self._each(sides, path, self._leaf)

    def _each(self, sides: Three, path: Path, inside: Inside) -> dict[str, Any]:
        a, o, t = (parts.mapping(side) for side in sides)
        result: dict[str, Any] = {}
        for key in dict.fromkeys([*o, *t]):
            value = inside(
                (a.get(key, parts.MISSING), o.get(key, parts.MISSING), t.get(key, parts.MISSING)), (*path, key)
            )
            if value is not parts.MISSING:
                result[key] = value
        return result

    def whole(self, sides: Three, path: Path) -> Any:  # noqa: ANN401 - JSON
        """A thing that changes as one."""
        _, o, t = sides
        if o == t:
            self._both(path)
        else:
            self._clash(path, f"made it {parts.told(o)}", f"makes it {parts.told(t)}")
        return o

    def enum(self, sides: Three, path: Path) -> Any:  # noqa: ANN401 - JSON
        """An enum to which both sides did something: head's new values go where its SQL puts them."""
        if sides[1] == sides[2]:
            self._both(path)
            return sides[1]
        was, theirs, ours = (_values(parts.mapping(side)) for side in sides)
        result = joined(was, theirs, ours)
        if result is None:
            self._clash(path, f"made it {parts.told(theirs)}", f"makes it {parts.told(ours)}")
            return sides[1]
        for value in ours:
            if value in theirs and value not in was:
                self._both((*path, value))
        base = parts.mapping(sides[1])
        five = isinstance(base.get("values"), Mapping)
        return {**base, "values": {v: v for v in result} if five else result}

    def _leaf(self, sides: Three, path: Path) -> Any:  # noqa: ANN401 - JSON
        a, o, t = sides
        if t == a:
            return o
        if o == a:
            return t
        return self.whole(sides, path)

    def _both(self, path: Path) -> None:
        kept = path if path[-1] not in {"name", "schema"} else path[:-1]
        self.twice.append((parts.what(kept), parts.short(parts.thing(kept))))

    def _clash(self, path: Path, base: str, head: str) -> None:
        self.clashes.append(Clash(parts.what(path), base, head))


def joined(was: Sequence[str], base: Sequence[str], head: Sequence[str]) -> list[str] | None:
    """The values of an enum with what both sides added; None where head makes it anew, or adds one before a lost one.

    drizzle-kit writes `ADD VALUE … BEFORE` the next value that was there.
    """
    added = [v for v in head if v not in was]
    if [v for v in head if v in was] != list(was):
        return None
    result = list(base)
    for value in added:
        if value in base:
            continue
        after = [v for v in head[head.index(value) + 1 :] if v not in added]
        if not after:
            result.append(value)
        elif after[0] in result:
            result.insert(result.index(after[0]), value)
        else:
            return None
    return result


# -- what no longer holds together ------------------------------------------------------------------------------------


def _dangling(data: Data) -> Iterator[Clash]:
    """Indexes and constraints on what the snapshot lacks: of a merge, one side made them, the other dropped the column or table."""
    tables = parts.mapping(data.get("tables"))
    by_name = {parts.full_name(key, table): parts.mapping(table.get("columns")) for key, table in tables.items()}
    for key, table in tables.items():
        columns = by_name[parts.full_name(key, table)]
        for part in ("indexes", "compositePrimaryKeys", "uniqueConstraints"):
            for name, thing in parts.mapping(table.get(part)).items():
                if (lost := _lost(thing.get("columns"), columns)) is not None:
                    noun = parts.NOUNS[part]
                    yield Clash(
                        f"{noun} {name}",
                        f"or this branch dropped column {parts.short(key)}.{lost}",
                        "the other uses it",
                    )
        for name, fk in parts.mapping(table.get("foreignKeys")).items():
            to = f"{fk.get('schemaTo') or 'public'}.{fk.get('tableTo')}"
            lost = _lost(fk.get("columnsFrom"), columns) or (
                _lost(fk.get("columnsTo"), by_name[to]) if to in by_name else None
            )
            if lost is not None:
                yield Clash(f"foreign key {name}", f"or this branch dropped column {lost}", "the other uses it")
            elif to not in by_name:
                gone = f"or this branch dropped or renamed table {parts.short(to)}"
                yield Clash(f"foreign key {name}", gone, "the other refers to it")


def _lost(named: Any, columns: Collection[str]) -> str | None:  # noqa: ANN401 - JSON
    for each in cast("list[Any]", named) if isinstance(named, list) else ():
        if isinstance(each, Mapping):
            item = cast("Data", each)
            name = None if item.get("isExpression") else item.get("expression")
        else:
            name = each
        if isinstance(name, str) and columns and name not in columns:
            return name
    return None


# -- small things -----------------------------------------------------------------------------------------------------


def _values(enum: Data) -> list[str]:
    found = enum.get("values")
    return [*cast("Data", found)] if isinstance(found, Mapping) else list(cast("list[str]", found or []))


def _internal(base: Any, head: Any) -> Any:  # noqa: ANN401 - JSON
    """Notes of drizzle-kit to itself: both sides', head's where they differ."""
    if not (isinstance(base, Mapping) and isinstance(head, Mapping)):
        return cast("Any", head if head is not None else base)
    one, other = parts.mapping(base), parts.mapping(head)
    return {
        k: _internal(one[k], other[k]) if k in one and k in other else other.get(k, one.get(k))
        for k in {**one, **other}
    }
