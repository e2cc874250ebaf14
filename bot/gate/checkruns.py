"""The check runs of a commit: one, begun before the work and ended after it, and none left spinning."""

from dataclasses import replace
from typing import Any

from bot import replies
from bot.gate.verdicts import SUMMARY, Verdict
from bot.gate.world import World
from bot.github import Client, Missing, Output, Refused
from bot.github.client import spot
from bot.inbox import Work
from bot.state import store
from bot.state.store import Run
from checks.render import gfm

_SEVERITY = ("success", "neutral", "failure", "action_required")


async def begin(world: World, item: Work, client: Client, head: str, *, number: int | None) -> Run:
    """Show that the work is under way. It is written down first, so that whoever comes after us can end it."""
    repository = client.id or 0
    await world.mine(item)
    had = await store.run(world.pool, repository, head)
    run = (
        replace(had, number=number, completed=False, hash=None)
        if had
        else Run(head, number, None, completed=False, hash=None)
    )
    await store.set_run(world.pool, repository, run)
    there = await client.check_run(replies.NAME, head)
    if there is None:
        id_ = await client.begin_check(replies.NAME, head, url=None, title=replies.IN_PROGRESS)
    else:
        id_ = there.id
        if there.status != "in_progress":
            output = Output(replies.IN_PROGRESS, replies.IN_PROGRESS)
            await client.update_check(id_, conclusion=None, output=output, url=None)
    run = replace(run, id=id_)
    await store.set_run(world.pool, repository, run)
    return run


async def end(
    world: World,
    item: Work,
    client: Client,
    head: str,
    *,
    number: int | None,
    verdict: Verdict,
    url: str | None,
    digest: str,
) -> None:
    """Publish a verdict, once: one that GitHub shows already is not written again."""
    repository = client.id or 0
    had = await store.run(world.pool, repository, head)
    if had is not None and had.completed and had.hash == digest:
        return
    await world.mine(item)
    there = await client.check_run(replies.NAME, head)
    if there is None:
        had = Run(head, number, None, completed=False, hash=None)
        await store.set_run(world.pool, repository, had)
        id_, shown = await client.begin_check(replies.NAME, head, url=url, title=replies.IN_PROGRESS), []
    else:
        id_, shown = there.id, await client.annotations(there.id) if there.output.annotations_count else []
    output = _honest(verdict.output, shown)
    await client.update_check(id_, conclusion=verdict.conclusion, output=output, url=url, had=shown)
    await store.set_run(world.pool, repository, Run(head, number, id_, completed=True, hash=digest))


def _honest(output: Output, shown: list[dict[str, Any]]) -> Output:
    """With a word on what is still shown at lines and no longer so."""
    wanted = {spot(each.sent()) for each in output.annotations}
    stale = sum(spot(each) not in wanted for each in shown)
    said = output.summary + replies.old_annotations(stale) if stale else output.summary
    return replace(output, summary=said) if gfm.size(said) <= SUMMARY else output


async def close(world: World, item: Work, client: Client, number: int, *, keep: str | None, why: str) -> None:
    """End what still runs on commits that are the head of this pull request no longer."""
    repository = client.id or 0
    for run in await store.unfinished(world.pool, repository, number, keep):
        await world.mine(item)
        try:
            there = await client.check_run(replies.NAME, run.head)
            if there is not None and there.status != "completed":
                await client.update_check(there.id, conclusion="cancelled", output=Output(why, why), url=None)
        except (Missing, Refused):
            there = None  # the commit is gone: so is its check run
        done = replace(run, id=there.id if there else run.id, completed=True, hash=None)
        await store.set_run(world.pool, repository, done)


async def abandon(world: World, item: Work, client: Client, why: str) -> None:
    """End what this work has begun, as what could not be judged: whoever waits for it learns why, and may run it again."""
    repository = client.id or 0
    if item.kind == "group":
        run = await store.run(world.pool, repository, str(item.about["head"]))
        begun = [run] if run is not None and not run.completed else []
    else:
        begun = await store.unfinished(world.pool, repository, int(item.about["number"]), None)
    for run in begun:
        await world.mine(item)
        there = await client.check_run(replies.NAME, run.head)
        if there is not None and there.status != "completed":
            said = replies.unjudged(why, item.delivery, enforced=True)
            output = Output(replies.unjudged_title(), said, actions=(replies.RERUN,))
            await client.update_check(there.id, conclusion="action_required", output=output, url=None)
        done = replace(run, id=there.id if there else run.id, completed=True, hash=None)
        await store.set_run(world.pool, repository, done)


def worst(verdict: Verdict, others: list[dict[str, object]]) -> Verdict:
    """A check run stands for a commit: where several pull requests share it, the worst of them counts."""
    for other in others:
        theirs = str(other["conclusion"])
        if theirs in _SEVERITY and _SEVERITY.index(theirs) > _SEVERITY.index(verdict.conclusion):
            title = f"#{other['number']} (same commit): {other['title']}"[:255]
            output = replace(verdict.output, title=title)
            verdict = Verdict(_SEVERITY[_SEVERITY.index(theirs)], output)
    return verdict
