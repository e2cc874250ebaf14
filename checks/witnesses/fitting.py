"""What may be given to the grammar: it dies of what nests too deep, stops at a zero byte, and takes long for megabytes."""

import re

# The library walks trees by recursion and dies of a stack overflow at some ten thousand levels; Python reads some hundreds.
# Whatever is shorter than this cannot nest so deep, so only longer statements are measured before they are parsed.
SURELY_SHALLOW = 2_000
DEEPEST = 5_000
LONGEST = 1_000_000
# Of what is shorter, all is read; the tree of a longer list of values takes hundreds of megabytes.
WHOLE = 200_000
LARGEST_TREE = 16_000_000  # bytes of JSON, which are some 250 MB in Python
ZERO = "it contains a zero byte"

_WORDS = re.compile(
    rb"'(?:[^']|'')*'|\"[^\"]*\"|--[^\n]*|/\*.*?\*/|\$(\w*)\$.*?\$\1\$"
    rb"|(?P<open>[(\[])|(?P<close>[)\]])|(?P<comma>,)|(?P<set>\b(?:union|intersect|except|join)\b)|(?P<word>[\w.]+)|(?P<sign>[^\s\w])",
    re.DOTALL | re.IGNORECASE,
)


def is_plain(sql: str) -> bool:
    """Nothing has to be measured or mended before it is given to the library."""
    return len(sql) <= SURELY_SHALLOW and sql.isascii() and "\0" not in sql


def clean(sql: str) -> str:
    """As many characters, all of which C and UTF-8 can carry."""
    return sql.replace("\0", " ").encode("utf-8", errors="replace").decode()


def fitted(sql: str) -> tuple[str, str | None]:
    """What may be given to the library, and why nothing may."""
    if "\0" in sql:
        return "", ZERO
    text = clean(sql)
    if len(text) <= SURELY_SHALLOW:
        return text, None
    if len(text) > WHOLE:
        text = _insert_without_rows(text)
    if len(text) > LONGEST:
        return "", f"it is {len(text) // 1_000_000} MB long"
    return text, "it nests too deep" if _depth(text.encode()) > DEEPEST else None


def _insert_without_rows(text: str) -> str:
    """The head of a long INSERT: its rows say nothing that a rule asks."""
    head = re.match(r"\s*insert\s+into\s+[^;()']{1,400}(\([^()']{0,20000}\))?\s*values\b", text, re.IGNORECASE)
    return f"{text[: head.end() - len('values')]} SELECT" if head else text


def _depth(data: bytes) -> int:
    """No fewer levels than the tree has: tokens since the last comma, and joins and unions, summed over open brackets."""
    tokens_here, sets_here = [0], [0]
    deepest = total = 0
    for match in _WORDS.finditer(data):
        kind = match.lastgroup
        if kind == "open":
            tokens_here.append(0)
            sets_here.append(1)
            total += 1
        elif kind == "close":
            if len(sets_here) > 1:
                total -= tokens_here.pop() + sets_here.pop()
        elif kind == "comma":
            total -= tokens_here[-1]
            tokens_here[-1] = 0
        elif kind is not None:
            (sets_here if kind == "set" else tokens_here)[-1] += 1
            total += 1
            deepest = max(deepest, total)
    return max(deepest, total)
