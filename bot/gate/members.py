"""Which pull requests a merge group holds, and what was said in each of them.

GitHub names the last one alone, in the group's ref. The others are named by the subjects of the queue's commits, which people
may write, so a name counts only where the pull request's own changes are in the group's tree.
"""

import asyncio
import re
from dataclasses import dataclass

from bot.commands import standing
from bot.events import Repository
from bot.gate import approvers, clones, verdicts
from bot.gate.clones import Clone
from bot.gate.reviewing import Spoken
from bot.gate.world import World
from bot.github import Client, Missing, Pull
from bot.state import store

MOST = 100
"""Pull requests of one group that are looked at; GitHub's queue takes no more."""
_LAST = re.compile(r"/pr-(\d{1,9})-[0-9a-f]{40,64}$")
_NAMED = re.compile(r"^Merge pull request #(\d{1,9}) from |\(#(\d{1,9})\)$")


@dataclass(frozen=True, slots=True)
class Member:
    """A pull request of the group.

    Attributes:
        approvals: who approved it; None: that cannot be seen, or it is not asked for.
        paths: what it changes.
    """

    pull: Pull
    spoken: Spoken
    approvals: tuple[str, ...] | None
    paths: frozenset[str]


@dataclass(frozen=True, slots=True)
class Group:
    """A merge group: `head` is the merged commit, `base` what it will be put upon, `branch` where to."""

    head: str
    base: str
    ref: str
    branch: str


async def find(world: World, where: Repository, clone: Clone, group: Group) -> list[Member]:
    """The pull requests that are in the group, the first to be merged first."""
    client = world.client(where)
    last = _LAST.search(group.ref)
    subjects = await asyncio.to_thread(clones.subjects, clone, group.base, group.head, MOST)
    named = [int(match[1] or match[2]) for each in subjects if (match := _NAMED.search(each))]
    sure = int(last[1]) if last else 0
    found: list[Member] = []
    numbers: list[int] = [*named, sure] if sure else named
    for number in list(dict.fromkeys(numbers))[:MOST]:
        try:
            pull = await client.pull(number)
        except Missing:
            continue
        if not pull.open or pull.base.ref != group.branch:
            continue
        tips = await world.clones.fetch(
            clone, [f"refs/heads/{group.branch}", f"refs/pull/{number}/head"], [pull.head.sha]
        )
        brought = await asyncio.to_thread(clones.brought, clone, group.base, pull.head.sha)
        if number == sure or await asyncio.to_thread(clones.holds, clone, group.head, pull.head.sha, brought):
            tip = tips[f"refs/heads/{group.branch}"]
            found.append(await _member(world, where, client, pull, bases=(tip, group.base), paths=frozenset(brought)))
    return found


async def _member(
    world: World, where: Repository, client: Client, pull: Pull, *, bases: tuple[str, str], paths: frozenset[str]
) -> Member:
    """What was said in one, as it stands on base's tip: others of the queue may come before it."""
    tip, below = bases
    spoken = await world.excuses(client, pull, tip)
    if spoken.forced is None and below != tip:
        spoken = await world.excuses(client, pull, below)
    past = await store.past(world.pool, where.id, pull.number)
    current = past is not None and past.head == pull.head.sha
    kept = await store.review(world.pool, past.review) if past is not None and current and past.review else None
    if past is not None and current and past.verdict == "pass" and kept is None:
        return Member(pull, spoken, None, paths)  # it touches no migration, so there is nothing to approve
    given = await approvers.of(client, pull)
    if kept is not None and not verdicts.untouched(kept.report):
        mark = standing.mark_of(kept.report)
        said = [by for marked, by in spoken.approved if marked == mark]
        given = tuple(dict.fromkeys([*(given or ()), *said])) if given is not None or said else None
    return Member(pull, spoken, given, paths)


def approvals(members: list[Member]) -> tuple[str, ...] | None:
    """Who approved the group: nobody, as long as one of its pull requests is approved by nobody."""
    given = [member.approvals for member in members if member.approvals is not None]
    if not given:
        return None
    return () if not all(given) else tuple(dict.fromkeys(name for names in given for name in names))
