"""Whole projects: which exports count, what is listed as unresolved, and what an answer costs."""

import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from checks.schema import ddl, model
from checks.schema.read import read
from checks.tree import Tree
from tests import node_oracle
from tests.checks import schema_oracle
from tests.checks.schema_samples import HEAD
from tests.checks.schema_written import BUILDERS, lacks

PROJECT = {
    "schema.ts": """export * from "./users"; export * from "./posts"; export { audit as auditLog } from "./more/audit"; export * as all from "./users";
        export { roles, type Role } from "./enums"; import { hidden } from "./hidden"; const unused = hidden; export default 5;""",
    "enums.ts": 'import { pgEnum } from "drizzle-orm/pg-core"; export const ROLES = ["admin", "user"] as const; export type Role = (typeof ROLES)[number]; export const roles = pgEnum("role", ROLES);',
    "users.ts": """import { pgTable, text, index } from "drizzle-orm/pg-core"; import { stamps, key } from "./common"; import { roles } from "./enums"; import { posts } from "./posts";
        export const users = pgTable("users", { ...key(), name: text().notNull(), role: roles().default("user"), pinned: text().references(() => posts.id), ...stamps }, (t) => [index("by_name").on(t.name)]);""",
    "posts.ts": """import { pgTable, text } from "drizzle-orm/pg-core"; import * as c from "./common"; import { users } from "./users";
        export const posts = pgTable("posts", { ...c.key("text"), author: text("author_id").notNull().references(() => users.id, { onDelete: "cascade" }), ...c.stamps });
        export { users as people };""",
    "common.ts": """import { text, timestamp } from "drizzle-orm/pg-core"; export const stamps = { createdAt: timestamp("created_at").defaultNow().notNull() };
        export const key = (kind: string = "text") => ({ id: text("id").primaryKey() }); export const notATable = { x: 1 };""",
    "more/audit.ts": 'import { pgSchema, integer } from "drizzle-orm/pg-core"; const s = pgSchema("logs"); export const audit = s.table("audit", { n: integer() });',
    "hidden.ts": 'import { pgTable, integer } from "drizzle-orm/pg-core"; export const hidden = pgTable("hidden", { n: integer() });',
}


@pytest.mark.node
@pytest.mark.parametrize("version", ["v0", "v1"])
def test_a_project_of_several_files_means_what_drizzle_kit_says(version, tmp_path):
    """Barrels, cycles, renamed and passed-on exports, namespaces: only what the schema file exports counts, once."""
    files = dict(PROJECT)
    if version == "v1":  # there a table that is exported under two names is refused
        twice = read(Tree.of(files), ["schema.ts"], format=version)
        assert [lack.what for lack in twice.unresolved] == ["export people"]
        files["posts.ts"] = files["posts.ts"].replace("export { users as people };", "")
    for name, source in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(source)
    options = ("--sql", "--dialect=postgresql", "--schema=./schema.ts")
    said = node_oracle.require(version).kit(tmp_path, "export", *options).stdout
    schema = read(Tree.of(files), ["schema.ts"], format=version)
    assert schema.unresolved == ()
    assert "\n".join(ddl.statements(schema)).strip() == said.strip()


def test_what_is_not_known_spoils_only_what_depends_on_it():
    """A name, a type, a default, an index, a foreign key, a check, a table: each is listed by itself and the rest is there."""
    found, schema = lacks(
        BUILDERS
        + """import { other } from "@acme/db-schema"; import { gone } from "./gone";
export const t = pgTable("t", { id: integer().primaryKey(), a: text().default(process.env.A), b: text(process.env.B), ...other,
  c: integer().references(() => gone.id), d: gone.column() }, (t) => [index("i").on(t.id), index("j").on(t.id).where(sql`${process.env.C}`),
  check("k", sql`${t.id} > ${5}`), process.env.D ? index("l").on(t.id) : check("m", sql`true`)]);
export const u = pgTable(`${process.env.PREFIX}_u`, { id: integer() });
export const v = pgTable("v", { n: text() });
"""
    )
    no_file = "there is no file for `./gone`"
    assert found == [
        (3, "column t.d", no_file),
        (3, "columns of t", "`other` comes from the package `@acme/db-schema`, which is not part of the repository"),
        (3, "foreign key on c of t", no_file),
        (4, "column t.b", "depends on the environment (`process.env.B`)"),
        (4, "default of t.a", "depends on the environment (`process.env.A`)"),
        (5, "index j of t", "depends on the environment (`process.env.C`)"),
        (6, "check k of t", "has a value that drizzle-kit prints as a parameter (`$1`), which PostgreSQL refuses"),
        (6, "extras of t", "depends on the environment (`process.env.D`)"),
        (7, "name of a table", "depends on the environment (`process.env.PREFIX`)"),
    ]
    assert ddl.statements(schema) == [
        'CREATE TABLE "t" (\n\t"id" integer PRIMARY KEY NOT NULL,\n\t"a" text,\n\t"c" integer\n);\n',
        'CREATE TABLE "v" (\n\t"n" text\n);\n',
        'CREATE INDEX "i" ON "t" USING btree ("id");',
    ]
    table = schema.table("public.t")
    assert isinstance(table, model.Table)
    assert table.incomplete
    assert not schema.table("public.v").incomplete


