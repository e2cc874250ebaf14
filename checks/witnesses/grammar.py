"""PostgreSQL's own grammar (libpg_query): the only importer of postgast.

The library is loaded on first use, and of postgast, which takes ten times as long, only its bindings where these do.
"""

import ctypes
import json
import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from importlib.util import find_spec, module_from_spec, spec_from_file_location
from itertools import accumulate, starmap
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from checks.witnesses.fitting import LARGEST_TREE, SURELY_SHALLOW, ZERO, clean, fitted, is_plain

if TYPE_CHECKING:
    from importlib.abc import Loader
    from importlib.machinery import ModuleSpec

__all__ = ["Node", "Span", "Tree", "comments", "parse", "parse_all", "split", "tokens"]

Node = dict[str, Any]
"""A node of PostgreSQL's raw parse tree, as libpg_query writes it in JSON: fields as in `parsenodes.h`; those that are empty,
zero or false are left out, and a node that may be of any kind is wrapped in its kind (`{"RangeVar": {"relname": …}}`)."""

BATCH = 32

_BETWEEN = "\n;\n"
_WORD_BEGINS = re.compile(r"(?<=[a-z])(?=[A-Z])")

_COMMENTS = ("SQL_COMMENT", "C_COMMENT")
_OPEN, _CLOSE, _SEMICOLON = b"();"
_ATOMIC = re.compile(rb"\bbegin\s+atomic\b", re.IGNORECASE)
# One statement that nobody can take for two, or for none: words, numbers, quotes that end, and a semicolon at its end at most.
# Possessive throughout, so that it never looks twice; whatever it does not match is left to the grammar.
_ONE = re.compile(
    r"(?:[ \t\n\r\f]++|[^\W\d]\w*+|\d++(?:\.\d++)?+(?![\w.])|\"[^\"\0]++\"|'[^'\\\0]*+'|[(),.\[\]]|::?+|[<>=]{1,2}+(?![<>=])|-(?!-))*+"
    r"(?:;[ \t\n\r\f]*+)?+"
)
_BLANK = " \t\n\r\f"
_SPACES = b" \t\n\r\f\v"
_BEFORE = re.compile(rb"(?:[ \t\n\r\f\v]++|--[^\n\r]*+)*+")


class Span(NamedTuple):
    """Where a statement stands: character offsets of its first token, and of the end of its last.

    Attributes:
        problem: why it could not be told apart for sure (a quote that never ends); None where all is well.
    """

    start: int
    end: int
    problem: str | None = None


class Tree(NamedTuple):
    """One statement as PostgreSQL's grammar sees it.

    Attributes:
        kind: of the statement's node, e.g. `alter_table_stmt`; `""` where it could not be read.
        node: that node; None where it could not be read.
        problem: why it could not be read, in PostgreSQL's words or ours.
        position: the 0-based character where reading stopped, where that is known.
    """

    kind: str
    node: Node | None
    problem: str | None = None
    position: int | None = None


def split(sql: str) -> list[Span]:
    """The statements of a text, in order. Never raises.

    The grammar splits what it can parse (function bodies with `BEGIN ATOMIC`, rules); its scanner splits the rest at
    semicolons; after a quote or comment that never ends there is one last statement with a `problem`. A text with a zero
    byte is one statement with a `problem`: the server refuses the query that it is in as a whole.
    """
    if len(sql) < SURELY_SHALLOW and _ONE.fullmatch(sql):  # most of what Drizzle writes; the library need not be loaded
        end = len(sql.rstrip(_BLANK).removesuffix(";").rstrip(_BLANK))
        start = len(sql) - len(sql.lstrip(_BLANK))
        return [Span(start, end)] if start < end else []
    if "\0" in sql:
        return [Span(len(sql) - len(sql.lstrip(_BLANK)), len(sql.rstrip(_BLANK)), ZERO)]
    text = clean(sql)
    data = text.encode()
    problem: str | None = None
    try:
        pieces = _parsed_pieces(data)
    except _RefusedError:
        try:
            pieces = _mend_atomic(data, _semicolon_pieces(data, _scan(data)))
        except _RefusedError as refused:
            problem = refused.problem
            begin = len(text[: refused.position].encode())
            *whole, (last, _) = _semicolon_pieces(data, [*_scan(data[:begin]), (begin, len(data))])
            pieces = [*whole, (last, len(data))]
    bare = b"--" not in data and b"/*" not in data
    trimmed = _stripped(data, pieces) if bare else [span for piece in pieces if (span := _trim(data, *piece))]
    spans = [*starmap(Span, _characters(data, text, trimmed))]
    return [*spans[:-1], spans[-1]._replace(problem=problem)] if problem else spans


