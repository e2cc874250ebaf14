"""Runs a review in a process of its own: it can be stopped at once, cannot take the service down, and never slows intake.

`python -m bot.reviewing` reads a request from standard input and prints its outcome; `judge` is the other end.
"""

import asyncio
import contextlib
import json
import os
import signal
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import structlog
from pydantic import BaseModel, ConfigDict

from bot.clones import Clone
from checks.errors import CouldNotJudge, UserError
from checks.report import Report, Waiver

SECONDS = 240.0
"""After which a review is stopped, whatever it is doing."""
_BRANCH_SECONDS = 120.0
_OUTPUT = 64 << 20

log: structlog.stdlib.BoundLogger = structlog.get_logger("review")


class Excuse(BaseModel):
    """A waiver that was given in a comment."""

    model_config = ConfigDict(frozen=True)

    rule: str
    given: Waiver


class Request(BaseModel):
    """What is to be reviewed."""

    model_config = ConfigDict(frozen=True)

    path: str
    base: str
    head: str
    excused: tuple[Excuse, ...] = ()
    approvals: tuple[str, ...] | None = None


class Outcome(BaseModel):
    """What came of it.

    Attributes:
        report: None: it could not be made, and `why` says so.
        enforced: whether base has a policy file; None: not known.
        ours: the failure is a fault of ours.
    """

    model_config = ConfigDict(frozen=True)

    report: Report | None = None
    enforced: bool | None = None
    why: str = ""
    ours: bool = False


Judge = Callable[[Request, Clone], Awaitable[Outcome]]


async def judge(request: Request, clone: Clone) -> Outcome:
    """Review, in another process, which dies with the task that waits for it."""
    began = time.perf_counter()
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "bot.reviewing",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        env={**os.environ, **clone.environment},
        start_new_session=True,
        limit=_OUTPUT,
    )
    try:
        async with asyncio.timeout(SECONDS):
            said, _ = await process.communicate(request.model_dump_json().encode())
    except TimeoutError:
        return Outcome(why=f"The review took more than {SECONDS:.0f} seconds and was stopped.")
    finally:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            await process.wait()
    try:
        outcome = Outcome.model_validate_json(said)
    except ValueError:
        log.warning("the review died", code=process.returncode, ms=round((time.perf_counter() - began) * 1000))
        return Outcome(why="The review ended without a word.", ours=True)
    if outcome.ours:
        log.error("a fault of ours", why=outcome.why)
    return outcome


def perform(request: Request) -> Outcome:
    """Review here and now."""
    from bot import local  # noqa: PLC0415 - heavy, and only the process that reviews needs it
    from bot.git import Repository  # noqa: PLC0415
    from bot.review import review  # noqa: PLC0415
    from checks import policy, rules, waivers  # noqa: PLC0415

    enforced: bool | None = None
    try:
        change = Repository(Path(request.path)).change(request.base, request.head)
        enforced = policy.read(change.base.tree, rules.all_rules()).path is not None
        excused = [
            waivers.Waiver(rule=e.rule, reason=e.given.reason, by=e.given.by, until=e.given.until)
            for e in request.excused
        ]
        report = review(
            change,
            provider=local.provider(),
            excused=excused,
            approvals=request.approvals,
            seconds=_BRANCH_SECONDS,
        )
    except CouldNotJudge as error:
        return Outcome(enforced=enforced, why=str(error))
    except UserError as error:
        return Outcome(enforced=enforced, why=str(error))
    except Exception as error:  # noqa: BLE001 - whatever it is, people are told that nothing was judged
        place = _place(error)
        return Outcome(enforced=enforced, why=f"{type(error).__name__} at {place}", ours=True)
    return Outcome(report=report, enforced=enforced)


def _place(error: BaseException) -> str:
    trace, place = error.__traceback__, "?"
    while trace is not None:
        name: Any = trace.tb_frame.f_globals.get("__name__", "")
        if str(name).startswith(("bot", "checks")):
            place = f"{name}:{trace.tb_lineno}"
        trace = trace.tb_next
    return place


def _main() -> int:
    out = os.dup(1)
    os.dup2(2, 1)  # whatever prints, prints elsewhere
    request = Request.model_validate(json.load(sys.stdin))
    with os.fdopen(out, "wb") as stream:
        stream.write(perform(request).model_dump_json().encode())
    return 0


if __name__ == "__main__":
    raise SystemExit(_main())
