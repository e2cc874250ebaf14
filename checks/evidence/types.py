"""What one column type can hold, beside another."""

import re
from functools import lru_cache
from typing import Literal

_NAME = re.compile(
    r"^(?P<base>[^(\[]+?)\s*(?:\((?P<sizes>[\d,]+)\))?(?P<rest> with(?:out)? time zone)?(?P<array>(?:\[\])*)$"
)
_RANK = {"smallint": 1, "integer": 2, "bigint": 3}
_TEXT = {"text", "character varying", "character"}
_STAMPS = {"timestamp without time zone", "timestamp with time zone"}

Change = Literal["narrower", "same", "other"]


def compare(old: str, new: str) -> Change:  # noqa: PLR0911 - one answer a family of types
    """`narrower`: values of the old type may not fit the new one; `same`: readers see no difference."""
    before, after = _parts(old), _parts(new)
    if before is None or after is None or before[2] != after[2]:
        return "other"
    (a, a_sizes, _), (b, b_sizes, _) = before, after
    if a == b:
        return "same" if a_sizes == b_sizes or not _shrinks(a, a_sizes, b_sizes) else "narrower"
    if a in _RANK and b in _RANK:
        return "narrower" if _RANK[b] < _RANK[a] else "other"
    if a in _TEXT and b in _TEXT:
        return "narrower" if b_sizes and (not a_sizes or b_sizes[0] < a_sizes[0]) else "same"
    if a in _TEXT and b not in {"json", "jsonb", "bytea", "citext"}:
        return "narrower"
    numbers = {"numeric", "double precision", "real"}
    if (a in numbers and b in _RANK) or (a == "double precision" and b == "real"):
        return "narrower"
    if a in _STAMPS and b == "date":
        return "narrower"
    return "other"


def stamps(old: str, new: str) -> bool:
    """A timestamp gets or loses its zone: what that does depends on the session's time zone."""
    a, b = _parts(old), _parts(new)
    return a is not None and b is not None and {a[0], b[0]} == _STAMPS


def _shrinks(base: str, old: tuple[int, ...], new: tuple[int, ...]) -> bool:
    if not new:
        return False
    if not old:
        return base in _TEXT or base == "numeric"
    if base == "numeric":
        whole = (old[0] - (old[1] if len(old) > 1 else 0), new[0] - (new[1] if len(new) > 1 else 0))
        return whole[1] < whole[0]
    return base in _TEXT | {"bit", "bit varying"} and new[0] < old[0]


@lru_cache(maxsize=1_000)
def _parts(name: str) -> tuple[str, tuple[int, ...], str] | None:
    match = _NAME.match(name.strip())
    if match is None:
        return None
    base = match["base"].removeprefix("pg_catalog.") + (match["rest"] or "")
    base = {"decimal": "numeric", "varchar": "character varying"}.get(base, base)
    return base, tuple(int(n) for n in (match["sizes"] or "").split(",") if n), match["array"]
