"""`db migrate` beside the real migrator of drizzle-orm, on a chain of 200 migrations."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from bot.branches.embedded import Embedded, EmbeddedBranch
from tests import node_oracle
from tests.bench import measure
from tests.bot.database_samples import BREAK, project, url
from tests.checks.test_replay_oracle import script

pytestmark = [pytest.mark.bench, pytest.mark.node, pytest.mark.timeout(1200)]

COMMAND = "import sys; from bot.database.commands import app; sys.exit(app(sys.argv[1:], standalone_mode=False))"


def chain(length: int) -> list[str]:
    """Tables that grow columns, indexes and foreign keys, as in a project of some years."""
    texts: list[str] = []
    for number in range(length):
        table = f"t{number // 4}"
        texts.append(
            (
                f'CREATE TABLE "{table}" ("id" serial PRIMARY KEY NOT NULL, "name" text NOT NULL, "at" timestamp DEFAULT now());',
                f'ALTER TABLE "{table}" ADD COLUMN "a" integer DEFAULT 0 NOT NULL;{BREAK}ALTER TABLE "{table}" ADD COLUMN "b" text;',
                f'CREATE INDEX "{table}_a" ON "{table}" USING btree ("a");{BREAK}CREATE UNIQUE INDEX "{table}_n" ON "{table}" ("name");',
                f'ALTER TABLE "{table}" ADD COLUMN "up" integer;{BREAK}ALTER TABLE "{table}" ADD CONSTRAINT "{table}_up" FOREIGN KEY ("up") REFERENCES "t0"("id");',
            )[number % 4]
        )
    return texts


def empty(branch: EmbeddedBranch) -> None:
    """As it was."""
    with branch.connect() as session:
        session.execute("drop schema if exists drizzle cascade; drop schema public cascade; create schema public")


@pytest.mark.parametrize("pending", [200, 1, 0])
def test_a_run_is_not_slower_than_drizzles(branches: Embedded, tmp_path: Path, pending: int) -> None:
    """Process against process, start-up and all: from nothing, one new migration, none."""
    oracle = node_oracle.require("v0")
    texts = chain(200)
    before, repo = project(tmp_path / "before", texts[: 200 - pending]), project(tmp_path / "after", texts)
    oracle.prepare(repo)
    module = repo / "migrate.mjs"
    module.write_text(script("node-postgres", "v0"), encoding="utf-8")
    with branches.branch(seconds=280) as one, branches.branch(seconds=280) as other:

        def ours(at: Path = repo) -> None:
            command = [sys.executable, "-c", COMMAND, "migrate", "--url", url(one), "--repo", str(at)]
            subprocess.run(command, check=True, capture_output=True)

        with other.connect() as session:
            info = session.info
            where = {"host": info.host, "user": info.user, "database": info.dbname}

        def drizzle(at: Path = repo) -> None:
            question = json.dumps([{**where, "folder": str(at / "drizzle")}])
            done = subprocess.run(["node", str(module)], input=question, check=True, capture_output=True, text=True)
            assert json.loads(done.stdout) == [None]

        times: list[tuple[float, float]] = []
        for number in range(4):
            for branch in (one, other):
                empty(branch)
            if pending < 200:
                ours(before)
                drizzle(before)
            took = measure.medians([ours, drizzle], rounds=1, warm=False)
            if number:  # the first makes templates and caches
                times.append((took[0], took[1]))
    mine, theirs = (measure.middle([t[n] for t in times]) for n in (0, 1))
    target = 1.0 if pending == 200 else None
    measure.line(f"db migrate, {pending} of 200 pending, beside drizzle-orm", mine, theirs, at_most=target)
