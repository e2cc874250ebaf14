"""What a database refuses `bulletproof db` is said in one sentence, without a password."""

from pathlib import Path

import pytest

from bot.branches.embedded import EmbeddedBranch
from tests.bot.database_chain import TEXTS, names, recorded
from tests.bot.database_samples import BREAK, db, project, url


def refuse(branch: EmbeddedBranch, folder: Path, *more: str, address: str | None = None) -> tuple[int, str]:
    """A run that is to be refused in one sentence and to write nothing."""
    before = names(branch), recorded(branch)
    code, text = db("migrate", "--url", address or url(branch), "--repo", folder, *more)
    assert (names(branch), recorded(branch)) == before
    assert "\n" not in text.strip()
    assert "Traceback" not in text
    return code, text


def test_a_full_disk_is_the_worlds_fault(branch: EmbeddedBranch, tmp_path: Path) -> None:
    """The run is undone; exit code 3, for nothing is wrong with the migration."""
    full = (
        "DO $$ BEGIN RAISE EXCEPTION 'could not extend file: No space left on device' USING ERRCODE = '53100'; END $$;"
    )
    code, text = refuse(branch, project(tmp_path, ("CREATE TABLE a1();" + BREAK + full,)))
    assert (code, "No space left" in text) == (3, True)


def test_a_server_that_only_reads(branch: EmbeddedBranch, tmp_path: Path) -> None:
    """Nothing is tried."""
    with branch.connect() as session:
        session.execute("alter role current_user set default_transaction_read_only = on")
    code, text = refuse(branch, project(tmp_path, TEXTS))
    assert (code, "takes no writes" in text) == (3, True)


def test_addresses_that_lead_nowhere(branch: EmbeddedBranch, tmp_path: Path) -> None:
    """No database, no server, no address: one sentence each, and never the password."""
    repo = project(tmp_path, TEXTS)
    good = url(branch)
    for address, wanted, words in (
        (good.replace("/neondb?", "/nowhere?"), 3, 'database "nowhere" does not exist'),
        ("postgresql://me:s3cr3t-word@127.0.0.1:1/x", 3, "Cannot connect"),
        ("postgresql://me:s3cr3t-word@nowhere.invalid/x", 3, "Cannot connect"),
        ("mysql://me:s3cr3t-word@localhost/x", 2, "no address of a PostgreSQL"),
        ("postgresql://me:s3cr3t-word@[bad/x", 2, "no address of a PostgreSQL"),
        ("postgresql://me:s3cr3t-word@host:port/x", 2, "no address of a PostgreSQL"),
        ("postgresql://me:12/s3cr3t@host/x", 2, "are written as %2F"),
        ("postgresql://me:a?s3cr3t@host/x", 2, "are written as %2F"),
        ("postgresql://me:a#s3cr3t@host/x", 2, "are written as %2F"),
        ("", 2, "No database was named"),
    ):
        code, text = refuse(branch, repo, address=address) if address else db("migrate", "--url", "", "--repo", repo)
        assert (code, words in text, "s3cr3t" in text) == (wanted, True, False), (address, code, text)


def test_a_password_that_is_wrong_is_never_shown(branch: EmbeddedBranch, tmp_path: Path) -> None:
    """Neither by us nor in the words of PostgreSQL."""
    address = url(branch).replace("bulletproof@", "nobody:s3cr3t%20word@")
    code, text = refuse(branch, project(tmp_path, TEXTS), address=address)
    assert (code, "s3cr3t" in text, "nobody" in text) == (3, False, True), text


def test_other_peoples_parameters_in_the_address(branch: EmbeddedBranch, tmp_path: Path) -> None:
    """What only other libraries know (`pgbouncer=true`, `schema=public`) is passed over."""
    repo = project(tmp_path, TEXTS[:1])
    assert db("migrate", "--url", url(branch) + "&schema=public&connection_limit=5", "--repo", repo)[0] == 0


def test_no_right_to_make_the_schema(branch: EmbeddedBranch, tmp_path: Path) -> None:
    """One sentence says what to grant; nothing is written."""
    with branch.admin() as session:
        session.execute(
            "create role narrow login; grant all on schema public to narrow; grant connect on database neondb to narrow"
        )
    address = url(branch).replace("bulletproof@", "narrow@")
    code, text = refuse(branch, project(tmp_path, TEXTS), address=address)
    assert (code, "Grant it CREATE" in text) == (2, True), text


