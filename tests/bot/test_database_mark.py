"""The mark that spares a look: it holds while nobody changes the schema, and no change is hidden by it."""

from pathlib import Path

import pytest

from bot.branches.embedded import EmbeddedBranch
from bot.database import mark
from tests.bot.database_samples import CHAIN, data, db, project, url

HARMLESS = (
    "insert into users (email) values ('a')", "update users set email = 'b'", "analyze", "vacuum", "vacuum freeze",
    "create temp table mine(x int)", "select nextval('users_id_seq')", "grant select on users to public; revoke select on users from public",
)  # fmt: skip
CHANGES = (
    "create index i on users (email)", "drop index i", "alter table users alter email set default 'x'", "create table z()", "drop table z",
    "create type e as enum ('a')", "alter type e add value 'b'", "alter type e rename value 'b' to 'c'",
    "create function f() returns int language sql as 'select 1'", "create or replace function f() returns int language sql as 'select 2'",
    "alter function f() strict", "alter table users enable row level security", "create policy p on users", "alter policy p on users using (true)",
    "drop policy p on users", "alter sequence users_id_seq increment 2", "create view v as select 1 as a", "create or replace view v as select 2 as a",
    "create extension citext", "alter table posts drop column title", "alter table posts rename author to writer",
    "create statistics st on id, writer from posts", "alter table posts drop constraint posts_author_users_id_fk",
    "create trigger t before update on users for each row execute function suppress_redundant_updates_trigger()",
    "alter table users disable trigger t", "create schema more", "create domain d as int check (value > 0)", 'create collation c from "C"',
    "create rule r as on delete to users do instead nothing", "alter table users alter email drop not null",
)  # fmt: skip


def test_what_changes_the_mark(branch: EmbeddedBranch, tmp_path: Path) -> None:
    """Rows, statistics, temporary tables do not; whatever changes the schema does."""
    assert db("migrate", "--url", url(branch), "--repo", project(tmp_path))[0] == 0
    with branch.connect() as session:
        for text in HARMLESS[:-1]:
            before = mark.catalog(session)
            session.execute(text.encode())
            assert mark.catalog(session) == before, text
        for text in CHANGES:
            before = mark.catalog(session)
            session.execute(text.encode())
            assert mark.catalog(session) != before, text


def test_a_run_after_a_run_needs_no_scratch_database(
    branch: EmbeddedBranch, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is compared while the mark holds; after a change by hand it must be, and this one has nothing to do it with."""
    project(tmp_path, CHAIN[:1])
    assert db("migrate", "--url", url(branch), "--repo", tmp_path)[0] == 0
    monkeypatch.setenv("BULLETPROOF_POSTGRES_BINDIR", str(tmp_path))
    project(tmp_path, CHAIN[:2])
    assert data("migrate", "--url", url(branch), "--repo", tmp_path)[1]["notes"] == []
    with branch.connect() as session:
        session.execute("create index by_hand on users (email)")
    project(tmp_path)
    code, text = db("migrate", "--url", url(branch), "--repo", tmp_path)
    assert (code, str(tmp_path) in text) == (2, True), text


@pytest.mark.parametrize(
    "change",
    ["create index by_hand on users (email)", "alter table posts drop column author", "alter type mood add value 'x'"],
)
def test_no_change_is_hidden(branch: EmbeddedBranch, tmp_path: Path, change: str) -> None:
    """What is done by hand after a run stops the next one, and a forced run leaves no mark."""
    texts = ("CREATE TYPE mood AS ENUM ('ok');", *CHAIN)
    project(tmp_path, texts)
    assert db("migrate", "--url", url(branch), "--repo", tmp_path)[0] == 0
    with branch.connect() as session:
        session.execute(change.encode())
    for count in (1, 2):
        more = [f"CREATE TABLE more{n}();" for n in range(count)]
        project(tmp_path, (*texts, *more))
        code, said = data("migrate", "--url", url(branch), "--repo", tmp_path)
        assert (code, said["status"]) == (1, "refused"), said
        assert data("migrate", "--url", url(branch), "--repo", tmp_path, "--force")[0] == 0


def test_rows_that_changed_make_it_void(branch: EmbeddedBranch, tmp_path: Path) -> None:
    """The mark is of these rows, too: one that is deleted is looked into."""
    project(tmp_path)
    assert db("migrate", "--url", url(branch), "--repo", tmp_path)[0] == 0
    with branch.connect() as session:
        session.execute("delete from drizzle.__drizzle_migrations where id = 3")
    code, said = data("migrate", "--url", url(branch), "--repo", tmp_path)
    assert (code, said["applied"], said["synced"]["point"]) == (0, [], 3), said


def test_an_edited_file_leaves_no_mark(branch: EmbeddedBranch, tmp_path: Path) -> None:
    """What an applied file says now was never run there."""
    project(tmp_path, CHAIN[:1])
    assert db("migrate", "--url", url(branch), "--repo", tmp_path)[0] == 0
    edited = CHAIN[0].replace('"email" text', '"mail" text')
    project(tmp_path, (edited, "CREATE TABLE more();"))
    code, said = data("migrate", "--url", url(branch), "--repo", tmp_path)
    assert (code, said["status"]) == (1, "refused"), said