def tokens(sql: str) -> list[str]:
    """The tokens of a text without comments: two texts with the same tokens mean the same to PostgreSQL.

    Where the scanner cannot read it (a quote that never ends) the words between white space stand in.
    """
    data = clean(sql).encode()
    try:
        scanned = _scan(data)
    except _RefusedError:
        return sql.split()
    return [data[start:end].decode() for start, end in scanned]


def comments(sql: str) -> list[Span]:
    """The comments of a text, in order; what follows a quote that never ends has none."""
    text = clean(sql)
    data = text.encode()
    try:
        scanned = _scan(data, comments=True)
    except _RefusedError as refused:
        try:
            scanned = _scan(text[: refused.position].encode(), comments=True)
        except _RefusedError:
            return []
    return [Span(start, end) for start, end in _characters(data, text, scanned)]


def parse_all(statements: Iterable[str]) -> Iterator[Tree]:
    """The tree of each statement, in order. Plain ones are parsed together, which takes half the time."""
    batch: list[str] = []
    for sql in statements:
        if plain := is_plain(sql):
            batch.append(sql)
            if len(batch) < BATCH:
                continue
        yield from _together(batch)
        batch = []
        if not plain:
            yield parse(sql)
    yield from _together(batch)


def parse(sql: str) -> Tree:
    """The tree of one statement. Never raises, and never lets the library run out of stack."""
    text, problem = (sql, None) if is_plain(sql) else fitted(sql)
    if problem:
        return Tree("", None, problem)
    try:
        statements = _trees(text)
    except _RefusedError as refused:
        return Tree("", None, refused.problem, refused.position if refused.position >= 0 else None)
    except RecursionError:
        return Tree("", None, "it nests too deep")
    return _tree(statements[0]) if len(statements) == 1 else Tree("", None, "it is not one statement")


@cache
def _library() -> Any:  # noqa: ANN401 - a module
    import postgast  # noqa: PLC0415 - 0.2 s that most commands do not need

    return postgast


@cache
def _native() -> Any:  # noqa: ANN401 - ctypes
    """The library itself. `import postgast` makes classes of all kinds of nodes first, which takes longer than most reviews read."""
    folder = Path(cast("str", cast("ModuleSpec", find_spec("postgast")).origin)).parent
    spec = cast("ModuleSpec", spec_from_file_location("postgast.native", folder / "native.py"))
    bindings = module_from_spec(spec)
    cast("Loader", spec.loader).exec_module(bindings)
    return bindings.lib


class _RefusedError(Exception):
    """The grammar or its scanner gave up at a character (not a byte, whatever the library's manual says)."""

    def __init__(self, problem: str, position: int) -> None:
        super().__init__(problem)
        self.problem = problem
        self.position = position


def _parsed_pieces(data: bytes) -> list[tuple[int, int]]:
    """What the grammar takes for statements; unlike its trees, it costs no stack."""
    native = _native()
    result = native.pg_query_split_with_parser(data)
    try:
        if result.error:
            error = result.error.contents
            raise _RefusedError((error.message or b"").decode(errors="replace"), error.cursorpos - 1)
        pieces: list[tuple[int, int]] = []
        if not result.n_stmts:
            return pieces
        # One list of addresses: asking for each piece by its number makes two objects more.
        kind = cast("Any", type(result.stmts.contents.contents))
        addresses = (ctypes.c_void_p * result.n_stmts).from_address(ctypes.addressof(result.stmts.contents))
        for address in addresses:
            piece: Any = kind.from_address(address)
            start: int = piece.stmt_location
            pieces.append((start, start + piece.stmt_len))
        return pieces
    finally:
        native.pg_query_free_split_result(result)


