"""The folders of a v1 migrations folder: their names in Drizzle's order, and the time that a name carries."""

import posixpath
import re
from datetime import UTC, datetime, timedelta

from checks.drizzle import collation
from checks.tree import Tree

_TIME = re.compile(r"(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)")
_NAME = re.compile(r"\d{14}(_|$)")


def names(tree: Tree, folder: str) -> list[str]:
    """The folders that Drizzle v1 runs, in its order; none where no folder is named `YYYYMMDDHHMMSS_name` (then it is not v1).

    A link may well lead to one, and a folder in the place of `migration.sql` stops it: both are among them, and no file is there.
    """
    start = len(folder) + 1 if folder else 0
    parts = [path[start:].split("/", 2) for path in tree.under(folder)]
    found = {p[0] for p in parts if len(p) > 1 and p[1] in {"migration.sql", "snapshot.json"}}
    if not any(_NAME.match(name) for name in found):
        return []
    sql = {p[0] for p in parts if len(p) > 1 and p[1] == "migration.sql"}
    sql |= {p[0] for p in parts if len(p) == 1 and _NAME.match(p[0]) and tree.elsewhere(posixpath.join(folder, p[0]))}
    return sorted(sql, key=collation.key)


def without_sql(tree: Tree, folder: str) -> list[str]:
    """Folders that hold a snapshot alone: drizzle-orm passes over them, drizzle-kit does not."""
    start = len(folder) + 1 if folder else 0
    parts = (path[start:].split("/") for path in tree.under(folder) if path.endswith("/snapshot.json"))
    alone = {p[0] for p in parts if len(p) == 2}
    return sorted(n for n in alone if tree.entry(posixpath.join(folder, n, "migration.sql")) is None)


def milliseconds(name: str) -> int | None:
    """The time at the start of a folder's name as Drizzle computes it (a 13th month is next January); None where there is none."""
    found = _TIME.match(name)
    if found is None:
        return None
    year, month, day, hour, minute, second = (int(part) for part in found.groups())
    if year < 100:  # Date.UTC's rule
        year += 1900
    try:
        first = datetime(year + (month - 1) // 12, (month - 1) % 12 + 1, 1, tzinfo=UTC)
        moment = first + timedelta(days=day - 1, hours=hour, minutes=minute, seconds=second)
    except (ValueError, OverflowError):
        return None
    return int((moment - datetime(1970, 1, 1, tzinfo=UTC)) / timedelta(milliseconds=1))
