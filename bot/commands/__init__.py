"""What people may ask for in a comment, `/migrate NAME …`: one file a command, found by its name; `help` is made from them."""

import importlib
import pkgutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from types import ModuleType
from typing import Literal, Protocol, cast

from bot.commands import parse
from checks.change import Change
from checks.errors import UserError
from checks.report import Report, Rollback

Permission = Literal["none", "read", "triage", "write", "maintain", "admin"]

_RANK: tuple[Permission, ...] = ("none", "read", "triage", "write", "maintain", "admin")
_NOT_COMMANDS = {"parse", "standing"}


@dataclass(frozen=True, kw_only=True, slots=True)
class Comment:
    """A comment of the pull request.

    Attributes:
        at: when it was made, ISO 8601.
        edited: it no longer is what it was when it was made.
        bot: a program wrote it.
    """

    id: int
    author: str
    body: str
    at: str = ""
    edited: bool = False
    bot: bool = False


class Context(Protocol):
    """What a command may ask and do; the webhook service is one, tests have another."""

    @property
    def comment(self) -> Comment:
        """The comment that holds the command."""
        ...

    @property
    def comments(self) -> Sequence[Comment]:
        """All comments of the pull request, the oldest first, our own replies included."""
        ...

    @property
    def own(self) -> str:
        """Our own login: only what it wrote is a record."""
        ...

    @property
    def permission(self) -> Permission:
        """What the repository lets the commenter do."""
        ...

    @property
    def head(self) -> str:
        """The head commit that was there when the comment was made."""
        ...

    @property
    def seen(self) -> bool:
        """Whether that head was there for sure when the comment was made, and not pushed a moment after it."""
        ...

    @property
    def base(self) -> str:
        """The tip of the base branch then."""
        ...

    @property
    def report(self) -> Report | None:
        """The review of that head, if it is done."""
        ...

    def change(self) -> Change:
        """Head against base, from git."""
        ...

    def review_again(self) -> None:
        """Ask for a new review of the pull request, once this command is answered."""
        ...

    def sync(self) -> str:
        """Put the pull request's migrations behind base's and push that (`bot.repair.sync`); what to reply."""
        ...

    def generate(self, given: str) -> str:
        """Write the missing migration and push that (`bot.repair.generate`); what to reply."""
        ...

    def rollback(self) -> Rollback:
        """The way back from head's migrations, proven or not (`bot.terminal.rollback`)."""
        ...

    def reset(self) -> None:
        """Throw away what is kept for this pull request: branch databases, templates, cached results."""
        ...


@dataclass(frozen=True, slots=True)
class Command:
    """One command.

    Attributes:
        usage: what follows its name, `RULE REASON [until DATE]`.
        may: the least permission that it takes.
        about: what it does, in one sentence.
        remembers: its reply holds a record; it quotes nothing that a pull request holds.
    """

    name: str
    usage: str
    may: Permission
    about: str
    remembers: bool
    module: ModuleType

    def run(self, words: str, context: Context) -> str:
        """Do it; the reply.

        Raises:
            UserError: it cannot be done; the text says why.
        """
        return cast("str", self.module.run(words, context))


@cache
def every() -> Mapping[str, Command]:
    """All commands by name, in the order of the alphabet."""
    found: dict[str, Command] = {}
    for info in pkgutil.iter_modules(__path__):
        if info.name in _NOT_COMMANDS or info.name.startswith("_"):
            continue
        module = importlib.import_module(f"{__name__}.{info.name}")
        about = (module.__doc__ or "").split("\n", 1)[0]
        found[info.name] = Command(
            info.name,
            getattr(module, "USAGE", ""),
            getattr(module, "MAY", "write"),
            about,
            getattr(module, "REMEMBERS", False),
            module,
        )
    return found


def nearest(name: str) -> str | None:
    """The command that was probably meant."""
    return next(iter(get_close_matches(name.lower(), [*every()], n=1, cutoff=0.5)), None)


def asks(body: str) -> bool:
    """Whether a comment asks for something: known or not."""
    return parse.read(body) is not None


def run(body: str, context: Context) -> str | None:
    """Do what a comment asks for; the one reply to it, None where it asks for nothing.

    Comments that a program wrote, and commands that were edited into a comment, ask for nothing.
    """
    said = parse.read(body)
    if said is None or context.comment.bot or context.comment.edited:
        return None
    command = every().get(said.name)
    if command is None:
        meant = nearest(said.name)
        advice = f"Did you mean `/migrate {meant}`?" if meant else "`/migrate help` lists what there is."
        return f"There is no command `/migrate {said.name}`. {advice}" if said.name else _bare()
    if _RANK.index(context.permission) < _RANK.index(command.may):
        has = "no access to" if context.permission == "none" else f"the permission `{context.permission}` in"
        return (
            f"@{context.comment.author}, `/migrate {said.name}` takes the permission `{command.may}`; "
            f"you have {has} this repository. Somebody who has it can write the same comment."
        )
    try:
        text = command.run(said.words, context)
    except UserError as error:
        return harmless(str(error))
    return text if command.remembers else harmless(text)


def harmless(text: str) -> str:
    """A reply in which nothing is a record (`standing`): it may quote what a pull request holds."""
    return text.replace("<!--", "<! --")


def _bare() -> str:
    return "What should be done? `/migrate help` lists what there is."
