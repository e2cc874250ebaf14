"""Path patterns as people write them in a policy: `**`, `*`, `?`, `{a,b}`, `!not`."""

import re
from collections.abc import Iterable
from functools import lru_cache

_PIECE = re.compile(
    r"(?P<any>(?:^|(?<=/))\*\*/)|(?P<rest>\*\*)|(?P<star>\*)|(?P<one>\?)|(?P<choice>\{[^{}]{1,200}\})|(?P<plain>.)",
    re.DOTALL,
)


def included(path: str, patterns: Iterable[str]) -> bool:
    """Whether any pattern takes the path in, and no `!pattern` takes it out. A folder's name takes in what is below it."""
    taken = False
    for pattern in patterns:
        if pattern.startswith("!"):
            if _compiled(pattern[1:]).match(path):
                return False
        else:
            taken = taken or _compiled(pattern).match(path) is not None
    return taken


@lru_cache(maxsize=512)
def _compiled(pattern: str) -> re.Pattern[str]:
    parts: list[str] = []
    for found in _PIECE.finditer(pattern[:500].removeprefix("./").removeprefix("/")):
        match found.lastgroup:
            case "any":
                parts.append("(?:.*/)?")
            case "rest":
                parts.append(".*")
            case "star":
                parts.append("[^/]*")
            case "one":
                parts.append("[^/]")
            case "choice":
                parts.append("(?:" + "|".join(re.escape(word) for word in found[0][1:-1].split(",")) + ")")
            case _:
                parts.append(re.escape(found[0]))
    return re.compile("".join(parts).rstrip("/") + r"(?:/.*)?\Z", re.DOTALL)
