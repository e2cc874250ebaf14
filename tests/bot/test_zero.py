"""What the whole chain does from zero is known without running it just where running it would say the same."""

from dataclasses import dataclass, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot import zero
from bot.branches.embedded import Embedded
from bot.rehearsal import restamped
from bot.stage import Stage, StateFailedError
from checks.catalog import difference
from checks.drizzle.model import Chain, Transaction
from checks.drizzle.plan import Plan
from checks.rehearsal import Rehearsal
from checks.witnesses import replay
from tests.checks.replay_samples import BREAK, T, chain, migration

ENUM = "create type mood as enum ('sad', 'ok')"
ROWS = "insert into t values (1, 'one')"
PLPGSQL = "create function {} returns int language plpgsql as $$ begin {} end $$"


@dataclass(frozen=True, slots=True)
class Shown:
    """One chain, gone both ways."""

    plan: Plan
    from_base: Rehearsal
    from_zero: Rehearsal
    remark: bytes | None

    @property
    def same(self) -> bool:
        """Whether head's migrations do on base's state what they do from zero."""
        base, whole = self.from_base, self.from_zero
        if base.run is None or whole.run is None or base.after is None or whole.after is None:
            return False
        return (
            (base.run.state, base.run.recorded) == (whole.run.state, whole.run.recorded)
            and difference.equal(base.after, whole.after)
        )  # fmt: skip


def planned(base: Chain, *texts: str) -> Plan:
    """Base, and head with more migrations after it."""
    first = len(base.migrations)
    added = tuple(migration(first + n, text, base.project.format) for n, text in enumerate(texts))
    head = replace(base, migrations=(*base.migrations, *added))
    return Plan(project=base.project, base=base, merge_base=base, head=head, added=added, pending=added, merged=head)


def shown(provider: Embedded, plan: Plan) -> Shown:
    """Go both ways, for real."""
    texts = [m.text for m in plan.head.migrations]
    stage = Stage.of(provider, texts, plan.project.table, extensions=(), seconds=60)
    with provider.branch(extensions=stage.extensions, seconds=60) as branch:
        remark = zero.template(plan.base, stage).build(branch)
        before = stage.catalog(branch)
        run = replay.run(branch, restamped(plan))
        found = Rehearsal(run=run, before=before, after=stage.catalog(branch))
    with stage.empty() as branch:
        run = replay.build_base(branch, plan.head)
        return Shown(plan, found, Rehearsal(run=run, after=stage.catalog(branch)), remark)


