"""What is foreseen in a long transaction is what a look at all locks sees."""

import itertools
import random
from collections.abc import Iterator, Sequence
from contextlib import closing

import psycopg
import pytest

from bot.branches.embedded import Embedded, EmbeddedBranch
from checks.drizzle.model import Statement
from checks.witnesses import looks, observe
from checks.witnesses.foresight import Foresight
from checks.witnesses.hearing import Heard
from checks.witnesses.postgres import Session
from tests.checks.witness_samples import BASE, STATEMENTS

# What chains are made of, on tables of before and on the transaction's own; some reach old tables by a detour.
FORMS = (
    "create table n{n} (id serial primary key, name text, old bigint, other int)",
    "create table r{n} (id int primary key, o bigint references orders (id), c bigint references customers)",
    "alter table n{m} add column x{n} int default 3",
    "alter table n{m} add constraint k{n} foreign key (old) references customers (id) on delete cascade",
    "alter table n{m} add constraint k{n} foreign key (other) references n{n} (id)",
    "alter table n{m} rename to users{n}",
    "create index on n{m} (name)",
    "create index i{n} on plain (a)",
    "create unique index u{n} on lines (id)",
    "create index j{n} on orders (lower(note)) where id > {n}",
    "drop index i{m}",
    "insert into n{m} (name, old) values ('a', 5)",
    "insert into r{m} values ({n}, 5, 5)",
    "delete from customers where id = {n}",
    "update plain set b = 'z' where a = {n}",
    "update lines set sku = 'q'",
    "alter table plain add column y{n} text",
    "alter table plain add column z{n} int unique",
    "alter table plain add constraint q{n} check (a > {n} - 1000000)",
    "alter table lines add constraint w{n} foreign key (order_id) references orders (id)",
    "alter table orders alter column note set not null",
    "alter table lines add column s{n} serial",
    "alter table lines alter column sku type varchar({n}00)",
    "create view v{n} as select * from n{m}",
    "create function f{n}() returns int language plpgsql as $$ begin return (select count(*) from orders); end $$",
    "create function g{n}() returns trigger language plpgsql as $$ begin perform 1 from tiny; return new; end $$",
    "create trigger t{n} before insert on n{m} for each row execute function g{m}()",
    "create policy p{n} on n{m} using (exists (select from tiny))",
    "alter table n{m} alter column name set default f{m}()::text",
    "do $$ begin alter table n{m} add constraint d{n} foreign key (old) references orders (id); exception when duplicate_object then null; end $$",
    "do $$ begin execute 'alter table plain add column e{n} int'; end $$",
    "select f{m}()",
    "savepoint s{n}",
    "rollback to savepoint s{m}",
    "drop table n{m}",
    "drop table r{m}",
    "alter table tiny rename to small{n}",
    "create table tiny (id int primary key)",
    "comment on table plain is 'x{n}'",
)


@pytest.fixture(scope="module")
def filled(branches: Embedded) -> Iterator[EmbeddedBranch]:
    """A database with tables of many shapes; what is done to it is rolled back."""
    with branches.branch(seconds=240, extensions=["pg_trgm"]) as branch:
        with branch.connect() as session:
            session.execute(BASE.encode())
        yield branch


def script(branch: EmbeddedBranch, seed: int) -> list[str]:
    """Statements that run one after the other in one transaction."""
    chance = random.Random(seed)
    # Code that shows what it does only when it runs ends all foresight; every other script has none.
    wild = seed % 2 == 1
    forms = FORMS if wild else tuple(form for form in FORMS if not form.startswith(("do $$ begin execute", "select")))
    made: list[str] = []
    with branch.connect(autocommit=False) as session:
        for number in range(1, 260):
            form = chance.choice(STATEMENTS) if wild and number % 9 == 0 else chance.choice(forms)
            sql = form.replace("{n}", str(number)).replace(
                "{m}", str(chance.randrange(max(1, number - 25), number + 1))
            )
            try:
                session.execute(f"savepoint try{number}".encode())
                session.execute(sql.encode())
                made.append(sql)
            except psycopg.Error:
                session.execute(f"rollback to savepoint try{number}".encode())
        session.rollback()
    return made


