"""A folder as one file, and back: a data directory is two thousand small files, and on a disk to make those takes longer than to fill them.

The file holds the contents one after another, each from the start of a block, so that a file system that shares extents can
share them; then what they are (as `marshal` writes it), and in its last bytes where that begins.

As a program of its own (`python packs.py FILE FOLDER UID GID COMMAND…`) it unpacks beside an interpreter that is busy with other
things, and then becomes the command, as that user where we are root; so it stands on nothing else, and little of that.
"""

import errno
import marshal
import os
import stat
import sys

TYPE_CHECKING = False  # as `typing` has it
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Move = Callable[[int, int, int, int], None]  # from which descriptor, to which, from where on, how many bytes

Entry = tuple[str, int, int]
"""A file's name, where its content begins, and how long it is."""

_BLOCK = 4096
_MARK = b"bulletproof pack"
_TRAILER = len(_MARK) + 8
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC


class DamagedError(Exception):
    """The file is not a whole pack."""


def pack(source: str, target: str, *, public: bool = False) -> None:
    """Put a folder into a file. Links and sockets are left out, and followed nowhere: who ran there may have made them.

    Args:
        source: the folder.
        target: the file to make; must not exist.
        public: everyone may read it; else only its owner.
    """
    writer = os.open(target, _NEW, 0o600)
    try:
        if public:
            os.fchmod(writer, 0o644)
        move = way(source, os.path.dirname(target))  # noqa: PTH120 - paths as text, for speed
        index: list[tuple[str, list[Entry]]] = []
        end = 0
        for folder, names in _folders(source, ""):
            entries: list[Entry] = []
            for name in names:
                reader = os.open(f"{source}/{folder}{name}", os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
                try:
                    if size := os.fstat(reader).st_size:
                        end += -end % _BLOCK
                        os.lseek(writer, end, os.SEEK_SET)
                        move(reader, writer, 0, size)
                finally:
                    os.close(reader)
                entries.append((name, end, size))
                end += size
            index.append((folder, entries))
        os.lseek(writer, end, os.SEEK_SET)
        write_all(writer, marshal.dumps(index) + _MARK + end.to_bytes(8, "big"))
    finally:
        os.close(writer)


def unpack(source: str, target: str, owner: tuple[int, int] | None = None) -> None:
    """Make the folder anew.

    Args:
        source: what `pack` made.
        target: the folder to make; must not exist, and the one above it must.
        owner: user and group that it shall belong to, where we are root.

    Raises:
        DamagedError: the file is not whole.
    """
    reader = os.open(source, os.O_RDONLY | os.O_CLOEXEC)
    try:
        index = _index(reader)
        move = way(source, os.path.dirname(target))  # noqa: PTH120 - as above
        for folder, entries in index:
            path = f"{target}/{folder}"
            os.mkdir(path, 0o700)  # noqa: PTH102 - paths as text, for speed
            into = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            try:
                if owner is not None:
                    os.fchown(into, *owner)
                for name, start, size in entries:
                    writer = os.open(name, _NEW, 0o600, dir_fd=into)
                    try:
                        if owner is not None:
                            os.fchown(writer, *owner)
                        if size:
                            move(reader, writer, start, size)
                    finally:
                        os.close(writer)
            finally:
                os.close(into)
    finally:
        os.close(reader)


def _index(reader: int) -> list[tuple[str, list[Entry]]]:
    end = os.fstat(reader).st_size
    trailer = os.pread(reader, _TRAILER, max(0, end - _TRAILER))
    start = int.from_bytes(trailer[len(_MARK) :], "big")
    if not trailer.startswith(_MARK) or start > end:
        raise DamagedError
    try:
        return marshal.loads(os.pread(reader, end - _TRAILER - start, start))  # noqa: S302 - plain values, in a place of ours
    except (ValueError, EOFError, TypeError):
        raise DamagedError from None


def _folders(source: str, below: str) -> "Iterator[tuple[str, list[str]]]":
    """Every folder, those above first, with the names of its files."""
    names: list[str] = []
    inside: list[str] = []
    with os.scandir(f"{source}/{below}") as entries:
        for entry in entries:
            mode = entry.stat(follow_symlinks=False).st_mode
            if stat.S_ISDIR(mode):
                inside.append(entry.name)
            elif stat.S_ISREG(mode):
                names.append(entry.name)
    yield below, names
    for name in inside:
        yield from _folders(source, f"{below}{name}/")


def way(source: str, target: str) -> "Move":
    """How contents are moved between two places: decided once, because it is done a thousand times."""
    same = os.stat(source).st_dev == os.stat(target).st_dev  # noqa: PTH116 - as above
    if same and hasattr(os, "copy_file_range"):
        return _share
    return _send if sys.platform == "linux" else _pump


def _share(reader: int, writer: int, start: int, size: int) -> None:
    """Within one file system: `copy_file_range` shares extents where it can (XFS, btrfs)."""
    end = start + size
    try:
        while start < end and (done := os.copy_file_range(reader, writer, end - start, start)):
            start += done
    except OSError as error:
        if error.errno not in {errno.EXDEV, errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP, errno.EPERM}:
            raise
        _pump(reader, writer, start, end - start)


def _send(reader: int, writer: int, start: int, size: int) -> None:
    """From one file system to another, without coming through here."""
    end = start + size
    while start < end and (done := os.sendfile(writer, reader, start, end - start)):
        start += done


def _pump(reader: int, writer: int, start: int, size: int) -> None:
    end = start + size
    while start < end and (data := os.pread(reader, min(end - start, 1 << 20), start)):
        write_all(writer, data)
        start += len(data)


def write_all(writer: int, data: bytes) -> None:
    """Write all of it."""
    left = memoryview(data)
    while left:
        left = left[os.write(writer, left) :]


def _become(source: str, target: str, uid: str, gid: str, *command: str) -> None:
    owner = (int(uid), int(gid)) if os.geteuid() == 0 else None
    unpack(source, target, owner)
    os.chdir(target)
    if owner is not None:
        os.setgroups([])
        os.setgid(owner[1])
        os.setuid(owner[0])
    os.execv(command[0], command)  # noqa: S606 - no shell is wanted


if __name__ == "__main__":
    _become(*sys.argv[1:])
