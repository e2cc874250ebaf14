"""What an object is called in ALTER, DROP, COMMENT ON and GRANT."""

from collections.abc import Callable

from checks.catalog import names, spelling
from checks.catalog.code import Aggregate, EventTrigger, Function, Policy, Rule, Trigger
from checks.catalog.model import Object
from checks.catalog.outside import DefaultPrivileges, ForeignDataWrapper, Other, UserMapping
from checks.catalog.tables import Column, Constraint, Default, Table, View
from checks.catalog.types import Domain, DomainCheck

GRANTED = {"schema": ("SCHEMA", "n"), "type": ("TYPE", "T"), "sequence": ("SEQUENCE", "S"), "table": ("TABLE", "r"),
            "view": ("TABLE", "r"), "function": ("FUNCTION", "f"), "foreign-data wrapper": ("FOREIGN DATA WRAPPER", "F"),
            "server": ("FOREIGN SERVER", "s")}  # fmt: skip
"""What GRANT calls each kind of object, and the kind of its privileges."""


def called(found: Object, name: Callable[[str, str], str] = names.qualified) -> str:  # noqa: C901, PLR0911, PLR0912 - one short case a kind
    """Kind and name; `name` spells schema and name (`names.short` leaves `public.` out)."""
    match found:
        case Column():
            return f"COLUMN {name(found.schema, found.table)}.{names.quoted(found.name)}"
        case Constraint() | Trigger() | Rule() | Policy():
            return f"{found.key[0].upper()} {names.quoted(found.name)} ON {name(found.schema, found.table)}"
        case DomainCheck():
            return f"CONSTRAINT {names.quoted(found.name)} ON DOMAIN {name(found.schema, found.domain)}"
        case Default():
            return f"DEFAULT OF {name(found.schema, found.table)}.{names.quoted(found.column)}"
        case Aggregate():
            return f"AGGREGATE {name(found.schema, found.name)}({found.args or '*'})"
        case Function():
            return (
                f"{'PROCEDURE' if found.prokind == 'p' else 'FUNCTION'} {name(found.schema, found.name)}({found.args})"
            )
        case View():
            return f"{'MATERIALIZED VIEW' if found.materialized else 'VIEW'} {name(found.schema, found.name)}"
        case Domain():
            return f"DOMAIN {name(found.schema, found.name)}"
        case Table(relkind="f"):
            return f"FOREIGN TABLE {name(found.schema, found.name)}"
        case Other():
            return f"{found.kind} {found.identity}"
        case UserMapping() | DefaultPrivileges():
            return f"{found.key[0].upper()} {' '.join(filter(None, found.key[1:]))}"
        case ForeignDataWrapper() | EventTrigger():
            return f"{found.key[0].replace('-', ' ').upper()} {names.quoted(found.name)}"
        case _:
            path = found.key[1:]
            return f"{found.key[0].upper()} {name(*path) if len(path) == 2 else names.qualified(*path)}"


def grant_target(found: Object) -> str:
    """What GRANT names after ON."""
    word = GRANTED[found.key[0]][0]
    if isinstance(found, Function | Aggregate):
        return f"{'PROCEDURE' if isinstance(found, Function) and found.prokind == 'p' else 'FUNCTION'} {spelling.signature(found)}"
    return f"{word} {names.qualified(*found.key[1:])}"
