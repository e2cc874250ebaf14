"""Drivers and connections beside the standard one; and code that only looks like it."""

import pytest

from checks import policy, rules, ways
from tests.checks.ways_samples import MODULE, POLICY_PATH, PROJECT, STANDARD, TREE, change, kind, read, seen

N = ("NonstandardConnection", "scripts/a.ts")
F = ("ForbiddenDriver", "scripts/a.ts")

OPENING = [
    'import { neon } from "@neondatabase/serverless"; const sql = neon(process.env.DATABASE_URL!);',
    'import { neon as n } from "@neondatabase/serverless"; const sql = n(url);',
    'import * as serverless from "@neondatabase/serverless"; serverless.neon(url);',
    'import { Pool } from "@neondatabase/serverless"; export const pool = new Pool({ connectionString });',
    'import { Client as C } from "@neondatabase/serverless"; const c = new C(url);',
    'const { neon } = require("@neondatabase/serverless"); neon(url);',
    'const { neon: connect } = require("@neondatabase/serverless"); connect(url);',
    'const serverless = require("@neondatabase/serverless"); serverless.neon(url);',
    'const neon = require("@neondatabase/serverless").neon; neon(url);',
    'require("@neondatabase/serverless").neon(url);',
    'const { neon } = await import("@neondatabase/serverless"); neon(url);',
    'const sql = (await import("@neondatabase/serverless")).neon(url);',
    'import("@neondatabase/serverless").then(({ neon }) => neon(url));',
    'import { neon } from "@neondatabase/serverless"; const connect = neon; connect(url);',
    'import pg from "pg"; const pool = new pg.Pool();',
    'import pg from "pg"; const { Pool } = pg; new Pool();',
    'import pg from "pg"; const Pool = pg.Pool; new Pool();',
    'import { Client } from "pg"; await new Client(url).connect();',
    'import postgres from "postgres"; const sql = postgres(url);',
    'import { default as p } from "postgres"; const sql = p(url);',
    'import { createPool } from "@vercel/postgres"; createPool();',
    'import { sql } from "@vercel/postgres"; await sql`select 1`;',
    'import { drizzle } from "drizzle-orm/neon-http"; export const db = drizzle(process.env.DATABASE_URL!);',
    'import { drizzle } from "drizzle-orm/postgres-js"; export const db = drizzle({ connection: { url } });',
    'import { drizzle } from "drizzle-orm/neon-serverless"; const url = process.env.DATABASE_URL!; drizzle(url, { schema });',
    'import { neon } from "npm:@neondatabase/serverless@1"; neon(url);',
    'import { neon } from "https://esm.sh/@neondatabase/serverless@0.10"; neon(url);',
    'import pg = require("pg"); new pg.Pool();',
    'let p; export const get = () => (p ??= new (require("pg").Pool)());',
    'const pg = await import("pg"); new pg.default.Client();',
    'const t = text("name"), { Pool } = require(          "pg"); new Pool();',
    'const { Pool } = await import(\t\t"pg"); new Pool();',
    'import postgres from "https://deno.land/x/postgresjs@v3.4.4/mod.js"; postgres(url);',
    'class Db { private pool = new (class {})(); } import { Pool } from "pg"; export const pool = globalThis.pool ?? new Pool();',
    '// @ts-nocheck\nimport { neon } from "@neondatabase/serverless"; const x = { y: [() => neon(url)] };'.replace("// @ts-nocheck\n", ""),
]  # fmt: skip


@pytest.mark.parametrize("source", OPENING)
def test_a_connection_by_any_name_is_found(source):
    assert seen({"scripts/a.ts": f"// first line\n{source}\n"}) == [(*N, 2)]