def seen(branch: EmbeddedBranch, statements: list[str]) -> list[tuple[object, ...]]:
    """What the witness sees of each."""
    found: list[tuple[object, ...]] = []
    with closing(Session(branch, seconds=120)) as session:
        session.quietly("begin")
        for number, sql in enumerate(statements):
            (observation,) = session.chunk([Statement(number, 1, 1, sql, number)])
            assert observation.failure is None, (sql, observation.failure)
            held = {lock.relation: lock.mode for lock in observation.held}
            found.append((sql, observation.locks, observation.rewrites, observation.scans, observation.notes, held))
        session.quietly("rollback")
    return found


@pytest.mark.parametrize("seed", range(3))
def test_a_long_transaction_is_seen_as_a_short_one(
    filled: EmbeddedBranch, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    """Statement by statement, the same locks, rewrites and scans as where all locks are listed each time."""
    statements = script(filled, seed)
    monkeypatch.setattr(observe, "_LONG", 1_000_000)
    looked = seen(filled, statements)
    monkeypatch.setattr(observe, "_LONG", 0)
    foreseen = seen(filled, statements)
    assert [(one, other) for one, other in zip(looked, foreseen, strict=True) if one != other] == []


def test_much_is_foreseen(filled: EmbeddedBranch, monkeypatch: pytest.MonkeyPatch) -> None:
    """Otherwise the test above says nothing."""
    told: list[bool] = []
    whole = Foresight.of

    def counted(self: Foresight, heard: Sequence[Heard]) -> object:
        answer = whole(self, heard)
        told.append(answer is not None)
        return answer

    monkeypatch.setattr(Foresight, "of", counted)
    plain = [form.replace("{n}", "1").replace("{m}", "1") for form in FORMS[:3]] + [
        "create index on plain (a)",
        "alter table plain add column y text",
        "alter table lines add constraint w foreign key (order_id) references orders (id)",
        "update lines set sku = 'q' where id = 1",
        "insert into n1 (name) values ('x')",
    ]
    seen(filled, plain)
    assert told.count(True) >= len(plain) - 1


# Whatever answers in the place of our looks says that nothing was locked.
_INSTEAD = "execute 'deal' || 'locate all'; " + " ".join(
    f"execute 'pre' || 'pare bulletproof_{number}_{name} as select {what}';"
    for number in range(1, 60)
    for name, what in (
        ("look", "null::bytea, null::bytea, null::bytea, ''debug1''::text"),
        ("glance(oid)", "null::bytea"),
        ("glances(oid[])", "null::bytea"),
        ("constrained(name)", "null::bytea"),
    )
)


@pytest.mark.parametrize("long", [0, 1_000_000])
@pytest.mark.parametrize(
    "hidden",
    [
        (f"do $$ begin {_INSTEAD} end $$",),
        (
            f"create function f() returns trigger language plpgsql as $$ begin {_INSTEAD} return new; end $$",
            "create table made (id int)",
            "create trigger t before insert on made for each row execute function f()",
            "insert into made values (1)",
        ),
    ],
)
def test_nobody_answers_in_our_place(
    filled: EmbeddedBranch, monkeypatch: pytest.MonkeyPatch, long: int, hidden: tuple[str, ...]
) -> None:
    """Code that prepares statements under the names of our own hides nothing."""
    monkeypatch.setattr(observe, "_LONG", long)
    monkeypatch.setattr(looks, "_numbers", itertools.count(1))
    told = seen(filled, [*hidden, "alter table plain alter column a type numeric"])
    assert told[-1][2] == ("public.plain",), "its rewrite"
