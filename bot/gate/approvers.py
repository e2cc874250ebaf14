"""Who approved the head of a pull request on GitHub."""

from bot.github import Client, Pull, Refused

_MOST = 10
_MAY_WRITE = frozenset({"admin", "write", "maintain"})


async def of(client: Client, pull: Pull) -> tuple[str, ...] | None:
    """The last word of each who may write here and is not its author; None: it cannot be seen."""
    try:
        given = await client.reviews(pull.number)
    except Refused:
        return None
    last = {
        review.user.login: review
        for review in given
        if review.user is not None and review.state in {"APPROVED", "CHANGES_REQUESTED", "DISMISSED"}
    }
    author = pull.user.login if pull.user else ""
    names = sorted(
        login
        for login, review in last.items()
        if review.state == "APPROVED" and review.commit_id == pull.head.sha and login != author
    )
    return tuple([name for name in names[:_MOST] if await client.permission(name) in _MAY_WRITE])
