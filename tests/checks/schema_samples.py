"""A large family of small Drizzle schemas, made of every builder and modifier; the real drizzle-kit says what they mean."""

from collections.abc import Iterator

HEAD = """import * as pg from "drizzle-orm/pg-core";
import { sql, eq, ne, and, or, not, gt, gte, lt, lte, isNull, isNotNull, inArray, notInArray, between, like, ilike, count, sum, max, desc, asc } from "drizzle-orm";
import { bigint, bigserial, bit, boolean, char, check, cidr, customType, date, decimal, doublePrecision, foreignKey, geometry,
  halfvec, index, inet, integer, interval, json, jsonb, line, macaddr, macaddr8, numeric, pgEnum, pgMaterializedView, pgPolicy,
  pgRole, pgSchema, pgSequence, pgTable, pgTableCreator, pgView, point, primaryKey, real, serial, smallint, smallserial,
  sparsevec, text, time, timestamp, unique, uniqueIndex, uuid, varchar, vector, alias, type AnyPgColumn } from "drizzle-orm/pg-core";
"""

TYPES = [
    "smallint()", "integer()", "bigint({ mode: 'number' })", "bigint({ mode: 'bigint' })", "serial()", "smallserial()",
    "bigserial({ mode: 'number' })", "bigserial({ mode: 'bigint' })", "boolean()", "text()", "text({ enum: ['a', 'b'] })", "varchar()", "varchar({ length: 20 })",
    "char()", "char({ length: 3 })", "numeric()", "numeric({ precision: 10 })", "numeric({ precision: 10, scale: 2 })",
    "decimal({ precision: 6, scale: 0, mode: 'number' })", "real()", "doublePrecision()", "json()", "jsonb()",
    "jsonb().$type<{ a: string }>()", "date()", "date({ mode: 'date' })", "time()", "time({ precision: 3, withTimezone: true })",
    "timestamp()", "timestamp({ withTimezone: true })", "timestamp({ precision: 6, withTimezone: true, mode: 'string' })",
    "timestamp({ precision: 3 })", "timestamp({ mode: 'string' })", "interval()", "interval({ fields: 'day to second', precision: 3 })",
    "interval({ fields: 'month' })", "uuid()", "inet()", "cidr()", "macaddr()", "macaddr8()", "point()", "point({ mode: 'xy' })",
    "line()", "line({ mode: 'abc' })",
]  # fmt: skip
EXTENSION_TYPES = [
    "geometry()", "geometry({ type: 'point', mode: 'xy', srid: 4326 })", "vector({ dimensions: 3 })", "halfvec({ dimensions: 2 })",
    "sparsevec({ dimensions: 5 })", "bit({ dimensions: 8 })",
]  # fmt: skip
MODIFIERS = [
    "", ".notNull()", ".primaryKey()", ".unique()", ".unique('own')", ".unique('own', { nulls: 'not distinct' })", ".notNull().unique()",
    ".$default(() => 1 as never)", ".$onUpdate(() => 1 as never)",
]  # fmt: skip
DEFAULTS = [
    ("integer()", "0"), ("integer()", "-5"), ("integer()", "sql`1 + 1`"), ("smallint()", "1_000"), ("bigint({ mode: 'number' })", "9007199254740991"),
    ("bigint({ mode: 'bigint' })", "sql`10`"), ("real()", "1.5"), ("real()", "1e21"), ("doublePrecision()", "0.1 + 0.2"), ("numeric()", "'10.50'"),
    ("numeric({ mode: 'number' })", "5"), ("boolean()", "true"), ("boolean()", "false"), ("text()", "'it\\'s'"), ("text()", "''"), ("text()", "`a${1 + 1}b`"),
    ("text()", "'a\\\\b'"), ("text()", '"d\\"q"'), ("varchar({ length: 9 })", "'x'"), ("char({ length: 2 })", "'ab'"), ("text()", "sql`'x'::text`"),
    ("json()", "{ a: 1, b: ['x', null], c: { d: true } }"), ("jsonb()", "{}"), ("jsonb()", "[]"), ("jsonb()", "sql`'{}'::jsonb`"), ("jsonb()", "{ 'k-1': 'é' }"),
    ("jsonb()", "'plain'"), ("jsonb()", "5"), ("date()", "'2024-01-31'"), ("date({ mode: 'date' })", "new Date('2024-02-29')"), ("time()", "'10:20:30'"),
    ("time({ withTimezone: true })", "'10:20:30+02'"), ("timestamp()", "new Date('2024-05-06T07:08:09.010Z')"),
    ("timestamp({ withTimezone: true })", "new Date('2024-05-06T07:08:09Z')"), ("timestamp({ mode: 'string' })", "'2024-05-06 07:08:09'"),
    ("timestamp({ mode: 'string', withTimezone: true })", "'2024-05-06 07:08:09'"), ("timestamp()", "sql`now()`"), ("timestamp()", "sql`CURRENT_TIMESTAMP`"),
    ("timestamp({ precision: 3 })", "new Date('2024-05-06T07:08:09.010Z')"), ("interval()", "'1 day'"), ("uuid()", "'550e8400-e29b-41d4-a716-446655440000'"),
    ("uuid()", "sql`gen_random_uuid()`"), ("inet()", "'127.0.0.1'"), ("cidr()", "'10.0.0.0/8'"), ("macaddr()", "'08:00:2b:01:02:03'"),
    ("macaddr8()", "'08:00:2b:01:02:03:04:05'"), ("point()", "sql`'(1,2)'`"), ("text().array()", "[]"), ("text().array()", "['a', 'b,c', 'd']"),
    ("text().array()", "sql`'{}'::text[]`"), ("text().array()", "sql`ARRAY[]::text[]`"), ("integer().array()", "[1, 2, 3]"), ("boolean().array()", "[true, false]"),
    ("numeric().array()", "['1.5']"), ("uuid().array()", "['550e8400-e29b-41d4-a716-446655440000']"), ("jsonb().array()", "[{ a: 1 }]"), ("date().array()", "['2024-01-01']"),
    ("timestamp().array()", "[new Date('2024-05-06T07:08:09Z')]"), ("varchar({ length: 5 }).array()", "['x']"), ("interval().array()", "['1 day']"),
    ("integer()", "NaN"), ("real()", "-Infinity"), ("real()", "-0"), ("doublePrecision()", "123456789012345680000"), ("bigint({ mode: 'number' })", "Number.MAX_SAFE_INTEGER"),
    ("jsonb()", "{ u: '\\u2028\\u00ad\\u200d', '\\u007f': '\\ufeff' }"), ("json()", "{ f: () => 1, u: undefined, n: NaN }"), ("jsonb()", "{ m: new Map(), s: /x/ } as never"),
    ("text()", "undefined"), ("integer()", "null as never"), ("text()", "COLOR.red"), ("text()", "LIST[1]"), ("integer()", "LIMIT * 2"),
]  # fmt: skip
LISTS = [
    "text().array()", "integer().array()", "text().array().notNull()", "text().notNull().array()", "varchar({ length: 3 }).array().unique()",
    "timestamp({ withTimezone: true }).array()", "numeric({ precision: 4, scale: 2 }).array()", "mood().array()", "uuid().array().default([]).notNull()",
]  # fmt: skip
V0_LISTS = ["integer().array(3)", "integer().array().array()", "text().array(2).array(4)", "mood().array().array()"]
V1_LISTS = ["integer().array('[][]')", "mood().array('[][]')", "text().array('[]').default(['a'])"]
IDENTITIES = [
    "", "{}", "{ name: 'own_seq' }", "{ startWith: 100, increment: 5 }", "{ minValue: 1, maxValue: 1000, cache: 10, cycle: true }",
    "{ increment: -1 }", "{ startWith: '7' }",
]  # fmt: skip

