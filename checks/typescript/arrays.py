"""The methods of arrays. An Unknown that stands for many elements spoils only what depends on it."""

import functools
from collections.abc import Callable
from typing import TYPE_CHECKING

from checks.typescript import arithmetic
from checks.typescript.values import UNDEFINED, Native, Site, Unknown, Value, number, text_of, too_big, truthy

if TYPE_CHECKING:
    from checks.typescript.evaluate import Evaluator

_LONGEST = 100_000
_Method = Callable[["Evaluator", list[Value], list[Value], Site], Value]


class Unsure(Exception):  # noqa: N818 - carries an Unknown out of a loop
    """A test gave an Unknown."""

    def __init__(self, unknown: Unknown) -> None:
        super().__init__(unknown.why)
        self.unknown = unknown


def hole(items: list[Value]) -> Unknown | None:
    """The Unknown that stands for many elements, if there is one."""
    return next((item for item in items if item.__class__ is Unknown and item.many), None)


def element(items: list[Value], index: float) -> Value:
    """`items[index]`."""
    if index != int(index) or not 0 <= index < len(items):
        return hole(items) or UNDEFINED
    many = next((i for i, item in enumerate(items) if item.__class__ is Unknown and item.many), None)
    return items[int(index)] if many is None or index < many else items[many]


def member(ev: "Evaluator", items: list[Value], key: str, site: Site) -> Value:  # noqa: C901 - one case a kind of value
    """A property of an array."""
    if key == "length":
        return hole(items) or len(items)
    if key.isdigit():
        return element(items, int(key))
    if key == "raw":
        return items  # of a template's strings
    method = _METHODS.get(key)
    if method is None:
        return site.unknown(f"`.{key}` of an array is not understood")
    if key not in _WITH_HOLES:
        unknown = hole(items)
        if unknown is not None:
            return Native(key, lambda _a, _s: unknown)

    def call(args: list[Value], at: Site) -> Value:
        try:
            result = method(ev, items, args, at)
        except Unsure as unsure:
            return unsure.unknown
        except (IndexError, TypeError, ValueError):
            return at.unknown("calls a method of an array in a way that is not understood")
        if result.__class__ is list and len(result) > _LONGEST:
            return at.unknown(f"is an array of more than {_LONGEST} elements")
        return result

    return Native(key, call)


def _apply(ev: "Evaluator", function: Value, items: list[Value], at: Site) -> list[Value]:
    return [
        item if item.__class__ is Unknown and item.many else ev.call(function, [item, index, items], at)
        for index, item in enumerate(items)
    ]


def _test(ev: "Evaluator", function: Value, item: Value, index: int, items: list[Value], at: Site) -> bool:  # noqa: PLR0917 - the parts of one key
    truth = truthy(ev.call(function, [item, index, items], at))
    if isinstance(truth, Unknown):
        raise Unsure(truth)
    return truth


def _filter(ev: "Evaluator", items: list[Value], args: list[Value], at: Site) -> Value:
    kept: list[Value] = []
    for index, item in enumerate(items):
        if item.__class__ is Unknown:
            kept.append(item)
            continue
        truth = truthy(ev.call(args[0], [item, index, items], at))
        if isinstance(truth, Unknown):
            kept.append(Unknown(truth.path, truth.line, truth.why, many=True))
        elif truth:
            kept.append(item)
    return kept


def _reduce(ev: "Evaluator", items: list[Value], args: list[Value], at: Site) -> Value:
    rest = list(enumerate(items))
    if len(args) > 1:
        total = args[1]
    elif rest:
        total = rest.pop(0)[1]
    else:
        raise IndexError
    for index, item in rest:
        total = ev.call(args[0], [total, item, index, items], at)
    return total


def _flat(items: list[Value], depth: float) -> list[Value]:
    if too_big(items):
        raise ValueError
    out: list[Value] = []
    for item in items:
        if item.__class__ is list and depth >= 1:
            out += _flat(item, min(depth, 20) - 1)
        else:
            out.append(item)
        if len(out) > _LONGEST:
            raise ValueError
    return out


def _concat(_ev: "Evaluator", items: list[Value], args: list[Value], _at: Site) -> Value:
    out = list(items)
    for arg in args:
        out += arg if arg.__class__ is list else [arg]
    return out


