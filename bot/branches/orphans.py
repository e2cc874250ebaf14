"""Processes that outlived their owner: found by the folder they work in, ended, and their shared memory freed."""

import contextlib
import ctypes
import os
import signal
import subprocess
import time
from pathlib import Path


def processes(folder: Path) -> list[int]:
    """Processes that work below `folder`: every PostgreSQL process has its cluster as its working directory."""
    found: list[int] = []
    inside = f"{folder}/"
    try:
        numbers = [int(name) for name in os.listdir("/proc") if name.isdigit()]  # noqa: PTH208 - names are all we need
    except OSError:  # no /proc (macOS): only the postmaster is known, by its own note
        return [pid for data in [folder, *folder.glob("*")] if (pid := _noted(data)) is not None]
    for number in numbers:
        with contextlib.suppress(OSError):
            if f"{Path(f'/proc/{number}/cwd').readlink()}/".startswith(inside):
                found.append(number)
    return found


def _noted(data: Path) -> int | None:
    """The postmaster that `postmaster.pid` names, if a process of that number was started on this very folder."""
    try:
        pid = int((data / "postmaster.pid").read_text(encoding="utf-8").split("\n", 1)[0])
        said = subprocess.run(
            ["ps", "-o", "command=", "-p", str(pid)], capture_output=True, text=True, check=False
        ).stdout
    except (OSError, ValueError):
        return None
    return pid if str(data) in said else None


def slaughter(folder: Path) -> None:
    """Kill whatever still works below `folder`, and free the shared memory it leaves."""
    for _ in range(50):
        running = [pid for pid in processes(folder) if pid != os.getpid()]
        if not running:
            break
        for pid in running:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.02)
    for note in folder.rglob("postmaster.pid") if folder.name != "data" else [folder / "postmaster.pid"]:
        _free(note)


def _free(note: Path) -> None:
    """Remove the System V segment that a killed postmaster leaves (its key and id are on line 7), if nobody is attached."""
    try:
        key, number = note.read_text(encoding="utf-8").splitlines()[6].split()
        table = Path("/proc/sysvipc/shm").read_text(encoding="ascii").splitlines()[1:]
    except (OSError, ValueError, IndexError):
        return
    for row in (line.split() for line in table):
        if row[0] == key and row[1] == number and row[6] == "0":
            ctypes.CDLL(None).shmctl(int(number), 0, None)  # 0: IPC_RMID


def wait(folder: Path, *, seconds: float) -> None:
    """Until nothing works below `folder` any more, or the time is over."""
    deadline = time.monotonic() + seconds
    while processes(folder) and time.monotonic() < deadline:
        time.sleep(0.02)
