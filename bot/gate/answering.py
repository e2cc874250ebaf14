"""Answers one command of a comment, in a process of its own: `python -m bot.answering` reads a request and prints the answer."""

from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from bot import commands, git_write
from bot.gate import reviewing
from bot.git import Repository
from bot.repair import sync, words
from checks.change import Change
from checks.errors import UserError
from checks.render import gfm
from checks.report import Report

SECONDS = 120.0


class Said(BaseModel):
    """A comment."""

    model_config = ConfigDict(frozen=True, from_attributes=True)

    id: int
    author: str
    body: str
    at: str = ""
    edited: bool = False
    bot: bool = False


class Request(BaseModel):
    """A command, and what is known of where it was given.

    Attributes:
        author: of the pull request.
        fork: the branch is not one of the repository's own.
        may_push: the App may write to the repository.
        where: the repository's address, for people.
    """

    model_config = ConfigDict(frozen=True)

    comment: Said
    comments: tuple[Said, ...]
    own: str
    permission: commands.Permission
    author: str
    path: str
    base: str
    head: str
    base_branch: str
    head_branch: str
    fork: bool
    may_push: bool
    report: Report | None = None


class Answer(BaseModel):
    """The reply, and what else is to be done.

    Attributes:
        again: review the pull request again.
    """

    model_config = ConfigDict(frozen=True)

    text: str | None
    again: bool = False


@dataclass(slots=True)
class _Context:
    """The pull request, as commands see it (`commands.Context`)."""

    said: Request
    comment: commands.Comment
    comments: list[commands.Comment]
    own: str
    permission: commands.Permission
    head: str
    base: str
    report: Report | None
    again: bool = False

    def change(self) -> Change:
        """Head against base."""
        return Repository(Path(self.said.path)).change(self.base, self.head)

    def review_again(self) -> None:
        """Once the reply is there."""
        self.again = True

    def reset(self) -> None:
        """Branch databases live no longer than their review, and a review from nothing takes no remembered result."""
        self.again = True

    def sync(self) -> str:
        """Repair, and push forward where that is allowed."""
        return _sync(self.said)


def answer(request: Request) -> Answer:
    """Do what the comment asks for."""
    given = commands.Comment(**request.comment.model_dump())
    said = commands.parse.read(given.body)
    if said is not None and said.name == "approve" and given.author == request.author:
        return Answer(text=f"@{given.author}, this is your own pull request: somebody else has to approve its SQL.")
    context = _Context(
        said=request,
        comment=given,
        comments=[commands.Comment(**each.model_dump()) for each in request.comments],
        own=request.own,
        permission=request.permission,
        head=request.head,
        base=request.base,
        report=request.report,
    )
    text = commands.run(given.body, context)
    return Answer(text=text, again=context.again)


def _sync(said: Request) -> str:
    from bot.terminal import local  # noqa: PLC0415 - heavy, and only this command needs it

    repository = Repository(Path(said.path))
    outcome = sync.prepare(repository, said.base, said.head, provider=local.provider(), seconds=SECONDS)
    if outcome.commit is None:
        return words.reply(outcome)
    why = (
        "It comes from a fork, where the App may not push."
        if said.fork
        else "The App may not write to this repository."
    )
    if said.may_push and not said.fork:
        try:
            git_write.push(repository, "origin", outcome.commit, said.head_branch)
        except git_write.MovedError:
            return f"{gfm.code(said.head_branch)} moved meanwhile, so nothing was pushed. Sync again."
        except UserError as error:
            why = str(error)
        else:
            return words.reply(outcome)
    moved = "".join(f"\n- `{old}` would be `{new}`" for old, new in outcome.renamed)
    return (
        f"Not pushed: {gfm.prose(why)} The repair works; on your machine, with this branch checked out:\n\n"
        f"```sh\ngit fetch UPSTREAM {_shell(said.base_branch)}\nbulletproof sync --base FETCH_HEAD\ngit push\n```\n\n"
        f"`UPSTREAM` is your remote of this repository, mostly `{'upstream' if said.fork else 'origin'}`.\n{moved}"
    )


def _shell(name: str) -> str:
    quoted = name.replace("'", "'\\''").replace("`", "")
    return name if name.replace("/", "").replace("-", "").replace("_", "").replace(".", "").isalnum() else f"'{quoted}'"


if __name__ == "__main__":
    raise SystemExit(reviewing.main(Request, answer))
