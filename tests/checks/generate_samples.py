"""Pairs of Drizzle schemas, a change each, of every kind of thing that a migration can hold; renames aside."""

import random

T = "export const t = pgTable('t', {{ id: integer().primaryKey(){0} }}{1});"


def _t(columns: str = "", extras: str = "") -> str:
    more = f", (t) => [{extras}]" if extras else ""
    return T.format(f", {columns}" if columns else "", more)


def _at(text: str, value: str) -> str:
    return text.replace("@", value)


ROLE = "export const r = pgRole('r'@); "
MOOD = "export const mood = pgEnum('mood', [@]); "
VIEW = _t("n: text()") + " export const v = pgView('v', { n: text() })@;"
MAT = _t("n: text()") + " export const v = pgMaterializedView('v', { n: text() })@;"
SEQ = "export const q = pgSequence('q', { @ });"
POLICY = _t("n: text()", "pgPolicy('p', { @ })")

PAIRS: dict[str, tuple[str, str]] = {
    "first table": ("", _t("n: text().notNull().unique()", "index('i').on(t.n)")),
    "add columns": (_t(), _t("a: text(), b: integer().notNull().default(5), c: timestamp().defaultNow().notNull(), d: text().array()")),
    "add column with everything": (_t(), _at(MOOD, "'a','b'") + _t("m: mood().default('a').notNull(), u: text().unique(), f: integer().references(() => t.id, { onDelete: 'cascade' })")),
    "add generated and identity": (_t("a: integer()"), _t("a: integer(), g: integer().generatedAlwaysAs(sql`a * 2`), k: integer().generatedAlwaysAsIdentity({ startWith: 5, cycle: true })")),
    "drop a column": (_t("a: text().notNull()"), _t()),
    "drop a column with index and key": (_t("a: text().notNull().unique(), b: integer().notNull().references(() => t.id)", "index('i').on(t.a)"), _t()),
    "not null on and off": (_t("a: text(), b: text().notNull()"), _t("a: text().notNull(), b: text()")),
    "defaults": (_t("a: text().default('x'), b: integer(), c: integer().default(1), d: boolean().default(false)"), _t("a: text(), b: integer().default(0), c: integer().default(2), d: boolean().default(true)")),
    "types": (_t("a: text(), b: integer().default(1), c: varchar({ length: 5 })"), _t("a: varchar({ length: 9 }), b: bigint({ mode: 'number' }).default(2), c: varchar({ length: 6 }).default('q').notNull()")),
    "type to enum": (_at(MOOD, "'a','b'") + _t("a: text().default('a'), b: text()"), _at(MOOD, "'a','b'") + _t("a: mood().default('a'), b: mood()")),
    "enum to type": (_at(MOOD, "'a','b'") + _t("a: mood().default('a'), b: mood()"), _at(MOOD, "'a','b'") + _t("a: text().default('a'), b: text()")),
    "enum to enum": (_at(MOOD, "'a','b'") + "export const n = pgEnum('n', ['a']);" + _t("a: mood().default('a'), b: mood()"), _at(MOOD, "'a','b'") + "export const n = pgEnum('n', ['a']);" + _t("a: n().default('a'), b: n()")),
    "enum in a schema": ("export const s = pgSchema('s'); export const e = s.enum('e', ['a']); export const u = s.table('u', { e: text() });", "export const s = pgSchema('s'); export const e = s.enum('e', ['a', 'b']); export const u = s.table('u', { e: e().default('b'), f: e().array() });"),
    "to array": (_t("a: text()"), _t("a: text().array()")),
    "enum grows": (_at(MOOD, "'b','d'") + _t("m: mood()"), _at(MOOD, "'a','b','c','d','e','f'") + _t("m: mood()")),
    "enum shrinks": (_at(MOOD, "'a','b','c'") + _t("m: mood().default('a'), k: mood().notNull(), l: mood().array()"), _at(MOOD, "'a','c'") + _t("m: mood().default('c'), k: mood().notNull(), l: mood().array()")),
    "enum shuffled": (_at(MOOD, "'a','b','c'") + _t("m: mood().default('a')"), _at(MOOD, "'c','a','x'") + _t("m: mood().default('a')")),
    "enum gone": (_at(MOOD, "'a'") + _t("m: mood().notNull()"), _t("m: text().notNull()")),
    "enum new and quoted": (_t(), _at(MOOD, "'a', \"it's\"") + _t()),
    "index new, gone, changed": (_t("a: text(), b: text()", "index('i1').on(t.a), index('i2').on(t.b), uniqueIndex('i4').on(t.a)"), _t("a: text(), b: text()", "index('i2').on(t.b.desc()), uniqueIndex('i3').on(t.a, t.b).where(sql`a is not null`), index('i4').using('hash', t.a)")),
    "index with options": (_t("a: text(), b: text()"), _t("a: text(), b: text()", "index('i').on(t.a.asc().nullsFirst(), t.b.op('text_ops')).with({ fillfactor: 70 }), index('j').on(sql`lower(a)`).concurrently()")),
    "unique new, gone, changed": (_t("a: text(), b: text()", "unique('u1').on(t.a), unique('u2').on(t.a)"), _t("a: text().unique(), b: text()", "unique('u2').on(t.a, t.b).nullsNotDistinct()")),
    "check new, gone, changed": (_t("a: integer()", "check('c1', sql`a > 0`), check('c2', sql`a > 1`)"), _t("a: integer()", "check('c2', sql`a > 2`), check('c3', sql`a > 3`)")),
    "composite key": ("export const u = pgTable('u', { a: integer(), b: integer(), c: integer() });", "export const u = pgTable('u', { a: integer(), b: integer(), c: integer() }, (t) => [primaryKey({ columns: [t.a, t.b] })]);"),
    "composite key changed": ("export const u = pgTable('u', { a: integer(), b: integer(), c: integer() }, (t) => [primaryKey({ columns: [t.a, t.b] })]);", "export const u = pgTable('u', { a: integer(), b: integer(), c: integer() }, (t) => [primaryKey({ columns: [t.a, t.c] })]);"),
    "composite key changed under its name": ("export const u = pgTable('u', { a: integer(), b: integer(), c: integer() }, (t) => [primaryKey({ name: 'k', columns: [t.a, t.b] })]);", "export const u = pgTable('u', { a: integer(), b: integer(), c: integer() }, (t) => [primaryKey({ name: 'k', columns: [t.a, t.c] })]);"),
    "composite key gone": ("export const u = pgTable('u', { a: integer(), b: integer() }, (t) => [primaryKey({ columns: [t.a, t.b] })]);", "export const u = pgTable('u', { a: integer(), b: integer() });"),
    "column becomes the key": ("export const u = pgTable('u', { a: integer() });", "export const u = pgTable('u', { a: integer().primaryKey() });"),
    "foreign keys": ("export const a = pgTable('a', { id: integer().primaryKey() }); export const b = pgTable('b', { x: integer().references(() => a.id), y: integer().references(() => a.id, { onDelete: 'cascade' }), z: integer() });", "export const a = pgTable('a', { id: integer().primaryKey() }); export const b = pgTable('b', { x: integer(), y: integer().references(() => a.id, { onDelete: 'set null' }), z: integer().references(() => a.id) });"),
    "tables come": (_t(), _t() + " export const u = pgTable('u', { id: serial().primaryKey(), t: integer().references(() => t.id), n: text() }, (x) => [index('un').on(x.n), check('c', sql`n <> ''`), unique().on(x.t, x.n)]); export const w = pgTable('w', { u: integer().references(() => u.id) });"),
    "table goes": (_t() + " export const u = pgTable('u', { id: serial().primaryKey(), t: integer().references(() => t.id) });", _t()),
    "table goes while another changes": (_t("a: text()") + " export const u = pgTable('u', { id: serial() });", _t("a: text().notNull()")),
    "schema comes": (_t(), _t() + " export const s = pgSchema('s'); export const u = s.table('u', { id: integer().primaryKey(), t: integer().references(() => t.id), k: integer().generatedByDefaultAsIdentity() }, (x) => [index('i').on(x.t)]);"),
    "schema goes": (_t() + " export const s = pgSchema('s'); export const u = s.table('u', { id: integer() });", _t()),
    "in a schema": ("export const s = pgSchema('s'); export const u = s.table('u', { a: text(), b: text() }, (x) => [index('i').on(x.a), unique('q').on(x.a), check('c', sql`a > 'a'`)]);", "export const s = pgSchema('s'); export const u = s.table('u', { a: integer().notNull().default(3), b: text(), c: integer().generatedAlwaysAsIdentity() }, (x) => [index('i').on(x.b), unique('q').on(x.b), check('c', sql`a > 2`), primaryKey({ columns: [x.a, x.b] })]);"),
    "identity comes, changes, goes": (_t("a: integer().notNull(), b: integer().generatedAlwaysAsIdentity(), c: integer().generatedAlwaysAsIdentity()"), _t("a: integer().generatedAlwaysAsIdentity(), b: integer().generatedByDefaultAsIdentity({ startWith: 10, increment: 2, cache: 4, cycle: true, minValue: 2, maxValue: 99 }), c: integer().notNull()")),
    "identity goes with not null": (_t("c: integer().generatedAlwaysAsIdentity()"), _t("c: integer()")),
    "generated comes, changes, goes": (_t("a: integer(), b: integer(), c: integer().generatedAlwaysAs(sql`1`), d: integer().generatedAlwaysAs(sql`2`)"), _t("a: integer(), b: integer().generatedAlwaysAs(sql`a + 1`), c: integer().generatedAlwaysAs(sql`3`), d: integer()")),
    "sequence comes": ("", _at(SEQ, "startWith: 5, increment: 2")),
    "sequence changes": (_at(SEQ, "startWith: 5"), _at(SEQ, "startWith: 7, maxValue: 100, cycle: true, cache: 3")),
    "sequence goes": (_at(SEQ, "startWith: 5"), ""),
    "role comes": ("", _at(ROLE, ", { createDb: true, inherit: false }")),
    "role changes": (_at(ROLE, ""), _at(ROLE, ", { createRole: true, inherit: false }")),
    "role goes": (_at(ROLE, ""), ""),
    "rls on": (_t(), _t() + " t.enableRLS();"),
    "rls off": (_t() + " t.enableRLS();", _t()),
    "policy comes": (_t("n: text()"), _at(POLICY, "for: 'select', to: 'public', using: sql`true`")),
    "policy goes": (_at(POLICY, "for: 'select', to: 'public', using: sql`true`"), _t("n: text()")),
    "policy changes": (_at(POLICY, "to: 'public', using: sql`true`"), _at(POLICY, "to: ['current_user', 'app'], using: sql`n = 'x'`, withCheck: sql`n <> 'y'`")),
    "policy loses its check": (_at(POLICY, "to: 'public', using: sql`true`, withCheck: sql`true`"), _at(POLICY, "to: 'public', using: sql`false`")),
    "policy made again": (_at(POLICY, "for: 'select', to: 'public', using: sql`true`"), _at(POLICY, "for: 'delete', to: 'public', using: sql`true`")),
    "policy and table come": ("", _at(POLICY, "as: 'restrictive', to: 'public', using: sql`true`")),
    "policy of a table that goes": (_at(POLICY, "to: 'public', using: sql`true`"), ""),
    "linked policy": ("import { authUsers } from 'drizzle-orm/supabase'; export const p = pgPolicy('p', { to: 'public', using: sql`true` }).link(authUsers);", "import { authUsers } from 'drizzle-orm/supabase'; export const p = pgPolicy('p', { to: 'public', using: sql`false` }).link(authUsers);"),
    "linked policy comes": ("", "import { authUsers } from 'drizzle-orm/supabase'; export const p = pgPolicy('p', { to: 'public', using: sql`true` }).link(authUsers);"),
    "linked policy made again": ("import { authUsers } from 'drizzle-orm/supabase'; export const p = pgPolicy('p', { as: 'permissive', to: 'public' }).link(authUsers);", "import { authUsers } from 'drizzle-orm/supabase'; export const p = pgPolicy('p', { as: 'restrictive', to: 'public' }).link(authUsers);"),
    "view comes": (_t("n: text()"), _at(VIEW, ".as(sql`select n from t`)")),
    "view goes": (_at(VIEW, ".as(sql`select n from t`)"), _t("n: text()")),
    "view changes": (_at(VIEW, ".as(sql`select n from t`)"), _at(VIEW, ".as(sql`select n from t where n <> ''`)")),
    "view options": (_at(VIEW, ".with({ securityBarrier: true, checkOption: 'local' }).as(sql`select n from t`)"), _at(VIEW, ".with({ securityInvoker: true, checkOption: 'cascaded' }).as(sql`select n from t`)")),
    "view options come": (_at(VIEW, ".as(sql`select n from t`)"), _at(VIEW, ".with({ securityInvoker: true }).as(sql`select n from t`)")),
    "view options go": (_at(VIEW, ".with({ securityInvoker: true }).as(sql`select n from t`)"), _at(VIEW, ".as(sql`select n from t`)")),
    "view becomes existing": (_at(VIEW, ".as(sql`select n from t`)"), _at(VIEW, ".existing()")),
    "existing view becomes ours": (_at(VIEW, ".existing()"), _at(VIEW, ".as(sql`select n from t`)")),
    "materialized": (_t("n: text()"), _at(MAT, ".with({ fillfactor: 70 }).withNoData().as(sql`select n from t`)")),
    "materialized changes": (_at(MAT, ".with({ fillfactor: 70 }).as(sql`select n from t`)"), _at(MAT, ".using('heap').tablespace('space').with({ fillfactor: 80 }).as(sql`select n from t`)")),
    "materialized changes back": (_at(MAT, ".using('own').tablespace('space').as(sql`select n from t`)"), _at(MAT, ".as(sql`select n from t`)")),
    "materialized options in another order": (_at(MAT, ".with({ vacuumTruncate: true, fillfactor: 10, autovacuumEnabled: true, parallelWorkers: 3 }).as(sql`select n from t`)"), _at(MAT, ".with({ vacuumTruncate: false, autovacuumEnabled: false, userCatalogTable: true, autovacuumFreezeMinAge: 5 }).as(sql`select n from t`)")),
    "materialized options all come": (_at(MAT, ".as(sql`select n from t`)"), _at(MAT, ".with({ vacuumTruncate: true, fillfactor: 10, autovacuumEnabled: true }).as(sql`select n from t`)")),
    "default of null": (_t("a: real(), b: integer().default(5)"), _t("a: real().default(NaN), b: integer().default(NaN), c: real().default(Infinity)")),
    "linked policies come": (_t(), "export const t = pgTable('t', { id: integer().primaryKey() }, () => [pgPolicy('own', { to: 'current_user' })]); export const p = pgPolicy('p').link(t); export const q = pgPolicy('q').link(t);"),
    "many at once": (_at(MOOD, "'a','b'") + _t("a: text(), b: text().notNull(), m: mood().default('a')", "index('i').on(t.a), check('c', sql`b <> ''`)"), _at(MOOD, "'a','b','c'") + _t("a: text().notNull().unique(), b: integer().notNull(), m: mood().default('c'), n: text()", "index('i').on(t.a, t.n), primaryKey({ name: 'k', columns: [t.a, t.b] })") + " export const u = pgTable('u', { t: text().references(() => t.a) }); u.enableRLS();"),
    "nothing": (_t("a: text()"), _t("a: text()")),
    "only the order": ("export const a = pgTable('a', { x: integer(), y: integer() }); export const b = pgTable('b', { z: integer() });", "export const b = pgTable('b', { z: integer() }); export const a = pgTable('a', { y: integer(), x: integer() });"),
}  # fmt: skip


