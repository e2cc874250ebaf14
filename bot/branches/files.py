"""Folders of our own: made, copied fast (by reflink where the file system can), locked between processes, and removed."""

import contextlib
import errno
import fcntl
import os
import secrets
import shutil
import tempfile
from collections.abc import Generator
from pathlib import Path
from typing import TYPE_CHECKING

from checks.errors import CouldNotJudge

from .packs import way

if TYPE_CHECKING:
    from .packs import Move


def make(folder: Path, *, mode: int) -> Path:
    """Make a folder and its parents, with that mode whatever the umask says."""
    if not folder.is_dir():
        make(folder.parent, mode=mode)
        with contextlib.suppress(FileExistsError):
            folder.mkdir()
            folder.chmod(mode)
    return folder


def ours(candidates: list[Path], *, mode: int) -> Path:
    """The first of `candidates` that is, or can become, a folder that belongs to us and that we can write.

    A folder of that name which somebody else made (in a folder open to all) is not used: what is in it is theirs.

    Raises:
        CouldNotJudge: none will do.
    """
    for folder in candidates:
        try:
            folder.parent.mkdir(parents=True, exist_ok=True)
            with contextlib.suppress(FileExistsError):
                folder.mkdir(mode=0o700)
                folder.chmod(mode)
            status = folder.lstat()
        except OSError:
            continue
        if status.st_uid == os.geteuid() and not folder.is_symlink() and os.access(folder, os.W_OK | os.X_OK):
            return folder
    raise CouldNotJudge(
        f"There is no folder to work in: none of {', '.join(map(str, candidates))} can be written. "
        "Name one in BULLETPROOF_DATA_DIR."
    )


def new_folder(parent: Path, name: str) -> Path:
    """A fresh folder beside the place where it will be published."""
    folder = parent / f".{name}.{secrets.token_hex(4)}"
    folder.mkdir()
    folder.chmod(0o755)
    return folder


def publish(fresh: Path, place: Path) -> None:
    """Give a finished folder its name; where another process was first, ours is dropped."""
    try:
        fresh.rename(place)
    except OSError as error:
        if error.errno not in {errno.ENOTEMPTY, errno.EEXIST}:
            raise
        shutil.rmtree(fresh, ignore_errors=True)


def write(path: Path, text: str) -> None:
    """Write a file that everyone may read."""
    path.write_text(text, encoding="utf-8")
    path.chmod(0o644)


def copy(source: Path, target: Path) -> None:
    """Copy a folder for everyone to read: contents, with extents shared where the file system can; symlinks are followed to files."""
    make(target.parent, mode=0o755)
    _copy_folder(str(source), str(target), way(str(source), str(target.parent)))


def _copy_folder(source: str, target: str, move: "Move") -> None:
    os.mkdir(target, 0o700)  # noqa: PTH102 - paths as text, for speed
    os.chmod(target, 0o755)  # noqa: PTH101, S103 - as above; it is meant to be read
    with os.scandir(source) as entries:
        for entry in entries:
            if entry.is_dir():
                _copy_folder(entry.path, f"{target}/{entry.name}", move)
            elif entry.is_file():
                _copy_file(entry.path, f"{target}/{entry.name}", move)


def _copy_file(source: str, target: str, move: "Move") -> None:
    reader = os.open(source, os.O_RDONLY | os.O_CLOEXEC)
    try:
        writer = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            os.fchmod(writer, 0o644)
            move(reader, writer, 0, os.fstat(reader).st_size)
        finally:
            os.close(writer)
    finally:
        os.close(reader)


@contextlib.contextmanager
def lock(path: Path, *, shared: bool = False, wait: bool = True) -> Generator[bool]:
    """Hold a lock between processes; it goes with its holder, however that ends. Yields whether it was got."""
    descriptor = acquire(path, shared=shared, wait=wait)
    try:
        yield descriptor is not None
    finally:
        if descriptor is not None:
            os.close(descriptor)


def acquire(path: Path, *, shared: bool = False, wait: bool = True) -> int | None:
    """Open and lock a file; close the descriptor to let go. None: somebody else holds it and we would not wait."""
    kind = (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | (0 if wait else fcntl.LOCK_NB)
    while True:
        descriptor = os.open(path, os.O_RDONLY | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o644)
        try:
            fcntl.flock(descriptor, kind)
            here = os.fstat(descriptor)
            there = path.stat()
        except BlockingIOError:
            os.close(descriptor)
            return None
        except FileNotFoundError:  # removed by the one who held it before us: lock the new file
            os.close(descriptor)
            continue
        except BaseException:
            os.close(descriptor)
            raise
        if (here.st_dev, here.st_ino) == (there.st_dev, there.st_ino):
            return descriptor
        os.close(descriptor)


def temporary() -> Path:
    """The folder for temporary files."""
    return Path(tempfile.gettempdir())
