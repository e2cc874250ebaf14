"""Who reads what a migration takes away: file and line, and whether it is sure."""

import time

import pytest

from checks import evidence, readers, rules
from checks.change import Change, Commit
from checks.drizzle import statements
from checks.drizzle.model import Migration, Project
from checks.readers import Target
from checks.tree import Tree

NICKNAME = Target("public", "users", "nickname")
USERS = Target("public", "users")


def sure(files: dict[str, str], target: Target = NICKNAME) -> list[tuple[str, int]]:
    return [(r.path, r.line) for r in readers.find(Tree.of(files), [target]).get(target, []) if r.sure]


def perhaps(files: dict[str, str], target: Target = NICKNAME) -> list[tuple[str, int]]:
    return [(r.path, r.line) for r in readers.find(Tree.of(files), [target]).get(target, []) if not r.sure]


@pytest.mark.parametrize(
    "query",
    [
        "select nickname from users",
        "select u.nickname from users u join orders o on o.user_id = u.id",
        'select "nickname" from "public"."users"',
        "SELECT Nickname FROM Users",
        "insert into users (email, nickname) values ('a', 'b')",
        "update users set nickname = null",
        "delete from users where nickname = 'x'",
        "select 1 from orders o where exists (select 1 from users where nickname = o.name)",
        "with named as (select id, nickname from users) select * from named",
    ],
)
def test_a_query_that_names_the_column_of_that_table_is_a_reader(query: str) -> None:
    """In a template, in a string given to a driver, and in a file."""
    assert sure({"a.ts": f"x();\nawait db.execute(sql`{query}`);"}) == [("a.ts", 2)]
    assert sure({"a.ts": f"x();\nawait client.query({query!r});"}) == [("a.ts", 2)]
    assert sure({"q/a.sql": f"-- a\n{query};"}) == [("q/a.sql", 2)]


@pytest.mark.parametrize(
    "query",
    [
        "select nickname from pets, dogs -- users",
        "select o.nickname from users u join orders o on o.user_id = u.id",
        "with users as (select 1 as nickname) select nickname from users",
        "select email from users",
        "select 'nickname' from users",
        "select nickname from other.users",
        "create table users (nickname text)",
        "create index on users (nickname)",
    ],
)
def test_the_same_word_elsewhere_is_none(query: str) -> None:
    """Another table's column, a string, another schema, a common table, a definition."""
    assert sure({"a.ts": f"sql`{query}`"}) == []
    assert sure({"a.sql": query}) == []


def test_what_cannot_be_told_is_perhaps_a_reader() -> None:
    """Two tables that may both have the column, a fragment without a table, a test."""
    assert perhaps({"a.ts": "sql`select nickname from users, orders`"}) == [("a.ts", 1)]
    assert perhaps({"a.ts": "users;\nsql`nickname is not null`"}) == [("a.ts", 2)]
    assert perhaps({"tests/a.ts": "sql`select nickname from users`"}) == [("tests/a.ts", 1)]
    declared = "export const orders = pgTable('orders', { id: integer(), userId: integer('user_id') }); // of users\n"
    assert sure({"s.ts": declared, "a.ts": "sql`select nickname from users, orders`"}) == [("a.ts", 1)]


def test_a_line_is_that_of_the_name_not_of_the_template() -> None:
    """Also below interpolations of several lines."""
    text = "const q = sql`\n  select ${a(\n   1)},\n    nickname\n  from users`;"
    assert sure({"a.ts": text}) == [("a.ts", 4)]
    assert sure({"a.ts": text}, USERS) == [("a.ts", 5)]


def test_interpolated_tables_and_columns_are_known_by_their_declaration() -> None:
    """`${users}` is the table that Drizzle code declares under that name."""
    schema = "export const people = pgTable('users', { handle: text('nickname'), lastSeen: date() });"
    assert sure({"s.ts": schema, "a.ts": "sql`select nickname from ${people}`"}) == [("a.ts", 1), ("s.ts", 1)]
    assert sure({"s.ts": schema, "a.ts": "'users'; sql`${people.handle} is null`"}) == [("a.ts", 1), ("s.ts", 1)]
    assert sure({"s.ts": schema}, Target("public", "users", "last_seen")) == [("s.ts", 1)]


def test_a_view_is_called_by_its_name() -> None:
    """Its definition is a query like any other."""
    (reader,) = readers.find(Tree.of({"v.sql": "create view v as select nickname from users"}), [NICKNAME])[NICKNAME]
    assert (reader.what, reader.line) == ("view `v`", 1)


def test_history_dependencies_and_generated_code_are_no_readers() -> None:
    """A migration has been run; what is built or installed is not the repository's own."""
    for path in ("db/migrations/1.sql", "node_modules/a.js", "dist/a.js", "a.d.ts", "drizzle/0001_x.sql"):
        assert (
            sure({path: "sql`select nickname from users`"}) == perhaps({path: "sql`select nickname from users`"}) == []
        )


