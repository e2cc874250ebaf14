"""The replay ends as the real migrator of drizzle-orm ends: the same schema, the same rows, the same error."""

import json
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from bot.branches.embedded import Embedded, EmbeddedBranch
from checks.catalog import difference
from checks.catalog import read as catalogs
from checks.drizzle.model import Chain, Format
from checks.witnesses import replay
from tests import node_oracle
from tests.checks.replay_samples import ENDINGS, chain

pytestmark = [pytest.mark.node, pytest.mark.timeout(280)]

MIGRATE = """
import { drizzle } from "drizzle-orm/%(driver)s";
import { migrate } from "drizzle-orm/%(driver)s/migrator";
import pg from "pg";
import postgres from "postgres";
let text = "";
for await (const piece of process.stdin) text += piece;
const answers = await Promise.all(JSON.parse(text).map(async ({ host, user, database, folder }) => {
  const client = %(client)s;
  try {
    await migrate(%(db)s, { migrationsFolder: folder });
    return null;
  } catch (error) {
    return (error.cause ?? error).code ?? String(error);
  } finally {
    await client.end().catch(() => {});
  }
}));
console.log(JSON.stringify(answers));
process.exit(0);
"""
CLIENTS = {
    "node-postgres": "new pg.Pool({ host, user, database, port: 5432, max: 1 })",
    "postgres-js": "postgres({ path: `${host}/.s.PGSQL.5432`, user, database, max: 1, onnotice: () => {} })",
}
CODES = {None, "22012", "25001", "25P01", "42601", "42P01", "42P07", "55P04", "57014"}
SOME = 5
# The wire of postgres.js hands a copy to its caller instead of refusing it, and hangs.
NOT_ASKED = {"postgres-js": {"copies from nowhere", "copies to nowhere"}}


def script(driver: str, version: Format) -> str:
    """A module that migrates many databases and prints how each ended."""
    db = "drizzle({ client })" if version == "v1" else "drizzle(client)"
    return MIGRATE % {"driver": driver, "client": CLIENTS[driver], "db": db}


def write(folder: Path, pending: Chain) -> None:
    """A chain as drizzle-kit would have left it."""
    if pending.project.format == "v1":
        for migration in pending.migrations:
            (folder / migration.tag).mkdir(parents=True)
            (folder / migration.tag / "migration.sql").write_text(migration.text, encoding="utf-8")
        return
    (folder / "meta").mkdir(parents=True)
    entries = [{"idx": m.idx, "when": m.when, "tag": m.tag, "breakpoints": True} for m in pending.migrations]
    journal = {"version": "7", "dialect": "postgresql", "entries": entries}
    (folder / "meta" / "_journal.json").write_text(json.dumps(journal), encoding="utf-8")
    for migration in pending.migrations:
        (folder / f"{migration.tag}.sql").write_text(migration.text, encoding="utf-8")


def state(branch: EmbeddedBranch, version: Format) -> tuple[Any, Any]:
    """The schema and the rows of the tracking table."""
    names = ", name" if version == "v1" else ""
    with branch.connect() as session:
        rows = session.execute(
            f"select hash, created_at{names} from drizzle.__drizzle_migrations order by id"
        ).fetchall()
        return catalogs.read(session), rows


@pytest.mark.long
@pytest.mark.parametrize(
    ("version", "driver"), [("v0", "node-postgres"), ("v0", "postgres-js"), ("v1", "node-postgres")]
)
def test_every_chain_ends_as_it_does_with_drizzle(
    branches: Embedded, tmp_path: Path, version: Format, driver: str
) -> None:
    """Schema, tracking rows and SQLSTATE are those of the real migrator, observed or not; other drivers are asked less."""
    oracle = node_oracle.require(version)
    names = [name for name in ENDINGS if name not in NOT_ASKED.get(driver, ())]
    names = names if (version, driver) == ("v0", "node-postgres") else names[::SOME]
    wrong: list[str] = []
    with ExitStack() as stack:
        asked = [(name, stack.enter_context(branches.branch(seconds=240))) for name in names]
        question: list[dict[str, str]] = []
        for number, (name, branch) in enumerate(asked):
            write(tmp_path / str(number), chain(*ENDINGS[name], format=version))
            with branch.connect() as session:
                info = session.info
                where = {"host": info.host, "user": info.user, "database": info.dbname}
            question.append({**where, "folder": str(tmp_path / str(number))})
        answers = oracle.ask(script(driver, version), tmp_path, question)
        assert len(names) < len(ENDINGS) or set(answers) >= CODES, answers
        for (name, theirs), code in zip(asked, answers, strict=True):
            pending = chain(*ENDINGS[name], format=version, migrator=driver)
            for runner in (replay.run, replay.build_base):
                with branches.branch(seconds=240) as ours:
                    run = runner(ours, pending, seconds=60)
                    got, rows = state(ours, version)
                want, wanted_rows = state(theirs, version)
                found = run.failure.sqlstate if run.failure else None
                if (found, rows) != (code, wanted_rows) or not difference.equal(want, got):
                    wrong.append(
                        f"{name} ({runner.__name__}): {found} for {code}, {len(rows)} rows for {len(wanted_rows)}\n"
                        + difference.unified(want, got, before="drizzle", after="ours")
                    )
    assert not wrong, "\n".join(wrong)
