"""A v1 schema under the names that its database has: drizzle-kit 1.0 keeps a made-up name when what it was made of is renamed."""

from dataclasses import replace
from typing import TypeVar

from checks.drizzle.generating.v1 import decide, folder
from checks.drizzle.generating.v1.state import State
from checks.drizzle.model import Chain
from checks.errors import UserError
from checks.schema import snapshot
from checks.schema.model import ForeignKey, Index, Key, Schema, Table

_Part = TypeVar("_Part", Key, Index, ForeignKey)
_Names = dict[tuple[str, str, str, str], str]


def names(schema: Schema, chain: Chain) -> Schema:
    """The schema with the names that the last snapshot keeps; as it is where that cannot be read, or nothing was renamed."""
    try:
        before = folder.state(chain)
    except UserError:
        return schema  # the history rules say what is wrong with it
    after = State(snapshot.entities(schema))
    rows = [(row, row["name"]) for kind in ("uniques", "pks", "indexes", "fks") for row in after.of(kind)]
    decide.keep_generated_names(before, after)
    kept = {
        (row["entityType"], row["schema"], row["table"], name): row["name"] for row, name in rows if row["name"] != name
    }
    return replace(schema, tables=tuple(_table(table, kept) for table in schema.tables)) if kept else schema


def _table(table: Table, kept: _Names) -> Table:
    return replace(
        table,
        uniques=tuple(_named("uniques", table, key, kept) for key in table.uniques),
        primary_keys=tuple(_named("pks", table, key, kept) for key in table.primary_keys),
        indexes=tuple(_named("indexes", table, index, kept) for index in table.indexes),
        foreign_keys=tuple(_named("fks", table, key, kept) for key in table.foreign_keys),
    )


def _named(kind: str, table: Table, part: _Part, kept: _Names) -> _Part:
    name = kept.get((kind, table.schema, table.name, part.name))
    return part if name is None else replace(part, name=name, explicit=True)
