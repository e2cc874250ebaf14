"""Reading schema files, beside the bare parse of the same bytes."""

import pytest

from checks.schema import ddl
from checks.schema import read as schemas
from checks.tree import Tree
from checks.typescript import syntax
from tests.bench import measure
from tests.bench.shop import Shop

pytestmark = [pytest.mark.bench, pytest.mark.timeout(1200)]


def split(shop: Shop, parts: int) -> dict[str, str]:
    """The same tables, a few in each file; references cross files."""
    homes = {table.name: f"schema/part{number % parts}.ts" for number, table in enumerate(shop.tables)}
    files: dict[str, str] = {}
    for path in sorted(set(homes.values())):
        own = [table for table in shop.tables if homes[table.name] == path]
        needed = sorted({to for table in own for _, to in table.references if homes[to] != path})
        lines = [
            'import { boolean, index, integer, jsonb, pgTable, serial, text, timestamp } from "drizzle-orm/pg-core";'
        ]
        lines += [
            f'import {{ {name} }} from "./{homes[name].removeprefix("schema/").removesuffix(".ts")}";'
            for name in needed
        ]
        files[path] = "\n".join([*lines, *(table.typescript() for table in own)])
    return files


@pytest.mark.parametrize("parts", [1, 50], ids=["one-file", "50-files"])
def test_reading_a_schema(parts: int) -> None:
    """From bytes to DDL; nothing is remembered from the round before."""
    files = split(Shop(330 if parts == 1 else 100), parts)
    lines = sum(text.count("\n") for text in files.values())
    tree = Tree.of(files)

    def ours() -> None:
        schemas.forget()
        read = schemas.read(tree, sorted(files), format="v0", casing=None)
        assert not read.unresolved
        ddl.statements(read)

    def peer() -> None:
        for text in files.values():
            syntax.parse(text.encode())

    timed = measure.interleaved(ours, peer)
    measure.line(f"schema of {lines} lines in {parts} files, beside tree-sitter", timed.ours, timed.peer, at_most=8.0)
