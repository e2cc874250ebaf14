"""Names that are too long for PostgreSQL, which cuts them: found in the tokens, where a quick look does not rule them out."""

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from itertools import accumulate

from checks.witnesses import grammar
from checks.witnesses.words import NAME_BYTES

# A name may be long where so many characters are: 22 of them may be 64 bytes of UTF-8.
_LONG_UNICODE = re.compile(r'"[^"]{22}|(?<![\w$])[^\W\d][\w$]{21}')
_LONG_WORD = b"a" * (NAME_BYTES + 1)
_QUOTED = re.compile(r'"[^"]{64}')
# Where a quote may not be a name's; one character is found much faster than two.
_UNPLAIN = (("'", "'"), ("\\", "\\"), ("-", "--"), ("/", "/*"))
_PLAIN = re.compile(r"[\w-]++", re.ASCII)
# What is quoted, and not in a text, body or comment.
_NAMES = re.compile(r"""'[^']*+'|\$\$.*?\$\$|--[^\n]*+|"([^"]*+)\"""", re.DOTALL)
_IN_A_NAME = bytes(97 if chr(code).isalnum() or chr(code) in "_$" else 32 for code in range(128)) + bytes(128)
_NAME = re.compile(r"[^\W\d][\w$]*")


def among(statements: Sequence[str]) -> frozenset[str]:
    """Those statements that may have such names; a look at all of them at once rules out most."""
    whole = "\n".join(statements)
    if not whole.isascii():
        return frozenset(filter(_may_have, statements))
    data = whole.encode().translate(_IN_A_NAME)
    if _LONG_WORD not in data and (_QUOTED.search(whole) is None or _has_short_quotes(whole)):
        return frozenset()
    return frozenset(filter(_may_have, _suspects(statements, whole, data)))


def _has_short_quotes(whole: str) -> bool:
    """Every pair of quotes is surely a name's, and none is long; where no word is.

    A quote that is none of a pair stands in a body, or is never closed; so what follows it up to the next quote, which would
    be taken for a name, holds the end of the body or of the statement.
    """
    if any(sign in whole and pair in whole for sign, pair in _UNPLAIN):
        return False
    parts = whole.split('"')
    names = parts[1::2]
    joined = "".join(names)
    # A long word is nowhere, so only dashes make a long name.
    short = "-" not in joined or max(map(len, names)) <= NAME_BYTES
    return short and "" not in parts[1:-1] and _PLAIN.fullmatch(joined) is not None


def _suspects(statements: Sequence[str], whole: str, data: bytes) -> Iterator[str]:
    """The statements in which something long begins."""
    starts = [0, *accumulate(len(sql) + 1 for sql in statements)]
    at, size = 0, len(whole)
    word, quoted = data.find(_LONG_WORD), _QUOTED.search(whole)
    while at < size:
        if 0 <= word < at:
            word = data.find(_LONG_WORD, at)
        if quoted is not None and quoted.start() < at:
            quoted = _QUOTED.search(whole, at)
        found = min(size if word < 0 else word, size if quoted is None else quoted.start())
        if found == size:
            return
        number = bisect_right(starts, found) - 1
        yield statements[number]
        at = starts[number + 1]


def _may_have(sql: str) -> bool:
    if not sql.isascii():
        return _LONG_UNICODE.search(sql) is not None
    if _LONG_WORD in sql.encode().translate(_IN_A_NAME):
        return True
    if _QUOTED.search(sql) is None:
        return False
    dollars = sql.count("$")
    if "\\" in sql or "/*" in sql or '""' in sql or sql.count('"') % 2 or dollars != 2 * sql.count("$$"):
        return True
    if "'" in sql or "--" in sql:
        return max(map(len, _NAMES.findall(sql)), default=0) > NAME_BYTES
    outside = sql.split("$$")[::2] if dollars else [sql]
    return any(part.count('"') % 2 or max(map(len, part.split('"')[1::2]), default=0) > NAME_BYTES for part in outside)


def of(sql: str) -> list[tuple[str, str]]:
    """Names that PostgreSQL cuts, each with what becomes of it."""
    if len(sql) <= NAME_BYTES // 4 or not _may_have(sql):
        return []
    found: dict[str, str] = {}
    for token in grammar.tokens(sql):
        quoted = token.startswith('"')
        if not quoted and not _NAME.fullmatch(token):
            continue
        name = token[1:-1].replace('""', '"') if quoted else token
        data = name.encode(errors="replace")
        if len(data) > NAME_BYTES:
            found[name] = data[:NAME_BYTES].decode(errors="ignore")
    return list(found.items())
