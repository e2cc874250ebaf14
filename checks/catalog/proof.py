"""Proves a difference on a database that is thrown away: it arrives where it should, and rows survive it."""

from collections.abc import Callable, Collection, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

import psycopg

from checks.catalog import difference, ground, names, read, seeds
from checks.catalog.model import Catalog
from checks.catalog.statements.model import Statement
from checks.catalog.tables import Column, Table

Connect = Callable[[], AbstractContextManager[psycopg.Connection[Any]]]


@dataclass(frozen=True, slots=True)
class Proof:
    """What running the statements showed.

    Attributes:
        proven: they run, in one transaction, and the catalog is then the one that was wanted.
        why: why not, in a sentence.
        caution: what does not hold for every row (`fails where …`), empty where made-up rows survived.
    """

    proven: bool
    why: str = ""
    caution: str = ""


def prove(
    connect: Connect,
    statements: Sequence[Statement],
    to: Catalog,
    *,
    ignore: Collection[str] = (),
    roles: bool = False,
    owner: str | None = None,
    start: Catalog | None = None,
) -> Proof:
    """Run the statements on a database that is where they start, and look.

    Args:
        connect: opens a session in autocommit; the database is changed for good.
        statements: what `statements.sql` gave.
        to: the catalog that they should lead to.
        ignore: as for `read.read`.
        roles: as for `read.read`.
        owner: as for `read.read`.
        start: the catalog of the database, where it has been read already.
    """
    with connect() as connection:
        if start is None:
            start = read.read(connection, ignore=ignore, roles=roles, owner=owner)
        caution = _with_rows(connection, statements, start, to)
        try:
            with connection.transaction():
                _run_all(connection, statements)
        except (_StopError, psycopg.Error) as error:
            return Proof(proven=False, why=str(error).strip())
        got = read.read(connection, ignore=ignore, roles=roles, owner=owner)
    if not difference.equal(got, to):
        from checks.catalog import words  # noqa: PLC0415 - only for what went wrong

        left = words.summary(got, to)
        return Proof(proven=False, why=f"after it, this is still to do: {'; '.join(left[:5])}", caution=caution)
    return Proof(proven=True, caution=caution)


class _StopError(Exception):
    """Rolls back; its text says why."""


def _run_all(connection: psycopg.Connection[Any], statements: Sequence[Statement]) -> None:
    failed = _run(connection, statements)
    if failed:
        raise _StopError(failed)


def _run(connection: psycopg.Connection[Any], statements: Sequence[Statement]) -> str:
    """Run them in the open transaction; what went wrong, in words."""
    for statement in statements:
        try:
            connection.execute(statement.sql.encode())
        except psycopg.Error as error:
            first = statement.sql.split("\n", 1)[0]
            return f'PostgreSQL says "{error.diag.message_primary or error}" to: {first}'
    return ""


def _with_rows(
    connection: psycopg.Connection[Any], statements: Sequence[Statement], start: Catalog, to: Catalog
) -> str:
    """Try it with rows in the tables, and undo it; what happened to them, in words."""
    caution = ""
    try:
        with connection.transaction(force_rollback=True):
            counted = seeds.put(connection, ground.of(start, to)[0])
            if not any(counted.values()):
                return ""
            before = contents(connection, start, to, counted)
            failed = _run(connection, statements)
            if failed:
                return f"with rows in the tables, {failed}"
            after = contents(connection, start, to, counted)
            changed = sorted(table for table, content in before.items() if after.get(table) != content)
            if changed and not any(statement.loses_data for statement in statements):
                caution = f"rows do not survive unchanged in {', '.join(changed)}"
    except psycopg.Error as error:
        caution = f"with rows in the tables, {str(error).strip()}"
    return caution


def contents(connection: psycopg.Connection[Any], a: Catalog, b: Catalog, tables: Collection[str]) -> dict[str, Any]:
    """What is in the columns that stay as they are."""
    stay: dict[str, list[str]] = {}
    for key, column in a.objects.items():
        other = b.objects.get(key)
        if (
            isinstance(column, Column)
            and isinstance(other, Column)
            and (column.type, column.generated) == (other.type, other.generated)
        ):
            stay.setdefault(names.qualified(column.schema, column.table), []).append(names.quoted(column.name))
    kept = {names.qualified(*key[1:]) for key, found in b.objects.items() if isinstance(found, Table)}
    asked = [table for table in tables if table in kept and stay.get(table)]
    seen: dict[str, Any] = {}
    for some in seeds.batched(asked):
        query = " UNION ALL ".join(_content(number, table, stay[table]) for number, table in enumerate(some))
        rows = connection.execute(query.encode()).fetchall()
        seen.update({some[int(row[0])]: row[1:] for row in rows})
    return seen


def _content(number: int, table: str, columns: Sequence[str]) -> str:
    row = f"ROW({', '.join(sorted(columns))})::text"
    return f"SELECT {number}, pg_catalog.count(*), pg_catalog.string_agg({row}, ';' ORDER BY {row}) FROM ONLY {table}"  # noqa: S608 - names are quoted
