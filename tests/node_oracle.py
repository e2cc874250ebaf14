"""The real drizzle-kit and drizzle-orm, for tests that ask them for the truth.

`node_oracle.require("v0")` gives a folder in which Drizzle is installed, or skips the test with the reason. Packages are
installed once a lock file, into the user's cache, so a second run needs no network.
"""

import fcntl
import hashlib
import json
import os
import shutil
import subprocess
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

import pytest

SOURCES = Path(__file__).parent / "node"
Version = Literal["v0", "v1", "sarif", "pgdelta"]


class NodeMissing(Exception):  # noqa: N818 - a reason to skip, not an error
    """Why Node.js cannot be asked here."""


@dataclass(frozen=True)
class Oracle:
    """One installed generation of Drizzle.

    Attributes:
        version: `v0` (drizzle-kit 0.31, drizzle-orm 0.45) or `v1` (1.0 release candidates).
        folder: holds `node_modules`.
    """

    version: Version
    folder: Path

    def prepare(self, project: Path) -> Path:
        """Let code in `project` import drizzle-orm: link `node_modules` into it."""
        project.mkdir(parents=True, exist_ok=True)
        link = project / "node_modules"
        if not link.exists():
            link.symlink_to(self.folder / "node_modules", target_is_directory=True)
        return project

    def kit(self, project: Path, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run drizzle-kit in `project`, e.g. `kit(project, "generate", "--name=init")`."""
        self.prepare(project)
        return self._run(
            ["node", str(self.folder / "node_modules/drizzle-kit/bin.cjs"), *arguments], project, check=check
        )

    def script(
        self, source: str, project: Path, *, stdin: str = "", check: bool = True
    ) -> subprocess.CompletedProcess[str]:
        """Run an ES module (`.mjs` text) in `project`; it may import drizzle-orm, pg and postgres."""
        self.prepare(project)
        name = f".oracle-{hashlib.sha256(source.encode()).hexdigest()[:12]}.mjs"
        (project / name).write_text(source, encoding="utf-8")
        return self._run(["node", name], project, stdin=stdin, check=check)

    def ask(self, source: str, project: Path, question: Any = None) -> Any:
        """Run an ES module that reads JSON from stdin and prints JSON."""
        return json.loads(self.script(source, project, stdin=json.dumps(question)).stdout)

    def _run(
        self, command: list[str], cwd: Path, *, stdin: str = "", check: bool = True
    ) -> subprocess.CompletedProcess[str]:
        quiet = {**os.environ, "NO_COLOR": "1", "CI": "1", "TZ": "UTC"}
        done = subprocess.run(
            command,
            cwd=cwd,
            input=stdin,
            text=True,
            encoding="utf-8",
            capture_output=True,
            timeout=120,
            env=quiet,
            check=False,
        )
        if check and done.returncode:
            pytest.fail(f"{' '.join(command)} ended with {done.returncode}:\n{done.stdout}\n{done.stderr}")
        return done


def require(version: Version) -> Oracle:
    """The oracle of that generation; skips the test where it cannot be had, and says why."""
    try:
        return Oracle(version, installed(version))
    except NodeMissing as reason:
        pytest.skip(str(reason))


@cache
def installed(version: Version) -> Path:
    """The folder with that generation's `node_modules`, installed when it is not there yet.

    Raises:
        NodeMissing: there is no Node.js or npm, or npm could not install.
    """
    if shutil.which("node") is None or shutil.which("npm") is None:
        raise NodeMissing("Node.js and npm are not here, so the real Drizzle cannot be asked")
    source = SOURCES / version
    key = hashlib.sha256((source / "package-lock.json").read_bytes()).hexdigest()[:16]
    root = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "bulletproof-tests"
    try:
        root.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise NodeMissing(f"no cache folder for the real Drizzle: {error}") from error
    folder = root / f"{version}-{key}"
    with (root / f"{version}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # parallel test workers install once
        if not (folder / "installed").exists():
            _install(source, folder)
    return folder


def _install(source: Path, folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for name in ("package.json", "package-lock.json", ".npmrc"):
        shutil.copy(source / name, folder / name)
    # No install script is run: esbuild's binary comes as an optional package of the platform.
    command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline"]
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=240, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise NodeMissing(f"npm could not install the real Drizzle: {error}") from error
    if done.returncode:
        last = (done.stderr.strip() or "no message").splitlines()[-1]
        raise NodeMissing(f"npm could not install the real Drizzle: {last}")
    (folder / "installed").touch()


@pytest.fixture(scope="session")
def drizzle_v0() -> Oracle:
    """The real Drizzle, generation v0."""
    return require("v0")


@pytest.fixture(scope="session")
def drizzle_v1() -> Oracle:
    """The real Drizzle, generation v1."""
    return require("v1")