FELT: dict[str, tuple[str, str]] = {
    "a search path": ("create schema s" + BREAK + "set search_path = s", T),
    "a local setting": ("create schema s" + BREAK + "set local search_path = s", T),
    "a setting by function": ("create schema s" + BREAK + "select set_config('search_path', 's', false)", T),
    "a setting inside a function": (
        "create schema s"
        + BREAK
        + PLPGSQL.format("f()", "perform set_config('search_path', 's', false); return 1;")
        + BREAK
        + "select f()",
        T,
    ),
    "a setting of its own": (
        "create schema s" + BREAK + "set app.tenant = 'x'",
        "do $$ begin if current_setting('app.tenant', true) = 'x' then create table u(); end if; end $$",
    ),
    "a setting made of pieces": (
        "do $$ begin execute 'set ap' || 'p.x = 1'; end $$",
        "do $$ begin if current_setting('app.x', true) = '1' then create table u(); end if; end $$",
    ),
    "a setting for later sessions": ("create schema s" + BREAK + "alter role current_user set search_path = s", T),
    "a role": (
        "create role r; grant r to current_user; grant create on schema public to r; grant usage on schema drizzle to r;"
        " grant all on all tables in schema drizzle to r; grant all on all sequences in schema drizzle to r"
        + BREAK
        + "set role r",
        T,
    ),
    "a temporary table": (T + BREAK + "create temp table u(a int)", "create view v as select * from u"),
    "a temporary table in the way": (T + BREAK + "create temp table t(b int)", "alter table t add column c int"),
    "a prepared statement": (T + BREAK + "prepare p as select 1", "create table u as execute p"),
    "a cursor": (
        T + BREAK + "insert into t values (1, 'a')" + BREAK + "declare c cursor for select * from t",
        "alter table t add column b int",
    ),
    "a deferred check": (
        T
        + BREAK
        + "create table u(t int references t deferrable initially deferred)"
        + BREAK
        + "insert into t values (7, '')"
        + BREAK
        + "insert into u values (7)",
        "alter table u add column a int",
    ),
    "checks put off": (
        T
        + BREAK
        + "create table u(t int references t deferrable)"
        + BREAK
        + "insert into t values (7, '')"
        + BREAK
        + "set constraints all deferred"
        + BREAK
        + "insert into u values (7)",
        "alter table u add column a int",
    ),
    "a deferred check that is one no more": (
        T
        + BREAK
        + "create table u(t int constraint k references t deferrable initially deferred)"
        + BREAK
        + "insert into t values (7, '')"
        + BREAK
        + "update t set id = 8"
        + BREAK
        + "alter table u alter constraint k not deferrable",
        "alter table t add column b int",
    ),
    "a transaction of another kind": (
        "set transaction isolation level serializable" + BREAK + T,
        "do $$ begin if current_setting('transaction_isolation') = 'serializable' then create table u(); end if; end $$",
    ),
    "a transaction that may not be of another kind": (
        T,
        "set transaction isolation level serializable" + BREAK + "create table u()",
    ),
    "the same instant": (
        "create table t(at timestamptz primary key)" + BREAK + "insert into t values (now())",
        "insert into t values (now())",
    ),
    "the same instant by default": (
        "create table t(at timestamptz default now())" + BREAK + "insert into t values (default)",
        "alter table t add column b timestamptz default now()" + BREAK + "alter table t add check (b > at)",
    ),
    "the same instant in a word": (
        "create table t(at timestamptz)" + BREAK + "insert into t values (now())",
        "alter table t add check (at < 'now'::timestamptz)",
    ),
    "the same transaction": (
        T,
        "do $$ begin if exists (select from pg_class where xmin::text = txid_current()::text and relname = 't') then create table u(); end if; end $$",
    ),
    "an advisory lock": (
        "select pg_advisory_lock(7)" + BREAK + T,
        "do $$ begin if exists (select from pg_locks where locktype = 'advisory') then create table u(); end if; end $$",
    ),
    "an advisory lock let go": (
        "select pg_advisory_xact_lock(7)" + BREAK + T,
        "do $$ begin if pg_try_advisory_lock(7) and (select count(*) from pg_locks where locktype = 'advisory') = 2 then create table u(); end if; end $$",
    ),
    "a cached sequence": (
        "create sequence s cache 10"
        + BREAK
        + "create table t(id int default nextval('s') primary key)"
        + BREAK
        + "insert into t default values"
        + BREAK
        + "truncate t",
        "insert into t default values" + BREAK + "alter table t add check (id < 5)",
    ),
    "a seed": (
        "select setseed(0.5)" + BREAK + T,
        # The first is what follows until version 14, which counts in another way.
        "do $$ begin if round(random()::numeric, 3) in (0.250, 0.985) then create table u(); end if; end $$",
    ),
    "a function's memory": (
        T
        + BREAK
        + "create table r(a int)"
        + BREAK
        + PLPGSQL.format("f()", "perform (select x from (select id as x from t) q limit 1); return 1;")
        + BREAK
        + "select f()",
        "do $$ begin perform f(); end $$" + BREAK + "create table u()",
    ),
    "a channel": ("listen a" + BREAK + T + BREAK + "commit", "create table u()"),
    "a commit": (T + BREAK + "commit", "create table u()"),
    "a commit and a beginning": (T + BREAK + "commit; begin", "create table u()"),
    "a commit in the block": (
        T + BREAK + "commit" + BREAK + "do $$ begin create table u(); commit; end $$" + BREAK + "begin",
        "create table w()",
    ),
    "a rollback": (T + BREAK + "rollback; begin", "create table u()"),
    "its own commit": (T, "create table u()" + BREAK + "commit" + BREAK + "create table w()"),
    "its own savepoint": (T, "savepoint a; create table u(); rollback to a; create table w()"),
    "a failure of its own": (T, "create table u()" + BREAK + "select 1/0"),
    "a failure that was none from zero": (
        ENUM,
        "alter type mood add value 'new'" + BREAK + "create table u(m mood default 'new')",
    ),
}
HARMLESS = {
    *("an advisory lock let go", "a function's memory", "a channel", "a commit", "a commit and a beginning"),
    *("a commit in the block", "a rollback", "its own commit", "its own savepoint"),
}
"""Not felt by these migrations, but by others that PostgreSQL would have to be asked about one by one."""

