"""Turns data into pages: everything is escaped, and no page may run a script or load anything from elsewhere."""

import html
import re
from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, select_autoescape
from markupsafe import Markup
from starlette.responses import HTMLResponse, Response

from checks.render import words

POLICY = (
    "default-src 'none'; style-src 'self'; img-src data:; base-uri 'none'; frame-ancestors 'none'; form-action {form}"
)
_CODE = re.compile(r"(`+)([^`\n]+)\1")


@cache
def _templates() -> Environment:
    made = Environment(
        loader=PackageLoader("bot.pages"),
        autoescape=select_autoescape(default=True, default_for_string=True),
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters.update(_FILTERS)
    return made


def prose(text: str) -> Markup:
    """A sentence: what stands between backticks is code, everything else means only itself."""
    said = html.escape(words.visible(text))
    return Markup(_CODE.sub(r"<code>\2</code>", said))  # noqa: S704 - escaped in the line above


def page(name: str, *, status: int = 200, form: str = "'none'", root: str = "", **data: object) -> Response:
    """A page, with the headers that keep it harmless."""
    text = _templates().get_template(name).render(root=root, **data)
    headers = {
        "Content-Security-Policy": POLICY.format(form=form),
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        "Cache-Control": "no-store",
    }
    return HTMLResponse(text.encode("utf-8", "replace"), status_code=status, headers=headers)


def style() -> Response:
    """The style sheet."""
    source, _, _ = PackageLoader("bot.pages").get_source(_templates(), "style.css")
    return Response(source, media_type="text/css", headers={"Cache-Control": "max-age=300"})


def _cut(text: str, most: int) -> str:
    return words.line(text, most)


def _way_out(text: str) -> str:
    return words.way_out(text, 1_000)


_FILTERS: dict[str, Any] = {
    "prose": prose,
    "seen": words.visible,
    "cut": _cut,
    "effects": words.effects,
    "way_out": _way_out,
}
