"""Statements of one shape: alike but for the names and texts in them, so that what was read of one tells of the next.

A name that is no keyword, and that neither the grammar nor a reader compares with anything, is only ever copied from a
statement into its clauses. So a statement is read once with marks in place of its names, and the next of its shape is that
reading with its own names in place of the marks. Whatever is not surely of this kind has no shape, and is read by itself.
"""

import itertools
import re
from collections.abc import Callable, Sequence
from functools import cache
from operator import itemgetter
from typing import Any, NamedTuple

from checks.witnesses import grammar, words
from checks.witnesses.clauses import Clause, Reading

LONGEST = 400
_ENOUGH = 3  # of one shape, before it is worth a reading of its own
_MOST = 5_000
_TRIED = 300

# A name that PostgreSQL takes as it stands, without anything that a reader cuts at (dots, spaces); a text; a word.
_NAMED = re.compile(r"""("[A-Za-z0-9_$-]{1,63}"|'[^'\\\0]++'|(?<![\w$])[a-z_][a-z0-9_]{0,62}+(?![\w$]))""")
_MARK = re.compile("\0(.)")
_QUOTES = {"i": '"', "t": "'", "w": ""}  # and `k` and `q` begin and end a quoted name that is kept
_PLACED = re.compile(r"zq(\d+)qz")
_STEM = re.compile(r"zq|qz", re.IGNORECASE)
# What stands between the names: a comment, another kind of quote, or a quote that begins otherwise, and it is no shape.
_DOUBTFUL = re.compile(r"""["'\\$&;]|--|/\*|\w\0[itk]|\0[itwq]\0|\0[itq]\w""")
_FIRST = frozenset({"ALTE", "COMM", "CREA", "DROP", "GRAN", "REVO"})
# Kinds whose readers copy names, and whose grammar looks at no name but `_COMPARED`.
_KINDS = frozenset(
    {
        *("alter_enum_stmt", "alter_object_schema_stmt", "alter_owner_stmt", "alter_seq_stmt", "alter_table_stmt"),
        *("comment_stmt", "create_enum_stmt", "create_policy_stmt", "create_seq_stmt", "create_trig_stmt", "drop_stmt"),
        *("grant_stmt", "index_stmt", "rename_stmt"),
    }
)
# Names at which gram.y looks, and those that switch an option on or off.
_COMPARED = frozenset({"public", "none", "permissive", "restrictive", "modulus", "remainder", "default", "list", "range"}) | {
    *("hash", "on", "off", "true", "false", "yes", "no"),
}  # fmt: skip
_BLOCK = re.compile(
    r"DO\s+\$\$\s*BEGIN\s(?P<inside>[^$]*?)\s(?:EXCEPTION\s+WHEN\s+\w+\s+THEN\s+null\s*;\s*)?END\s*;?\s*\$\$",
    re.IGNORECASE,
)
PLAIN_KINDS = frozenset({"alter_table_stmt", "create_stmt", "create_enum_stmt", "index_stmt", "alter_enum_stmt"})
"""What a block of code may hold and still be read."""


# What the making of a named tuple ends in.
_new: Callable[[Any, list[Any]], Any] = tuple.__new__  # pyright: ignore[reportUnknownVariableType, reportUnknownMemberType]


class _Clause(NamedTuple):
    """One clause. `slots`: which of its fields are made of names, each by the place or places of its text."""

    kind: Any
    fields: list[Any]
    slots: tuple[tuple[int, int | slice], ...]


class _Shape(NamedTuple):
    """A reading with gaps: `pattern` are all texts made of names, `picked` the names that they are made of."""

    reading: Reading
    pattern: str
    picked: Callable[[Sequence[str]], Any] | None
    clauses: tuple[_Clause | Clause, ...]

    def filled(self, names: Sequence[str]) -> Reading:
        """The reading of a statement with these names."""
        if self.picked is None:
            return self.reading
        texts = (self.pattern % self.picked(names)).split("\0")
        made: list[Any] = []
        for clause in self.clauses:
            if type(clause) is _Clause:
                fields = clause.fields.copy()
                for field, where in clause.slots:
                    fields[field] = texts[where] if type(where) is int else tuple(texts[where])  # pyright: ignore[reportArgumentType, reportCallIssue]
                made.append(_new(clause.kind, fields))
            else:
                made.append(clause)
        return Reading(self.reading.kind, tuple(made))


