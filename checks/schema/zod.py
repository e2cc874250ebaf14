"""Validators as far as schemas are made of them: the options of an enum (`pgEnum("role", roleSchema.options)`)."""

from collections.abc import Callable, Mapping

from checks.typescript.values import UNDEFINED, Native, Record, Site, Thing, Unknown, Value, listed

_SAME = frozenset({"describe", "brand", "meta", "readonly", "register", "superRefine", "refine", "annotations"})


class ZodEnum(Thing):
    """`z.enum([…])` or `z.nativeEnum(Object)`: a validator that knows its options, and the object it was made of."""

    __slots__ = ("names", "options")

    def __init__(self, options: list[Value], names: Record | None = None) -> None:
        self.options = options
        self.names = names

    def member(self, name: str, site: Site) -> Value:
        """Its options; every other member is a validator, of which no schema is made."""
        if name == "options":
            return list(self.options)
        if name in {"enum", "Enum", "Values"}:
            return self._object(site)
        if name in {"exclude", "extract"} and self.names is None:
            return Native(name, lambda args, at: self._part(args, at, keep=name == "extract"))
        if name in _SAME:
            return Native(name, lambda _a, _s: self)
        return site.unknown("is a validator", inert=True)

    def _object(self, site: Site) -> Value:
        if self.names is not None:
            return self.names
        if all(isinstance(option, str) for option in self.options):
            return Record((option, option) for option in self.options)
        return site.unknown("is a validator", inert=True)

    def _part(self, args: list[Value], site: Site, *, keep: bool) -> Value:
        chosen = listed(args[0]) if args else None
        if chosen is None or not all(isinstance(item, str) for item in [*chosen, *self.options]):
            return site.unknown("is a validator", inert=True)
        return ZodEnum([option for option in self.options if (option in chosen) == keep])


class Known(Thing):
    """A validator of which some properties are known: `z.object({…}).shape`, `z.literal("x").value`."""

    __slots__ = ("members",)

    def __init__(self, **members: Value) -> None:
        self.members = members

    def member(self, name: str, site: Site) -> Value:
        """The property; any other is a validator."""
        if name in self.members:
            return self.members[name]
        if name in _SAME:
            return Native(name, lambda _a, _s: self)
        return site.unknown("is a validator", inert=True)


class Library(Thing):
    """`z`, `v`, `Schema`: every member that is not known makes a validator."""

    __slots__ = ("exports",)

    def __init__(self, exports: Mapping[str, Value]) -> None:
        self.exports = exports

    def member(self, name: str, site: Site) -> Value:
        """A function of the library."""
        return self.exports.get(name) or site.unknown("is a validator", inert=True)


def _lost(given: Value, site: Site) -> Unknown:
    return given if isinstance(given, Unknown) else site.unknown("is a validator", inert=True)


def _enum(args: list[Value], site: Site) -> Value:
    given = args[0] if args else UNDEFINED
    names = None
    if isinstance(given, Record):
        names = given
        # A number is also mapped back to its name: such keys are none of the enum's.
        given = given.hole or [given[name] for name in given.names() if not name.lstrip("-").isdigit()]
    options = listed(given)
    return _lost(given, site) if options is None else ZodEnum(options, names)


def _object(args: list[Value], _site: Site) -> Value:
    shape = args[0] if args and isinstance(args[0], Record) else UNDEFINED
    if not isinstance(shape, Record):
        return Known()
    keys: list[Value] = [shape.hole] if shape.hole else list(shape.names())
    return Known(shape=shape, keyof=Native("keyof", lambda _a, _s: ZodEnum(keys)))


def _literal(args: list[Value], _site: Site) -> Value:
    given = args[0] if args else UNDEFINED
    return Known(value=given, values=listed(given) or [given], literal=given, options=listed(given) or [given])


def _union(args: list[Value], site: Site) -> Value:
    given = listed(args[0]) if args else None
    return _lost(args[0] if args else UNDEFINED, site) if given is None else Known(options=list(given))


def _array(args: list[Value], _site: Site) -> Value:
    return Known(element=args[0] if args else UNDEFINED)


def _literals(args: list[Value], _site: Site) -> Value:
    return Known(literals=list(args))


def _named(given: Mapping[str, Callable[[list[Value], Site], Value]]) -> dict[str, Value]:
    return {name: Native(name, call) for name, call in given.items()}


_ZOD = _named({
    "enum": _enum, "nativeEnum": _enum, "object": _object, "strictObject": _object, "literal": _literal, "union": _union,
    "array": _array,
})  # fmt: skip
Z = Library(_ZOD)
_EFFECT = Library(_named({"Literal": _literals}))
_VALIBOT = _named({"picklist": _enum, "enum": _enum, "enum_": _enum, "literal": _literal})

ZOD: dict[str, Value] = {"z": Z, "default": Z, **_ZOD}
EXPORTS: dict[str, Mapping[str, Value]] = {
    **dict.fromkeys(("zod", "zod/v3", "zod/v4", "zod/mini", "zod/v4-mini", "zod/v4/mini", "@hono/zod-openapi"), ZOD),
    "valibot": _VALIBOT,
    "effect": {"Schema": _EFFECT},
    "effect/Schema": {"Literal": _EFFECT.exports["Literal"]},
    "@effect/schema/Schema": {"Literal": _EFFECT.exports["Literal"]},
}
