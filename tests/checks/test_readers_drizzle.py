"""Drizzle's own queries as readers: only where the table is resolved by import to the one that is meant."""

import time

import pytest

from checks import readers
from checks.change import Change, Changed, Commit
from checks.drizzle.model import Project
from checks.facts import DropsTable, Place
from checks.readers import Target
from checks.tree import Tree

NICKNAME = Target("public", "users", "nickname")
USERS = Target("public", "users")
SCHEMA = """import { pgTable, text, integer } from "drizzle-orm/pg-core";
import { relations } from "drizzle-orm";
export const users = pgTable("users", {
  id: integer().primaryKey(),
  nickname: text(),
});
export const pets = pgTable("pets", { id: integer(), nickname: text(), ownerId: integer("owner_id") });
export const petsRelations = relations(pets, ({ one }) => ({
  owner: one(users, { fields: [pets.ownerId], references: [users.id] }),
}));
"""
IMPORT = 'import { users, pets } from "../db/schema";\n'
HERE = Place(path="drizzle/0001.sql", line=1, end_line=1)


def told(
    files: dict[str, str], target: Target = NICKNAME, base: dict[str, str] | None = None
) -> list[tuple[str, int, bool]]:
    found = readers.find(Tree.of(files), [target], base=Tree.of(base) if base is not None else None)
    return [(r.path, r.line, r.sure) for r in found.get(target, []) if not r.path.startswith(("db/", "packages/db/"))]


def reads(code: str, target: Target = NICKNAME, lead: str = IMPORT) -> list[int]:
    found = told({"db/schema.ts": SCHEMA, "app/a.ts": lead + code}, target)
    assert all(sure for _, _, sure in found)
    return [line for _, line, _ in found]


@pytest.mark.parametrize(
    "code",
    [
        "db.select({ n: users.nickname }).from(users);",
        "db.select().from(users).where(eq(users.nickname, name));",
        "db.select().from(users).orderBy(desc(users['nickname']));",
        "db.update(users).set({ nickname: null }).where(eq(users.id, 1));",
        "tx.update(users).set({ ...(on ? { nickname } : {}) });",
        "db.insert(users).values({ id: 1, nickname });",
        "await db.insert(users).values([{ id: 1, nickname: 'x' }]).returning();",
        "db.insert(users).values(rows.map((row) => ({ id: row.id, nickname: row.n })));",
        "db.insert(users).values(rows.map((row) => { return { nickname: row.n }; }));",
        "db.insert(users).values(v).onConflictDoUpdate({ target: users.id, set: { nickname: 'x' } });",
        "db.insert(users).values(v).onConflictDoUpdate({ target: users.nickname, set: {} });",
        "db.query.users.findMany({ columns: { id: true, nickname: true } });",
        "ctx.db.query.users.findFirst({ where: (u, { eq }) => eq(u.nickname, name) });",
        "db.query.users.findFirst({ where: ({ nickname }, { eq }) => eq(nickname, name) });",
        "db.query.users.findMany({ where: { nickname: { like: 'a%' } } });",
        "db.query.users.findMany({ where: { OR: [{ id: 1 }, { NOT: { nickname: 'x' } }] } });",
        "db.query.users.findMany({ orderBy: { nickname: 'asc' } });",
        "db.query.users.findMany({ orderBy: (t, { asc }) => [asc(t.nickname)] });",
        "db.query.users.findMany({ extras: { low: (t) => sql`lower(${t.nickname})` } });",
        "db.query.pets.findMany({ with: { owner: { columns: { nickname: true } } } });",
        "db.query.pets.findMany({ where: { owner: { nickname: 'x' } } });",
        "const { nickname } = getTableColumns(users);",
        "const { nickname, ...rest } = users;",
        "const { nickname: n } = getTableColumns(users);",
        "const u = alias(users, 'u'); db.select().from(u).where(eq(u.nickname, 'x'));",
        "function f() { const t = users; return t.nickname; }",
        "db.select().from(pets).leftJoin(users, eq(users.nickname, pets.nickname));",
        "const rows = await db.select().from(users); rows.map((users) => users.id); use(users.nickname);",
    ],
)
def test_a_query_that_names_the_column_is_a_reader(code: str) -> None:
    """In every clause of the query builder and of relational queries, old and new."""
    assert reads(f"x();\n{code}") == [3]


