"""What generate asks, what it leaves pending, and what it refuses."""

import json

import pytest

from checks.drizzle import chain, generate
from checks.drizzle.model import Project
from checks.errors import UserError
from checks.schema.read import read
from checks.tree import Tree
from tests.checks.schema_samples import HEAD

NOW = 1_700_000_000_000
PROJECT = Project(root="", format="v0", migrations_dir="drizzle", schema_files=("schema.ts",))
JOURNAL = "drizzle/meta/_journal.json"


def schema(source):
    """What a schema file means."""
    return read(Tree.of({"schema.ts": HEAD + source}), ["schema.ts"], format="v0")


def chain_of(files):
    """The chain that these files are."""
    return chain.read(Tree.of(files), PROJECT)


def start(source, **more):
    """The files of a first migration."""
    return generate.migration(chain_of({}), schema(source), name="start", when=NOW, **more).files


def following(files, source, **answers):
    """The migration from these files to a schema."""
    return generate.migration(
        chain_of(files), schema(source), when=NOW, journal=files.get(JOURNAL), **({"name": "next"} | answers)
    )


def table(columns, extras="", name="users"):
    """A schema with one table."""
    return f"export const t = pgTable('{name}', {{ id: integer().primaryKey(), {columns} }}, (t) => [{extras}]);"


def test_a_column_that_rows_can_do_without_stays_until_it_is_named():
    """Nullable or with a default: pending, with its index and constraint; everything else goes on."""
    before = table(
        "nick: text(), mood: text().default('x').notNull(), must: text().notNull()",
        "index('i').on(t.nick), unique('u').on(t.mood)",
    )
    files = start(before)
    made = following(files, table("").replace("integer()", "bigint({ mode: 'number' })", 1))
    assert made.pending == ("users.nick", "users.mood")
    assert made.statements == (
        'ALTER TABLE "users" ALTER COLUMN "id" SET DATA TYPE bigint;',
        'ALTER TABLE "users" DROP COLUMN "must";',
    )
    kept = json.loads(made.files["drizzle/meta/0001_snapshot.json"])["tables"]["public.users"]
    assert list(kept["columns"]) == ["id", "nick", "mood"]
    assert (list(kept["indexes"]), list(kept["uniqueConstraints"])) == (["i"], ["u"])
    later = following(
        files | made.files, table("").replace("integer()", "bigint({ mode: 'number' })", 1), drops=["users.nick"]
    )
    assert later.statements == ('DROP INDEX "i";', 'ALTER TABLE "users" DROP COLUMN "nick";')
    assert later.pending == ("users.mood",)


def test_a_pending_column_keeps_its_type():
    """The enum left schema.ts with the column, but the column still needs it."""
    files = start("export const mood = pgEnum('mood', ['a']); " + table("m: mood()"))
    assert following(files, table("")).statements == ()
    dropped = following(files, table(""), drops=["users.m"])
    assert dropped.statements == ('ALTER TABLE "users" DROP COLUMN "m";', 'DROP TYPE "public"."mood";')


@pytest.mark.parametrize(
    ("before", "after", "asked"),
    [
        (table("a: text()"), table("b: text()"), ("column", "users.a", ("users.b",), True)),
        (table("a: text().notNull()"), table("b: text().notNull()"), ("column", "users.a", ("users.b",), False)),
        (table(""), table("", name="people"), ("table", "users", ("people",), False)),
        (
            "export const e = pgEnum('e', ['a']);",
            "export const e = pgEnum('f', ['a']); export const g = pgEnum('g', ['a']);",
            ("enum", "e", ("f", "g"), False),
        ),
        (
            "export const s = pgSchema('s'); export const t = s.table('t', { id: integer() });",
            "export const s = pgSchema('s'); export const t = pgTable('t', { id: integer() });",
            ("table", "s.t", ("t",), False),
        ),
        ("export const q = pgSequence('q');", "export const q = pgSequence('p');", ("sequence", "q", ("p",), False)),
        ("export const r = pgRole('r');", "export const r = pgRole('o');", ("role", "r", ("o",), False)),
        ("export const s = pgSchema('a');", "export const s = pgSchema('b');", ("schema", "a", ("b",), False)),
    ],
)
def test_a_possible_rename_is_asked(before, after, asked):
    """Something left and something of its kind came: no file is written, both answers are offered and both work."""
    files = start(before)
    made = following(files, after)
    assert made.files == {}
    (question,) = made.questions
    assert (question.kind, question.gone, question.new, question.keep) == asked
    dropped = following(files, after, drops=[question.gone])
    assert any("DROP" in text for text in dropped.statements)
    renamed = following(files, after, renames=[f"{question.gone}={question.new[0]}"])
    assert not any("DROP" in text for text in renamed.statements)
    assert any("RENAME" in text or "SET SCHEMA" in text for text in renamed.statements)
    assert following(files | renamed.files, after).statements == ()


