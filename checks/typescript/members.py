"""Properties of values: what `x.name` and `x[key]` are, and the elements that `...x` and `for (… of x)` give."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from checks.typescript import arrays, dates, strings
from checks.typescript.scopes import Closure, Namespace
from checks.typescript.values import (
    UNDEFINED,
    BigInt,
    Date,
    Instance,
    Native,
    Record,
    Regex,
    Site,
    Thing,
    Unknown,
    Value,
    text_of,
)

if TYPE_CHECKING:
    from checks.typescript.evaluate import Evaluator


class Collection:
    """A `Set` or a `Map` of plain keys."""

    __slots__ = ("entries", "is_map")

    def __init__(self, entries: list[tuple[Value, Value]], *, is_map: bool) -> None:
        self.is_map = is_map
        self.entries: dict[tuple[str, Value], tuple[Value, Value]] = {}
        for key, value in entries:
            self.set(key, value)

    def set(self, key: Value, value: Value) -> None:
        """Add an element."""
        token = (type(key).__name__, key if isinstance(key, str | int | float | bool) else id(key))
        before = self.entries.get(token)
        self.entries[token] = (before[0] if before else key, value)

    def get(self, key: Value) -> tuple[Value, Value] | None:
        """The entry of a key."""
        return self.entries.get((type(key).__name__, key if isinstance(key, str | int | float | bool) else id(key)))

    def items(self) -> list[Value]:
        """What looping over it gives."""
        return [[key, value] if self.is_map else key for key, value in self.entries.values()]


def get(ev: "Evaluator", value: Value, name: Value, site: Site) -> Value:  # noqa: C901, PLR0911, PLR0912 - one case a kind of value
    """The property `name` of a value."""
    if value.__class__ is Unknown:
        return value
    if name.__class__ is Unknown:
        return name
    if value.__class__ is list and isinstance(name, int | float):
        return arrays.element(value, name)
    key = text_of(name)
    if key is None:
        return site.unknown("has a key that is not known")
    if isinstance(value, Record):
        return _of_record(ev, value, key, site)
    if isinstance(value, Thing):
        if ev.added and id(value) in ev.added and key in ev.added[id(value)][1]:
            return _of_record(ev, ev.added[id(value)][1], key, site)
        return value.member(key, site)
    if value.__class__ is list:
        return arrays.member(ev, value, key, site)
    if isinstance(value, str):
        return strings.member(ev, value, key, site)
    if value.__class__ is Namespace:
        return value.get(key)
    if value.__class__ is Native:
        return value.extra.get(key, UNDEFINED) if key in value.extra else _of_function(ev, value, key, site)
    if value.__class__ is Closure:
        return _of_function(ev, value, key, site)
    if value is None or value is UNDEFINED:
        return site.unknown(f"reads `{key}` of {text_of(value)}")
    if value.__class__ is Collection:
        return _of_collection(ev, value, key, site)
    if isinstance(value, Date):
        return dates.member(value, key, site)
    if isinstance(value, int | float | BigInt) and key in {"toString", "valueOf", "toLocaleString", "toFixed"}:
        return _of_number(value, key)
    if isinstance(value, Regex):
        return strings.of_regex(value, key, site)
    return site.unknown(f"`.{key}` is not understood here")


def _of_record(ev: "Evaluator", record: Record, key: str, site: Site) -> Value:  # noqa: ARG001 - the signature is shared
    if key in record:
        value = record[key]
        return record.read(key, site) if value.__class__ is Unknown else value
    if isinstance(record, Instance) and record.kind is not None:
        found = record.kind.inherited(record, key, site)
        if found is not UNDEFINED:
            return found
    if record.hole is not None:
        return record.hole
    if key == "hasOwnProperty":
        return Native(key, lambda args, _s: bool(args) and text_of(args[0]) in record)
    if key in {"__proto__", "constructor", "toString", "valueOf", "prototype", "__defineGetter__"}:
        return site.unknown(f"`{key}` is not followed")
    return UNDEFINED


def _of_function(ev: "Evaluator", function: Value, key: str, site: Site) -> Value:
    if key == "name":
        return function.name
    if key == "call":
        return Native(key, lambda args, at: ev.call(function, args[1:], at))
    if key == "apply":
        return Native(key, lambda args, at: ev.call(function, items(args[1]) or [] if len(args) > 1 else [], at))
    if key == "bind":
        return Native(key, lambda bound, _s: Native(key, lambda args, at: ev.call(function, bound[1:] + args, at)))
    return site.unknown(f"`.{key}` of a function is not understood")


def _of_number(value: float | BigInt, key: str) -> Value:
    def convert(args: list[Value], at: Site) -> Value:
        if key == "valueOf":
            return value
        if key == "toString" and (not args or args[0] == 10):
            return text_of(value)
        if key == "toFixed" and isinstance(value, int) and isinstance(args[0] if args else 0, int):
            digits = args[0] if args else 0
            return f"{value}.{'0' * min(digits, 100)}" if digits else str(value)
        return at.unknown(f"`.{key}` of a number is not understood")

    return Native(key, convert)


def _of_collection(ev: "Evaluator", collection: Collection, key: str, site: Site) -> Value:
    def add(args: list[Value], _at: Site) -> Value:
        collection.set(args[0] if args else UNDEFINED, args[1] if len(args) > 1 else UNDEFINED)
        return collection

    def of_entry(pick: int) -> Callable[[list[Value], Site], Value]:
        def find(args: list[Value], _at: Site) -> Value:
            entry = collection.get(args[0] if args else UNDEFINED)
            return entry[pick] if entry else UNDEFINED

        return find

    entries = list(collection.entries.values())
    found: Value = {
        "size": len(entries),
        "add": Native("add", add),
        "set": Native("set", add),
        "has": Native("has", lambda args, _s: collection.get(args[0] if args else UNDEFINED) is not None),
        "get": Native("get", of_entry(1)),
        "keys": Native("keys", lambda _a, _s: [k for k, _ in entries]),
        "values": Native("values", lambda _a, _s: [v if collection.is_map else k for k, v in entries]),
        "entries": Native("entries", lambda _a, _s: [[k, v] if collection.is_map else [k, k] for k, v in entries]),
    }.get(key)
    if key == "forEach":
        rows = [[v, k] if collection.is_map else [k, k] for k, v in entries]
        return Native(key, lambda args, at: [ev.call(args[0], row, at) for row in rows] and UNDEFINED)
    return (
        site.unknown(f"`.{key}` of a {'Map' if collection.is_map else 'Set'} is not understood")
        if found is None
        else found
    )


def items(value: Value) -> list[Value] | None:
    """What looping over a value gives; None where it cannot be looped over or is not known."""
    if value.__class__ is list:
        return value
    if value.__class__ is Collection:
        return value.items()
    if isinstance(value, str):
        return list(value)
    return None


def keys(ev: "Evaluator", value: Value) -> list[Value] | None:  # noqa: ARG001 - the same shape as items
    """The names of the properties of a value; None where they are not all known."""
    if isinstance(value, Record):
        return None if value.hole else list(value.names())
    if value.__class__ is list:
        return [str(index) for index in range(len(value))]
    if value.__class__ is Namespace:
        return list(value.names())
    return None


def spread(value: Value, site: Site) -> Record | Unknown:  # noqa: PLR0911 - one case a kind of value
    """All properties of a value as an object."""
    if isinstance(value, Record):
        return value.plain(site)
    if value.__class__ is Unknown:
        return value
    if value.__class__ is Namespace:
        return Record((name, value.get(name)) for name in value.names())
    if value.__class__ is list:
        return Record((str(index), item) for index, item in enumerate(value))
    if isinstance(value, Thing):
        found = value.member("...", site)
        if isinstance(found, Record):
            return found
    if value is None or value is UNDEFINED:
        return Record()
    return site.unknown("has properties that are not known")


def as_text(ev: "Evaluator", value: Value, site: Site) -> Value:
    """`String(value)`, or Unknown."""
    text = text_of(value)
    if text is not None:
        return text
    if isinstance(value, Record) and "toString" in value:
        return ev.call(value["toString"], [], site)
    inside = next((v for v in value if v.__class__ is Unknown), None) if value.__class__ is list else None
    return site.unknown("has no text that is known") if inside is None else inside


def _date(_ev: "Evaluator", args: list[Value], site: Site) -> Value:
    return dates.make(args, site)


def _set(_ev: "Evaluator", args: list[Value], site: Site) -> Value:
    given = items(args[0]) if args and args[0] is not UNDEFINED and args[0] is not None else []
    if given is None or any(item.__class__ is Unknown for item in given):
        return site.unknown("is a Set of something that is not known")
    return Collection([(item, item) for item in given], is_map=False)


def _map(_ev: "Evaluator", args: list[Value], site: Site) -> Value:
    given = items(args[0]) if args and args[0] is not UNDEFINED and args[0] is not None else []
    if given is None or any(item.__class__ is not list or len(item) != 2 for item in given):
        return site.unknown("is a Map of something that is not known")
    return Collection([(item[0], item[1]) for item in given], is_map=True)


CONSTRUCTORS: dict[str, Callable[["Evaluator", list[Value], Site], Value]] = {"Date": _date, "Set": _set, "Map": _map}
