"""Whether statements call functions, told from their trees."""

import re
from collections.abc import Sequence

from checks.witnesses import grammar

_CALLS = re.compile(r"\b(?:func_call|sqlvalue_function) \{")
_NAMED = re.compile(r'\bfunc_call \{((?:\s*funcname \{\s*string \{\s*sval: "\w+"\s*\}\s*\})+)')
_SVAL = re.compile(r'sval: "(\w+)"')
_BUILT_IN = frozenset({"now", "gen_random_uuid"})  # which migrations call most: they remember nothing


def nothing(statements: Sequence[str], *, but_built_in: bool) -> bool:
    """Whether statements can be read, and call no function; `but_built_in`: those that remember nothing are none."""
    trees = [str(tree.node) if tree.node is not None else None for tree in grammar.parse_all(statements)]
    return all(tree is not None and (not _CALLS.search(tree) or (but_built_in and _built_in(tree))) for tree in trees)


def _built_in(tree: str) -> bool:
    """Whether a statement calls nothing but functions of PostgreSQL's own, by names that nobody can take."""
    calls = [_SVAL.findall(names) for names in _NAMED.findall(tree)]
    known = all(call[-1] in _BUILT_IN and call[:-1] in ([], ["pg_catalog"]) for call in calls)
    return known and len(calls) == tree.count("func_call {")
