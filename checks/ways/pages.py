"""Pages with a script in them (Vue, Svelte, Astro): everything else is blanked, so that lines stay what they are."""

import re

_PAGES = (".vue", ".svelte", ".astro")
_SCRIPT = re.compile(rb"<script\b[^>]*>(.*?)</script\s*>|\A\s*---[ \t]*\r?\n(.*?)\n---", re.DOTALL | re.IGNORECASE)
_SEEN = re.compile(rb"[^\r\n]")


def is_page(path: str) -> bool:
    """Whether a file is one."""
    return path.endswith(_PAGES)


def script(data: bytes) -> bytes:
    """The scripts of a page where they stand."""
    parts: list[bytes] = []
    end = 0
    for found in _SCRIPT.finditer(data):
        begin, stop = found.span(1 if found[1] is not None else 2)
        parts += [_SEEN.sub(b" ", data[end:begin]), data[begin:stop]]
        end = stop
    return b"".join([*parts, _SEEN.sub(b" ", data[end:])]) if parts else b""
