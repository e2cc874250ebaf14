"""TypeScript and JavaScript as syntax trees: the only importer of tree-sitter."""

from functools import cache

import tree_sitter_typescript
from tree_sitter import Language, Node, Parser, Tree

__all__ = ["Node", "Tree", "line", "parse", "text"]

_LONGEST_TYPE = 400
_NOT_CODE = frozenset({"string_fragment", "comment", "template_string", "string", "regex_pattern", "escape_sequence"})


def parse(source: bytes, path: str = "x.ts") -> Tree:
    """The syntax tree of a file. Broken places become ERROR nodes (`tree.root_node.has_error`), never an exception.

    `.tsx`, `.jsx`, `.js`, `.mjs` and `.cjs` are read as TSX, a superset of JavaScript; the others as TypeScript.
    The type in `sql<number>`…`` is replaced by blanks, because the grammar takes it for two comparisons.
    """
    parser = _parser(tsx=path.endswith((".tsx", ".jsx", ".js", ".mjs", ".cjs")))
    tree = parser.parse(source)
    if b">`" not in source:
        return tree
    plain = _without_tag_types(source, tree)
    return tree if plain is None else parser.parse(plain)


def text(node: Node) -> str:
    """The source text of a node."""
    found = node.text or b""
    try:
        return found.decode()
    except UnicodeDecodeError:
        return found.decode("utf-8", errors="replace")


def line(node: Node) -> int:
    """The 1-based line on which a node begins."""
    return node.start_point.row + 1


@cache
def _parser(*, tsx: bool) -> Parser:
    grammar = tree_sitter_typescript.language_tsx() if tsx else tree_sitter_typescript.language_typescript()
    return Parser(Language(grammar))


def _without_tag_types(source: bytes, tree: Tree) -> bytes | None:
    """The source with blanks in place of `<type>` between a tag and its template; None where there is none."""
    plain: bytearray | None = None
    end = source.find(b">`")
    while end >= 0:
        start = _opening(source, end)
        if start is not None:
            node = tree.root_node.named_descendant_for_byte_range(start, start + 1)
            if node is None or node.type not in _NOT_CODE:
                plain = plain or bytearray(source)
                kept = bytes(c if c in b"\r\n" else 32 for c in source[start : end + 1])
                plain[start : end + 1] = kept
        end = source.find(b">`", end + 1)
    return None if plain is None else bytes(plain)


def _opening(source: bytes, end: int) -> int | None:
    """The place of the `<` that belongs to the `>` at `end`, directly behind a name."""
    depth = 0
    for place in range(end, max(0, end - _LONGEST_TYPE), -1):
        here = source[place]
        if here == 0x3E and source[place - 1] != 0x3D:  # `>`, not `=>`
            depth += 1
        elif here == 0x3C:  # `<`
            depth -= 1
            if depth == 0:
                before = source[place - 1 : place]
                return place if before.isalnum() or before in {b"_", b"$"} else None
        elif here == 0x60:  # a template
            return None
    return None
