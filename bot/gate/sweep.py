"""Finds what no webhook told us: pull requests never judged, bases that moved unheard, deliveries that failed."""

from datetime import UTC, datetime, timedelta

import structlog

from bot import events
from bot.events import Event, Repository
from bot.gate.world import World
from bot.github import Delivery, Refused
from bot.inbox import Work
from bot.state import store

SECONDS = 300.0
"""How often one of all processes sweeps."""
EVENT = Event("installation", "sweep")

_LOG = "deliveries"  # until when the App's log of deliveries was read
_KEPT = timedelta(days=3)
_LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)
_AT_ONCE = 150

log: structlog.stdlib.BoundLogger = structlog.get_logger("sweep")


async def everything(world: World) -> None:
    """Compare what is open on GitHub with what was judged, everywhere, and forget what is old."""
    await store.forget(world.pool)
    try:
        await redeliver(world)
    except Refused as refused:
        log.warning("deliveries cannot be listed", why=str(refused))
    for installation in await world.github.installations():
        await installed(world, installation)


async def installed(world: World, installation: int) -> None:
    """All repositories of an installation."""
    for found in await world.github.repositories(installation):
        owner, _, name = found.full_name.partition("/")
        try:
            await repository(world, Repository(found.id, owner, name, installation))
        except Refused as refused:
            log.warning("a repository cannot be read", repository=found.full_name, why=str(refused))


async def repository(world: World, where: Repository) -> None:
    """All open pull requests of a repository: those that were not judged as they are now are looked at again."""
    client = world.client(where)
    tips: dict[str, str | None] = {}
    for pull in await client.open_pulls():
        past = await store.past(world.pool, where.id, pull.number)
        run = await store.run(world.pool, where.id, pull.head.sha)
        shown = run is not None and run.completed and run.hash is not None
        judged = shown and past is not None and past.head == pull.head.sha and past.inputs is not None
        if judged and past is not None:
            if pull.base.ref not in tips:
                tips[pull.base.ref] = await client.branch(pull.base.ref)
            if past.base == tips[pull.base.ref]:
                continue
        await store.named(world.pool, where)
        await world.inbox.want(events.pull(where, pull.number))


async def base_moved(world: World, item: Work) -> None:
    """A base branch has another tip: what was fine against the old one may collide with the new one."""
    if item.repository is None:
        return
    where, branch = item.repository, str(item.about["branch"])
    numbers = set(await store.against(world.pool, where.id, branch))
    if numbers or item.about.get("default"):
        numbers |= {pull.number for pull in await world.client(where).open_pulls(branch)}
    for number in sorted(numbers):
        await world.inbox.want(events.pull(where, number), delivery=item.delivery)


async def with_head(world: World, item: Work) -> None:
    """Look at whatever has a commit as its head: GitHub names no pull request where the head is in a fork."""
    if item.repository is None:
        return
    where, head = item.repository, str(item.about["head"])
    numbers = set(await store.open_with(world.pool, where.id, head))
    if not numbers:
        numbers = {pull.number for pull in await world.client(where).pulls_with(head)}
    for number in sorted(numbers):
        await world.inbox.want(events.pull(where, number, fresh=item.fresh), delivery=item.delivery)
    run = await store.run(world.pool, where.id, head)
    if not numbers and run is not None and run.number is None:
        group = await store.work(world.pool, f"{where.id}!{head}")
        if group is not None:
            await world.inbox.want(Event("group", f"{where.id}!{head}", where, group, fresh=item.fresh))


async def redeliver(world: World) -> None:
    """Ask GitHub again for deliveries that failed: it never tries twice by itself, and keeps them for three days.

    The log is read back to where the last sweep ended. After a long silence there may be more than GitHub's limits let us
    ask for at once; the oldest come first, and the next sweep goes on from there.
    """
    now = datetime.now(UTC)
    since = max(await store.at(world.pool, _LOG) or _LONG_AGO, now - _KEPT)
    seen = await world.github.deliveries(since)
    arrived = {each.guid for each in seen if each.arrived}
    last: dict[str, Delivery] = {}
    for each in seen:
        last.setdefault(each.guid, each)
    missed = sorted((d for d in last.values() if d.guid not in arrived), key=lambda d: (d.delivered_at, d.id))
    for each in missed[:_AT_ONCE]:
        try:
            await world.github.redeliver(each.id)
        except Refused as refused:
            log.warning("a delivery cannot be had again", delivery=each.guid, why=str(refused))
    if missed:
        log.info("asked for deliveries again", count=len(missed[:_AT_ONCE]), missed=len(missed))
    if len(missed) > _AT_ONCE:
        end = missed[_AT_ONCE].delivered_at
    else:
        end = max((each.delivered_at for each in seen), default=since)
    await store.set_at(world.pool, _LOG, end)
