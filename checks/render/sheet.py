"""A sheet of terminal lines: wrapped with hanging indents, no trailing spaces, ASCII where the terminal has nothing else."""

import re

from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from checks.render import words

WIDEST = 110  # longer lines are hard to read, however wide the window is

_CODE = re.compile(r"`[^`\n]+`")
_ASCII = str.maketrans("✓✗→←·…–—─“”’", 'xX><-.---""\'')  # noqa: RUF001 - one character each, so that styles stay in place
_ASCII_STATES = {"✓": "+", "✗": "x"}


class Sheet:
    """Prints onto a console, line by line. What it is given is made visible first: nothing can steer the terminal."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._ascii = not console.encoding.lower().startswith("utf")
        self.width = max(min(console.width, WIDEST), 20)

    def blank(self) -> None:
        """An empty line."""
        self._console.print()

    def heading(self, text: str) -> None:
        """An empty line and a heading."""
        self.blank()
        self.put(Text(text, style="bold"))

    def put(self, text: Text, *, indent: int = 0, hang: int = 0) -> None:
        """One paragraph, its first line at `indent`, the others `hang` deeper."""
        width = max(self.width - indent - hang, 10)
        first, *rest = _wrapped(self._console, text, width, hang) or [Text()]
        self._emit(indent, first)
        for line in rest:
            self._emit(indent + hang, line)

    def row(self, left: Text, right: str, *, indent: int = 0) -> None:
        """A line with something at its right edge, or below it where there is no room."""
        room = self.width - indent - left.cell_len - cell_len(right)
        if room >= 2:
            self._emit(indent, Text.assemble(left, " " * room, (right, "dim")))
            return
        self.put(left, indent=indent, hang=2)
        if right:
            self.put(Text(right, style="dim"), indent=indent + 2)

    def block(self, text: str, *, indent: int = 0, most: int = 30) -> None:
        """Lines kept as they are (SQL), at most so many, each at most a few lines long."""
        lines = words.visible(text).expandtabs(4).rstrip("\n").split("\n")
        for line in lines[:most]:
            cut = line if len(line) <= 400 else line[:400] + "…"
            self.put(Text(cut), indent=indent, hang=2)
        if len(lines) > most:
            self.put(Text(f"… {len(lines) - most:,} more lines", style="dim"), indent=indent)

    def _emit(self, indent: int, line: Text) -> None:
        line.rstrip()
        if self._ascii:
            plain = line.plain.translate(str.maketrans(_ASCII_STATES)).translate(_ASCII)
            line.plain = plain.encode("ascii", "replace").decode("ascii")
        if line.plain:
            line = Text.assemble(" " * indent, line)
        self._console.print(line, no_wrap=True, overflow="ignore", crop=False, highlight=False, emoji=False)


def _wrapped(console: Console, text: Text, width: int, hang: int) -> list[Text]:
    """The text in lines; only the first may use the room that hanging leaves."""
    if text.cell_len <= width + hang and "\n" not in text.plain:
        return [text]
    lines = text.wrap(console, width + hang, overflow="fold")
    if not hang or len(lines) < 2:
        return list(lines)
    first = lines[0]
    taken = len(first.plain)
    rest = text[taken:]
    rest = rest[len(rest.plain) - len(rest.plain.lstrip()) :]
    return [first, *rest.wrap(console, width, overflow="fold")]


def prose(text: str, style: str = "", most: int = 2_000) -> Text:
    """A sentence on one line, what stands between backticks set off."""
    said = Text(words.line(text, most), style=style)
    said.highlight_regex(_CODE, "bold" if style else "cyan")
    return said


def cut(text: Text, width: int) -> Text:
    """The text in at most so many columns."""
    text.truncate(max(width, 1), overflow="ellipsis")
    return text
