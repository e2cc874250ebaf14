"""Branch databases come and go: made fast, shared as templates, cleaned up whatever happens."""

import hashlib
import hmac
import os
import signal
import threading
import time
import uuid
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest

from bot.branches import Template, embedded, folders, orphans
from checks.errors import CouldNotJudge, UserError
from tests.bot.branch_samples import python, value


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """A data folder that these tests share, so that programs are copied and initialised once."""
    return tmp_path_factory.mktemp("data")


@pytest.fixture
def provider(data):
    """Branches of the wheel's PostgreSQL."""
    return embedded.Embedded(data)


def table(branch):
    """A template's build."""
    with branch.connect() as session:
        session.execute("CREATE TABLE t AS SELECT 1 AS x")


def test_a_branch_is_an_empty_database_in_utc_and_utf8(provider):
    """Whatever our own environment says."""
    with provider.branch() as branch, branch.connect() as session:
        assert session.execute(
            "SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace"
        ).fetchone() == (0,)
        shown = {
            name: session.execute(f"SHOW {name}").fetchone()[0]
            for name in ("TimeZone", "server_encoding", "search_path")
        }
        assert shown == {"TimeZone": "UTC", "server_encoding": "UTF8", "search_path": '"$user", public'}
        assert session.info.server_version == branch.version


def test_the_environment_has_no_say(provider, monkeypatch):
    """Libpq reads a dozen variables; a branch is the same with all of them."""
    for name, text in {
        "PGTZ": "Asia/Tokyo",
        "PGUSER": "x",
        "PGDATABASE": "x",
        "PGHOST": "nowhere.invalid",
        "PGPORT": "1",
        "PGOPTIONS": "-c search_path=x",
        "PGSSLMODE": "require",
        "PGCLIENTENCODING": "LATIN1",
    }.items():
        monkeypatch.setenv(name, text)
    with provider.branch() as branch, branch.connect() as session:
        assert session.execute(
            "SELECT current_setting('TimeZone'), current_setting('client_encoding'), current_setting('search_path')"
        ).fetchone() == ("UTC", "UTF8", '"$user", public')


def test_nothing_is_left_after_success_or_failure(provider):
    """No folder, no process, also when the block raises."""
    runs = provider._place.folders.runs
    with provider.branch() as branch:
        (mine,) = [p for p in runs.iterdir() if p == branch._sockets]
        assert len(orphans.processes(mine)) > 1
    assert not mine.exists()
    with pytest.raises(ZeroDivisionError), provider.branch() as branch:
        1 / (mine := branch._sockets).name.count("/")
    assert not mine.exists()
    assert not mine.with_suffix(".lock").exists()
    assert orphans.processes(mine) == []


def test_a_template_is_built_once(provider):
    """The second branch of the same base pays for a copy only, in a new process too."""
    built = []

    def build(branch):
        built.append(1)
        table(branch)

    for _ in range(2):
        with provider.branch(template=Template("once", build)) as branch:
            assert value(branch, "SELECT x FROM t") == 1
    with embedded.Embedded(provider._data_dir).branch(template=Template("once", build)) as branch:
        assert value(branch, "SELECT x FROM t") == 1
    assert built == [1]


def test_two_reviews_build_the_same_template_at_once(provider):
    """One builds, the other waits and copies."""
    built, seen = [], []

    def build(branch):
        built.append(1)
        time.sleep(0.3)
        table(branch)

    def review():
        with embedded.Embedded(provider._data_dir).branch(template=Template("at once", build)) as branch:
            seen.append(value(branch, "SELECT x FROM t"))

    threads = [threading.Thread(target=review) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (built, seen) == ([1], [1, 1, 1, 1])


def test_a_failed_build_leaves_no_template(provider):
    """Its error is the caller's, and the next one starts anew."""

    def fail(branch):
        table(branch)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError), provider.branch(template=Template("failed", fail)):
        pass
    with provider.branch(template=Template("failed", table)) as branch:
        assert value(branch, "SELECT x FROM t") == 1


