"""Questions to a branch, and a process that has one."""

import os
import subprocess
import sys
import textwrap
from pathlib import Path

ROOT = Path(__file__).parents[2]
WHEEL_PATHS = [path for path in sys.path if "site-packages" in path]


def value(branch, sql):
    """The first value of a query."""
    with branch.connect() as session:
        return session.execute(sql).fetchone()[0]


# Whoever started the tests in the background has made them deaf to Ctrl-C, and that is inherited.
PROGRAM = """
    import os, signal, sys, time
    signal.signal(signal.SIGINT, signal.default_int_handler)
    from pathlib import Path
    from bot.branches.embedded import Embedded
    from checks.errors import UserError
    try:
        with Embedded(Path(sys.argv[1])).branch() as branch, branch.connect() as session:
            print(session.execute("SELECT current_user").fetchone()[0], branch._sockets, flush=True)
            if len(sys.argv) > 2:
                session.execute("SELECT pg_sleep(1000)")
    except UserError as error:
        sys.exit(f"{type(error).__name__}: {error}")
"""


def python(*arguments, user=None, interpreter=sys.executable, **environment):
    """Start PROGRAM, as another user if asked."""
    return subprocess.Popen(
        [interpreter, "-c", textwrap.dedent(PROGRAM), *map(str, arguments)],
        cwd=ROOT,
        env={
            "PYTHONPATH": os.pathsep.join([str(ROOT), *WHEEL_PATHS]),
            "PATH": os.environ["PATH"],
            "PYTHONDONTWRITEBYTECODE": "1",
            **environment,
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **({} if user is None else {"user": user, "group": user, "extra_groups": []}),
    )
