"""GitHub's Markdown, written so that no text can break out of its place and no piece is cut in its middle."""

import html
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from checks.render import words

_CODE = re.compile(r"(`[^`\n]*[^`\s][^`\n]*`)")
# Marks that could begin something in the middle of a line, or at its start. An underscore between letters begins nothing.
_MARKS = re.compile(r"([\\`*\[\]#|~]|(?<![^\W_])_|_(?![^\W_])|^[-+=])")
_NUMBER = re.compile(r"^(\d{1,9})([.)])(?=\s|$)")
# GitHub turns these into mentions, references and links after the Markdown is read, so an escape does not stop it; a zero-width space does.
_REFERENCE = re.compile(r"(GH-)(?=\d)|(@|#)(?=\w)|(www)(?=\.)|(:)(?=//)", re.IGNORECASE)
_MARKER = re.compile(r"<!--(?=\s*bulletproof)", re.IGNORECASE)
_BREAK = "\ufdd0"  # a noncharacter that stands for the zero-width space until everything else is escaped


def size(text: str) -> int:
    """How much of GitHub's limits a text takes: its bytes, the strictest reading of `65536 characters`."""
    return len(text.encode("utf-8", "surrogatepass"))


def prose(text: str, most: int = 2_000) -> str:
    """A sentence on one line: what stands between backticks is code, everything else means only itself."""
    said = words.line(text.replace(_BREAK, ""), most)
    return "".join(code(p[1:-1]) if _CODE.fullmatch(p) else plain(p) for p in _CODE.split(said))


def plain(text: str) -> str:
    """Text that means only itself, on one line."""
    said = words.visible(text).replace("\n", " ").replace("\t", " ").replace(_BREAK, "")
    broken = _REFERENCE.sub(lambda m: m.group() + _BREAK, said)
    marked = _NUMBER.sub(r"\1\\\2", _MARKS.sub(r"\\\1", html.escape(broken, quote=False)))
    return marked.replace("$", "<span>$</span>").replace(_BREAK, "&#8203;")  # a bare dollar begins mathematics


def raw(text: str, most: int = 400) -> str:
    """Code for a place where HTML is read and Markdown is not, or where a table would split a code span."""
    said = words.line(text, most)
    marked = "".join(c if c.isalnum() or c in " /" or not c.isascii() else f"&#{ord(c)};" for c in said)
    # GitHub makes links of addresses it finds in a text, also in the text of HTML; two texts are no address.
    return f"<code>{marked.replace('&#64;', '<span>&#64;</span>')}</code>"


def code(text: str, most: int = 400) -> str:
    """A code span on one line, in any place."""
    said = words.line(text, most)
    if not said:
        return ""
    if "|" in said or "<!--" in said:
        return raw(said, most)
    fence = "`" * (_longest(said) + 1)
    pad = " " if said.startswith("`") or said.endswith("`") else ""
    return f"{fence}{pad}{said}{pad}{fence}"


def fence(text: str) -> str:
    """The backticks that a block with this text needs around it."""
    return "`" * max(3, _longest(text) + 1)


def lines(text: str, widest: int = 1_000) -> list[str]:
    """The lines of a code block, visible; nothing in them reads as the marker of our comment."""
    said = _MARKER.sub("<! --", words.visible(text)).strip("\n").split("\n")
    return [part if len(part) <= widest else part[:widest] + "…" for part in said]


def _longest(text: str) -> int:
    return max((len(run) for run in re.findall(r"`+", text)), default=0)


def _left_out(left: int) -> str:
    return f"\n… {left:,} more, left out for length.\n"


@dataclass(frozen=True, kw_only=True, slots=True)
class Section:
    """A piece of the document: a start, items of which any number from the first may be shown, and an end.

    Attributes:
        share: the part of the whole document that it may take where room is short.
        more: says how many items were left out, in a paragraph of its own after `end`.
        close: closes what `start` opened around both (`</details>`).
    """

    start: str = ""
    items: Sequence[str] = ()
    end: str = ""
    close: str = ""
    share: float = 0.1
    more: Callable[[int], str] = _left_out

    def whole(self) -> str:
        """Everything."""
        return self.start + "".join(self.items) + self.end + self.close


def document(sections: Sequence[Section], limit: int) -> str:
    """The sections one after the other, at most `limit` bytes: each as whole as its share, and what others leave, allow."""
    wanted = [size(s.whole()) for s in sections]
    rooms = [min(want, int(s.share * limit)) for want, s in zip(wanted, sections, strict=True)]
    spare = limit - sum(rooms)
    out: list[str] = []
    for want, room, section in zip(wanted, rooms, sections, strict=True):
        piece = fit(section, min(want, max(room + spare, 0)))
        spare += room - size(piece)
        out.append(piece)
    return "".join(out)


def fit(section: Section, room: int) -> str:
    """The section with as many of its items as the room takes; where not even its frame fits, the note alone or nothing."""
    sizes = [size(item) for item in section.items]
    taken = size(section.start) + size(section.end) + size(section.close)
    if taken + sum(sizes) <= room:
        return section.whole()
    shown = 0
    for number, item in enumerate(sizes):
        if taken + item + size(section.more(len(sizes) - number)) > room:
            break
        taken, shown = taken + item, number + 1
    note = section.more(len(sizes) - shown)
    if shown:
        return section.start + "".join(section.items[:shown]) + section.end + note + section.close
    return note if size(note) <= room else ""
