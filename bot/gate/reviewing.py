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
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import structlog
from pydantic import BaseModel, ConfigDict

from bot import settings
from bot.gate.clones import Clone
from checks.errors import CouldNotJudge, UserError
from checks.report import Report, Waiver
from checks.rivals import Claim

if TYPE_CHECKING:
    from bot.commands.standing import Granted
    from bot.git import Repository
    from checks.change import Change
    from checks.drizzle.plan import Plan
    from checks.waivers import Waiver as Excused

R = TypeVar("R", bound=BaseModel)

SECONDS = 240.0
"""After which a review is stopped, whatever it is doing."""
_BRANCH_SECONDS = 120.0
_OUTPUT = 64 << 20

log: structlog.stdlib.BoundLogger = structlog.get_logger("review")


class Excuse(BaseModel):
    """A waiver that was given in a comment: `bound` to what it excuses, as that was (`commands.standing`)."""

    model_config = ConfigDict(frozen=True)

    rule: str
    given: Waiver
    bound: tuple[str, ...] = ()
    comment: int = 0


class Spoken(BaseModel):
    """What stands in the comments of a pull request.

    Attributes:
        approved: a mark of the SQL that was approved, and who approved it.
        forced: who forces this head onto this base, and why.
    """

    model_config = ConfigDict(frozen=True)

    excused: tuple[Excuse, ...] = ()
    approved: tuple[tuple[str, str], ...] = ()
    forced: tuple[str, str] | None = None


class Member(BaseModel):
    """A pull request of the merge group that is reviewed: its head, and what was said about that."""

    model_config = ConfigDict(frozen=True)

    head: str
    spoken: Spoken


class Request(BaseModel):
    """What is to be reviewed.

    Attributes:
        members: of a merge group.
    """

    model_config = ConfigDict(frozen=True)

    path: str
    base: str
    head: str
    spoken: Spoken = Spoken()
    approvals: tuple[str, ...] | None = None
    members: tuple[Member, ...] = ()


class Outcome(BaseModel):
    """What came of it.

    Attributes:
        report: None: it could not be made, and `why` says so.
        enforced: whether base has a policy file; None: not known.
        claim: what head's new migrations claim, for others to collide with.
        ours: the failure is a fault of ours.
    """

    model_config = ConfigDict(frozen=True)

    report: Report | None = None
    enforced: bool | None = None
    claim: Claim | None = None
    why: str = ""
    ours: bool = False


Judge = Callable[[Request, Clone], Awaitable[Outcome]]


async def apart(module: str, request: BaseModel, clone: Clone) -> bytes:
    """Run a module in another process, which dies with the task that waits for it: request in, answer out.

    Raises:
        TimeoutError: it took too long, and was stopped.
    """
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        module,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        env={**os.environ, **clone.environment},
        start_new_session=True,
        limit=_OUTPUT,
    )
    try:
        async with asyncio.timeout(SECONDS):
            return (await process.communicate(request.model_dump_json().encode()))[0]
    finally:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            await process.wait()


async def judge(request: Request, clone: Clone) -> Outcome:
    """Review, in another process."""
    began = time.perf_counter()
    try:
        outcome = Outcome.model_validate_json(await apart("bot.gate.reviewing", request, clone))
    except TimeoutError:
        return Outcome(why=f"The review took more than {SECONDS:.0f} seconds and was stopped.")
    except ValueError:
        log.warning("the review died", ms=round((time.perf_counter() - began) * 1000))
        return Outcome(why="The review ended without a word.", ours=True)
    if outcome.ours:
        log.error("a fault of ours", why=outcome.why)
    return outcome


def perform(request: Request) -> Outcome:
    """Review here and now."""
    from bot.branches import choice  # noqa: PLC0415 - heavy, all of it, and only the process that reviews needs it
    from bot.git import Repository  # noqa: PLC0415
    from bot.review import review  # noqa: PLC0415
    from checks import claims, policy, rules  # noqa: PLC0415

    enforced: bool | None = None
    claim: Claim | None = None

    def heard(change: "Change", touched: "Sequence[Plan]") -> "tuple[list[Excused], list[str]]":
        nonlocal claim
        claim = claims.read(touched)
        return _heard(request, repository, change, touched)

    try:
        repository = Repository(Path(request.path))
        change = repository.change(request.base, request.head)
        written = policy.read(change.base.tree, rules.all_rules())
        enforced = written.path is not None
        provider, note = choice.asked(settings.read(), written.policy.branch.provider)
        with choice.held(provider):
            report = review(
                change, provider=provider, approvals=request.approvals, spoken=heard, seconds=_BRANCH_SECONDS
            )
        report = choice.noted(report, note)
    except CouldNotJudge as error:
        return Outcome(enforced=enforced, claim=claim, why=str(error))
    except UserError as error:
        return Outcome(enforced=enforced, claim=claim, why=str(error))
    except Exception as error:  # noqa: BLE001 - whatever it is, people are told that nothing was judged
        place = _place(error)
        return Outcome(enforced=enforced, claim=claim, why=f"{type(error).__name__} at {place}", ours=True)
    return Outcome(report=report, enforced=enforced, claim=claim)


def _heard(
    request: Request, repository: "Repository", change: "Change", touched: "Sequence[Plan]"
) -> "tuple[list[Excused], list[str]]":
    """What was said, as far as it is about this change: waivers on what they excuse, and who approves this very SQL.

    In a merge group a file may be what two pull requests make of it together; a waiver is about the file as its own one has it.
    """
    from bot.commands import standing  # noqa: PLC0415 - only the process that reviews needs it
    from checks import record  # noqa: PLC0415

    changed = [m for p in touched for m in (*p.added, *(pair.after for pair in (*p.modified, *p.renamed)))]
    excused = list(standing.placed(_granted(request.spoken), changed, change.head.tree))
    for member in request.members:
        if member.spoken.excused:
            excused += standing.placed(_granted(member.spoken), changed, repository.tree(member.head))
    mark = standing.mark([m for plan in touched for m in record.migrations(plan, None)])
    return excused, [name for marked, name in request.spoken.approved if marked == mark]


def _granted(spoken: Spoken) -> "list[Granted]":
    from bot.commands.standing import Granted  # noqa: PLC0415

    return [
        Granted(
            rule=e.rule, reason=e.given.reason, by=e.given.by, until=e.given.until, bound=e.bound, comment=e.comment
        )
        for e in spoken.excused
    ]


def _place(error: BaseException) -> str:
    trace, place = error.__traceback__, "?"
    while trace is not None:
        name: Any = trace.tb_frame.f_globals.get("__name__", "")
        if str(name).startswith(("bot", "checks")):
            place = f"{name}:{trace.tb_lineno}"
        trace = trace.tb_next
    return place


def main(of: type[R], do: Callable[[R], BaseModel]) -> int:
    """The other end of `apart`."""
    out = os.dup(1)
    os.dup2(2, 1)  # whatever prints, prints elsewhere
    request = of.model_validate_json(sys.stdin.buffer.read())
    with os.fdopen(out, "wb") as stream:
        stream.write(_written(do(request)))
    return 0


def _written(said: BaseModel) -> bytes:
    try:
        return said.model_dump_json().encode()
    except ValueError:  # bytes of a path that are not UTF-8, which JSON cannot carry
        from checks.render import json as rendering  # noqa: PLC0415 - seldom needed

        return json.dumps(rendering.spelled(said.model_dump())).encode()


if __name__ == "__main__":
    raise SystemExit(main(Request, perform))
