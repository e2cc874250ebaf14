"""`db studio`: the repository's own Drizzle Studio where it is installed, else a read-only page of the schema on this machine."""

import html
import os
import signal
import subprocess
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import FrameType

from bot.database import evidence, kit, target
from bot.database.source import Source
from bot.database.status import Status, look
from bot.database.target import Target
from bot.database.words import status as status_lines
from checks.catalog import dump
from checks.catalog.model import Catalog
from checks.catalog.tables import Column, Constraint, Table
from checks.errors import CouldNotJudge

HOST = "127.0.0.1"
_WIDTH, _LINE, _GAP, _ACROSS = 250, 18, 40, 4
_PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>{title}</title><style>
:root {{ color-scheme: light dark; font: 15px/1.5 system-ui, sans-serif }}
body {{ max-width: 75rem; margin: 2rem auto; padding: 0 1rem }}
pre {{ overflow-x: auto; padding: 1rem; border: 1px solid #8885; border-radius: .5rem; font-size: 13px }}
svg {{ width: 100%; height: auto }} text {{ font: 13px ui-monospace, monospace; fill: currentColor }}
</style><h1>{title}</h1>
<h2>Migrations</h2><pre>{state}</pre><h2>Schema</h2>{picture}<pre>{text}</pre></html>"""


def official(source: Source, address: str, *, port: int | None) -> int | None:
    """Run Drizzle Studio until it is stopped; its exit code, or None where it is not installed.

    The address is handed on in DATABASE_URL, never as an argument that other users of the machine can list.
    """
    program = kit.find(source)
    if program is None:
        return None
    command = [*program.command, "studio", *kit.config(source), *([] if port is None else ["--port", str(port)])]
    environment = {**os.environ, target.VARIABLE: address}
    with subprocess.Popen(command, cwd=program.folder, env=environment) as process:

        def stop(_number: int, _frame: FrameType | None) -> None:
            process.terminate()  # else it would live on without us

        before = signal.signal(signal.SIGTERM, stop)
        try:
            return max(process.wait(), 0)
        finally:
            signal.signal(signal.SIGTERM, before)


def page(at: Target, source: Source) -> str:
    """The page: the state of the migrations, a picture of the tables, and the schema as text.

    Raises:
        UserError, CouldNotJudge: the database cannot be read.
    """
    found = Status("database")
    session = at.connect()
    try:
        target.check(session, at)
        look(session, at, source, found)
        catalog = evidence.read(session, source.chain)
    finally:
        session.close()
    return _PAGE.format(
        title=html.escape(f"Schema of {at.name}"),
        state=html.escape("\n".join(status_lines([found]))),
        picture=picture(catalog),
        text=html.escape(dump.text(catalog)),
    )


def picture(catalog: Catalog) -> str:
    """Tables as boxes with their columns, foreign keys as lines."""
    tables = sorted((t for t in catalog if isinstance(t, Table)), key=lambda t: t.key)
    columns: dict[tuple[str, str], list[Column]] = {}
    for each in catalog:
        if isinstance(each, Column):
            columns.setdefault((each.schema, each.table), []).append(each)
    places: dict[tuple[str, str], tuple[int, int]] = {}
    boxes: list[str] = []
    top = highest = 0
    for number, table in enumerate(tables):
        if number % _ACROSS == 0:
            top, highest = top + highest + (_GAP if number else 0), 0
        x, name = (number % _ACROSS) * (_WIDTH + _GAP), (table.schema, table.name)
        lines = sorted(columns.get(name, []), key=lambda c: c.position)
        height = _LINE * (len(lines) + 1) + 10
        highest = max(highest, height)
        places[name] = (x, top)
        boxes.append(_box(x, top, height, table, lines))
    lines_ = [_line(places, each) for each in catalog if isinstance(each, Constraint) and each.references]
    width = _ACROSS * (_WIDTH + _GAP)
    return f'<svg viewBox="-5 -5 {width} {top + highest + 10}" role="img" aria-label="tables and foreign keys">{"".join(lines_)}{"".join(boxes)}</svg>'


def _box(x: int, y: int, height: int, table: Table, lines: list[Column]) -> str:
    title = table.name if table.schema == "public" else f"{table.schema}.{table.name}"
    words = [f'<text x="{x + 8}" y="{y + _LINE}" font-weight="bold">{_cut(title)}</text>']
    words += [
        f'<text x="{x + 8}" y="{y + _LINE * (n + 2)}">{_cut(f"{c.name} {c.type}")}</text>' for n, c in enumerate(lines)
    ]
    frame = f'<rect x="{x}" y="{y}" width="{_WIDTH}" height="{height}" rx="6" fill="Canvas" stroke="currentColor"/>'
    return frame + "".join(words)


def _line(places: Mapping[tuple[str, str], tuple[int, int]], key: Constraint) -> str:
    start, end = places.get((key.schema, key.table)), places.get(key.references or ("", ""))
    if start is None or end is None:
        return ""
    half = _WIDTH // 2
    return f'<path d="M{start[0] + half} {start[1]} L{end[0] + half} {end[1]}" stroke="currentColor" opacity=".4" fill="none"/>'


def _cut(text: str) -> str:
    return html.escape(text if len(text) <= 32 else text[:31] + "…")


def serve(make: Callable[[], str], port: int, ready: Callable[[str], None]) -> None:
    """Serve the page to this machine until it is stopped; it is made anew at every look, and nothing can be changed by it.

    Raises:
        CouldNotJudge: the port is taken.
    """

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path != "/" or (self.headers.get("Host") or "").split(":")[0] not in {HOST, "localhost"}:
                self.send_error(404)
                return
            try:
                status, text = 200, make()
            except Exception as error:  # noqa: BLE001 - the page says it, and stays up
                status, text = 503, f"<!doctype html><p>{html.escape(str(error) or type(error).__name__)}</p>"
            body = text.encode()
            self.send_response(status)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'")
            self.send_header("X-Content-Type-Options", "nosniff")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
            """Say nothing for each look."""

    try:
        server = ThreadingHTTPServer((HOST, port), Handler)
    except OSError as error:
        raise CouldNotJudge(
            f"Port {port} cannot be used: {error.strerror or error}. Name another with --port."
        ) from None
    with server:
        ready(f"http://{HOST}:{server.server_address[1]}/")
        server.serve_forever()
