"""Sorts names as JavaScript's `localeCompare` does, which is how Drizzle v1 orders its folders."""

import unicodedata

# The order of CLDR's root collation for what stands in file names; digits and letters follow.
_SIGNS = "_-,;:!?.'\"()[]{}@*/\\&#%`^+<=>|~$"
_RANK = {sign: number for number, sign in enumerate(_SIGNS)}


def key(name: str) -> tuple[object, ...]:
    """Compare letters first, then accents, then case (small before capital)."""
    plain = unicodedata.normalize("NFD", name)
    letters = [c for c in plain if not unicodedata.combining(c)]
    return (
        [_primary(c) for c in letters],
        [c for c in plain if unicodedata.combining(c)],
        [c.isupper() for c in letters],
        name,
    )


def _primary(character: str) -> tuple[int, int, str]:
    if character.isspace():
        return (0, 0, character)
    if character in _RANK:
        return (1, _RANK[character], "")
    if character.isdecimal():
        return (2, unicodedata.decimal(character), "")
    return (3, 0, character.casefold())
