"""What differs between two catalogs, object by object, and as a text that reads like a code review."""

import difflib
from dataclasses import dataclass
from typing import Literal

from checks.catalog import dump, part
from checks.catalog.model import Catalog, Key, Object
from checks.catalog.tables import Column


@dataclass(frozen=True, slots=True)
class Change:
    """One object that is not the same on both sides; what is None is not there."""

    key: Key
    before: Object | None
    after: Object | None

    @property
    def what(self) -> Literal["created", "dropped", "changed"]:
        """In a word."""
        return "created" if self.before is None else "dropped" if self.after is None else "changed"


def equal(a: Catalog, b: Catalog) -> bool:
    """The two have the same objects; the order of a table's columns does not count."""
    return a.objects == b.objects


def changes(a: Catalog, b: Catalog) -> list[Change]:
    """Every object that differs, in the order of the dump."""
    a, b = part.of(a, b)
    found = [
        Change(key, before, after)
        for key, before in a.objects.items()
        if (after := b.objects.get(key)) is not before and after != before
    ]
    found += [Change(key, None, after) for key, after in b.objects.items() if key not in a.objects]
    return sorted(found, key=lambda change: dump.rank(change.key))


def unified(a: Catalog, b: Catalog, *, before: str = "before", after: str = "after", context: int = 3) -> str:
    """The difference of two dumps, of the changed objects only; empty where the catalogs are equal.

    Each hunk's header names the object. Columns stand as they are declared, on both sides in the same order.
    """
    found = changes(a, b)
    a, b = part.of(a, b)
    touched = {_home(change, a, b) for change in found}
    order = _order(a, b, touched)
    left, right = dump.cards(a, touched, order), dump.cards(b, touched, order)
    lines: list[str] = []
    for key in sorted(touched, key=dump.rank):
        lines += _hunks(key, left.get(key, []), right.get(key, []), context)
    if not lines:
        return ""
    return "\n".join([f"--- {before}", f"+++ {after}", *lines]) + "\n"


def _home(change: Change, a: Catalog, b: Catalog) -> Key:
    some = change.after or change.before
    if some is None:
        return change.key
    key = dump.home(some)
    if key in a.objects or key in b.objects:
        return key
    return ("view", *key[1:])


def _order(a: Catalog, b: Catalog, touched: set[Key]) -> dict[Key, int]:
    """Places for columns: as `b` declares them, and those that only `a` has after the column they followed there."""
    order: dict[Key, int] = {}
    before, after = _columns(a, touched), _columns(b, touched)
    for key in touched:
        old, new = before.get(key, []), after.get(key, [])
        kept = set(new)
        merged = list(new)
        for place, column in enumerate(old):
            if column not in kept:
                previous = old[place - 1] if place else None
                merged.insert(merged.index(previous) + 1 if previous in merged else 0, column)
        order.update({column: place for place, column in enumerate(merged)})
    return order


def _columns(catalog: Catalog, tables: set[Key]) -> dict[Key, list[Key]]:
    found: dict[Key, list[Column]] = {}
    for each in catalog:
        if isinstance(each, Column) and (table := dump.home(each)) in tables:
            found.setdefault(table, []).append(each)
    return {table: [c.key for c in sorted(columns, key=lambda c: c.position)] for table, columns in found.items()}


def _hunks(key: Key, old: list[str], new: list[str], context: int) -> list[str]:
    name = " ".join((key[0], ".".join(part for part in key[1:3] if part and part != "public")))
    lines = list(difflib.unified_diff(old, new, n=context, lineterm=""))[2:]
    return [f"{line} {name}" if line.startswith("@@") else line for line in lines]
