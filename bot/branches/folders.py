"""Where branch databases live: what is kept, the programs, and a folder for each running cluster."""

import contextlib
import os
import secrets
import shutil
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path

from checks.errors import UserError

from . import files, orphans
from .owner import Owner

_OPEN_TO_ALL = (Path("/tmp"), Path("/var/tmp"))  # noqa: S108 - `files.ours` checks who made what is there
_MEMORY = Path("/dev/shm")  # noqa: S108 - as above
_ROOM = 1 << 30  # tmpfs must have room for a whole branch; a container's usual /dev/shm (64 MB) has not
_LONGEST = 60  # a socket's path has to fit into 104 bytes


@dataclass(frozen=True, slots=True)
class Folders:
    """The places of one user.

    Attributes:
        kept: templates; only we need to enter it.
        programs: copied binaries; the owner of clusters can enter it.
        runs: one folder for each running cluster, on tmpfs where that has room.
        prepared: a folder that we can read and not write, where somebody else made a blank cluster before.
    """

    kept: Path
    programs: Path
    runs: Path
    prepared: Path | None = None


def find(data_dir: Path | None, owner: Owner) -> Folders:
    """Choose the places and make them.

    Raises:
        UserError: the data folder cannot be made.
        CouldNotJudge: nothing can be written anywhere.
    """
    me = f"bulletproof-{os.geteuid()}"
    wanted = (data_dir or _cache()).absolute()
    temporary = [folder / me for folder in (files.temporary(), *_OPEN_TO_ALL)]
    kept = wanted if _writable(wanted) and _writable(wanted / "templates") else files.ours(temporary, mode=0o755)
    if data_dir is not None and not wanted.is_dir():
        raise UserError(
            f"The data folder {wanted} is not there and cannot be made. Name another in BULLETPROOF_DATA_DIR."
        )
    programs = kept if _fit(kept, owner) else files.ours([p for p in temporary if _fit(p.parent, owner)], mode=0o755)
    shared = [p for p in (_MEMORY, files.temporary(), *_OPEN_TO_ALL) if _fit(p, owner, run=False)]
    short = [p for p in shared if len(str(p)) < _LONGEST]
    runs = files.ours([p / f"{me}-runs" for p in sorted(short, key=_cramped)], mode=0o711)
    return Folders(kept, programs, runs, wanted if kept != wanted and wanted.is_dir() else None)


def _cache() -> Path:
    home = os.environ.get("XDG_CACHE_HOME")
    with contextlib.suppress(RuntimeError):  # a user without a name has no home
        return (Path(home) if home else Path.home() / ".cache") / "bulletproof"
    return files.temporary() / f"bulletproof-{os.geteuid()}"


def _fit(folder: Path, owner: Owner, *, run: bool = True) -> bool:
    if not folder.is_dir() or not owner.may_enter(folder):
        return False
    return not (run and os.statvfs(folder).f_flag & getattr(os, "ST_NOEXEC", 0))


def _writable(folder: Path) -> bool:
    """Make the folder that was asked for; whoever owns it, we use it if we may write there."""
    with contextlib.suppress(OSError):
        folder.parent.mkdir(parents=True, exist_ok=True)
        with contextlib.suppress(FileExistsError):
            folder.mkdir()
            folder.chmod(0o755)
    return folder.is_dir() and os.access(folder, os.R_OK | os.W_OK | os.X_OK)


def _cramped(folder: Path) -> bool:
    return shutil.disk_usage(folder).free < _ROOM


@contextlib.contextmanager
def run(folders: Folders, owner: Owner) -> Generator[Path]:
    """A folder for one cluster, that `owner` can write and nobody else enter; removed at exit, swept if we die."""
    name = secrets.token_hex(4)
    lock, folder = folders.runs / f"{name}.lock", folders.runs / name
    held = files.acquire(lock)
    assert held is not None  # we wait, so we get it  # noqa: S101
    try:
        folder.mkdir(mode=0o700)
        folder.chmod(0o700)
        if owner.dropped:
            os.chown(folder, owner.uid, owner.gid)
        yield folder
    finally:
        _remove(folder, lock)
        os.close(held)


def sweep(folders: Folders) -> None:
    """Remove what dead owners left: their clusters are killed, their folders removed. Living ones hold their lock."""
    for lock in folders.runs.glob("*.lock"):
        with files.lock(lock, wait=False) as got:
            if got:
                _remove(lock.with_suffix(""), lock)


def _remove(folder: Path, lock: Path) -> None:
    if folder.exists():
        orphans.slaughter(folder)
        shutil.rmtree(folder, ignore_errors=True)
    if not folder.exists():
        lock.unlink(missing_ok=True)