TOLD: dict[str, tuple[str, str]] = {
    "nothing": (T, "select 1"),
    "a table and its key": (
        T,
        "create table u(id serial primary key, t int references t(id))" + BREAK + "create index on u(t)",
    ),
    "a new value of base used": (
        ENUM + BREAK + "alter type mood add value 'new'",
        "create table u(m mood default 'new')",
    ),
    "a renamed type's new value used": (
        ENUM + BREAK + "alter type mood rename to humour" + BREAK + "alter type humour add value 'new'",
        "create table u(m humour default 'new')" + BREAK + "insert into u default values",
    ),
    "a block as drizzle-kit writes it": (
        T,
        "create table u(t int)"
        + BREAK
        + "do $$ begin alter table u add foreign key (t) references t(id); exception when duplicate_object then null; end $$",
    ),
    "rows of its own": (
        T,
        "insert into t values (1, now()::text), (2, gen_random_uuid()::text)" + BREAK + "update t set a = upper(a)",
    ),
    "rows of base, not looked at": (
        T + BREAK + ROWS,
        "alter table t add column b int default 3 not null" + BREAK + "create index on t(b)",
    ),
    "a function of base, not called": (
        T + BREAK + PLPGSQL.format("f()", "return 1;") + BREAK + "select f()",
        "alter table t alter column a type varchar(20)",
    ),
    "a function of base beside PostgreSQL's own": (
        T + BREAK + PLPGSQL.format("f()", "return 1;") + BREAK + "select f()",
        "create table u(id uuid default gen_random_uuid(), at timestamptz default now(), a date default current_date)"
        + BREAK
        + "alter table t add column at timestamptz default now() not null",
    ),
    "a setting of its own": (T + BREAK + "create schema s", "set search_path = s" + BREAK + T),
    "a setting put back": (
        "create schema s" + BREAK + "set search_path = s" + BREAK + T + BREAK + "reset search_path",
        T,
    ),
    "a role put back": (
        "create role r; grant r to current_user" + BREAK + "set role r" + BREAK + "reset role" + BREAK + T,
        "grant select on t to r",
    ),
}
# An older server refuses some new values of a type that the same transaction made and renamed: there it is run.
SINCE: dict[str, int] = {"a new value of base used": 170000, "a renamed type's new value used": 170000}


@pytest.mark.parametrize("name", FELT)
def test_what_could_be_felt_is_run(branches: Embedded, name: str) -> None:
    """Where base leaves anything, or head asks for it, nothing is told; most of these do end otherwise from zero."""
    base, more = FELT[name]
    both = shown(branches, planned(chain(base), more))
    assert zero.told(both.plan, both.from_base, both.remark) is None
    assert both.same is (name in HARMLESS)


@pytest.mark.parametrize("name", TOLD)
def test_what_cannot_be_felt_is_told(branches: Embedded, name: str) -> None:
    """What is told is what running it from zero shows."""
    base, more = TOLD[name]
    both = shown(branches, planned(chain(base), more))
    told = zero.told(both.plan, both.from_base, both.remark)
    assert both.from_zero.after is not None
    assert (told is not None) is (both.from_zero.after.version >= SINCE.get(name, 0))
    assert both.same or told is None


@pytest.mark.parametrize("transaction", ["each", "none"])
def test_other_ways_of_running_are_told_too(branches: Embedded, transaction: Transaction) -> None:
    """Where each migration or statement has a transaction of its own; over HTTP a setting does not outlive its statement."""
    base = chain(T, ROWS, transaction=transaction)
    both = shown(branches, planned(base, "alter table t add column b int", "create index on t(b)"))
    assert zero.told(both.plan, both.from_base, both.remark) is not None
    assert both.same
    calling = planned(base, "alter table t add column c int default f()")
    assert not zero.may_follow(calling, b'{"left": ["functions"], "locks": 0}')
    setting = planned(base, "set search_path = drizzle" + BREAK + "create table u()")
    assert not zero.may_follow(setting, both.remark)


def test_a_chain_that_is_not_bases_and_more_is_run() -> None:
    """What head edits, takes away, moves or runs in another way makes another chain."""
    base = chain(T, "create table u()")
    plan = planned(base, "create table w()")
    left = b'{"left": [], "locks": 40}'
    assert zero.may_follow(plan, left)
    assert not zero.may_follow(plan, None)
    assert not zero.may_follow(plan, b"not what we wrote")
    assert not zero.may_follow(plan, b'{"left": [], "locks": 6000}')
    first, second, third = plan.head.migrations
    edited = replace(first, hash="0" * 64)
    for migrations in ([edited, second, third], [second, third], [second, first, third], [first, third, second]):
        assert not zero.may_follow(replace(plan, head=replace(plan.head, migrations=tuple(migrations))), left)
    apart = replace(plan.head, project=replace(plan.project, transaction="each"))
    assert not zero.may_follow(replace(plan, head=apart), left)
    assert not zero.may_follow(replace(plan, would_skip=(third.tag,)), left)


PIECES = st.sampled_from(
    [piece for pair in (*FELT.values(), *TOLD.values()) for text in pair for piece in text.split(BREAK)]
)


@pytest.mark.long
@given(
    st.lists(PIECES, min_size=1, max_size=4),
    st.lists(PIECES, min_size=1, max_size=2),
    st.sampled_from(["one", "one", "each"]),
)
@settings(max_examples=25, deadline=None)
def test_whatever_is_told_is_so(branches: Embedded, base: list[str], more: list[str], transaction: Transaction) -> None:
    """Pieces of all those chains, put together anyhow."""
    plan = planned(chain(T, BREAK.join(base), transaction=transaction), BREAK.join(more))
    try:
        both = shown(branches, plan)
    except StateFailedError:
        return
    assert both.same or zero.told(both.plan, both.from_base, both.remark) is None
