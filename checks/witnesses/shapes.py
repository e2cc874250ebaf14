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

from checks import quick
from checks.keywords import KEYWORDS
from checks.witnesses import words
from checks.witnesses.clauses import Reading

LONGEST = 500
_ENOUGH = 3  # of one shape, for it to be worth a reading of its own
_TOGETHER = 100
_BETWEEN = "\1"

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
_FIRST = frozenset({"ALTE", "COMM", "CREA", "DROP", "GRAN", "REVO", "DO $", "DO\n$"})
# Kinds whose readers copy names, and whose grammar looks at no name but `_COMPARED`.
_KINDS = frozenset(
    {
        *("alter_enum_stmt", "alter_object_schema_stmt", "alter_owner_stmt", "alter_seq_stmt", "alter_table_stmt"),
        *("comment_stmt", "create_enum_stmt", "create_policy_stmt", "create_seq_stmt", "create_trig_stmt", "drop_stmt"),
        *("grant_stmt", "index_stmt", "rename_stmt"),
    }
)
# Names at which gram.y looks, those that switch an option on or off, and what begins the end of a block of code.
_COMPARED = frozenset({"public", "none", "permissive", "restrictive", "modulus", "remainder", "default", "list", "range"}) | {
    *("hash", "on", "off", "true", "false", "yes", "no", "exception"),
}  # fmt: skip
_HEAD = re.compile(r"DO\s+\$\$\s*BEGIN\s", re.IGNORECASE)
_TAIL = re.compile(r"\s(?:EXCEPTION\s+WHEN\s+(?:\w+|\0w)\s+THEN\s+null\s*;\s*)?END\s*;?\s*\$\$\Z", re.IGNORECASE)
PLAIN_KINDS = frozenset({"alter_table_stmt", "create_stmt", "create_enum_stmt", "index_stmt", "alter_enum_stmt"})
"""What a block of code may hold and still be read."""


_new = quick.new


class _Shape(NamedTuple):
    """A reading with gaps.

    Attributes:
        pattern: all texts made of names.
        picked: takes the names that they are made of.
        several: those texts that are fields of one tuple.
        same: what is the same in every such reading.
        kinds: of the clauses.
        fields: of each clause, what takes them from the texts, the tuples and the rest, in this order.
    """

    kind: str
    pattern: str
    picked: Callable[[Sequence[str]], Any] | None
    several: tuple[slice, ...]
    same: tuple[Any, ...]
    kinds: tuple[type, ...]
    fields: tuple[Callable[[Sequence[Any]], Any], ...]

    def filled(self, names: Sequence[str]) -> Reading:
        """The reading of a statement with these names."""
        values: list[Any] = [] if self.picked is None else (self.pattern % self.picked(names)).split("\0")
        if self.several:
            values += [tuple(values[each]) for each in self.several]
        values += self.same
        clauses = tuple(map(_new, self.kinds, [take(values) for take in self.fields]))
        return _new(Reading, (self.kind, clauses, None, None))


def readings(statements: Sequence[str], read: Callable[[Sequence[str]], list[Reading]]) -> list[Reading | None]:
    """What can be told of statements that many others are like; None for each that has to be read by itself.

    Args:
        statements: that are read together.
        read: reads some of them, one by one.
    """
    made = _Shapes(statements)
    often = {key: _asked(key) for key, count in made.counts.items() if count >= _ENOUGH}
    fit = {key: inside for key, inside in often.items() if not _DOUBTFUL.search(inside) and not _STEM.search(inside)}
    learned = read([_marked(inside) for inside in fit.values()])
    known = {
        key: shape
        for (key, inside), reading in zip(fit.items(), learned, strict=True)
        if reading.kind in (_KINDS if inside == key else _KINDS & PLAIN_KINDS)
        and (shape := _with_gaps(reading, reading.kind if inside == key else "do_stmt"))
    }
    if not known:
        return [None] * len(statements)
    return [
        None if each is None or (shape := known.get(each[0])) is None else shape.filled(each[1]) for each in made.masked
    ]


_Masked = tuple[str, list[str]]  # a statement's text with marks in place of names, and the names