OWN = [
    f'import {{ sql }} from "../{MODULE[:-3]}"; await sql`select 1`;',
    'import type { Pool } from "pg"; export const f = (p: Pool) => p;',
    'import { type Pool, type Client } from "pg"; export const f = (p: Pool, c: Client) => p;',
    'import { Pool } from "pg"; export function f(p: Pool) { return p.query("select 1"); }',
    'type P = import("pg").Pool; export const f = (p: P) => p;',
    'import type { NodePgDatabase } from "drizzle-orm/node-postgres"; let d: NodePgDatabase;',
    'import { NodePgDatabase } from "drizzle-orm/node-postgres"; let d: NodePgDatabase<typeof import("./s")>;',
    'import postgres from "postgres"; let s: ReturnType<typeof postgres>;',
    '// neon(url)\n/* import { neon } from "@neondatabase/serverless"; neon(url) */ export {};',
    'export const doc = "import { neon } from \'@neondatabase/serverless\'; neon(url)";',
    'export const doc = `import pg from "pg"; new pg.Pool()`;',
    'import { neonConfig } from "@neondatabase/serverless"; neonConfig.fetchConnectionCache = true;',
    'import { drizzle } from "drizzle-orm/neon-http"; import { sql } from "../lib/database/connection-standard"; export const db = drizzle(sql, { schema });',
    'import { drizzle } from "drizzle-orm/neon-http"; import { client } from "./c"; export const db = drizzle({ client, schema });',
    'import { migrate } from "drizzle-orm/neon-http/migrator"; import { db } from "../db"; await migrate(db, { migrationsFolder: "x" });',
    'import { pgTable, integer } from "drizzle-orm/pg-core"; export const t = pgTable("t", { id: integer() });',
    'import { Pool } from "./worker-pool"; new Pool(4);',
    'import { Client } from "discord.js"; new Client({});',
    'import { createClient } from "@libsql/client"; createClient({ url });',
    'import { drizzle } from "drizzle-orm/d1"; drizzle(env.DB);',
    'import { drizzle } from "drizzle-orm/mysql2"; drizzle(process.env.DATABASE_URL!);',
    'import { drizzle } from "drizzle-orm/better-sqlite3"; drizzle("file.db");',
    'import { createClient } from "@supabase/supabase-js"; createClient(url, key);',
    'import PgBoss from "pg-boss"; new PgBoss(url);',
    'import neon from "./neon-colours"; neon("green");',
    'import { Redis } from "@upstash/redis"; new Redis({ url });',
    'vi.mock("@neondatabase/serverless", () => ({ neon: () => sql }));',
    "const neon = (x: string) => x; neon('a'); const postgres = 1; class Pool {} new Pool();",
]  # fmt: skip


@pytest.mark.parametrize("source", OWN)
def test_ordinary_code_raises_no_alarm(source):
    assert seen({"scripts/a.ts": source + "\n"}) == []


@pytest.mark.parametrize(
    "path",
    [
        "lib/db.test.ts", "tests/db.ts", "lib/__tests__/db.ts", "e2e/fixtures/db.ts", "vitest.setup.ts", "playwright.config.ts", "test-utils/db.ts",
        "lib/testDb.ts", "src/preview-database.ts", "examples/a.ts", "templates/neon/db.ts", "docs/snippets/a.ts", "dist/index.js", "public/app.min.js",
        "lib/db.d.ts", "lib/db.stories.tsx", "packages/testing/src/db.ts", "node_modules/x/index.js", "bench/pool.ts", "cypress/support/db.ts",
    ],
)  # fmt: skip
def test_tests_previews_and_examples_may_connect_as_they_like(path):
    assert (
        seen({path: OPENING[0] + '\nimport { drizzle } from "drizzle-orm/node-postgres"; drizzle("postgres://x");\n'})
        == []
    )


def test_names_are_followed_through_modules_of_the_repository():
    base = {
        **TREE,
        "tsconfig.json": '{ "compilerOptions": { "paths": { "@/*": ["./*"] } } }',
        "lib/index.ts": 'export * from "./inner";\n',
        "lib/inner.ts": 'import { neon as n } from "@neondatabase/serverless";\nexport { n as neon };\n',
        "lib/pools.ts": 'export { Pool } from "pg";\n',
    }
    assert seen({"scripts/a.ts": 'import { neon } from "@/lib";\nneon(url);\n'}, base) == [(*N, 2)]
    assert seen({"scripts/a.ts": 'import { Pool as P } from "../lib/pools";\nnew P();\n'}, base) == [(*N, 2)]


def test_the_standard_module_may_call_neon_as_often_as_it_likes():
    assert seen({MODULE: STANDARD + "export const readonly = neon(process.env.READONLY_URL!);\n"}) == []