@pytest.mark.parametrize(
    ("line", "lack"),
    [
        ("export const x = makeTable('x');", "`makeTable` is not defined here"),
        (
            "import { authTables } from 'some-auth'; export const x = authTables.users;",
            "comes from the package `some-auth`",
        ),
        ("import { make } from 'plain'; export const x = make(pgTable);", "comes from the package `plain`"),
        ("export * from './nowhere';", "there is no file for `./nowhere`"),
        ("export * from 'acme-tables';", "passes on whatever the package `acme-tables` exports"),
        ("export const x = process.env.X ? pgTable('x', {}) : null;", "depends on the environment"),
        ("export const x = await load();", "known only after waiting"),
        ("export const x = {;", "is a syntax error"),
        ("export const v = pgView('v').as((qb) => qb.with(q).select());", "is not understood"),
        (
            "import { relations } from 'drizzle-orm'; export const x = pgTable('x', { a: relations() });",
            "makes no tables",
        ),
        ("export const e = pgEnum('e', process.env.E.split(','));", "depends on the environment"),
        (
            "export let x = pgTable('x', { id: integer() }); if (process.env.X) x = pgTable('y', {});",
            "depends on the environment",
        ),
    ],
)
def test_an_export_that_may_be_a_table_is_listed(line, lack):
    """Whatever could hide a part of the schema is said, with its line."""
    found, _ = lacks(BUILDERS + line)
    assert [(at, lack) for at, _, why in found if lack in why] == [(3, lack)]


@pytest.mark.parametrize(
    "line",
    [
        "import { z } from 'zod'; export const s = z.object({ a: z.string() }).strict(); export const e = z.enum(['a']);",
        "import { createInsertSchema } from 'drizzle-zod'; const t = pgTable('t', { id: integer() }); export const i = createInsertSchema(t);",
        "import { relations } from 'drizzle-orm'; const t = pgTable('t', { id: integer() }); export const r = relations(t, ({ one }) => ({}));",
        "import { drizzle } from 'drizzle-orm/node-postgres'; export const db = drizzle(process.env.URL, {});",
        "import { Pool } from 'pg'; export const pool = new Pool({ url: process.env.URL });",
        "import { nanoid } from 'nanoid'; export const id = nanoid(); export const gen = () => nanoid();",
        "import { customAlphabet } from 'whatever'; export const make = customAlphabet('abc', 5);",
        "export class Model { static x = 1; } export function f() { throw new Error('x'); } export async function g() {} export type T = 1;",
        "import dotenv from 'dotenv'; dotenv.config({ path: '.env' }); if (!process.env.URL) { throw new Error('no url'); } console.log('x');",
        "import { mysqlTable } from 'drizzle-orm/mysql-core'; export const m = mysqlTable('m', {});",
        "declare module 'x' { export const y: string } declare global { interface Window {} } export declare const z: string; namespace N {}",
        "'use server'; export const a = 1 as const satisfies number; export default {} as Record<string, never>;",
        "import type { X } from './missing'; import { type Y } from './missing'; export type { Z } from './missing';",
        "export const q = sql<{ a: number }[]>`select 1`; export const p = sql<string | null>`x`.as('y');",
    ],
)
def test_what_makes_no_tables_is_not_listed(line):
    """Validators, relations, clients, classes, functions, types, environment checks."""
    found, _ = lacks(BUILDERS + line)
    assert [lack for lack in found if "only declared" not in lack[2]] == []


