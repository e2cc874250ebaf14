"""Which piece of work is done by whom."""

from dataclasses import replace

import structlog

from bot import events, replies
from bot.gate import groups, pulls, sweep
from bot.gate.world import World
from bot.inbox import Work
from bot.state import store

log: structlog.stdlib.BoundLogger = structlog.get_logger("errands")


async def run(world: World, item: Work) -> None:
    """Do one piece of work of the inbox."""
    where = item.repository
    if where is not None and not where.installation:
        where = replace(where, installation=await world.github.installation_of(where.owner, where.name))
        await store.named(world.pool, where)
        item = replace(item, repository=where)
    match item.kind:
        case "pull":
            await pulls.look(world, item)
        case "head":
            await sweep.with_head(world, item)
        case "base":
            await sweep.base_moved(world, item)
        case "group":
            await groups.judge(world, item)
        case "ungroup":
            await groups.dissolve(world, item)
        case "action":
            await _action(world, item)
        case "comment":
            await _comment(world, item)
        case "installation":
            await _installation(world, item)
        case _:
            log.info("nothing to do", kind=item.kind)


async def _installation(world: World, item: Work) -> None:
    if "id" in item.about:
        await sweep.installed(world, int(item.about["id"]))
    elif item.repository is not None:
        await sweep.repository(world, item.repository)
    else:
        await sweep.everything(world)


async def _action(world: World, item: Work) -> None:
    """A button of the check run was pressed."""
    if item.repository is None:
        return
    if item.about["identifier"] == replies.RERUN[2]:
        await sweep.with_head(world, replace(item, fresh=True))
        return
    await world.commands(world, item)


async def _comment(world: World, item: Work) -> None:
    """Somebody wrote, edited or deleted a command. What stands in the comments may excuse something now, or no longer."""
    if item.repository is None:
        return
    await world.commands(world, item)
    await world.inbox.want(events.pull(item.repository, int(item.about["number"])), delivery=item.delivery)
