"""What a piece of work may use: GitHub, clones, the state, the inbox and the judge."""

import hashlib
import hmac
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TypedDict

from bot.events import Repository
from bot.gate import reviewing
from bot.gate.clones import Clone, Clones
from bot.gate.reviewing import Judge, Spoken
from bot.github import Client, GitHub, Pull, Refused
from bot.inbox import Inbox, Taken, Work, current
from bot.state import Pool

Excuses = Callable[[Client, Pull, str], Awaitable[Spoken]]
"""What stands in the comments of a pull request, on this tip of base."""
Commands = Callable[["World", Work], Awaitable[None]]
"""Does what a comment or a button asks for: `about` has `number`, `comment`, `action` and `sender`, or `identifier`, `head`,
`numbers` and `sender`."""
_REQUIRED_SECONDS = 600.0


async def nothing_excused(_client: Client, _pull: Pull, _base: str) -> Spoken:
    """No comment excuses anything."""
    return Spoken()


async def no_commands(_world: "World", _item: Work) -> None:
    """Nobody is here who takes commands."""


class Parts(TypedDict, total=False):
    """What may be another than usual."""

    judge: Judge
    excuses: Excuses
    commands: Commands


@dataclass(slots=True)
class World:
    """Everything, wired together.

    Attributes:
        public_url: where people reach the service.
        secret: what links are signed with, made from the webhook's secret.
        excuses: the waivers and approvals that stand in the comments of a pull request.
        commands: does what comments and buttons ask for.
    """

    github: GitHub
    clones: Clones
    pool: Pool
    inbox: Inbox
    public_url: str
    secret: bytes
    judge: Judge = reviewing.judge
    excuses: Excuses = nothing_excused
    commands: Commands = no_commands
    _required: dict[tuple[int, str], tuple[float, bool | None]] = field(
        default_factory=dict[tuple[int, str], tuple[float, bool | None]]
    )

    def client(self, repository: Repository) -> Client:
        """GitHub, as far as one repository goes."""
        return self.github.repository(repository.installation, repository.owner, repository.name, repository.id)

    async def clone(self, repository: Repository, token: str | None = None) -> Clone:
        """The clone of a repository, with a token that is good for the next hour (by default one that only reads)."""
        token = token or await self.client(repository).token()
        return self.clones.clone(repository.id, repository.owner, repository.name, token)

    def link(self, review: str) -> str:
        """The address of a review's page, which opens without login for those who were given it."""
        return f"{self.public_url.rstrip('/')}/reviews/{review}?signature={sign(self.secret, f'review:{review}')}"

    async def mine(self, item: Work) -> None:
        """Before every write.

        Raises:
            Taken: another run has the work.
        """
        if not (await current(self.pool, item))[0]:
            raise Taken

    async def required(self, repository: Repository, name: str, branch: str) -> bool | None:
        """Whether rulesets require our check on a branch; None: we cannot see that."""
        key, now = (repository.id, branch), time.monotonic()
        at, known = self._required.get(key, (-_REQUIRED_SECONDS, None))
        if now - at >= _REQUIRED_SECONDS:
            try:
                found = await self.client(repository).required(branch)
            except Refused:
                known = None
            else:
                known = any(context == name and app in {None, self.github.app_id} for context, app in found)
            self._required[key] = (now, known)
        return known


def secret(webhook_secret: str) -> bytes:
    """What links are signed with: another key than the webhook's, made from it."""
    return hmac.digest(webhook_secret.encode(), b"bulletproof links 1", hashlib.sha256)


def sign(key: bytes, text: str) -> str:
    """The signature of a link."""
    return hmac.digest(key, text.encode(), hashlib.sha256).hex()[:40]


def signed(key: bytes, text: str, signature: str) -> bool:
    """Whether a link was given out by us."""
    return hmac.compare_digest(sign(key, text), signature.encode("ascii", "replace").decode())