@pytest.mark.parametrize("swallow", [False, True])
def test_a_build_without_end_is_stopped_and_said(provider, swallow):
    """Nothing was judged, which is no pass; also where the build catches the error itself."""

    def forever(branch):
        try:
            value(branch, "SELECT pg_sleep(1000)")
        except psycopg.OperationalError:
            if not swallow:
                raise

    with (
        pytest.raises(CouldNotJudge, match="did not end within 1 second"),
        provider.branch(template=Template(f"forever {swallow}", forever), seconds=1),
    ):
        pass


def test_a_branch_whose_time_is_over_says_so(provider):
    """`stopped` tells why; a new session is refused in a plain sentence."""
    with provider.branch(seconds=0.5) as branch:
        assert branch.stopped is None
        with pytest.raises(psycopg.OperationalError):
            value(branch, "SELECT pg_sleep(1000)")
        assert branch.stopped == "time"
        with pytest.raises(CouldNotJudge, match="stopped"):
            branch.connect()


def test_extensions_that_are_not_there_are_named(provider):
    """The rest of the review goes on without them."""
    with provider.branch(extensions=["vector", "postgis", "dblink", "uuid-ossp"]) as branch:
        assert branch.missing_extensions == {"postgis", "dblink"}
        with branch.connect() as session:
            session.execute(
                "CREATE EXTENSION vector; CREATE TABLE t (x vector(3)); CREATE INDEX ON t USING hnsw (x vector_l2_ops)"
            )


def test_what_only_a_superuser_may_create_is_there_before_the_chain(data, tmp_path):
    """Where an extension's script is not safe in the hands of hostile SQL (postgis), IF NOT EXISTS finds it."""
    provider = embedded.Embedded(data)
    place = provider._place
    provider.__dict__["_place"] = replace(place, binaries=replace(place.binaries, before=frozenset({"file_fdw"})))
    for template in (None, Template("file_fdw", table)):
        with provider.branch(template=template, extensions=["file_fdw"]) as branch:
            assert branch.missing_extensions == frozenset()
            with branch.connect() as session:
                session.execute("CREATE EXTENSION IF NOT EXISTS file_fdw")


def test_uuid_and_crypto_functions_agree_with_others(provider):
    """The shims give what uuid and hashlib give."""
    with provider.branch() as branch, branch.connect() as session:
        session.execute(
            'CREATE SCHEMA e; CREATE EXTENSION "uuid-ossp" SCHEMA e; CREATE EXTENSION pgcrypto SCHEMA e; SET search_path = e'
        )

        def ask(sql, *values):
            return session.execute(f"SELECT {sql}", values).fetchone()[0]

        for length in (0, 1, 27, 28, 31, 32, 59, 60, 63, 64, 500):
            name = "é" * length
            assert ask("uuid_generate_v5(uuid_ns_dns(), %s)", name) == uuid.uuid5(uuid.NAMESPACE_DNS, name)
            assert ask("uuid_generate_v3(uuid_ns_url(), %s)", name) == uuid.uuid3(uuid.NAMESPACE_URL, name)
            for kind in ("md5", "sha1", "sha224", "sha256", "sha384", "sha512"):
                assert ask("digest(%s::text, %s)", name, kind) == hashlib.new(kind, name.encode()).digest()
                assert ask("hmac(%s::text, %s, %s)", "data", name, kind) == hmac.digest(name.encode(), b"data", kind)
        assert [ask(f"uuid_generate_{kind}()").version for kind in ("v1", "v1mc", "v4")] == [1, 1, 4]
        assert len(ask("gen_random_bytes(100)")) == 100
        for kind in ("bf", "md5", "xdes", "des"):
            assert ask(
                "bool_and(h = crypt('a', h) AND h <> crypt('b', h)) FROM (SELECT crypt('a', gen_salt(%s)) h FROM generate_series(1, 20)) s",
                kind,
            )
        with pytest.raises(psycopg.errors.FeatureNotSupported, match="pgp_sym_encrypt"):
            ask("pgp_sym_encrypt('a', 'b')")


