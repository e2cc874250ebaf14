"""Pieces that several kinds of ALTER are made of."""

from collections.abc import Iterator

from checks.catalog import names, spelling
from checks.catalog.types import Counting


def told(options: tuple[str, ...]) -> dict[str, str]:
    """`name=value` pairs by their names."""
    return {name: value for name, _, value in (each.partition("=") for each in options)}


def options(before: tuple[str, ...], after: tuple[str, ...]) -> str:
    """OPTIONS ( ) that makes one list into the other."""
    old, new = told(before), told(after)
    words = [f"DROP {names.quoted(name)}" for name in old if name not in new]
    words += [
        f"SET {names.quoted(name)} {names.literal(value)}"
        for name, value in new.items()
        if name in old and old[name] != value
    ]
    words += [f"ADD {names.quoted(name)} {names.literal(value)}" for name, value in new.items() if name not in old]
    return ", ".join(words)


def storage(before: tuple[str, ...], after: tuple[str, ...]) -> Iterator[str]:
    """RESET and SET of storage parameters."""
    old, new = told(before), told(after)
    if gone := [name for name in old if name not in new]:
        yield f"RESET ({', '.join(gone)})"
    if changed := tuple(f"{name}={value}" for name, value in new.items() if old.get(name) != value):
        yield f"SET ({spelling.settings(changed)})"


def counting(before: Counting, after: Counting) -> list[str]:
    """The options of ALTER SEQUENCE that make one way to count into another."""
    words: list[str] = []
    if before.type != after.type:
        words.append(f"AS {after.type}")
    if before.increment != after.increment:
        words.append(f"INCREMENT BY {after.increment}")
    if before.minimum != after.minimum or before.type != after.type:
        words.append(f"MINVALUE {after.minimum}")
    if before.maximum != after.maximum or before.type != after.type:
        words.append(f"MAXVALUE {after.maximum}")
    if before.start != after.start:
        words.append(f"START WITH {after.start}")
    if not after.minimum <= before.start <= after.maximum:
        words.append(f"RESTART WITH {after.start}")
    if before.cache != after.cache:
        words.append(f"CACHE {after.cache}")
    if before.cycle != after.cycle:
        words.append("CYCLE" if after.cycle else "NO CYCLE")
    return words