def _slice(_ev: "Evaluator", items: list[Value], args: list[Value], _at: Site) -> Value:
    start = int(args[0]) if args and args[0] is not UNDEFINED else 0
    return items[start:] if len(args) < 2 or args[1] is UNDEFINED else items[start : int(args[1])]


def _join(ev: "Evaluator", items: list[Value], args: list[Value], at: Site) -> Value:  # noqa: ARG001 - the signature is shared
    separator = args[0] if args and args[0] is not UNDEFINED else ","
    parts: list[str] = []
    for item in items:
        if item.__class__ is Unknown:
            return item
        text = "" if item is None or item is UNDEFINED else text_of(item)
        if text is None:
            return at.unknown("joins something that has no known text")
        parts.append(text)
    return separator.join(parts)


def _sort(ev: "Evaluator", items: list[Value], args: list[Value], at: Site) -> Value:
    if any(item.__class__ is Unknown for item in items):
        raise TypeError
    if args and args[0] is not UNDEFINED:

        def compare(a: Value, b: Value) -> int:
            result = ev.call(args[0], [a, b], at)
            if isinstance(result, Unknown):
                raise Unsure(result)
            return (result > 0) - (result < 0)

        items.sort(key=functools.cmp_to_key(compare))
    else:
        items.sort(key=lambda v: (text_of(v) or "").encode("utf-16-be", "surrogatepass"))
    return items


def _push(_ev: "Evaluator", items: list[Value], args: list[Value], _at: Site) -> Value:
    if len(items) + len(args) > _LONGEST:
        raise ValueError
    items += args
    return len(items)


def _find(ev: "Evaluator", items: list[Value], args: list[Value], at: Site) -> Value:
    return next((item for i, item in enumerate(items) if _test(ev, args[0], item, i, items, at)), UNDEFINED)


def _index(_ev: "Evaluator", items: list[Value], args: list[Value], _at: Site) -> int:
    for item in (*items, args[0]):
        if item.__class__ is Unknown:
            raise Unsure(item)
    return next((i for i, item in enumerate(items) if arithmetic.same(item, args[0])), -1)


def _reverse(_ev: "Evaluator", items: list[Value], _args: list[Value], _at: Site) -> Value:
    items.reverse()
    return items


def _unshift(_ev: "Evaluator", items: list[Value], args: list[Value], _at: Site) -> Value:
    items[:0] = args
    return len(items)


def _at(_ev: "Evaluator", items: list[Value], args: list[Value], _at: Site) -> Value:
    index = int(args[0]) if args else 0
    return items[index] if -len(items) <= index < len(items) else UNDEFINED


_METHODS: dict[str, _Method] = {
    "map": lambda ev, items, args, at: _apply(ev, args[0], items, at),
    "forEach": lambda ev, items, args, at: (_apply(ev, args[0], items, at), UNDEFINED)[1],
    "flatMap": lambda ev, items, args, at: _flat(_apply(ev, args[0], items, at), 1),
    "filter": _filter,
    "reduce": _reduce,
    "flat": lambda _ev, items, args, _at: _flat(items, number(args[0]) if args else 1),
    "concat": _concat,
    "slice": _slice,
    "join": _join,
    "sort": _sort,
    "toSorted": lambda ev, items, args, at: _sort(ev, list(items), args, at),
    "reverse": _reverse,
    "toReversed": lambda _ev, items, _args, _at: items[::-1],
    "push": _push,
    "unshift": _unshift,
    "pop": lambda _ev, items, _args, _at: items.pop() if items else UNDEFINED,
    "shift": lambda _ev, items, _args, _at: items.pop(0) if items else UNDEFINED,
    "find": _find,
    "indexOf": _index,
    "includes": lambda ev, items, args, at: _index(ev, items, args, at) >= 0,
    "some": lambda ev, items, args, at: any(_test(ev, args[0], x, i, items, at) for i, x in enumerate(items)),
    "every": lambda ev, items, args, at: all(_test(ev, args[0], x, i, items, at) for i, x in enumerate(items)),
    "at": _at,
    "keys": lambda _ev, items, _args, _at: list(range(len(items))),
    "values": lambda _ev, items, _args, _at: list(items),
    "entries": lambda _ev, items, _args, _at: [[i, item] for i, item in enumerate(items)],
    "toString": lambda ev, items, _args, at: _join(ev, items, [], at),
}
_WITH_HOLES = frozenset({"map", "forEach", "flatMap", "filter", "concat", "push", "unshift", "flat"})