def test_a_schema_that_is_there_needs_no_right_to_make_it(branch: EmbeddedBranch, tmp_path: Path) -> None:
    """Drizzle fails here: it always asks for CREATE SCHEMA."""
    with branch.admin() as session:
        session.execute(
            "create role narrow login; grant all on schema public to narrow; grant connect on database neondb to narrow; "
            "create schema drizzle; grant all on schema drizzle to narrow"
        )
    address = url(branch).replace("bulletproof@", "narrow@")
    assert db("migrate", "--url", address, "--repo", project(tmp_path, TEXTS[:2]))[0] == 0


def test_a_table_of_another_shape(branch: EmbeddedBranch, tmp_path: Path) -> None:
    """Something else has the name of the migrations table."""
    with branch.connect() as session:
        session.execute("create schema drizzle; create table drizzle.__drizzle_migrations(version text)")
    code, text = db("migrate", "--url", url(branch), "--repo", project(tmp_path, TEXTS))
    assert (code, "is not a migrations table of Drizzle" in text) == (2, True), text


def test_a_table_of_another_name(branch: EmbeddedBranch, tmp_path: Path) -> None:
    """The rows are there, where the configuration does not look."""
    repo = project(tmp_path, TEXTS[:1])
    assert db("migrate", "--url", url(branch), "--repo", repo)[0] == 0
    with branch.connect() as session:
        session.execute("alter table drizzle.__drizzle_migrations rename to journal")
    code, text = db("migrate", "--url", url(branch), "--repo", repo)
    assert (code, "drizzle.journal has 1 rows" in text) == (2, True), text


def test_a_chain_with_holes(branch: EmbeddedBranch, tmp_path: Path) -> None:
    """An entry without its file stops everything before anything."""
    repo = project(tmp_path, TEXTS)
    (repo / "drizzle" / "0001_step.sql").unlink()
    code, text = refuse(branch, repo)
    assert (code, "0001_step is in the journal" in text) == (2, True), text


def test_a_folder_without_a_project(branch: EmbeddedBranch, tmp_path: Path) -> None:
    """It is said that there is none."""
    assert refuse(branch, tmp_path)[0] == 2


def test_an_address_in_the_wrong_place_is_repeated_without_its_password(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """The command line repeats what it did not understand; a password is not among it."""
    from bot.cli import main  # noqa: PLC0415

    address = "postgresql://me:s3cr3t-word@127.0.0.1:1/x"
    for arguments in (
        ["migrate", address],
        ["status", "--repo", str(tmp_path), address],
        ["studio", "--port", address],
    ):
        assert main(["db", *arguments]) == 2
        said = capsys.readouterr().err
        assert ("s3cr3t" in said, arguments[0] == "studio" or "://***@127.0.0.1" in said) == (False, True), said


def test_what_holds_a_password_beside_the_address(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, branch: EmbeddedBranch
) -> None:
    """PGPASSWORD, a service file, the query of the URL, percent-encoded: none is shown, whatever goes wrong."""
    repo = project(tmp_path, TEXTS)
    (tmp_path / "services").write_text("[mine]\nhost=127.0.0.1\nport=1\nuser=me\npassword=s3cr3t-word\ndbname=x\n")
    monkeypatch.setenv("PGSERVICEFILE", str(tmp_path / "services"))
    monkeypatch.setenv("PGPASSWORD", "s3cr3t-word")
    with branch.connect() as session:
        host = session.info.host
    for address in (
        "service=mine", "postgresql:///?service=mine", "postgresql://me@127.0.0.1:1/x", "host=127.0.0.1 port=1 password='s3cr3t word'",
        "postgresql://127.0.0.1:1/x?user=me&password=s3cr3t%2Fword", "postgresql://me:%733cr3t@127.0.0.1:1/x?sslpassword=s3cr3t",
        f"postgresql://nobody:s3cr3t@/neondb?host={host}", f"postgresql://nobody@/neondb?host={host}&password=s3cr3t",
    ):  # fmt: skip
        code, text = refuse(branch, repo, address=address)
        assert (code, "s3cr3t" in text, "Cannot connect" in text) == (3, False, True), (address, text)
