"""Takes shell text apart into simple commands: words without their quotes, comments and here-documents left out."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

LONGEST = 1_000_000
DEEPEST = 6

_OPERATOR = re.compile(r"&&|\|\||;;&?|;&|[;&|()]")
_REDIRECT = re.compile(r"(?:&|\d+)?(?:>>|>\||>&|<&|<>|>|<)[ \t]*(?:&?\d+|-)?")
_HEREDOC = re.compile(r"\d*<<(-?)[ \t]*(?:'([^'\n]+)'|\"([^\"\n]+)\"|\\?([\w.]+))")
_PLAIN = re.compile(r"""[^\s'"\\`$&|;()<>]+""")
_NAME = re.compile(r"[A-Za-z_]\w*\+?=")
_VARIABLE = re.compile(r"\$\{\{.*?\}\}|\$\{[^}\n]*\}|\$[A-Za-z_]\w*|\$[0-9@*#?$!-]", re.DOTALL)
_SHELLS = frozenset({"sh", "bash", "zsh", "dash", "ksh", "ash", "ssh", "su"})
_KEYWORDS = frozenset(
    {"then", "do", "else", "elif", "if", "while", "until", "!", "{", "}", "time", "fi", "done", "esac", "begin", "end"}
)


@dataclass(frozen=True, slots=True)
class Simple:
    """One command.

    Attributes:
        words: what it is called with, quotes taken off; `$(…)` inside a word stays as written.
        line: 0-based, from the start of the text.
        settings: the assignments before it (`A=b`), as written without quotes.
    """

    words: tuple[str, ...]
    line: int
    settings: tuple[str, ...] = ()


@dataclass(slots=True)
class _Reader:
    text: str
    depth: int
    at: int = 0
    found: list[Simple] = field(default_factory=list[Simple])
    inner: list[tuple[str, int]] = field(default_factory=list[tuple[str, int]])
    words: list[str] = field(default_factory=list[str])
    begun: int = 0
    variables: dict[str, str] = field(default_factory=dict[str, str])
    documents: list[tuple[str, bool]] = field(default_factory=list[tuple[str, bool]])


def commands(text: str, *, depth: int = 0) -> list[Simple]:
    """The simple commands of a script in their order, those in `$(…)` and `sh -c '…'` included. Never raises."""
    if depth > DEEPEST or len(text) > LONGEST:
        return []
    reader = _Reader(text, depth)
    lines = _Lines(text)
    while reader.at < len(text):
        _step(reader)
    _flush(reader)
    found = [Simple(c.words, lines.of(c.line), c.settings) for c in reader.found]
    for inner, at in reader.inner:
        found += [Simple(c.words, lines.of(at) + c.line, c.settings) for c in commands(inner, depth=depth + 1)]
    return sorted(found, key=lambda c: c.line)


class _Lines:
    """Offsets to lines, in one pass."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = self._line = 0

    def of(self, offset: int) -> int:
        if offset < self._at:
            self._at = self._line = 0
        self._line += self._text.count("\n", self._at, offset)
        self._at = offset
        return self._line


def _step(reader: _Reader) -> None:
    text, at = reader.text, reader.at
    char = text[at]
    if char == "\n":
        _flush(reader)
        reader.at += 1
        _skip_documents(reader)
    elif char in " \t\r\f\v":
        reader.at += 1
    elif text.startswith(("\\\n", "\\\r\n"), at):
        reader.at = text.index("\n", at) + 1
    elif char == "#":
        end = text.find("\n", at)
        reader.at = len(text) if end < 0 else end
    elif here := _HEREDOC.match(text, at):
        reader.documents.append((here[2] or here[3] or here[4], bool(here[1])))
        reader.at = here.end()
    elif redirect := _REDIRECT.match(text, at):
        reader.at = redirect.end()
        if not redirect[0].rstrip()[-1:].isdigit() and reader.at < len(text) and text[reader.at] not in "\n;&|()":
            _word(reader)  # the file
    elif operator := _OPERATOR.match(text, at):
        _flush(reader)
        reader.at = operator.end()
    else:
        if not reader.words:
            reader.begun = at
        reader.words.extend(_expanded(reader, _word(reader)))


def _word(reader: _Reader) -> str:
    """One word from here on, without its quotes."""
    parts: list[str] = []
    text = reader.text
    while reader.at < len(text):
        at = reader.at
        char = text[at]
        if plain := _PLAIN.match(text, at):
            parts.append(plain[0])
            reader.at = plain.end()
        elif char == "'":
            parts.append(_until(reader, "'"))
        elif char == '"':
            parts.append(_double(reader))
        elif char == "`":
            inner = _until(reader, "`")
            reader.inner.append((inner, at + 1))
            parts.append("$()")
        elif char == "$":
            parts.append(_dollar(reader))
        elif char == "\\":
            parts.append(text[at + 1 : at + 2].strip("\n"))
            reader.at += 2
        else:
            break
    return "".join(parts)


def _until(reader: _Reader, quote: str) -> str:
    begin = reader.at + 1
    end = reader.text.find(quote, begin)
    end = len(reader.text) if end < 0 else end
    reader.at = min(end + 1, len(reader.text))
    return reader.text[begin:end]


def _double(reader: _Reader) -> str:
    parts: list[str] = []
    text = reader.text
    reader.at += 1
    while reader.at < len(text) and text[reader.at] != '"':
        char = text[reader.at]
        if char == "\\":
            escaped = text[reader.at + 1 : reader.at + 2]
            parts.append("" if escaped == "\n" else escaped if escaped in '"\\$`' else char + escaped)
            reader.at += 2
        elif char == "$":
            parts.append(_dollar(reader))
        elif char == "`":
            at = reader.at
            reader.inner.append((_until(reader, "`"), at + 1))
            parts.append("$()")
        else:
            parts.append(char)
            reader.at += 1
    reader.at = min(reader.at + 1, len(text))
    return "".join(parts)


def _dollar(reader: _Reader) -> str:
    text, at = reader.text, reader.at
    if text.startswith("$(", at):
        end = _closing(text, at + 1)
        reader.inner.append((text[at + 2 : end], at + 2))
        reader.at = min(end + 1, len(text))
        return "$()"
    if variable := _VARIABLE.match(text, at):
        reader.at = variable.end()
        return variable[0]
    reader.at += 1
    return "" if text.startswith("$'", at) else "$"


def _closing(text: str, at: int) -> int:
    """Where the bracket at `at` closes; the end of the text where it never does."""
    level = 0
    position = at
    while position < len(text):
        char = text[position]
        if char == "\\":
            position += 1
        elif char == "'":
            end = text.find("'", position + 1)
            position = len(text) if end < 0 else end
        elif char == "(":
            level += 1
        elif char == ")":
            level -= 1
            if level == 0:
                return position
        position += 1
    return len(text)


def _expanded(reader: _Reader, word: str) -> list[str]:
    """`$NAME` of an assignment in the same text, split into words as the shell does."""
    name = word.strip("${}") if word.startswith("$") else ""
    value = reader.variables.get(name)
    return [word] if value is None else value.split()


def _flush(reader: _Reader) -> None:
    words, reader.words = reader.words, []
    while words and words[0] in _KEYWORDS:
        words.pop(0)
    settings: list[str] = []
    while words and (_NAME.match(words[0]) or words[0] in {"export", "local", "readonly", "declare"}):
        settings.append(words.pop(0))
    if not words:
        for each in settings:
            name, equals, value = each.partition("=")
            if equals and len(value) < 200:
                reader.variables[name] = value
    if words or settings:
        reader.found.append(Simple(tuple(words), reader.begun, tuple(settings)))


def _skip_documents(reader: _Reader) -> None:
    """Here-documents are data, but for those that a shell reads."""
    documents, reader.documents = reader.documents, []
    text = reader.text
    for name, dashed in documents:
        begin = reader.at
        while reader.at < len(text):
            end = text.find("\n", reader.at)
            end = len(text) if end < 0 else end
            line = text[reader.at : end].rstrip("\r")
            stop = (line.lstrip("\t") if dashed else line) == name
            last, reader.at = reader.at, min(end + 1, len(text))
            if stop:
                break
        else:
            last = len(text)
        if reader.found and any(w.rpartition("/")[2] in _SHELLS for w in reader.found[-1].words):
            reader.inner.append((text[begin:last], begin))


def quoted(words: tuple[str, ...]) -> Iterator[str]:
    """The words that may be commands themselves: those with white space in them."""
    for word in words:
        if " " in word.strip() or "\n" in word.strip():
            yield word
