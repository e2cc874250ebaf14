"""Puts a few made-up rows into tables, so that a difference can be seen to keep them."""

import contextlib
from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any

import psycopg
from psycopg import pq

from checks.catalog import names
from checks.catalog.model import Catalog
from checks.catalog.tables import Column, Constraint, Table
from checks.catalog.types import Domain, Enum

ROWS = 2

_VALUES = {
    "smallint": "{n}",
    "integer": "{n}",
    "bigint": "{n}",
    "numeric": "{n}",
    "real": "{n}",
    "double precision": "{n}",
    "text": "'{n}'",
    "character varying": "'{n}'",
    "character": "'{n}'",
    "boolean": "true",
    "date": "'2020-01-0{n}'",
    "timestamp without time zone": "'2020-01-0{n} 00:00:00'",
    "timestamp with time zone": "'2020-01-0{n} 00:00:00+00'",
    "time without time zone": "'00:00:0{n}'",
    "time with time zone": "'00:00:0{n}+00'",
    "interval": "'{n} days'",
    "uuid": "'00000000-0000-0000-0000-00000000000{n}'",
    "json": "'{{}}'",
    "jsonb": "'{{}}'",
    "bytea": "'x'",
    "inet": "'10.0.0.{n}'",
    "cidr": "'10.0.{n}.0/24'",
    "bit": "'1'",
    "bit varying": "'1'",
    "point": "'({n},0)'",
    "money": "'{n}'",
    "oid": "{n}",
    "int4range": "'[{n},{n}]'",
    "tstzrange": "'empty'",
    "daterange": "'empty'",
}


def put(connection: psycopg.Connection[Any], catalog: Catalog) -> dict[str, int]:
    """Insert what can be inserted; how many rows each table (`schema.name`, quoted) then has."""
    tables = [table for table in catalog if isinstance(table, Table) and table.relkind == "r"]
    columns, pointing = _columns(catalog), _points_to(catalog)
    waiting = sorted(tables, key=lambda table: (len(pointing[table.schema, table.name]), table.key))
    counted: dict[str, int] = {}
    for _ in range(3):  # a foreign key may wait for its target
        again = [
            table
            for table in waiting
            if not _fill(connection, catalog, table, columns.get((table.schema, table.name), []))
        ]
        if not again or len(again) == len(waiting):
            break
        waiting = again
    for some in batched([names.qualified(table.schema, table.name) for table in tables]):
        asked = ", ".join(f"(SELECT count(*) FROM ONLY {name})" for name in some)  # noqa: S608 - names are quoted
        row = connection.execute(f"SELECT {asked}".encode()).fetchone()
        counted.update(zip(some, row or (), strict=True))
    return counted


def batched(items: Sequence[str], most: int = 100) -> Iterator[Sequence[str]]:
    """As many as one question takes."""
    return (items[start : start + most] for start in range(0, len(items), most))


def _columns(catalog: Catalog) -> dict[tuple[str, str], list[Column]]:
    found: dict[tuple[str, str], list[Column]] = {}
    for each in catalog:
        if isinstance(each, Column):
            found.setdefault((each.schema, each.table), []).append(each)
    return found


def _points_to(catalog: Catalog) -> dict[tuple[str, str], set[tuple[str, str]]]:
    """The tables that the foreign keys of each table point to."""
    found: dict[tuple[str, str], set[tuple[str, str]]] = defaultdict(set)
    for each in catalog:
        if isinstance(each, Constraint) and each.references:
            found[each.schema, each.table].add(each.references)
    return found


def _fill(connection: psycopg.Connection[Any], catalog: Catalog, table: Table, columns: list[Column]) -> bool:
    name = names.qualified(table.schema, table.name)
    for chosen in _choices(catalog, columns):
        rows = [[_value(catalog, column.type, number) for column in chosen] for number in range(1, ROWS + 1)]
        if any(value is None for row in rows for value in row):
            continue
        into = f"{name} ({names.listed([column.name for column in chosen])})" if chosen else name
        given = [f"VALUES ({', '.join(map(str, row))})" if row else "DEFAULT VALUES" for row in rows]
        if _all_or_none(
            connection, [*(f"INSERT INTO {into} {each}" for each in given), "SET CONSTRAINTS ALL IMMEDIATE"]
        ):
            return True
    return False


def _all_or_none(connection: psycopg.Connection[Any], statements: Sequence[str]) -> bool:
    """Run statements; false where one fails, and nothing is left of them. Those of one message are one transaction."""
    try:
        nested = connection.info.transaction_status != pq.TransactionStatus.IDLE
        with connection.transaction() if nested else contextlib.nullcontext():
            connection.execute(";".join(statements).encode())
    except psycopg.Error:
        return False
    return True


def _choices(catalog: Catalog, columns: list[Column]) -> Iterator[list[Column]]:
    """Which columns to give values to: all that may be given, then only those that must."""
    free = [column for column in columns if not column.generated and not column.identity]
    plain = [column for column in free if ("default", *column.key[1:]) not in catalog.objects]
    yield [column for column in plain if _value(catalog, column.type, 1) is not None]
    yield [column for column in plain if column.not_null]
    yield free


def _value(catalog: Catalog, kind: str, number: int) -> str | None:
    if kind.endswith("[]"):
        return "'{}'"
    known = _VALUES.get(kind.partition("(")[0].strip()) or _VALUES.get(_without_size(kind))
    if known is not None:
        return known.format(n=number)
    for each in catalog:
        if isinstance(each, Enum | Domain) and kind == names.qualified(each.schema, each.name):
            if isinstance(each, Domain):
                return _value(catalog, each.type, number)
            return names.literal(each.labels[(number - 1) % len(each.labels)]) if each.labels else None
    return None


def _without_size(kind: str) -> str:
    """`timestamp(3) with time zone` → `timestamp with time zone`."""
    head, paren, rest = kind.partition("(")
    return head.strip() + rest.partition(")")[2] if paren else kind
