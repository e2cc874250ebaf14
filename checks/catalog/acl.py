"""Privileges: PostgreSQL's aclitems made comparable, whoever granted them."""

from collections.abc import Iterable, Mapping

from checks.catalog import names

FULL: Mapping[str, str] = {
    "r": "arwdDxtm",
    "c": "arwx",
    "S": "rwU",
    "f": "X",
    "T": "U",
    "n": "UC",
    "N": "UC",
    "O": "UC",
    "F": "U",
    "s": "U",
    "l": "U",
}
"""All letters of a kind of object, in PostgreSQL's order. `N` is the schema `public` as initdb makes it, `O` before 15."""

MAINTAIN = "m"
"""Came with PostgreSQL 17; before it, all the others together stand for it too, so that ALL is the same everywhere."""

WORDS: Mapping[str, str] = {
    "a": "INSERT",
    "r": "SELECT",
    "w": "UPDATE",
    "d": "DELETE",
    "D": "TRUNCATE",
    "x": "REFERENCES",
    "t": "TRIGGER",
    "m": "MAINTAIN",
    "U": "USAGE",
    "C": "CREATE",
    "X": "EXECUTE",
}

OWNER = "@owner"
PUBLIC = "PUBLIC"
_FOR_EVERYONE = {"f": "X", "T": "U", "l": "U", "N": "U", "O": "UC"}

Privileges = dict[str, dict[str, bool]]
"""Letters of each grantee, and whether it may grant them on."""


def of_schema(name: str, version: int) -> str:
    """The kind of a schema's privileges: everyone may use `public`, and before 15 create in it."""
    return "n" if name != "public" else "N" if version >= 150000 else "O"


def builtin(kind: str) -> Privileges:
    """What PostgreSQL gives when nothing was said."""
    held: Privileges = {} if kind == "c" else {OWNER: dict.fromkeys(FULL[kind], False)}
    if kind in _FOR_EVERYONE:
        held[PUBLIC] = dict.fromkeys(_FOR_EVERYONE[kind], False)
    return held


def expand(acl: Iterable[str] | None, kind: str) -> Privileges:
    """The privileges that `acl` stands for."""
    if acl is None:
        return builtin(kind)
    held: Privileges = {}
    for item in acl:
        grantee, _, letters = item.rpartition("=")
        held[grantee] = _letters(letters)
    return held


def collapse(held: Privileges, kind: str) -> tuple[str, ...] | None:
    """The comparable form; None where it is the default."""
    held = {who: letters for who, letters in held.items() if letters}
    for letter in held.get(OWNER, {}):
        held[OWNER][letter] = False  # the owner may always grant
    if held == builtin(kind):
        return None
    return tuple(sorted(f"{who}={_text(letters)}" for who, letters in held.items()))


def normal(items: Iterable[str], kind: str, owner: str, version: int) -> tuple[str, ...] | None:
    """Aclitems as PostgreSQL prints them, merged over grantors, the owner's name taken out."""
    return collapse(complete(parse(items, owner), kind, version), kind)


def complete(held: Privileges, kind: str, version: int) -> Privileges:
    """Before 17, whoever may do everything may MAINTAIN too."""
    if kind == "r" and version < 170000:
        for letters in held.values():
            if all(letter in letters for letter in FULL[kind] if letter != MAINTAIN):
                letters[MAINTAIN] = all(letters.values())
    return held


def parse(items: Iterable[str], owner: str) -> Privileges:
    """Aclitems as PostgreSQL prints them."""
    held: Privileges = {}
    for item in items:
        role, letters = _split(item)
        who = OWNER if role == owner and owner else names.quoted(role) if role else PUBLIC
        for letter, grantable in _letters(letters).items():
            mine = held.setdefault(who, {})
            mine[letter] = mine.get(letter, False) or grantable
    return held


def _split(item: str) -> tuple[str, str]:
    """`role=letters/grantor` → role and letters."""
    if not item.startswith('"'):
        role, _, rest = item.partition("=")
        return role, rest.partition("/")[0]
    end = 1
    while item[end] != '"' or item[end : end + 2] == '""':
        end += 2 if item[end] == '"' else 1
    return item[1:end].replace('""', '"'), item[end + 2 :].partition("/")[0]


def _letters(text: str) -> dict[str, bool]:
    letters: dict[str, bool] = {}
    last = ""
    for char in text:
        if char == "*":
            letters[last] = True
        else:
            letters[char] = False
            last = char
    return letters


def _text(letters: Mapping[str, bool]) -> str:
    return "".join(letter + "*" * letters[letter] for letter in sorted(letters))
