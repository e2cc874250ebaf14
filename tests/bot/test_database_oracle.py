"""Against the real migrators of drizzle-orm: they find nothing to do after ours, ours nothing after them, and the rows are the same."""

from pathlib import Path

import pytest

from bot.branches.embedded import Embedded, EmbeddedBranch
from checks.catalog import difference
from checks.catalog import read as catalogs
from checks.catalog.model import Catalog
from checks.drizzle.model import Format
from tests import node_oracle
from tests.bot.database_samples import CHAIN, data, db, project, rows, url
from tests.checks.replay_samples import ENDINGS
from tests.checks.test_replay_oracle import script

pytestmark = [pytest.mark.node, pytest.mark.timeout(280)]

CRLF = (
    'ALTER TABLE "posts" ADD COLUMN "body" text;\r\n--> statement-breakpoint\r\nCREATE INDEX ON "posts" ("title");\r\n'
)
WORDS = "-- Grüße\nINSERT INTO users (email) VALUES ('ä');"
TEXTS = (*CHAIN, CRLF, WORDS)


def theirs(version: Format, driver: str, branch: EmbeddedBranch, repo: Path) -> str | None:
    """Run the real migrator; the SQLSTATE that it ended in."""
    oracle = node_oracle.require(version)
    with branch.connect() as session:
        info = session.info
        question = {"host": info.host, "user": info.user, "database": info.dbname, "folder": str(repo / "drizzle")}
    return oracle.ask(script(driver, version), repo, [question])[0]


def columns(version: Format) -> str:
    return "id, hash, created_at" + (", name, applied_at is null" if version == "v1" else "")


def catalog(branch: EmbeddedBranch) -> Catalog:
    with branch.connect() as session:
        return catalogs.read(session)


@pytest.mark.parametrize(
    ("version", "driver"),
    [("v0", "node-postgres"), pytest.param("v0", "postgres-js", marks=pytest.mark.long), ("v1", "node-postgres")],
)
def test_each_finds_nothing_to_do_after_the_other(
    branches: Embedded, tmp_path: Path, version: Format, driver: str
) -> None:
    """Schema and rows are equal to the byte, whoever ran the chain, and stay so when the other is run after it."""
    repo = project(tmp_path, TEXTS, format=version)
    with branches.branch() as one, branches.branch() as other:
        code, said = data("migrate", "--url", url(one), "--repo", repo)
        assert code == 0, said
        assert theirs(version, driver, other, repo) is None
        assert rows(one, columns(version)) == rows(other, columns(version))
        before = rows(one, columns(version))
        assert difference.unified(catalog(one), catalog(other)) == ""
        assert theirs(version, driver, one, repo) is None
        code, said = data("migrate", "--url", url(other), "--repo", repo)
        assert (code, said["applied"], said["synced"]) == (0, [], None)
        assert rows(one, columns(version)) == rows(other, columns(version)) == before
        for branch in (one, other):
            assert db("status", "--url", url(branch), "--repo", repo)[0] == 0


@pytest.mark.parametrize("version", [pytest.param("v0", marks=pytest.mark.long), "v1"])
def test_they_take_turns(branches: Embedded, tmp_path: Path, version: Format) -> None:
    """Migration by migration, one runs the odd ones and the other the even ones."""
    with branches.branch() as branch:
        repo = tmp_path
        for count in range(1, len(CHAIN) + 1):
            repo = project(tmp_path / str(count), CHAIN[:count], format=version)
            if count % 2:
                assert theirs(version, "node-postgres", branch, repo) is None
            else:
                assert data("migrate", "--url", url(branch), "--repo", repo)[0] == 0
        assert len(rows(branch)) == len(CHAIN)
        assert db("status", "--url", url(branch), "--repo", repo)[0] == 0


@pytest.mark.long
def test_a_table_of_v0_is_upgraded_as_drizzle_does(branches: Embedded, tmp_path: Path) -> None:
    """After `drizzle-kit up` the rows get the names of their folders, by either."""
    whens = tuple(1_700_000_000_000 + n * 1000 for n in range(3))
    old = project(tmp_path / "old", CHAIN, whens=whens)
    more = (*CHAIN, "CREATE TABLE more();")
    new = project(tmp_path / "new", more, format="v1")
    with branches.branch() as one, branches.branch() as other:
        for branch in (one, other):
            assert data("migrate", "--url", url(branch), "--repo", old)[0] == 0
        assert theirs("v1", "node-postgres", one, new) is None
        code, said = data("migrate", "--url", url(other), "--repo", new)
        assert (code, len(said["applied"])) == (0, 1), said
        assert rows(one, columns("v1")) == rows(other, columns("v1"))


# Where ours is meant to end otherwise: it does not fail on what PostgreSQL refuses in Drizzle's transaction.
BETTER = {
    "concurrently in the transaction", "a new value used at once", "concurrently among others",
}  # fmt: skip
# Files that end their transaction: a failure after that leaves a half-applied, unrecorded migration with Drizzle.
STEPPED = {
    name
    for name, texts in ENDINGS.items()
    if any(word in text.lower() for text in texts for word in ("commit", "begin;", "rollback"))
}
NOT_ALIKE = {"copies from nowhere", "discards all", "quits the role", "times out", "a command of psql"}


@pytest.mark.long
def test_chains_that_end_in_every_way(branches: Embedded, tmp_path: Path) -> None:
    """Run for run as the real migrator: the same error, the same rows, the same schema."""
    wrong: list[str] = []
    for number, (name, texts) in enumerate(ENDINGS.items()):
        if name in BETTER | STEPPED | NOT_ALIKE:
            continue
        repo = project(tmp_path / str(number), texts)
        with branches.branch() as one, branches.branch() as other:
            _, said = data("migrate", "--url", url(one), "--repo", repo, "--no-check")
            ended = theirs("v0", "node-postgres", other, repo)
            found = said["failed"][0]["sqlstate"] if said["failed"] else None
            diff = difference.unified(catalog(one), catalog(other))
            if (found, rows(one), diff) != (ended, rows(other), ""):
                wrong.append(f"{name}: {found} for {ended}\n{diff}")
    assert not wrong, "\n".join(wrong)


@pytest.mark.long
def test_chains_that_drizzle_cannot_run(branches: Embedded, tmp_path: Path) -> None:
    """Where Drizzle fails or leaves a half-applied file, rows and schema agree all the same, and Drizzle has nothing to do afterwards."""
    for number, name in enumerate(sorted(BETTER | STEPPED)):
        repo = project(tmp_path / str(number), ENDINGS[name])
        with branches.branch() as one:
            code, said = data("migrate", "--url", url(one), "--repo", repo, "--no-check")
            assert code == (1 if said["failed"] else 0), name
            if code == 0:
                schema, before = catalog(one), rows(one)
                assert theirs("v0", "node-postgres", one, repo) is None, name
                assert (difference.unified(schema, catalog(one)), rows(one)) == ("", before), name
            again, text = db("migrate", "--url", url(one), "--repo", repo, "--no-check")
            assert again == code, f"{name}: {text}"
