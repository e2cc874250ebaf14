"""Pairs what is gone with what is new, kind by kind, renames what was renamed, and keeps what is pending."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from checks.drizzle.generating import content
from checks.drizzle.generating.choices import Choices, Paired
from checks.drizzle.generating.content import Json

_NONE = Paired((), (), ())


@dataclass(slots=True)
class Decided:
    """Two contents with the same names for the same things.

    Attributes:
        before: what the last snapshot holds, renamed.
        after: what schema.ts wants, and what is pending.
        pairs: by kind (`tables`, …): old and new keys, created and deleted keys.
        columns: the same by key of the table.
        policies: the same by key of the table.
        pending: columns that left schema.ts and stay for now.
    """

    before: Json
    after: Json
    pairs: dict[str, Paired] = field(default_factory=dict[str, Paired])
    columns: dict[str, Paired] = field(default_factory=dict[str, Paired])
    policies: dict[str, Paired] = field(default_factory=dict[str, Paired])
    pending: tuple[str, ...] = ()


def decide(before: Json, after: Json, choices: Choices) -> Decided:
    """The two contents, with every answer applied; what is unanswered is in `choices.open`."""
    made = Decided(before, after)
    pending = _Pending(before, after)
    _kind(made, "schemas", "schema", choices, _move_schema)
    _kind(made, "enums", "enum", choices, _rename_type)
    for kind, word in (("sequences", "sequence"), ("roles", "role"), ("tables", "table")):
        _kind(made, kind, word, choices, _rename)
    for key, table in before["tables"].items():
        other = after["tables"].get(key)
        if other is None:
            continue
        made.columns[key] = _columns(key, table, other, choices, pending)
        made.policies[key] = _inside(table, other, "policies", "policy", choices)
    _kind(made, "policies", "policy", choices, _rename)
    _kind(made, "views", "view", choices, _rename)
    made.pending = tuple(pending.found)
    pending.complete(made)
    return made


def _kind(made: Decided, kind: str, word: str, choices: Choices, rename: Callable[[Json, str, str, str], None]) -> None:
    old, new = made.before[kind], made.after[kind]
    gone = [key for key in old if key not in new]
    came = [key for key in new if key not in old]
    keys = {content.label(key): key for key in (*gone, *came)}
    pair = choices.pair(word, [content.label(key) for key in gone], [content.label(key) for key in came])
    for left, right in pair.renamed:
        rename(made.before, kind, keys[left], keys[right])
    made.pairs[kind] = Paired(
        tuple((keys[left], keys[right]) for left, right in pair.renamed),
        tuple(keys[name] for name in pair.created),
        tuple(keys[name] for name in pair.deleted),
    )


def _rename(before: Json, kind: str, old: str, new: str) -> None:
    """Give one thing its new key, in its old place."""
    schema, dot, name = new.rpartition(".")
    items: Json = before[kind]
    renamed: Json = {}
    for key, item in items.items():
        if key == old:
            item["name"] = name if dot else new
            if dot:
                item["schema"] = "" if kind == "tables" and schema == "public" else schema
        renamed[new if key == old else key] = item
    before[kind] = renamed


def _rename_type(before: Json, kind: str, old: str, new: str) -> None:
    _rename(before, kind, old, new)
    schema, _, name = new.rpartition(".")
    for table in before["tables"].values():
        for column in table["columns"].values():
            bare = column["type"].partition("[")[0]
            if f"{column.get('typeSchema') or 'public'}.{bare}" == old:
                column["type"] = name + column["type"][len(bare) :]
                column["typeSchema"] = schema


def _move_schema(before: Json, kind: str, old: str, new: str) -> None:
    before[kind] = {new if name == old else name: new if name == old else name for name in before[kind]}
    for part in ("tables", "enums", "sequences", "views"):
        for item in before[part].values():
            if item.get("schema") == old:
                item["schema"] = new
        before[part] = {content.key(item): item for item in before[part].values()}


def _columns(key: str, table: Json, other: Json, choices: Choices, pending: "_Pending") -> Paired:
    name = content.label(key)
    gone = [f"{name}.{c}" for c in table["columns"] if c not in other["columns"]]
    came = [f"{name}.{c}" for c in other["columns"] if c not in table["columns"]]
    may_stay = [f"{name}.{c}" for c in table["columns"] if c not in other["columns"] and pending.possible(key, c)]
    stuck = [c for c in gone if c not in may_stay and pending.free(key, c[len(name) + 1 :])]
    pair = choices.pair("column", gone, came, may_stay, stuck)
    cut = len(name) + 1
    renamed = tuple((old[cut:], new[cut:]) for old, new in pair.renamed)
    into = dict(renamed)
    for old, column in table["columns"].items():
        column["name"] = into.get(old, old)
    table["columns"] = {column["name"]: column for column in table["columns"].values()}
    staying = [c for c in pair.deleted if c in may_stay and c not in choices.drops]
    for stays in staying:
        pending.keep(key, stays[cut:])
    deleted = tuple(c[cut:] for c in pair.deleted if c not in staying)
    return Paired(renamed, tuple(c[cut:] for c in pair.created), deleted)


def _inside(table: Json, other: Json, part: str, word: str, choices: Choices) -> Paired:
    name = content.label(content.key(table))
    gone = [f"{name}.{each}" for each in table[part] if each not in other[part]]
    came = [f"{name}.{each}" for each in other[part] if each not in table[part]]
    pair = choices.pair(word, gone, came) if gone and came else _NONE
    cut = len(name) + 1
    for old, new in pair.renamed:
        table[part] = {
            new[cut:] if each == old[cut:] else each: {**item, "name": new[cut:] if each == old[cut:] else item["name"]}
            for each, item in table[part].items()
        }
    if not gone or not came:
        pair = Paired((), tuple(came), tuple(gone))
    return Paired(
        tuple((old[cut:], new[cut:]) for old, new in pair.renamed),
        tuple(each[cut:] for each in pair.created),
        tuple(each[cut:] for each in pair.deleted),
    )


class _Pending:
    """Columns that left schema.ts and stay in the database until their drop is asked for by name.

    The running release still names them in its queries, so the release that no longer does has to be out first.
    """

    def __init__(self, before: Json, after: Json) -> None:
        self._before, self._after = before, after
        self.found: list[str] = []
        self._columns: list[tuple[str, str]] = []

    def free(self, key: str, column: str) -> bool:
        """Rows can be written without it."""
        found: Json = self._before["tables"][key]["columns"][column]
        return not found.get("notNull") or any(found.get(w) is not None for w in ("default", "generated", "identity"))

    def possible(self, key: str, column: str) -> bool:
        """It is free, and not part of a primary key that another takes the place of."""
        table, other = self._before["tables"][key], self._after["tables"][key]
        keys: list[Json] = list(table["compositePrimaryKeys"].values())
        in_key = table["columns"][column].get("primaryKey") or any(column in pk["columns"] for pk in keys)
        has_key = other["compositePrimaryKeys"] or any(c.get("primaryKey") for c in other["columns"].values())
        return self.free(key, column) and not (in_key and has_key)

    def keep(self, key: str, column: str) -> None:
        """Leave it where it is."""
        self.found.append(f"{content.label(key)}.{column}")
        self._columns.append((key, column))

    def complete(self, made: Decided) -> None:
        """Put the columns back into what is wanted, with what stands on them or carries them."""
        for key, column in self._columns:
            table, other = made.before["tables"][key], made.after["tables"][key]
            other["columns"] = _in_old_order(table["columns"], {**other["columns"], column: table["columns"][column]})
            self._type(made, table["columns"][column])
        for key in dict.fromkeys(key for key, _ in self._columns):
            table, other = made.before["tables"][key], made.after["tables"][key]
            stays = {column for each, column in self._columns if each == key}
            for part, names in (("uniqueConstraints", "columns"), ("compositePrimaryKeys", "columns")):
                _keep_part(table, other, part, stays, lambda item, names=names: item[names])
            _keep_part(table, other, "indexes", stays, _indexed)
            _keep_part(
                table, other, "foreignKeys", stays, lambda item: item["columnsFrom"], targets=made.after["tables"]
            )

    def _type(self, made: Decided, column: Json) -> None:
        enum = f"{column.get('typeSchema') or 'public'}.{column['type'].partition('[')[0]}"
        if enum not in made.before["enums"] or enum in made.after["enums"]:
            return
        made.after["enums"][enum] = made.before["enums"][enum]
        pair = made.pairs["enums"]
        made.pairs["enums"] = Paired(pair.renamed, pair.created, tuple(k for k in pair.deleted if k != enum))
        schema = made.before["enums"][enum]["schema"]
        if schema in made.before["schemas"] and schema not in made.after["schemas"]:
            made.after["schemas"][schema] = schema
            pair = made.pairs["schemas"]
            made.pairs["schemas"] = Paired(pair.renamed, pair.created, tuple(k for k in pair.deleted if k != schema))


def _indexed(index: Json) -> list[str]:
    return [c["expression"] for c in index["columns"] if not c.get("isExpression")]


def _keep_part(
    table: Json,
    other: Json,
    part: str,
    stays: set[str],
    columns: Callable[[Json], list[str]],
    *,
    targets: Mapping[str, object] | None = None,
) -> None:
    """Keep the indexes or constraints that left together with a column that stays."""
    for name, item in table[part].items():
        named = columns(item)
        if name in other[part] or not stays & set(named) or not all(c in other["columns"] for c in named):
            continue
        if targets is not None and f"{item.get('schemaTo') or 'public'}.{item['tableTo']}" not in targets:
            continue
        other[part][name] = item


def _in_old_order(old: Json, new: Json) -> Json:
    """Columns that were there in their old order, each new one behind the one it follows."""
    if list(new)[: len(old)] == list(old):
        return new
    known = [name for name in old if name in new]
    fresh = [name for name in new if name not in old]
    return {name: new[name] for name in (*known, *fresh)}
