"""Listens to the comments of a pull request: answers commands, once each, and tells what stands in them."""

from datetime import UTC, datetime, timedelta
from typing import cast, get_args

import structlog

from bot import commands, events, replies
from bot.commands import standing
from bot.events import Repository
from bot.gate import answering, comment, reviewing
from bot.gate.reviewing import Excuse, Spoken
from bot.gate.world import World
from bot.github import Client, Comment, Missing, Pull, Refused
from bot.github.model import AppName
from bot.inbox import Later, Work
from bot.state import store
from checks.report import Report, Waiver

_OWN = "\0own"  # no login is like it: GitHub's answer decides who we are, not a name
_PATIENCE = 4
_SLACK = timedelta(seconds=5)  # between two clocks
_SYNC = replies.SYNC[2]

log: structlog.stdlib.BoundLogger = structlog.get_logger("commands")


async def spoken(client: Client, pull: Pull, base: str) -> Spoken:
    """What stands in the comments of a pull request, on this tip of base."""
    said = _read(await client.comments(pull.number), await client.github.app())
    granted = standing.waivers(said, _OWN, datetime.now(UTC).date())
    author = pull.user.login if pull.user else ""
    return Spoken(
        excused=tuple(
            Excuse(rule=g.rule, given=Waiver(reason=g.reason, by=g.by, until=g.until), bound=g.bound, comment=g.comment)
            for g in granted
        ),
        approved=tuple((mark, by) for mark, by in standing.approved(said, _OWN) if by != author),
        forced=standing.forced(said, _OWN, pull.head.sha, base),
    )


async def answer(world: World, item: Work) -> None:
    """Do what a comment, or the button "Sync migrations", asks for, and reply once."""
    where = item.repository
    if where is None:
        return
    client = world.client(where)
    button = "identifier" in item.about
    number = await _number(world, where, item) if button else int(item.about["number"])
    if number is None or (button and item.about["identifier"] != _SYNC) or (
        not button and item.about["action"] != "created"
    ):  # fmt: skip
        return
    written = await client.comments(number)
    said = _read(written, await client.github.app())
    if button:
        given = commands.Comment(id=0, author=str(item.about["sender"]), body="/migrate sync")
        key = f"button {item.delivery or item.key}"
    else:
        given = next((each for each in said if each.id == int(item.about["comment"])), None)
        key = str(item.about["comment"])
    if given is None or given.bot or given.edited or not commands.asks(given.body):
        return
    trace = replies.answered(key)
    if any(each.author == _OWN and trace in each.body for each in said):
        return
    if not button:
        try:
            await client.react(given.id, "eyes")
        except Refused as refused:
            log.info("no reaction", why=str(refused))
    answered = await _ask(world, item, where, client, number, given=given, said=said)
    if answered.text is not None:
        await world.mine(item)
        await client.comment(number, f"{answered.text}\n{trace}")
        log.info("answered", number=number, by=given.author, delivery=item.delivery)
    if answered.again:
        await world.inbox.want(events.pull(where, number, fresh=True), delivery=item.delivery)


async def _ask(
    world: World,
    item: Work,
    where: Repository,
    client: Client,
    number: int,
    *,
    given: commands.Comment,
    said: list[commands.Comment],
) -> answering.Answer:
    pull = await client.pull(number)
    if not pull.open:
        return answering.Answer(text="This pull request is closed; nothing is done here any more.")
    if item.about.get("head", pull.head.sha) != pull.head.sha:
        return answering.Answer(text="The branch has another head by now. Press the button there.")
    permission = await client.permission(given.author)
    fork = pull.head.repo is None or pull.base.repo is None or pull.head.repo.id != pull.base.repo.id
    wants = commands.parse.read(given.body)
    token = await _writing(client) if wants is not None and wants.name == "sync" and not fork else None
    clone = await world.clone(where, token)
    base_ref = f"refs/heads/{pull.base.ref}"
    try:
        tips = await world.clones.fetch(clone, [base_ref, f"refs/pull/{number}/head"], [pull.head.sha])
    except Later as later:
        if item.attempts < _PATIENCE:
            raise
        return answering.Answer(text=f"The commits could not be fetched, so nothing was done: {later}")
    request = answering.Request(
        comment=answering.Said.model_validate(given),
        comments=tuple(answering.Said.model_validate(each) for each in said),
        own=_OWN,
        permission=cast("commands.Permission", permission) if permission in get_args(commands.Permission) else "none",
        author=pull.user.login if pull.user else "",
        path=str(clone.path),
        base=tips[base_ref],
        head=pull.head.sha,
        base_branch=pull.base.ref,
        head_branch=pull.head.ref,
        fork=fork,
        may_push=token is not None,
        report=await _report(world, where, pull, given),
    )
    try:
        return answering.Answer.model_validate_json(await reviewing.apart("bot.gate.answering", request, clone))
    except TimeoutError:
        return answering.Answer(
            text="This took too long and was stopped; look at the pull request before trying again."
        )
    except ValueError:
        log.error("a command died", number=number, delivery=item.delivery)  # noqa: TRY400 - the trace says nothing of it
        return answering.Answer(text="This failed by a fault of ours; look at the pull request before trying again.")


async def _number(world: World, where: Repository, item: Work) -> int | None:
    """The pull request whose button was pressed."""
    numbers: list[int] = item.about["numbers"] or await store.open_with(world.pool, where.id, str(item.about["head"]))
    return int(numbers[0]) if numbers else None


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


def _read(written: list[Comment], app: AppName) -> list[commands.Comment]:
    """Comments as commands know them; ours bear a name that nobody else can have."""
    found: list[commands.Comment] = []
    for each in written:
        ours = comment.ours(each, app)
        found.append(
            commands.Comment(
                id=each.id,
                author=_OWN if ours else each.user.login if each.user else "",
                body=each.body or "",
                at=each.created_at,
                edited=bool(each.updated_at) and each.updated_at != each.created_at,
                bot=ours or each.app is not None or (each.user is not None and each.user.type == "Bot"),
            )
        )
    return found