class _Shapes:
    """What may be the shape of each statement, and how often it was seen."""

    def __init__(self, statements: Sequence[str]) -> None:
        self._kept, self._compared = _kept()
        self._statements = statements
        self.counts: dict[str, int] = {}
        self.masked: list[_Masked | None] = [None] * len(statements)
        fit = [
            number
            for number, sql in enumerate(statements)
            if len(sql) <= LONGEST
            and ((first := sql[:4]) in _FIRST or first.upper() in _FIRST)
            and sql.isascii()
            and "\0" not in sql  # which would be taken for a mark of ours
        ]
        for start in range(0, len(fit), _TOGETHER):
            if start and len(self.counts) * 2 > start:
                return  # hardly two are alike
            self._count(fit[start : start + _TOGETHER])

    def _count(self, numbers: Sequence[int]) -> None:
        statements, masked, counts = self._statements, self.masked, self.counts
        plain = [n for n in numbers if "'" not in (sql := statements[n]) and not sql.count('"') & 1]
        for number, each in zip(plain, self._quoted([statements[n] for n in plain]), strict=True):
            masked[number] = each
        for number in numbers:
            each = masked[number]
            if each is None:
                each = masked[number] = self._worded(statements[number])
            key = each[0]
            if "DEFAULT " in key or "CHECK (" in key:
                key = _NUMBER.sub("0", key)
                masked[number] = key, each[1]
            counts[key] = counts.get(key, 0) + 1

    def _quoted(self, plain: Sequence[str]) -> Sequence[_Masked | None]:
        """Statements in which all names are quoted, as drizzle-kit writes them, all in one go; None for each other."""
        # Quoted or not, `public` is the same name.
        whole = _BETWEEN.join(plain).replace('"public".', "public.")
        parts = whole.split('"')
        names = parts[1::2]
        keys = "\0i".join(parts[::2]).split(_BETWEEN)
        joined = "".join(names)
        if (
            "" in names
            or len(keys) != len(plain)
            or not self._compared.isdisjoint(names)
            or _FIT.fullmatch(joined) is None
            or (len(joined) > words.NAME_BYTES < max(map(len, names)))
        ):
            if len(plain) < 2:
                return [None] * len(plain)
            tenth = max(1, len(plain) // 10)  # one of them, or all
            return [each for n in range(0, len(plain), tenth) for each in self._quoted(plain[n : n + tenth])]
        found: list[_Masked | None] = []
        at = 0
        for key in keys:
            end = at + key.count("\0")
            found.append((key, names[at:end]) if end > at else None)
            at = end
        return found

    def _worded(self, sql: str) -> _Masked:
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


def _asked(key: str) -> str:
    """What a shape asks for: as drizzle-kit wrote them around constraints, a block asks for what stands in it."""
    head = _HEAD.match(key)
    tail = _TAIL.search(key, head.end() - 1) if head else None
    if head is None or tail is None:
        return key
    inside = key[head.end() : tail.start()].rstrip(_BLANK).removesuffix(";").strip(_BLANK)
    return inside if inside[:4].upper() in _FIRST else key


def _marked(key: str) -> str:
    """A statement of that shape whose names are marks of their own."""
    marks = itertools.count()

    def mark(found: re.Match[str]) -> str:
        quote = _QUOTES.get(found[1])
        return '"' if quote is None else f"{quote}zq{next(marks)}qz{quote}"

    return _MARK.sub(mark, key)


def _with_gaps(reading: Reading, kind: str) -> _Shape | None:
    """What of a reading is made of marks; None where a mark did not come through as it was."""
    texts: list[str] = []
    known: dict[str, int] = {}  # which of the texts is a field as it stands, as the name of a table often is twice
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
            if isinstance(field, str) and field in known:
                fields.append((texts, known[field]))
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
                known[field] = first
            elif len(parts) == len(field):
                fields.append((several, len(several)))
                several.append(slice(first, len(texts)))
            else:
                return None
    begin = {id(texts): 0, id(several): len(texts), id(same): len(texts) + len(several)}
    kinds = tuple(map(type, reading.clauses))
    taken = tuple(_taken([begin[id(where)] + number for where, number in fields]) for fields in placed)
    take = _taken(picked) if picked else None
    return _Shape(kind, "\0".join(texts), take, tuple(several), tuple(same), kinds, taken)


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
