"""The blank cluster that every branch begins as: one database, one role without rights, nothing to break out with."""

import hashlib
from pathlib import Path
from typing import LiteralString

from bot import cluster

from .binaries import Binaries
from .owner import Owner

ROLE = "bulletproof"

# Nothing here outlives the review, so nothing is synced; no process runs that is not needed; every number bounds what
# hostile SQL can take. 16 sessions of 400 locks are the lock table of a server with PostgreSQL's own defaults.
_SETTINGS = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "autovacuum": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "max_wal_size": "256MB",
    "min_wal_size": "2MB",  # spare log files would be copied with every branch
    "wal_recycle": "off",  # nor old ones
    "checkpoint_timeout": "1h",
    "jit": "off",
    "shared_buffers": "16MB",
    "max_connections": "16",
    "max_locks_per_transaction": "400",
    "max_worker_processes": "0",
    "max_parallel_maintenance_workers": "0",
    "max_logical_replication_workers": "0",
    "temp_file_limit": "256MB",
    "dynamic_shared_memory_type": "mmap",
    "huge_pages": "off",
    "update_process_title": "off",
    "log_min_messages": "fatal",  # RAISE LOG in a loop would fill the disk
    "log_min_error_statement": "panic",
    "TimeZone": "UTC",
    "log_timezone": "UTC",
}
_SINCE = {16: {"createrole_self_grant": "set, inherit"}, 18: {"io_method": "sync"}}

# Until version 15, CREATEROLE may grant every role that is no superuser's; these would be a shell and the disk for whoever
# asks. PostgreSQL knows them by number, so without their rows nobody can be a member, and no new role can take the place.
# https://www.postgresql.org/docs/15/predefined-roles.html
_NO_ESCAPE: LiteralString = (
    "DELETE FROM pg_catalog.pg_authid WHERE rolname IN"
    " ('pg_execute_server_program', 'pg_read_server_files', 'pg_write_server_files', 'pg_signal_backend', 'pg_checkpoint')"
)
# From version 16 on, only who has a role WITH ADMIN may grant it; chains give these to roles for reading and monitoring.
_GRANTABLE: LiteralString = (
    "GRANT pg_read_all_data, pg_write_all_data, pg_monitor TO bulletproof WITH ADMIN TRUE, INHERIT FALSE, SET FALSE"
)
_KEPT_AS = "a pack"  # how templates lie in their folder; another word makes them anew
_RENAME: tuple[LiteralString, ...] = ("ALTER DATABASE postgres RENAME TO neondb",)
_PREPARE: tuple[LiteralString, ...] = (
    # CREATEDB, because from version 16 on only who has it may give it, as `pgRole(…, { createDb: true })` does. Nothing comes of
    # it here: there is no template to make a database from, and this one is not its own to copy.
    "CREATE ROLE bulletproof LOGIN NOSUPERUSER CREATEDB CREATEROLE NOREPLICATION BYPASSRLS",
    "REVOKE CONNECT ON DATABASE neondb FROM PUBLIC",
    # Not its owner, who may change the settings of every session, but able to grant on it, as chains do.
    "GRANT ALL ON DATABASE neondb TO bulletproof WITH GRANT OPTION",
    "ALTER SCHEMA public OWNER TO bulletproof",
    # One database instead of three: a branch is copied in a third of the time, and there is no other to connect to.
    "ALTER DATABASE template0 IS_TEMPLATE false",
    "DROP DATABASE template0",
    "ALTER DATABASE template1 IS_TEMPLATE false",
    "DROP DATABASE template1",
)


def settings(binaries: Binaries) -> dict[str, str]:
    """What the cluster is started with, always."""
    return _SETTINGS | {
        name: value for since, more in _SINCE.items() if binaries.major >= since for name, value in more.items()
    }


def key(binaries: Binaries) -> str:
    """Differs wherever the blank cluster would."""
    made_of = repr((_KEPT_AS, binaries.key, _PREPARE, _NO_ESCAPE, _GRANTABLE, sorted(settings(binaries).items())))
    return f"blank-{hashlib.sha256(made_of.encode()).hexdigest()[:16]}"


def make(binaries: Binaries, folder: Path, owner: Owner) -> None:
    """Make it in `folder`/data, and leave it stopped."""
    data = folder / "data"
    cluster.initialise(binaries, data, owner)
    server = cluster.start(binaries, data, folder, owner, settings(binaries), disposable=folder)
    try:
        for database, statements in (("template1", _RENAME), (cluster.DATABASE, _PREPARE)):
            with cluster.connect(folder, cluster.SUPERUSER, database=database) as session:
                for statement in statements:
                    session.execute(statement)
                if statements is _PREPARE:
                    session.execute(_NO_ESCAPE if binaries.major < 16 else _GRANTABLE)
        server.stop()
    finally:
        server.kill()
