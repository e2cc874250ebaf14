"""Collisions with other open pull requests: who claims what, what is shown of it, and who has to look again when that changes.

Both sides see a collision, so both have to hear of it. A claim is written down before the others' are read: of two at once,
at least the second sees the first, and tells it.
"""

import hashlib
import json

from bot import events
from bot.events import Repository
from bot.gate.world import World
from bot.state import claims
from checks import rivals
from checks.report import Conflict, Report
from checks.rivals import Claim

MOST = 10
"""Other pull requests that one is told of, those with the lowest numbers: what is beyond changes nothing for anybody."""


async def colliding(world: World, where: Repository, number: int, branch: str) -> tuple[Conflict, ...]:
    """How a pull request collides with others against the same branch, by the claims as they are written down."""
    ours = await claims.of(world.pool, where.id, number)
    if ours is None:
        return ()
    found: list[Conflict] = []
    told = 0
    for other, theirs in await claims.against(world.pool, where.id, branch, but=number):
        between = rivals.collisions(ours, theirs, f"#{other}")
        found += between
        told += bool(between)
        if told == MOST:
            break
    return tuple(found)


def mark(conflicts: tuple[Conflict, ...]) -> str:
    """Equal marks: the same collisions. None at all is `""`."""
    rows = [conflict.model_dump(mode="json") for conflict in conflicts]
    return hashlib.sha256(json.dumps(rows, sort_keys=True).encode()).hexdigest() if rows else ""


def joined(report: Report, conflicts: tuple[Conflict, ...]) -> Report:
    """The report with these collisions with others, and with its own ones with base."""
    own = tuple(conflict for conflict in report.conflicts if conflict.other == "base")
    return report.model_copy(update={"conflicts": (*own, *conflicts)})


async def tell(world: World, where: Repository, number: int) -> None:
    """Ask those to look again whose collisions with this one are others now; whom nothing changes for hears nothing."""
    now, before = await claims.standing(world.pool, where.id, number)
    if now == before:
        return
    for branch in dict.fromkeys(each.branch for each in (before, now) if each is not None):
        old = before.claim if before is not None and before.branch == branch else None
        new = now.claim if now is not None and now.branch == branch else None
        for other, theirs in await claims.against(world.pool, where.id, branch, but=number):
            if _between(theirs, old, number) != _between(theirs, new, number):
                await world.inbox.want(events.pull(where, other))
    await claims.heard(world.pool, where.id, number, now)


def _between(theirs: Claim, ours: Claim | None, number: int) -> list[Conflict]:
    return rivals.collisions(theirs, ours, f"#{number}") if ours is not None else []