# For every type values whose printing is delicate: quotes, commas, backslashes, dates, objects, big numbers.
ELEMENTS: dict[str, list[str]] = {
    "integer()": ["10", "-1e4"],
    "bigint({ mode: 'number' })": ["9007199254740991"],
    "bigint({ mode: 'bigint' })": ["9223372036854775807n", "-5n"],
    "numeric()": ["'10.123'", "sql`10`"],
    "numeric({ mode: 'number', precision: 6, scale: 2 })": ["10.5"],
    "numeric({ mode: 'bigint' })": ["9223372036854775807n"],
    "real()": ["1000.123"],
    "doublePrecision()": ["10000.5"],
    "boolean()": ["true", "false", "sql`true`"],
    "text()": [
        "'text'",
        '"text\'text"',
        "'text\\\\text'",
        "'te\"xt'",
        "''",
        "'a,b'",
        "' sp '",
        "'{}'",
        "'null'",
        "sql`'a'::text`",
    ],
    "text({ enum: ['one', 'two'] })": ["'one'"],
    "varchar({ length: 40 })": ["'t\\'x\",\\\\'", "sql`'x'::varchar(40)`"],
    "varchar({ length: 40, enum: ['a', 'b'] })": ["'a'"],
    "char({ length: 5 })": ["'abc'"],
    "json()": [
        "{}",
        "[]",
        "{ key: 'value' }",
        '{ k: "it\'s" }',
        "{ k: 'a\"b' }",
        "{ k: 'a\\\\b' }",
        "[1, 'x']",
        "'s'",
        "true",
        "1.5",
        "{ n: null, u: undefined }",
    ],
    "jsonb()": ['{ key: "v\'a" }', "[{ a: 1 }, { b: [2] }]", "{ '2': 'b', '1': 'a', c: 'd' }", "sql`'{}'::jsonb`"],
    "date({ mode: 'string' })": ["'2025-05-23'", "sql`now()`"],
    "date({ mode: 'date' })": ["new Date('2025-05-23T12:12:31.213')".replace(".213'", ".213Z'")],
    "time()": ["'15:50:33'", "'15:50:33.123'", "sql`now()`"],
    "time({ withTimezone: true })": ["'15:50:33'", "'15:50:33Z'", "'15:50:33+00'", "'15:50:33.123+03'"],
    "timestamp({ mode: 'date' })": ["new Date('2025-05-23T12:53:53.115Z')", "sql`now()`"],
    "timestamp({ mode: 'date', withTimezone: true, precision: 3 })": ["new Date('2025-05-23T12:53:53.115Z')"],
    "timestamp({ mode: 'string' })": ["'2025-05-23 12:53:53.115'"],
    "timestamp({ mode: 'string', withTimezone: true })": [
        "'2025-05-23 12:53:53.115+03:00'",
        "'2025-05-23T12:53:53.115Z'",
        "'2025-05-23 12:53:53'",
    ],
    "timestamp({ mode: 'string', precision: 3, withTimezone: true })": ["'2025-05-23 12:53:53.115'"],
    "uuid()": ["'550e8400-e29b-41d4-a716-446655440000'", "sql`gen_random_uuid()`"],
    "interval()": ["'1 day'", "'1 day 3 second'"],
    "interval({ fields: 'day to second', precision: 3 })": ["'1 day 3 second'"],
    "inet()": ["'127.0.0.1'", "'::ffff:192.168.0.1/96'"],
    "cidr()": ["'192.168.0.0/24'"],
    "macaddr()": ["'08:00:2b:01:02:03'"],
    "macaddr8()": ["'08:00:2b:01:02:03:04:05'"],
    "mood()": ["'a'", '"it\'s"', "'m\"q,'"],
    "serial()": [],
}
V1_ELEMENTS: dict[str, list[str]] = {
    "point({ mode: 'tuple' })": ["[1, 2]", "[0.5, -3]"],
    "point({ mode: 'xy' })": ["{ x: 1, y: 2 }"],
    "line({ mode: 'tuple' })": ["[1, 2, 3]"],
    "line({ mode: 'abc' })": ["{ a: 1, b: 2, c: 3 }"],
    "geometry({ mode: 'tuple', type: 'point', srid: 4326 })": ["[30.5234, 50.4501]"],
    "geometry({ mode: 'xy', type: 'point' })": ["{ x: 30.5, y: 50.4 }"],
    "vector({ dimensions: 3 })": ["[0, -2, 3.5]"],
    "halfvec({ dimensions: 3 })": ["[0, -2, 3]"],
    "sparsevec({ dimensions: 5 })": ["'{1:-1,3:2,5:3}/5'"],
    "bit({ dimensions: 3 })": ["'101'"],
    "citext()": ["'x'", "sql`'x'`"],
}


