"""Reading schema files: beside the bare parse of the same bytes, and beside `drizzle-kit export`."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from checks.schema import ddl
from checks.schema import read as schemas
from checks.tree import Tree
from checks.typescript import outline, syntax
from tests import node_oracle
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
    """From bytes to DDL, in processor time; nothing is remembered from the round before, not even what was parsed."""
    files = split(Shop(330 if parts == 1 else 100), parts)
    lines = sum(text.count("\n") for text in files.values())
    tree = Tree.of(files)

    def ours() -> None:
        schemas.forget()
        outline.forget()
        read = schemas.read(tree, sorted(files), format="v0", casing=None)
        assert not read.unresolved
        ddl.statements(read)

    def peer() -> None:
        for text in files.values():
            syntax.parse(text.encode())

    timed = measure.interleaved(ours, peer, rounds=15, clock=time.process_time)
    measure.line(f"schema of {lines} lines in {parts} files, beside tree-sitter", timed.ours, timed.peer, at_most=8.0)


def test_what_is_unchanged_is_not_read_twice() -> None:
    """A second reading of the same contents, as of base and head of one review; and one where a file of 50 changed."""
    files = split(Shop(100), 50)
    base, head = Tree.of(files), Tree.of({**files, "schema/part7.ts": files["schema/part7.ts"] + "\n// changed\n"})

    def first() -> None:
        schemas.forget()
        outline.forget()
        schemas.read(base, sorted(files), format="v0", casing=None)

    def again() -> None:
        schemas.read(Tree.of(files), sorted(files), format="v0", casing=None)

    def changed() -> None:
        schemas.forget()
        schemas.read(head, sorted(files), format="v0", casing=None)

    once, twice, other = measure.medians([first, again, changed], rounds=9, clock=time.process_time)
    measure.line("the same schema read again", twice, once, at_least=10.0)
    measure.line("one of 50 files changed: the rest is not parsed again", other, once, at_most=1.0)


@pytest.mark.node
@pytest.mark.parametrize("parts", [1, 50], ids=["one-file", "50-files"])
def test_beside_drizzle_kit_export(parts: int, tmp_path: Path) -> None:
    """The whole command beside the whole command, start-up included."""
    oracle = node_oracle.require("v0")
    files = split(Shop(330 if parts == 1 else 100), parts)
    for path, text in files.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text, encoding="utf-8")
    (tmp_path / "drizzle.config.json").write_text(
        '{"dialect": "postgresql", "schema": "./schema/*.ts", "out": "./out"}'
    )
    root = Path(__file__).parents[2]
    quiet = {**os.environ, "PYTHONPATH": str(root), "COLUMNS": "80"}

    def ours() -> None:
        command = [sys.executable, "-m", "bot", "schema", *sorted(files)]
        done = subprocess.run(command, cwd=tmp_path, env=quiet, capture_output=True, text=True, check=False)
        assert done.stdout.count("CREATE TABLE") == (330 if parts == 1 else 100), done.stderr

    def peer() -> None:
        done = oracle.kit(tmp_path, "export", "--config=drizzle.config.json", "--sql")
        assert done.stdout.count("CREATE TABLE") == (330 if parts == 1 else 100)

    timed = measure.interleaved(ours, peer)
    measure.line(f"schema command, {parts} files, beside drizzle-kit export", timed.ours, timed.peer, at_least=1.0)
