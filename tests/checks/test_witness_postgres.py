"""What PostgreSQL does with a statement is seen, whatever the statement says, does or sets."""

from collections.abc import Iterator
from contextlib import closing
from typing import Any

import psycopg
import pytest

from bot.branches.embedded import Embedded, EmbeddedBranch
from checks.drizzle.model import Statement
from checks.witnesses.model import Observation
from checks.witnesses.postgres import Session
from tests.conftest import corpus

TABLES = """
create table t(id int primary key, a text, ts timestamp);
create table o(id int primary key, t int references t);
insert into t select g, g::text from generate_series(1, 10) g;
insert into o select g, g from generate_series(1, 10) g;
create materialized view mv as select a from t;
create unique index on mv(a);
"""


def observe(branch: EmbeddedBranch, *sql: str, begin: bool = True, settings: str = "") -> list[Observation]:
    """Run statements one by one and observe each."""
    with closing(Session(branch, seconds=60)) as session:
        if settings:
            session.wire.execute(settings)
        if begin:
            session.quietly("begin")
        return [o for n, text in enumerate(sql) for o in session.chunk([Statement(n, 1, 1, text, n)])]


def seen(observation: Observation) -> tuple[dict[str, str], tuple[str, ...], tuple[str, ...]]:
    """Locks, rewrites, scans."""
    return {lock.relation: lock.mode for lock in observation.locks}, observation.rewrites, observation.scans


@pytest.fixture
def filled(branch: EmbeddedBranch) -> EmbeddedBranch:
    """A branch with tables in it."""
    with branch.connect() as session:
        session.execute(TABLES)
    return branch


def clean(branch: EmbeddedBranch) -> None:
    """Leave nothing of the last case."""
    with branch.connect() as session:
        for (name,) in session.execute(
            "select nspname::text from pg_namespace where nspname !~ '^pg_' and nspname <> 'information_schema'"
        ).fetchall():
            session.execute(f'drop schema "{name}" cascade'.encode())
        session.execute("create schema public")


def unknown_here(branch: EmbeddedBranch, sql: str, found: Observation) -> str | None:
    """How the witness differs from a server older than all that judged a case: its grammar may not know the words yet."""
    with branch.connect() as session, pytest.raises(psycopg.errors.SyntaxError) as refused:
        session.execute(sql.encode())
    told = found.failure.sqlstate if found.failure is not None else None
    return None if (told, seen(found)) == (refused.value.sqlstate, ({}, (), ())) else f"{sql}: {found}"


