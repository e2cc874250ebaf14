"""The picture of the tables that change: what is marked, how small it stays, and that no name breaks out of it."""

import re

from hypothesis import given
from hypothesis import strategies as st
from inline_snapshot import snapshot

from bot.branches.embedded import Embedded
from checks.catalog import picture
from checks.catalog.model import Catalog
from checks.catalog.read import read
from checks.catalog.tables import Table


def catalog(branches: Embedded, sql: str) -> Catalog:
    """What some SQL makes."""
    with branches.branch() as branch, branch.connect() as session:
        session.execute(sql.encode())
        return read(session)


def test_changed_columns_and_keys_are_shown(branches: Embedded) -> None:
    """Added, dropped and changed columns are marked; the others of a table that stays are left out."""
    before = "CREATE TABLE users (id int PRIMARY KEY, mail text, nick text, age int); CREATE TABLE same (a int);"
    after = (
        "CREATE TABLE users (id int PRIMARY KEY, mail text, age bigint, handle text); CREATE TABLE same (a int);"
        'CREATE TABLE "Odd ""name"" %% {" (id int PRIMARY KEY, user_id int REFERENCES users (id));'
    )
    drawn = picture.mermaid(catalog(branches, before), catalog(branches, after))
    assert drawn == snapshot("""\
erDiagram
    Odd_name {
        integer id PK
        integer user_id FK
    }
    %% Odd_name is created
    users {
        integer id PK
        bigint age "changed"
        text nick "dropped"
        text handle "added"
    }
    Odd_name }o--|| users : user_id
""")


def test_nothing_is_drawn_where_no_table_changes(branches: Embedded) -> None:
    """An index alone makes no picture."""
    before = "CREATE TABLE t (a int);"
    assert picture.mermaid(catalog(branches, before), catalog(branches, before + "CREATE INDEX ON t (a);")) == ""


@given(names=st.lists(st.text(min_size=1, max_size=63), min_size=1, max_size=30, unique=True))
def test_no_name_breaks_out(names: list[str]) -> None:
    """Whatever a table is called, every line has one of the few shapes, and there are few lines."""
    tables = [Table("public", name, "r", False, "", (), "", (), "heap", "", "d", "", False, False) for name in names]
    drawn = picture.mermaid(Catalog(), Catalog(objects={each.key: each for each in tables}))
    lines = drawn.splitlines()
    assert lines[0] == "erDiagram"
    assert all(re.fullmatch(r"    (\w+ \{|\}|%% [\w ]+)", line, re.ASCII) for line in lines[1:])
    assert len(lines) < picture.TABLES * 4 + 3


def test_two_tables_are_two_and_words_of_the_grammar_are_none(branches: Embedded) -> None:
    """Names that differ in strange letters alone get a number; `end` and `pk` are not read as Mermaid's own."""
    after = """CREATE TABLE "é" (pk int); CREATE TABLE "è" (b int); CREATE TABLE "end" (one int PRIMARY KEY);
               CREATE TABLE "erDiagram" ("to" int REFERENCES "end")"""
    drawn = picture.mermaid(Catalog(), catalog(branches, after))
    assert drawn == snapshot("""\
erDiagram
    end_ {
        integer one_ PK
    }
    %% end_ is created
    erDiagram_ {
        integer to_ FK
    }
    %% erDiagram_ is created
    x_ {
        integer b
    }
    %% x_ is created
    x__2 {
        integer pk_
    }
    %% x__2 is created
    erDiagram_ }o--|| end_ : to_
""")
