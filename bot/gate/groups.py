"""Judges a merge group: the very tree that would become the base branch, before it does."""

import structlog

from bot import replies
from bot.gate import checkruns, verdicts
from bot.gate.reviewing import Outcome, Request
from bot.gate.world import World
from bot.github import Output
from bot.inbox import Later, Work
from bot.state import store

_PATIENCE = 4

log: structlog.stdlib.BoundLogger = structlog.get_logger("group")


async def judge(world: World, item: Work) -> None:
    """Judge the merged tree against the commit that it will be put upon."""
    if item.repository is None:
        return
    where, client = item.repository, world.client(item.repository)
    head, base = str(item.about["head"]), str(item.about["base"])
    had = await store.run(world.pool, where.id, head)
    if had is not None and had.completed and had.hash is not None and not item.fresh:
        return
    await checkruns.begin(world, item, client, head, number=None)
    clone = await world.clone(where)
    try:
        await world.clones.fetch(clone, [str(item.about["head_ref"])], [head, base])
    except Later as later:
        if item.attempts < _PATIENCE:
            raise
        outcome = Outcome(why=f"The merged commits could not be fetched: {later}")
    else:
        outcome = await world.judge(Request(path=str(clone.path), base=base, head=head), clone)
    url = None
    if outcome.report is not None and not verdicts.untouched(outcome.report):
        enforced = outcome.enforced is not False
        url = world.link(await store.keep(world.pool, where.id, None, outcome.report, enforced=enforced))
    verdict = verdicts.conclude(outcome, delivery=item.delivery, url=url)
    digest = verdicts.digest(outcome, verdict, "")
    await checkruns.end(world, item, client, head, number=None, verdict=verdict, url=url, digest=digest)
    log.info("judged", head=head[:12], conclusion=verdict.conclusion)


async def dissolve(world: World, item: Work) -> None:
    """The group is no more: nothing may go on spinning on its commit."""
    if item.repository is None:
        return
    client, head = world.client(item.repository), str(item.about["head"])
    had = await store.run(world.pool, item.repository.id, head)
    if had is None or had.completed:
        return
    there = await client.check_run(replies.NAME, head)
    if there is not None and there.status != "completed":
        why = "the merge group is no more"
        await client.update_check(there.id, conclusion="cancelled", output=Output(why, why), url=None)
