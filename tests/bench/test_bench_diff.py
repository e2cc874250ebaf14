"""The difference of two databases, beside migra and pg-delta, and beside dumping both as text."""

import subprocess
import sys
from urllib.parse import quote

import pytest

from bot.branches import Template
from bot.branches.embedded import Embedded, EmbeddedBranch
from checks.catalog import difference, picture, statements, words
from checks.catalog import read as catalogs
from checks.catalog.model import Catalog
from tests.bench import measure, peers
from tests.bench.test_bench_catalog import grow, pg_dump

pytestmark = [pytest.mark.bench, pytest.mark.timeout(1200)]


def url(branch: EmbeddedBranch) -> str:
    """Its address."""
    with branch.connect() as session:
        info = session.info
        return f"postgresql://{info.user}@/{info.dbname}?host={quote(info.host, safe='')}"


CHANGES = (
    "ALTER TABLE t1 ADD COLUMN extra text",
    "ALTER TABLE t2 DROP COLUMN c9",
    "CREATE INDEX added ON t3 (c5)",
    "ALTER TABLE t4 ALTER COLUMN c1 SET DEFAULT 7",
    "CREATE TABLE fresh (id integer PRIMARY KEY)",
)


UNPROVED = """
import sys, psycopg
from checks.catalog import read, statements
sides = [read.read(psycopg.connect(url, autocommit=True)) for url in sys.argv[1:]]
print(statements.text(statements.sql(*sides)))
"""


def test_five_changes_in_500_tables(branches: Embedded) -> None:
    """From two addresses to the statements, each in a program of its own; `bulletproof diff` proves them, too, which no peer does."""
    template = Template("bench-500-tables", grow)
    with branches.branch(template=template, seconds=900) as one, branches.branch(template=template, seconds=900) as two:
        with two.connect() as session:
            for sql in CHANGES:
                session.execute(sql.encode())
        sides = [url(one), url(two)]
        tasks = {
            "proved": lambda: ran([sys.executable, "-m", "bot", "diff", *sides], finds="ALTER TABLE public.t1 ADD"),
            "unproved": lambda: ran([sys.executable, "-c", UNPROVED, *sides], finds="ALTER TABLE public.t1 ADD"),
            "two pg_dumps": lambda: [ran([str(pg_dump()), "--schema-only", "-d", side], finds="t1") for side in sides],
        }
        try:
            migra = peers.migra()
            tasks["migra"] = lambda: ran([*migra, *sides], finds='alter table "public"."t1" add')
        except peers.PeerMissingError as reason:
            measure.say(f"  migra is not here: {reason}")
        try:
            delta = peers.pg_delta()
            tasks["pg-delta"] = lambda: ran([*delta, "--source", sides[0], "--desired", sides[1]], finds="t1.extra")
        except peers.PeerMissingError as reason:
            measure.say(f"  pg-delta is not here: {reason}")
        took = dict(zip(tasks, measure.medians(list(tasks.values()), rounds=3), strict=True))
    ours = {name: took.pop(name) for name in ("unproved", "proved")}
    for peer, ms in took.items():
        target = None if peer == "two pg_dumps" else 3.0
        for name, mine in ours.items():
            measure.line(f"diff of 500 tables, five changes, {name}, beside {peer}", mine, ms, at_least=target)


def ran(command: list[str], *, finds: str) -> None:
    """Run a program, which must find what changed."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert finds in done.stdout, done.stderr


def test_telling_two_catalogs_apart(branches: Embedded) -> None:
    """Once both are read: what differs, in SQL both ways, in text, in words and as a picture."""
    with (
        branches.branch(template=Template("bench-500-tables", grow), seconds=900) as branch,
        branch.connect() as session,
    ):
        with session.transaction(force_rollback=True):
            for sql in CHANGES:
                session.execute(sql.encode())
            after = catalogs.read(session)
        before = catalogs.read(session)
        reading, telling = measure.medians(
            [lambda: catalogs.read(session), lambda: told(catalogs.read(session), after)]
        )
    assert told(before, after)
    measure.line("  all that is said of the difference, beside one reading", telling - reading, reading, at_most=0.5)


def told(before: Catalog, after: Catalog) -> bool:
    """All that a review says of a difference."""
    sql = statements.sql(before, after) and statements.sql(after, before)
    return bool(sql and difference.unified(before, after) and words.summary(before, after)) and bool(
        picture.mermaid(before, after)
    )
