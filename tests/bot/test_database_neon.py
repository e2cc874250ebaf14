"""Against neon-http's own migrator (drizzle-orm/neon-http/migrator.js), run over a plain session, one statement a request as Neon's driver does."""

from pathlib import Path
from typing import Any

import pytest

from bot.branches.embedded import Embedded, EmbeddedBranch
from checks.catalog import difference
from checks.drizzle.model import Format
from tests import node_oracle
from tests.bot.database_samples import BREAK, CHAIN, data, project, rows, url
from tests.bot.test_database_oracle import TEXTS, catalog, columns

pytestmark = [pytest.mark.node, pytest.mark.timeout(280)]

# `batch` is one transaction at Neon; the rest of the driver is what drizzle-orm gives every driver.
MODULE = """
import { drizzle } from "drizzle-orm/node-postgres";
import { migrate } from "drizzle-orm/neon-http/migrator";
import pg from "pg";
let text = "";
for await (const piece of process.stdin) text += piece;
const answers = [];
for (const { host, user, database, folder } of JSON.parse(text)) {
  const client = new pg.Client({ host, user, database, port: 5432 });
  await client.connect();
  const plain = client.query.bind(client);
  client.query = (config, ...rest) => plain(typeof config === "object" ? { ...config, queryMode: "extended" } : config, ...rest);
  const db = %(db)s;
  db.batch = async (queries) => {
    await plain("begin");
    try {
      for (const query of queries) await query;
      await plain("commit");
    } catch (error) {
      await plain("rollback");
      throw error;
    }
  };
  try {
    await migrate(db, { migrationsFolder: folder });
    answers.push(null);
  } catch (error) {
    answers.push((error.cause ?? error).code ?? String(error));
  } finally {
    await client.end();
  }
}
console.log(JSON.stringify(answers));
"""


def theirs(version: Format, branch: EmbeddedBranch, repo: Path) -> str | None:
    """Run neon-http's migrator; the SQLSTATE that it ended in."""
    oracle = node_oracle.require(version)
    with branch.connect() as session:
        info = session.info
        question: dict[str, Any] = {"host": info.host, "user": info.user, "database": info.dbname}
    module = MODULE % {"db": "drizzle({ client })" if version == "v1" else "drizzle(client)"}
    return oracle.ask(module, repo, [{**question, "folder": str(repo / "drizzle")}])[0]


@pytest.mark.parametrize("version", ["v0", "v1"])
def test_each_finds_nothing_to_do_after_the_other(branches: Embedded, tmp_path: Path, version: Format) -> None:
    """The same rows and the same schema, whoever ran the chain, and either has nothing to do after the other."""
    repo = project(tmp_path, TEXTS, format=version)
    with branches.branch() as one, branches.branch() as other:
        assert data("migrate", "--url", url(one), "--repo", repo)[0] == 0
        assert theirs(version, other, repo) is None
        assert rows(one, columns(version)) == rows(other, columns(version))
        assert difference.unified(catalog(one), catalog(other)) == ""
        before = rows(one, columns(version))
        assert theirs(version, one, repo) is None
        code, said = data("migrate", "--url", url(other), "--repo", repo)
        assert (code, said["applied"], said["synced"]) == (0, [], None)
        assert rows(one, columns(version)) == rows(other, columns(version)) == before


def test_what_a_half_applied_file_leaves(branches: Embedded, tmp_path: Path) -> None:
    """Neon's v0 migrator stops in the middle of a file with no row at all; ours records what the schema proves, or says what stands between."""
    broken = "CREATE TABLE half();" + BREAK + "SELECT 1/0;"
    with branches.branch() as one, branches.branch() as other:
        repo = project(tmp_path / "middle", (*CHAIN, broken))
        assert theirs("v0", one, repo) == "22012"
        assert rows(one) == []
        code, said = data("migrate", "--url", url(one), "--repo", repo)
        assert (code, said["status"], rows(one)) == (1, "refused", [])
        assert "half" in said["drift"]["unified"]
        with one.connect() as session:
            session.execute("drop table half")
        mended = project(tmp_path / "mended", (*CHAIN, "CREATE TABLE half();"))
        code, said = data("migrate", "--url", url(one), "--repo", mended)
        assert (code, said["synced"]["point"], said["applied"]) == (0, 3, ["0003_step"]), said

        repo = project(tmp_path / "start", (*CHAIN, "SELECT 1/0;", "CREATE TABLE last();"))
        assert theirs("v0", other, repo) == "22012"
        code, said = data("migrate", "--url", url(other), "--repo", repo)
        assert (code, said["synced"]["point"], said["applied"]) == (1, 3, []), said
        assert [row[0] for row in rows(other)] == [row[0] for row in rows(one)][:3]


def test_v1_undoes_what_it_cannot_end(branches: Embedded, tmp_path: Path) -> None:
    """There all statements and rows are one batch: after a failure nothing is there, and ours ends alike."""
    repo = project(tmp_path, (*CHAIN, "CREATE TABLE half();" + BREAK + "SELECT 1/0;"), format="v1")
    with branches.branch() as one, branches.branch() as other:
        assert theirs("v1", one, repo) == "22012"
        code, said = data("migrate", "--url", url(other), "--repo", repo)
        assert (code, said["failed"][0]["sqlstate"]) == (1, "22012")
        assert rows(one, columns("v1")) == rows(other, columns("v1")) == []
        assert difference.unified(catalog(one), catalog(other)) == ""


def test_an_index_built_concurrently(branches: Embedded, tmp_path: Path) -> None:
    """The one thing that Neon's v0 migrator can do and the others cannot: here it runs as well, and leaves the same."""
    repo = project(tmp_path, (*CHAIN, "CREATE INDEX CONCURRENTLY i ON users (email);"))
    with branches.branch() as one, branches.branch() as other:
        assert theirs("v0", one, repo) is None
        assert data("migrate", "--url", url(other), "--repo", repo)[0] == 0
        assert rows(one) == rows(other)
        with other.connect() as session:
            assert session.execute("select count(*) from drizzle.__bulletproof_steps").fetchone() == (0,)
            session.execute("drop table drizzle.__bulletproof_steps")
        assert difference.unified(catalog(one), catalog(other)) == ""
