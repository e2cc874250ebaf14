"""Which columns of a table an expression names, by its words."""

import re

from checks.drizzle.generating.v1.state import State

_WORD = re.compile(r'"([^"]+)"|([A-Za-z_][A-Za-z0-9_$]*)')


def columns(value: str | None, state: State, schema: str, table: str) -> list[str]:
    """The names, each once, in the order of the expression."""
    known = {row["name"] for row in state.inside("columns", schema, table)}
    words = (match[1] or match[2] for match in _WORD.finditer(value or ""))
    return list(dict.fromkeys(word for word in words if word in known))
