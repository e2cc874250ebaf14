"""What a way back does not bring back, and what it takes out of the tracking table."""

from collections.abc import Iterator

from checks.catalog import difference, names
from checks.catalog.model import Catalog
from checks.catalog.tables import Column, Table
from checks.drizzle.plan import Plan
from checks.evidence import types


def irreversible(before: Catalog, after: Catalog) -> Iterator[str]:
    """What does not come back with the way back, and the statement that saves it beforehand."""
    gone = [c for c in difference.changes(before, after) if c.after is None]
    tables = {c.key[1:3] for c in gone if isinstance(c.before, Table)}
    for change in gone:
        found = change.before
        if isinstance(found, Table):
            name = _name(found.schema, found.name)
            yield f"the rows of `{name}` (save them: CREATE TABLE {name}_saved AS TABLE {name})"
        elif isinstance(found, Column) and (found.schema, found.table) not in tables and not found.generated:
            name = _name(found.schema, found.table)
            saved = names.quoted(f"{found.table}_{found.name}_saved")
            yield f"the values of `{name}.{found.name}` (save them: CREATE TABLE {saved} AS TABLE {name})"
    for change in difference.changes(before, after):
        old, new = change.before, change.after
        if isinstance(old, Column) and isinstance(new, Column) and old.type != new.type:
            yield from _retyped(f"`{_name(old.schema, old.table)}.{old.name}`", old.type, new.type)


def _retyped(column: str, old: str, new: str) -> Iterator[str]:
    """What a change of type loses, there and back."""
    there, back = types.compare(old, new), types.compare(new, old)
    if there == "narrower":
        yield f"values of {column} that the change from {old} to {new} rounds or cuts off"
    if back == "narrower":
        yield f"values of {column} written from then on that {old} cannot hold: the way back fails on them, or rounds them"
    if there == back == "other":
        yield f"values of {column} that do not survive the change to {new} and back to {old}"


def forget(plan: Plan) -> str:
    """Take the migrations out of the tracking table, so that they can run again."""
    hashes = ", ".join(f"'{m.hash}'" for m in plan.added)
    return f"DELETE FROM {names.qualified(*plan.project.table)} WHERE hash IN ({hashes});\n"  # noqa: S608 - quoted, and hex digits


def _name(schema: str, name: str) -> str:
    return names.quoted(name) if schema == "public" else names.qualified(schema, name)