V1_PAIRS: dict[str, tuple[str, str]] = {
    "to serial": (_t("a: integer().notNull()"), _t("a: serial()")),
    "from serial": (_t("a: serial()"), _t("a: integer()")),
    "serial to identity": ("export const t = pgTable('t', { id: serial() });", "export const t = pgTable('t', { id: integer().generatedAlwaysAsIdentity() });"),
    "generated column with all that stands on it": (
        _t("a: integer(), b: integer().unique(), c: integer()", "index('i').on(t.b)") + " export const u = pgTable('u', { b: integer().references(() => t.b) });",
        _t("a: integer(), b: integer().generatedAlwaysAs(sql`a`).unique(), c: integer()", "index('i').on(t.b)") + " export const u = pgTable('u', { b: integer().references(() => t.b) });",
    ),
    "key grows": (_t("a: integer().notNull()", "primaryKey({ name: 'k', columns: [t.id, t.a] })").replace(".primaryKey()", ""), _t("a: integer().notNull(), b: integer().notNull()", "primaryKey({ name: 'k', columns: [t.id, t.a, t.b] })").replace(".primaryKey()", "")),
    "decimal is numeric": (_t("a: numeric({ precision: 5, scale: 0 })"), _t("a: decimal({ precision: 5 })")),
    "defaults that mean the same": (_t("a: jsonb().default({ a: 1, b: 2 }), b: integer().default(sql`(1)`)"), _t("a: jsonb().default({ b: 2, a: 1 }), b: integer().default(1)")),
    "index of a column that goes": (_t("a: integer(), b: integer()", "index('i').on(t.a, t.b)"), _t("a: integer()", "index('i').on(t.a)")),
    "index moves to another table": ("export const a = pgTable('a', { x: integer() }, (t) => [index('i').on(t.x)]); export const b = pgTable('b', { x: integer() });", "export const a = pgTable('a', { x: integer() }); export const b = pgTable('b', { x: integer() }, (t) => [index('i').on(t.x)]);"),
    "view becomes materialized": (_at(VIEW, ".as(sql`select n from t`)"), _at(MAT, ".as(sql`select n from t`)")),
    "two tables that know each other go": ("export const a = pgTable('a', { id: integer().primaryKey(), b: integer() }, (t) => [foreignKey({ columns: [t.b], foreignColumns: [b.id] })]); export const b = pgTable('b', { id: integer().primaryKey(), a: integer().references(() => a.id) });", ""),
    "nulls": (_t("a: text().unique('u', { nulls: 'distinct' })"), _t("a: text().unique('u', { nulls: 'not distinct' })")),
    "everything": (
        _at(MOOD, "'a','b','c'") + _at(SEQ, "startWith: 5") + _at(ROLE, "") + "export const s = pgSchema('s'); export const gone = pgTable('gone', { id: integer() }); export const o = s.table('o', { a: integer().notNull(), g: integer().generatedAlwaysAs(sql`a`) }, (x) => [unique('ou').on(x.a), check('oc', sql`a > 1`), uniqueIndex('oi').on(x.a), pgPolicy('p', { using: sql`true` })]); "
        + _t("m: mood().default('a'), x: text(), k: integer().references(() => t.id), d: integer(), e: integer().array()", "index('i').on(t.x), uniqueIndex('ui').on(t.d), check('c', sql`x <> ''`), pgPolicy('p', { using: sql`true`, to: 'public' })") + " export const v = pgView('v', { x: text() }).with({ securityBarrier: true }).as(sql`select x from t`);",
        _at(MOOD, "'c','a'") + _at(SEQ, "startWith: 5, cycle: true") + _at(ROLE, ", { createDb: true }") + "export const s = pgSchema('s'); export const come = s.table('come', { id: integer().generatedAlwaysAsIdentity(), m: mood().array() }, (x) => [index('ci').on(x.id)]).enableRLS(); export const o = s.table('o', { a: bigint({ mode: 'number' }).notNull(), g: integer().generatedAlwaysAs(sql`a + 1`) }, (x) => [unique('ou').on(x.a).nullsNotDistinct(), check('oc', sql`a > 2`), uniqueIndex('oi').on(x.a).where(sql`a > 3`), pgPolicy('p', { for: 'select', using: sql`true` })]); "
        + _t("m: mood().default('c').notNull(), x: varchar({ length: 9 }).default('q'), k: integer().references(() => t.id, { onDelete: 'cascade' }), e: integer().array().default([1])", "index('i').on(t.x.desc()), pgPolicy('p', { using: sql`false`, to: r })") + " export const v = pgView('v', { x: text() }).with({ securityInvoker: true }).as(sql`select x from t`); export const w = pgView('w', { x: text() }).as(sql`select x from t`); export const a = pgView('a').as((qb) => qb.select().from(w)); export const b = pgMaterializedView('b').as((qb) => qb.select().from(a));",
    ),
}  # fmt: skip


