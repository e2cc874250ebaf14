"""The values that an expression can have: what is known exactly, and Unknown with the place and the reason."""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, TypeAlias

from checks.typescript.syntax import Node, line

Value: TypeAlias = Any  # str, bool, int, float, None (null), list (an array) or one of the classes below


class Undefined:
    """JavaScript's `undefined`."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "undefined"

    def __bool__(self) -> bool:
        return False


UNDEFINED: Final = Undefined()


@dataclass(frozen=True, slots=True)
class Unknown:
    """A value that reading alone cannot tell; whatever is made of it is the same Unknown.

    Attributes:
        path: of the file that holds the expression.
        line: 1-based line of the expression.
        why: one phrase, e.g. `depends on the environment (process.env.X)`.
        inert: it is surely nothing that a schema is made of (an instance of a class, a validator, a server).
        many: in an array, it stands for any number of elements.
        source: the package that it is a value of, where it is one.
    """

    path: str
    line: int
    why: str
    inert: bool = False
    many: bool = False
    source: str = ""


@dataclass(frozen=True, slots=True)
class BigInt:
    """A `bigint`."""

    value: int


@dataclass(frozen=True, slots=True)
class Date:
    """A `Date`, in milliseconds since 1970."""

    ms: int

    def iso(self) -> str:
        """What `toISOString()` gives."""
        moment = datetime.fromtimestamp(self.ms // 1000, tz=UTC)
        return f"{moment:%Y-%m-%dT%H:%M:%S}.{self.ms % 1000:03d}Z"


class Record(dict[str, Value]):
    """An object literal.

    Attributes:
        hole: set where it may have more properties than those listed.
        getters: what gives a property each time it is read (the item itself is an Unknown, for whoever does not ask).
    """

    # Not set for each object: most have neither, and there are very many objects.
    hole: Unknown | None = None
    getters: dict[str, Callable[[Value, "Site"], Value]] | None = None

    def get_by(self, name: str, getter: Callable[[Value, "Site"], Value], site: "Site") -> None:
        """Add a property that a function gives, which is handed the object."""
        self[name] = site.unknown(f"`{name}` is a getter")
        self.getters = {**(self.getters or {}), name: getter}

    def read(self, name: str, site: "Site") -> Value:
        """The value of a property that there is."""
        value = self[name]
        if value.__class__ is Unknown and self.getters is not None and name in self.getters:
            return self.getters[name](self, site)
        return value

    def plain(self, site: "Site") -> "Record":
        """The object as a copy of it (`{...it}`) is: what its getters give now instead of the getters."""
        if self.getters is None:
            return self
        record = Record((name, self.read(name, site)) for name in self.names())
        record.hole = self.hole
        return record

    def names(self) -> list[str]:
        """Its keys in JavaScript's order: integers ascending, then the others as they were added."""
        integers = [key for key in self if key.isascii() and key.isdigit() and (key == "0" or key[0] != "0")]
        if not integers:
            return list(self)
        small = {key for key in integers if int(key) < 2**32 - 1}
        return sorted(small, key=int) + [key for key in self if key not in small]


class Instance(Record):
    """An object that a class made (`kind`), or the static members of one; private members are not listed."""

    def __init__(self, kind: Any = None) -> None:  # noqa: ANN401 - a class of the source, which knows its members
        super().__init__()
        self.kind = kind

    def names(self) -> list[str]:
        """Its keys, without those that begin with `#`."""
        return [name for name in super().names() if name[:1] != "#"]

    def plain(self, site: "Site") -> Record:
        """A copy without private members."""
        record = Record((name, self.read(name, site)) for name in self.names())
        record.hole = self.hole
        return record


class Regex:
    """A regular expression literal; replacing by it is done where Python's engine agrees with JavaScript's."""

    __slots__ = ("flags", "pattern")

    def __init__(self, pattern: str, flags: str) -> None:
        self.pattern = pattern
        self.flags = flags


@dataclass(
    eq=False, slots=True
)  # not frozen: one is made for every call and property, and that would take four times as long
class Site:
    """Where a call stands, so that what it cannot know can be placed."""

    path: str
    node: Node

    @property
    def line(self) -> int:
        """The 1-based line."""
        return line(self.node)

    def unknown(self, why: str, *, inert: bool = False) -> Unknown:
        """An Unknown that is rooted here."""
        return Unknown(self.path, self.line, why, inert=inert)


class Native:
    """A function of the library; it gets evaluated arguments and the place of the call."""

    __slots__ = ("call", "extra", "name")

    def __init__(
        self, name: str, call: Callable[[list[Value], Site], Value], extra: dict[str, Value] | None = None
    ) -> None:
        self.name = name
        self.call = call
        self.extra = extra or {}


