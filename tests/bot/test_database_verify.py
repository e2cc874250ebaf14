"""`db verify`, `db reset-dev`, `db generate` and `db studio`."""

import contextlib
import http.client
import socket
import subprocess
import sys
from pathlib import Path
from typing import Literal

import pytest

from bot.branches.embedded import EmbeddedBranch
from bot.database import reset, source, studio, target
from bot.database.reset import confirm
from checks.errors import UserError
from tests import node_oracle
from tests.bot.database_samples import CHAIN, USERS, data, db, project, rows, url

COMMAND = "import sys; from bot.database.commands import app; sys.exit(app(sys.argv[1:], standalone_mode=False))"


def test_three_ways_say_the_same(branch: EmbeddedBranch, tmp_path: Path) -> None:
    """Exit code 0 and one line where they do."""
    repo = project(tmp_path)
    assert db("migrate", "--url", url(branch), "--repo", repo)[0] == 0
    code, said = data("verify", "--url", url(branch), "--repo", repo)
    assert (code, said["ok"], said["files_and_schema_equal"], said["drift"]) == (0, True, True, None)


def test_drift_is_shown_as_sql_both_ways(branch: EmbeddedBranch, tmp_path: Path) -> None:
    """The statements turn one into the other, and work."""
    repo = project(tmp_path)
    assert db("migrate", "--url", url(branch), "--repo", repo)[0] == 0
    with branch.connect() as session:
        session.execute("alter table posts drop column title; create table extra(id int primary key, at timestamptz)")
    code, said = data("verify", "--url", url(branch), "--repo", repo)
    assert code == 1
    assert "ADD COLUMN title" in said["drift"]["to_files"]
    assert "CREATE TABLE public.extra" in said["drift"]["to_database"]
    with branch.connect() as session:
        session.execute(said["drift"]["to_files"].encode())
    assert data("verify", "--url", url(branch), "--repo", repo)[0] == 0


def test_rows_that_lie_are_told_from_a_schema_that_drifted(branch: EmbeddedBranch, tmp_path: Path) -> None:
    """A row too few: the schema is what all files build, and not what the rows say."""
    repo = project(tmp_path)
    assert db("migrate", "--url", url(branch), "--repo", repo)[0] == 0
    with branch.connect() as session:
        session.execute("delete from drizzle.__drizzle_migrations where id = 3")
    code, said = data("verify", "--url", url(branch), "--repo", repo)
    assert (code, said["files_and_schema_equal"], said["pending"]) == (1, True, ["0002_step"])
    assert "DROP COLUMN title" in said["drift"]["to_files"]


def test_the_whole_tree_without_a_database(tmp_path: Path) -> None:
    """A push in a script is found; with a policy file it is an error."""
    project(tmp_path)
    (tmp_path / "package.json").write_text(
        '{"scripts": {"deploy": "drizzle-kit push"}, "dependencies": {"drizzle-orm": "0.45.4"}}'
    )
    code, said = data("verify", "--offline", "--repo", tmp_path)
    assert (code, said["findings"][0]["rule"], said["findings"][0]["severity"]) == (0, "banned-command", "warning")
    (tmp_path / ".github").mkdir()
    (tmp_path / ".github" / "migration-policy.yml").write_text("version: 1\n")
    assert data("verify", "--offline", "--repo", tmp_path)[0] == 1


