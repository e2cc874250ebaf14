"""The names of v0 migrations: which prefix style a project uses, and the next free name in it."""

import re
from collections.abc import Collection, Sequence
from datetime import UTC, datetime, timedelta
from typing import Literal

Style = Literal["index", "timestamp", "unix", "none"]

_PREFIX = re.compile(r"(?P<number>\d*)(?P<rest>(?:_.*)?)\Z", re.DOTALL)
_TIME = "%Y%m%d%H%M%S"  # `timestamp` and `supabase` are the same (drizzle-kit, `prepareMigrationMetadata`)


def prefix(tag: str) -> str:
    """The digits that a tag begins with, up to `_` or its end; `""` where it has none."""
    found = _PREFIX.match(tag)
    return found["number"] if found else ""


def style(tags: Sequence[str]) -> Style:
    """The style of the latest tag that shows one."""
    for tag in reversed(tags):
        number = prefix(tag)
        if len(number) == 14 and _time(number) is not None:
            return "timestamp"
        if len(number) == 10:
            return "unix"
        if number:
            return "index"
    return "none"


class Names:
    """Hands out names that sort after those that are taken.

    Args:
        known: the style.
        tags: base's tags, and the names of its snapshots: what comes next sorts behind them.
        taken: other names that may not be used again, extension and folder cut off.
    """

    def __init__(self, known: Style, tags: Collection[str], taken: Collection[str]) -> None:
        self._style = known
        self._taken = {t.casefold() for t in (*tags, *taken)}  # some file systems fold case
        numbers = [p for t in tags if (p := prefix(t)) and style([t]) == known]
        self._greatest = max((int(p) for p in numbers), default=-1)
        self._width = max((len(prefix(t)) for t in tags if style([t]) == known), default=4)

    def next(self, tag: str, *, idx: int, when: int) -> str:
        """The name for a migration that is called `tag` now and gets this `idx` and `when`."""
        rest = _PREFIX.match(tag)
        name = (rest["rest"] if rest else "") or (f"_{tag}" if not prefix(tag) else "")
        own = prefix(tag)
        if self._style == "none":
            return self._take(self._free(tag if not own else name.lstrip("_") or tag))
        if self._style == "index":
            number = max(self._greatest + 1, idx)
            made = str(number).zfill(self._width)
        elif own and style([tag]) == self._style and int(own) > self._greatest:
            number, made = int(own), own  # it sorts behind base as it is
        else:
            number, made = self._later(when)
        self._greatest = number
        return self._take(self._free(f"{made}{name}"))

    def _later(self, when: int) -> tuple[int, str]:
        seconds = when // 1000
        if self._style == "unix":
            number = max(self._greatest + 1, seconds)
            return number, str(number)
        moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=min(max(seconds, 0), 250_000_000_000))
        last = _time(str(self._greatest).zfill(14)) if self._greatest > 0 else None
        if last is not None and moment <= last:
            moment = last + timedelta(seconds=1)
        made = moment.strftime(_TIME).zfill(14)
        return int(made), made

    def _free(self, name: str) -> str:
        made, count = name, 1
        while made.casefold() in self._taken:
            count += 1
            made = f"{name}_{count}"
        return made

    def _take(self, name: str) -> str:
        self._taken.add(name.casefold())
        return name


def _time(digits: str) -> datetime | None:
    try:
        return datetime.strptime(digits, _TIME).replace(tzinfo=UTC)
    except ValueError:
        return None
