"""Makes frozen objects by the thousand: their own constructor sets every attribute through `object.__setattr__`."""

from collections.abc import Callable, Sequence
from dataclasses import MISSING, Field, fields
from typing import Any, ParamSpec, TypeVar, cast

new: Callable[[Any, Any], Any] = tuple.__new__  # pyright: ignore[reportUnknownVariableType, reportUnknownMemberType]
"""A named tuple of a kind, of a tuple of its fields: what its own constructor ends in."""

P = ParamSpec("P")
T = TypeVar("T")


def made(kind: Callable[P, T]) -> Callable[P, T]:
    """What makes objects of a frozen dataclass with slots, in a third of the time.

    A twin with the same slots is filled, and then is one: `__class__` may be set where the layout is the same.
    https://docs.python.org/3/reference/datamodel.html#object.__class__
    """
    every = _fields(kind)
    usual = {f"_{each.name}": each.default for each in every if each.default is not MISSING}
    arguments = [f"{each.name}=_{each.name}" if f"_{each.name}" in usual else each.name for each in every]
    if sorted(arguments, key=lambda argument: "=" in argument) != arguments:
        arguments.insert(0, "*")  # those with a default may stand first where all are named
    names = [each.name for each in every]
    return cast("Callable[P, T]", _function(kind, arguments, [f"_made.{name} = {name}" for name in names], usual))


def parted(kind: Callable[..., T], *own: str) -> tuple[Callable[..., T], tuple[str, ...]]:
    """What makes objects that differ in `own` and share the rest, which comes last, in one tuple; and the names of the rest."""
    names = [each.name for each in _fields(kind)]
    rest = tuple(name for name in names if name not in own)
    body = [*(f"_made.{name} = {name}" for name in own), f"{', '.join(f'_made.{name}' for name in rest)} = rest"]
    return cast("Callable[..., T]", _function(kind, [*own, "rest"], body, {})), rest


def _fields(kind: Callable[..., object]) -> tuple[Field[Any], ...]:
    every = fields(cast("Any", kind))
    if any(each.default_factory is not MISSING or not each.init for each in every):
        raise TypeError(f"{kind} is not plain")
    return every


def _function(
    kind: Callable[..., object],
    arguments: Sequence[str],
    body: Sequence[str],
    more: dict[str, Any],
) -> object:
    # Slots of its own, upon the same bases; and what freezes those is left out.
    own = {"__slots__": kind.__dict__["__slots__"], "__setattr__": object.__setattr__}
    twin = type("Twin", cast("type", kind).__bases__, own)
    names: dict[str, Any] = {"_new": object.__new__, "_twin": twin, "_kind": kind, **more}
    lines = ["_made = _new(_twin)", *body, "_made.__class__ = _kind", "return _made"]
    # Nothing but the names of our own attributes, as dataclasses do it.
    exec("\n    ".join([f"def make({', '.join(arguments)}):", *lines]), names)  # noqa: S102
    return names["make"]
