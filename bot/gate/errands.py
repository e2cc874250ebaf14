"""Which piece of work is done by whom."""

from dataclasses import replace

import psycopg
import structlog
from psycopg_pool import PoolTimeout

from bot import events, replies
from bot.gate import checkruns, groups, pulls, sweep
from bot.gate.world import World
from bot.github import Refused
from bot.inbox import Later, Taken, Work, first_line, where_of
from bot.state import store

log: structlog.stdlib.BoundLogger = structlog.get_logger("errands")


_PATIENCE = 4
"""Attempts after which it is said that something cannot be done, and the sweep is left to try again."""


async def run(world: World, item: Work) -> None:
    """Do one piece of work of the inbox."""
    try:
        await _do(world, item)
    except (Later, Taken, psycopg.Error, PoolTimeout):
        raise  # the world asks for patience
    except Refused as refused:
        if item.attempts < _PATIENCE:
            raise Later(2.0**item.attempts, str(refused)) from None
        log.warning("given up", key=item.key, why=str(refused))
        await _give_up(world, item, f"GitHub will not have it: {refused}")
    except Exception as error:
        if item.attempts < _PATIENCE:
            raise
        log.error("given up", key=item.key, why=first_line(error), where=where_of(error))  # noqa: TRY400 - one line a log entry
        await _give_up(world, item, f"A fault of ours ({type(error).__name__}).")


async def _give_up(world: World, item: Work, why: str) -> None:
    """Leave no check run spinning, where GitHub lets us say so."""
    if item.repository is None or item.kind not in {"pull", "group"}:
        return
    try:
        await checkruns.abandon(world, item, world.client(item.repository), why)
    except Refused as refused:
        log.warning("not even that", key=item.key, why=str(refused))


async def _do(world: World, item: Work) -> None:
    where = item.repository
    if where is not None and not where.installation:
        where = replace(where, installation=await world.github.installation_of(where.owner, where.name))
        await store.named(world.pool, where)
        item = replace(item, repository=where)
    doer = _DOERS.get(item.kind)
    if doer is not None:
        await doer(world, item)


async def _installation(world: World, item: Work) -> None:
    if "id" in item.about:
        await sweep.installed(world, int(item.about["id"]))
    elif item.repository is not None:
        await sweep.repository(world, item.repository)
    else:
        await sweep.everything(world)


async def _gone(world: World, item: Work) -> None:
    """The App was removed, put to sleep, or taken from repositories."""
    if "id" in item.about:
        world.github.forget_all(int(item.about["id"]))
        await store.closed(world.pool, installation=int(item.about["id"]))
    await store.closed(world.pool, repositories=[int(each) for each in item.about.get("repositories", [])])


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


_DOERS = {
    "pull": pulls.look,
    "head": sweep.with_head,
    "base": sweep.base_moved,
    "group": groups.judge,
    "ungroup": groups.dissolve,
    "action": _action,
    "comment": _comment,
    "installation": _installation,
    "gone": _gone,
}