def test_environments_of_the_policy_file(
    branch: EmbeddedBranch, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each is looked at by its own variable; one that is not set, or cannot be reached, says so."""
    repo = project(tmp_path)
    (tmp_path / ".github").mkdir()
    (tmp_path / ".github" / "migration-policy.yml").write_text(
        "version: 1\nenvironments:\n  production: {url_env: PRODUCTION_URL}\n  staging: {url_env: STAGING_URL}\n  gone: {url_env: GONE_URL}\n"
    )
    assert db("migrate", "--url", url(branch), "--repo", repo)[0] == 0
    monkeypatch.delenv("DATABASE_URL", raising=False)
    monkeypatch.setenv("PRODUCTION_URL", url(branch))
    monkeypatch.setenv("GONE_URL", "postgresql://me:s3cr3t@127.0.0.1:1/x")
    code, said = data("status", "--repo", repo)
    assert [(e["name"], e["ok"]) for e in said["environments"]] == [
        ("production", True),
        ("staging", True),
        ("gone", False),
    ]
    assert "STAGING_URL is not set" in said["environments"][1]["note"]
    assert (code, "s3cr3t" in str(said)) == (3, False)


def test_the_url_never_comes_from_the_services_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """BULLETPROOF_DATABASE_URL is the service's state."""
    monkeypatch.delenv("DATABASE_URL", raising=False)
    monkeypatch.setenv("BULLETPROOF_DATABASE_URL", "postgresql://x@127.0.0.1:1/x")
    for command in ("status", "migrate", "sync", "verify", "reset-dev"):
        code, text = db(command, "--repo", project(tmp_path))
        assert (code, "DATABASE_URL" in text) == (2, True), text


def test_reset_empties_and_migrates(branch: EmbeddedBranch, tmp_path: Path) -> None:
    """Everything goes, extensions stay, all migrations run; without --yes nothing happens."""
    repo = project(tmp_path)
    with branch.connect() as session:
        session.execute(
            "create extension citext; create table junk(email citext); create schema more; create table more.junk()"
        )
    code, text = db("reset-dev", "--url", url(branch), "--repo", repo)
    assert (code, "--yes" in text) == (2, True)
    code, said = data("reset-dev", "--url", url(branch), "--repo", repo, "--yes")
    assert (code, len(said["applied"]), said["emptied"]) == (0, 3, ["more", "public"])
    with branch.connect() as session:
        found = session.execute(
            "select to_regclass('junk'), to_regclass('more.junk'), to_regtype('citext')::text"
        ).fetchone()
    assert found == (None, None, "citext")
    assert data("verify", "--url", url(branch), "--repo", repo)[0] == 0


@pytest.mark.parametrize(
    ("yes", "typed", "signs", "answer", "agreed"),
    [
        (True, None, (), None, True),
        (False, None, (), None, False),
        (False, None, (), "y", True),
        (False, None, (), "", False),
        (True, None, ("big",), None, False),
        (False, "shop", ("big",), None, False),
        (True, "shop", ("big",), None, True),
        (True, "shap", ("big",), None, False),
        (True, None, ("big",), "shop", True),
        (True, None, ("big",), "y", False),
    ],
)
def test_how_reset_is_agreed_to(
    *, yes: bool, typed: str | None, signs: tuple[str, ...], answer: str | None, agreed: bool
) -> None:
    """What looks like production needs --yes and the typed name; the rest --yes, or a yes."""
    agree = confirm(yes=yes, typed=typed, ask=None if answer is None else lambda _: answer)
    if agreed:
        agree("shop", signs)
        return
    with pytest.raises(UserError):
        agree("shop", signs)


def test_what_looks_like_production(branch: EmbeddedBranch, tmp_path: Path) -> None:
    """Its name is enough."""
    at = target.of(url(branch))
    with at.connect() as session:
        assert reset.look(session, at) == ("neondb", ())
        assert reset.look(session, target.Target({**at.parameters, "host": "db.example.com"}))[1] != ()
    for name in ("production", "shop_prod", "prod-eu", "live"):
        assert reset._NAMES.search(name)  # pyright: ignore[reportPrivateUsage]
    for name in ("products", "reproduce", "shop", "development", "delivery"):
        assert not reset._NAMES.search(name)  # pyright: ignore[reportPrivateUsage]


def test_a_database_in_use_or_full_of_data_is_not_emptied(
    branch: EmbeddedBranch, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Other sessions, or more than a gigabyte: --yes alone is refused with the reason, and with the name it goes on."""
    repo = project(tmp_path)
    assert db("migrate", "--url", url(branch), "--repo", repo)[0] == 0

    def refused(why: str) -> None:
        code, text = db("reset-dev", "--url", url(branch), "--repo", repo, "--yes")
        assert (code, why in text, "--yes --name neondb" in text, len(rows(branch))) == (2, True, True, 3), text
        assert db("reset-dev", "--url", url(branch), "--repo", repo, "--yes", "--name", "other")[0] == 2
        assert len(rows(branch)) == 3

    with contextlib.ExitStack() as sessions:
        for _ in range(reset.BUSY + 1):
            sessions.enter_context(branch.connect())
        refused("4 other sessions are using it")
    monkeypatch.setattr(reset, "LARGE", 1 << 20)
    refused("it holds 0.0 GB")
    code, said = data("reset-dev", "--url", url(branch), "--repo", repo, "--yes", "--name", "neondb")
    assert (code, len(said["applied"]), said["signs"]) == (0, 3, ["it holds 0.0 GB"])


SCHEMA = """
import {{ pgTable, serial, text }} from "drizzle-orm/pg-core";
export const users = pgTable("users", {{ id: serial("id").primaryKey(), {column}: text("{column}").notNull() }});
"""


@pytest.mark.node
@pytest.mark.long
def test_generate_is_not_believed(tmp_path: Path) -> None:
    """Written and reviewed; nothing to write; a rename that it would ask about: each is told apart."""
    oracle = node_oracle.require("v0")
    repo = oracle.prepare(tmp_path)
    (repo / "drizzle.config.ts").write_text(
        'export default { dialect: "postgresql", out: "./drizzle", schema: "./schema.ts" };\n'
    )
    (repo / "package.json").write_text('{"dependencies": {"drizzle-orm": "0.45.4", "pg": "8"}}')
    (repo / "schema.ts").write_text(SCHEMA.format(column="email"))
    code, said = data("generate", "--repo", repo, "--name=init")
    assert (code, said["status"], said["migrations"]) == (0, "written", ["0000_init"]), said
    assert said["review"]["verdict"] == "pass"
    code, said = data("generate", "--repo", repo)
    assert (code, said["status"]) == (0, "nothing"), said
    (repo / "schema.ts").write_text(SCHEMA.format(column="mail"))
    code, said = data("generate", "--repo", repo)
    assert (code, said["status"]) == (1, "failed"), said
    assert "terminal" in said["reason"]


def test_generate_without_drizzle_kit(tmp_path: Path) -> None:
    """One sentence says what to install."""
    code, text = db("generate", "--repo", project(tmp_path))
    assert (code, "not installed" in text) == (2, True)


def test_generate_on_a_forked_history(tmp_path: Path) -> None:
    """drizzle-kit would build on one of two heads and say nothing."""
    project(tmp_path, names=("0000_a", "0001_b", "0001_c"))
    code, text = db("generate", "--repo", tmp_path)
    assert (code, "bulletproof sync" in text) == (2, True), text


def test_the_page_shows_schema_and_state(branch: EmbeddedBranch, tmp_path: Path) -> None:
    """Tables as a picture and as text, what is applied, nothing that runs, and no secret."""
    repo = project(tmp_path)
    with branch.connect() as session:
        for text in CHAIN[:2]:
            session.execute(text.encode())
    page = studio.page(target.of(url(branch)), source.read(repo))
    assert page.count("<rect") == 2
    assert page.count("<path") == 1
    assert "0 of 3 migrations applied" in page
    assert "&quot;users&quot;" in page or "users" in page
    assert "<script" not in page


def test_the_page_is_served_to_this_machine_only(branch: EmbeddedBranch, tmp_path: Path) -> None:
    """Other hosts' names (DNS rebinding) and other paths get nothing."""
    repo = project(tmp_path, (USERS,))
    arguments = [
        sys.executable,
        "-c",
        COMMAND,
        "studio",
        "--page",
        "--port",
        "0",
        "--url",
        url(branch),
        "--repo",
        str(repo),
    ]
    with subprocess.Popen(arguments, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        try:
            address = process.stderr.readline().split("http://")[1].split("/")[0]
            answers: list[int] = []
            for path, host in (("/", address), ("/x", address), ("/", "evil.example")):
                connection = http.client.HTTPConnection(address, timeout=20)
                connection.request("GET", path, headers={"Host": host})
                answers.append(connection.getresponse().status)
                connection.close()
        finally:
            process.terminate()
    assert answers == [200, 404, 404]
    assert rows_absent(branch)


@pytest.mark.node
@pytest.mark.parametrize("version", ["v0", pytest.param("v1", marks=pytest.mark.long)])
def test_the_repositorys_own_studio(branch: EmbeddedBranch, tmp_path: Path, version: Literal["v0", "v1"]) -> None:
    """Where drizzle-kit is installed, Drizzle Studio is opened on the database, whose address is on no command line; it ends with us."""
    repo = node_oracle.require(version).prepare(project(tmp_path, (USERS,), format=version))
    (repo / "schema.ts").write_text(SCHEMA.format(column="email"))
    (repo / "drizzle.config.ts").write_text(
        'export default { dialect: "postgresql", out: "./drizzle", schema: "./schema.ts", dbCredentials: { url: process.env.DATABASE_URL! } };\n'
    )
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    arguments = ["studio", "--port", str(port), "--url", url(branch).replace("@/", "@localhost/"), "--repo", str(repo)]
    with subprocess.Popen([sys.executable, "-c", COMMAND, *arguments], stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            said = next((line for line in process.stdout if "up and running" in line), "")
            assert str(port) in said
            listed = [reading(path) for path in Path("/proc").glob("[0-9]*/cmdline")]  # nothing where there is no /proc
            assert not any("neondb" in text for text in listed if "bin.cjs" in text and str(port) in text)
        finally:
            process.terminate()
    with pytest.raises(OSError, match=r"refused|reset"):
        socket.create_connection(("127.0.0.1", port), 1)


def reading(path: Path) -> str:
    """A file that may be gone."""
    try:
        return path.read_text(errors="replace")
    except OSError:
        return ""


def rows_absent(branch: EmbeddedBranch) -> bool:
    """Nothing was written."""
    with pytest.raises(Exception, match="does not exist"):
        rows(branch)
    return True


SPOKEN = (
    "CREATE ROLE reader;", "GRANT SELECT ON users TO reader;", "GRANT INSERT ON posts TO reader, bulletproof;", "COMMENT ON TABLE users IS 'people';",
    "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'select 1';", "REVOKE EXECUTE ON FUNCTION f() FROM public;",
    "GRANT UPDATE (title) ON posts TO reader;",
)  # fmt: skip


def test_privileges_and_comments_count_where_the_migrations_speak_of_them(
    branch: EmbeddedBranch, tmp_path: Path
) -> None:
    """What is granted or written beside is nobody's drift; what a migration granted, revoked or wrote, and is not so, is."""
    repo = project(tmp_path, (*CHAIN, *SPOKEN))
    assert db("migrate", "--url", url(branch), "--repo", repo)[0] == 0

    def drift(done: str) -> str | None:
        with branch.connect() as session:
            session.execute(done.encode())
        code, said = data("status", "--url", url(branch), "--repo", repo)
        found = said["environments"][0]["drift"]
        assert code == (0 if found is None else 1)
        return None if found is None else found["to_files"].strip()

    beside = "create role other; grant all on users to other; grant update on users to reader; grant execute on function f() to other;"
    assert (
        drift(
            f"{beside} comment on table posts is 'x'; comment on column users.id is 'y'; grant select (id) on posts to other"
        )
        is None
    )
    assert drift("revoke select on users from reader") == "GRANT SELECT ON TABLE public.users TO reader;"
    assert drift("grant select on users to reader; grant execute on function f() to public") is not None
    assert (
        drift("revoke execute on function f() from public; comment on table users is 'persons'")
        == "COMMENT ON TABLE public.users IS 'people';"
    )
    assert drift("comment on table users is 'people'; revoke update (title) on posts from reader") is not None
    assert drift("grant update (title) on posts to reader") is None


def test_a_grant_is_evidence(branch: EmbeddedBranch, tmp_path: Path) -> None:
    """A migration that only grants is recorded by sync where it was granted, and not where it was not."""
    repo = project(tmp_path, (*CHAIN, *SPOKEN[:2]))
    assert db("migrate", "--url", url(branch), "--repo", repo)[0] == 0
    with branch.connect() as session:
        session.execute("drop table drizzle.__drizzle_migrations; revoke select on users from reader")
    code, said = data("sync", "--url", url(branch), "--repo", repo)
    assert (code, said["point"] < 5) == (0, True), said