class Shapes:
    """The shapes of the statements that are read together; `read` reads a single one.

    Attributes:
        looked: how many statements were looked at.
    """

    def __init__(self, read: Callable[[str], Reading]) -> None:
        """None is known yet."""
        self._read = read
        self._known: dict[str, _Shape | int] = {}
        self.looked = self._told = 0
        self._kept = _kept()

    def reading(self, sql: str) -> Reading | None:
        """What is known of a statement by those before it; None where it has to be read."""
        if (first := sql[:4].upper()) in _FIRST:
            return self._of(sql) if len(sql) <= LONGEST and sql.isascii() else None
        return self._block(sql) if first[:2] == "DO" else None

    def _of(self, sql: str) -> Reading | None:
        if self.looked > _TRIED and self._told * 4 < self.looked:
            return None  # they are all different
        self.looked += 1
        key, names = self._masked(sql)
        shape = self._known.get(key, 0)
        if type(shape) is int:
            if shape < _ENOUGH and len(self._known) < _MOST:
                self._known[key] = shape + 1
            if shape != _ENOUGH - 1:
                return None
            shape = self._learned(key)
            self._known[key] = shape or _ENOUGH
            if shape is None:
                return None
        self._told += 1
        return shape.filled(names)  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType, reportUnknownVariableType]

    def _masked(self, sql: str) -> tuple[str, list[str]]:
        """The text with marks in place of names, and the names."""
        parts = _NAMED.split(sql)
        names: list[str] = []
        kept = self._kept
        for number in range(1, len(parts), 2):
            word = parts[number]
            mark = word[0]
            if word in kept:
                if mark == '"':
                    parts[number] = f"\0k{word[1:-1]}\0q"
            elif mark == '"':
                names.append(word[1:-1])
                parts[number] = "\0i"
            elif mark == "'":
                names.append(word[1:-1])
                parts[number] = "\0t"
            else:
                names.append(word)
                parts[number] = "\0w"
        return "".join(parts), names

    def _block(self, sql: str) -> Reading | None:
        """A block around one plain statement, as drizzle-kit wrote it around constraints, asks for what that one asks for."""
        block = _BLOCK.fullmatch(sql) if len(sql) <= grammar.SURELY_SHALLOW else None
        inside = grammar.one(block["inside"]) if block else ""
        reading = self.reading(inside) if inside and inside[:2].upper() != "DO" else None
        if reading is None or reading.kind not in PLAIN_KINDS:
            return None
        return reading._replace(kind="do_stmt")

    def _learned(self, key: str) -> _Shape | None:
        """Read a statement of that shape whose names are marks."""
        marks = itertools.count()

        def mark(found: re.Match[str]) -> str:
            quote = _QUOTES.get(found[1])
            return '"' if quote is None else f"{quote}zq{next(marks)}qz{quote}"

        if _DOUBTFUL.search(key) or _STEM.search(key):
            return None
        reading = self._read(_MARK.sub(mark, key))
        return _with_gaps(reading) if reading.kind in _KINDS else None


def _with_gaps(reading: Reading) -> _Shape | None:
    """What of a reading is made of marks; None where a mark did not come through as it was."""
    texts: list[str] = []
    picked: list[int] = []

    def gap(text: str) -> int:
        picked.extend(int(found) for found in _PLACED.findall(text))
        texts.append("%s".join(piece.replace("%", "%%") for piece in _PLACED.split(text)[::2]))
        return len(texts) - 1

    clauses: list[_Clause | Clause] = []
    for clause in reading.clauses:
        slots: list[tuple[int, int | slice]] = []
        for number, field in enumerate(clause):
            if isinstance(field, str) and _PLACED.search(field):
                slots.append((number, gap(field)))
            elif isinstance(field, tuple) and _PLACED.search(repr(field)):
                several = [each for each in field if isinstance(each, str)]
                if len(several) < len(field):
                    return None
                places = [gap(each) for each in several]
                slots.append((number, slice(places[0], places[-1] + 1)))
        clauses.append(_Clause(type(clause), list(clause), tuple(slots)) if slots else clause)
    if _STEM.search(_PLACED.sub("", repr(reading))):
        return None
    take = itemgetter(*picked) if picked else None
    return _Shape(reading, "\0".join(texts), take, tuple(clauses))


@cache
def _kept() -> frozenset[str]:
    """Words that are not only copied: keywords as they stand; and quoted or not, what is compared with anything."""
    compared = _COMPARED | words.COMPARED
    return grammar.keywords() | compared | {f'"{name}"' for name in compared}
