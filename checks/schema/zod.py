"""Zod as far as schemas are made of it: the options of an enum (`pgEnum("role", roleSchema.options)`)."""

from checks.typescript.values import UNDEFINED, Native, Record, Site, Thing, Unknown, Value, listed


class ZodEnum(Thing):
    """`z.enum([…])` or `z.nativeEnum(Object)`: a validator that knows its options."""

    __slots__ = ("options",)

    def __init__(self, options: list[Value]) -> None:
        self.options = options

    def member(self, name: str, site: Site) -> Value:
        """Its options; every other member is a validator, of which no schema is made."""
        if name == "options":
            return list(self.options)
        if name in {"enum", "Enum", "Values"} and all(isinstance(option, str) for option in self.options):
            return Record((option, option) for option in self.options)
        return site.unknown("is a validator", inert=True)


class Zod(Thing):
    """`z`: everything but enums is a validator."""

    __slots__ = ()

    def member(self, name: str, site: Site) -> Value:
        """A function of zod."""
        return EXPORTS.get(name) or site.unknown("is a validator", inert=True)


def _enum(args: list[Value], site: Site) -> Value:
    given = args[0] if args else UNDEFINED
    if isinstance(given, Record):
        given = given.hole or [given[name] for name in given.names() if not name.isdigit()]
    options = listed(given)
    if options is None:
        return given if isinstance(given, Unknown) else site.unknown("is a validator", inert=True)
    return ZodEnum(options)


EXPORTS: dict[str, Value] = {"enum": Native("enum", _enum), "nativeEnum": Native("nativeEnum", _enum)}
Z = Zod()