@pytest.mark.parametrize(
    "source",
    [
        'import { drizzle } from "drizzle-orm/node-postgres"; export const d = drizzle(client);',
        'import { migrate } from "drizzle-orm/node-postgres/migrator"; await migrate(db, {});',
        'const { drizzle } = require("drizzle-orm/node-postgres"); drizzle(client);',
        'const m = await import("drizzle-orm/node-postgres"); m.drizzle(client);',
        'export { drizzle } from "drizzle-orm/node-postgres";',
        'export * from "drizzle-orm/node-postgres";',
        'import "drizzle-orm/node-postgres";',
        'import { drizzle } from "drizzle-orm/node-postgres";',
        'import { drizzle, type NodePgDatabase } from "drizzle-orm/node-postgres"; let d: NodePgDatabase = drizzle(client);',
    ],
)
def test_a_forbidden_driver_is_found_however_it_is_asked_for(source):
    assert seen({"scripts/a.ts": source + "\n"}) == [(*F, 1)]


def test_a_forbidden_driver_may_be_any_package():
    base = {**TREE, POLICY_PATH: "connection: {forbidden: [pg, '@prisma/client']}\n"}
    assert seen({"scripts/a.ts": 'import { PrismaClient } from "@prisma/client";\nnew PrismaClient();\n'}, base)[0] == (
        *F,
        1,
    )
    assert seen({"scripts/a.ts": 'import PgBoss from "pg-boss";\nnew PgBoss();\n'}, base) == []


def test_paths_say_where_the_connection_rules_hold():
    text = 'connection: {module: lib/database/connection-standard.ts, forbidden: [drizzle-orm/node-postgres], paths: ["scripts/**", "!scripts/old/**"]}\n'
    base = {**TREE, POLICY_PATH: text}
    assert seen({"scripts/deep/er/a.ts": OPENING[0]}, base) == [("NonstandardConnection", "scripts/deep/er/a.ts", 1)]
    assert seen({"app/a.ts": OPENING[0]}, base) == []
    assert seen({"scripts/old/a.ts": OPENING[0]}, base) == []


def test_a_repository_laid_out_as_the_policy_says_needs_no_configuration():
    """`lib/database/connection-standard.ts` is the module without a word about it, and node-postgres is not for anyone."""
    base = {**TREE, POLICY_PATH: "version: 1\n"}
    source = 'import { drizzle } from "drizzle-orm/node-postgres";\nimport { Pool } from "pg";\nexport const db = drizzle(new Pool());\n'
    assert seen({"scripts/a.ts": source}, base) == [(*F, 1), (*N, 3)]
    bare = {path: text for path, text in TREE.items() if path != POLICY_PATH}
    made = change(bare, {**bare, "scripts/a.ts": source})
    findings = policy.apply(
        rules.judge(ways.read(made, policy.read(made.base.tree), PROJECT).facts), policy.read(made.base.tree)
    )
    assert {f.severity for f in findings} == {"warning"}


def test_without_a_word_about_it_the_module_is_inferred_and_nothing_blocks():
    base = {
        "package.json": "{}",
        "src/db/index.ts": 'import { Pool } from "pg";\nexport const pool = new Pool();\n',
        POLICY_PATH: "version: 1\n",
    }
    reading = read(
        {"src/jobs/report.ts": 'import { neon } from "@neondatabase/serverless";\nneon(process.env.DATABASE_URL!);\n'},
        base,
    )
    assert [kind(f) for f in reading.facts] == [
        ("ForbiddenDriver?", "src/jobs/report.ts", 1),
        ("NonstandardConnection?", "src/jobs/report.ts", 2),
    ]
    assert (reading.connection.module, reading.connection.driver, reading.connection.inferred) == (
        "src/db/index.ts",
        "pg",
        True,
    )
    findings = policy.apply(rules.judge(reading.facts), policy.PolicyFile(policy.Policy(), POLICY_PATH))
    assert {f.severity for f in findings} == {"note"}
    assert policy.verdict(findings) == "pass"


def test_where_two_modules_could_be_the_standard_nothing_is_said():
    base = {"src/db/a.ts": OPENING[14], "src/db/b.ts": OPENING[14]}
    assert read({"src/x.ts": OPENING[0]}, base).facts == ()


def test_the_first_connection_of_a_repository_is_its_standard():
    base = {"package.json": "{}"}
    assert read({"src/db/index.ts": OPENING[0]}, base).facts == ()


