"""Contents of files, by one `git cat-file --batch` that is kept open for as long as anyone may ask, and a cache before it."""

import contextlib
import fcntl
import subprocess
import threading
import weakref
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import IO

from checks.errors import UserError

MAX_BLOB = 64 * 1024 * 1024
"""Bytes. A larger file is listed but not read: no migration or schema is that large, and memory is bounded."""

_ROOM = 128 * 1024 * 1024  # for blobs that may be read again
_AT_ONCE = 500
"""Names that are asked for before answers are read: 33 kB at most, which a pipe holds, so that neither side waits for the other."""


class Batch:
    """Reads blobs through one process, which is started for the first and ends with `close`, or when nobody holds this any more.

    Args:
        start: starts `git cat-file --batch`.
        missing: makes the error that says that an object is not here.
    """

    def __init__(self, start: Callable[[], subprocess.Popen[bytes]], missing: Callable[[str], UserError]) -> None:
        self._start, self._missing = start, missing
        self._end: weakref.finalize[[subprocess.Popen[bytes]], Batch] | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._due: deque[str] = deque()

    def ahead(self, oids: Sequence[str]) -> None:
        """Ask for blobs, as many as that is good for, that will be read soon: git reads them while others are worked on."""
        self._ask([oid for oid in oids if oid not in self._due][: _AT_ONCE - len(self._due)])

    def read(self, oids: Sequence[str]) -> dict[str, bytes]:
        """The contents of blobs; those over `MAX_BLOB` bytes are left out.

        Raises:
            UserError: one is not here and cannot be fetched.
        """
        found: dict[str, bytes] = {}
        lost: set[str] = set()
        left = [oid for oid in oids if oid not in self._due]
        while self._due and (left or not found.keys() >= set(oids)):
            self._answer(found, lost)
        for start in range(0, len(left), _AT_ONCE):
            self._ask(left[start : start + _AT_ONCE])
            while self._due:
                self._answer(found, lost)
        for oid in lost.intersection(oids):
            raise self._missing(oid)
        return found

    def commit(self, revision: str) -> str | None:
        """The id of the commit that a revision names; None where git must be asked more closely."""
        if not revision or "\n" in revision or revision.startswith("-"):
            return None
        self.read(list(self._due))
        process = self._running()
        assert process.stdin is not None  # noqa: S101 - Popen gives what was asked for
        assert process.stdout is not None  # noqa: S101
        with contextlib.suppress(BrokenPipeError):
            process.stdin.write(f"{revision}^{{commit}}\n".encode(errors="surrogateescape"))
            process.stdin.flush()
        header = process.stdout.readline().split()
        if len(header) != 3 or header[1] != b"commit" or not header[2].isdigit():
            if header[-1:] != [b"missing"]:
                self.close()  # with words in the pipe that nobody will read
            return None
        process.stdout.read(int(header[2]) + 1)
        return header[0].decode()

    def close(self) -> None:
        """End the process; the next question starts another."""
        if self._end is not None:
            self._end()
        self._process = self._end = None
        self._due.clear()

    def _ask(self, oids: Sequence[str]) -> None:
        process = self._running()
        assert process.stdin is not None  # noqa: S101 - Popen gives what was asked for
        self._due.extend(oids)
        with contextlib.suppress(BrokenPipeError):  # git ended early; what it says of the first name tells
            process.stdin.write("".join(f"{oid}\n" for oid in oids).encode())
            process.stdin.flush()

    def _answer(self, found: dict[str, bytes], lost: set[str]) -> None:
        """Read what comes next, which is the answer to the question that was asked first."""
        process, oid = self._running(), self._due.popleft()
        assert process.stdout is not None  # noqa: S101 - as above
        header = process.stdout.readline().split()
        if header[1:] == [b"missing"]:
            lost.add(oid)
            return
        if len(header) != 3:
            self.close()  # with answers in the pipe that nobody will read
            raise self._missing(oid if header else "an object")
        size = int(header[2])
        if size <= MAX_BLOB:
            found[oid] = process.stdout.read(size)
            process.stdout.read(1)
        else:
            _discard(process.stdout, size + 1)

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is None:
            self._process = self._start()
            _widen(self._process.stdout)
            self._end = weakref.finalize(self, _stop, self._process)
        return self._process


class Contents:
    """One cache of blobs for the trees of one change, which share most of them; what was read longest ago goes first.

    Args:
        batch: reads what is not in it.
        before: is told what will be read, so that a partial clone can fetch it at once.
    """

    def __init__(self, batch: Batch, before: Callable[[Sequence[str]], None]) -> None:
        self._batch, self._before = batch, before
        self._known: dict[str, bytes] = {}
        self._room = _ROOM
        self._lock = threading.Lock()

    def fetch(self, oids: Sequence[str]) -> Mapping[str, bytes]:
        """The contents of blobs, each read once."""
        with self._lock:
            found = {oid: self._known[oid] for oid in oids if oid in self._known}
            missing = [oid for oid in oids if oid not in found]
            if missing:
                self._before(missing)
                fresh = self._batch.read(missing)
                found |= fresh
                self._keep(fresh)
            return found

    def ahead(self, oids: Sequence[str]) -> None:
        """Begin to read blobs that will be fetched soon."""
        with self._lock:
            missing = [oid for oid in dict.fromkeys(oids) if oid not in self._known]
            if missing:
                self._before(missing)
                with contextlib.suppress(UserError):  # who fetches them is told
                    self._batch.ahead(missing)

    def _keep(self, fresh: Mapping[str, bytes]) -> None:
        for oid, content in fresh.items():
            self._known[oid] = content
            self._room -= len(content)
        while self._room < 0:
            self._room += len(self._known.pop(next(iter(self._known))))


def _stop(process: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(OSError), process:
        process.kill()


def _widen(pipe: IO[bytes] | None) -> None:
    """Let git go ahead by a megabyte, which is what Linux gives to anybody."""
    if pipe is not None and hasattr(fcntl, "F_SETPIPE_SZ"):
        with contextlib.suppress(OSError):
            fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, 1 << 20)


def _discard(stream: IO[bytes], size: int) -> None:
    while size > 0:
        size -= len(stream.read(min(size, 1 << 20)) or b"\0" * size)
