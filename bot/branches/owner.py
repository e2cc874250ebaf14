"""Who PostgreSQL runs as: ourselves, or, where we are root (which it refuses), somebody without rights."""

import os
import pwd
import shutil
import stat
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import IO

from checks.errors import CouldNotJudge

_UNPRIVILEGED = ("nobody", "daemon", "bin", "postgres")


@dataclass(frozen=True, slots=True)
class Owner:
    """The user that a cluster's processes and files belong to."""

    uid: int
    gid: int
    dropped: bool = False

    @property
    def user(self) -> int | None:
        """For `subprocess`: the user to become, None to stay."""
        return self.uid if self.dropped else None

    @property
    def group(self) -> int | None:
        """For `subprocess`: the group to become."""
        return self.gid if self.dropped else None

    @property
    def groups(self) -> list[str | int] | None:
        """For `subprocess`: no other group, where we drop."""
        return [] if self.dropped else None

    def start(
        self, command: Sequence[str], *, folder: Path, env: Mapping[str, str], stdin: int, out: IO[bytes] | int
    ) -> subprocess.Popen[bytes]:
        """Start a program as this user, in a session of its own, so that Ctrl-C in a terminal does not reach it."""
        by = _setpriv(self.uid, self.gid) if self.dropped else ()
        return subprocess.Popen(
            [*by, *command],
            cwd=folder,
            env=env,
            stdin=stdin,
            stdout=out,
            stderr=out,
            start_new_session=True,
            user=None if by else self.user,
            group=None if by else self.group,
            extra_groups=None if by else self.groups,
        )

    def may_enter(self, path: Path) -> bool:
        """Whether this user can reach and read `path` (another user's rights are judged by owner and mode bits alone)."""
        if not self.dropped and self.uid == os.geteuid():
            return os.access(path, os.R_OK | os.X_OK)
        path = path.resolve()
        return all(self._has(step, need=0o1) for step in path.parents) and self._has(path, need=0o5)

    def _has(self, path: Path, *, need: int) -> bool:
        try:
            status = path.stat()
        except OSError:
            return False
        if status.st_uid == self.uid:
            need <<= 6
        return stat.S_IMODE(status.st_mode) & need == need


@cache
def _setpriv(uid: int, gid: int) -> tuple[str, ...]:
    """What util-linux has for changing the user, where it is there: Python would first copy this process, with all its memory."""
    found = shutil.which("setpriv", path="/usr/bin:/bin")
    if found is None:
        return ()
    command = (found, f"--reuid={uid}", f"--regid={gid}", "--clear-groups")
    tried = subprocess.run([*command, "/bin/sh", "-c", "id -u"], env={}, capture_output=True, check=False, cwd="/")
    return command if tried.stdout.strip() == str(uid).encode() else ()  # busybox has another one of that name


@cache
def current() -> Owner:
    """The owner for this process.

    Raises:
        CouldNotJudge: we are root in a container that knows no other user.
    """
    if os.geteuid() != 0:
        return Owner(os.geteuid(), os.getegid())
    for name in _UNPRIVILEGED:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        if entry.pw_uid and _mapped(entry.pw_uid, "uid") and _mapped(entry.pw_gid, "gid"):
            return Owner(entry.pw_uid, entry.pw_gid, dropped=True)
    raise CouldNotJudge(
        "PostgreSQL refuses to run as root, and there is no other user (such as `nobody`) to run it as. "
        "Run as an ordinary user, or add one."
    )


def _mapped(number: int, kind: str) -> bool:
    """Whether this user namespace knows the id; elsewhere than on Linux there are no namespaces."""
    try:
        lines = Path(f"/proc/self/{kind}_map").read_text(encoding="ascii").splitlines()
    except OSError:
        return True
    ranges = [tuple(map(int, line.split())) for line in lines]
    return any(first <= number < first + length for first, _, length in ranges)
