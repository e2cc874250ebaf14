"""A schema drawn upon an older one is the schema drawn from nothing."""

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot import drawing, redrawing
from bot.branches.embedded import Embedded
from bot.stage import Stage, play
from checks import equality
from checks.catalog import difference, part
from checks.catalog.model import Catalog
from checks.drizzle.model import Chain, Project, Snapshot
from checks.schema import read as schemas
from checks.schema.snapshot import to_snapshot
from checks.tree import Tree

IMPORTS = 'import { boolean, foreignKey, index, integer, pgEnum, pgPolicy, pgTable, pgView, serial, text, unique, uniqueIndex } from "drizzle-orm/pg-core";\n'
PROJECT = Project(root="", format="v0", migrations_dir="drizzle", schema_files=("schema.ts",))


def at(*tables: str) -> tuple[Tree, Chain]:
    """A commit whose schema file and last snapshot say the same."""
    code = IMPORTS + "\n".join(tables)
    read = schemas.read(Tree.of({"schema.ts": code}), ["schema.ts"], format="v0", casing=None)
    assert not read.unresolved
    data: dict[str, Any] = {"id": "a", "prevId": "b", **to_snapshot(read)}
    path = "drizzle/meta/0000_snapshot.json"
    tree = Tree.of({"schema.ts": code, path: json.dumps(data)})
    return tree, Chain(PROJECT, (), (Snapshot("0000_a", path, "a", ("b",), "7", data),))


def both(provider: Embedded, old: tuple[Tree, Chain], new: tuple[Tree, Chain]) -> tuple[bool, Catalog]:
    """Whether it was drawn upon the other, which was drawn from nothing and stays; and what drawing it from nothing gives."""
    stage = Stage.of(provider, [], PROJECT.table, extensions=(), seconds=60)
    alone = drawing.draw(*new, stage).schema
    assert alone is not None
    upon = drawing.upon(old[1], new[1], old[0])
    if upon is None:
        return False, alone
    with stage.empty() as branch:
        play(branch, upon.old())
        before = stage.catalog(branch)
        with branch.connect() as session:
            some = stage.drawn_upon(session, upon.delta, upon.near)
        got = None if some is None else part.with_tables(before, some, upon.touched)
        assert difference.equal(stage.catalog(branch), before)
    if got is None or not redrawing.certain(got, upon.content, upon.delta):
        return False, alone
    assert difference.equal(got, alone)
    assert equality.in_step(got, alone)
    return True, alone


USERS = 'export const users = pgTable("users", { id: serial("id").primaryKey(), name: text("name") });'
POSTS = (
    'export const posts = pgTable("posts", { id: serial("id").primaryKey(), by: integer("by").references(() => users.id) },'
    ' (t) => [index("posts_by").on(t.by)]);'
)
GROWN = USERS.replace('name: text("name")', 'name: text("name").notNull().unique(), age: integer("age").default(3)')
POLICY = USERS.replace(" });", ' }, () => [pgPolicy("mine", { using: sql`true` })]);').replace(
    "export", 'import { sql } from "drizzle-orm";\nexport'
)


MOOD = 'export const mood = pgEnum("mood", ["ok"]);'
MOODY = USERS.replace(" });", ', mood: mood("mood").default("ok").notNull() });')
SECURED = USERS.replace(" });", " }).enableRLS();")
LIKES = 'export const likes = pgTable("likes", { post: integer("post").references(() => posts.id) });'
SEEN = 'export const seen = pgView("seen").as((qb) => qb.select().from(users));'


@pytest.mark.parametrize(
    ("old", "new", "upon"),
    [
        ((USERS, POSTS), (USERS, POSTS), True),
        ((USERS, POSTS), (GROWN, POSTS), True),
        ((USERS, POSTS), (USERS.replace(" });", ', age: integer("age").default(3).notNull() });'), POSTS), True),
        ((USERS, POSTS), (USERS,), True),
        ((USERS,), (GROWN, POSTS), True),
        ((USERS, POSTS), (USERS, POSTS.replace("posts_by", "posts_of")), True),
        ((USERS,), (USERS, MOOD), True),
        ((USERS,), (MOOD, MOODY), True),
        ((MOOD, MOODY), (USERS,), True),
        ((MOOD, MOODY), (MOOD.replace("ok", "fine"), MOODY.replace("ok", "fine")), True),
        ((MOOD, MOODY, POSTS), (MOOD.replace('"ok"', '"ok", "sad"'), MOODY, POSTS), False),
        ((USERS,), (POLICY,), True),
        ((POLICY,), (POLICY.replace("`true`", "`false`"),), True),
        ((POLICY,), (POLICY.replace('text("name")', 'text("name").notNull()'),), True),
        ((POLICY,), (USERS,), True),
        ((USERS,), (SECURED,), True),
        ((SECURED,), (SECURED.replace('text("name")', 'text("name").unique()'),), True),
        ((USERS, SEEN, POSTS), (USERS, SEEN, POSTS.replace("posts_by", "posts_of")), True),
        ((USERS, SEEN), (GROWN, SEEN), False),
        ((USERS,), (USERS, SEEN), False),
        ((USERS, POSTS, LIKES), (USERS, POSTS, LIKES.replace(" })", ', at: integer("at") })')), True),
        ((USERS, POSTS, LIKES), (USERS, POSTS, LIKES.replace('integer("post")', 'integer("post").notNull()')), True),
        ((USERS, POSTS, LIKES), (USERS, POSTS.replace('integer("by")', 'integer("by").notNull()'), LIKES), True),
    ],
)
def test_what_differs_is_made_anew(branches: Embedded, old: tuple[str, ...], new: tuple[str, ...], upon: bool) -> None:  # noqa: FBT001 - a column of the table
    """A table that grew is altered, one that differs is dropped and made, with what is on it; what is more than that is drawn from nothing."""
    assert both(branches, at(*old), at(*new))[0] is upon


