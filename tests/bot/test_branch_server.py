"""Branches on a server that somebody named: made there, removed there, and nothing else is touched."""

import os
import re
import subprocess
import sys
import time
from pathlib import Path

import psycopg
import pytest
from conftest import GitRepo
from psycopg.conninfo import make_conninfo

from bot import cluster, demo
from bot.branches import Template, server
from bot.gate import reviewing
from checks.errors import CouldNotJudge, UserError

ROOT = Path(__file__).parents[2]


INSTALLED = sorted(Path("/usr/lib/postgresql").glob("1[45678]/bin"))


@pytest.fixture(
    scope="module",
    params=[None, *(pytest.param(folder, marks=pytest.mark.long) for folder in INSTALLED)],
    ids=["wheel", *(f"installed-{folder.parent.name}" for folder in INSTALLED)],
)
def superuser(request, tmp_path_factory):
    """The address of a server's superuser."""
    with cluster.persistent(tmp_path_factory.mktemp("server") / "state", request.param) as url:
        yield url


@pytest.fixture(scope="module")
def owner(superuser):
    """The address of a user who may create databases and roles, and no more."""
    with psycopg.connect(superuser, autocommit=True) as session:
        session.execute("CREATE ROLE maker LOGIN CREATEDB CREATEROLE PASSWORD 'hunter2'")
        session.execute("CREATE DATABASE theirs")
    return make_conninfo(superuser, user="maker", password="hunter2")


@pytest.fixture(params=["superuser", "owner"])
def address(request):
    """Both kinds of users."""
    return request.getfixturevalue(request.param)


@pytest.fixture
def untouched(superuser):
    """The server is as it was."""

    def state():
        with psycopg.connect(superuser) as session:
            return session.execute(
                "SELECT array(SELECT datname || datacl::text FROM pg_database ORDER BY 1), array(SELECT rolname FROM pg_roles ORDER BY 1)"
            ).fetchone()

    before = state()
    yield
    assert state() == before


def test_a_branch_comes_and_goes(address, untouched):
    """A database and a role of its own; the role may create objects and trusted extensions there, and no roles."""
    with server.Server(address).branch(extensions=["pg_trgm", "nonesuch"]) as branch:
        assert branch.missing_extensions == {"nonesuch"}
        assert not branch.may_create_roles
        with branch.connect() as session:
            session.execute("CREATE EXTENSION pg_trgm; CREATE TABLE t (x int); CREATE SCHEMA s")
            assert session.execute("SHOW TimeZone").fetchone() == ("UTC",)
            assert re.fullmatch("bulletproof_[0-9a-f]{8}", session.info.dbname)
            for sql in (
                "CREATE ROLE evil",
                "CREATE DATABASE evil",
                f"ALTER DATABASE {session.info.dbname} SET fsync = off",
                "COPY t TO PROGRAM 'id'",
            ):
                with pytest.raises(psycopg.errors.InsufficientPrivilege):
                    session.execute(sql)
        leftover = branch.connect()
    leftover.close()


def test_it_goes_when_the_block_fails(address, untouched):
    """Also in the middle of a transaction, and of a template's build."""

    def fail(branch):
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError), server.Server(address).branch(template=Template("x", fail)):
        pass
    with pytest.raises(ZeroDivisionError), server.Server(address).branch() as branch:  # noqa: PT012 - the block is what fails
        session = branch.connect(autocommit=False)
        session.execute("CREATE TABLE t (x int)")
        raise ZeroDivisionError
    session.close()


def test_it_is_stopped_when_its_time_is_over(address, untouched):
    """The role is locked out and its sessions ended, whatever its SQL has set."""
    with server.Server(address).branch(seconds=0.5) as branch, branch.connect() as session:
        with pytest.raises(psycopg.OperationalError):
            session.execute("SET statement_timeout = 0; SELECT pg_sleep(1000)")
        assert branch.stopped == "time"
        with pytest.raises(CouldNotJudge, match="stopped"):
            branch.connect()
    with (
        pytest.raises(CouldNotJudge, match="did not end within"),
        server.Server(address).branch(
            template=Template("forever", lambda branch: branch.connect().execute("SELECT pg_sleep(1000)")), seconds=0.5
        ),
    ):
        pass


