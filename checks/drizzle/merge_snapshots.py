"""Merges what two sides made of one snapshot: base's last one, plus a migration's own change."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

Data = Mapping[str, Any]
Path = Sequence[str]
Three = tuple[Any, Any, Any]
Inside = Callable[[Three, Path], Any]

_MISSING: Any = object()

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
_NOUNS = {
    "tables": "table",
    "enums": "enum",
    "schemas": "schema",
    "sequences": "sequence",
    "roles": "role",
    "policies": "policy",
    "views": "view",
    "columns": "column",
    "indexes": "index",
    "foreignKeys": "foreign key",
    "compositePrimaryKeys": "primary key",
    "uniqueConstraints": "unique constraint",
    "checkConstraints": "check",
}


@dataclass(frozen=True, slots=True)
class Clash:
    """Where both sides changed one thing, each in its own way.

    Attributes:
        what: `column users.age`.
        base, head: what each made of it, in a few words.
    """

    what: str
    base: str
    head: str

    def __str__(self) -> str:
        return f"{self.what}: base {self.base}, this branch {self.head}"


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
    merger.clashes += _lost_names(base, head)
    before, base = _renamed(before, head), _renamed(base, head)
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
    merged.clashes += _dangling(data)
    return merged


class _Merger:
    def __init__(self, mentions: Callable[[str], bool]) -> None:
        self._mentions = mentions
        self.clashes: list[Clash] = []
        self.twice: list[tuple[str, str]] = []

    def members(self, sides: Three, path: Path, inside: Inside) -> dict[str, Any]:
        """A mapping of things by name: base's order, then what head adds."""
        a, o, t = (_object(side) for side in sides)
        result: dict[str, Any] = {}
        for key in dict.fromkeys([*o, *t]):
            three = (a.get(key, _MISSING), o.get(key, _MISSING), t.get(key, _MISSING))
            value = self._member(three, (*path, key), inside)
            if value is not _MISSING:
                result[key] = value
        for key in a:
            if key not in o and key not in t and not self._forgotten((*path, key)):
                self._both((*path, key))
        return result

    def _member(self, sides: Three, path: Path, inside: Inside) -> Any:  # noqa: ANN401 - JSON
        a, o, t = sides
        if a is _MISSING:
            return self._added(o, t, path)
        if t is _MISSING:  # head drops it
            if self._forgotten(path):
                return o
            if o not in (_MISSING, a):
                self._clash(path, "changed it", "drops it")
            return _MISSING
        if o is _MISSING:  # base dropped it, or gave it another name
            if t != a:
                self._clash(path, "dropped it or renamed it", "changes it")
            return _MISSING
        if a in (o, t):
            return t if o == a else o
        return inside(sides, path)

    def _added(self, o: Any, t: Any, path: Path) -> Any:  # noqa: ANN401 - JSON
        if o is _MISSING:
            return t
        if o == t:
            self._both(path)
        elif t is not _MISSING:
            self._clash(path, f"made it {_words(o)}", f"makes it {_words(t)}")
        return o

    def _forgotten(self, path: Path) -> bool:
        """Whether head's snapshot lacks a table or column that its SQL never names."""
        named = path[0] == "tables" and (len(path) == 2 or path[2] == "columns")
        return named and not self._mentions(_short(path[-1]))

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
        a, o, t = (_object(side) for side in sides)
        result: dict[str, Any] = {}
        for key in dict.fromkeys([*o, *t]):
            value = inside((a.get(key, _MISSING), o.get(key, _MISSING), t.get(key, _MISSING)), (*path, key))
            if value is not _MISSING:
                result[key] = value
        return result

    def whole(self, sides: Three, path: Path) -> Any:  # noqa: ANN401 - JSON
        """A thing that changes as one."""
        _, o, t = sides
        if o == t:
            self._both(path)
        else:
            self._clash(path, f"made it {_words(o)}", f"makes it {_words(t)}")
        return o

    def enum(self, sides: Three, path: Path) -> Any:  # noqa: ANN401 - JSON
        """An enum to which both sides did something: head's new values go where its SQL puts them."""
        if sides[1] == sides[2]:
            self._both(path)
            return sides[1]
        was, theirs, ours = (_values(_object(side)) for side in sides)
        result = joined(was, theirs, ours)
        if result is None:
            self._clash(path, f"made it {_words(theirs)}", f"makes it {_words(ours)}")
            return sides[1]
        for value in ours:
            if value in theirs and value not in was:
                self._both((*path, value))
        base = _object(sides[1])
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
        self.twice.append((_what(kept), _short(_thing(kept))))

    def _clash(self, path: Path, base: str, head: str) -> None:
        self.clashes.append(Clash(_what(path), base, head))


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


