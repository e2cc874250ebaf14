"""A service in a process of its own, to be killed: `python served.py SECONDS`, settings in the environment."""

import sys
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parents[1]), str(Path(__file__).parents[2])]

import gate  # noqa: E402 - after the path

from bot import app, serve, service, settings  # noqa: E402

judge = gate.Scripted(float(sys.argv[1]))
create, world = app.create, service.world
app.create = lambda *a, **k: create(*a, judge=judge, **k)  # type: ignore[assignment]
service.world = lambda *a, **k: world(*a, **({"judge": judge} | k))  # type: ignore[assignment]
what = serve.work if sys.argv[2:] == ["worker"] else serve.serve
raise SystemExit(what(settings.read()))
