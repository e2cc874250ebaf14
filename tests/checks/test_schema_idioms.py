"""What people write schemas with beside Drizzle's own calls: validators, enums, classes, lodash, compiled modules, other people's packages."""

import pytest

from checks.schema.read import read
from checks.tree import Tree
from tests.checks.schema_written import BUILDERS, lacks


def test_enums_may_come_from_validators_and_enums():
    """`z.enum([…]).options`, `z.nativeEnum(E).enum`, TypeScript enums, `Object.values`."""
    found, schema = lacks(
        BUILDERS
        + """import { z } from "zod"; import * as zz from "zod/v4"; enum E { A = "a", B = "b" }
export const one = pgEnum("one", z.enum(["x", "y"]).options); export const two = pgEnum("two", Object.values(E) as [string, ...string[]]);
export const three = pgEnum("three", zz.z.nativeEnum(E).options); export const four = pgEnum("four", E);"""
    )
    assert found == []
    assert {enum.name: enum.values for enum in schema.enums} == {
        "one": ("x", "y"), "two": ("a", "b"), "three": ("a", "b"), "four": ("a", "b"),
    }  # fmt: skip


def test_drizzle_under_another_name_is_drizzle():
    """Payload's generated schemas import Drizzle from Payload's own package."""
    source = """import { pgTable, serial, varchar, index } from '@payloadcms/db-postgres/drizzle/pg-core'
        import { sql, relations } from '@payloadcms/db-vercel-postgres/drizzle'
        export const users = pgTable('users', { id: serial('id').primaryKey(), n: varchar('n').default(sql`'x'`) }, (columns) => [index('n_idx').on(columns.n)])
        export const relations_users = relations(users, () => ({}))"""
    schema = read(Tree.of({"schema.ts": source}), ["schema.ts"], format="v0")
    assert (schema.unresolved, [table.name for table in schema]) == ((), ["users"])


def test_options_of_validators_are_followed():
    """What zod leaves out or picks, an object's shape, valibot's picklists, Effect's literals."""
    found, schema = lacks(
        BUILDERS
        + """import { z } from "zod"; import * as v from "valibot"; import { Schema } from "effect";
const all = z.enum(["x", "y", "z"]); const shape = z.object({ kind: all }).shape;
export const a = pgEnum("a", all.exclude(["y"]).options); export const b = pgEnum("b", all.extract(["y"]).options);
export const c = pgEnum("c", shape.kind.options); export const d = pgEnum("d", v.picklist(["p", "q"]).options);
export const e = pgEnum("e", Schema.Literal("l", "m").literals); export const f = pgEnum("f", z.object({ k: all }).keyof().options);"""
    )
    assert found == []
    assert [enum.values for enum in schema.enums] == [
        ("x", "z"), ("y",), ("x", "y", "z"), ("p", "q"), ("l", "m"), ("k",),
    ]  # fmt: skip


def test_names_and_columns_may_come_from_classes_and_namespaces():
    """Static members, fluent builders, `super`, getters, namespaces in parts."""
    found, schema = lacks(
        BUILDERS
        + """class Base { static names = { users: "users" }; protected prefix = "p_"; id() { return integer(this.prefix + "id"); } }
class Columns extends Base { cols: any = {}; constructor(private key: string) { super(); } add() { this.cols[this.key] = super.id(); return this; } get all() { return this.cols; } }
namespace Db { export const table = (name: string, columns: any) => pgTable(name, columns); } namespace Db { export const own = "own"; }
export const users = Db.table(Columns.names.users, new Columns("id").add().all);
export const own = Db.table(Db.own, { get id() { return integer("id"); } });"""
    )
    assert found == []
    assert {table.name: [c.name for c in table.columns] for table in schema.tables} == {
        "users": ["p_id"],
        "own": ["id"],
    }


@pytest.mark.parametrize(
    "code",
    [
        "if (process.env.X) cols.more = integer();",
        "if (process.env.X) fill(cols);",
        "(() => { if (process.env.X) return; cols.more = integer(); })();",
        "for (const n of ['a', 'b']) { if (process.env.X) continue; cols[n] = integer(); }",
        "try { cols.more = integer(); } catch { cols.other = integer(); }",
        "names.forEach((n) => { cols[n] = integer(); });",
        "addStamps(cols);",
        "Promise.resolve().then(() => { cols.more = integer(); });",
        "Object.defineProperty(cols, key, { value: integer(), enumerable: true });",
    ],
)
def test_what_may_have_been_changed_is_not_certain(code):
    """Code that may or may not run, or that is not part of the repository, leaves what it can reach unknown."""
    found, schema = lacks(
        BUILDERS
        + "import { names, addStamps, key } from '@acme/database-columns'; const cols = { id: integer() };"
        + f"const fill = (c) => {{ c.more = integer(); }};\n{code}\nexport const t = pgTable('t', cols); export const u = pgTable('u', {{ id: integer() }});"
    )
    assert found
    assert {what for _, what, _ in found} <= {"columns of t", "column t.id", "column t.more", "schema.ts"}
    assert [column.name for column in schema.table("public.u").columns] == ["id"]


def test_helpers_may_use_lodash_and_add_members():
    """Names by `snakeCase`, columns by `pick` and `omit`; what `Object.assign` adds to columns and tables is theirs."""
    found, schema = lacks(
        BUILDERS
        + """import snakeCase from "lodash-es/snakeCase"; import _ from "lodash"; import { pick, debounce } from "lodash";
const all = { id: integer("id"), note: text("note"), more: text("more") }; export const slow = debounce(() => 1, 5);
const wrap = (column: any): any => Object.assign(column, { require() { return wrap(column.notNull()); } });
const made = (name: string, columns: any) => Object.assign(pgTable(snakeCase(name), columns), { check() { return true; } });
export const one = made("userID2", { ...pick(all, ["id"]), name: wrap(text("name")).require() }); export const two = made("Two", _.omit(all, "more"));"""
    )
    assert found == []
    assert {t.name: [(c.name, c.not_null) for c in t.columns] for t in schema.tables} == {
        "user_id_2": [("id", False), ("name", True)], "two": [("id", False), ("note", False)],
    }  # fmt: skip


def test_compiled_modules_mean_what_their_sources_mean():
    """CommonJS as bundlers and TypeScript write it; a loader that is not known is no silent pass."""
    getters = """var __defProp = Object.defineProperty; var __export = (target, all) => { for (var name in all) __defProp(target, name, { get: all[name], enumerable: true }); };
var src_exports = {}; __export(src_exports, { t: () => t }); module.exports = src_exports;
var core = require("drizzle-orm/pg-core"); var t = (0, core.pgTable)("t", { id: (0, core.integer)("id") });"""
    schema = read(Tree.of({"s.cjs": getters}), ["s.cjs"], format="v0")
    assert (schema.unresolved, [table.name for table in schema.tables]) == ((), ["t"])
    star = (
        'Object.defineProperty(exports, "__esModule", { value: true }); loader.__exportStar(require("./t"), exports);'
    )
    assert read(Tree.of({"s.js": star, "t.js": "exports.x = 1;"}), ["s.js"], format="v0").unresolved