@pytest.mark.parametrize(
    "code",
    [
        "db.select({ n: pets.nickname }).from(pets);",
        "db.update(pets).set({ nickname: 'x' });",
        "db.insert(pets).values({ nickname: 'x' }); db.select().from(users);",
        "db.query.pets.findMany({ columns: { nickname: true }, with: { owner: true } });",
        "db.query.users.findMany({ columns: { nickname: false } });",
        "type N = typeof users.$inferSelect['nickname'];",
        "type N = Pick<typeof users.$inferSelect, 'nickname'>;",
        "const rows = await db.select().from(users); rows[0].nickname;",
        "rows.map((users) => users.nickname);",
        "function f(users: Row[]) { return users.nickname; }",
        "for (const users of all) { use(users.nickname); }",
        "function f() { const users = load(); return users.nickname; }",
        "const row = { users, nickname: users.id };",
        "api.users.update({ nickname: 'x' }); session.set({ nickname: users.id });",
        "new Map().set({ nickname: 1 }); form.values({ nickname: users.id });",
        "const { nickname } = rows[0]; use(users);",
        "data.users.nickname; users;",
        "// users.nickname",
        "const s = 'users.nickname';",
        "db.select().from(users).then(({ nickname }) => nickname);",
    ],
)
def test_the_same_word_of_something_else_is_none(code: str) -> None:
    """Another table, a row, a type, a local variable of the same name, a comment."""
    assert reads(code) == []


def test_a_table_of_the_same_name_from_elsewhere_is_none() -> None:
    """Resolved by import, not by its name."""
    other = "export const users = pgTable('members', { nickname: text() });"
    files = {"db/schema.ts": SCHEMA, "other/schema.ts": other}
    assert told(files | {"a.ts": "import { users } from './other/schema'; users.nickname;"}) == []
    assert told(files | {"a.ts": "import { users } from 'somewhere'; users.nickname;"}) == []
    assert told(files | {"a.ts": "users.nickname;"}) == []


@pytest.mark.parametrize(
    "lead",
    [
        'import * as schema from "../db/schema"; const { users } = schema;',
        'import * as db from "../db";\nconst users = db.schema.users;',
        'import { users } from "@/db";',
        'import { users as people } from "@shop/db"; const users = people;',
        'const { users } = require("../db/schema");',
        'const schema = await import("../db/schema"); const users = schema.users;',
        'import { schema } from "../db"; const { users } = schema;',
        'import { accounts as users } from "../db/renamed";',
    ],
)
def test_imports_are_followed(lead: str) -> None:
    """Re-exports, namespaces, `paths`, the workspace, CommonJS."""
    files = {
        "db/schema.ts": SCHEMA,
        "db/index.ts": 'export * from "./schema"; import * as all from "./schema"; export { all as schema };',
        "db/renamed.ts": 'import { users } from "./schema"; export { users as accounts };',
        "db/package.json": '{"name": "@shop/db", "main": "./index.ts"}',
        "tsconfig.json": '{"compilerOptions": {"paths": {"@/*": ["./*"]}}}',
        "app/a.ts": f"{lead}\n\nuse(users.nickname);",
    }
    assert told(files) == [("app/a.ts", lead.count("\n") + 3, True)]


def test_what_head_calls_otherwise_by_now_is_no_reader() -> None:
    """`nickname: text("handle")` goes on being read under its name in code, from another column."""
    head = SCHEMA.replace("nickname: text(),\n", "nickname: text('handle'),\n")
    use = {"app/a.ts": IMPORT + "use(users.nickname); sql`${users.nickname} is null`; // nickname"}
    assert told({"db/schema.ts": head, **use}, base={"db/schema.ts": SCHEMA, **use}) == []
    assert told({"db/schema.ts": SCHEMA, **use}, base={"db/schema.ts": SCHEMA, **use}) == [("app/a.ts", 2, True)]


def test_what_head_no_longer_declares_and_still_uses_is_a_reader() -> None:
    """The column, the table, or the whole schema file went; the code that reads it stayed."""
    use = {"app/a.ts": IMPORT + "use(users.nickname);"}
    for head in (SCHEMA.replace("  nickname: text(),\n", ""), SCHEMA.replace("const users", "const people")):
        assert told({"db/schema.ts": head, **use}, base={"db/schema.ts": SCHEMA, **use}) == [("app/a.ts", 2, True)]
    assert told(use, base={"db/schema.ts": SCHEMA, **use}) == []  # nobody says that it was a schema file
    spread = SCHEMA.replace("  nickname: text(),\n", "  ...more,\n")
    assert told({"db/schema.ts": spread, **use}, base={"db/schema.ts": SCHEMA, **use}) == [("app/a.ts", 2, False)]


