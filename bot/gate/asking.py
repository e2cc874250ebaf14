"""Has one command answered, in a process of its own, and puts the commit that it made onto the pull request's branch."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import cast, get_args

import structlog

from bot import commands, git_write, replies
from bot.events import Repository
from bot.gate import answering, pushing, reviewing
from bot.gate.answering import Answer, Made
from bot.gate.clones import Clone
from bot.gate.world import World
from bot.github import Client, Missing, Pull, Refused
from bot.inbox import Later, Work
from bot.state import store
from checks.report import Report

OWN = "\0own"  # no login is like it: GitHub's answer decides who we are, not a name

_PATIENCE = 4
_SLACK = timedelta(seconds=5)  # between two clocks
_PUSHING = frozenset({"generate", "sync"})
_TRIES = 3
"""How often a push is tried while the branch moves: every attempt reads it anew."""

log: structlog.stdlib.BoundLogger = structlog.get_logger("commands")


@dataclass(frozen=True, kw_only=True, slots=True)
class Asked:
    """A command, and where it was given.

    Attributes:
        given: the comment that holds it.
        said: all comments.
    """

    world: World
    item: Work
    where: Repository
    client: Client
    number: int
    given: commands.Comment
    said: list[commands.Comment]


async def ask(asked: Asked) -> Answer:
    """Do what is asked for; where the branch moves meanwhile, again on what it is now."""
    for attempt in range(_TRIES):
        pull = await asked.client.pull(asked.number)
        if not pull.open:
            return Answer(text=replies.CLOSED_HERE)
        if not attempt and asked.item.about.get("head", pull.head.sha) != pull.head.sha:
            return Answer(text=replies.ANOTHER_HEAD)
        try:
            return await _attempt(asked, pull, again=attempt > 0)
        except git_write.MovedError:
            log.info("the branch moved", number=asked.number, attempt=attempt)
    return Answer(text=replies.RESTLESS)


async def _attempt(asked: Asked, pull: Pull, *, again: bool) -> Answer:
    """One try.

    Raises:
        MovedError: somebody else pushed meanwhile; nothing was.
    """
    wants = commands.parse.read(asked.given.body)
    pushes = wants is not None and wants.name in _PUSHING and not _fork(pull)
    token = await _writing(asked.client) if pushes else None
    clone = await asked.world.clone(asked.where, token)
    try:
        request = await _request(asked, pull, clone, again=again)
    except Later as later:
        if asked.item.attempts < _PATIENCE:
            raise
        return Answer(text=replies.unfetched(str(later)))
    answered = await _answered(request, clone, asked.number)
    if answered.made is not None:
        return await _pushed(asked, pull, clone, token, answered.made)
    return Answer(text=replies.moved(pull.head.ref, answered.text or "")) if again else answered


async def _pushed(asked: Asked, pull: Pull, clone: Clone, token: str | None, made: Made) -> Answer:
    why = replies.FORK if _fork(pull) else replies.MAY_NOT_WRITE
    if token is not None:
        await asked.world.mine(asked.item)
        try:
            sha = await pushing.push(asked.client, clone, token, made, pull.head.ref)
        except pushing.NotPushedError as refused:
            why = str(refused)
        else:
            log.info("pushed", number=asked.number, commit=sha)
            return Answer(text=commands.harmless(made.reply.replace(made.commit, sha)))
    return Answer(text=commands.harmless(replies.not_pushed(why, made.by_hand)))


async def _answered(request: answering.Request, clone: Clone, number: int) -> Answer:
    try:
        return Answer.model_validate_json(await reviewing.apart("bot.gate.answering", request, clone))
    except TimeoutError:
        return Answer(text=replies.TOOK_TOO_LONG)
    except ValueError:
        log.error("a command died", number=number)  # noqa: TRY400 - the trace says nothing of it
        return Answer(text=replies.OUR_FAULT)


async def _request(asked: Asked, pull: Pull, clone: Clone, *, again: bool) -> answering.Request:
    """What the command needs to know, its commits fetched; `again`: the branch itself says where its head is."""
    base_ref, head_ref = f"refs/heads/{pull.base.ref}", f"refs/heads/{pull.head.ref}"
    wanted = [base_ref, head_ref] if again else [base_ref, f"refs/pull/{pull.number}/head"]
    tips = await asked.world.clones.fetch(clone, wanted, [pull.head.sha])
    permission = await asked.client.permission(asked.given.author)
    name = f"{(await asked.client.github.app()).slug or 'bulletproof'}[bot]"
    return answering.Request(
        comment=asked.given,
        comments=tuple(asked.said),
        own=OWN,
        permission=cast("commands.Permission", permission) if permission in get_args(commands.Permission) else "none",
        author=pull.user.login if pull.user else "",
        path=str(clone.path),
        base=tips[base_ref],
        head=tips[head_ref] if again else pull.head.sha,
        base_branch=pull.base.ref,
        fork=_fork(pull),
        seen=await _seen(asked, pull),
        identity=(name, f"{name}@users.noreply.github.com"),
        report=await _report(asked.world, asked.where, pull, asked.given),
    )


async def _seen(asked: Asked, pull: Pull) -> bool:
    """Whether the head was there when the comment was made: only `force` takes nothing else for granted, so only it asks."""
    wants = commands.parse.read(asked.given.body)
    if wants is None or wants.name != "force":
        return True
    run = await asked.client.check_run(replies.NAME, pull.head.sha)
    if run is None:
        return False
    began = datetime.fromisoformat(run.started_at) if run.started_at else None
    return began is None or not asked.given.at or began <= datetime.fromisoformat(asked.given.at) + _SLACK


def _fork(pull: Pull) -> bool:
    return pull.head.repo is None or pull.base.repo is None or pull.head.repo.id != pull.base.repo.id


async def _writing(client: Client) -> str | None:
    """A token that may push, where the App was given that permission."""
    try:
        return await client.github.token(client.installation, client.id, write=True)
    except (Missing, Refused):
        return None


async def _report(world: World, where: Repository, pull: Pull, given: commands.Comment) -> Report | None:
    """The review of the present head, if it was there when the comment was made: nobody vouches for what they did not see."""
    past = await store.past(world.pool, where.id, pull.number)
    if past is None or past.head != pull.head.sha or past.verdict is None:
        return None
    kept = await store.review(world.pool, past.review) if past.review else None
    if kept is None:
        if past.verdict != "pass":
            return None
        base = past.base or ""
        return Report(verdict="pass", title=past.title or "", base=base, head=past.head, merge_base=base)
    if kept.report.head != pull.head.sha:
        return None
    late = given.at and kept.made > datetime.fromisoformat(given.at) + _SLACK
    return None if late else kept.report
