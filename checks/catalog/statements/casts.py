"""What a column's values become when its type changes."""

import re

from checks.catalog import names
from checks.catalog.tables import Column

_NUMBERS = ("smallint", "integer", "bigint", "numeric", "real", "double precision")
_TEXTS = ("text", "character varying", "character", "name", "public.citext", "citext")
_TIMES = ("date", "timestamp without time zone", "timestamp with time zone")
_FAMILIES = (
    frozenset(_NUMBERS),
    frozenset(_TEXTS),
    frozenset(_TIMES),
    frozenset({"time without time zone", "time with time zone", "interval"}),
    frozenset({"json", "jsonb"}),
    frozenset({"bit", "bit varying"}),
    frozenset({"inet", "cidr"}),
)
_SIZE = re.compile(r"\(([0-9]+)(?:,(-?[0-9]+))?\)")


def using(before: Column, after: Column) -> str:
    """The USING clause, empty where PostgreSQL converts by itself."""
    old, new = _base(before.type), _base(after.type)
    name = names.quoted(before.name)
    if old == new or new in _TEXTS or any(old in family and new in family for family in _FAMILIES):
        return ""
    if {old, new} == {"boolean", "integer"} or old in _TEXTS:
        return f" USING {name}::{after.type}"
    if new.endswith("[]") and not old.endswith("[]"):
        return f" USING CASE WHEN {name} IS NOT NULL THEN ARRAY[{name}::text]::{after.type} END"
    return f" USING {name}::text::{after.type}"


def loss(before: Column, after: Column) -> str:
    """What may be lost, in words; empty where every value stays what it is."""
    old, new = _base(before.type), _base(after.type)
    if old == new:
        return "" if _fits(before.type, after.type) else f"values that do not fit {after.type} fail or are rounded"
    if new == "text" or (new in _TEXTS and "(" not in after.type):
        return ""
    if old in _NUMBERS and new in _NUMBERS:
        wider = _NUMBERS.index(new) > _NUMBERS.index(old) and not (
            new == "real" or (old == "bigint" and new == "double precision")
        )
        fits = wider and (new != "numeric" or "(" not in after.type) and old != "numeric"
        return "" if fits else f"values that do not fit {after.type} fail or are rounded"
    if old in _TIMES and new in _TIMES and _TIMES.index(new) > _TIMES.index(old):
        return ""
    if (old, new) in {("json", "jsonb"), ("jsonb", "json"), ("inet", "cidr"), ("cidr", "inet")}:
        return ""
    return f"values that are no {after.type} fail"


def _fits(old: str, new: str) -> bool:
    was, now = _SIZE.search(old), _SIZE.search(new)
    if now is None:
        return True
    if was is None:
        return False
    whole_before = int(was[1]) - int(was[2] or 0)
    whole_after = int(now[1]) - int(now[2] or 0)
    return whole_after >= whole_before and int(now[2] or 0) >= int(was[2] or 0)


def _base(kind: str) -> str:
    return _SIZE.sub("", kind).replace("  ", " ").strip()
