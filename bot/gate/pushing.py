"""Puts a commit onto a pull request's branch: forward only, and signed by GitHub where the branch takes no other."""

import asyncio
from contextlib import suppress

from bot import git_write
from bot.gate.answering import Made
from bot.gate.clones import Clone
from bot.git import Repository
from bot.git_write import MovedError, UnsignedError
from bot.github import Client, Refused
from checks.errors import CouldNotJudge

_ASIDE = "refs/bulletproof/made"


class NotPushedError(Exception):
    """The commit is not on the branch and will not get there from here; the text says why."""


async def push(client: Client, clone: Clone, token: str, made: Made, branch: str) -> str:
    """Push; gives the id that the commit has there.

    Raises:
        MovedError: the branch has commits that this one does not contain.
        NotPushedError: it is refused.
    """
    try:
        if not await client.signs(branch):
            with suppress(UnsignedError):  # older settings than rulesets are heard of only so
                await _push(clone, made.commit, branch)
                return made.commit
        return await _signed(client, clone, token, made, branch)
    except MovedError:
        raise
    except (CouldNotJudge, Refused) as error:
        raise NotPushedError(str(error)) from None


async def _push(clone: Clone, commit: str, name: str) -> None:
    repository = Repository(clone.path)
    await asyncio.to_thread(git_write.push, repository, "origin", commit, name, environment=clone.environment)


async def _signed(client: Client, clone: Clone, token: str, made: Made, branch: str) -> str:
    """GitHub signs what an App makes through its API in the App's own name; the tree has to be there first."""
    aside = f"{_ASIDE}-{made.commit}"
    await _push(clone, made.commit, aside)
    try:
        sha = await client.make_commit(made.tree, made.parents, made.message, token)
        try:
            await client.forward(branch, sha, token)
        except Refused as refused:
            if "fast forward" in str(refused).lower() or "fast-forward" in str(refused).lower():
                raise MovedError(f"{branch} moved meanwhile; nothing was pushed.") from None
            raise
    finally:
        with suppress(Refused):
            await client.drop_ref(aside, token)
    return sha
