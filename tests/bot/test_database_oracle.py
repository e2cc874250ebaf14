"""Against the real migrators of drizzle-orm: they find nothing to do after ours, ours nothing after them, and the rows are the same."""

from collections.abc import Sequence
from contextlib import ExitStack
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
    return all_theirs(version, driver, [(branch, repo)])[0]


def all_theirs(version: Format, driver: str, asked: Sequence[tuple[EmbeddedBranch, Path]]) -> list[str | None]:
    """The same on several databases at once, in one process."""
    questions: list[dict[str, str]] = []
    for branch, repo in asked:
        with branch.connect() as session:
            info = session.info
            where = {"host": info.host, "user": info.user, "database": info.dbname}
        questions.append({**where, "folder": str(repo / "drizzle")})
    return node_oracle.require(version).ask(script(driver, version), asked[0][1], questions)


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


AT_ONCE = 8  # databases that one Node.js process is shown

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
    names = [name for name in ENDINGS if name not in BETTER | STEPPED | NOT_ALIKE]
    for start in range(0, len(names), AT_ONCE):
        some = names[start : start + AT_ONCE]
        repos = [project(tmp_path / str(start + number), ENDINGS[name]) for number, name in enumerate(some)]
        with ExitStack() as open_:
            others = [open_.enter_context(branches.branch()) for _ in some]
            endings = all_theirs("v0", "node-postgres", list(zip(others, repos, strict=True)))
            for name, repo, other, ended in zip(some, repos, others, endings, strict=True):
                with branches.branch() as one:
                    _, said = data("migrate", "--url", url(one), "--repo", repo, "--no-check")
                    found = said["failed"][0]["sqlstate"] if said["failed"] else None
                    diff = difference.unified(catalog(one), catalog(other))
                    if (found, rows(one), diff) != (ended, rows(other), ""):
                        wrong.append(f"{name}: {found} for {ended}\n{diff}")
    assert not wrong, "\n".join(wrong)


@pytest.mark.long
def test_chains_that_drizzle_cannot_run(branches: Embedded, tmp_path: Path) -> None:
    """Where Drizzle fails or leaves a half-applied file, rows and schema agree all the same, and Drizzle has nothing to do afterwards."""
    names = sorted(BETTER | STEPPED)
    for start in range(0, len(names), AT_ONCE):
        with ExitStack() as open_:
            ours = [Ours(name, tmp_path, open_.enter_context(branches.branch())) for name in names[start:][:AT_ONCE]]
            done = [each for each in ours if each.code == 0]
            endings = all_theirs("v0", "node-postgres", [(each.branch, each.repo) for each in done]) if done else []
            for each, ended in zip(done, endings, strict=True):
                assert ended is None, each.name
                left = difference.unified(each.schema, catalog(each.branch)), rows(each.branch)
                assert left == ("", each.rows), each.name
            for each in ours:
                again, text = db("migrate", "--url", url(each.branch), "--repo", each.repo, "--no-check")
                assert again == each.code, f"{each.name}: {text}"


class Ours:
    """A chain as `db migrate` has run it."""

    def __init__(self, name: str, folder: Path, branch: EmbeddedBranch) -> None:
        self.name, self.branch = name, branch
        self.repo = project(folder / name.replace(" ", "-"), ENDINGS[name])
        self.code, said = data("migrate", "--url", url(branch), "--repo", self.repo, "--no-check")
        assert self.code == (1 if said["failed"] else 0), name
        self.schema, self.rows = catalog(branch), rows(branch)
