"""Whether statements call functions, told from their trees."""

from collections.abc import Sequence

from checks.witnesses import grammar, words
from checks.witnesses.fitting import WHOLE
from checks.witnesses.grammar import Node

_CALLS = frozenset({"FuncCall", "funccall", "SQLValueFunction"})
_BUILT_IN = frozenset({"now", "gen_random_uuid"})  # which migrations call most: they remember nothing


def nothing(statements: Sequence[str], *, but_built_in: bool) -> bool:
    """Whether statements can be read, and call no function; `but_built_in`: those that remember nothing are none."""
    if any(len(sql) > WHOLE for sql in statements):
        return False  # of which not all is read
    return all(
        tree.node is not None
        and not any(
            tag in _CALLS and not (but_built_in and _built_in(tag, call)) for tag, call in words.walk(tree.node)
        )
        for tree in grammar.parse_all(statements)
    )


def _built_in(tag: str, call: Node) -> bool:
    """A function of PostgreSQL's own, by a name that nobody can take: `CURRENT_DATE` and its like are words of the grammar."""
    *schema, name = words.strings(call.get("funcname", ())) or [""]
    return tag == "SQLValueFunction" or (name in _BUILT_IN and schema in ([], ["pg_catalog"]))
