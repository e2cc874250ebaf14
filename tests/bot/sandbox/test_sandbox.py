"""Each test is one attack of hostile SQL: none escapes, gains rights, or reaches another review."""

import os
from pathlib import Path

import psycopg
import pytest

from bot import cluster
from bot.branches import Template, embedded, orphans
from tests.bot.sandbox.attacked import attacker, refused


@pytest.fixture(scope="module")
def common(provider):
    """One branch for all statements that are refused, and so change nothing."""
    with provider.branch(seconds=600) as branch:
        yield branch


@pytest.fixture
def refusing(common):
    """A new session of that branch."""
    with attacker(common) as session:
        yield session


@pytest.mark.parametrize(
    "sql",
    [
        "COPY (SELECT 1) TO PROGRAM 'id > /tmp/bulletproof-escaped'",
        "CREATE TABLE t (x text); COPY t FROM PROGRAM 'id'",
        "CREATE TABLE t (x text); COPY t FROM '/etc/passwd'",
        "CREATE TABLE t (x text); COPY t FROM '/proc/self/environ'",
        "COPY (SELECT 1) TO '/tmp/bulletproof-escaped'",
        "SELECT pg_read_file('/etc/passwd')",
        "SELECT pg_read_binary_file('PG_VERSION')",
        "SELECT pg_ls_dir('/')",
        "SELECT pg_stat_file('/etc/passwd')",
        "SELECT lo_import('/etc/passwd')",
        "SELECT lo_export(lo_from_bytea(0, 'x'), '/tmp/bulletproof-escaped')",
    ],
)
def test_files_and_programs_are_out_of_reach(refusing, sql):
    """No statement reads or writes a file of the host, or runs a program there."""
    refused(refusing, sql)
    assert not Path("/tmp/bulletproof-escaped").exists()


@pytest.mark.parametrize(
    "name", ["dblink", "postgres_fdw", "file_fdw", "pageinspect", "adminpack", "plpython3u", "http", "xml2"]
)
def test_extensions_that_reach_out_cannot_be_created(refusing, name):
    """Whatever an installation brings, what reaches files, programs or the network stays closed."""
    refused(refusing, f'CREATE EXTENSION "{name}"', "42501", "58P01", "0A000")


@pytest.mark.parametrize(
    "name", ["citext", "pg_trgm", "hstore", "btree_gist", "ltree", "pg_stat_statements", "uuid-ossp", "pgcrypto"]
)
def test_harmless_extensions_can_be_created(session, name):
    """The chain's own CREATE EXTENSION works, also for those that PostgreSQL itself does not trust."""
    session.execute(f'CREATE EXTENSION "{name}"')


@pytest.mark.parametrize(
    "sql",
    [
        "CREATE FUNCTION f() RETURNS int LANGUAGE c AS '/lib/x86_64-linux-gnu/libc.so.6', 'getpid'",
        "CREATE FUNCTION f(cstring) RETURNS int LANGUAGE internal AS 'pg_read_file'",
        "LOAD '/tmp/evil.so'",
        "CREATE LANGUAGE plpython3u",
        "CREATE TRUSTED LANGUAGE evil HANDLER plpgsql_call_handler",
    ],
)
def test_machine_code_cannot_be_loaded(refusing, sql):
    """No language but the trusted ones."""
    refused(refusing, sql, "42501", "0A000", "58P01")


@pytest.mark.parametrize(
    "sql",
    [
        "ALTER ROLE CURRENT_USER SUPERUSER",
        "ALTER ROLE CURRENT_USER REPLICATION",
        "CREATE ROLE evil SUPERUSER",
        "CREATE ROLE evil REPLICATION",
        f"SET ROLE {cluster.SUPERUSER}",
        f"SET SESSION AUTHORIZATION {cluster.SUPERUSER}",
        f"GRANT {cluster.SUPERUSER} TO CURRENT_USER",
        f"ALTER ROLE {cluster.SUPERUSER} PASSWORD 'x'",
        f"DROP ROLE {cluster.SUPERUSER}",
        "UPDATE pg_authid SET rolsuper = true",
        "INSERT INTO pg_auth_members SELECT 1, 2, 3",
    ],
)
def test_the_role_cannot_become_more_than_it_is(refusing, sql):
    """It may create roles, and none of them is a superuser."""
    refused(refusing, sql, "42501", "42P17", "2BP01", "42601", "42804")


