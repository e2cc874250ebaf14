"""Names as SQL: quoted where PostgreSQL would quote them."""

import re
from collections.abc import Iterable
from functools import lru_cache

from checks.keywords import SPECIAL

_PLAIN = re.compile(r"[a-z_][a-z0-9_]*\Z", re.ASCII)


@lru_cache(4096)
def quoted(name: str) -> str:
    """The name as an identifier."""
    if _PLAIN.match(name) and name not in SPECIAL:
        return name
    return '"' + name.replace('"', '""') + '"'


def qualified(*path: str) -> str:
    """A path of names, joined by dots."""
    return ".".join(map(quoted, path))


def short(schema: str, name: str) -> str:
    """A name for people: `public.` is left out."""
    return quoted(name) if schema == "public" else qualified(schema, name)


def listed(names: Iterable[str]) -> str:
    """Identifiers, joined by commas."""
    return ", ".join(map(quoted, names))


def literal(text: str) -> str:
    """The text as a string constant that means the same whatever standard_conforming_strings says."""
    body = text.replace("'", "''")
    if "\\" in body:
        return "E'" + body.replace("\\", "\\\\") + "'"
    return "'" + body + "'"
