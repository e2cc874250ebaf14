"""Folders of our own: made, copied fast (by reflink where the file system can), locked between processes, and removed."""

import contextlib
import errno
import fcntl
import os
import secrets
import shutil
import sys
import tempfile
from collections.abc import Callable, Generator
from dataclasses import dataclass
from pathlib import Path

from checks.errors import CouldNotJudge

from .owner import Owner


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


def copy(source: Path, target: Path, *, owner: Owner | None = None, public: bool = False) -> None:
    """Copy a folder: contents, with extents shared where the file system can; symlinks are followed to files.

    Args:
        source: what to copy.
        target: what to make; must not exist.
        owner: who the copy belongs to, where we are root.
        public: everyone may read the copy; else only its owner.
    """
    make(target.parent, mode=0o755 if public else 0o700)
    target.mkdir()
    shares = source.stat().st_dev == target.stat().st_dev and hasattr(os, "copy_file_range")
    move = _share if shares else _send if sys.platform == "linux" else _pump
    target.rmdir()
    _copy_folder(str(source), str(target), _Way(move, owner if owner is not None and owner.dropped else None, public))


@dataclass(frozen=True, slots=True)
class _Way:
    """How files are copied: this runs a thousand times for a branch, so it is decided once."""

    move: Callable[[int, int, int], None]
    owner: Owner | None
    public: bool


def _copy_folder(source: str, target: str, way: _Way) -> None:
    os.mkdir(target, 0o700)  # noqa: PTH102 - paths as text, for speed
    if way.public:
        os.chmod(target, 0o755)  # noqa: PTH101, S103 - as above; what is public is meant to be
    if way.owner is not None:
        os.chown(target, way.owner.uid, way.owner.gid)
    with os.scandir(source) as entries:
        for entry in entries:
            if entry.is_dir():
                _copy_folder(entry.path, f"{target}/{entry.name}", way)
            elif entry.is_file():
                _copy_file(entry.path, f"{target}/{entry.name}", way)


def _copy_file(source: str, target: str, way: _Way) -> None:
    reader = os.open(source, os.O_RDONLY | os.O_CLOEXEC)
    try:
        writer = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            if way.public:
                os.fchmod(writer, 0o644)
            if way.owner is not None:
                os.fchown(writer, way.owner.uid, way.owner.gid)
            if size := os.fstat(reader).st_size:
                way.move(reader, writer, size)
        finally:
            os.close(writer)
    finally:
        os.close(reader)


def _share(reader: int, writer: int, size: int) -> None:
    """Within one file system: `copy_file_range` shares extents where it can (XFS, btrfs)."""
    try:
        while size > 0 and (done := os.copy_file_range(reader, writer, size)):
            size -= done
    except OSError as error:
        if error.errno not in {errno.EXDEV, errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP, errno.EPERM}:
            raise
        _pump(reader, writer, size)


def _send(reader: int, writer: int, size: int) -> None:
    """From one file system to another: a third faster than reading and writing, measured on a template of 1,100 files."""
    at = 0
    while at < size and (done := os.sendfile(writer, reader, at, size - at)):
        at += done


def _pump(reader: int, writer: int, size: int) -> None:
    with open(reader, "rb", closefd=False) as source, open(writer, "wb", closefd=False) as target:
        shutil.copyfileobj(source, target, min(size, 1 << 20) or 1)


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