@pytest.mark.parametrize(
    "name", ["pg_execute_server_program", "pg_read_server_files", "pg_write_server_files", "pg_signal_backend"]
)
def test_predefined_roles_that_reach_out_cannot_be_granted(session, name):
    """Until version 15 CREATEROLE could grant them to itself: there they do not exist. Nor through a role in between."""
    session.execute("CREATE ROLE between")
    refused(session, f"GRANT {name} TO CURRENT_USER", "42501", "42704")
    refused(session, f"GRANT {name} TO between", "42501", "42704")
    refused(session, f"CREATE ROLE {name}", "42939")
    refused(session, "COPY (SELECT 1) TO PROGRAM 'id'")


def test_roles_can_be_created_granted_and_used(session):
    """Chains do that: create a role, own things as it, grant to it, write policies for it."""
    session.execute("CREATE ROLE app NOLOGIN; CREATE ROLE reader")
    session.execute(
        "CREATE TABLE t (x int); GRANT CREATE ON SCHEMA public TO app; GRANT app TO CURRENT_USER; ALTER TABLE t OWNER TO app; GRANT app TO reader; SET ROLE app; RESET ROLE"
    )
    session.execute("GRANT pg_read_all_data, pg_monitor TO reader")
    session.execute("GRANT CONNECT ON DATABASE neondb TO reader; GRANT USAGE ON SCHEMA public TO reader")
    session.execute(
        "CREATE TABLE p (x int); ALTER TABLE p ENABLE ROW LEVEL SECURITY; CREATE POLICY q ON p TO app USING (true)"
    )


@pytest.mark.parametrize(
    "sql",
    [
        "ALTER DATABASE neondb SET search_path = evil",
        "ALTER DATABASE neondb OWNER TO CURRENT_USER",
        "ALTER DATABASE neondb RENAME TO evil",
        "DROP DATABASE neondb",
        "CREATE DATABASE other",
        "CREATE DATABASE other TEMPLATE neondb",
        "CREATE TABLESPACE evil LOCATION '/tmp'",
        "ALTER SYSTEM SET fsync = on",
        "ALTER SYSTEM SET archive_command = 'id'",
        "SET session_replication_role = replica",
        "SET log_min_messages = debug5",
        "SET temp_file_limit = -1",
        "SET session_preload_libraries = 'evil'",
        "SELECT pg_reload_conf()",
        "SELECT pg_rotate_logfile()",
        "CREATE SUBSCRIPTION s CONNECTION 'host=example.org' PUBLICATION p",
        "CREATE EVENT TRIGGER e ON ddl_command_start EXECUTE FUNCTION pg_catalog.suppress_redundant_updates_trigger()",
        "BEGIN; SELECT 1; PREPARE TRANSACTION 'x'",
        "SELECT pg_create_physical_replication_slot('s')",
        "CREATE FOREIGN DATA WRAPPER w",
        "CHECKPOINT",
    ],
)
def test_the_cluster_cannot_be_changed(refusing, sql):
    """Databases, files, settings and processes of the cluster are not the role's."""
    refused(refusing, sql, "42501", "25P01", "55006", "42704", "3D000", "42P17", "42939", "55000")


def test_there_is_nobody_else_to_see(session):
    """One database, and no roles but the cluster's own: nothing of other reviews can be listed."""
    assert session.execute("SELECT datname FROM pg_database").fetchall() == [("neondb",)]
    roles = {name for (name,) in session.execute("SELECT rolname FROM pg_roles WHERE rolname !~ '^pg_'")}
    assert roles == {embedded.blank.ROLE, cluster.SUPERUSER}


def test_the_environment_of_the_postmaster_is_bare(branch, monkeypatch, runs):
    """Secrets of ours are in no process of the cluster, should anything there ever be read."""
    for folder in runs.iterdir():
        for pid in orphans.processes(folder):
            names = {part.split(b"=")[0] for part in Path(f"/proc/{pid}/environ").read_bytes().split(b"\0") if part}
            assert names <= {
                b"PATH",
                b"LC_ALL",
                b"TZ",
                b"PWD",
                b"OLDPWD",
                b"_",
                b"SHLVL",
                b"PGLOCALEDIR",
                b"PGSYSCONFDIR",
                b"LC_COLLATE",
                b"LC_CTYPE",
                b"LC_MESSAGES",
                b"LC_MONETARY",
                b"LC_NUMERIC",
                b"LC_TIME",
            }
            assert os.geteuid() or Path(f"/proc/{pid}").stat().st_uid