KINDS = (
    "integer()", "text()", "varchar({ length: 20 })", "mood()", "timestamp()", "numeric({ precision: 10, scale: 2 })", "integer().default(3)",
    "text().default('x')", "mood().default('a')", "boolean().default(true)", "text().array()", "bigint({ mode: 'number' })",
)  # fmt: skip
EXTRAS = (
    "index('@_i').on(x.id)", "index('@_i').on(x.id.desc())", "uniqueIndex('@_j').on(x.id)", "unique('@_u').on(x.id)", "unique('@_u').on(x.id).nullsNotDistinct()",
    "check('@_c', sql`id > 0`)", "check('@_c', sql`id > 1`)", "pgPolicy('@_p', { to: 'public', using: sql`true` })", "pgPolicy('@_p', { to: 'public', using: sql`false` })",
)  # fmt: skip


def random_pair(seed: int) -> tuple[str, str]:
    """Two schemas: the second either lacks things of the first or has more, and differs in what both have."""
    dice = random.Random(seed)
    many = {f"t{n}" for n in range(dice.randint(1, 4))}
    few = {name for name in many if dice.random() < 0.8}
    large = {name: _parts(dice, name) for name in sorted(many)}
    small = {
        name: tuple([_other(dice, each) for each in part if dice.random() < 0.75] for part in large[name])
        for name in sorted(few)
    }
    values = ["a", "b", "c", "d", "e"]
    moods = [dice.sample(values, dice.randint(3, 5)) for _ in range(2)]
    sides = [_drawn(large, ["a", *moods[0]]), _drawn(small, ["a", *moods[dice.randint(0, 1)]])]
    return (sides[0], sides[1]) if dice.random() < 0.5 else (sides[1], sides[0])


