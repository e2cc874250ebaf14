"""Looks at a pull request: makes GitHub show, at its present head and base, what a review of the two says.

Level-triggered: nothing is taken from the event but the number. Doing it twice changes nothing; the newest head wins; a
review that is overtaken is stopped, and writes nothing but the end of its own check run.
"""

import asyncio
import contextlib
import hashlib
import json
import time
from dataclasses import replace

import structlog

from bot import events, metrics, replies
from bot.events import Repository
from bot.gate import approvers, checkruns, clones, comment, neighbours, verdicts
from bot.gate.clones import Clone
from bot.gate.reviewing import Outcome, Request, Spoken
from bot.gate.world import World
from bot.github import Client, Missing, Pull
from bot.inbox import Later, Work, current
from bot.state import claims, store
from bot.state.store import Past
from checks.policy import PATHS
from checks.report import Report

_QUIET = (
    1.0  # seconds without a push after which a pull request that was pushed to during its review is looked at again
)
_RESTLESS = 8.0  # ... but no longer than this
_WATCH = 0.4
_PATIENCE = 4  # attempts after which the check run says what is in the way
_CODE = (".ts", ".mts", ".cts", ".js", ".mjs", ".cjs", ".tsx", ".jsx", ".json")
_RULES = "2"  # part of what a judgement is made from: change it when the same inputs are to be judged anew

log: structlog.stdlib.BoundLogger = structlog.get_logger("pull")


class Overtaken(Exception):  # noqa: N818 - a newer head came: that is how it should be
    """The pull request is not what it was when the review began."""


async def look(world: World, item: Work) -> None:
    """Look at one pull request."""
    if item.repository is None:
        return
    client, number = world.client(item.repository), int(item.about["number"])
    try:
        pull = await client.pull(number)
    except Missing:
        if item.attempts <= _PATIENCE:  # GitHub says so too for a moment after a webhook
            raise Later(2.0 * item.attempts, "GitHub does not know the pull request yet") from None
        await store.gone(world.pool, item.repository.id, number)
        await neighbours.tell(world, item.repository, number)
        return
    past = await store.saw(world.pool, item.repository.id, pull)
    keep = pull.head.sha if pull.open else None
    why = replies.SUPERSEDED if pull.open else replies.CLOSED
    await checkruns.close(world, item, client, number, keep=keep, why=why)
    if not pull.open:
        await neighbours.tell(world, item.repository, number)
        return
    try:
        await _judge(world, item, item.repository, client, pull, past=past)
    except Overtaken:
        log.info("overtaken", number=number, head=pull.head.sha[:12])
        await checkruns.close(world, item, client, number, keep="", why=replies.SUPERSEDED)
        await _quiet(world, item)
        await world.inbox.want(events.pull(item.repository, number))


async def _judge(world: World, item: Work, where: Repository, client: Client, pull: Pull, *, past: Past) -> None:
    head, number = pull.head.sha, pull.number
    clone = await world.clone(where)
    base_ref = f"refs/heads/{pull.base.ref}"
    try:
        tips = await world.clones.fetch(clone, [base_ref, f"refs/pull/{number}/head"], [head])
    except Later as later:
        if item.attempts >= _PATIENCE:
            outcome = Outcome(why=f"The commits could not be fetched: {later}")
            await _publish(
                world,
                item,
                where,
                client,
                pull,
                outcome=outcome,
                now=replace(past, head=head, inputs=None, base=None, review=None),
            )
        raise
    base = tips[base_ref]
    spoken = await world.excuses(client, pull, base)
    approvals = await approvers.of(client, pull)
    inputs = _digest(head, pull.base.ref, spoken, approvals)
    now = replace(past, head=head, base=base, inputs=inputs)
    run = await store.run(world.pool, where.id, head)
    settled = run is not None and run.completed and run.hash is not None and past.verdict != "unjudged"
    same = settled and not item.fresh and past.inputs == inputs
    if same and (past.base == base or (past.base is not None and await _irrelevant(world, clone, past, base))):
        await _seen(world, item, where, client, pull, now=now, forced=spoken.forced)
        return
    if not settled or item.fresh:
        await checkruns.begin(world, item, client, head, number=number)
    request = Request(path=str(clone.path), base=base, head=head, spoken=spoken, approvals=approvals)
    outcome = await _unless_overtaken(world, item, client, pull, request=request, clone=clone)
    await _still(client, pull)
    await claims.make(world.pool, where.id, number, outcome.claim)
    conflicts = await neighbours.colliding(world, where, number, pull.base.ref)
    now = replace(now, rivals=neighbours.mark(conflicts), review=None)
    if outcome.report is not None:
        outcome = outcome.model_copy(update={"report": neighbours.joined(outcome.report, conflicts)})
    await _publish(world, item, where, client, pull, outcome=outcome, now=now, forced=spoken.forced)
    await neighbours.tell(world, where, number)


