"""A long history of a shop that grew: chains, schema file and snapshots that say the same."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from checks.drizzle.snapshots import ROOT
from checks.schema import read as schemas
from checks.schema.snapshot import to_snapshot
from checks.tree import Tree
from tests.checks.drizzle_samples import entry, journal

CONFIG = 'export default { dialect: "postgresql", schema: "./schema.ts", out: "./drizzle" };'
PACKAGE = '{"dependencies": {"drizzle-orm": "0.45.1", "pg": "8.16.0"}, "devDependencies": {"drizzle-kit": "0.31.8"}}'
_KINDS = {"text": "text", "integer": "integer", "boolean": "boolean", "timestamp": "timestamp", "jsonb": "jsonb"}


@dataclass(slots=True)
class _Table:
    name: str
    columns: list[tuple[str, str, str, str]] = field(default_factory=list)  # name, SQL type, SQL tail, TypeScript tail
    references: list[tuple[str, str]] = field(default_factory=list)
    indexes: list[tuple[str, str]] = field(default_factory=list)

    def add(self, name: str, kind: str, sql: str = "", code: str = "") -> str:
        """A column, as SQL has it."""
        self.columns.append((name, kind, sql, code))
        return f'"{name}" {kind}{sql}'

    def typescript(self) -> str:
        """As a schema file declares it."""
        columns = ['  id: serial("id").primaryKey().notNull(),']
        referenced = dict(self.references)
        for name, kind, _, code in self.columns:
            to = f".references(() => {referenced[name]}.id)" if name in referenced else ""
            columns.append(f'  {name}: {_KINDS[kind]}("{name}"){code}{to},')
        extras = [f'  index("{index}").on(t.{column}),' for index, column in self.indexes]
        return "\n".join(
            [f'export const {self.name} = pgTable("{self.name}", {{', *columns, "}, (t) => [", *extras, "]);", ""]
        )


class Shop:
    """A v0 history; each migration has ten statements."""

    def __init__(self, migrations: int = 200) -> None:
        self.tables: list[_Table] = []
        self.sql: list[str] = []
        for _ in range(migrations):
            self.grow()

    def grow(self) -> str:
        """One more migration: a table, its key and indexes, and columns for older tables."""
        n = len(self.sql)
        table = _Table(f"table_{n:03}")
        columns = ['"id" serial PRIMARY KEY NOT NULL']
        columns.append(table.add("name", "text", " NOT NULL", ".notNull()"))
        columns.append(table.add("amount", "integer", " DEFAULT 0 NOT NULL", ".default(0).notNull()"))
        columns.append(table.add("active", "boolean", " DEFAULT true", ".default(true)"))
        columns.append(table.add("made_at", "timestamp", " DEFAULT now() NOT NULL", ".defaultNow().notNull()"))
        columns.append(table.add("parent_id", "integer"))
        columns.append(table.add("data", "jsonb"))
        columns.append(table.add("note", "text"))
        parent = self.tables[n // 2] if self.tables else table
        body = ",\n\t".join(columns)
        statements = [f'CREATE TABLE "{table.name}" (\n\t{body}\n);\n']
        if parent is not table:
            table.references.append(("parent_id", parent.name))
            key = f"{table.name}_parent_id_{parent.name}_id_fk"
            statements.append(
                f'ALTER TABLE "{table.name}" ADD CONSTRAINT "{key}" FOREIGN KEY ("parent_id") REFERENCES "public"."{parent.name}"("id") ON DELETE no action ON UPDATE no action;'
            )
        for column in ("name", "made_at"):
            name = f"{table.name}_{column}_index"
            table.indexes.append((name, column))
            statements.append(f'CREATE INDEX "{name}" ON "{table.name}" USING btree ("{column}");')
        self.tables.append(table)
        older = 0
        while len(statements) < 10:
            target = self.tables[(n * 7 + older * 3) % len(self.tables)]
            statements.append(f'ALTER TABLE "{target.name}" ADD COLUMN {target.add(f"more_{n}_{older}", "text")};')
            older += 1
        text = "--> statement-breakpoint\n".join(f"{s}\n" if not s.endswith("\n") else s for s in statements)
        self.sql.append(text)
        return text

    def schema(self) -> str:
        """The schema file."""
        head = 'import { boolean, index, integer, jsonb, pgTable, serial, text, timestamp } from "drizzle-orm/pg-core";\n\n'
        return head + "\n".join(table.typescript() for table in self.tables)

    def files(self, *, last: Mapping[str, str] | None = None) -> dict[str, str]:
        """The repository; only the last snapshot is whole, the others have a head and no tables."""
        entries: Sequence[dict[str, object]] = [entry(i, _tag(i)) for i in range(len(self.sql))]
        files = dict(last or {})
        files |= {"drizzle.config.ts": CONFIG, "package.json": PACKAGE, "schema.ts": self.schema()}
        files["drizzle/meta/_journal.json"] = journal(entries)
        for number, sql in enumerate(self.sql):
            files[f"drizzle/{_tag(number)}.sql"] = sql
            path = f"drizzle/meta/{number:04}_snapshot.json"
            if path not in files:
                files[path] = _snapshot(number, {"version": "7", "dialect": "postgresql", "tables": {}})
        tree = Tree.of({"schema.ts": files["schema.ts"]})
        read = schemas.read(tree, ["schema.ts"], format="v0", casing=None)
        assert not read.unresolved
        number = len(self.sql) - 1
        files[f"drizzle/meta/{number:04}_snapshot.json"] = _snapshot(number, to_snapshot(read))
        return files


def _tag(number: int) -> str:
    return f"{number:04}_step"


def _snapshot(number: int, content: Mapping[str, object]) -> str:
    own = f"00000000-0000-4000-8000-{number + 1:012}"
    parent = f"00000000-0000-4000-8000-{number:012}" if number else ROOT
    return json.dumps({"id": own, "prevId": parent, **content}, indent=2)
