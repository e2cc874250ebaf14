"""When a warning is an error: the table is known to be large, or something still reads what goes."""

from typing import Literal

from checks.facts import Costs, Fact, HoldsLocks, MixesDataAndSchema, NarrowsType, OnTable, Removes, TouchesAllRows
from checks.so_far import Reader, SoFar, Target, full_name, short_name

SHOWN = 5


def weigh(fact: Fact, so_far: SoFar, message: str) -> tuple[Literal["warning", "error"], str]:
    """The severity that a warning deserves, and the message with the reason."""
    severity: Literal["warning", "error"] = "warning"
    if isinstance(fact, Costs | NarrowsType | TouchesAllRows | MixesDataAndSchema):
        severity, message = _large([fact.table], so_far, message)
    if isinstance(fact, HoldsLocks):
        severity, message = _large([table for table, _, _ in fact.tables], so_far, message)
    if isinstance(fact, Removes):
        sure, unsure = _readers(fact, so_far)
        if sure:
            severity = "error"
            message = f"{message} Still read by {_listed(sure)}."
        elif unsure:
            message = f"{message} Perhaps still read by {_listed(unsure)}."
    return severity, message


def _large(tables: list[str], so_far: SoFar, message: str) -> tuple[Literal["warning", "error"], str]:
    known = [(table, rows) for table in tables if (rows := so_far.rows(table)) is not None]
    for table, rows in known:
        message = f"{message} `{short_name(table)}` has about {rows:,} rows."
    return ("error" if known else "warning"), message


def _readers(fact: Removes, so_far: SoFar) -> tuple[list[Reader], list[Reader]]:
    found = [reader for target in targets(fact) for reader in so_far.context.readers.get(target, ())]
    return [r for r in found if r.sure], [r for r in found if not r.sure]


def targets(fact: OnTable) -> list[Target]:
    """What readers are asked about for a fact."""
    schema, _, table = full_name(fact.table).partition(".")
    return [Target(schema, table, column) for column in fact.gone] if isinstance(fact, Removes) else []


def _listed(readers: list[Reader]) -> str:
    shown = [f"`{r.path}:{r.line}` ({r.what})" for r in readers[:SHOWN]]
    rest = len(readers) - len(shown)
    return ", ".join(shown) + (f" and {rest} more" if rest > 0 else "")