def test_code_beside_the_schema_is_not_judged():
    """A module that lends a constant may do whatever it likes besides."""
    helper = "outer: for (;;) { break outer; } throw new Error('x'); export const name = 't'; app.get('/', () => {}); with_(x);"
    found, schema = lacks(
        BUILDERS + "import { name } from './helper'; export const t = pgTable(name, { id: integer() });", helper=helper
    )
    assert found == []
    assert schema.table("public.t") is not None


def test_an_unchanged_schema_is_not_read_twice():
    """The answer for a tree is kept as long as every file it asked for, there or not, is the same."""
    files = {
        f"t{i}.ts": BUILDERS + f"export const t{i} = pgTable('t{i}', {{ id: serial().primaryKey() }});"
        for i in range(30)
    }
    tree = Tree.of(files | {"other.md": "x"})
    first = read(tree, sorted(files), format="v0")
    assert read(Tree.of(files | {"other.md": "y"}), sorted(files), format="v0") is first
    changed = read(Tree.of(files | {"t3.ts": files["t3.ts"].replace("serial", "integer")}), sorted(files), format="v0")
    assert changed is not first
    missing = {"a.ts": BUILDERS + "import { x } from './b'; export const t = pgTable(x, { id: integer() });"}
    assert read(Tree.of(missing), ["a.ts"], format="v0").unresolved
    assert not read(Tree.of(missing | {"b.ts": "export const x = 't';"}), ["a.ts"], format="v0").unresolved


def test_many_and_big_files():
    """Five thousand files are too many, and that is said; what is read is read in bounded time."""
    files = {f"f{i}.ts": "export const x = 1;" for i in range(5_001)}
    start = time.monotonic()
    schema = read(Tree.of(files), list(files), format="v0")
    assert [lack.why for lack in schema.unresolved] == ["5001 files match `schema`; at most 5000 are read"]
    assert not read(Tree.of(files), list(files)[:3000], format="v0").unresolved
    big = {"big.ts": "// " + "x" * (10 << 20), "ok.ts": BUILDERS + "export const t = pgTable('t', { id: integer() });"}
    schema = read(Tree.of(big), ["big.ts", "ok.ts"], format="v0")
    assert [lack.why for lack in schema.unresolved] == ["is a file of 10 MB; at most 4 MB are read"]
    assert len(schema.tables) == 1
    assert time.monotonic() - start < 10


@pytest.mark.parametrize(
    ("source", "lack"),
    [
        ("let s: any = sql`x`;" + "s = sql`${s}${s}`;" * 60 + "export const t = pgTable('t', { a: text().default(s) });", "default of t.a"),
        ("let s: any = sql`x`;" + "s.append(s);" * 60 + "export const t = pgTable('t', { a: text().default(s) });", "default of t.a"),
        ("let o: any = { a: 1 };" + "o = { a: o, b: o };" * 60 + "export const t = pgTable('t', { a: jsonb().default(o) });", "default of t.a"),
        ("let o: any = [1];" + "o = [o, o];" * 60 + "export const t = pgTable('t', { a: integer().array().default(o) });", "default of t.a"),
        ("export const t = pgTable('t', { a: text() }); let o: any = { a: t.a };" + "o = { a: o, b: o };" * 60 + "export const v = pgView('v').as((qb) => qb.select(o).from(t));", "view v"),
        ("let o: any = { a: 1 };" + "o = { a: o, b: o };" * 60 + "export const t = pgTable('t', { a: text() }, (t) => [index('i').on(t.a).with(o)]);", None),
        ("export const t = pgTable('t', { a: bigint({ mode: 'bigint' }).default(2n ** 90000n) });", "default of t.a"),
        ("export const t = pgTable('t', { a: text() }); export const v = pgView('v').as((qb) => { let q: any = qb.$with('q').as(qb.select({ a: t.a }).from(t)); for (let i = 0; i < 60; i++) { q = qb.$with('q' + i).as(qb.with(q, q).select({ a: q.a }).from(q)); } return qb.with(q).select().from(q); });", "view v"),
        ("export const t = pgTable('t', { a: text() }); export const v = pgView('v').as((qb) => { let q: any = qb.select({ a: t.a }).from(t); for (let i = 0; i < 60; i++) { q = qb.select({ a: t.a }).from(t).where(inArray(t.a, q)).having(inArray(t.a, q)); } return q; });", "view v"),
    ],
)  # fmt: skip
def test_what_is_small_in_the_source_and_huge_in_print_costs_little(source, lack):
    """A thing that holds another twice, sixty times over: said in its place, at once, without filling the memory."""
    start = time.process_time()
    schema = read(Tree.of({"schema.ts": HEAD + source}), ["schema.ts"], format="v0")
    if lack is not None:
        assert [found.what for found in schema.unresolved] == [lack]
    assert time.process_time() - start < 5