# -- renames: what head calls by a new name, base still knows by the old one ----------------------------------------------


def _renamed(data: Data, head: Data) -> Data:
    """A snapshot with the renames applied that head's migration makes (`_meta`)."""
    meta = _object(head.get("_meta"))
    tables = {_key(old): _key(new) for old, new in _object(meta.get("tables")).items()}
    columns = {_column(old): _column(new) for old, new in _object(meta.get("columns")).items()}
    if not tables and not columns:
        return data
    result: dict[str, Any] = {}
    for key, table in _object(data.get("tables")).items():
        new_key = tables.get(_full(key, table), key)
        result[_like(key, new_key)] = _renamed_table(table, key, tables, columns)
    return {**data, "tables": result}


def _lost_names(base: Data, head: Data) -> Iterator[Clash]:
    """What head gives a new name, and base has under neither."""
    meta = _object(head.get("_meta"))
    there = {
        _full(key, table): _object(_object(table).get("columns")) for key, table in _object(base.get("tables")).items()
    }
    tables = {_key(old): _key(new) for old, new in _object(meta.get("tables")).items()}
    for old, new in tables.items():
        if old not in there and new not in there:
            yield Clash(f"table {_short(old)}", "dropped it or renamed it", f"renames it to {_short(new)}")
    for old, new in _object(meta.get("columns")).items():
        was, now = _column(str(old)), _column(str(new))
        full = ".".join(was[:-1])
        before = next((o for o, n in tables.items() if n == full), full)
        columns = {**there.get(full, {}), **there.get(before, {})}
        if columns and was[-1] not in columns and now[-1] not in columns:
            yield Clash(f"column {was[-2]}.{was[-1]}", "dropped it or renamed it", f"renames it to {now[-1]}")


def _renamed_table(table: Data, key: str, tables: Mapping[str, str], columns: Mapping[Path, Path]) -> dict[str, Any]:
    here = _full(key, table)
    now = tables.get(here, here)
    made = dict(table)
    if now != here:
        made["schema"], _, made["name"] = now.rpartition(".")
        made["schema"] = "" if made["schema"] == "public" else made["schema"]
    names = {old[-1]: new[-1] for old, new in columns.items() if ".".join(old[:-1]) in {here, now}}
    if names:
        made["columns"] = {
            names.get(name, name): {**column, "name": names.get(name, name)}
            for name, column in _object(table.get("columns")).items()
        }
    keys: dict[str, Any] = {}
    for name, fk in _object(table.get("foreignKeys")).items():
        fk = dict(cast("Data", fk))  # noqa: PLW2901 - a copy to write on
        to = f"{fk.get('schemaTo') or 'public'}.{fk.get('tableTo')}"
        there = tables.get(to, to)
        far = {old[-1]: new[-1] for old, new in columns.items() if ".".join(old[:-1]) in {to, there}}
        if there != to:
            fk["tableTo"] = there.rpartition(".")[2]
        if now != here and fk.get("tableFrom") == table.get("name"):
            fk["tableFrom"] = made["name"]
        fk["columnsFrom"] = [names.get(c, c) for c in fk.get("columnsFrom") or ()]
        fk["columnsTo"] = [far.get(c, c) for c in fk.get("columnsTo") or ()]
        keys[name] = fk
    if "foreignKeys" in table:
        made["foreignKeys"] = keys
    for part in ("indexes", "compositePrimaryKeys", "uniqueConstraints"):
        if names and part in table:
            made[part] = {n: _renamed_part(p, names) for n, p in _object(table[part]).items()}
    return made


def _renamed_part(part: Data, names: Mapping[str, str]) -> dict[str, Any]:
    return {**part, "columns": [_renamed_item(c, names) for c in cast("Sequence[Any]", part.get("columns") or ())]}


def _renamed_item(item: Any, names: Mapping[str, str]) -> Any:  # noqa: ANN401 - a name, or an index column
    if isinstance(item, str):
        return names.get(item, item)
    column = _object(item)
    if column.get("isExpression") or "expression" not in column:
        return item
    return {**column, "expression": names.get(column["expression"], column["expression"])}


# -- what no longer holds together ------------------------------------------------------------------------------------