Parts = tuple[list[str], ...]


def _parts(dice: random.Random, name: str) -> Parts:
    columns = [
        f"c{n}: {dice.choice(KINDS)}{dice.choice(('', '.notNull()', '.unique()'))}" for n in range(dice.randint(0, 5))
    ]
    extras = {each.split("(")[1].split("'")[1]: each for each in dice.sample(EXTRAS, dice.randint(0, 4))}
    if dice.random() < 0.4:
        columns.append("up: integer().references((): AnyPgColumn => t0.id)")
    return columns, [each.replace("@", name) for each in extras.values()]


def _other(dice: random.Random, part: str) -> str:
    """The same thing, perhaps in another form."""
    if dice.random() < 0.5 or "references" in part:
        return part
    if part.startswith("c"):
        name, _, _ = part.partition(":")
        if part.startswith("check"):
            return part.replace("id >", "id <>")
        return f"{name}: {dice.choice(KINDS)}{'.unique()' if 'unique' in part else dice.choice(('', '.notNull()'))}"
    return part.replace("x.id)", "x.id.asc().nullsFirst())") if part.startswith("index") else part


def _drawn(tables: dict[str, Parts], mood: list[str]) -> str:
    values = ", ".join(f"'{value}'" for value in dict.fromkeys(mood))
    out = [f"export const mood = pgEnum('mood', [{values}]);"]
    names = {"t0": ([], []), **tables}
    for name, (columns, extras) in names.items():
        listed = ", ".join(["id: integer().primaryKey()", *columns])
        out.append(f"export const {name} = pgTable('{name}', {{ {listed} }}, (x) => [{', '.join(extras)}]);")
    return "\n".join(out)