def test_keeping_is_an_answer_too():
    """The old column stays pending while the new one comes."""
    made = following(start(table("a: text()")), table("b: text()"), keeps=["users.a"])
    assert made.statements == ('ALTER TABLE "users" ADD COLUMN "b" text;',)
    assert made.pending == ("users.a",)


def test_what_rows_need_cannot_be_kept():
    """Without a default, every insert would fail once the new release is out; a key that another replaces cannot stay."""
    with pytest.raises(UserError, match="rows cannot be written without it"):
        following(start(table("a: text().notNull()")), table("b: text()"), keeps=["users.a"])
    before = "export const u = pgTable('u', { k: uuid().primaryKey().defaultRandom(), n: integer().notNull() });"
    after = "export const u = pgTable('u', { n: integer().primaryKey() });"
    (question,) = following(start(before), after).questions
    assert question.answers == ("--drop u.k",)
    assert 'ALTER TABLE "u" DROP COLUMN "k";' in following(start(before), after, drops=["u.k"]).statements


@pytest.mark.parametrize(
    "wrong",
    [
        '{"id": "a", "prevId": "b", "version": "7", "tables": [1]}',
        '{"id": "a", "prevId": "b", "version": "7", "tables": {"public.users": {"name": "users", "columns": {"a": 5}}}}',
        '{"id": "a", "prevId": "b", "version": "7", "tables": {"public.users": {"name": "users", "indexes": {"a": {}}}}}',
        '{"id": "a", "prevId": "b", "version": "7", "enums": {"public.e": {"values": 4}}, "tables": {"a": '
        + "[" * 450
        + "]" * 450
        + "}}",
    ],
)
def test_a_snapshot_of_another_shape_is_an_error_with_its_path(wrong):
    """No traceback, whatever it holds."""
    files = start(table("a: text()")) | {"drizzle/meta/0000_snapshot.json": wrong}
    with pytest.raises(UserError, match=r"0000_snapshot\.json"):
        following(files, "export const e = pgEnum('e', ['a']); " + table("a: text()", "index('a').on(t.a)"))


@pytest.mark.parametrize(
    ("answers", "told"),
    [
        ({"drops": ["users.zzz"]}, "`users.zzz` has not left schema.ts.*What left it: users.a"),
        ({"renames": ["users.a=users.c"]}, "`users.c` is not new in schema.ts.*What came: users.b"),
        ({"renames": ["users.x=users.b"]}, "`users.x` has not left"),
        ({"renames": ["users.a"]}, "does not say what became what"),
        ({"renames": ["users.a=users.b"], "drops": ["users.a"]}, "two answers"),
        ({"name": "../up"}, "cannot be the name"),
    ],
)
def test_answers_that_fit_nothing_are_refused(answers, told):
    """A wrong name is an error, never a silent nothing."""
    with pytest.raises(UserError, match=told):
        following(start(table("a: text()")), table("b: text()"), **answers)


