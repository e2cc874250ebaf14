"""The functions of `Object`, as compilers and people use them on plain objects."""

from typing import TYPE_CHECKING

from checks.typescript import members
from checks.typescript.scopes import Namespace
from checks.typescript.values import UNDEFINED, Native, Record, Site, Thing, Unknown, Value, text_of, truthy

if TYPE_CHECKING:
    from checks.typescript.evaluate import Evaluator

NAMES = ("keys", "values", "entries", "fromEntries", "assign", "freeze", "seal", "getOwnPropertyNames", "hasOwn", "create",
         "defineProperty", "defineProperties", "getOwnPropertyDescriptor", "preventExtensions")  # fmt: skip


def prototype() -> Record:
    """`Object.prototype`: only `hasOwnProperty.call(object, name)` is understood."""

    def has(args: list[Value], site: Site) -> Value:
        return _has(args[0], args[1], site) if len(args) > 1 else False

    return Record(
        hasOwnProperty=Native(
            "hasOwnProperty", lambda _a, s: s.unknown("`this` is not known"), {"call": Native("call", has)}
        )
    )


def call(ev: "Evaluator", name: str, args: list[Value], site: Site) -> Value:
    """What `Object.name(…)` gives.

    Raises:
        TypeError, IndexError: it is called in a way that is not understood.
    """
    if name in {"freeze", "seal", "preventExtensions"}:
        return args[0]
    if name in {"keys", "values", "entries", "getOwnPropertyNames"}:
        return _listed(name, args[0], site)
    if name in {"hasOwn", "getOwnPropertyDescriptor"}:
        return (_has if name == "hasOwn" else _descriptor)(args[0], args[1], site)
    if name == "fromEntries":
        return _from_entries(args[0], site)
    if name == "assign" and isinstance(args[0], Thing) and not any(arg.__class__ is Unknown for arg in args):
        added = ev.added.setdefault(id(args[0]), (args[0], Record()))
        _assign([added[1], *args[1:]], site)
        return args[0]
    return _assign(args, site) if name == "assign" else _made(ev, name, args, site)


def _listed(name: str, value: Value, site: Site) -> Value:
    record = members.spread(value, site)
    if isinstance(record, Unknown):
        return record
    rest = [Unknown(record.hole.path, record.hole.line, record.hole.why, many=True)] if record.hole else []
    if name == "values":
        return [*(record[key] for key in record.names()), *rest]
    if name == "entries":
        return [*([key, record[key]] for key in record.names()), *rest]
    return [*record.names(), *rest]


def _made(ev: "Evaluator", name: str, args: list[Value], site: Site) -> Value:
    """`create`, `defineProperty` and `defineProperties`."""
    if name == "create" and args == [None]:
        return Record()
    if name == "defineProperty":
        return _define(ev, args[0], args[1], args[2], site)
    if name == "create" or not isinstance(args[1], Record) or args[1].hole is not None:
        raise TypeError
    for key, descriptor in args[1].items():
        _define(ev, args[0], key, descriptor, site)
    return args[0]


def _has(value: Value, name: Value, site: Site) -> Value:
    key = text_of(name)
    if value.__class__ is Namespace and key is not None:
        return key in value.names()
    if key is None or not isinstance(value, Record) or (value.hole is not None and key not in value):
        return site.unknown("has properties that are not known")
    return key in value


def _define(ev: "Evaluator", target: Value, name: Value, descriptor: Value, site: Site) -> Value:
    """A property with a descriptor. One that is not listed is not copied either, so the object is not fully known then."""
    key = text_of(name)
    if isinstance(target, Thing) and key is not None and isinstance(descriptor, Record) and descriptor.hole is None:
        added = ev.added.setdefault(id(target), (target, Record()))
        return _define(ev, added[1], name, Record(descriptor | {"enumerable": True}), site) and target
    if not isinstance(target, Record):
        ev.program.remark(site, "defines a property of something that is not a plain object")
        return target
    if key == "__esModule":
        return target
    if key is None or key == "__proto__" or not isinstance(descriptor, Record) or descriptor.hole is not None:
        target.hole = target.hole or site.unknown("defines a property that is not known")
        return target
    listed = truthy(descriptor.get("enumerable", UNDEFINED))
    if listed is not True:
        target.hole = target.hole or site.unknown(f"defines `{key}` as a property that is not listed")
    elif "get" in descriptor:
        getter = descriptor["get"]
        target.get_by(key, lambda _this, at: ev.call(getter, [], at), site)
    else:
        target[key] = descriptor.get("value", UNDEFINED)
    return target


def _descriptor(value: Value, name: Value, site: Site) -> Value:
    has = _has(value, name, site)
    if has is not True:
        return UNDEFINED if has is False else has
    flags = dict.fromkeys(("writable", "enumerable", "configurable"), True)
    if isinstance(value, Record):
        return Record({"value": value.read(text_of(name) or "", site), **flags})
    return Record({"value": value.get(text_of(name) or ""), **flags})


def _from_entries(given: Value, site: Site) -> Value:
    record = Record()
    for pair in members.items(given) or [site.unknown("is not a list of pairs")]:
        if pair.__class__ is list and len(pair) == 2:
            key = pair[0] if pair[0].__class__ is Unknown else text_of(pair[0])
            if isinstance(key, str) and key != "__proto__":
                record[key] = pair[1]
                continue
            pair = key  # noqa: PLW2901 - the key is what is not known
        record.hole = pair if isinstance(pair, Unknown) else site.unknown("is not a list of pairs")
    return record


def _assign(args: list[Value], site: Site) -> Value:
    target = args[0]
    if not isinstance(target, Record):
        return site.unknown("`Object.assign` to something that is not a plain object")
    for source in args[1:]:
        spread = members.spread(source, site)
        if isinstance(spread, Unknown):
            target.hole = spread
        else:
            target.update((name, spread[name]) for name in spread.names())
            target.hole = target.hole or spread.hole
    return target