def _dangling(data: Data) -> Iterator[Clash]:
    """Indexes and constraints on columns that the merge lacks: one side made them, the other dropped the column."""
    tables = _object(data.get("tables"))
    by_name = {_full(key, table): _object(table.get("columns")) for key, table in tables.items()}
    for key, table in tables.items():
        columns = by_name[_full(key, table)]
        for part in ("indexes", "compositePrimaryKeys", "uniqueConstraints"):
            for name, thing in _object(table.get(part)).items():
                if (lost := _lost(thing.get("columns"), columns)) is not None:
                    noun = _NOUNS[part]
                    yield Clash(
                        f"{noun} {name}", f"or this branch dropped column {_short(key)}.{lost}", "the other uses it"
                    )
        for name, fk in _object(table.get("foreignKeys")).items():
            to = f"{fk.get('schemaTo') or 'public'}.{fk.get('tableTo')}"
            lost = _lost(fk.get("columnsFrom"), columns) or (
                _lost(fk.get("columnsTo"), by_name[to]) if to in by_name else None
            )
            if lost is not None:
                yield Clash(f"foreign key {name}", f"or this branch dropped column {lost}", "the other uses it")


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


def _object(found: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    return dict(cast("Data", found)) if isinstance(found, Mapping) else {}


def _values(enum: Data) -> list[str]:
    found = enum.get("values")
    return [*cast("Data", found)] if isinstance(found, Mapping) else list(cast("list[str]", found or []))


def _internal(base: Any, head: Any) -> Any:  # noqa: ANN401 - JSON
    """Notes of drizzle-kit to itself: both sides', head's where they differ."""
    if not (isinstance(base, Mapping) and isinstance(head, Mapping)):
        return cast("Any", head if head is not None else base)
    one, other = _object(base), _object(head)
    return {
        k: _internal(one[k], other[k]) if k in one and k in other else other.get(k, one.get(k))
        for k in {**one, **other}
    }


def _key(quoted: str) -> str:
    """`"public"."users"` as `public.users`."""
    parts = _parts(quoted)
    return ".".join(parts if len(parts) > 1 else ("public", *parts))


def _column(quoted: str) -> Path:
    parts = _parts(quoted)
    return parts if len(parts) > 2 else ("public", *parts)


def _parts(quoted: str) -> Path:
    return tuple(p.strip('"') for p in quoted.split('"."' if '"' in quoted else "."))


def _full(key: str, table: Any) -> str:  # noqa: ANN401 - JSON
    """The full name of a table, whatever the version calls it."""
    found = _object(table)
    return f"{found.get('schema') or 'public'}.{found.get('name') or _short(key)}"


def _like(key: str, full: str) -> str:
    """A full name in the way of the key that it replaces (version 5: the bare name)."""
    return full if "." in key else _short(full)


def _short(key: str) -> str:
    return key.rpartition(".")[2] or key


def _thing(path: Path) -> str:
    """The name of the thing that a path leads to or into: a column's, of one of its fields."""
    if path[0] == "tables" and len(path) >= 4:
        return path[3]
    if path[0] == "enums" and len(path) >= 3:
        return path[2]
    return path[1] if len(path) > 1 else path[0]


def _what(path: Path) -> str:
    noun = _NOUNS.get(path[0], path[0])
    if path[0] == "tables" and len(path) >= 4:
        inner = _NOUNS.get(path[2], path[2])
        name = f"{_short(path[1])}.{path[3]}" if path[2] == "columns" else path[3]
        rest = f" ({path[4]})" if len(path) > 4 else ""
        return f"{inner} {name}{rest}"
    if path[0] == "enums" and len(path) >= 3:
        return f"value '{path[2]}' of enum {_short(path[1])}"
    rest = f" ({path[2]})" if len(path) > 2 else ""
    return f"{noun} {_short(path[1])}{rest}" if len(path) > 1 else noun


def _words(value: Any) -> str:  # noqa: ANN401 - JSON
    """A value in a few words."""
    if isinstance(value, Mapping):
        found = cast("Data", value)
        if isinstance(found.get("columns"), Mapping):
            return f"with columns {', '.join(list(_object(found['columns']))[:8])}"
        if "type" in found:
            rest = " not null" if found.get("notNull") else ""
            return f"`{found['type']}{rest}`"
        return "otherwise"
    if isinstance(value, list):
        return f"`{', '.join(str(v) for v in cast('list[Any]', value)[:8])}`"
    return (
        "nothing"
        if value is None or value is _MISSING
        else f"`{str(value).lower() if isinstance(value, bool) else value}`"
    )