def test_it_is_stopped_when_it_outgrows_its_room(address, untouched):
    """A database has no quota, so its size is watched."""
    with server.Server(address, room=60 << 20).branch(seconds=60) as branch, branch.connect() as session:
        with pytest.raises(psycopg.OperationalError):
            session.execute("CREATE TABLE t AS SELECT generate_series(1, 100000000), repeat('x', 500)")
        assert branch.stopped == "disk"


def test_leftovers_of_the_dead_are_swept_and_the_living_stay(address, untouched, superuser):
    """After `kill -9` the next branch removes what was left; look-alikes are nobody's but their owner's."""
    program = (
        "import sys\nfrom bot.branches.server import Server\n"
        "with Server(sys.argv[1]).branch() as branch, branch.connect() as session:\n"
        "    print(session.info.dbname, flush=True)\n    session.execute('SELECT pg_sleep(1000)')\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program, address],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        dead = process.stdout.readline().strip()
        process.kill()
        process.wait()
    with psycopg.connect(superuser, autocommit=True) as session:
        session.execute("CREATE ROLE bulletproof_0000000a")
        session.execute("CREATE DATABASE bulletproof_0000000a")
        try:
            deadline = time.monotonic() + 10
            while True:
                with (
                    server.Server(address).branch() as living,
                    server.Server(address).branch(),
                    living.connect() as alive,
                ):
                    assert alive.execute("SELECT 1").fetchone() == (1,)
                    names = {name for (name,) in session.execute("SELECT datname FROM pg_database")}
                if (
                    dead not in names or time.monotonic() > deadline
                ):  # the server takes a moment to see that its client died
                    break
                time.sleep(0.1)
            assert dead not in names
            assert "bulletproof_0000000a" in names
        finally:
            session.execute("DROP DATABASE bulletproof_0000000a")
            session.execute("DROP ROLE bulletproof_0000000a")


def test_what_is_wrong_with_an_address_is_said_without_its_password(owner):
    """Unreachable, refused, malformed, or without rights: a sentence, and never the password."""
    with (
        pytest.raises(CouldNotJudge, match=r"The database at 127\.0\.0\.1:1 cannot be reached") as caught,
        server.Server("postgresql://u:s3cret@127.0.0.1:1/x").branch(),
    ):
        pass
    assert "s3cret" not in str(caught.value)
    for malformed in ("postgresql://u:s3cret@[", "mysql://u:s3cret@h/x", "host"):
        with pytest.raises(UserError) as caught, server.Server(malformed).branch():
            pass
        assert "s3cret" not in str(caught.value)
    with (
        pytest.raises(CouldNotJudge, match="cannot be reached") as caught,
        server.Server(make_conninfo(owner, dbname="s3cret", password="s3cret")).branch(),
    ):
        pass
    with psycopg.connect(owner, autocommit=True) as session:
        session.execute("CREATE ROLE nothing LOGIN")
        with (
            pytest.raises(UserError, match="CREATEDB and CREATEROLE"),
            server.Server(make_conninfo(owner, user="nothing")).branch(),
        ):
            pass
        session.execute("DROP ROLE nothing")


def test_a_review_on_a_server(owner, untouched, tmp_path, monkeypatch):
    """With the provider `server` a review runs there, in databases and roles of its own, and leaves nothing behind."""
    demo.build(tmp_path / "shop")
    git = GitRepo(tmp_path / "shop").git
    monkeypatch.setenv("BULLETPROOF_BRANCH_PROVIDER", "server")
    monkeypatch.setenv("BULLETPROOF_BRANCH_SERVER_URL", owner)
    monkeypatch.setenv("BULLETPROOF_POSTGRES_BINDIR", "/nowhere")  # of a provider that is not chosen
    asked = reviewing.Request(
        path=str(tmp_path / "shop"), base=git("rev-parse", "main"), head=git("rev-parse", "clean")
    )
    outcome = reviewing.perform(asked)
    assert outcome.report is not None, outcome.why
    assert (outcome.report.verdict, outcome.report.replay.from_base, outcome.report.replay.from_zero) == (
        "pass",
        "ok",
        "ok",
    )
    monkeypatch.setenv("BULLETPROOF_BRANCH_SERVER_URL", "postgresql://u:s3cret@127.0.0.1:1/x")
    outcome = reviewing.perform(asked)
    assert outcome.report is not None
    assert outcome.report.verdict == "unjudged"
    assert "s3cret" not in outcome.model_dump_json()