@pytest.mark.parametrize(
    ("path", "source"),
    [
        ("supabase/functions/hook/index.ts", OPENING[0]),
        ("netlify/edge-functions/a.ts", OPENING[0]),
        ("app/api/x/route.ts", 'export const runtime = "edge";\n' + OPENING[0]),
        (
            "scripts/warehouse.ts",
            'import { Pool } from "pg";\nnew Pool({ connectionString: process.env.WAREHOUSE_DATABASE_URL });\n',
        ),
    ],
)
def test_the_edge_and_other_databases_are_only_noted(path, source):
    """Nobody wrote down that these have to go through the standard module: it may not run there, or it is another database."""
    assert [s[0] for s in seen({path: source})] == ["NonstandardConnection?"]


def test_another_package_of_a_monorepo_is_only_noted():
    base = {**TREE, "apps/worker/package.json": '{"name": "worker"}'}
    assert [s[0] for s in seen({"apps/worker/src/db.ts": OPENING[14]}, base)] == ["NonstandardConnection?"]


def test_a_direct_url_of_the_same_database_is_no_other_database():
    source = 'import { neon } from "@neondatabase/serverless";\nneon(process.env.DATABASE_URL_UNPOOLED!);\n'
    assert seen({"scripts/a.ts": source}) == [(*N, 2)]


def test_an_old_connection_on_a_new_line_is_not_introduced():
    base = {**TREE, "scripts/a.ts": OPENING[0] + "\n"}
    assert seen({"scripts/a.ts": "// a word\n\n" + OPENING[0] + "\nexport {};\n"}, base) == []
    assert seen({"scripts/a.ts": OPENING[0] + "\nconst other = neon(process.env.DATABASE_URL!);\n"}, base) == [(*N, 2)]


def test_the_standard_module_may_move():
    """The policy of base still says where it was."""
    head = {path: text for path, text in TREE.items() if path != MODULE} | {"lib/db/standard.ts": STANDARD}
    made = change(TREE, head, renamed={"lib/db/standard.ts": MODULE})
    assert ways.read(made, policy.read(made.base.tree), PROJECT).facts == ()


def test_a_file_with_connections_that_moves_brings_nothing_new():
    base = {**TREE, "scripts/a.ts": OPENING[0] + "\n"}
    assert seen({"scripts/db/b.ts": OPENING[0] + "\n// moved\n"}, base, without=["scripts/a.ts"]) == []


def test_a_repository_without_postgres_is_nobodys_business():
    base = {
        "package.json": "{}",
        "db/index.ts": 'import { drizzle } from "drizzle-orm/d1";\nexport default (e) => drizzle(e.DB);\n',
    }
    assert (
        seen(
            {"scripts/a.ts": OPENING[0], "package.json": '{"scripts": {"db:push": "drizzle-kit push"}}'},
            base,
            projects=(),
        )
        == []
    )


@pytest.mark.parametrize(
    "source",
    [
        'import { neon from "@neondatabase/serverless"\nneon(\n',
        'import { neon } from "@neondatabase/serverless";\nconst = = neon(url);\nfunction {\n',
        "\0\0import pg from 'pg'\xff",
        "import pg from 'pg';" * 2000,
        "neon(" * 5000 + ' "pg"',
        "`${" * 3000 + '"pg" drizzle-kit push',
    ],
)
def test_broken_typescript_ends_without_an_error(source):
    read({"scripts/a.ts": source})


def test_a_minified_bundle_is_passed_over():
    bundle = 'var n=require("pg");' + "a(b);" * 20_000 + "new n.Pool()"
    assert seen({"public/assets/main.js": bundle}) == []


def test_a_file_of_ten_megabytes_that_matters_is_said_to_be_unread():
    source = OPENING[0] + "\n" + "export const x = 1; // padding\n" * 330_000
    reading = read({"scripts/a.ts": source})
    assert [u.path for u in reading.unread] == ["scripts/a.ts"]


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("app/a.vue", '<template>\n<b/>\n</template><script setup lang="ts">\nimport { neon } from "@neondatabase/serverless";\nneon("x");\n</script>\n'),
        ("src/a.svelte", '<p>don\'t</p>\n\n<script lang="ts">\nimport { neon } from "@neondatabase/serverless";\nneon("x");\n</script>\n'),
        ("src/pages/a.astro", '---\n\n\nimport { neon } from "@neondatabase/serverless";\nneon("x");\n---\n<p>{neon}</p>\n'),
    ],
)  # fmt: skip
def test_pages_open_connections_in_their_scripts(path, text):
    """Vue, Svelte and Astro: the lines are the page's."""
    assert seen({path: text}) == [("NonstandardConnection", path, 5)]
    assert seen({path: text.replace("<script", "<code").replace("---", "")}) == []
