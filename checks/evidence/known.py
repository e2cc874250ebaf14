"""What two looks at the database tell beside the statements: what was there before the release, and what is left after it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from checks.catalog.code import Policy
    from checks.catalog.model import Catalog

_KINDS = {"p": "primary key", "u": "unique", "c": "check", "f": "foreign key", "x": "exclude"}


@dataclass(frozen=True, kw_only=True, slots=True)
class Known:
    """What the database was like before the release, as far as somebody looked.

    Attributes:
        columns: the type of each column (PostgreSQL's own spelling), by `schema.table` and column.
        required: the columns that are NOT NULL.
        constraints: the kind (`foreign key`, `check`, …) of each constraint, by `schema.table` and name.
        relations: tables and views; None where nobody looked.
        unique: the table of each unique index that no constraint owns, by `schema.name`.
        policies: by `schema.table` and name.
        indexes: the columns that each index of a table begins with, after the release; None where nobody looked.
        open_functions: functions that are SECURITY DEFINER and fix no search_path after the release; None as above.
        gone: tables, views and their columns (`schema.table`; column or None) that the release leaves nothing of.
    """

    columns: Mapping[tuple[str, str], str] = field(default_factory=dict[tuple[str, str], str])
    required: frozenset[tuple[str, str]] = frozenset()
    constraints: Mapping[tuple[str, str], str] = field(default_factory=dict[tuple[str, str], str])
    relations: frozenset[str] | None = None
    unique: Mapping[str, str] = field(default_factory=dict[str, str])
    policies: "Mapping[tuple[str, str], Policy]" = field(default_factory=dict[tuple[str, str], "Policy"])
    indexes: Mapping[str, Sequence[tuple[str, ...]]] | None = None
    open_functions: frozenset[str] | None = None
    gone: frozenset[tuple[str, str | None]] = frozenset()


def look(before: "Catalog | None", after: "Catalog | None") -> Known:
    """What both catalogs say; without the first nothing is known."""
    from checks.catalog.code import Policy  # noqa: PLC0415 - a catalog is there only where PostgreSQL was asked
    from checks.catalog.tables import Column, Constraint, Index, Table, View  # noqa: PLC0415 - as above

    if before is None:
        return Known()
    columns: dict[tuple[str, str], str] = {}
    required: set[tuple[str, str]] = set()
    constraints: dict[tuple[str, str], str] = {}
    relations: set[str] = set()
    unique: dict[str, str] = {}
    policies: dict[tuple[str, str], Policy] = {}
    for each in before:
        if isinstance(each, Column):
            key = (f"{each.schema}.{each.table}", each.name)
            columns[key] = each.type
            if each.not_null == "yes":
                required.add(key)
        elif isinstance(each, Constraint):
            constraints[f"{each.schema}.{each.table}", each.name] = _KINDS[each.contype]
        elif isinstance(each, Table | View):
            relations.add(f"{each.schema}.{each.name}")
        elif isinstance(each, Index):
            if each.definition.startswith("CREATE UNIQUE"):
                unique[f"{each.schema}.{each.name}"] = f"{each.schema}.{each.table}"
        elif isinstance(each, Policy):
            policies[f"{each.schema}.{each.table}", each.name] = each
    return Known(
        columns=columns,
        required=frozenset(required),
        constraints=constraints,
        relations=frozenset(relations),
        unique=unique,
        policies=policies,
        indexes=_indexes(after) if after is not None else None,
        open_functions=frozenset(_open(after)) if after is not None else None,
        gone=frozenset(_gone(before, after)) if after is not None else frozenset(),
    )


def _indexes(catalog: "Catalog") -> dict[str, list[tuple[str, ...]]]:
    """The columns of every index of a table, those that constraints own among them."""
    from checks.catalog.tables import Constraint, Index  # noqa: PLC0415 - as above

    found: dict[str, list[tuple[str, ...]]] = {}
    for each in catalog:
        if isinstance(each, Index) or (isinstance(each, Constraint) and each.contype in "pux"):
            found.setdefault(f"{each.schema}.{each.table}", []).append(each.columns)
    return found


def _open(catalog: "Catalog") -> Iterator[str]:
    from checks.catalog.code import Function  # noqa: PLC0415 - as above

    for each in catalog:
        if isinstance(each, Function) and each.text_body:
            head = each.definition.partition("\nAS ")[0]
            if "SECURITY DEFINER" in head and "SET search_path" not in head:
                yield f"{each.schema}.{each.name}"


def _gone(before: "Catalog", after: "Catalog") -> Iterator[tuple[str, str | None]]:
    """Tables, views, and columns that could be asked for before and cannot be now."""
    from checks.catalog.tables import View  # noqa: PLC0415 - as above

    for key in before.objects.keys() - after.objects.keys():
        if key[0] in {"table", "view"}:
            yield f"{key[1]}.{key[2]}", None
        if key[0] == "column":
            yield f"{key[1]}.{key[2]}", key[3]
    for key, was in before.objects.items():
        if isinstance(was, View):
            now = after.objects.get(key)
            left = {column.name for column in now.columns} if isinstance(now, View) else set[str]()
            yield from ((f"{was.schema}.{was.name}", column.name) for column in was.columns if column.name not in left)
