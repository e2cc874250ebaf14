"""The repository's own drizzle-kit, on a developer's own machine: found, run, and not trusted to say how it ended."""

import os
import posixpath
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from bot.database.source import Source
from checks.errors import UserError

_PROGRAM = ("node_modules", "drizzle-kit", "bin.cjs")
_SECONDS = 300.0


@dataclass(frozen=True, slots=True)
class Kit:
    """How drizzle-kit is started: from the folder that the configuration's paths are relative to."""

    command: tuple[str, ...]
    folder: Path


@dataclass(frozen=True, slots=True)
class Ended:
    """What a run printed, and its exit code, which says little. None: it did not end in time."""

    code: int | None
    output: str


def find(source: Source) -> Kit | None:
    """The drizzle-kit that is installed for the project; None where there is none, or no Node.js."""
    node = shutil.which("node")
    start = source.top / source.project.root
    if node is None:
        return None
    for folder in (start, *start.parents):
        program = folder.joinpath(*_PROGRAM)
        if program.is_file():
            return Kit((node, str(program)), start)
        if folder == source.top:
            return None
    return None


def config(source: Source) -> tuple[str, ...]:
    """The option that names the project's configuration."""
    path = source.project.config
    return () if path is None else ("--config", posixpath.relpath(path, source.project.root or "."))


def require(source: Source) -> Kit:
    """The same.

    Raises:
        UserError: it is not there.
    """
    found = find(source)
    if found is None:
        why = (
            "Node.js is not installed"
            if shutil.which("node") is None
            else "drizzle-kit is not installed in this project"
        )
        raise UserError(f"{why}. Install the project's packages first (`npm install`).")
    return found


def run(kit: Kit, *arguments: str) -> Ended:
    """Run it to its end; without a terminal nobody can answer it, so it gets no input."""
    command = [*kit.command, *arguments]
    if sys.stdin.isatty() and sys.stdout.isatty():
        return Ended(subprocess.run(command, cwd=kit.folder, check=False).returncode, "")
    environment = {**os.environ, "NO_COLOR": "1", "CI": "1"}
    try:
        done = subprocess.run(
            command,
            cwd=kit.folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            encoding="utf-8",
            errors="replace",
            timeout=_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        return Ended(None, (error.stdout or b"").decode(errors="replace"))
    return Ended(done.returncode, done.stdout + done.stderr)