async def _seen(
    world: World,
    item: Work,
    where: Repository,
    client: Client,
    pull: Pull,
    *,
    now: Past,
    forced: tuple[str, str] | None,
) -> None:
    """Nothing has to be reviewed again; but who else is open may be others than when it was."""
    conflicts = await neighbours.colliding(world, where, pull.number, pull.base.ref)
    kept = await store.review(world.pool, now.review) if now.review is not None else None
    if neighbours.mark(conflicts) == (now.rivals or "") or kept is None:
        await store.judged(world.pool, where.id, pull.number, now)
    else:
        outcome = Outcome(report=neighbours.joined(kept.report, conflicts), enforced=kept.enforced)
        now = replace(now, rivals=neighbours.mark(conflicts))
        await _publish(world, item, where, client, pull, outcome=outcome, now=now, forced=forced)
    await neighbours.tell(world, where, pull.number)


async def _publish(
    world: World,
    item: Work,
    where: Repository,
    client: Client,
    pull: Pull,
    *,
    outcome: Outcome,
    now: Past,
    forced: tuple[str, str] | None = None,
) -> None:
    """Say what came of it, on GitHub, as long as it is still about the present head; on the page `now.review` if there is one."""
    report, number, head = outcome.report, pull.number, pull.head.sha
    metrics.reviews.labels(report.verdict if report else "unjudged").inc()
    enforced = outcome.enforced is not False
    review = url = None
    if report is not None and not verdicts.untouched(report):
        review = now.review or await store.keep(world.pool, where.id, number, report, enforced=enforced)
        if now.review is not None:
            await store.amend(world.pool, review, report)
        url = world.link(review)
    known = await world.required(where, replies.NAME, pull.base.ref)
    required = replies.required(enforced=enforced, known=known, branch=pull.base.ref)
    if forced is not None and report is not None and report.verdict != "pass":
        required += replies.forced(*forced)
    sync = pull.head.repo is not None and pull.base.repo is not None and pull.head.repo.id == pull.base.repo.id
    verdict = verdicts.conclude(outcome, delivery=item.delivery, required=required, url=url, sync=sync)
    if forced is not None:
        verdict = verdicts.forced(verdict, forced[0])
    await _still(client, pull)
    shown = checkruns.worst(verdict, await store.same_head(world.pool, where.id, number, head))
    digest = verdicts.digest(outcome, shown, required)
    await checkruns.end(world, item, client, head, number=number, verdict=shown, url=url, digest=digest)
    if report is not None:
        said = comment.text(report, enforced=enforced, url=url, forced=forced)
        mark = comment.digest(comment.text(verdicts.steady(report), enforced=enforced, url=None, forced=forced))
        await _comment(world, item, where, client, pull, touched=bool(report.migrations), said=(said, mark), now=now)
    title = verdict.output.title
    verdict_said = report.verdict if report else "unjudged"
    await store.judged(
        world.pool,
        where.id,
        number,
        replace(now, review=review, verdict=verdict_said, conclusion=verdict.conclusion, title=title),
    )
    log.info("judged", number=number, head=head[:12], verdict=verdict_said, title=title)


