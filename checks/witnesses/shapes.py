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

from checks.keywords import KEYWORDS
from checks.witnesses import words
from checks.witnesses.clauses import Reading
from checks.witnesses.fitting import SURELY_SHALLOW

LONGEST = 400
_ENOUGH = 3  # of one shape, for it to be worth a reading of its own
_TRIED = 100

# A name that PostgreSQL takes as it stands, without anything that a reader cuts at (dots, spaces); a text; a word.
_NAMED = re.compile(r"""("[A-Za-z0-9_$-]{1,63}"|'[^'\\\0]++'|(?<![\w$])[a-z_][a-z0-9_]{0,62}+(?![\w$]))""")
_QUOTED = re.compile(r"""("[A-Za-z0-9_$-]{1,63}"|'[^'\\\0]++')""")
_FIT = re.compile(r"[A-Za-z0-9_$-]*+")
_BLANK = " \t\n\r\f"
# A number in a default or a condition, which no reader looks at: any will do.
_NUMBER = re.compile(r"(?<=DEFAULT )[0-9]{1,9}(?![\w.$])|(?<=[<>=] )[0-9]{1,9}(?=\))")
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
_HEAD = re.compile(r"DO\s+\$\$\s*BEGIN\s", re.IGNORECASE)
_LONGEST_TAIL = 80
_TAIL = re.compile(r"\s(?:EXCEPTION\s+WHEN\s+\w+\s+THEN\s+null\s*;\s*)?END\s*;?\s*\$\$\Z", re.IGNORECASE)
PLAIN_KINDS = frozenset({"alter_table_stmt", "create_stmt", "create_enum_stmt", "index_stmt", "alter_enum_stmt"})
"""What a block of code may hold and still be read."""


# What the making of a named tuple ends in.
_new: Callable[[Any, Any], Any] = tuple.__new__  # pyright: ignore[reportUnknownVariableType, reportUnknownMemberType]


class _Shape(NamedTuple):
    """A reading with gaps.

    Attributes:
        pattern: all texts made of names.
        picked: takes the names that they are made of.
        several: those texts that are fields of one tuple.
        same: what is the same in every such reading.
        clauses: the kind of each, and what takes its fields from the texts, the tuples and the rest, in this order.
    """

    kind: str
    pattern: str
    picked: Callable[[Sequence[str]], Any] | None
    several: tuple[slice, ...]
    same: tuple[Any, ...]
    clauses: tuple[tuple[Any, Callable[[Sequence[Any]], Any]], ...]

    def filled(self, names: Sequence[str], kind: str) -> Reading:
        """The reading of a statement with these names."""
        values: list[Any] = [] if self.picked is None else (self.pattern % self.picked(names)).split("\0")
        if self.several:
            values += [tuple(values[each]) for each in self.several]
        values += self.same
        return _new(Reading, (kind, tuple([_new(of, take(values)) for of, take in self.clauses]), None, None))


def readings(statements: Sequence[str], read: Callable[[Sequence[str]], list[Reading]]) -> list[Reading | None]:
    """What can be told of statements that many others are like; None for each that has to be read by itself.

    Args:
        statements: that are read together.
        read: reads some of them, one by one.
    """
    made = _Shapes()
    seen = [made.of(sql) for sql in statements]
    often = [key for key, count in made.counts.items() if count >= _ENOUGH]
    fit = [key for key in often if not _DOUBTFUL.search(key) and not _STEM.search(key)]
    learned = read([_marked(key) for key in fit])
    known = {
        key: shape
        for key, reading in zip(fit, learned, strict=True)
        if reading.kind in _KINDS and (shape := _with_gaps(reading))
    }
    told: list[Reading | None] = []
    for each in seen:
        shape = known.get(each[0]) if each is not None else None
        if each is None or shape is None:
            told.append(None)
        elif len(each) == 2:
            told.append(shape.filled(each[1], shape.kind))
        else:
            told.append(shape.filled(each[1], "do_stmt") if shape.kind in PLAIN_KINDS else None)
    return told


# A statement's text with marks in place of names, and the names; with a third where a block of code around it asks for no more.
_Masked = tuple[str, list[str]] | tuple[str, list[str], str]


