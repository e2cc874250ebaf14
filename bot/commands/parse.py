"""Reads a command out of a comment: its first line, where that is neither quoted nor code. Pure, and linear in the text."""

import re
from dataclasses import dataclass

LONGEST = 4000
"""Characters of a first line that are read; a reason is not longer."""

_COMMAND = re.compile(r"/migrate(?=\s|$)[ \t]*(?P<name>[^\s]*)[ \t]*(?P<words>.*)", re.IGNORECASE)
_LONGEST_NAME = 40


@dataclass(frozen=True, slots=True)
class Said:
    """What was asked for.

    Attributes:
        name: of the command in small letters, known or not; `""` where there is only `/migrate`.
        words: the rest of the line.
    """

    name: str
    words: str = ""


def read(body: str) -> Said | None:
    """The command of a comment, or None: only the first line that is not empty counts.

    Four spaces or a tab make code of a line, `>` quotes it, a fence begins a block of code.
    """
    start = 0
    while start < len(body):
        end = body.find("\n", start)
        end = len(body) if end < 0 else end
        line = body[start : min(end, start + LONGEST)]
        if line.strip():
            break
        start = end + 1
    else:
        return None
    if line.startswith(("    ", "\t")):
        return None
    found = _COMMAND.match(line.strip().replace("\x00", ""))
    if found is None:
        return None
    name = found["name"].lower()[:_LONGEST_NAME]
    safe = "".join(c for c in name if c.isalnum() or c in "-_:.")  # it is said back to people
    return Said(safe, found["words"].strip())