async def _comment(
    world: World,
    item: Work,
    where: Repository,
    client: Client,
    pull: Pull,
    *,
    touched: bool,
    said: tuple[str, str],
    now: Past,
) -> None:
    """Make the one comment say something; nothing is written where its mark is the same."""
    body, mark = said
    if (not touched and now.comment is None) or mark == now.comment_hash:
        return
    await _still(client, pull)
    await world.mine(item)
    app = await world.github.app()
    id_ = await comment.write(client, pull.number, body, known=now.comment, app=app, create=touched)
    await store.commented(world.pool, where.id, pull.number, id_, mark)


async def _still(client: Client, pull: Pull) -> None:
    """Every write is fenced by the head that it was computed for.

    Raises:
        Overtaken: the pull request has another head or base by now, or is closed.
    """
    there = await client.pull(pull.number)
    if there.head.sha != pull.head.sha or there.base.ref != pull.base.ref or not there.open:
        raise Overtaken


async def _unless_overtaken(
    world: World, item: Work, client: Client, pull: Pull, *, request: Request, clone: Clone
) -> Outcome:
    """Review, and stop as soon as there is something newer to review."""
    began = time.perf_counter()
    judging = asyncio.ensure_future(world.judge(request, clone))
    watching = asyncio.ensure_future(_watch(world, item, client, pull))
    try:
        await asyncio.wait({judging, watching}, return_when=asyncio.FIRST_COMPLETED)
        if judging.done():
            metrics.review_seconds.observe(time.perf_counter() - began)
            return judging.result()
        watching.result()
        raise Overtaken
    finally:
        for task in (judging, watching):
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError, Overtaken, Exception):
                await task


async def _watch(world: World, item: Work, client: Client, pull: Pull) -> None:
    """Return when the review is about an old head; GitHub is asked only when somebody said that something is new."""
    known = item.generation
    while True:
        await asyncio.sleep(_WATCH)
        mine, wanted = await current(world.pool, item)
        if not mine:
            return
        if wanted > known:
            known = wanted
            try:
                await _still(client, pull)
            except Overtaken:
                return
            except Later:
                continue


async def _quiet(world: World, item: Work) -> None:
    """Wait until nobody pushes any more: somebody who pushes twenty times waits for one review, not for twenty."""
    loop = asyncio.get_running_loop()
    last, wanted = loop.time(), -1
    end = last + _RESTLESS
    while loop.time() < min(last + _QUIET, end):
        now = (await current(world.pool, item))[1]
        if now != wanted:
            wanted, last = now, loop.time()
        await asyncio.sleep(0.1)


async def _irrelevant(world: World, clone: Clone, past: Past, base: str) -> bool:
    """Whether what happened on base since cannot change the judgement: nothing that reviews read of base was touched."""
    then = past.base or ""
    paths = await asyncio.to_thread(clones.changed, clone, then, base)
    if paths is None:
        return False
    forks = [await asyncio.to_thread(clones.forks, clone, each, past.head) for each in (then, base)]
    if forks[0] != forks[1]:
        return False  # base has some of head's commits by now: they are not what head introduces any more
    kept = await store.review(world.pool, past.review) if past.review else None
    report = kept.report if kept else None
    return not any(_read_of_base(path, report) for path in paths)


def _read_of_base(path: str, report: Report | None) -> bool:
    name = path.rsplit("/", 1)[-1]
    if path in PATHS or name == "package.json" or name.startswith("drizzle.config") or path.endswith(".sql"):
        return True
    if "/meta/" in f"/{path}" and path.endswith(".json"):
        return True
    if report is None:
        return False
    if path.endswith(_CODE):
        return True  # schema.ts may import it, from anywhere
    folders = [project.migrations_dir for project in report.projects]
    return any(path.startswith(f"{folder.rstrip('/')}/") for folder in folders)


def _digest(head: str, base_ref: str, spoken: Spoken, approvals: tuple[str, ...] | None) -> str:
    parts = [_RULES, head, base_ref, spoken.model_dump(mode="json"), approvals]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()