# --- made by hypothesis -----------------------------------------------------------------------------------------------

names = st.sampled_from(["id", "userId", "a_b", "Name", "x1", "long_name_of_a_column_that_goes_on_and_on"])
kinds = st.sampled_from([
    "integer()", "text()", "varchar({ length: 30 })", "boolean()", "timestamp({ withTimezone: true })", "jsonb()", "uuid()",
    "numeric({ precision: 8, scale: 2 })", "mood()", "date()", "bigint({ mode: 'number' })", "text().array()",
])  # fmt: skip
modifiers = st.lists(
    st.sampled_from([".notNull()", ".unique()", ".$type<any>()", ".default(sql`null`)", ".unique('u_own')"]),
    max_size=3,
    unique=True,
)


@st.composite
def schemas(draw):
    """The source of a schema with a few tables that refer to each other."""
    count = draw(st.integers(1, 4))
    parts = [HEAD, "export const mood = pgEnum('mood', ['a', 'b']);"]
    order = draw(st.permutations(range(count)))
    for index in order:
        columns = [
            f"key{index}: {draw(st.sampled_from(['serial()', 'integer().generatedAlwaysAsIdentity()', 'uuid().defaultRandom()']))}.primaryKey()"
        ]
        keys = draw(st.lists(names, max_size=4, unique=True))
        for key in keys:
            columns.append(f"{key}: {draw(kinds)}{''.join(draw(modifiers))}")  # noqa: PERF401 - reads better
        if draw(st.booleans()):
            target = draw(st.integers(0, count - 1))
            action = draw(
                st.sampled_from(["", ", { onDelete: 'cascade' }", ", { onUpdate: 'set null', onDelete: 'restrict' }"])
            )
            columns.append(f"ref: integer().references((): AnyPgColumn => t{target}.key{target}{action})")
        extras = []
        for number, key in enumerate(keys[:2]):
            form = draw(
                st.sampled_from(
                    [
                        "index().on(t.%s)",
                        "index('n%d_%d').on(t.%s.desc(), t.key%d)",
                        "uniqueIndex('q%d_%d').on(sql`lower(${t.%s}::text)`)",
                        "check('c%d_%d', sql`${t.%s} is not null`)",
                        "unique().on(t.%s, t.key%d)",
                    ]
                )
            )
            wanted = form.count("%")
            values = {1: (key,), 2: (key, index), 3: (index, number, key), 4: (index, number, key, index)}[wanted]
            extras.append(form % values)
        callback = (
            ""
            if not extras
            else f", (t) => [{', '.join(extras)}]"
            if draw(st.booleans())
            else f", (t) => ({{ {', '.join(f'e{i}: {e}' for i, e in enumerate(extras))} }})"
        )
        maker = draw(st.sampled_from(["pgTable", "pgTable", "own.table"]))
        parts.append(f"export const t{index} = {maker}('table_{index}', {{ {', '.join(columns)} }}{callback});")
    parts.insert(2, "export const own = pgSchema('own');")
    return "\n".join(parts)


@pytest.mark.node
@pytest.mark.parametrize("version", ["v0", "v1"])
def test_schemas_made_by_chance_mean_what_drizzle_kit_says(version, tmp_path):
    """A hundred schemas at random: word for word the same, with every casing."""
    made: list[tuple[str, str | None]] = []

    @given(schemas(), st.sampled_from([None, "snake_case", "camelCase"]))
    @settings(max_examples=100, deadline=None, database=None, derandomize=True, suppress_health_check=list(HealthCheck))
    def collect(source, casing):
        made.append((source, casing if version == "v0" else None))

    collect()
    answers = schema_oracle.ask(version, [{"files": {"schema.ts": s}, "casing": c} for s, c in made], tmp_path)
    wrong = []
    for (source, casing), answer in zip(made, answers, strict=True):
        schema = read(Tree.of({"schema.ts": source}), ["schema.ts"], format=version, casing=casing)
        if "error" in answer:
            continue  # e.g. two constraints of one name: drizzle-kit stops
        if schema.unresolved or sorted(ddl.statements(schema)) != sorted(answer["statements"]):
            wrong.append((source, casing, schema.unresolved, ddl.statements(schema), answer["statements"]))
    assert wrong == []
    assert sum("statements" in answer for answer in answers) > 50