def _semicolon_pieces(data: bytes, scanned: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """What stands between semicolons that are in no bracket (rules have theirs in brackets)."""
    pieces: list[tuple[int, int]] = []
    depth, begin, end = 0, -1, -1
    for start, stop in scanned:
        token = data[start] if stop - start == 1 else 0
        if token == _SEMICOLON and depth == 0:
            if begin >= 0:
                pieces.append((begin, end))
            begin = -1
            continue
        depth = max(0, depth + (token == _OPEN) - (token == _CLOSE))
        begin, end = (start if begin < 0 else begin), stop
    return [*pieces, (begin, end)] if begin >= 0 else pieces


def _mend_atomic(data: bytes, pieces: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Semicolons cut `BEGIN ATOMIC … ; … END` in pieces; the grammar knows where such a function ends."""
    mended: list[tuple[int, int]] = []
    number = 0
    while number < len(pieces):
        start, end = pieces[number]
        if _ATOMIC.search(data, start, end):
            for further in range(number, min(number + 200, len(pieces))):
                try:
                    if len(_parsed_pieces(data[start : pieces[further][1]])) == 1:
                        number, end = further, pieces[further][1]
                        break
                except _RefusedError:
                    continue
        mended.append((start, end))
        number += 1
    return mended


def _stripped(data: bytes, pieces: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Without the white space around them, where there are no comments."""
    stripped: list[tuple[int, int]] = []
    for start, end in pieces:
        first = start + (data[start : start + 1] == b"\n")  # most follow upon a line's end
        if first >= end or data[first] in _SPACES or data[end - 1] in _SPACES:
            piece = data[start:end]
            first, end = end - len(piece.lstrip()), start + len(piece.rstrip())  # noqa: PLW2901 - the same, without
        if first < end:
            stripped.append((first, end))
    return stripped


def _trim(data: bytes, start: int, end: int) -> tuple[int, int] | None:
    """Without the white space and comments around it; None where nothing else is there."""
    start += _BEFORE.match(data[start:end]).end()  # pyright: ignore[reportOptionalMemberAccess] - it matches nothing, too
    piece = data[start:end]
    if b"--" in piece or b"/*" in piece:
        try:
            scanned = _scan(piece)
        except _RefusedError:
            pass
        else:
            return (start + scanned[0][0], start + scanned[-1][1]) if scanned else None
    return next(iter(_stripped(data, [(start, end)])), None) if piece else None


def _scan(data: bytes, *, comments: bool = False) -> list[tuple[int, int]]:
    """The byte offsets of all comments, or of all tokens that are none.

    Raises:
        _RefusedError: a quote or comment never ends.
    """
    postgast = _library()
    try:
        scanned = postgast.scan(data.decode()).tokens
    except postgast.PgQueryError as error:
        raise _RefusedError(error.message, error.cursorpos - 1) from None
    kinds = {postgast.pg_query_pb2.Token.Value(name) for name in _COMMENTS}
    return [(token.start, token.end) for token in scanned if (token.token in kinds) is comments]


def _characters(data: bytes, text: str, spans: list[tuple[int, int]]) -> Iterable[tuple[int, int]]:
    """Byte offsets as character offsets."""
    if len(data) == len(text):
        return spans
    offsets: list[tuple[int, int]] = []
    byte = character = 0
    for start, end in spans:
        first = character + len(data[byte:start].decode())
        character = first + len(data[start:end].decode())
        byte = end
        offsets.append((first, character))
    return offsets


def _trees(text: str) -> list[Node]:
    """The raw statements of a text.

    Raises:
        _RefusedError: it is no SQL.
        RecursionError: it nests too deep.
    """
    # As JSON: as protobuf, which the public `parse` reads, the same tree takes the library four times as long.
    native = _native()
    result = native.pg_query_parse(text.encode())
    try:
        if result.error:
            error = result.error.contents
            raise _RefusedError((error.message or b"").decode(errors="replace"), error.cursorpos - 1)
        if len(tree := result.parse_tree) > LARGEST_TREE:
            raise _RefusedError("its tree is too large", -1)
        return json.loads(tree).get("stmts", [])
    except ValueError:  # which would be the library's mistake
        raise _RefusedError("the tree of it cannot be read", -1) from None
    finally:
        native.pg_query_free_parse_result(result)


def _tree(statement: Node) -> Tree:
    ((tag, node),) = statement["stmt"].items()
    return Tree(kind(tag), node)


@cache
def kind(tag: str) -> str:
    """PostgreSQL's name for a kind of node, as trees and readings name it: `alter_table_stmt` for `AlterTableStmt`."""
    return _WORD_BEGINS.sub("_", tag).lower()


def _together(batch: Sequence[str]) -> list[Tree]:
    """Parse plain statements as one text, without the first that breaks it; where none does, but they are not one each, in halves."""
    if len(batch) < 2:
        return [parse(sql) for sql in batch]
    starts = [0, *accumulate(len(sql) + len(_BETWEEN) for sql in batch)]
    try:
        found = _trees(_BETWEEN.join(batch))
    except _RefusedError as refused:
        broken = bisect_right(starts, refused.position) - 1
        if 0 <= broken < len(batch):
            return [*_together(batch[:broken]), parse(batch[broken]), *_together(batch[broken + 1 :])]
        found = []
    except RecursionError:
        found = []
    if [statement.get("stmt_location", 0) for statement in found] != starts[:-1]:
        half = len(batch) // 2
        return [*_together(batch[:half]), *_together(batch[half:])]
    return [_tree(statement) for statement in found]
