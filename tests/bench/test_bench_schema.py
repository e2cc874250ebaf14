"""What reading schema.ts costs: against the bare parse of the same files, and against `drizzle-kit export`."""

import time
from pathlib import Path

import pytest

from checks.schema import ddl
from checks.schema import read as reading
from checks.schema.read import read
from checks.tree import Tree
from checks.typescript import outline, syntax
from tests import node_oracle
from tests.bench import measure

pytestmark = pytest.mark.bench

HEAD = """import { check, index, integer, jsonb, pgEnum, pgTable, text, timestamp, uniqueIndex, uuid, varchar } from "drizzle-orm/pg-core";
import { relations, sql } from "drizzle-orm";
"""
STATUS = 'export const status = pgEnum("status", ["active", "off"]);\n'


def table(number: int) -> str:
    """A table as real schemas have them, with its relations and types: 23 lines."""
    before = max(0, number - 1)
    return f"""
export const table{number} = pgTable("table_{number}", {{
  id: uuid("id").primaryKey().defaultRandom(),
  name: varchar("name", {{ length: 255 }}).notNull(),
  email: text("email").notNull().unique(),
  status: status("status").default("active").notNull(),
  ownerId: uuid("owner_id").references((): any => table{before}.id, {{ onDelete: "cascade" }}),
  meta: jsonb("meta").$type<{{ a: string; b: number[] }}>().default({{}}),
  count: integer("count").default(0).notNull(),
  tags: text("tags").array().default([]),
  createdAt: timestamp("created_at", {{ withTimezone: true }}).defaultNow().notNull(),
  updatedAt: timestamp("updated_at", {{ withTimezone: true }}).defaultNow().notNull().$onUpdate(() => new Date()),
}}, (t) => [
  index("table_{number}_name_idx").on(t.name),
  uniqueIndex("table_{number}_email_idx").on(t.email, t.status),
  check("table_{number}_count", sql`${{t.count}} >= 0`),
]);
export const table{number}Relations = relations(table{number}, ({{ one, many }}) => ({{
  owner: one(table{before}, {{ fields: [table{number}.ownerId], references: [table{before}.id] }}),
  children: many(table{number}),
}}));
export type Table{number} = typeof table{number}.$inferSelect;
"""


def one_file() -> dict[str, str]:
    """A schema of some 5,000 lines."""
    return {"schema.ts": HEAD + STATUS + "".join(table(number) for number in range(220))}


def many_files() -> dict[str, str]:
    """A hundred tables in fifty files that import each other."""
    files = {"status.ts": HEAD + STATUS}
    for index in range(50):
        first = 2 * index
        before = f'import {{ table{first - 1} }} from "./t{index - 1}";\n' if index else ""
        files[f"t{index}.ts"] = HEAD + 'import { status } from "./status";\n' + before + table(first) + table(first + 1)
    return files


def afresh(files: dict[str, str]) -> None:
    """Read with nothing remembered."""
    outline.forget()
    reading.forget()
    schema = read(Tree.of(files), sorted(files), format="v0")
    assert schema.unresolved == ()
    assert len(schema.tables) >= 100


def parse(files: dict[str, str]) -> None:
    """The floor: nothing but syntax trees."""
    for path, source in files.items():
        syntax.parse(source.encode(), path)


@pytest.mark.parametrize("files", [one_file(), many_files()], ids=["5,000 lines", "100 tables in 50 files"])
def test_reading_costs_a_few_parses(files):
    """At most eight times the bare parse."""
    timed = measure.interleaved(lambda: afresh(files), lambda: parse(files))
    measure.line("schema.ts, against the bare parse", timed.ours, timed.peer, at_most=8)


@pytest.mark.parametrize("files", [one_file(), many_files()], ids=["5,000 lines", "100 tables in 50 files"])
def test_reading_is_faster_than_drizzle_kit(files, tmp_path: Path):
    """Faster than `drizzle-kit export` on the same files, which runs them."""
    oracle = node_oracle.require("v0")
    for name, source in files.items():
        (tmp_path / name).write_text(source)

    def theirs() -> None:
        oracle.kit(tmp_path, "export", "--sql", "--dialect=postgresql", "--schema=./*.ts")

    def ours() -> None:
        afresh(files)
        ddl.statements(read(Tree.of(files), sorted(files), format="v0"))

    timed = measure.interleaved(ours, theirs, rounds=3)
    measure.line("schema.ts, against drizzle-kit export", timed.ours, timed.peer, at_least=1)


def test_an_unchanged_schema_costs_next_to_nothing():
    """The second side of a pull request: only object ids are compared."""
    files = many_files()
    afresh(files)
    began = time.perf_counter()
    read(Tree.of(files), sorted(files), format="v0")
    again = (time.perf_counter() - began) * 1000
    timed = measure.interleaved(lambda: read(Tree.of(files), sorted(files), format="v0"), lambda: parse(files))
    measure.line("the same schema again, against the parse", min(again, timed.ours), timed.peer, at_most=1)