def defaults(version: str) -> Iterator[tuple[str, str]]:
    """Every value as a default, alone and in arrays of one to three dimensions."""
    before = "const citext = customType<{ data: string }>({ dataType: () => 'citext' }); export const mood = pgEnum('mood', ['a', \"it's\", 'm\"q,']);\n"
    many = ".array().array()" if version == "v0" else ".array('[][]')"
    for kind, found in (ELEMENTS | V1_ELEMENTS if version == "v1" else ELEMENTS).items():
        for value in found:
            yield f"default {kind} {value}", f"{before}export const t = pgTable('t', {{ c: {kind}.default({value}) }});"
            if value.startswith("sql"):
                continue
            for array in (
                f".array().default([{value}])",
                f".array().default([{value}, {value}])",
                f"{many}.default([[{value}, {value}], [{value}, {value}]])",
            ):
                yield f"default {kind}{array}", f"{before}export const t = pgTable('t', {{ c: {kind}{array} }});"
        if found:
            for array in (".array().default([])", f"{many}.default([])", f"{many}.default([[]])"):
                yield f"default {kind}{array}", f"{before}export const t = pgTable('t', {{ c: {kind}{array} }});"


BODIES: dict[str, str] = {
    "empty": "",
    "self reference": "export const n = pgTable('n', { id: serial().primaryKey(), up: integer().references((): AnyPgColumn => n.id, { onDelete: 'set null' }) });",
    "reference": """export const a = pgTable('a', { id: integer().primaryKey() });
        export const b = pgTable('b', { a: integer('a_id').notNull().references(() => a.id, { onDelete: 'cascade', onUpdate: 'restrict' }) });""",
    "reference forward": """export const a = pgTable('a', { b: integer().references(() => b.id) });
        export const b = pgTable('b', { id: integer().primaryKey() });""",
    "composite foreign key": """export const a = pgTable('a', { x: integer(), y: integer() }, (t) => [primaryKey({ columns: [t.x, t.y] })]);
        export const b = pgTable('b', { x: integer(), y: integer() }, (t) => [
          foreignKey({ columns: [t.x, t.y], foreignColumns: [a.x, a.y] }).onDelete('cascade'),
          foreignKey({ name: 'own_fk', columns: [t.x, t.y], foreignColumns: [a.x, a.y] }).onUpdate('set null')]);""",
    "foreign key to itself": """export const t = pgTable('t', { id: integer().primaryKey(), up: integer() }, (t) => [
          foreignKey({ columns: [t.up], foreignColumns: [t.id], name: 'up_fk' })]);""",
    "extras as object": """export const t = pgTable('t', { a: integer(), b: text() }, (table) => ({ one: index('i1').on(table.a), two: unique('u1').on(table.a, table.b),
        pk: primaryKey({ columns: [table.a, table.b] }) }));""",
    "extras in a block": """export const t = pgTable('t', { a: integer(), b: text() }, (table) => { return { one: index().on(table.a) } });""",
    "extras nested": "export const t = pgTable('t', { a: integer() }, (t) => [[index('i').on(t.a)], [check('c', sql`${t.a} > 0`)]]);",
    "index options": """export const t = pgTable('t', { a: integer(), b: text() }, (t) => [
        index('i1').on(t.a.asc(), t.b.desc()), index('i2').on(t.a.desc().nullsFirst(), t.b.nullsFirst()), index('i3').on(t.b.nullsLast()),
        index('i4').using('gin', sql`to_tsvector('english', ${t.b})`), index('i5').using('hash', t.b), uniqueIndex('i6').on(sql`lower(${t.b})`),
        index('i7').on(t.b.op('text_pattern_ops')), index('i8').on(t.a).where(sql`${t.b} is not null`), index('i9').on(t.a).with({ fillfactor: 70 }),
        uniqueIndex().on(t.a, t.b), index().onOnly(t.a), index('i10').using('btree', t.b.asc().op('text_pattern_ops')),
        index('i11').on(sql`${t.a} desc`, t.b), index('i12').on(t.b).where(sql`${t.a} > 5 and ${t.b} = 'x'`)]);""",
    "index concurrently": "export const t = pgTable('t', { a: integer() }, (t) => [index('i').on(t.a).concurrently()]);",
    "unique": """export const t = pgTable('t', { a: integer(), b: text(), c: text().unique() }, (t) => [
        unique().on(t.a, t.b), unique('named').on(t.b).nullsNotDistinct(), unique('two').on(t.a, t.c).nullsNotDistinct()]);""",
    "primary keys": """export const a = pgTable('a', { x: integer(), y: text() }, (t) => [primaryKey({ columns: [t.x, t.y], name: 'own_pk' })]);
        export const b = pgTable('b', { x: integer(), y: text() }, (t) => [primaryKey(t.x, t.y)]);
        export const c = pgTable('c', { x: integer() }, (t) => [primaryKey({ columns: [t.x] })]);""",
    "checks": """export const t = pgTable('t', { a: integer(), b: text('other') }, (t) => [check('c1', sql`${t.a} > 0`),
        check('c2', sql`${t.b} in ('x', 'y') and length(${t.b}) < 10`), check('c3', sql.raw('a <> 5')), check('c4', sql`${sql.identifier('a')} < 9`)]);""",
    "generated": """export const t = pgTable('t', { a: integer(), b: integer().generatedAlwaysAs(sql`a * 2`),
        c: text().generatedAlwaysAs((): any => sql`upper('x')`).notNull(), d: integer().generatedAlwaysAs(sql`1`) });""",
    "generated from a column": "export const t = pgTable('t', { a: integer(), b: integer().generatedAlwaysAs((): any => sql`${t.a} + 1`) });",
    "enums": """export const mood = pgEnum('mood', ['sad', 'ok', "it's"]); export const e2 = pgEnum('e2', ['x'] as const);
        enum Role { Admin = 'admin', User = 'user' }; export const role = pgEnum('role', Role); const o = { a: 'A', b: 'B' } as const; export const eo = pgEnum('eo', o);
        export const t = pgTable('t', { m: mood().default('ok').notNull(), n: mood('named'), r: role().default(Role.Admin), a: mood().array().default(['sad']), o: eo() });""",
    "enum named like a type": "export const bit_kind = pgEnum('bit_kind', ['a']); export const t = pgTable('t', { k: bit_kind().default('a') });",
    "schemas": """export const s = pgSchema('s'); export const m = s.enum('m', ['a', 'b']); export const seq = s.sequence('q', { startWith: 5 });
        export const t = s.table('t', { id: integer().generatedAlwaysAsIdentity(), m: m().default('a'), ms: m().array() }, (x) => [index('i').on(x.m), check('c', sql`${x.id} > 0`), unique().on(x.id, x.m)]);
        export const u = pgTable('u', { t: integer().references(() => t.id), m: m() });""",
    "enum of an object in a schema": "export const s = pgSchema('s'); export const e = s.enum('e', { A: 'a' }); export const t = s.table('t', { e: e(), l: e().array() });",
    "schema not exported": "const s = pgSchema('s'); export const t = s.table('t', { id: integer() });",
    "two tables of one name": "export const s = pgSchema('s'); export const t1 = s.table('t', { a: integer() }); export const t2 = pgTable('t', { b: integer() });",
    "sequences": """export const a = pgSequence('a'); export const b = pgSequence('b', { startWith: 10, increment: 2, minValue: 1, maxValue: 100, cache: 5, cycle: true });
        export const c = pgSequence('c', { increment: -1 }); export const d = pgSequence('d', { maxValue: '500' });""",
    "roles and policies": """export const r = pgRole('r', { createRole: true, createDb: true, inherit: false }); export const plain = pgRole('plain');
        export const old = pgRole('old').existing();
        export const t = pgTable('t', { id: integer() }, (t) => [pgPolicy('p1', { for: 'select', to: 'public', using: sql`true` }),
          pgPolicy('p2', { as: 'restrictive', for: 'insert', to: [r, 'current_user', plain], withCheck: sql`${t.id} > 0` }), pgPolicy('p3')]);
        export const u = pgTable('u', { id: integer() }).enableRLS();""",
    "linked policy": """export const t = pgTable('t', { id: integer() }); export const p = pgPolicy('p', { to: 'public', using: sql`true` }).link(t);
        export const loose = pgPolicy('loose', { to: 'public' });""",
    "view sql": """export const t = pgTable('t', { id: integer(), n: text('name') });
        export const v = pgView('v', { id: integer(), name: text() }).as(sql`select ${t.id}, ${t.n} from ${t} where ${t.n} = ${'x'} and ${t.id} > ${5}`);
        export const w = pgView('w', { id: integer() }).with({ securityInvoker: true, checkOption: 'cascaded' }).as(sql`select id from t`);
        export const old = pgView('old', { id: integer() }).existing();""",
    "materialized view sql": """export const t = pgTable('t', { id: integer() });
        export const m = pgMaterializedView('m', { id: integer() }).using('heap').with({ fillfactor: 90, autovacuumEnabled: true }).withNoData().as(sql`select ${t.id} from ${t}`);
        export const n = pgMaterializedView('n', { id: integer() }).tablespace('pg_default').as(sql`select 1 as id`);""",
    "view in a schema": "export const s = pgSchema('s'); export const t = s.table('t', { id: integer() }); export const v = s.view('v', { id: integer() }).as(sql`select id from ${t}`); export const m = s.materializedView('m').as((qb) => qb.select().from(t));",
    "view by query": """export const t = pgTable('t', { id: integer(), n: text('name'), ok: boolean() });
        export const v1 = pgView('v1').as((qb) => qb.select().from(t));
        export const v2 = pgView('v2').as((qb) => qb.select({ id: t.id, label: t.n }).from(t).where(and(eq(t.ok, true), gt(t.id, 5), or(isNull(t.n), ne(t.n, "it's")))));
        export const v3 = pgView('v3').as((qb) => qb.select({ n: t.n, c: count().as('c'), m: sql<number>`max(${t.id})`.as('m') }).from(t).groupBy(t.n).orderBy(desc(t.n)).limit(10));
        export const v4 = pgView('v4').as((qb) => qb.selectDistinct({ id: t.id }).from(t).where(inArray(t.id, [1, 2])));
        export const m1 = pgMaterializedView('m1').as((qb) => qb.select({ id: t.id }).from(t).where(between(t.id, 1, 9)));""",
    "view by join": """export const a = pgTable('a', { id: integer(), n: text() }); export const b = pgTable('b', { id: integer(), a: integer('a_id') });
        export const v = pgView('v').as((qb) => qb.select({ id: a.id, bid: sql<number>`${b.id}`.as('bid'), n: a.n }).from(a).leftJoin(b, eq(b.a, a.id)).where(isNotNull(a.n)));
        export const w = pgView('w').as((qb) => qb.select({ n: a.n }).from(a).innerJoin(b, and(eq(b.a, a.id), lt(b.id, 3))).orderBy(asc(a.n), b.id));""",
    "view by union": """export const a = pgTable('a', { id: integer(), n: text() }); export const b = pgTable('b', { id: integer(), n: text() });
        export const v = pgView('v').as((qb) => { return qb.select({ id: a.id, n: a.n, k: sql<string>`'a'`.as('k') }).from(a).where(gt(a.id, 1)).unionAll(qb.select({ id: b.id, n: b.n, k: sql<string>`'b'`.as('k') }).from(b)); });
        export const w = pgView('w').as((qb) => qb.select().from(a).union(qb.select().from(b)).except(qb.select().from(b).limit(1))); import { QueryBuilder } from "drizzle-orm/pg-core";
        const q = new QueryBuilder(); export const x = pgView('x').as(q.select({ id: a.id }).from(a).groupBy(a.id).having(gt(count(), 2)).orderBy(a.id).limit(5).offset(2));""",
    "view of a view with sql": """export const t = pgTable('t', { id: integer(), n: text() }); export const s = pgSchema('s'); export const st = s.table('st', { id: integer(), n: text() });
        export const a = pgView('a').as((qb) => qb.select({ id: t.id, up: sql<string>`upper(${t.n})`.as('up') }).from(t)); export const b = pgView('b').as((qb) => qb.select({ up: a.up, l: sql<string>`lower(${a.up})`.as('l'), i: a.id }).from(a).where(eq(a.up, 'X')));
        export const c = pgView('c').as((qb) => qb.select({ l: sql<string>`lower(${st.n})`.as('l') }).from(st)); const p = alias(t, 'p'); export const d = pgView('d').as((qb) => qb.select({ id: p.id, x: sql`${p.n}`.as('x') }).from(p).where(eq(p.id, 1)));""",
    "view by subqueries": """import { exists } from "drizzle-orm"; export const a = pgTable('a', { id: integer(), n: text() }); export const b = pgTable('b', { id: integer(), a: integer('a_id') }); const p = alias(a, 'p');
        export const v1 = pgView('v1').as((qb) => { const sq = qb.select({ id: a.id, c: count().as('c') }).from(a).groupBy(a.id).as('sq'); return qb.select({ c: sq.c, id: sq.id }).from(sq).where(gt(sq.c, 1)); });
        export const v2 = pgView('v2').as((qb) => { const sq = qb.select().from(a).where(gt(a.id, 1)).as('sq'); return qb.select().from(sq).where(eq(sq.n, 'x')).orderBy(sq.id); });
        export const v3 = pgView('v3').as((qb) => { const y = qb.select({ aid: b.a, c: sql<number>`count(${b.id})`.as('c') }).from(b).groupBy(b.a).as('y'); return qb.select({ id: a.id, c: y.c, d: sql<number>`${y.c} + 1`.as('d') }).from(a).innerJoin(y, eq(y.aid, a.id)).orderBy(desc(y.c)); });
        export const v4 = pgView('v4').as((qb) => qb.select({ id: a.id }).from(a).where(and(exists(qb.select({ x: b.id }).from(b).where(eq(b.a, a.id))), inArray(a.id, qb.select({ x: b.a }).from(b)))));
        export const v5 = pgView('v5').as((qb) => { const x = qb.select({ id: p.id }).from(p).as('x'); return qb.select({ id: x.id, n: a.n }).from(x).innerJoin(a, eq(a.id, x.id)); });""",
    "view with": """export const a = pgTable('a', { id: integer(), n: text() }); export const b = pgTable('b', { id: integer(), a: integer('a_id') });
        export const v1 = pgView('v1').as((qb) => { const sq = qb.$with('sq').as(qb.select({ id: a.id, u: sql<string>`upper(${a.n})`.as('u') }).from(a)); return qb.with(sq).select().from(sq); });
        export const v2 = pgView('v2').as((qb) => { const x = qb.$with('x').as(qb.select({ id: a.id, n: a.n }).from(a)); const y = qb.$with('y').as(qb.select({ aid: b.a, c: count(b.id).as('c') }).from(b).groupBy(b.a)); return qb.with(x, y).select({ id: x.id, n: x.n, c: y.c, up: sql<string>`upper(${x.n})`.as('up') }).from(x).leftJoin(y, eq(y.aid, x.id)).where(gt(y.c, 0)); });
        export const v3 = pgView('v3').as((qb) => { const x = qb.$with('x').as(qb.select({ id: a.id }).from(a)); const y = qb.$with('y').as(qb.select({ id: x.id }).from(x).where(gt(x.id, 3))); return qb.with(x, y).select().from(y); });""",
    "view distinct on": """export const t = pgTable('t', { id: integer('Id'), n: text('name') }); export const v = pgView('v').as((qb) => qb.selectDistinctOn([t.id], { y: t.n }).from(t).orderBy(t.id, desc(t.n))); export const w = pgView('w').as((qb) => qb.selectDistinctOn([t.id, t.n]).from(t));""",
    "view over a view in a condition": "export const a = pgTable('a', { id: integer() }); export const z = pgView('z').as((qb) => qb.select().from(a)); export const b = pgView('b').as((qb) => qb.select().from(a).where(inArray(a.id, qb.select({ id: z.id }).from(z))));",
    "view of a view": """export const t = pgTable('t', { id: integer(), n: text() });
        export const zv = pgView('zv').as((qb) => qb.select().from(t)); export const av = pgView('av').as((qb) => qb.select().from(zv).where(eq(zv.id, 1)));""",
    "custom types": """const citext = customType<{ data: string }>({ dataType() { return 'citext'; } });
        const bytes = customType<{ data: Buffer; default: false }>({ dataType: () => 'bytea', toDriver(v) { return v } });
        const sized = customType<{ data: string; config: { length?: number } }>({ dataType(config) { return typeof config?.length !== 'undefined' ? `varchar(${config.length})` : 'varchar'; } });
        const ts = customType<{ data: string }>({ dataType: () => 'tsvector' });
        export const t = pgTable('t', { b: bytes('b'), s: sized('s', { length: 7 }), s2: sized().default('x'), s3: sized({ length: 3 }).notNull(), ts: ts().generatedAlwaysAs(sql`to_tsvector('english', 'x')`), a: sized({length: 2}).array() });""",
    "custom type upper": "const T = customType<{data: string}>({ dataType: () => 'TEXT' }); const u = customType<{data: string}>({ dataType: () => 'timestamptz' }); export const t = pgTable('t', { a: u().default(sql`now()`) });",
    "column callback": "export const t = pgTable('t', (c) => ({ id: c.serial().primaryKey(), n: c.varchar({ length: 5 }).notNull() }), (t) => [index('i').on(t.n)]);",
    "destructured callback": "export const t = pgTable('t', ({ uuid, text, timestamp: ts }) => ({ id: uuid().primaryKey().defaultRandom(), n: text(), c: ts({ withTimezone: true }).defaultNow() }));",
    "table creator": """export const createTable = pgTableCreator((name) => `app_${name}`);
        export const t = createTable('t', { id: serial().primaryKey(), n: text().unique() }, (t) => [index('n_idx').on(t.n)]); export const u = createTable('u', { t: integer().references(() => t.id) });""",
    "shared columns": """const stamps = { createdAt: timestamp('created_at').defaultNow().notNull(), updatedAt: timestamp('updated_at').$onUpdate(() => new Date()) };
        const id = () => uuid('id').primaryKey().default(sql`gen_random_uuid()`); const base = (extra: boolean = true) => ({ id: id(), ...(extra ? stamps : {}) });
        function money(name: string, { precision = 10, scale = 2 }: { precision?: number; scale?: number } = {}) { return numeric(name, { precision, scale }).notNull().default('0'); }
        export const a = pgTable('a', { ...base(), total: money('total') }); export const b = pgTable('b', { ...base(false), n: text().notNull(), tax: money('tax', { scale: 4 }) });""",
    "shared unique": "const mail = { mail: text().notNull().unique() }; export const b = pgTable('b', { ...mail }); export const a = pgTable('a', { ...mail });",
    "shared builder other key": "const n = text().notNull(); export const a = pgTable('a', { first: n, second: n });",
    "constants": """const COLORS = ['red', 'green'] as const; const [FIRST, ...REST] = COLORS; const NAME = 'wares' satisfies string; const cfg = { len: 40, sub: { d: 7 } };
        export const color = pgEnum('color', COLORS); export const t = pgTable(NAME, { c: color().default(FIRST), n: varchar({ length: cfg.len }).default(REST[0]!), k: integer().default(cfg.sub['d']) });""",
    "made by map": """const names = ['a', 'b', 'c'] as const; const cols = Object.fromEntries(names.map((n) => [n, integer(n).notNull()]));
        export const t = pgTable('t', { id: serial().primaryKey(), ...cols }, (t) => names.map((n) => index(`${n}_i`).on(t[n as 'a'])));""",
    "conditional": "const flag = true as boolean; export const t = pgTable('t', { a: integer(), ...(flag ? { b: text() } : {}), ...(flag && { c: text() }) });",
    "sql helpers": """const STATES = { A: 'a', B: "b's" } as const; const list = sql.join(Object.values(STATES).map((s) => sql.raw(`'${s.replace("'", "''")}'`)), sql`, `);
        export const t = pgTable('t', { s: text().notNull() }, (t) => [check('states', sql`${t.s} in (${list})`), index('w').on(t.s).where(sql`${t.s} = ${sql.raw("'a'")}`)]);""",
    "relations are nothing": """export const a = pgTable('a', { id: integer().primaryKey() }); export const ar = { x: a.id };
        export type A = typeof a.$inferSelect; export interface B { x: A } export class C { m() { return 1 } } export const f = (x: A) => x.id; export enum E { X }""",
    "enable rls later": "export const t = pgTable('t', { id: integer() }); t.enableRLS();",
    "long names": """export const t = pgTable('a_table_with_quite_a_long_name_for_a_table_indeed', { first_long_column_name: integer(), second_long_column_name: integer().unique() }, (t) => [
        index().on(t.first_long_column_name, t.second_long_column_name), unique().on(t.first_long_column_name, t.second_long_column_name)]);
        export const u = pgTable('another_table_with_a_long_name_too', { the_reference_column: integer().references(() => t.second_long_column_name) });""",
    "odd names": "export const t = pgTable('Some Table', { 'weird-key': integer('Weird Column'), select: text(), '1a': text() });",
    "names of keys": "export const t = pgTable('t', { userId: integer(), HTTPServer: text(), a1B2: text(), explicit: text('Explicit_Name') }, (t) => [index().on(t.userId), unique().on(t.userId, t.HTTPServer), check('c', sql`${t.userId} > 0`), primaryKey({ columns: [t.userId, t.a1B2] })]); export const u = pgTable('u', { tId: integer().references(() => t.userId).unique(), myId: integer().primaryKey().generatedAlwaysAsIdentity() });",
    "same as index name": "export const t = pgTable('t', { a: integer() }, (t) => { const i = index('i').on(t.a); return [i]; });",
    "alias in a view": "export const t = pgTable('t', { id: integer(), up: integer() }); const p = alias(t, 'p'); export const v = pgView('v').as((qb) => qb.select({ id: t.id }).from(t).leftJoin(p, eq(p.id, t.up)));",
    "whole table as a field of a view": "export const shop = pgTable('shop', { id: integer(), town: text() }); export const till = pgTable('till', { shop: integer() }); export const v = pgView('v').as((qb) => qb.select({ shop, at: till.shop }).from(shop).leftJoin(till, eq(till.shop, shop.id)));",
    "neon": """import { crudPolicy, authenticatedRole, anonymousRole, authUid, usersSync } from "drizzle-orm/neon";
        export const t = pgTable('t', { id: integer(), userId: text('user_id').references(() => usersSync.id) }, (t) => [
          crudPolicy({ role: authenticatedRole, read: authUid(t.userId), modify: sql`${t.id} > 0` }), crudPolicy({ role: [anonymousRole, 'other'], read: true, modify: null })]);""",
    "supabase": """import { authenticatedRole, anonRole, serviceRole, authUid, authUsers, realtimeMessages } from "drizzle-orm/supabase";
        export const t = pgTable('profiles', { id: uuid().primaryKey().references(() => authUsers.id, { onDelete: 'cascade' }), n: text() }, (t) => [
          pgPolicy('own', { for: 'all', to: authenticatedRole, using: sql`${authUid} = ${t.id}` }), pgPolicy('all', { to: [anonRole, serviceRole], for: 'select', using: sql`true` })]);
        export const p = pgPolicy('rt', { for: 'select', to: authenticatedRole, using: sql`true` }).link(realtimeMessages);""",
    "wrappers": """const table = <N extends string, C extends Record<string, any>>(name: N, columns: C, extra?: (t: any) => any[]) => pgTable(name, { id: uuid().primaryKey().defaultRandom(), ...columns, createdAt: timestamp('created_at').notNull().defaultNow() }, extra);
        export const a = table('a', { n: text() }, (t) => [index('a_n').on(t.n)]); export const b = table('b', { a: uuid('a_id').references(() => a.id) });""",
    "overloads": """function money(): any; function money(name: string): any; function money(name?: string) { return name ? numeric(name, { precision: 12, scale: 2 }) : numeric({ precision: 12, scale: 2 }); }
        export const t = pgTable('t', { a: money(), b: money('bb').notNull() });""",
    "loops": """const cols: Record<string, any> = {}; for (const n of ['x', 'y'] as const) { cols[n] = integer(n).notNull(); } const list = []; list.push('a'); list.push('b');
        export const e = pgEnum('e', list as any); export const t = pgTable('t', { ...cols, e: e() }); let later = 'one'; later = 'two'; export const u = pgTable(later, { id: integer() });""",
    "select everything": """export const t = pgTable('t', { id: integer(), n: text('name') }); export const k = pgTable('k', { id: integer(), t: integer('t_id') });
        import { getTableColumns } from "drizzle-orm";
        export const v = pgMaterializedView('v').as((qb) => { return qb.select({ ...getTableColumns(t), ks: sql<string[]>`coalesce((select array_agg(${k.id}) from ${k} where ${k.t} = ${t.id}), '{}')`.as('ks') }).from(t); });""",
    "view by functions of sets": """export const a = pgTable('a', { id: integer(), n: text() }); export const b = pgTable('b', { id: integer(), n: text('m') });
        const q = new pg.QueryBuilder(); export const v = pgView('v').as((qb) => pg.unionAll(qb.select().from(a), qb.select().from(b).where(gt(b.id, 4)), qb.select().from(b)));
        export const w = pgMaterializedView('w').as(pg.except(q.select({ x: a.id }).from(a), q.select({ x: b.id }).from(b)));""",
    "view of all columns of a join": """export const a = pgTable('a', { id: integer(), n: text() }); export const b = pgTable('b', { k: integer(), m: text() });
        export const z = pgView('z').as((qb) => qb.select({ y: b.k, one: sql`1`.as('one') }).from(b)); export const v = pgView('v').as((qb) => qb.select().from(a).leftJoin(b, eq(b.k, a.id)).innerJoin(z, eq(z.y, b.k)));
        export const w = pgView('w').as((qb) => { const sq = qb.select({ k: b.k, t: sql`2`.as('t') }).from(b).as('sq'); return qb.select().from(a).innerJoin(sq, eq(sq.k, a.id)); });""",
    "linked policies beside others": """export const z = pgTable('z', { id: integer() }, (t) => [pgPolicy('own', { to: 'current_user' })]); export const y = pgTable('y', { id: integer() }, (t) => [pgPolicy('own')]);
        export const a1 = pgPolicy('second').link(z); export const a2 = pgPolicy('second').link(y); export const a3 = pgPolicy('third', { for: 'delete' }).link(z);""",
    "existing views with options": """export const mood = pgEnum('mood', ['a', "it's"]); export const t = pgTable('t', { a: mood().array(), b: text().default("it's") });
        export const v = pgView('v', { a: mood(), b: mood().array() }).with({ checkOption: 'local' }).existing(); export const m = pgMaterializedView('m', { a: mood() }).with({ fillfactor: 30 }).using('own').withNoData().existing();
        export const w = pgView('w').as((qb) => qb.select().from(t));""",
    "big number in a view": "export const t = pgTable('t', { b: bigint({ mode: 'bigint' }) }); export const v = pgView('v').as((qb) => qb.select().from(t).where(gt(t.b, 9007199254740993n)));",
    "tables named like globals": "export const JSON = pgTable('a', { n: json().array().default([{ on: true }]) }); export const Object = pgTable('b', { a: jsonb().default({ x: 1 }) }); export const Number = pgTable('c', { a: integer().default(5) });",
    "namespace": "export const t = pg.pgTable('t', { id: pg.serial().primaryKey(), n: pg.text('n') }, (t) => [pg.index('i').on(t.n)]);",
}
TWICE: dict[str, str] = {
    "values of an enum": "export const e = pgEnum('e', ['a', 'b', 'a']);",
    "names of unlike things": "export const t = pgTable('t', { a: text().unique('x'), b: text() }, (t) => [check('x', sql`true`), index('x').on(t.b), primaryKey({ name: 'x', columns: [t.a, t.b] })]); export const v = pgSequence('t');",
    "views": "const u = pgTable('u', { id: integer() }); export const a = pgView('v', { id: integer() }).as(sql`select * from ${u}`); export const b = pgMaterializedView('v', { id: integer() }).as(sql`select 1 as id`);",
    "tables": "export const a = pgTable('u', { id: integer() }); export const b = pgTable('u', { other: integer() });",
    "enums": "export const a = pgEnum('e', ['a']); export const b = pgEnum('e', ['b']);",
    "indexes of two tables": "export const a = pgTable('a', { id: integer() }, (t) => [index('i').on(t.id)]); export const b = pgTable('b', { id: integer() }, (t) => [index('i').on(t.id)]);",
    "indexes of two schemas": "const s = pgSchema('s'); export const a = s.table('a', { id: integer() }, (t) => [index('i').on(t.id)]); export const b = pgTable('b', { id: integer() }, (t) => [index('i').on(t.id)]);",
    "checks": "export const a = pgTable('a', { id: integer() }, (t) => [check('c', sql`id > 0`), check('c', sql`id > 1`)]);",
    "checks of two tables": "export const a = pgTable('a', { id: integer() }, (t) => [check('c', sql`id > 0`)]); export const b = pgTable('b', { id: integer() }, (t) => [check('c', sql`id > 0`)]);",
    "policies": "export const a = pgTable('a', { id: integer() }, (t) => [pgPolicy('p'), pgPolicy('p')]);",
    "roles": "export const a = pgRole('r'); export const b = pgRole('r', { createDb: true });",
    "sequences": "export const a = pgSequence('q'); export const b = pgSequence('q', { cache: 2 });",
    "schemas": "export const a = pgSchema('s'); export const b = pgSchema('s'); export const t = a.table('t', { x: integer() });",
    "foreign keys": "export const a = pgTable('a', { id: integer().primaryKey() }); export const b = pgTable('b', { x: integer(), y: integer() }, (t) => [foreignKey({ name: 'f', columns: [t.x], foreignColumns: [a.id] }), foreignKey({ name: 'f', columns: [t.y], foreignColumns: [a.id] })]);",
    "keys of one table": "export const a = pgTable('a', { id: integer(), b: integer() }, (t) => [primaryKey({ columns: [t.id] }), primaryKey({ columns: [t.b] })]);",
}
ODD: dict[str, str] = {
    "view of SQL without columns": "export const t = pgTable('t', { a: text() }); export const v = pgView('v').as(sql`select 1`);",
    "view of a column of another table": "export const a = pgTable('a', { id: integer() }); export const b = pgTable('b', { id: integer() }); export const v = pgView('v').as((qb) => qb.select({ id: b.id }).from(a));",
    "view with fields in fields": "export const t = pgTable('t', { id: integer('Id'), n: text() }); export const v = pgView('v').as((qb) => qb.select({ x: { a: t.id }, y: t.n }).from(t));",
    "index on a column of the finished table": "export const a = pgTable('a', { x: text(), y: text() }, () => [later, unique('u').on(a.y)]); export const later = index('later').on(a.x);",
    "union of other fields": "export const a = pgTable('a', { id: integer(), n: text() }); export const v = pgView('v').as((qb) => qb.select().from(a).union(qb.select({ n: a.n, id: a.id } as any).from(a) as any));",
    "method of another column": "export const t = pgTable('t', { a: (text() as any).defaultNow() });",
    "identity of a text": "export const t = pgTable('t', { a: (text() as any).generatedAlwaysAsIdentity() });",
    "now in an array": "export const t = pgTable('t', { a: (timestamp().array() as any).defaultNow() });",
    "extras that are nothing": "export const t = pgTable('t', { a: text() }, (t) => null as any);",
    "extras with something else": "export const t = pgTable('t', { a: text() }, (t) => [false as any, index('i').on(t.a)]);",
    "extras in an object in a list": "export const t = pgTable('t', { a: text() }, (t) => [{ i: index('i').on(t.a) } as any]);",
    "extras with an index on nothing": "export const t = pgTable('t', { a: text() }, (t) => [index('i') as any, unique('u') as any]);",
    "having by callback": "export const a = pgTable('a', { id: integer(), n: text() }); export const v = pgView('v').as((qb) => qb.select({ n: a.n, c: count(a.id).as('c') }).from(a).groupBy(({ n }) => n).having(({ c }) => gt(c, 3)).orderBy(({ c }) => desc(c)));",
}
V1_BODIES: dict[str, str] = {
    "columns under another name": """export const u = pgTable('u', { id: serial().primaryKey(), mail: text(), up: integer() }); export const s = pgSchema('s'); export const o = s.table('o', { id: integer(), u: integer('u_id') }); const p = alias(u, 'p');
        export const v = pgView('v').as((qb) => qb.select({ uid: u.id.as('userId'), mail: u.mail }).from(u)); export const w = pgView('w').as((qb) => qb.select().from(v));
        export const x = pgView('x').as((qb) => qb.select({ a: v.uid, b: v.uid.as('again'), c: sql<number>`${v.uid} + 1`.as('c') }).from(v).where(gt(v.uid, 5)).orderBy(v.uid));
        export const y = pgMaterializedView('y').as((qb) => qb.select({ p: p.id.as('pid'), o: o.id.as('oid'), u: u.id }).from(u).leftJoin(p, eq(p.id, u.up)).innerJoin(o, eq(o.u, u.id)).orderBy(o.id.as('oid')));
        export const z = pgView('z').as((qb) => { const sq = qb.select({ a: u.id.as('k'), m: u.mail }).from(u).as('sq'); return qb.select({ k: sq.a, m: sq.m }).from(sq).where(eq(sq.a, 1)); });
        export const q = pgView('q').as((qb) => qb.select({ a: u.id.as('k'), n: count() .as('n') }).from(u).where(sql`${u.id.as('k')} > 3`).groupBy(u.id.as('k')));""",
    "columns under another name, cased": "export const t = pg.snakeCase.table('t', { theId: integer(), eMail: text() }); export const v = pg.snakeCase.view('v').as((qb) => qb.select({ a: t.theId.as('theX'), b: t.eMail }).from(t));",
    "snake case": "export const t = pg.snakeCase.table('t', { userId: integer(), HTTPServer: text(), x: text('Own') }, (t) => [index().on(t.userId)]); export const s = pg.snakeCase.schema('sc'); export const u = s.table('u', { someId: integer() });",
    "camel case": "export const t = pg.camelCase.table('t', { user_id: integer(), Some_Thing: text() });",
    "with rls": "export const t = pgTable.withRLS('t', { id: integer() });",
    "bytea": "export const t = pgTable('t', { b: pg.bytea(), c: pg.bytea('cc').notNull() });",
    "existing schema": "export const s = pgSchema('auth').existing(); export const t = pgTable('t', { id: integer() });",
    "parameters": "export const t = pgTable('t', { a: integer(), s: text() }, (t) => [check('c', sql`${t.a} > ${5} and ${t.s} = ${'x'}`), index('i').on(t.a).where(eq(t.s, 'act')), index('j').on(t.a).where(and(isNull(t.s), gt(t.a, 3)))]);",
    "named inline reference": "export const a = pgTable('a', { id: integer().primaryKey() }); export const b = pgTable('b', { a: integer().references(() => a.id, { name: 'mine', onDelete: 'cascade' }) });",
}