def test_what_cannot_be_built_on_is_refused():
    """Old snapshots, lost snapshots, two children: each with what to do next."""
    files = start(table("a: text()"))
    snapshot = "drizzle/meta/0000_snapshot.json"
    old = files | {snapshot: files[snapshot].replace('"version": "7"', '"version": "6"')}
    with pytest.raises(UserError, match="drizzle-kit up"):
        following(old, table(""))
    with pytest.raises(UserError, match="no snapshot to compare"):
        following({k: v for k, v in files.items() if k != snapshot}, table(""))
    broken = files | {snapshot: files[snapshot].replace("{", "<<<<<<< ours\n{", 1)}
    with pytest.raises(UserError, match="conflict markers"):
        following(broken, table(""))
    twin = files | {"drizzle/meta/0001_snapshot.json": files[snapshot].replace('"id": "', '"id": "0')}
    with pytest.raises(UserError, match="claim one place"):
        following(twin, table(""))
    with pytest.raises(UserError, match=r"schema\.ts:\d+ "):
        following(files, "export const t = pgTable(process.env.T!, { id: integer() });")


def test_a_nul_is_refused():
    """JavaScript's strings may hold one; PostgreSQL's cannot."""
    with pytest.raises(UserError, match="cannot store"):
        following(start(table("")), table(r"a: text().default('\0')"))


def test_names_go_on_in_the_projects_own_style():
    """Time stamps stay time stamps; `when` is after the last one though the clock is not; a name that nobody gave is stable."""
    files = start(table(""))
    made = {
        path.replace("0000_", "20240102030405_"): text.replace("0000_start", "20240102030405_start")
        for path, text in files.items()
    }
    first, second = (following(made, table("a: text()"), name=None) for _ in range(2))
    assert first == second
    assert first.tag.startswith("20240102030406_") or first.tag.startswith("20231114")
    entry = json.loads(first.files[JOURNAL])["entries"][-1]
    assert entry["when"] == NOW + 1
    assert chain_of(made | first.files).damage == ()


def test_a_journal_without_breakpoints_gets_none():
    """`breakpoints: false` of the config is told by the journal."""
    files = start(table(""))
    files[JOURNAL] = files[JOURNAL].replace("true", "false")
    made = following(files, table("a: text(), b: text()"))
    assert made.sql == 'ALTER TABLE "users" ADD COLUMN "a" text;\nALTER TABLE "users" ADD COLUMN "b" text;'
    assert json.loads(made.files[JOURNAL])["entries"][-1]["breakpoints"] is False


def test_what_drizzle_kit_writes_wrongly_is_written_to_run():
    """A custom type has no schema `undefined`, a quote in an enum value is doubled, and a lone primary key is really dropped."""
    citext = "const ci = customType<{ data: string }>({ dataType: () => 'citext' }); "
    before = (
        citext
        + "export const e = pgEnum('e', ['a']); export const u = pgTable('u', { k: integer().primaryKey(), a: text() });"
    )
    after = (
        citext
        + "export const e = pgEnum('e', ['a', \"it's\"]); export const u = pgTable('u', { k: integer().notNull(), a: ci() });"
    )
    assert following(start(before), after).statements == (
        "ALTER TYPE \"public\".\"e\" ADD VALUE 'it''s';",
        'ALTER TABLE "u" DROP CONSTRAINT "u_pkey";',
        'ALTER TABLE "u" ALTER COLUMN "a" SET DATA TYPE "citext";',
    )


def test_what_a_dropped_table_takes_along_is_not_dropped_twice():
    """DROP TABLE … CASCADE takes the foreign keys of others with it; drizzle-kit drops them again, which fails."""
    both = "export const a = pgTable('a', { id: integer().primaryKey() }); export const b = pgTable('b', { x: integer().references(() => a.id) });"
    alone = "export const b = pgTable('b', { x: integer() });"
    made = following(start(both), alone)
    assert made.statements == ('ALTER TABLE "a" DISABLE ROW LEVEL SECURITY;', 'DROP TABLE "a" CASCADE;')


def test_a_view_that_is_renamed_and_changed_is_made_again():
    """It goes under its old name and comes under its new one."""
    before = "export const v = pgView('v', { id: integer() }).as(sql`select 1 as id`);"
    made = following(start(before), before.replace("'v'", "'w'").replace("1 as", "2 as"), renames=["v=w"])
    assert made.statements == ('DROP VIEW "public"."v";', 'CREATE VIEW "public"."w" AS (select 2 as id);')
    moved = following(start(before), before.replace("'v'", "'w'"), renames=["v=w"])
    assert moved.statements == ('ALTER VIEW "public"."v" RENAME TO "w";',)
