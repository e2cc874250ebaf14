"""Names that PostgreSQL or Drizzle made up and nobody wrote: they stay when a table or column is renamed, and mean nothing."""

import dataclasses
from collections.abc import Mapping

from checks.catalog.model import Key, Object
from checks.catalog.tables import Column, Constraint, Default
from checks.catalog.types import Sequence

_LONGEST = 63  # bytes of a name in PostgreSQL


def named_as(left: Mapping[Key, Object], right: Mapping[Key, Object]) -> dict[Key, Object]:
    """The right objects, those that are only named otherwise by themselves under their left name.

    A serial column's sequence, an identity's, and the primary key of a column bear the name of the table and column
    that they were made for; renaming either leaves them as they are, in the database and for drizzle-kit.
    """
    named = dict(right)
    sequences = {found.owned_by: found for found in left.values() if isinstance(found, Sequence) and found.owned_by}
    keys = {
        (found.schema, found.table): found
        for found in left.values()
        if isinstance(found, Constraint) and found.contype == "p"
    }
    for key, found in right.items():
        if isinstance(found, Sequence) and found.owned_by in sequences:
            own = sequences[found.owned_by]
            if own.schema == found.schema and own.key not in right:
                del named[key]
                named[own.key] = dataclasses.replace(found, name=own.name)
                _counted_by(named, left, found, own)
        elif isinstance(found, Constraint) and found.contype == "p" and found.name == _implied(found.table):
            own_key = keys.get((found.schema, found.table))
            if own_key is not None and own_key.key not in right:
                del named[key]
                named[own_key.key] = dataclasses.replace(found, name=own_key.name)
        elif isinstance(found, Column) and found.identity is not None:
            other = left.get(key)
            if (
                isinstance(other, Column)
                and other.identity is not None
                and other.identity.schema == found.identity.schema
            ):
                named[key] = dataclasses.replace(
                    found, identity=dataclasses.replace(found.identity, name=other.identity.name)
                )
    return named


def _implied(table: str) -> str:
    return table.encode()[: _LONGEST - len("_pkey")].decode(errors="ignore") + "_pkey"


def _counted_by(named: dict[Key, Object], left: Mapping[Key, Object], found: Sequence, own: Sequence) -> None:
    """The default of a serial column counts by the sequence under its left name, too."""
    if found.owned_by is None:
        return
    key = ("default", *found.owned_by)
    default, other = named.get(key), left.get(key)
    if not isinstance(default, Default) or not isinstance(other, Default):
        return
    if default.expression.startswith("nextval(") and other.expression.startswith("nextval("):
        said = default.expression.replace(found.name, own.name)
        if said == other.expression:
            named[key] = dataclasses.replace(default, expression=said)
