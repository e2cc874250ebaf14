"""Expands the patterns of `schema` against the files of a tree, as drizzle-kit does on a disk."""

import re
from functools import cache

from checks.tree import Tree

_SCHEMA = (".ts", ".mts", ".cts", ".js", ".mjs", ".cjs", ".tsx", ".jsx")
_MAGIC = re.compile(r"[*?\[{]")


def expand(tree: Tree, pattern: str) -> list[str]:
    """The files that a pattern (from the root of the repository) names: itself, the files of a folder, or what a glob matches."""
    if pattern in tree:
        return [pattern]
    if not _MAGIC.search(pattern):
        start = len(pattern) + 1 if pattern else 0
        inside = [p for p in tree.under(pattern) if "/" not in p[start:] and p.endswith(_SCHEMA)]
        if inside:
            return inside
        return [p for e in _SCHEMA if (p := pattern + e) in tree][:1]
    fixed = _MAGIC.split(pattern, maxsplit=1)[0].rpartition("/")[0]
    wanted = _expression(pattern)
    found = [p for p in tree.under(fixed) if "node_modules/" not in p and wanted.fullmatch(p)]
    if found:
        return [p for p in found if p.endswith(_SCHEMA)]
    folders = {p.rpartition("/")[0] for p in tree.under(fixed)}  # a glob may name folders, whose files are taken
    chosen = {f for f in folders if wanted.fullmatch(f)}
    return [p for p in tree.under(fixed) if p.rpartition("/")[0] in chosen and p.endswith(_SCHEMA)]


@cache
def _expression(pattern: str) -> re.Pattern[str]:
    """A glob as a regular expression: `*`, `**`, `?`, `[…]` and `{a,b}`."""
    out = ""
    position = braces = 0
    while position < len(pattern):
        here = pattern[position]
        if pattern.startswith("**/", position):
            out += "(?:[^/]+/)*"
            position += 3
            continue
        if pattern.startswith("**", position):
            out += ".*"
            position += 2
            continue
        if here == "[" and (end := pattern.find("]", position + 2)) > 0:
            inner = pattern[position + 1 : end].replace("\\", "\\\\")
            out += f"[{'^' + inner[1:] if inner[0] == '!' else inner}]"
            position = end + 1
            continue
        if here == "{" and pattern.find("}", position) > 0:
            braces += 1
            out += "(?:"
        elif here == "}" and braces:
            braces -= 1
            out += ")"
        elif here == "," and braces:
            out += "|"
        else:
            out += {"*": "[^/]*", "?": "[^/]"}.get(here, re.escape(here))
        position += 1
    try:
        return re.compile(out + ")" * braces)
    except re.error:
        return re.compile(re.escape(pattern))