def test_the_users_own_files_load_as_superuser_and_belong_to_the_role(provider):
    """A set-up may do what migrations may not; afterwards the role owns what was made, and has no more rights than before."""
    with provider.branch() as branch:
        with branch.admin() as session:
            session.execute("CREATE TABLE t (x int); CREATE EXTENSION dblink; CREATE ROLE big SUPERUSER")
        with branch.connect() as session:
            session.execute("ALTER TABLE t ADD COLUMN y int")
            assert session.execute("SHOW is_superuser").fetchone() == ("off",)
        with pytest.raises(RuntimeError, match="before connect"), branch.admin():
            pass


def test_trouble_with_the_disk_is_said(data):
    """A folder that vanished or a full disk judges nothing, and is no traceback."""
    provider = embedded.Embedded(data)
    place = provider._place
    provider.__dict__["_place"] = replace(place, folders=replace(place.folders, runs=data / "vanished"))
    with pytest.raises(CouldNotJudge, match="could not be made: No such file"), provider.branch():
        pass
    with pytest.raises(UserError, match="cannot be made"):
        embedded.Embedded(Path("/proc/nowhere")).prepare()


def test_errors_of_the_block_are_its_own(provider):
    """Only making a branch is our trouble."""
    with pytest.raises(FileNotFoundError), provider.branch():
        raise FileNotFoundError


def gone(folder, seconds=8.0):
    """Whether every process in the folder ends within that time."""
    deadline = time.monotonic() + seconds
    while orphans.processes(folder) and time.monotonic() < deadline:
        time.sleep(0.02)
    return not orphans.processes(folder)


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_killed_at_any_moment_nothing_stays(provider, how):
    """The cluster ends by itself within moments; what is on disk goes then, or with the next start."""
    with python(provider._data_dir, "wait") as process:
        folder = Path(process.stdout.readline().split()[1])
        process.send_signal(how)
        process.communicate(timeout=20)
    assert gone(folder)
    folders.sweep(provider._place.folders)
    assert not folder.exists()
    assert not folder.with_suffix(".lock").exists()


def test_a_cluster_whose_watcher_died_too_is_swept(provider):
    """`kill -9` of everything but the postmaster: the next start finds it by its lock, and ends it."""
    with python(provider._data_dir, "wait") as process:
        folder = Path(process.stdout.readline().split()[1])
        watchers = [
            int(p.name)
            for p in Path("/proc").iterdir()
            if p.name.isdigit() and str(folder).encode() in _words(p) and b"read _" in _words(p)
        ]
        assert len(watchers) == 1
        for pid in (*watchers, process.pid):
            os.kill(pid, signal.SIGKILL)
        process.communicate(timeout=20)
    assert orphans.processes(folder)
    with embedded.Embedded(provider._data_dir).branch():
        pass
    assert not orphans.processes(folder)
    assert not folder.exists()


def _words(process):
    try:
        return (process / "cmdline").read_bytes()
    except OSError:
        return b""


def test_the_sweep_leaves_the_living_alone(provider):
    """A folder whose lock is held belongs to a review that runs."""
    with provider.branch() as branch:
        folders.sweep(provider._place.folders)
        assert value(branch, "SELECT 1") == 1


def test_a_branch_may_give_way_to_others(provider):
    """Its sessions, from then on, go behind other processes where processors are few; they do the same as ever."""
    with provider.branch() as branch:
        branch.give_way()
        with branch.connect() as session:
            assert os.getpriority(os.PRIO_PROCESS, session.info.backend_pid) > os.getpriority(os.PRIO_PROCESS, 0)
