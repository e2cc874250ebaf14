"""TypeScript and JavaScript as syntax trees: the only importer of tree-sitter."""

from functools import cache

import tree_sitter_typescript
from tree_sitter import Language, Node, Parser, Tree

__all__ = ["Node", "Tree", "line", "parse", "text"]


def parse(source: bytes, path: str = "x.ts") -> Tree:
    """The syntax tree of a file. Broken places become ERROR nodes (`tree.root_node.has_error`), never an exception.

    `.tsx`, `.jsx`, `.js`, `.mjs` and `.cjs` are read as TSX, a superset of JavaScript; the others as TypeScript.
    """
    return _parser(tsx=path.endswith((".tsx", ".jsx", ".js", ".mjs", ".cjs"))).parse(source)


def text(node: Node) -> str:
    """The source text of a node."""
    return (node.text or b"").decode("utf-8", errors="replace")


def line(node: Node) -> int:
    """The 1-based line on which a node begins."""
    return node.start_point.row + 1


@cache
def _parser(*, tsx: bool) -> Parser:
    grammar = tree_sitter_typescript.language_tsx() if tsx else tree_sitter_typescript.language_typescript()
    return Parser(Language(grammar))