def test_a_name_that_was_taken_is_no_proof(branches: Embedded) -> None:
    """Which of two sequences gets the number after its name depends on which is made first."""
    first = 'export const a = pgTable("a_b", { c: serial("c") });'
    second = 'export const b = pgTable("a", { c: serial("b_c") });'
    assert not both(branches, at(second), at(first, second))[0]


@pytest.mark.parametrize(
    "name",
    [
        'x" (i int); COMMIT; CREATE TABLE "y',
        'x"; COMMIT; DROP TABLE "users"; --',
        'x"; ROLLBACK; DROP TABLE users; BEGIN; --',
    ],
)
def test_a_hostile_snapshot_changes_nothing(branches: Embedded, name: str) -> None:
    """Names of head's snapshot stand in statements that run before its migrations: none ends the transaction that is undone."""
    old = at(USERS)
    data = json.loads(json.dumps(dict(old[1].snapshots[0].data)))
    column = {"name": name, "type": "text", "primaryKey": False, "notNull": False}
    tables: list[dict[str, Any]] = [
        {**data["tables"]["public.users"], "name": name, "columns": {}},
        {**data["tables"]["public.users"], "columns": {**data["tables"]["public.users"]["columns"], name: column}},
    ]
    stage = Stage.of(branches, [], PROJECT.table, extensions=(), seconds=60)
    for table in tables:
        [snapshot] = old[1].snapshots
        changed = {**data, "tables": {**data["tables"], table["name"]: table}}
        head = Chain(PROJECT, (), (Snapshot(snapshot.tag, snapshot.path, "b", ("a",), "7", changed),))
        upon = drawing.upon(old[1], head, old[0])
        with stage.empty() as branch:
            play(branch, drawing.upon(old[1], old[1], old[0]).old())  # type: ignore[union-attr]
            before = stage.catalog(branch)
            with branch.connect() as session:
                drawn = None if upon is None else stage.drawn_upon(session, upon.delta, upon.near)
            assert difference.equal(stage.catalog(branch), before)
            assert drawn is None


@pytest.mark.parametrize("default", ["setval('counter', 99)", "nextval('counter')", "(select setval('counter', 99))"])
def test_a_sequence_of_bases_is_not_moved(branches: Embedded, default: str) -> None:
    """What is done to a sequence is not undone: head's snapshot must not do it to base's state, where its migrations are judged."""
    old = at(USERS)
    users = dict(old[1].snapshots[0].data)["tables"]["public.users"]
    column = {"name": "n", "type": "bigint", "primaryKey": False, "notNull": False, "default": default}
    data = {
        **old[1].snapshots[0].data,
        "tables": {"public.users": {**users, "columns": {**users["columns"], "n": column}}},
    }
    [snapshot] = old[1].snapshots
    head = Chain(PROJECT, (), (Snapshot(snapshot.tag, snapshot.path, "b", ("a",), "7", data),))
    assert drawing.upon(old[1], head, old[0]) is None
    tame = {**column, "default": "7"}
    data = {**data, "tables": {"public.users": {**users, "columns": {**users["columns"], "n": tame}}}}
    assert drawing.upon(old[1], replace(head, snapshots=(replace(head.snapshots[0], data=data),)), old[0]) is not None


def test_a_damaged_snapshot_is_nothing_to_draw_upon() -> None:
    """Base's snapshot may hold anything."""
    tree, chain = at(USERS)
    odd_ones: tuple[dict[str, Any], ...] = (
        {},
        {"tables": []},
        {"tables": {"public.users": 7}},
        {"tables": None, "views": 3},
    )
    for data in odd_ones:
        [snapshot] = chain.snapshots
        odd = Snapshot(snapshot.tag, snapshot.path, "a", ("b",), "7", data)
        assert drawing.upon(Chain(PROJECT, (), (odd,)), at(GROWN)[1], tree) is None


NAMES = ("one", "two", "three")
COLUMNS = st.dictionaries(
    st.sampled_from(["a", "b", "c"]), st.sampled_from(["", ".notNull()", ".unique()", ".default(1)"])
)


@st.composite
def drawn_tables(draw: st.DrawFn) -> tuple[str, ...]:
    """A few tables with columns, indexes and keys to one another."""
    names = draw(st.lists(st.sampled_from(NAMES), unique=True, min_size=1))
    made: list[str] = []
    for name in names:
        columns = [f'{column}: integer("{column}"){more},' for column, more in sorted(draw(COLUMNS).items())]
        to = draw(st.sampled_from([None, *names]))
        columns += [f'to: integer("to").references((): any => {to}.id),'] if to else []
        extra = draw(st.sampled_from(["", f'index("{name}_i").on(t.id)', f'uniqueIndex("{name}_u").on(t.id)']))
        made.append(
            f'export const {name} = pgTable("{name}", {{ id: serial("id").primaryKey(), {" ".join(columns)} }}, (t) => [{extra}]);'
        )
    return tuple(made)


@pytest.mark.long
@given(drawn_tables(), drawn_tables())
@settings(max_examples=15, deadline=None)
def test_upon_another_or_from_nothing(branches: Embedded, old: tuple[str, ...], new: tuple[str, ...]) -> None:
    """Whatever was there before."""
    both(branches, at(*old), at(*new))
