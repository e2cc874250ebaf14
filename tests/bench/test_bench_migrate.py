"""`db migrate` beside the real migrator of drizzle-orm, on a chain of 200 migrations."""

import resource
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from bot.branches.embedded import Embedded, EmbeddedBranch
from bot.database import migrate, source, target
from bot.progress import silent
from tests import node_oracle
from tests.bench import measure
from tests.bot.database_samples import BREAK, project, url

pytestmark = [pytest.mark.bench, pytest.mark.node, pytest.mark.timeout(1200)]

COMMAND = "import sys; from bot.cli import main; sys.argv.insert(1, 'db'); sys.exit(main())"


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


# The migrator alone, in a process that has started: what it took, in milliseconds.
ALONE = """
import { drizzle } from "drizzle-orm/node-postgres";
import { migrate } from "drizzle-orm/node-postgres/migrator";
import pg from "pg";
const [host, user, database, folder] = process.argv.slice(2);
const began = performance.now();
const client = new pg.Pool({ host, user, database, port: 5432, max: 1 });
await migrate(drizzle(client), { migrationsFolder: folder });
await client.end();
console.log(performance.now() - began);
"""


def cpu() -> float:
    """Seconds that the children of this process worked so far."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def measured(task: Callable[[], object]) -> tuple[float, float]:
    """Wall and CPU milliseconds of a task in other processes (not the server's)."""
    worked, began = cpu(), time.perf_counter()
    task()
    return (time.perf_counter() - began) * 1000, (cpu() - worked) * 1000


@pytest.mark.parametrize("pending", [200, 1, 0])
def test_a_run_is_not_slower_than_drizzles(branches: Embedded, tmp_path: Path, pending: int) -> None:
    """From nothing, one new migration, none: with start-up beside `drizzle-kit migrate` and a bare script, and without it."""
    oracle = node_oracle.require("v0")
    texts = chain(200)
    before, repo = project(tmp_path / "before", texts[: 200 - pending]), project(tmp_path / "after", texts)
    oracle.prepare(repo)
    (repo / "migrate.mjs").write_text(ALONE, encoding="utf-8")
    with branches.branch(seconds=280) as one, branches.branch(seconds=280) as other:
        address = url(one)
        with other.connect() as session:
            where = [session.info.host, session.info.user, session.info.dbname]
        credentials = f'{{ host: "{where[0]}", user: "{where[1]}", database: "{where[2]}", port: 5432, ssl: false }}'
        config = repo / "kit.config.ts"
        config.write_text(
            f'export default {{ dialect: "postgresql", out: "./drizzle", dbCredentials: {credentials} }};\n'
        )

        def ours(at: Path = repo) -> None:
            command = [sys.executable, "-c", COMMAND, "migrate", "--url", address, "--repo", str(at)]
            subprocess.run(command, check=True, capture_output=True)

        def inside() -> None:
            migrate.run(target.of(address), source.read(repo), migrate.Options(), silent)

        def script(at: Path = repo) -> float:
            command = ["node", str(repo / "migrate.mjs"), *where, str(at / "drizzle")]
            return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)

        def kit() -> None:
            oracle.kit(repo, "migrate", "--config", "kit.config.ts")

        def at_start(branch: EmbeddedBranch, run: Callable[[Path], object]) -> None:
            empty(branch)
            if pending < 200:
                run(before)

        found: dict[str, list[tuple[float, float]]] = {}
        alone: list[float] = []
        for number in range(5):
            for name, branch, prepare, task in (
                ("ours", one, ours, ours), ("script", other, script, lambda: alone.append(script())),
                ("kit", other, script, kit),
            ):  # fmt: skip
                at_start(branch, prepare)
                found.setdefault(name, []).append(measured(task))
            at_start(one, ours)
            found.setdefault("inside", []).append((measure.took(inside), 0.0))
            found.setdefault("alone", []).append((alone[-1], 0.0))
            if not number:  # the first makes templates and caches
                found.clear()
    figures = {name: [measure.middle([each[n] for each in times]) for n in (0, 1)] for name, times in found.items()}
    what = f"db migrate, {pending} of 200 pending"
    measure.line(f"{what}: wall, beside `drizzle-kit migrate`", figures["ours"][0], figures["kit"][0], at_most=1.0)
    measure.line(f"{what}: CPU, beside `drizzle-kit migrate`", figures["ours"][1], figures["kit"][1], at_most=1.0)
    measure.line(f"{what}: without start-up, beside migrate()", figures["inside"][0], figures["alone"][0], at_most=1.0)
    measure.line(f"{what}: wall, beside a bare script", figures["ours"][0], figures["script"][0])
    measure.line(f"{what}: CPU, beside a bare script", figures["ours"][1], figures["script"][1])