def judged_wrong(branch: EmbeddedBranch, case: dict[str, Any]) -> str | None:
    """How the witness differs from the judge of a case, if it does."""
    clean(branch)
    with branch.connect() as session:
        session.execute(case["setup"].encode())
        zone = session.execute("show TimeZone").fetchone()
    begin = case["transaction"] == "one"
    (found,) = observe(branch, case["sql"], begin=begin, settings=f"set TimeZone = '{zone[0] if zone else 'UTC'}'")
    want = case | case.get("differs_on", {}).get(str(branch.version // 10000), {})
    if found.failure is not None and branch.version // 10000 < min(case["versions"]):
        return unknown_here(branch, case["sql"], found)
    locks, rewrites, scans = seen(found)
    must, may = set(want["scans"]), set(want["scans"]) | set(want["scans_optional"])
    if locks == want["locks"] and set(rewrites) == set(want["rewrites"]) and must <= set(scans) <= may:
        return None
    return f"{case['name']}: {case['sql']}\n  {locks} {rewrites} {scans} {found.failure}"


@pytest.mark.long
def test_every_case_of_the_corpus_is_seen_as_it_was_judged(branch: EmbeddedBranch) -> None:
    """Locks, rewrites and scans, all of them."""
    wrong = [words for case in corpus("hazards.jsonl") if (words := judged_wrong(branch, case))]
    assert not wrong, "\n".join(wrong)


def test_a_tenth_of_the_corpus_is_seen_as_it_was_judged(branch: EmbeddedBranch) -> None:
    """The same, quickly."""
    wrong = [
        words for n, case in enumerate(corpus("hazards.jsonl")) if n % 12 == 0 and (words := judged_wrong(branch, case))
    ]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize(
    "blinding",
    [
        "set client_min_messages = error",
        "set local client_min_messages = error",
        "select set_config('client_min_messages', 'error', false)",
        "set search_path = ''",
        "set statement_timeout = '2ms'",
        "create role r; grant r to current_user; set role r",
        "deallocate all",
        "set plan_cache_mode = force_custom_plan",
        "create function public.length(text) returns int language sql as 'select 1'; set search_path = public, pg_catalog",
        """create function public.eq(oid, oid) returns bool language sql as 'select false'; \
create operator public.= (leftarg = oid, rightarg = oid, function = public.eq); set search_path = public, pg_catalog""",
    ],
)
def test_settings_do_not_blind_the_witness(filled: EmbeddedBranch, blinding: str) -> None:
    """A migration can set what it likes; what it does is seen all the same."""
    *_, found = observe(
        filled,
        *blinding.split("; "),
        "reset statement_timeout",
        "reset role",
        "alter table public.t alter column id type bigint",
    )
    locks, rewrites, _ = seen(found)
    assert found.failure is None
    assert locks["public.t"] == "AccessExclusiveLock"
    assert "public.t" in rewrites
    assert not found.notes


def test_code_is_judged_by_what_it_does(filled: EmbeddedBranch) -> None:
    """A block that silences the server, changes tables and catches an error is seen through."""
    (found,) = observe(
        filled,
        """do $$ begin set local client_min_messages = error; execute 'alter table t alter column id type bigint';
        begin execute 'lock table o in exclusive mode'; raise exception 'x'; exception when others then null; end;
        create table made(); end $$""",
    )
    locks, rewrites, _ = seen(found)
    assert locks["public.t"] == "AccessExclusiveLock"
    assert rewrites == ("public.t",)
    assert "made table public.made" in found.changes


def test_a_raise_cannot_forge_a_rewrite(filled: EmbeddedBranch) -> None:
    """Messages are told apart by the function that sent them, not by their text."""
    (found,) = observe(
        filled,
        """do $$ begin raise debug 'rewriting table "t"'; raise notice 'building index "i" on table "t"'; end $$""",
    )
    assert seen(found) == ({}, (), ())


def test_tables_of_one_name_are_told_apart(filled: EmbeddedBranch) -> None:
    """PostgreSQL's messages give no schema."""
    with filled.connect() as session:
        session.execute("create schema s; create table s.t(id int, a text)")
    found = observe(filled, "lock table t", "create index on s.t(a)", "alter table s.t alter column id type bigint")
    assert [o.scans for o in found[1:]] == [("s.t",), ("s.t",)]
    assert found[2].rewrites == ("s.t",)


def test_names_are_those_from_before(filled: EmbeddedBranch) -> None:
    """A table that was renamed or dropped is still called what it was."""
    found = observe(filled, "alter table t rename to x", "alter table x alter column id type bigint", "drop table o")
    assert found[1].rewrites == ("public.t",)
    assert seen(found[1])[0]["public.o"] == "AccessExclusiveLock"  # its foreign key is made anew
    assert found[2].failure is None


def test_what_is_new_is_harmless(filled: EmbeddedBranch) -> None:
    """Locks on tables that did not exist are not told."""
    found = observe(
        filled, "create table n(id int primary key)", "create index on n(id)", "alter table n alter id type bigint"
    )
    assert all(seen(o) == ({}, (), ()) for o in found)


@pytest.mark.parametrize(
    ("sql", "rewrites"),
    [
        ("truncate t cascade", ()),
        ("do $$ begin truncate t cascade; end $$", ()),
        ("cluster t using t_pkey", ("public.t",)),
        ("do $$ begin cluster t using t_pkey; end $$", ("public.t",)),
        ("refresh materialized view mv", ("public.mv",)),
        ("do $$ begin refresh materialized view mv; end $$", ("public.mv",)),
        ("refresh materialized view mv with no data", ()),
        ("alter table t set unlogged", ()),
        ("alter table o set unlogged", ("public.o",)),
    ],
)
def test_emptying_is_no_rewrite(filled: EmbeddedBranch, sql: str, rewrites: tuple[str, ...]) -> None:
    """A new file is a rewrite, but not where the table was only emptied; the same in a block of code."""
    (found,) = observe(filled, sql)
    assert found.rewrites == rewrites


def test_skipped_scans_are_told(filled: EmbeddedBranch) -> None:
    """Where a valid constraint proves the new one, nothing is read, and PostgreSQL's own words say why."""
    found = observe(
        filled, "alter table t add constraint c check (a is not null)", "alter table t alter column a set not null"
    )
    assert found[0].scans == ("public.t",)
    assert found[1].scans == ()
    assert "sufficient to prove" in found[1].proved[0]


def test_a_rewrite_that_depends_on_the_zone_is_said(filled: EmbeddedBranch) -> None:
    """In UTC timestamps become timestamps with time zone for nothing; elsewhere every row is written anew."""
    change = "alter table t alter column ts type timestamptz"
    (spared,) = observe(filled, change)
    (written,) = observe(filled, change, settings="set TimeZone = 'Europe/Berlin'")
    assert (spared.rewrites, written.rewrites) == ((), ("public.t",))
    assert "TimeZone is UTC" in spared.notes[0]
    assert not written.notes


def test_what_is_held_is_told_until_the_transaction_ends(filled: EmbeddedBranch) -> None:
    """The window of each lock stays open to the end."""
    found = observe(filled, "create index on t(a)", "alter table o add column x int", "commit", "select 1")
    assert [{h.relation: h.mode for h in o.held} for o in found] == [
        {"public.t": "ShareLock"},
        {"public.t": "ShareLock", "public.o": "AccessExclusiveLock"},
        {},
        {},
    ]


@pytest.mark.parametrize("first", [(), ("alter table t add column early int",)])
@pytest.mark.parametrize("undone", ["alter table t alter id type bigint", "drop table t cascade", "truncate t cascade"])
def test_what_a_savepoint_takes_back_is_not_told_again(
    filled: EmbeddedBranch, first: tuple[str, ...], undone: str
) -> None:
    """The table has its old file again: whoever locks it next has not rewritten it, and who rewrites it has."""
    found = observe(
        filled,
        *first,
        "savepoint s",
        undone,
        "rollback to s",
        "alter table t add column b int",
        "alter table t alter id type bigint",
    )
    assert [o.failure for o in found] == [None] * len(found)
    *_, back, plain, written = found
    assert seen(back) == ({}, (), ())
    assert seen(plain) == ({} if first else {"public.t": "AccessExclusiveLock"}, (), ())
    assert written.rewrites == ("public.t",)


def test_a_long_transaction_is_seen_as_well(filled: EmbeddedBranch) -> None:
    """After a hundred statements not every lock is listed each time; nothing is missed."""
    many = [f"create table n{n}(id int primary key)" for n in range(110)]
    *_, index, add, again, code, key = observe(
        filled,
        *many,
        "create index on t(a)",
        "alter table t add column b int default random()",
        "alter table t add constraint c check (b > -1)",
        "do $$ begin perform count(*) from o; end $$",
        "alter table n1 add constraint f foreign key (id) references o(id)",
    )
    assert seen(index) == ({"public.t": "ShareLock"}, (), ("public.t",))
    assert seen(add)[:2] == ({"public.t": "AccessExclusiveLock"}, ("public.t",))
    assert seen(again) == ({}, (), ("public.t",))
    assert seen(code) == ({"public.o": "AccessShareLock"}, (), ("public.o",))
    assert seen(key)[0] == {"public.o": "ShareRowExclusiveLock"}


OUTSIDE = {
    "create index concurrently i on t(a)": {"public.t": "ShareUpdateExclusiveLock"},
    "reindex table concurrently t": {"public.t": "ShareUpdateExclusiveLock"},
    "vacuum t": {"public.t": "ShareUpdateExclusiveLock"},
    "vacuum full t": {"public.t": "AccessExclusiveLock"},
    "vacuum full mv": {"public.mv": "AccessExclusiveLock"},
    "call p()": {"public.t": "RowExclusiveLock", "public.o": "AccessExclusiveLock"},
}


@pytest.mark.parametrize("sql", OUTSIDE)
def test_what_refuses_a_transaction_is_watched_from_outside(filled: EmbeddedBranch, sql: str) -> None:
    """Others hold it up until it has asked for its locks; it runs to its end."""
    with filled.connect() as session:
        session.execute(
            "create procedure p() language plpgsql as $$ begin update t set a = 1; commit; alter table o add x int; commit; end $$"
        )
    (found,) = observe(filled, sql, begin=False)
    assert found.failure is None
    locks = seen(found)[0]
    assert {name: locks.get(name) for name in OUTSIDE[sql]} == OUTSIDE[sql]
    assert not found.in_transaction
    assert not found.notes


@pytest.mark.parametrize(
    ("sql", "mode"),
    [
        ("create index concurrently i on t(a)", "ShareUpdateExclusiveLock"),
        ("reindex table concurrently t", "ShareUpdateExclusiveLock"),
        ("reindex schema public", "ShareLock"),
    ],
)
def test_a_table_of_the_same_name_elsewhere_is_not_accused(filled: EmbeddedBranch, sql: str, mode: str) -> None:
    """PostgreSQL says whose index it builds without the schema; the other table's indexes are as they were."""
    with filled.connect() as session:
        session.execute("create schema s; create table s.t(id int primary key)")
    (found,) = observe(filled, sql, begin=False)
    locks, rewrites, scans = seen(found)
    assert (found.failure, rewrites) == (None, ())
    assert locks["public.t"] == mode
    assert "public.t" in scans
    assert "s.t" not in {*locks, *scans}


def test_a_view_is_watched_until_its_turn_comes(filled: EmbeddedBranch) -> None:
    """Tables before it were let go one by one."""
    (found,) = observe(filled, "vacuum t, o, mv", begin=False)
    assert seen(found)[0] == dict.fromkeys(("public.t", "public.o", "public.mv"), "ShareUpdateExclusiveLock")


def test_a_transaction_may_choose_its_isolation_first(filled: EmbeddedBranch) -> None:
    """Until a statement of its own the witness asks nothing in it; and what the last transaction read is not told again."""
    *_, chosen, added = observe(
        filled,
        "select count(*) from t",
        "commit",
        "begin",
        "set transaction isolation level serializable",
        "alter table t add column b int",
    )
    assert (chosen.failure, added.failure) == (None, None)
    assert seen(added) == ({"public.t": "AccessExclusiveLock"}, (), ())


def test_rows_touched_are_counted(filled: EmbeddedBranch) -> None:
    """For statements that change data."""
    found = observe(
        filled,
        "update t set a = 'x' where id < 4",
        "delete from o",
        "select * from t",
        "create table c as select * from t",
    )
    assert [o.rows for o in found] == [3, 10, None, None]


@pytest.fixture
def elsewhere(branches: Embedded) -> Iterator[EmbeddedBranch]:
    """Another branch."""
    with branches.branch(seconds=60) as made:
        yield made


def test_statements_end_in_the_answer_whatever_they_are(elsewhere: EmbeddedBranch) -> None:
    """An empty text, a comment and a lone semicolon are no errors."""
    assert all(o.failure is None for o in observe(elsewhere, "", "-- nothing", ";"))
