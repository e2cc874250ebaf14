"""What is said beside a result: one line on stderr, without secrets."""

import re
import sys

_SECRET = re.compile(r"://(?!USER:PASSWORD@)[^\s:/@]*:[^\s@]*@")


def say(sentence: str) -> None:
    """Tell the person at the terminal."""
    said = _SECRET.sub("://***@", sentence)  # what was typed in the wrong place is repeated, and may be an address
    sys.stderr.write(f"bulletproof: {said}\n")
