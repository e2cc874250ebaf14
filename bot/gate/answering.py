"""Answers one command of a comment, in a process of its own: `python -m bot.gate.answering` reads a request and prints the answer."""

import os
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from bot import commands, git_write
from bot.gate import reviewing
from bot.git import Repository
from bot.repair import sync, words
from checks.change import Change
from checks.report import Report, Rollback

SECONDS = 120.0


class Request(BaseModel):
    """A command, and what is known of where it was given.

    Attributes:
        author: of the pull request.
        fork: the branch is not one of the repository's own.
        seen: the head was there when the comment was made.
        identity: name and address that commits bear.
    """

    model_config = ConfigDict(frozen=True)

    comment: commands.Comment
    comments: tuple[commands.Comment, ...]
    own: str
    permission: commands.Permission
    author: str
    path: str
    base: str
    head: str
    base_branch: str
    fork: bool
    seen: bool = True
    identity: tuple[str, str] | None = None
    report: Report | None = None


class Made(BaseModel):
    """A commit that is in the clone and not yet on the pull request's branch.

    Attributes:
        parents: head first.
        message: ends with a newline.
        reply: once it is there; it names `commit`, which GitHub may sign under another id.
        by_hand: how a person puts it there, where the App may not.
    """

    model_config = ConfigDict(frozen=True)

    commit: str
    tree: str
    parents: tuple[str, ...]
    message: str
    reply: str
    by_hand: str


class Answer(BaseModel):
    """The reply, and what else is to be done.

    Attributes:
        text: None: nothing is said.
        again: review the pull request again.
        made: push this first; what is said then depends on whether that works, and is not `text`.
    """

    model_config = ConfigDict(frozen=True)

    text: str | None
    again: bool = False
    made: Made | None = None


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
    made: Made | None = None

    @property
    def seen(self) -> bool:
        """Whether the head was there when the comment was made."""
        return self.said.seen

    @property
    def _repository(self) -> Repository:
        return Repository(Path(self.said.path))

    def change(self) -> Change:
        """Head against base."""
        return self._repository.change(self.base, self.head)

    def review_again(self) -> None:
        """Once the reply is there."""
        self.again = True

    def reset(self) -> None:
        """Branch databases live no longer than their review, and a review from nothing takes no remembered result."""
        self.again = True

    def rollback(self) -> Rollback:
        """Run up, down and up again."""
        from bot.terminal import local, rollback  # noqa: PLC0415 - heavy, and only this command needs it

        return rollback.rollback(
            repo=Path(self.said.path), base=self.base, head=self.head, provider=local.provider(), seconds=SECONDS
        )

    def sync(self) -> str:
        """Repair; the commit is pushed once this process is done."""
        from bot.terminal import local  # noqa: PLC0415 - heavy

        repository = self._repository
        outcome = sync.prepare(repository, self.base, self.head, provider=local.provider(), seconds=SECONDS)
        reply = words.reply(outcome)
        if outcome.commit is not None:
            parents = (self.head, self.base)
            self._make(repository, outcome.commit, parents, reply, words.by_hand(self._ways, repository, outcome))
        return reply

    def generate(self, given: str) -> str:
        """Write the missing migration; its commit is pushed once this process is done."""
        from bot.repair import generate  # noqa: PLC0415 - heavy

        made = generate.at(Path(self.said.path), self.head, generate.answers(given))
        reply = generate.markdown(made)
        if made.files:
            repository = self._repository
            commit = generate.commit(repository, self.head, made)
            by_hand = words.patched(self._ways, git_write.patch(repository, self.head, commit))
            self._make(repository, commit, (self.head,), f"{commit}\n\n{reply}", by_hand)
        return reply

    @property
    def _ways(self) -> words.Ways:
        return words.Ways(base=self.base, branch=self.said.base_branch, fork=self.said.fork)

    def _make(self, repository: Repository, commit: str, parents: tuple[str, ...], reply: str, by_hand: str) -> None:
        tree, message = git_write.contents(repository, commit)
        self.made = Made(commit=commit, tree=tree, parents=parents, message=message, reply=reply, by_hand=by_hand)


def answer(request: Request) -> Answer:
    """Do what the comment asks for."""
    given = request.comment
    said = commands.parse.read(given.body)
    if said is not None and said.name == "approve" and given.author == request.author:
        return Answer(text=f"@{given.author}, this is your own pull request: somebody else has to approve its SQL.")
    if request.identity is not None:
        os.environ |= {
            f"GIT_{who}_{what}": value
            for who in ("AUTHOR", "COMMITTER")
            for what, value in zip(("NAME", "EMAIL"), request.identity, strict=True)
        }
    context = _Context(
        said=request,
        comment=given,
        comments=list(request.comments),
        own=request.own,
        permission=request.permission,
        head=request.head,
        base=request.base,
        report=request.report,
    )
    text = commands.run(given.body, context)
    return Answer(text=text, again=context.again, made=context.made)


if __name__ == "__main__":
    raise SystemExit(reviewing.main(Request, answer))
