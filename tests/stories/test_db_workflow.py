"""A team that pushed for a year adopts `bulletproof db`, in the policy's own words."""

from pathlib import Path

from bot.branches.embedded import EmbeddedBranch
from tests.bot.database_samples import CHAIN, data, db, project, rows, url

HOTFIX = "create index hotfix on users (email)"


def test_from_push_to_migrations(branch: EmbeddedBranch, tmp_path: Path) -> None:
    """Push made the database, so "migration table doesn't exist"; then one command, always; then a hotfix by hand."""
    repo, where = project(tmp_path), ("--url", url(branch), "--repo", str(tmp_path))
    with branch.connect() as session:  # what push left behind: the first two, and no table of rows
        for text in CHAIN[:2]:
            session.execute(text.encode())

    code, said = data("status", *where)
    assert (code, len(said["environments"][0]["pending"])) == (1, 3)

    code, text = db("migrate", *where)
    assert code == 0
    assert "object for object, what the first 2 of 3 migrations build" in text
    assert "Ran 1: 0002_step." in text

    code, text = db("verify", *where)
    assert (code, text.splitlines()[-1]) == (0, "Files, migrations table and schema say the same.")

    with branch.connect() as session:  # somebody mends production by hand, at night
        session.execute(HOTFIX)
    code, text = db("status", *where)
    assert code == 1
    assert "DROP INDEX public.hotfix;" in text
    assert "CREATE INDEX hotfix" in text

    project(tmp_path, (*CHAIN, "CREATE TABLE orders(id int primary key);"))
    code, text = db("migrate", *where)
    assert code == 1
    assert "nothing was run" in text

    project(tmp_path, (*CHAIN, HOTFIX + ";", "CREATE TABLE orders(id int primary key);"))  # it becomes a migration
    code, text = db("migrate", *where)
    assert (code, "Ran 1: 0004_step." in text) == (0, True), text
    assert len(rows(branch)) == 5
    assert db("status", *where)[0] == 0
    assert repo.exists()
