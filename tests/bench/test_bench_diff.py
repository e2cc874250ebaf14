"""The difference of two databases, beside dumping both as text; beside migra where it is installed."""

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import quote

import pytest

from bot.branches import Template
from bot.branches.embedded import Embedded, EmbeddedBranch
from bot.terminal import diff
from tests.bench import measure
from tests.bench.test_bench_catalog import grow, pg_dump

pytestmark = [pytest.mark.bench, pytest.mark.timeout(1200)]


def url(branch: EmbeddedBranch) -> str:
    """Its address."""
    with branch.connect() as session:
        info = session.info
        return f"postgresql://{info.user}@/{info.dbname}?host={quote(info.host, safe='')}"


def test_five_changes_in_500_tables(branches: Embedded) -> None:
    """From two addresses to the proved statements."""
    template = Template("bench-500-tables", grow)
    with branches.branch(template=template, seconds=900) as one, branches.branch(template=template, seconds=900) as two:
        with two.connect() as session:
            for sql in (
                "ALTER TABLE t1 ADD COLUMN extra text",
                "ALTER TABLE t2 DROP COLUMN c9",
                "CREATE INDEX added ON t3 (c5)",
                "ALTER TABLE t4 ALTER COLUMN c1 SET DEFAULT 7",
                "CREATE TABLE fresh (id integer PRIMARY KEY)",
            ):
                session.execute(sql.encode())
        sides = [url(one), url(two)]
        tasks = [
            lambda: diff.diff(*sides, provider=branches),
            lambda: [
                subprocess.run([pg_dump(), "--schema-only", "-d", side], capture_output=True, check=True)
                for side in sides
            ],
        ]
        migra = Path(sys.executable).with_name("migra")
        if find_spec("migra") is not None and migra.exists():
            tasks.append(lambda: subprocess.run([migra, "--unsafe", *sides], capture_output=True, check=False))
        ours, dumps, *peers = measure.medians(tasks, rounds=3)
    measure.line("diff of two databases of 500 tables, beside two pg_dumps", ours, dumps)
    if peers:
        measure.line("  beside migra", ours, peers[0], at_least=3.0)
    else:
        measure.say("  migra is not installed (it needs sqlalchemy<2.1): not compared")
