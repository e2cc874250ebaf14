"""The two witnesses: what observing adds to running, and how fast text is read."""

import hashlib
import logging
import time

import pytest
import sqlglot
from sqlglot import exp

from bot.branches.embedded import Embedded
from checks import evidence
from checks.drizzle import chain as chains
from checks.drizzle import projects
from checks.tree import Tree
from checks.witnesses import grammar, replay, trace
from tests.bench import measure
from tests.bench.shop import Shop
from tests.bench.sql_files import FILES
from tests.bench.test_bench_catalog import grow

pytestmark = [pytest.mark.bench, pytest.mark.timeout(1200)]


@pytest.fixture(scope="module")
def shop() -> Shop:
    """200 migrations of ten statements each."""
    return Shop(200)


@pytest.mark.parametrize("crowded", [False, True], ids=["alone", "beside-500-tables"])
def test_observing(shop: Shop, branches: Embedded, *, crowded: bool) -> None:
    """The same chain, the same migrator: watched, and plainly through psycopg."""
    tree = Tree.of(shop.files())
    chain = chains.read(tree, projects.find(tree)[0])

    def observed() -> float:
        with branches.branch(seconds=900) as branch:
            if crowded:
                grow(branch)
            return measure.took(lambda: replay.run(branch, chain))

    def plain() -> float:
        with branches.branch(seconds=900) as branch, branch.connect(autocommit=False) as session:
            if crowded:
                grow(branch)

            def run() -> None:
                for migration in chain.migrations:
                    for chunk in migration.chunks:
                        session.execute(chunk.encode())
                session.commit()

            return measure.took(run)

    pairs = [(observed(), plain()) for _ in range(3)]
    watched, peer = measure.middle([o for o, _ in pairs]), measure.middle([p for _, p in pairs])
    where = "500 tables" if crowded else "nothing else"
    measure.line(f"observing 200 x 10 statements beside {where}", watched, peer, at_most=1.6)


def test_observing_what_was_there(branches: Embedded) -> None:
    """One transaction that changes 500 tables of before, four statements each."""
    tables = "".join(f"create table e{n} (id int primary key, a text, b int);" for n in range(500))
    forms = (
        "alter table e{0} add column x text",
        "create index on e{0} (a)",
        "update e{0} set b = 1 where id = 5",
        "alter table e{0} add constraint f{0} foreign key (b) references e{1} (id)",
    )
    statements = [form.format(n, (n + 1) % 500) for form in forms for n in range(500)]
    migration = trace.read(";\n".join(statements), "chain.sql")

    def run(plainly: bool) -> float:  # noqa: FBT001 - one question
        with branches.branch(seconds=900) as branch:
            with branch.connect() as session:
                session.execute(tables.encode())
            if not plainly:
                return measure.took(lambda: trace.run(branch, migration))
            with branch.connect(autocommit=False) as session:
                began = time.perf_counter()
                for statement in statements:
                    session.execute(statement.encode())
                session.commit()
                return (time.perf_counter() - began) * 1000

    pairs = [(run(plainly=False), run(plainly=True)) for _ in range(3)]
    watched, peer = measure.middle([o for o, _ in pairs]), measure.middle([p for _, p in pairs])
    measure.line("observing 2,000 statements on 500 tables of before", watched, peer, at_most=1.6)


@pytest.mark.parametrize("kind", ["a chain", *FILES])
def test_reading_text(shop: Shop, kind: str) -> None:
    """From a file to all facts, beside pure sqlglot's parse of the same text, in processor time.

    Where sqlglot gives up it has read but the words: what both read is measured apart, too.
    """
    logging.getLogger(
        "sqlglot"
    ).disabled = True  # what it says of statements that it does not know is not part of reading
    whole = FILES.get(kind) or "\n".join(shop.sql).replace("--> statement-breakpoint", "")
    statements = [whole[span.start : span.end] for span in grammar.split(whole)]
    read = [sql for sql in statements if not isinstance(sqlglot.parse_one(sql, read="postgres"), exp.Command)]
    lost = len(statements) - len(read)
    if lost:
        _beside_sqlglot(f"{kind}, of which sqlglot gives up on {lost:,}", whole, len(statements))
    if read:
        _beside_sqlglot(kind, ";\n".join(read) + ";\n" if lost else whole, len(read))


def _beside_sqlglot(kind: str, whole: str, many: int) -> None:
    timed = measure.interleaved(
        lambda: evidence.facts_of(None, [trace.read(whole, "file.sql")]),
        lambda: sqlglot.parse(whole, read="postgres"),
        clock=time.process_time,
    )
    measure.line(f"facts of {kind} ({many:,} statements), sqlglot's parse", timed.ours, timed.peer, at_least=5.0)


def test_a_migration_of_50_megabytes() -> None:
    """Reading it costs a bounded multiple of hashing it."""
    data = ("INSERT INTO \"t\" VALUES (1, 'some words that fill a row of the seed data');\n" * 700_000).encode()
    peak = measure.megabytes(lambda: chains.read(Tree.of(_one(data)), projects.find(Tree.of(_one(data)))[0]))
    took = measure.took(lambda: chains.read(Tree.of(_one(data)), projects.find(Tree.of(_one(data)))[0]))
    measure.line(
        f"a migration of {len(data) >> 20} MB, beside its hash", took, measure.took(lambda: hashlib.sha256(data))
    )
    measure.say(f"  peak {peak:.0f} MB of memory")


def _one(data: bytes) -> dict[str, str | bytes]:
    files: dict[str, str | bytes] = dict(Shop(1).files())
    return {path: data if path.endswith(".sql") else content for path, content in files.items()}
