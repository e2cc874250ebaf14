"""A database made from a snapshot is the one that drizzle-kit's own SQL makes."""

import json
from pathlib import Path
from typing import Any

import pytest

from bot.branches.embedded import Embedded
from checks.catalog import difference
from checks.catalog import read as catalogs
from checks.drizzle import snapshot_sql
from checks.drizzle.entities import Unreconstructable
from checks.drizzle.model import Chain, Format, Project, Snapshot
from tests import node_oracle
from tests.checks.replay_samples import migration

SCHEMA = """
import { pgTable, pgSchema, pgEnum, pgSequence, pgRole, pgPolicy, pgView, pgMaterializedView, serial, text, integer, varchar, numeric,
  timestamp, boolean, jsonb, uuid, index, uniqueIndex, unique, check, primaryKey, foreignKey, bigint, doublePrecision, customType,
  } from "drizzle-orm/pg-core";
import { sql } from "drizzle-orm";
export const mood = pgEnum("mood", ["sad", "it's ok", "happy"]);
export const billing = pgSchema("billing");
export const kind = billing.enum("kind", ["a", "b"]);
export const seq = pgSequence("my_seq", { startWith: 5, increment: 2, cycle: true });
export const admin = pgRole("app_admin");
const bytes = customType({ dataType: () => "bytea" });
export const users = pgTable("users", {
  id: serial("id").primaryKey(), email: varchar("email", { length: 255 }).notNull().unique(), raw: bytes("raw"),
  name: text("name").default("x'y"), mood: mood("mood").default("sad").notNull(), moods: mood("moods").array(),
  tags: text("tags").array().default([]), at: timestamp("at", { withTimezone: true }).defaultNow(), data: jsonb("data").default({ a: 1 }),
  n: numeric("n", { precision: 10, scale: 2 }).default("1.50"), d: doublePrecision("d").default(1.5), ok: boolean("ok").default(false),
  u: uuid("u").defaultRandom(), big: bigint("big", { mode: "number" }).generatedAlwaysAsIdentity({ startWith: 10 }),
  up: text("up").generatedAlwaysAs(sql`upper(name)`), "camelCase": integer("camelCase"),
}, (t) => [index("i1").on(t.name), uniqueIndex("i2").on(sql`lower(${t.email})`).where(sql`ok`), index("i3").using("gin", t.tags),
  index("i4").on(t.name.desc().nullsLast(), t.at), index("i5").on(t.n).with({ fillfactor: 70 }),
  check("c1", sql`${t.n} > 0`), unique("un").on(t.name, t.ok).nullsNotDistinct(),
  pgPolicy("p1", { for: "select", to: admin, using: sql`ok` })]);
export const orders = billing.table("orders", { a: integer("a"), b: integer("b"), k: kind("k").default("a"),
  userId: integer("user_id").references(() => users.id, { onDelete: "cascade" }) },
  (t) => [primaryKey({ columns: [t.a, t.b] }), foreignKey({ columns: [t.a, t.b], foreignColumns: [t.a, t.b], name: "selfref" })]);
export const plain = pgTable("plain", { id: integer("id").primaryKey() }).enableRLS();
export const all = pgView("a_view").as((qb) => qb.select({ id: users.id }).from(users));
export const some = pgMaterializedView("mv").as((qb) => qb.select({ id: users.id }).from(users));
"""
CONFIG = 'export default { dialect: "postgresql", schema: "./schema.ts", out: "./out", entities: { roles: true } };'


def snapshot(data: dict[str, Any]) -> Snapshot:
    """A snapshot of these words."""
    return Snapshot("0000_x", "out/meta/0000_snapshot.json", data.get("id", "x"), (), data["version"], data)


def around(one: Snapshot, format: Format = "v0", *texts: str) -> Chain:  # noqa: A002 - the project's word
    """A chain with a snapshot."""
    project = Project(root="", format=format, migrations_dir="out")
    return Chain(project, tuple(migration(n, text) for n, text in enumerate(texts)), (one,))