@pytest.mark.parametrize(
    ("code", "lines"),
    [
        ("db.select().from(users);", [2]),
        ("db.insert(users).values({});", [2]),
        ("db.query.users.findMany();", [2]),
        ("use({ users });", [2]),
        ("type U = typeof users.$inferSelect;", []),
        ("function f(users: Row[]) { return users.length; }", []),
        ("rows.users; api.users.list(); export { users };", []),
    ],
)
def test_a_table_is_read_where_code_uses_it(code: str, lines: list[int]) -> None:
    """For a table that goes or gets another name."""
    assert reads(code, USERS) == lines


def test_tables_of_a_creator_and_of_an_imported_schema_have_their_full_names() -> None:
    """`pgTableCreator` puts something before the name; a pgSchema may live in another file."""
    made = "const createTable = pgTableCreator((name) => `shop_${name}`);\nexport const users = createTable('users', { nickname: text() });"
    use = {"app/a.ts": IMPORT + "use(users.nickname);"}
    assert told({"db/schema.ts": made, **use}, Target("public", "shop_users", "nickname")) == [("app/a.ts", 2, True)]
    assert told({"db/schema.ts": made, **use}) == []
    auth = {
        "db/auth.ts": "export const auth = pgSchema('auth');",
        "db/schema.ts": "import { auth } from './auth';\nexport const users = auth.table('users', { nickname: text() });",
    }
    assert told({**auth, **use}, Target("auth", "users", "nickname")) == [("app/a.ts", 2, True)]
    assert told({**auth, **use}) == []


def dropping(
    base: dict[str, str], head: dict[str, str], changed: list[str], meanwhile: tuple[str, ...] = ()
) -> list[tuple[str, str, bool]]:
    commits = Commit("b" * 40, Tree.of(base)), Commit("a" * 40, Tree.of(head))
    files = tuple(Changed(path, "modified" if path in head else "deleted") for path in changed)
    came = tuple(Changed(path, "added") for path in meanwhile)
    change = Change(commits[0], commits[1], commits[0], files, came)
    project = Project(root="", format="v0", migrations_dir="drizzle", schema_files=("db/schema.ts",))
    found = readers.of([DropsTable(place=HERE, table="public.users")], change, project)
    return [(r.path, r.what, r.sure) for r in found.get(USERS, [])]


def test_a_table_that_base_declares_and_uses_is_read_by_the_release_that_runs() -> None:
    """Where its code goes in the same pull request; a table that nothing used may go with its declaration."""
    without = SCHEMA.replace('"users"', '"people"').replace("users", "people")
    use = {"app/a.ts": IMPORT + "db.select().from(users);"}
    base = {"db/schema.ts": SCHEMA, **use}
    assert dropping(base, {"db/schema.ts": without}, ["db/schema.ts", "app/a.ts"]) == [
        ("app/a.ts", "a Drizzle query of the release that runs", True)
    ]
    assert dropping({"db/schema.ts": SCHEMA}, {"db/schema.ts": without}, ["db/schema.ts"]) == []


def test_what_came_to_base_meanwhile_reads_it_after_the_merge() -> None:
    """Head has not seen that file."""
    without = {"db/schema.ts": SCHEMA.replace('"users"', '"people"').replace("users", "people")}
    base = {"db/schema.ts": SCHEMA, "app/new.ts": IMPORT + "db.select().from(users);"}
    assert dropping(base, without, ["db/schema.ts"], ("app/new.ts",)) == [("app/new.ts", "a Drizzle query", True)]


def test_many_files_and_hostile_ones_are_bounded() -> None:
    """Deep nesting, thousands of uses, imports in a circle, broken code."""
    begin = time.monotonic()
    files = {
        "db/schema.ts": SCHEMA,
        "db/a.ts": "export * from './b';",
        "db/b.ts": "export * from './a';",
        "app/deep.ts": IMPORT + "f(" * 3000 + "users.nickname" + ")" * 3000,
        "app/many.ts": IMPORT + "use(users.nickname);\n" * 5000,
        "app/objects.ts": IMPORT + "db.update(users).set(" + "{nickname:" * 2000 + "1" + "}" * 2000 + ");",
        "app/round.ts": "import { users } from '../db/a'; const a = b, b = a; a.nickname; users.nickname;",
        "app/broken.ts": IMPORT + "db.select({ n: users.nickname from (((",
    } | {f"app/{n}.ts": IMPORT + "users.nickname;" for n in range(300)}
    found = told(files)
    assert ("app/7.ts", 2, True) in found
    assert ("app/many.ts", 2, True) in found
    assert not any(path == "app/round.ts" for path, _, _ in found)
    assert time.monotonic() - begin < 10
