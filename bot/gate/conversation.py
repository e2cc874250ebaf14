"""Listens to the comments of a pull request: answers commands, once each, and tells what stands in them."""

from datetime import UTC, date, datetime

import structlog

from bot import commands, events, replies
from bot.commands import standing
from bot.events import Repository
from bot.gate import asking, comment
from bot.gate.asking import OWN
from bot.gate.reviewing import Excuse, Spoken
from bot.gate.world import World
from bot.github import Client, Comment, Pull, Refused
from bot.github.model import AppName
from bot.inbox import Work
from bot.state import store
from checks.report import Waiver

_SYNC = replies.SYNC[2]

log: structlog.stdlib.BoundLogger = structlog.get_logger("commands")


async def spoken(client: Client, pull: Pull, base: str) -> Spoken:
    """What stands in the comments of a pull request, on this tip of base."""
    said = _read(await client.comments(pull.number), await client.github.app())
    granted = standing.waivers(said, OWN, _today())
    author = pull.user.login if pull.user else ""
    return Spoken(
        excused=tuple(
            Excuse(rule=g.rule, given=Waiver(reason=g.reason, by=g.by, until=g.until), bound=g.bound, comment=g.comment)
            for g in granted
        ),
        approved=tuple((mark, by) for mark, by in standing.approved(said, OWN) if by != author),
        forced=standing.forced(said, OWN, pull.head.sha, base),
    )


async def let_end(world: World) -> None:
    """Look again at open pull requests in which a waiver was counted whose last day is over."""
    async with world.pool.connection() as session:
        cursor = await session.execute(
            """
            SELECT r.id, r.owner, r.name, r.installation, p.number
            FROM pull p JOIN review v ON v.id = p.review JOIN repository r ON r.id = p.repository
            WHERE p.open AND jsonb_path_exists(
                v.report, '$.findings[*].waived.until ? (@ < $day)', jsonb_build_object('day', %s::text)
            )
            """,
            [_today().isoformat()],
        )
        rows = await cursor.fetchall()
    for *where, number in rows:
        await world.inbox.want(events.pull(Repository(*where), int(number)))


def _today() -> date:
    return datetime.now(UTC).date()


async def answer(world: World, item: Work) -> None:
    """Do what a comment, or the button "Sync migrations", asks for, and reply once."""
    where = item.repository
    button = "identifier" in item.about
    if where is None or (item.about["identifier"] != _SYNC if button else item.about["action"] != "created"):
        return
    client = world.client(where)
    number = await _number(world, where, item) if button else int(item.about["number"])
    if number is None:
        return
    said = _read(await client.comments(number), await client.github.app())
    given = _given(item, said)
    if given is None or given.bot or given.edited or not commands.asks(given.body):
        return
    trace = replies.answered(f"button {item.delivery or item.key}" if button else str(given.id))
    if any(each.author == OWN and trace in each.body for each in said):
        if item.attempts > 1 and _fresh(given):  # an earlier run died between its reply and its end
            await world.inbox.want(events.pull(where, number, fresh=True), delivery=item.delivery)
        return
    if not button:
        await _react(client, given)
    asked = asking.Asked(world=world, item=item, where=where, client=client, number=number, given=given, said=said)
    answered = await asking.ask(asked)
    if answered.text is not None:
        await world.mine(item)
        await _reply(client, number, f"{replies.fitting(answered.text)}\n{trace}")
        log.info("answered", number=number, by=given.author, delivery=item.delivery)
    if answered.again:
        await world.inbox.want(events.pull(where, number, fresh=True), delivery=item.delivery)


def _given(item: Work, said: list[commands.Comment]) -> commands.Comment | None:
    """The command: a comment that is still there, or the one that a button stands for."""
    if "identifier" in item.about:
        return commands.Comment(id=0, author=str(item.about["sender"]), body="/migrate sync")
    return next((each for each in said if each.id == int(item.about["comment"])), None)


async def _react(client: Client, given: commands.Comment) -> None:
    try:
        await client.react(given.id, "eyes")
    except Refused as refused:
        log.info("no reaction", why=str(refused))


async def _reply(client: Client, number: int, text: str) -> None:
    try:
        await client.comment(number, text)
    except Refused as refused:  # a locked conversation: what was done is done, and asking again changes nothing
        log.warning("no reply", number=number, why=str(refused))


def _fresh(given: commands.Comment) -> bool:
    """Whether the command asks for a review from nothing, which nothing else would bring about."""
    said = commands.parse.read(given.body)
    return said is not None and said.name in {"reset", "retry"}


async def _number(world: World, where: Repository, item: Work) -> int | None:
    """The pull request whose button was pressed."""
    numbers: list[int] = item.about["numbers"] or await store.open_with(world.pool, where.id, str(item.about["head"]))
    return int(numbers[0]) if numbers else None


def _read(written: list[Comment], app: AppName) -> list[commands.Comment]:
    """Comments as commands know them; ours bear a name that nobody else can have."""
    found: list[commands.Comment] = []
    for each in written:
        ours = comment.ours(each, app)
        found.append(
            commands.Comment(
                id=each.id,
                author=OWN if ours else each.user.login if each.user else "",
                body=each.body or "",
                at=each.created_at,
                edited=bool(each.updated_at) and each.updated_at != each.created_at,
                bot=ours or each.app is not None or (each.user is not None and each.user.type == "Bot"),
            )
        )
    return found