def made(branches: Embedded, statements: list[str]) -> Any:
    """The schema that statements make."""
    with branches.branch(seconds=60) as branch, branch.connect() as session:
        for statement in statements:
            session.execute(statement.encode())
        return catalogs.read(session)


def known(branches: Embedded) -> str:
    """The schema without what servers before 15 do not know."""
    with branches.branch(seconds=60) as branch:
        return SCHEMA if branch.version >= 150000 else SCHEMA.replace(".nullsNotDistinct()", "")


@pytest.mark.node
@pytest.mark.parametrize("version", ["v0", "v1"])
def test_it_is_what_drizzle_kit_generates(branches: Embedded, tmp_path: Path, version: Format) -> None:
    """Every kind of object, compared as catalogs."""
    oracle = node_oracle.require(version)
    (tmp_path / "schema.ts").write_text(known(branches), encoding="utf-8")
    (tmp_path / "drizzle.config.ts").write_text(CONFIG, encoding="utf-8")
    oracle.kit(tmp_path, "generate", "--name=init")
    (text,) = (path.read_text(encoding="utf-8") for path in tmp_path.glob("out/**/*.sql"))
    (data,) = (json.loads(path.read_text(encoding="utf-8")) for path in tmp_path.glob("out/**/*snapshot.json"))
    one = snapshot(data)
    theirs = made(branches, text.split("--> statement-breakpoint"))
    ours = made(branches, snapshot_sql.ddl(around(one, version), one))
    assert difference.equal(theirs, ours), difference.unified(theirs, ours)


def test_version_5_is_read(branches: Embedded) -> None:
    """Tables without schema, enums as objects, index columns as strings."""
    column = {"primaryKey": False, "notNull": False}
    one = snapshot(
        {
            "version": "5",
            "dialect": "pg",
            "enums": {"mood": {"name": "mood", "values": {"sad": "sad", "ok": "ok"}}},
            "schemas": {},
            "tables": {
                "t": {
                    "name": "t",
                    "schema": "",
                    "columns": {
                        "id": {"name": "id", "type": "serial", "primaryKey": True, "notNull": True},
                        "mood": {**column, "name": "mood", "type": "mood", "default": "'sad'"},
                        "n": {**column, "name": "n", "type": "integer", "default": 3},
                    },
                    "indexes": {"by_n": {"name": "by_n", "columns": ["n", "mood"], "isUnique": True}},
                    "foreignKeys": {},
                    "compositePrimaryKeys": {},
                    "uniqueConstraints": {},
                }
            },
        }
    )
    wanted = [
        "create type mood as enum ('sad', 'ok')",
        "create table t(id serial primary key, mood mood default 'sad', n integer default 3)",
        "create unique index by_n on t(n, mood)",
    ]
    theirs, ours = made(branches, wanted), made(branches, snapshot_sql.ddl(around(one), one))
    assert difference.equal(theirs, ours), difference.unified(theirs, ours)


def test_extensions_come_from_the_chain() -> None:
    """No snapshot knows them."""
    one = snapshot({"version": "7", "tables": {}})
    texts = ('-- x\nCREATE EXTENSION IF NOT EXISTS "vector";', "create extension citext with schema public", "select 1")
    assert snapshot_sql.ddl(around(one, "v0", *texts), one) == [
        'CREATE EXTENSION IF NOT EXISTS "vector" CASCADE;',
        'CREATE EXTENSION IF NOT EXISTS "citext" CASCADE;',
    ]


@pytest.mark.parametrize(
    "data", [{}, {"tables": {"t": {"name": "t"}}}, {"tables": {"t": {"name": "t", "columns": {"a": 3}}}}]
)
def test_a_damaged_snapshot_is_named(data: dict[str, Any]) -> None:
    """Never a guess."""
    one = snapshot({"version": "7", **data})
    with pytest.raises(Unreconstructable, match=r"0000_snapshot\.json is not as drizzle-kit writes it"):
        snapshot_sql.ddl(around(one), one)
