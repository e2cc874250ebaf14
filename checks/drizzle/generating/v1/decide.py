"""Pairs what is gone with what is new among v1 rows, renames what was renamed, keeps what is pending, and compares the rest."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from checks.drizzle.entities import Row
from checks.drizzle.generating.choices import Choices
from checks.drizzle.generating.v1 import state as states
from checks.drizzle.generating.v1.pending import Pending
from checks.drizzle.generating.v1.state import Compared, State

_Renamed = list[tuple[Row, Row]]
# drizzle-kit asks in this order. What only has another name it would rename, too: there one is asked for the same thing alone.
_THINGS = (("schemas", "schema"), ("enums", "enum"), ("sequences", "sequence"), ("roles", "role"), ("tables", "table"))
_SAME = (("uniques", "unique constraint"), ("checks", "check"), ("indexes", "index"), ("pks", "primary key"), ("fks", "foreign key"))  # fmt: skip
_GENERATED = ("uniques", "fks", "pks", "indexes")


@dataclass
class Decided:
    """Two schemas with the same names for the same things.

    Attributes:
        before: the last snapshot's, renamed.
        after: what schema.ts wants, and what is pending.
        renamed: by kind, each thing as it was called, and as it is.
        deltas: the renames as a v9 snapshot keeps them.
        pending: columns that left schema.ts and stay for now.
    """

    before: State
    after: State
    renamed: dict[str, _Renamed] = field(default_factory=lambda: defaultdict(list))
    deltas: list[Row] = field(default_factory=list[Row])
    pending: tuple[str, ...] = ()

    @cached_property
    def compared(self) -> Compared:
        """What comes, goes and changes."""
        return states.compare(self.before, self.after)

    def part(self, kind: str) -> tuple[list[Row], list[Row]]:
        """What comes and what goes of a kind, table by table."""
        return states.grouped(self.compared.of(kind))

    @cached_property
    def _tables(self) -> tuple[set[tuple[str, str]], set[tuple[str, str]]]:
        found = self.compared.of("tables")
        new, gone = ({(row["schema"], row["name"]) for row in rows} for rows in (found.created, found.dropped))
        return new, gone

    def is_new(self, row: Row) -> bool:
        """Its table comes with it."""
        return (row["schema"], row["table"]) in self._tables[0]

    def is_gone(self, row: Row) -> bool:
        """Its table goes."""
        return (row["schema"], row["table"]) in self._tables[1]

    def rename(self, kind: str, old: Row, new: Row) -> None:
        """Give a thing its new name, with all that names it."""
        was = dict(old)
        change = {name: new[name] for name in ("name", "schema") if name in new}
        made = self.before.rename(old, change)
        if made is not None:
            self.renamed[kind].append((was, new))
            self.deltas.append(made)


def decide(before: State, after: State, choices: Choices) -> Decided:
    """The two schemas, with every answer applied; what is unanswered is in `choices.open`.

    Raises:
        Unreconstructable: a thing is to be renamed to the name of another.
    """
    made = Decided(before, after)
    for kind, word in _THINGS:
        _pair(made, word, before.of(kind), after.of(kind), choices)
    pending = Pending(before, after)
    for table in list(before.of("tables")):
        if after.get("tables", table["schema"], table["name"]) is not None:
            _columns(made, table, choices, pending)
    pending.complete()
    made.pending = tuple(pending.found)
    keep_generated_names(before, after)
    for kind, word in _SAME:
        _same_again(made, kind, word, choices)
    for place in dict.fromkeys((r["schema"], r["table"]) for r in (*after.of("policies"), *before.of("policies"))):
        _pair(made, "policy", before.inside("policies", *place), after.inside("policies", *place), choices)
    _pair(made, "view", before.of("views"), after.of("views"), choices)
    _keep_order_of_roles(made)
    return made


def label(row: Row) -> str:
    """A thing as people write it: without `public`."""
    parts = (row.get("schema") if row.get("schema") != "public" else None, row.get("table"), row["name"])
    return ".".join(part for part in parts if part)


def _pair(made: Decided, word: str, old: Iterable[Row], new: Iterable[Row], choices: Choices) -> None:
    was, now = {states.key(row): row for row in old}, {states.key(row): row for row in new}
    gone = {label(row): row for key, row in was.items() if key not in now}
    came = {label(row): row for key, row in now.items() if key not in was}
    for left, right in choices.pair(word, list(gone), list(came)).renamed:
        made.rename(gone[left]["entityType"], gone[left], came[right])


def _columns(made: Decided, table: Row, choices: Choices, pending: Pending) -> None:
    place = (table["schema"], table["name"])
    was, now = ({row["name"]: row for row in s.inside("columns", *place)} for s in (made.before, made.after))
    gone = {label(row): row for name, row in was.items() if name not in now}
    came = {label(row): row for name, row in now.items() if name not in was}
    may_stay = [name for name, row in gone.items() if pending.possible(row)]
    stuck = [name for name, row in gone.items() if name not in may_stay and pending.free(row)]
    pair = choices.pair("column", list(gone), list(came), may_stay, stuck)
    for left, right in pair.renamed:
        made.rename("columns", gone[left], came[right])
    for name in pair.deleted:
        if name in may_stay and name not in choices.drops:
            pending.keep(name, gone[name])


def _meaning(row: Row, *, without: tuple[str, ...] = ("name", "nameExplicit")) -> str:
    return repr([(key, value) for key, value in row.items() if key not in without])


def keep_generated_names(before: State, after: State) -> None:
    """A name that Drizzle made up stays when the table or column that it was made of is called something else."""
    for kind in _GENERATED:
        wanted: dict[str, list[Row]] = defaultdict(list)
        for row in after.of(kind):
            if row["nameExplicit"] is False:
                wanted[_meaning(row)].append(row)
        for old in list(before.of(kind)):
            found = [] if old["nameExplicit"] else wanted.get(_meaning(old), [])
            if len(found) == 1 and states.key({**found[0], "name": old["name"]}) not in after:
                after.rename(found[0], {"name": old["name"]})


def _same_again(made: Decided, kind: str, word: str, choices: Choices) -> None:
    """Constraints and indexes: the same under another name may be a rename; anything else is dropped and made."""
    old = {states.key(row): row for row in made.before.of(kind)}
    new = {states.key(row): row for row in made.after.of(kind)}
    gone = [row for key, row in old.items() if key not in new]
    came = [row for key, row in new.items() if key not in old]
    choices.gone.update(map(label, gone))
    by_meaning: dict[str, list[Row]] = defaultdict(list)
    for row in came:
        by_meaning[_meaning(row)].append(row)
    for row in gone:
        answer = choices.renames.get(label(row))
        table = (row["schema"], row["table"])
        twins = [r for r in came if (r["schema"], r["table"]) == table and label(r) == answer] or by_meaning[
            _meaning(row)
        ]
        if not twins:
            continue
        names = {label(twin): twin for twin in twins}
        for _, right in choices.pair(word, [label(row)], list(names)).renamed:
            made.rename(kind, row, names[right])
            came.remove(names[right])
            by_meaning[_meaning(names[right])] = [r for r in by_meaning[_meaning(names[right])] if r in came]


def _keep_order_of_roles(made: Decided) -> None:
    """The same roles in another order are no change."""
    for row in made.after.of("policies"):
        old: dict[str, Any] | None = made.before.get("policies", row["schema"], row["table"], row["name"])
        if old is not None and sorted(old["roles"]) == sorted(row["roles"]):
            row["roles"] = list(old["roles"])