class _Shapes:
    """How often each shape was seen."""

    def __init__(self) -> None:
        self.counts: dict[str, int] = {}
        self._kept, self._compared = _kept()
        self._looked = 0
        self._frame = "", ""

    def of(self, sql: str) -> _Masked | None:
        """The shape of a statement, where it may have one."""
        first = sql[:4]
        if first in _FIRST or (first := first.upper()) in _FIRST:
            return self._mask(sql) if len(sql) <= LONGEST and sql.isascii() else None
        if first[:2] != "DO" or len(sql) > SURELY_SHALLOW or not sql.endswith("$$"):
            return None
        inside = self._inside(sql)
        if (
            (inside[:4] not in _FIRST and inside[:4].upper() not in _FIRST)
            or len(inside) > LONGEST
            or "$" in inside
            or not inside.isascii()
        ):
            return None
        masked = self._mask(inside)  # which has no shape where a semicolon is left
        return masked and (*masked, "do_stmt")

    def _inside(self, sql: str) -> str:
        """As drizzle-kit wrote it around constraints, a block asks for what the statement inside asks for; the last one's frame goes first."""
        before, after = self._frame
        if not after or not sql.startswith(before) or not sql.endswith(after, len(before)):
            head = _HEAD.match(sql)
            tail = _TAIL.search(sql, max(head.end() - 1, len(sql) - _LONGEST_TAIL)) if head else None
            if head is None or tail is None:
                return ""
            before, after = head[0], sql[tail.start() :]
            if len(after) > len(self._frame[1]):  # which a shorter one would leave a piece of
                self._frame = before, after
        return sql[len(before) : -len(after)].rstrip(_BLANK).removesuffix(";").strip(_BLANK)

    def _mask(self, sql: str) -> tuple[str, list[str]] | None:
        if self._looked > _TRIED and len(self.counts) * 2 > self._looked:
            return None  # hardly two are alike
        self._looked += 1
        key, names = self._quoted(sql) or self._worded(sql)
        if "DEFAULT " in key or "CHECK (" in key:
            key = _NUMBER.sub("0", key)
        self.counts[key] = self.counts.get(key, 0) + 1
        return key, names

    def _quoted(self, sql: str) -> tuple[str, list[str]] | None:
        """Where all names are quoted, as drizzle-kit writes them."""
        # Quoted or not, `public` is the same name.
        parts = sql.replace('"public".', "public.").split('"')
        names = parts[1::2]
        if (
            not names
            or len(parts) == 2 * len(names)
            or "'" in sql
            or "" in names
            or not self._compared.isdisjoint(names)
        ):
            return None
        joined = "".join(names)
        if _FIT.fullmatch(joined) is None or (len(joined) > words.NAME_BYTES < max(map(len, names))):
            return None
        return "\0i".join(parts[::2]), names

    def _worded(self, sql: str) -> tuple[str, list[str]]:
        """However names are written; where some are quoted, words are left as they stand."""
        parts = (_QUOTED if '"' in sql else _NAMED).split(sql)
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


def _marked(key: str) -> str:
    """A statement of that shape whose names are marks of their own."""
    marks = itertools.count()

    def mark(found: re.Match[str]) -> str:
        quote = _QUOTES.get(found[1])
        return '"' if quote is None else f"{quote}zq{next(marks)}qz{quote}"

    return _MARK.sub(mark, key)


def _with_gaps(reading: Reading) -> _Shape | None:
    """What of a reading is made of marks; None where a mark did not come through as it was."""
    texts: list[str] = []
    picked: list[int] = []
    several: list[slice] = []
    same: list[Any] = []
    placed: list[list[tuple[list[Any], int]]] = []  # of each clause, where each field is found
    for clause in reading.clauses:
        fields: list[tuple[list[Any], int]] = []
        placed.append(fields)
        for field in clause:
            if not isinstance(field, str | tuple) or not _STEM.search(field if isinstance(field, str) else repr(field)):
                fields.append((same, len(same)))
                same.append(field)
                continue
            parts = [field] if isinstance(field, str) else [each for each in field if isinstance(each, str)]
            first = len(texts)
            for text in parts:
                pieces = _PLACED.split(text)
                if any(map(_STEM.search, pieces[::2])):
                    return None
                picked += map(int, pieces[1::2])
                texts.append("%s".join([piece.replace("%", "%%") for piece in pieces[::2]]))
            if isinstance(field, str):
                fields.append((texts, first))
            elif len(parts) == len(field):
                fields.append((several, len(several)))
                several.append(slice(first, len(texts)))
            else:
                return None
    begin = {id(texts): 0, id(several): len(texts), id(same): len(texts) + len(several)}
    clauses = tuple(
        (type(clause), _taken([begin[id(where)] + number for where, number in fields]))
        for clause, fields in zip(reading.clauses, placed, strict=True)
    )
    take = _taken(picked) if picked else None
    return _Shape(reading.kind, "\0".join(texts), take, tuple(several), tuple(same), clauses)


def _taken(numbers: Sequence[int]) -> Callable[[Sequence[Any]], Any]:
    """What takes these of several values, as a tuple."""
    if len(numbers) == 1:
        return lambda values: (values[numbers[0]],)
    return itemgetter(*numbers)


@cache
def _kept() -> tuple[frozenset[str], frozenset[str]]:
    """Words that are not only copied: keywords as they stand; and quoted or not, what is compared with anything."""
    compared = _COMPARED | words.COMPARED
    return KEYWORDS | compared | {f'"{name}"' for name in compared}, compared