def bodies(version: str) -> Iterator[tuple[str, str]]:
    """Every sample of a generation: its name and the source of schema.ts."""
    for kind in TYPES + EXTENSION_TYPES:
        parts = MODIFIERS if kind in {"integer()", "text()", "uuid()"} else MODIFIERS[:4]
        columns = ", ".join(
            f"c{i}: {kind}{part}" for i, part in enumerate(parts) if "primaryKey" not in part and "own" not in part
        )
        yield f"type {kind}", f"export const t = pgTable('t', {{ {columns} }});"
        for part in parts:
            if "primaryKey" in part or "own" in part:
                yield f"type {kind}{part}", f"export const t = pgTable('t', {{ c: {kind}{part} }});"
        name = kind.replace("(", "('a_name', " if kind[-2] != "(" else "('a_name'", 1)
        yield f"type {name}", f"export const t = pgTable('t', {{ c: {name} }});"
    before = "const COLOR = { red: 'r' } as const; const LIST = ['x', 'y']; const LIMIT = 21; export const mood = pgEnum('mood', ['a', 'b']);\n"
    for kind, value in DEFAULTS:
        yield f"default {kind} {value}", f"{before}export const t = pgTable('t', {{ c: {kind}.default({value}) }});"
    for kind in LISTS + (V0_LISTS if version == "v0" else V1_LISTS):
        yield f"list {kind}", f"{before}export const t = pgTable('t', {{ c: {kind} }});"
    for options in IDENTITIES:
        for kind in ("integer()", "smallint()", "bigint({ mode: 'number' })"):
            for method in ("generatedAlwaysAsIdentity", "generatedByDefaultAsIdentity"):
                yield (
                    f"identity {kind} {method} {options}",
                    f"export const t = pgTable('t', {{ c: {kind}.{method}({options}) }});",
                )
    yield from defaults(version)
    yield from BODIES.items()
    yield from ((f"{what}, named twice", body) for what, body in TWICE.items())
    yield from ODD.items()
    if version == "v1":
        yield from V1_BODIES.items()
