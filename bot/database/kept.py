"""Keeps what scratch databases looked like, in the user's cache: the same migrations on the same PostgreSQL build the same schema."""

import contextlib
import gc
import hashlib
import os
import pickle
import secrets
import stat
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from checks.catalog.model import Catalog

_DAYS = 14
_MOST = 40


def catalog(key: str, make: Callable[[], "Catalog"]) -> "Catalog":
    """The catalog of a state that `key` names to the byte: the kept one, else what `make` gives, which is kept then."""
    place = _folder() / hashlib.sha256(f"{_about()} {key}".encode()).hexdigest()[:32]
    found = _read(place)
    if found is None:
        found = make()
        _write(place, found)
    return found


def _folder() -> Path:
    from bot import settings  # noqa: PLC0415 - a run that compares nothing does without
    from bot.branches import folders, owner  # noqa: PLC0415

    return folders.find(settings.read().data_dir, owner.current()).kept / "catalogs"


def _about() -> str:
    """The PostgreSQL that built it, and the code that read it."""
    from bot import settings  # noqa: PLC0415 - as above
    from bot.branches import binaries  # noqa: PLC0415
    from checks import catalog as package  # noqa: PLC0415

    seen = (binaries.find(settings.read().postgres_bindir).bin / "postgres").stat()
    digest = hashlib.sha256(f"{seen.st_mtime_ns} {seen.st_size}".encode())
    for path in sorted(Path(package.__file__ or ".").parent.rglob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def _read(place: Path) -> "Catalog | None":
    """What we wrote ourselves: a pickle of somebody else's would be somebody else's code."""
    with contextlib.suppress(OSError, pickle.UnpicklingError, EOFError, AttributeError, ImportError, TypeError):
        with place.open("rb") as file:
            for seen in (os.fstat(file.fileno()), place.parent.stat()):
                if seen.st_uid != os.geteuid() or stat.S_IMODE(seen.st_mode) & 0o022:
                    return None
            with _uncollected():
                found = pickle.load(file)  # noqa: S301 - see above
        os.utime(place)
        return found
    return None


def _write(place: Path, found: "Catalog") -> None:
    """Keep it; a full disk keeps nothing, and that is no trouble of the caller's."""
    fresh = place.with_suffix(f".{secrets.token_hex(4)}")
    try:
        place.parent.mkdir(mode=0o700, exist_ok=True)
        fresh.touch(mode=0o600, exist_ok=False)
        with fresh.open("wb") as file:
            pickle.dump(found, file, pickle.HIGHEST_PROTOCOL)
        fresh.replace(place)
        _evict(sorted(place.parent.iterdir(), key=lambda path: path.stat().st_mtime, reverse=True))
    except (OSError, RecursionError, pickle.PicklingError):
        with contextlib.suppress(OSError):
            fresh.unlink(missing_ok=True)


def _evict(newest: Sequence[Path]) -> None:
    for number, path in enumerate(newest):
        if number >= _MOST or path.stat().st_mtime < time.time() - _DAYS * 86_400:
            path.unlink(missing_ok=True)


class _uncollected(contextlib.ContextDecorator):  # noqa: N801 - reads as a word
    """Thousands of objects are made, and none of them is garbage."""

    def __enter__(self) -> None:
        self._was = gc.isenabled()
        gc.disable()

    def __exit__(self, *_: object) -> None:
        if self._was:
            gc.enable()
