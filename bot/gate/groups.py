"""Judges a merge group: the very tree that would become the base branch, before it does.

What people said in its pull requests stands there, too: what was waived and green may not turn red in the queue.
"""

import structlog

from bot import replies
from bot.gate import checkruns, members, verdicts
from bot.gate.members import Group, Member
from bot.gate.reviewing import Member as Heard
from bot.gate.reviewing import Outcome, Request
from bot.gate.verdicts import Verdict
from bot.gate.world import World
from bot.github import Output
from bot.inbox import Later, Work
from bot.state import store
from checks.policy import blocking

_PATIENCE = 4

log: structlog.stdlib.BoundLogger = structlog.get_logger("group")


async def judge(world: World, item: Work) -> None:
    """Judge the merged tree against the commit that it will be put upon."""
    if item.repository is None:
        return
    where, client = item.repository, world.client(item.repository)
    group = Group(
        head=str(item.about["head"]),
        base=str(item.about["base"]),
        ref=str(item.about["head_ref"]),
        branch=str(item.about.get("base_ref", "")).removeprefix("refs/heads/"),
    )
    had = await store.run(world.pool, where.id, group.head)
    if had is not None and had.completed and had.hash is not None and not item.fresh:
        return
    await checkruns.begin(world, item, client, group.head, number=None)
    clone = await world.clone(where)
    inside: list[Member] = []
    try:
        await world.clones.fetch(clone, [group.ref], [group.head, group.base])
        inside = await members.find(world, where, clone, group)
    except Later as later:
        if item.attempts < _PATIENCE:
            raise
        outcome = Outcome(why=f"The merged commits could not be fetched: {later}")
    else:
        request = Request(
            path=str(clone.path),
            base=group.base,
            head=group.head,
            approvals=members.approvals(inside),
            members=tuple(Heard(head=each.pull.head.sha, spoken=each.spoken) for each in inside),
        )
        outcome = await world.judge(request, clone)
    url = None
    if outcome.report is not None and not verdicts.untouched(outcome.report):
        enforced = outcome.enforced is not False
        url = world.link(await store.keep(world.pool, where.id, None, outcome.report, enforced=enforced))
    verdict, said = _forced(outcome, inside, item.delivery, url)
    digest = verdicts.digest(outcome, verdict, said)
    await checkruns.end(world, item, client, group.head, number=None, verdict=verdict, url=url, digest=digest)
    log.info("judged", head=group.head[:12], conclusion=verdict.conclusion, pulls=[each.pull.number for each in inside])


def _forced(outcome: Outcome, inside: list[Member], delivery: str | None, url: str | None) -> tuple[Verdict, str]:
    """The verdict, and what is said of admins who forced what holds the group back: all of it, and nothing else."""
    plain = verdicts.conclude(outcome, delivery=delivery, url=url)
    forcing = [(each, each.spoken.forced) for each in inside if each.spoken.forced is not None]
    if plain.conclusion not in {"failure", "action_required"} or not forcing:
        return plain, ""
    report = outcome.report
    if report is None or report.verdict == "unjudged":
        through = len(forcing) == len(inside)
    else:
        theirs = frozenset[str]().union(*(each.paths for each, _ in forcing))
        through = {finding.path for finding in blocking(report.findings)} <= theirs
    if not through:
        return plain, ""
    said = "".join(replies.forced(*forced) for _, forced in forcing)
    verdict = verdicts.conclude(outcome, delivery=delivery, url=url, required=said)
    names = ", ".join(dict.fromkeys(forced[0] for _, forced in forcing))
    log.warning("forced", by=names, pulls=[each.pull.number for each, _ in forcing])
    return verdicts.forced(verdict, names), said


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
