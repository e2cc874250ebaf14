"""A schema drawn upon an older one is the schema drawn from nothing."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot import comparison
from bot.branches.embedded import Embedded
from bot.stage import Stage
from checks.catalog import difference
from checks.catalog.model import Catalog
from checks.drizzle.model import Chain, Project, Snapshot
from checks.schema import read as schemas
from checks.schema.snapshot import to_snapshot
from checks.tree import Tree

IMPORTS = 'import { boolean, foreignKey, index, integer, pgEnum, pgPolicy, pgTable, serial, text, unique, uniqueIndex } from "drizzle-orm/pg-core";\n'
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


def both(provider: Embedded, old: tuple[Tree, Chain], new: tuple[Tree, Chain]) -> tuple[bool, Catalog, Catalog]:
    """Whether it was drawn upon the other, and what came of it and of drawing it from nothing."""
    stage = Stage.of(provider, [], PROJECT.table, extensions=(), seconds=60)
    upon, alone = comparison.draw(*new, stage, old), comparison.draw(*new, stage)
    assert upon.schema is not None
    assert alone.schema is not None
    return upon.upon, upon.schema, alone.schema


USERS = 'export const users = pgTable("users", { id: serial("id").primaryKey(), name: text("name") });'
POSTS = (
    'export const posts = pgTable("posts", { id: serial("id").primaryKey(), by: integer("by").references(() => users.id) },'
    ' (t) => [index("posts_by").on(t.by)]);'
)
GROWN = USERS.replace('name: text("name")', 'name: text("name").notNull().unique(), age: integer("age").default(3)')
POLICY = USERS.replace(" });", ' }, () => [pgPolicy("mine", { using: sql`true` })]);').replace(
    "export", 'import { sql } from "drizzle-orm";\nexport'
)


@pytest.mark.parametrize(
    ("old", "new", "upon"),
    [
        ((USERS, POSTS), (USERS, POSTS), True),
        ((USERS, POSTS), (GROWN, POSTS), True),
        ((USERS, POSTS), (USERS,), True),
        ((USERS,), (GROWN, POSTS), True),
        ((USERS, POSTS), (USERS, POSTS.replace("posts_by", "posts_of")), True),
        ((USERS,), (USERS, 'export const mood = pgEnum("mood", ["ok"]);'), False),
        ((USERS,), (POLICY,), False),
    ],
)
def test_what_differs_is_made_anew(branches: Embedded, old: tuple[str, ...], new: tuple[str, ...], upon: bool) -> None:  # noqa: FBT001 - a column of the table
    """A table that differs is dropped and made, with the keys that point to it; what is more than that is drawn from nothing."""
    was, got, wanted = both(branches, at(*old), at(*new))
    assert was is upon
    assert difference.equal(got, wanted)


def test_a_name_that_was_taken_is_no_proof(branches: Embedded) -> None:
    """Which of two sequences gets the number after its name depends on which is made first."""
    first = 'export const a = pgTable("a_b", { c: serial("c") });'
    second = 'export const b = pgTable("a", { c: serial("b_c") });'
    was, got, wanted = both(branches, at(second), at(first, second))
    assert not was
    assert difference.equal(got, wanted)


def test_a_damaged_snapshot_is_nothing_to_draw_upon(branches: Embedded) -> None:
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
        assert both(branches, (tree, Chain(PROJECT, (), (odd,))), at(GROWN))[0] is False


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
    _, got, wanted = both(branches, at(*old), at(*new))
    assert difference.equal(got, wanted)
