"""Data directories that are kept, each packed into a file: the blank cluster, and one for each base chain; the least used go first."""

import contextlib
import os
import shutil
import sys
import time
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path

from . import files, packs, watch
from .owner import Owner

_DATA, _REMARK, _FOUND = "data.pack", "remark", "found"
_DAY = 86_400.0
_SWEEP_SECONDS = 3600.0


def _unpack(source: Path, target: Path, owner: Owner) -> None:
    files.make(target.parent, mode=0o700)
    packs.unpack(str(source), str(target), (owner.uid, owner.gid) if owner.dropped else None)


def _content(path: Path) -> bytes | None:
    with contextlib.suppress(OSError):
        return path.read_bytes()
    return None


@dataclass(frozen=True, slots=True)
class Templates:
    """A folder of data directories, by key; several processes may use it at once.

    Attributes:
        room: bytes that all of them may take.
        days: how long an unused one is kept.
    """

    folder: Path
    room: int = 2 << 30
    days: float = 14.0

    def copy(self, key: str, target: Path, owner: Owner) -> bool:
        """Copy one to `target`; False where there is none."""
        with self._held(key) as source:
            if source is None:
                return False
            try:
                _unpack(source, target, owner)
            except packs.DamagedError:  # the machine went down while it was written
                shutil.rmtree(source.parent, ignore_errors=True)
                return False
            return True

    @contextlib.contextmanager
    def copying(self, key: str, target: Path, owner: Owner) -> Generator[tuple[str, ...]]:
        """A program that copies one to `target`, and then becomes the one whose words follow; none where there is no such template.

        A process of its own: a thread would wait for the interpreter two thousand times.
        """
        with self._held(key) as source:
            whole = [] if source is None else [packs.__file__, str(source), str(target), str(owner.uid), str(owner.gid)]
            yield (sys.executable, "-I", "-S", *whole) if whole else ()

    @contextlib.contextmanager
    def _held(self, key: str) -> Generator[Path | None]:
        """A template's file, which nobody removes meanwhile; None where there is none."""
        with files.lock(self._lock(key), shared=True):
            source = self.folder / key / _DATA
            there = source.is_file()
            yield source if there else None
            if there:
                with contextlib.suppress(OSError):
                    os.utime(source.parent)

    def said(self, key: str) -> tuple[bytes | None, bytes | None]:
        """What was remembered of one, and what was found out later."""
        return _content(self.folder / key / _REMARK), _content(self.folder / key / _FOUND)

    def peek(self, key: str, target: Path, owner: Owner) -> bool:
        """Copy one from a folder that we cannot write, so cannot lock either."""
        source = self.folder / key / _DATA
        if not source.is_file():
            return False
        _unpack(source, target, owner)
        return True

    @contextlib.contextmanager
    def making(self, key: str) -> Generator[bool]:
        """Hold the sole right to make one; yields whether it is still to be made."""
        with files.lock(self.folder / f"{key}.making"):
            try:
                yield not (self.folder / key / _DATA).is_file()
            finally:
                (self.folder / f"{key}.making").unlink(missing_ok=True)

    def keep(self, key: str, data: Path, *, public: bool = False, remark: bytes | None = None) -> None:
        """Keep a copy of the data directory of a cluster that was stopped in order, and what is to be remembered of it.

        `public`: others may copy it too.
        """
        fresh = files.new_folder(self.folder, key)
        try:
            fresh.chmod(0o755 if public else 0o700)
            packs.pack(str(data), str(fresh / _DATA), public=public)
            if remark is not None:
                (fresh / _REMARK).write_bytes(remark)
            files.publish(fresh, self.folder / key)
        finally:
            shutil.rmtree(fresh, ignore_errors=True)
        self.evict()

    def learn(self, key: str, found: bytes) -> None:
        """Put down what was found out about one, for copies to come; without effect where there is none."""
        with files.lock(self._lock(key), shared=True), contextlib.suppress(OSError):
            fresh = files.new_folder(self.folder, key)
            try:
                (fresh / _FOUND).write_bytes(found)
                (fresh / _FOUND).replace(self.folder / key / _FOUND)
            finally:
                shutil.rmtree(fresh, ignore_errors=True)

    def hint(self, name: str, key: str | None = None) -> str | None:
        """The key that a name stands for; `key`: from now on that one."""
        path = self.folder / name
        if key is None:
            return path.read_text("ascii") if path.is_file() else None
        fresh = files.new_folder(self.folder, name)
        try:
            files.write(fresh / name, key)
            (fresh / name).replace(path)
        finally:
            shutil.rmtree(fresh, ignore_errors=True)
        return key

    def evict(self) -> None:
        """Remove what is too old, then the least lately used until the rest fits; what is being copied stays."""
        now = time.time()
        used: list[tuple[float, int, Path]] = []
        for path in self.folder.iterdir():
            with contextlib.suppress(OSError):
                age = now - path.stat().st_mtime
                if path.name.startswith("."):
                    if age > _SWEEP_SECONDS:  # its maker died
                        shutil.rmtree(path, ignore_errors=True)
                elif path.name.startswith("first-"):
                    if age > self.days * _DAY:
                        path.unlink()
                elif path.is_dir():
                    used.append((age, watch.size(path), path))
        total = sum(size for _, size, _ in used)
        for age, size, path in sorted(used, reverse=True):
            if age < self.days * _DAY and total <= self.room:
                break
            if self._drop(path):
                total -= size

    def _drop(self, path: Path) -> bool:
        lock = self._lock(path.name)
        with files.lock(lock, wait=False) as got:
            if got:
                shutil.rmtree(path, ignore_errors=True)
                lock.unlink(missing_ok=True)
            return got

    def _lock(self, key: str) -> Path:
        return self.folder / f"{key}.lock"