def test_sessions_of_others_cannot_be_ended(branch, session, runs):
    """Not even the superuser's in the same cluster; other clusters are not even visible."""
    with branch._open(cluster.SUPERUSER) as admin:
        pid = admin.info.backend_pid
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            session.execute("SELECT pg_terminate_backend(%s)", [pid])
        assert session.execute("SELECT query FROM pg_stat_activity WHERE pid = %s", [pid]).fetchone() == (
            "<insufficient privilege>",
        )


def test_a_trojan_runs_only_as_its_maker(session):
    """An overload in `public` that introspection might call has no more rights than the one who made it."""
    session.execute(
        "CREATE FUNCTION public.format_type(oid, bigint) RETURNS text LANGUAGE plpgsql AS"
        " $$ BEGIN EXECUTE 'CREATE ROLE evil SUPERUSER'; RETURN 'x'; END $$"
    )
    refused(session, "SELECT format_type(atttypid, 5::bigint) FROM pg_attribute LIMIT 1")


def test_reset_role_leads_nowhere(session):
    """The session was opened as the role itself: there is nobody to fall back to."""
    session.execute("RESET ROLE; RESET SESSION AUTHORIZATION")
    session.execute("DISCARD ALL")
    assert session.execute("SELECT current_user, session_user").fetchone() == (embedded.blank.ROLE, embedded.blank.ROLE)


def test_psql_commands_are_only_syntax_errors(session):
    r"""`\!` runs on the machine when psql applies a file; a driver knows no such thing."""
    refused(session, "\\! touch /tmp/bulletproof-escaped\n", "42601")
    assert not Path("/tmp/bulletproof-escaped").exists()


def test_a_role_that_locks_itself_out_is_a_plain_error(provider, runs):
    """What hostile SQL breaks for itself is said, not raised as a bug."""
    with provider.branch() as branch:
        with branch.connect() as session:
            try:
                session.execute("ALTER ROLE CURRENT_USER NOLOGIN")
            except psycopg.errors.InsufficientPrivilege:
                pytest.skip("this version does not let a role do that to itself")
        with pytest.raises(embedded.CouldNotJudge, match="takes no session"):
            branch.connect()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("statement_timeout", "1"),
        ("lock_timeout", "1"),
        ("default_transaction_read_only", "on"),
        ("local_preload_libraries", "nothing"),
        ("TimeZone", "Asia/Tokyo"),
        ("client_encoding", "SQL_ASCII"),
    ],
)
def test_what_a_role_sets_for_its_sessions_does_not_reach_ours(common, name, value):
    """A migration cannot make the looks after it fail, stop or see otherwise."""
    with common.connect() as session:
        before = session.execute(f"SHOW {name}").fetchone()
        session.execute(f"ALTER ROLE CURRENT_USER SET {name} = '{value}'")
    try:
        with common.connect() as session:
            assert session.execute(f"SHOW {name}").fetchone() == before
    finally:
        with common.connect() as session:
            session.execute(f"ALTER ROLE CURRENT_USER RESET {name}")


def test_extension_scripts_cannot_be_hijacked(session):
    """CREATE EXTENSION runs as superuser; objects that wait in its schema are refused, not run or replaced."""
    session.execute(
        "CREATE SCHEMA trap; CREATE FUNCTION trap.uuid_nil() RETURNS uuid LANGUAGE sql AS 'SELECT NULL::uuid'"
    )
    refused(session, 'CREATE EXTENSION "uuid-ossp" SCHEMA trap', "42723", "42710", "55000")


def test_a_template_is_not_reached_from_a_copy(provider, runs):
    """What one review does to its copy is in no other copy."""

    def build(branch):
        with branch.connect() as session:
            session.execute("CREATE TABLE t (x int)")

    template = Template("sandbox-copy", build)
    with provider.branch(template=template) as first, first.connect() as session:
        session.execute("DROP TABLE t; CREATE ROLE evil LOGIN; ALTER ROLE CURRENT_USER SET search_path = evil")
    with provider.branch(template=template) as second, second.connect() as session:
        assert session.execute("SELECT count(*) FROM t").fetchone() == (0,)
        assert session.execute("SELECT 1 FROM pg_roles WHERE rolname = 'evil'").fetchone() is None


@pytest.mark.parametrize("attributes", ["CREATEDB", "CREATEROLE", "CREATEDB CREATEROLE NOINHERIT"])
def test_a_chain_may_make_the_roles_that_drizzle_writes(session, attributes):
    """`pgRole(…, { createDb, createRole })` runs here, and still no database can be made."""
    session.execute(f"CREATE ROLE made WITH {attributes}")
    session.execute("ALTER ROLE made CREATEDB CREATEROLE")
