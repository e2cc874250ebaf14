"""Other programs that tell two PostgreSQL schemas apart, each installed once into the user's cache, for the benchmarks alone.

* migra, from PyPI: deprecated, and broken with SQLAlchemy 2.1, whose default driver is another; it wants psycopg2.
* pg-delta, from npm (`@supabase/pg-delta`, an alpha): its lock file is beside the oracles of the tests.
"""

import fcntl
import os
import subprocess
import sys
from pathlib import Path

from tests import node_oracle

_MIGRA = (
    *("migra==3.0.1663481299", "schemainspect==3.1.1663587362", "sqlbag==0.1.1617247075", "six==1.17.0"),
    *("sqlalchemy==2.0.44", "psycopg2-binary==2.9.11", "setuptools==80.9.0", "packaging==25.0"),
)


class PeerMissingError(Exception):
    """Why a peer cannot be asked here."""


def migra() -> list[str]:
    """The command; two addresses are to follow.

    Raises:
        PeerMissingError: it could not be installed.
    """
    root = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "bulletproof-tests"
    root.mkdir(parents=True, exist_ok=True)
    folder = root / "migra-1"
    with (root / "migra.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "installed").exists():
            _run([sys.executable, "-m", "venv", "--clear", str(folder)])
            _run([str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet", "--no-input", *_MIGRA])
            (folder / "installed").touch()
    return [str(folder / "bin" / "migra"), "--unsafe"]


def pg_delta() -> list[str]:
    """The command; `--source URL --desired URL` is to follow.

    Raises:
        PeerMissingError: it could not be installed.
    """
    try:
        folder = node_oracle.installed("pgdelta")
    except node_oracle.NodeMissing as error:
        raise PeerMissingError(str(error)) from error
    return ["node", str(folder / "node_modules" / "@supabase" / "pg-delta" / "dist" / "cli" / "main.js"), "diff"]


def _run(command: list[str]) -> None:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise PeerMissingError(str(error)) from error
    if done.returncode:
        raise PeerMissingError((done.stderr.strip() or "no message").splitlines()[-1])
