"""A folder as one file, and back: a data directory is two thousand small files, and on a disk to make those takes longer than to fill them.

The file holds the contents one after another, each from the start of a block, so that a file system that shares extents can
share them; then what they are (as `marshal` writes it), and in its last bytes where that begins.
"""

import marshal
import os
import stat
from collections.abc import Iterator
from pathlib import Path

from . import files
from .owner import Owner

Entry = tuple[str, int, int]
"""A file's name, where its content begins, and how long it is."""

_BLOCK = 4096
_MARK = b"bulletproof pack"
_TRAILER = len(_MARK) + 8
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC


class DamagedError(Exception):
    """The file is not a whole pack."""


def pack(source: Path, target: Path, *, public: bool = False) -> None:
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
        move = files.way(source, target.parent)
        index: list[tuple[str, list[Entry]]] = []
        end = 0
        for folder, names in _folders(str(source), ""):
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
        files.write_all(writer, marshal.dumps(index) + _MARK + end.to_bytes(8, "big"))
    finally:
        os.close(writer)


def unpack(source: Path, target: Path, owner: Owner | None = None) -> None:
    """Make the folder anew.

    Args:
        source: what `pack` made.
        target: the folder to make; must not exist.
        owner: who it shall belong to, where we are root.

    Raises:
        DamagedError: the file is not whole.
    """
    who = owner if owner is not None and owner.dropped else None
    reader = os.open(source, os.O_RDONLY | os.O_CLOEXEC)
    try:
        index = _index(reader)
        move = files.way(source, files.make(target.parent, mode=0o700))
        for folder, entries in index:
            path = f"{target}/{folder}"
            os.mkdir(path, 0o700)  # noqa: PTH102 - paths as text, for speed
            into = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            try:
                if who is not None:
                    os.fchown(into, who.uid, who.gid)
                for name, start, size in entries:
                    writer = os.open(name, _NEW, 0o600, dir_fd=into)
                    try:
                        if who is not None:
                            os.fchown(writer, who.uid, who.gid)
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


def _folders(source: str, below: str) -> Iterator[tuple[str, list[str]]]:
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
