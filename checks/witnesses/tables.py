"""CREATE TABLE, element by element: columns of many tables are alike but for their names, and one of each is read.

A comma outside of all brackets ends an element, and what an element is does not depend on its neighbours (gram.y,
`TableElementList`). So each is read once, beside others that it never stood with, and a table whose elements are all known is
put together of them. Whatever is not surely of this kind is left to be read as a whole.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from checks.keywords import KEYWORDS
from checks.witnesses import clauses as c
from checks.witnesses import grammar, words
from checks.witnesses.grammar import Node

_PRIMARY, _FOREIGN = "CONSTR_PRIMARY", "CONSTR_FOREIGN"
_UNTYPED: Node = {}
_LONGEST = 20_000
_TOGETHER = 40
_BLANK = " \t\n\r\f"
_IDENTIFIER = r'(?:"([^"\0]{1,63})"|([a-z_][a-z0-9_]{0,62}+))'
_HEAD = re.compile(rf"CREATE TABLE (IF NOT EXISTS )?{_IDENTIFIER}(?:\.{_IDENTIFIER})?[ \t\n\r\f]*+\(")
_NAMED = re.compile(r"[a-z_][a-z0-9_]{0,62}+(?=[ \t\n\r\f])")
# What is left of an element without its texts and names, and the brackets and commas of that.
_QUOTED = re.compile(r"'[^'\\]*'|\"[^\"]+\"")
_UNSURE = re.compile(r"""['"\\$;\0]|--|/\*""")
_SIGNS = re.compile(r"[()\[\],]")
_COLUMN = "zq"
_MARK = re.compile(r"zq(\d+)qz")
_STEM = re.compile(r"zq|qz", re.IGNORECASE)


class _Element(NamedTuple):
    """What one element says.

    Attributes:
        type: of a column.
        limited: that type says how long a text may be.
        key: the columns of a primary key that it declares: places among its names, or a name where that is no gap.
        locks: of the tables that it refers to.
    """

    type: str
    limited: bool
    key: tuple[int | str, ...]
    locks: tuple[c.Lock, ...]


# Whether it is a column; its text without its name, or a constraint's with gaps for its names; and these names.
_Piece = tuple[bool, str, Sequence[str]]


class _Table(NamedTuple):
    """A statement in pieces."""

    name: str
    if_not_exists: bool
    pieces: Sequence[_Piece]


def table(node: Node) -> Iterator[c.Clause]:
    """The clauses of a CreateStmt."""
    relation = node["relation"]
    types: dict[str, Node] = {}
    key: list[str] = []
    parents = node.get("inhRelations", ())
    inherits = bool(parents) or "ofTypename" in node
    locks: list[c.Clause] = [c.Lock(words.table(parent["RangeVar"]), "AccessExclusiveLock") for parent in parents]
    for element in node.get("tableElts", ()):
        if (column := element.get("ColumnDef")) is not None:
            called = column["colname"]
            types[called] = column.get("typeName", _UNTYPED)
            constraints = [holder["Constraint"] for holder in column.get("constraints", ())]
        elif (constraint := element.get("Constraint")) is not None:
            called, constraints = "", [constraint]
        else:
            inherits = True
            continue
        for constraint in constraints:
            if (of := constraint["contype"]) == _PRIMARY:
                key += [called] if called else words.strings(constraint.get("keys", ()))
            elif of == _FOREIGN:
                locks.append(_reference(constraint))
    sized = [(called, words.type_name(of)) for called, of in types.items() if "typmods" in of]
    limited = tuple(pair for pair in sized if pair[1].startswith(c.LIMITED))
    primary = None
    if key or not inherits:
        primary = tuple((k, words.type_name(types[k]) if k in types else "") for k in key)
    temporary = relation["relpersistence"] == "t"
    yield c.CreateTable(words.table(relation), primary, temporary, "if_not_exists" in node, limited)
    yield from locks


def readings(statements: Sequence[str]) -> list[c.Reading | None]:
    """What can be told of tables by their elements; None for each statement that has to be read as a whole."""
    taken = [_taken_apart(sql) if sql.startswith("CREATE TABLE ") else None for sql in statements]
    pieces = {piece[:2]: piece for each in taken if each is not None for piece in each.pieces}
    if 2 * len(pieces) > sum(len(each.pieces) for each in taken if each is not None):
        return [None] * len(statements)  # hardly two are alike
    known = dict(_read([piece for piece in pieces.values() if _stands_alone(piece[1])]))
    return [_put_together(each, known) if each is not None else None for each in taken]


def _taken_apart(sql: str) -> _Table | None:
    head = _HEAD.match(sql)
    if head is None or not sql.endswith(")") or len(sql) > _LONGEST or not sql.isascii():
        return None
    if head[3] in KEYWORDS or head[5] in KEYWORDS:
        return None
    first, second = head[2] or head[3], head[4] or head[5]
    return _Table(
        f"{first}.{second}" if second else f"public.{first}",
        head[1] is not None,
        [_piece(text.strip(_BLANK)) for text in sql[head.end() : -1].split(",\n")],
    )


def _piece(text: str) -> _Piece:
    if text.startswith('"'):
        _, name, *rest = text.split('"', 2)
        return (True, rest[0], (name,)) if rest and 0 < len(name) <= words.NAME_BYTES else (False, text, ())
    named = _NAMED.match(text)
    if named is not None and named[0] not in KEYWORDS:
        return (True, text[named.end() :], (named[0],))
    parts = text.split('"')
    names = parts[1::2]
    if len(parts) != 2 * len(names) + 1 or "'" in text or not all(0 < len(name) <= words.NAME_BYTES for name in names):
        return (False, text, ())
    return (False, "\0".join(parts[::2]), names)


def _stands_alone(key: str) -> bool:
    """Nothing in it reaches beyond it: every quote and bracket that begins here ends here, and no comma is outside of them."""
    bare = _QUOTED.sub("", key.replace("\0", ""))
    if not bare.strip() or _UNSURE.search(bare) is not None or _STEM.search(key) is not None:
        return False
    depth = 0
    for sign in _SIGNS.findall(bare):
        depth += {"(": 1, "[": 1, ",": 0}.get(sign, -1)
        if depth < 0 or (sign == "," and not depth):
            return False
    return depth == 0


def _read(pieces: Sequence[_Piece]) -> Iterator[tuple[tuple[bool, str], _Element]]:
    """The elements that the grammar sees: of many at once, where each is one."""
    for start in range(0, len(pieces), _TOGETHER):
        yield from _seen(pieces[start : start + _TOGETHER])


def _seen(pieces: Sequence[_Piece]) -> Iterator[tuple[tuple[bool, str], _Element]]:
    marked = (f'"{_COLUMN}"{key}' if column else _marked(key) for column, key, _ in pieces)
    tree = grammar.parse(f"CREATE TABLE {_COLUMN} (\n" + ",\n".join(marked) + "\n)")
    found = tree.node.get("tableElts", ()) if tree.node is not None and tree.kind == "create_stmt" else ()
    if len(found) == len(pieces):
        for (column, key, _), node in zip(pieces, found, strict=True):
            element = _column(node) if column else _constraint(node, gaps="\0" in key)
            if element is not None:
                yield (column, key), element
    elif len(pieces) > 1:
        half = len(pieces) // 2
        yield from _seen(pieces[:half])
        yield from _seen(pieces[half:])


def _marked(key: str) -> str:
    first, *others = key.split("\0")
    return first + "".join(f'"zq{number}qz"{other}' for number, other in enumerate(others))


def _column(node: Node) -> _Element | None:
    column = node.get("ColumnDef")
    if column is None or column["colname"] != _COLUMN:
        return None
    written = words.type_name(column["typeName"])
    constraints = [holder["Constraint"] for holder in column.get("constraints", ())]
    keys = sum(each["contype"] == _PRIMARY for each in constraints)
    return _Element(
        written,
        "typmods" in column["typeName"] and written.startswith(c.LIMITED),
        (0,) * keys,
        tuple(_reference(each) for each in constraints if each["contype"] == _FOREIGN),
    )


def _constraint(node: Node, *, gaps: bool) -> _Element | None:
    constraint = node.get("Constraint")
    if constraint is None or (gaps and constraint["contype"] == _FOREIGN):
        return None  # whom it refers to would be a gap
    if constraint["contype"] == _FOREIGN:
        return _Element("", False, (), (_reference(constraint),))
    keys = words.strings(constraint.get("keys", ())) if constraint["contype"] == _PRIMARY else []
    return _Element("", False, tuple(_place(name) for name in keys), ())


def _place(name: str) -> int | str:
    mark = _MARK.fullmatch(name)
    return name if mark is None else int(mark[1])


def _put_together(taken: _Table, known: Mapping[tuple[bool, str], _Element]) -> c.Reading | None:
    types: dict[str, tuple[str, bool]] = {}
    key: list[str] = []
    locks: list[c.Lock] = []
    for column, text, names in taken.pieces:
        element = known.get((column, text))
        if element is None:
            return None
        kind, limited, places, referred = element
        if column:
            types[names[0]] = (kind, limited)
        if places:
            key += [place if isinstance(place, str) else names[place] for place in places]
        locks += referred
    primary = tuple((name, types[name][0] if name in types else "") for name in key)
    sized = tuple((name, kind) for name, (kind, limited) in types.items() if limited)
    return c.Reading("create_stmt", (c.CreateTable(taken.name, primary, False, taken.if_not_exists, sized), *locks))


def _reference(constraint: Node) -> c.Lock:
    return c.Lock(words.table(constraint["pktable"]), "ShareRowExclusiveLock")
