"""A rule's docstring as its documentation page: the harm, a bad example, the way out, a good example."""

import re
from dataclasses import dataclass

_BLOCK = re.compile(
    r"^```(?P<language>\w+) (?P<role>bad|good|setup)(?: (?P<how>none|offline))?\n(?P<code>.*?)^```$",
    re.DOTALL | re.MULTILINE,
)


@dataclass(frozen=True, slots=True)
class Example:
    """A code block.

    Attributes:
        role: `bad`, `good` or `setup` (run before each of the others).
        how: empty (all in one transaction, as Drizzle does), `none` (no transaction) or `offline` (not run).
    """

    language: str
    role: str
    code: str
    how: str = ""


@dataclass(frozen=True, slots=True)
class Page:
    """What people read about a rule.

    Attributes:
        severity: its default.
        title: one sentence, the harm.
        harm: why, in Markdown.
        way_out: what to do instead, in Markdown, without examples.
        markdown: the whole page.
    """

    id: str
    severity: str
    title: str
    harm: str
    way_out: str
    examples: tuple[Example, ...]
    markdown: str


def read(rule: str, severity: str, docstring: str) -> Page:
    """The page that a docstring makes."""
    title, _, body = docstring.strip().partition("\n")
    blocks = list(_BLOCK.finditer(body))
    examples = tuple(Example(b["language"], b["role"], b["code"].strip(), b["how"] or "") for b in blocks)
    first_bad = next((b for b in blocks if b["role"] == "bad"), None)
    before, after = (body[: first_bad.start()], body[first_bad.end() :]) if first_bad else (body, "")
    harm, way_out = (re.sub(r"\n{3,}", "\n\n", _BLOCK.sub("", part)).strip() for part in (before, after))
    markdown = f"# {rule}\n\n{title}\n\nDefault: {severity}.\n\n{body.strip()}\n"
    return Page(rule, severity, title, harm, way_out, examples, markdown)