class Thing:
    """A value of the library that has members and perhaps can be called."""

    __slots__ = ()

    def member(self, name: str, site: Site) -> Value:
        """The value of a property; UNDEFINED where there is none."""
        return site.unknown(f"`.{name}` of {type(self).__name__} is not understood")

    def call(self, args: list[Value], site: Site) -> Value:  # noqa: ARG002 - the signature is the protocol
        """What calling it gives."""
        return site.unknown(f"calling {type(self).__name__} is not understood")

    def put(self, name: str, value: Value) -> bool:  # noqa: ARG002 - the signature is the protocol
        """Assign to a property; whether that is possible."""
        return False


def listed(value: Value) -> list[Value] | None:
    """The elements of an array; None where it is none."""
    return value if isinstance(value, list) else None  # pyright: ignore[reportUnknownVariableType] - of Values


def known(*values: Value) -> Unknown | None:
    """The first Unknown among the values, if any."""
    for value in values:
        if value.__class__ is Unknown:
            return value
    return None


def unknowns(value: Value) -> Iterator[Unknown]:
    """Every Unknown inside arrays and objects."""
    waiting, seen = [value], set[int]()
    while waiting:
        here = waiting.pop()
        if here.__class__ is Unknown:
            yield here
        elif (here.__class__ is list or isinstance(here, Record)) and id(here) not in seen:
            seen.add(id(here))
            inside = (
                [*here.values(), *([here.hole] if here.hole is not None else [])] if isinstance(here, Record) else here
            )
            waiting += reversed(inside)


_PIECES = 100_000
_LEVELS = 200


def too_big(value: Value) -> bool:
    """It would be huge or very deep when it is printed: an array may hold one array twice, and that another twice."""
    waiting: list[tuple[Value, int]] = [(value, 0)]
    count = 0
    while waiting:
        here, depth = waiting.pop()
        count += 1
        if count > _PIECES or depth > _LEVELS:
            return True
        if here.__class__ is list:
            waiting += [(item, depth + 1) for item in here]
        elif isinstance(here, Record):
            waiting += [(item, depth + 1) for item in here.values()]
    return False


def truthy(value: Value) -> bool | Unknown:
    """JavaScript's truth of a value."""
    if value.__class__ is Unknown:
        return value
    if value is None or value is UNDEFINED:
        return False
    if isinstance(value, bool | str):
        return bool(value)
    if isinstance(value, int | float):
        return not (value == 0 or (isinstance(value, float) and math.isnan(value)))
    if isinstance(value, BigInt):
        return value.value != 0
    return True


def number_text(value: float) -> str:  # noqa: PLR0911 - one case a kind of value
    """A number as JavaScript prints it."""
    if isinstance(value, int):
        if abs(value) <= 2**53:
            return str(value)
        value = float(value)
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    sign = "-" if value < 0 else ""
    mantissa, _, exponent = repr(abs(value)).partition("e")
    whole, _, fraction = mantissa.partition(".")
    fraction = "" if fraction == "0" else fraction
    digits = (whole + fraction).lstrip("0") or "0"
    point = len(whole) + int(exponent or 0) if whole != "0" else len(digits) - len(fraction) + int(exponent or 0)
    digits = digits.rstrip("0") or "0"
    if len(digits) <= point <= 21:
        return sign + digits + "0" * (point - len(digits)) if digits != "0" else "0"
    if 0 < point <= 21:
        return f"{sign}{digits[:point]}.{digits[point:]}"
    if -6 < point <= 0 and digits != "0":
        return f"{sign}0.{'0' * -point}{digits}"
    if digits == "0":
        return "0"
    power = point - 1
    head = digits[0] + (f".{digits[1:]}" if len(digits) > 1 else "")
    return f"{sign}{head}e{'+' if power > 0 else '-'}{abs(power)}"


def text_of(value: Value) -> str | None:  # noqa: PLR0911 - one case a kind of value
    """`String(value)` where it is exact; None where it is not known to us."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if value is None:
        return "null"
    if value is UNDEFINED:
        return "undefined"
    if isinstance(value, int | float):
        return number_text(value)
    if isinstance(value, BigInt):
        return str(value.value)
    if value.__class__ is list:
        if too_big(value):
            return None
        parts = ["" if item is None or item is UNDEFINED else text_of(item) for item in value]
        return None if None in parts else ",".join(part or "" for part in parts)
    if value.__class__ is Record:
        return None if value.hole or "toString" in value else "[object Object]"
    return None


def number(value: float) -> float:
    """A result of arithmetic: an int wherever it is integral, so that equal numbers look equal."""
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return int(value)
    return value