def test_hostile_and_broken_code_is_bounded() -> None:
    """Deep brackets, endless quotes, bytes that are no text, a huge file, no time."""
    deep = "select nickname from users where " + "(" * 5000 + "1" + ")" * 5000
    begin = time.monotonic()
    files: dict[str, str | bytes] = {
        "a.ts": f"sql`{deep}`",
        "b.ts": "sql`select nickname from users where '",
        "c.sql": b"\xff\xfe select nickname from users \0",
        "d.sql": "select nickname from users;" * 60_000,
        "e.ts": "sql`select nickname from users where " + "a and " * 20_000 + "`",
    }
    found = readers.find(Tree.of(files), [NICKNAME])[NICKNAME]
    assert {"a.ts", "d.sql", "e.ts"} <= {r.path for r in found}
    assert not any(r.sure for r in found if r.path in {"a.ts", "d.sql", "e.ts"})
    assert time.monotonic() - begin < 10
    late = readers.find(Tree.of({"a.ts": "sql`select nickname from users`"}), [NICKNAME], seconds=-1)[NICKNAME]
    assert [(r.what, r.sure) for r in late] == [("too much to look into", False)]


PROJECT = Project(root="", format="v0", migrations_dir="drizzle", schema_files=("schema.ts",))


def judged(sql: str, base: dict[str, str], head: dict[str, str]) -> list[tuple[str, str]]:
    migration = Migration("0001_x", "drizzle/0001_x.sql", 1, 1, "", sql, statements.pieces(sql))
    before, after = Commit("b" * 40, Tree.of(base)), Commit("a" * 40, Tree.of(head))
    change = Change(before, after, before, ())
    facts = evidence.facts_of(None, [migration], known=evidence.Known(columns={("public.users", "name"): "text"}))
    found = rules.judge(facts, rules.Context(readers=readers.of(facts, change, PROJECT)))
    return [(f.severity, f.message) for f in found]


def test_a_drop_that_something_still_reads_is_an_error_that_lists_it() -> None:
    """A query of head names it, head's schema.ts or base's declares it: that is the release which still runs."""
    schema = "export const users = pgTable('users', {\n  id: integer(),\n  nickname: text(),\n});"
    without = "export const users = pgTable('users', {\n  id: integer(),\n});"
    query = "sql`select nickname from users`"
    drop = "ALTER TABLE users DROP COLUMN nickname;"
    said = "Dropping `users.nickname` breaks code that still reads it."
    assert judged(drop, {"schema.ts": without}, {"schema.ts": without}) == [("warning", said)]
    assert judged(drop, {"schema.ts": schema}, {"schema.ts": without}) == [
        ("error", f"{said} Still read by `schema.ts:3` (the Drizzle table `users` of the release that runs).")
    ]
    assert judged(drop, {"schema.ts": schema}, {"schema.ts": schema}) == [
        ("error", f"{said} Still read by `schema.ts:3` (the Drizzle table `users`).")
    ]
    assert judged(drop, {"schema.ts": without}, {"schema.ts": without, "a.ts": query}) == [
        ("error", f"{said} Still read by `a.ts:1` (a query in an `sql` template).")
    ]


def test_what_comes_back_under_its_name_has_no_readers_to_lose() -> None:
    """A column that is dropped and added again is still there for those who read it; its values are not."""
    schema = {"schema.ts": "export const users = pgTable('users', { nickname: text() });"}
    again = "ALTER TABLE users DROP COLUMN nickname; ALTER TABLE users ADD COLUMN nickname varchar(9);"
    assert [severity for severity, _ in judged(again, schema, schema)] == ["warning"]
    assert (
        judged("ALTER TABLE users RENAME TO people; CREATE VIEW users AS SELECT * FROM people;", schema, schema) == []
    )


def test_a_narrowed_column_that_is_still_declared_is_no_error_by_itself() -> None:
    """Only a query can count on what no longer fits."""
    schema = {"schema.ts": "export const users = pgTable('users', { name: varchar({ length: 9 }) });"}
    narrow = "ALTER TABLE users ALTER COLUMN name TYPE varchar(9);"
    assert [severity for severity, _ in judged(narrow, schema, schema)] == ["warning"]
    query = schema | {"a.ts": "sql`insert into users (name) values (${x})`"}
    assert [severity for severity, _ in judged(narrow, schema, query)] == ["error"]


def test_the_body_of_a_function_is_a_reader() -> None:
    """SQL inside is resolved; what stands in PL/pgSQL is perhaps one; another table's column is none."""
    head = "create or replace function app.names() returns setof text language"
    assert sure({"db/f.sql": f"{head} sql as $$\n  select nickname from users\n$$;"}) == [("db/f.sql", 2)]
    plain = f"{head} plpgsql as $f$\nbegin\n  return query select nickname from users;\nend $f$;"
    assert (sure({"db/f.sql": plain}), len(perhaps({"db/f.sql": plain}))) == ([], 1)
    other = f"{head} sql as $$ select p.nickname from pets p join users u on u.id = p.owner $$;"
    assert (sure({"db/f.sql": other}), perhaps({"db/f.sql": other})) == ([], [])
