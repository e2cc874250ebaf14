"""Talks to GitHub's REST API as the App; beside `wire`, which sends, the only importer of githubkit.

Requests are written out here and their answers read by slim models: githubkit's own models of everything take seconds to
import and refuse real payloads. It signs, sends, and recognises rate limits.
"""

import asyncio
import contextlib
import time
from collections.abc import AsyncGenerator, Sequence
from datetime import datetime
from typing import Any, TypeVar
from urllib.parse import parse_qs, quote, urlsplit

import githubkit
import githubkit.cache
import httpx
from pydantic import BaseModel

from bot.github import wire
from bot.github.errors import Missing, Refused
from bot.github.model import AppName, CheckRun, Comment, Delivery, Json, Output, Pull, RepositoryName, Review

M = TypeVar("M", bound=BaseModel)

PERMISSIONS = {"contents": "read", "pull_requests": "write", "checks": "write", "metadata": "read"}
"""What a token may do at most; `app.yml` asks for these."""
LISTING = {"metadata": "read"}
"""What a token may do that lists repositories."""
WRITING = {"contents": "write", "metadata": "read"}
"""What a token may do that pushes: the option of `app.yml`."""

_TIMEOUT = httpx.Timeout(10.0, connect=5.0)
_EARLY = 300.0  # seconds before its end at which a token is no longer used
_PAGE = 100
_MOST_PAGES = 200
BATCH = 50
"""Annotations that one request may carry."""


class GitHub:
    """The App. Use it in `async with`: connections are kept open meanwhile.

    Args:
        api_url: `https://api.github.com`, or `https://HOST/api/v3`.
        app_id: the App's id.
        private_key: its PEM.
    """

    def __init__(self, api_url: str, app_id: int, private_key: str) -> None:
        self.app_id = app_id
        settings: dict[str, Any] = {
            "base_url": api_url,
            "user_agent": "bulletproof",
            "timeout": _TIMEOUT,
            "http_cache": False,
            "auto_retry": False,
            "follow_redirects": True,
        }
        # A cache of its own: githubkit's is one for the process and is not keyed by host.
        self._as_app = githubkit.GitHub(
            githubkit.AppAuthStrategy(str(app_id), private_key),
            cache_strategy=githubkit.cache.MemCacheStrategy(),
            **settings,
        )
        self._plain = githubkit.GitHub(
            githubkit.UnauthAuthStrategy(), cache_strategy=githubkit.cache.MemCacheStrategy(), **settings
        )
        self._tokens: dict[tuple[int, int | None, bool], tuple[str, float]] = {}
        self._minting: dict[tuple[int, int | None, bool], asyncio.Lock] = {}
        self._name: AppName | None = None
        self._kept = wire.Kept()

    @contextlib.asynccontextmanager
    async def open(self) -> AsyncGenerator["GitHub"]:
        """Keep connections open."""
        async with self._as_app, self._plain:
            yield self

    def repository(self, installation: int, owner: str, name: str, id_: int | None = None) -> "Client":
        """A client for one repository, with tokens that open nothing else."""
        return Client(self, installation, owner, name, id_)

    async def app(self) -> AppName:
        """Our own App."""
        if self._name is None:
            try:
                self._name = AppName.model_validate(await self.as_app("GET", "/app"))
            except Refused:
                return AppName(id=self.app_id)  # its id is enough to know our comments by, where GitHub names the App
        return self._name

    async def installations(self) -> list[int]:
        """Ids of all installations that are not suspended."""
        found = await self._pages("/app/installations")
        return [int(each["id"]) for each in found if not each.get("suspended_at")]

    async def repositories(self, installation: int) -> list[RepositoryName]:
        """The repositories of an installation."""
        found: list[RepositoryName] = []
        for page in range(1, _MOST_PAGES):
            token = await self.token(installation)
            said = await self.call(
                "GET", "/installation/repositories", token=token, params={"per_page": _PAGE, "page": page}, keep=True
            )
            found += _list(RepositoryName, said["repositories"])
            if len(said["repositories"]) < _PAGE:
                break
        return found

    async def installation_of(self, owner: str, name: str) -> int:
        """The installation that opens a repository."""
        said = await self.as_app("GET", f"/repos/{quote(owner)}/{quote(name)}/installation")
        return int(said["id"])

    async def deliveries(self, since: datetime) -> list[Delivery]:
        """The App's webhook deliveries since then, the newest first; GitHub keeps them for three days."""
        found: list[Delivery] = []
        params: dict[str, Any] = {"per_page": _PAGE}
        for _ in range(_MOST_PAGES):
            answer = await wire.send(self._as_app, "GET", "/app/hook/deliveries", params=params)
            page = _list(Delivery, answer.said or [])
            found += [each for each in page if each.delivered_at >= since]
            # The address is not followed as it is: what it names but the cursor is known.
            cursor = parse_qs(urlsplit(answer.next or "").query).get("cursor")
            if not page or page[-1].delivered_at < since or cursor is None:
                break
            params["cursor"] = cursor[0]
        return found

    async def redeliver(self, delivery: int) -> None:
        """Ask for a delivery again."""
        await self.as_app("POST", f"/app/hook/deliveries/{delivery}/attempts")

    async def token(self, installation: int, repository: int | None = None, *, write: bool = False) -> str:
        """A token for an installation, or for one repository of it; one is made at a time.

        Args:
            installation: whose.
            repository: what it opens; None: it only lists the repositories.
            write: it only pushes; refused where the App was not given `contents: write`.
        """
        key = (installation, repository, write)
        async with self._minting.setdefault(key, asyncio.Lock()):
            token, until = self._tokens.get(key, ("", 0.0))
            if until - _EARLY < time.time():
                body: dict[str, Any] = {"permissions": LISTING}
                if repository is not None:
                    body = {"repository_ids": [repository], "permissions": WRITING if write else PERMISSIONS}
                said = await self.as_app("POST", f"/app/installations/{installation}/access_tokens", body, repeat=True)
                token = str(said["token"])
                until = datetime.fromisoformat(said["expires_at"]).timestamp()
                self._tokens[key] = (token, until)
        return token

    def forget(self, installation: int, repository: int | None) -> None:
        """A token was refused: make another."""
        self._tokens.pop((installation, repository, False), None)

    def forget_all(self, installation: int) -> None:
        """The installation is no more, or asleep: its tokens open nothing."""
        for key in [key for key in self._tokens if key[0] == installation]:
            del self._tokens[key]

    async def as_app(
        self, method: str, path: str, body: Json = None, *, params: Json = None, repeat: bool | None = None
    ) -> Json:
        """A request with the App's own signature."""
        return (await wire.send(self._as_app, method, path, body, params=params, repeat=repeat)).said

    async def call(
        self,
        method: str,
        path: str,
        body: Json = None,
        *,
        token: str,
        params: Json = None,
        repeat: bool | None = None,
        keep: bool = False,
    ) -> Json:
        """A request with a token.

        Args:
            method: in capitals.
            path: below the API's address.
            body: JSON.
            token: in whose name.
            params: the query.
            repeat: whether it may be sent twice (None: as its method says).
            keep: it is asked again and again, and mostly nothing changes.
        """
        kept = self._kept if keep else None
        said = await wire.send(self._plain, method, path, body, params=params, token=token, repeat=repeat, kept=kept)
        return said.said

    async def _pages(self, path: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        for page in range(1, _MOST_PAGES):
            said = await self.as_app("GET", path, params={"per_page": _PAGE, "page": page})
            found += said
            if len(said) < _PAGE:
                break
        return found


def _list(model: type[M], said: Json) -> list[M]:
    return [model.model_validate(each) for each in said]


class Client:
    """One repository, through its installation."""

    def __init__(self, github: GitHub, installation: int, owner: str, name: str, id_: int | None) -> None:
        self.github, self.installation, self.owner, self.name, self.id = github, installation, owner, name, id_
        self._base = f"/repos/{quote(owner)}/{quote(name)}"

    async def token(self) -> str:
        """A token that opens this repository and no other."""
        return await self.github.token(self.installation, self.id)

    async def pull(self, number: int) -> Pull:
        """A pull request as it is now."""
        return Pull.model_validate(await self.call("GET", f"/pulls/{number}"))

    async def open_pulls(self, base: str | None = None) -> list[Pull]:
        """Open pull requests, of one base branch or of all."""
        return await self.pages(Pull, "/pulls", {"state": "open"} | ({"base": base} if base else {}), keep=True)

    async def pulls_with(self, sha: str) -> list[Pull]:
        """Open pull requests whose head is that commit, forks included."""
        found = await self.pages(Pull, f"/commits/{sha}/pulls", {})
        return [pull for pull in found if pull.open and pull.head.sha == sha]

    async def branch(self, name: str) -> str | None:
        """The tip of a branch; None: there is no such branch."""
        try:
            said = await self.call("GET", f"/git/ref/heads/{quote(name)}", keep=True)
        except Missing:
            return None
        return str(said["object"]["sha"])

    async def reviews(self, number: int) -> list[Review]:
        """The reviews of a pull request, in the order in which they were given."""
        return await self.pages(Review, f"/pulls/{number}/reviews", {})

    async def permission(self, login: str) -> str:
        """What somebody may do here: `admin`, `write`, `read` or `none`."""
        try:
            said = await self.call("GET", f"/collaborators/{quote(login)}/permission")
        except Missing:
            return "none"
        return str(said["permission"])

    async def comments(self, number: int) -> list[Comment]:
        """The conversation of a pull request."""
        return await self.pages(Comment, f"/issues/{number}/comments", {})

    async def comment(self, number: int, body: str) -> Comment:
        """Say something. Never repeated blindly: an answer that is lost may have been heard."""
        return Comment.model_validate(await self.call("POST", f"/issues/{number}/comments", {"body": body}))

    async def edit(self, comment: int, body: str) -> Comment:
        """Say something else in the same place."""
        return Comment.model_validate(await self.call("PATCH", f"/issues/comments/{comment}", {"body": body}))

    async def react(self, comment: int, content: str) -> None:
        """Acknowledge a comment."""
        await self.call("POST", f"/issues/comments/{comment}/reactions", {"content": content})

    async def check_run(self, name: str, sha: str) -> CheckRun | None:
        """Our check run of that name on a commit: the latest, where there are several."""
        params = {"check_name": name, "app_id": self.github.app_id, "filter": "latest", "per_page": _PAGE}
        said = await self.call("GET", f"/commits/{sha}/check-runs", params=params)
        found = [run for run in _list(CheckRun, said["check_runs"]) if run.name == name]
        ours = [run for run in found if run.app is None or run.app.id == self.github.app_id]
        return max(ours, key=lambda run: run.id, default=None)

    async def begin_check(self, name: str, sha: str, *, url: str | None, title: str) -> int:
        """A new check run, in progress."""
        body: dict[str, Any] = {
            "name": name,
            "head_sha": sha,
            "status": "in_progress",
            "output": {"title": title, "summary": title},
        }
        said = await self.call("POST", "/check-runs", body | ({"details_url": url} if url else {}))
        return int(said["id"])

    async def update_check(
        self,
        run: int,
        *,
        conclusion: str | None,
        output: Output,
        url: str | None,
        had: Sequence[dict[str, Any]] = (),
    ) -> None:
        """Say how a check run stands; `conclusion` None: in progress.

        Annotations are appended by GitHub and cannot be taken back: those that are there already (`had`) are not sent again.
        """
        shown = {spot(each) for each in had}
        new = [each for each in output.annotations if spot(each.sent()) not in shown]
        body: dict[str, Any] = {"status": "in_progress" if conclusion is None else "completed"}
        if conclusion is not None:
            body["conclusion"] = conclusion
            body["actions"] = [{"label": a, "description": b, "identifier": c} for a, b, c in output.actions]
        if url:
            body["details_url"] = url
        shown_output = {"title": output.title, "summary": output.summary}
        for start in range(0, max(len(new), 1), BATCH):
            batch = [each.sent() for each in new[start : start + BATCH]]
            body["output"] = shown_output | ({"annotations": batch} if batch else {})
            # Repeated only when nothing would be appended twice.
            await self.call("PATCH", f"/check-runs/{run}", body, repeat=not batch)

    async def annotations(self, run: int) -> list[dict[str, Any]]:
        """What a check run shows at lines already."""
        return await self._pages(f"/check-runs/{run}/annotations", {})

    async def signs(self, branch: str) -> bool:
        """Whether rulesets take only signed commits on a branch; not where we cannot see that."""
        with contextlib.suppress(Refused):
            return any(rule.get("type") == "required_signatures" for rule in await self._rules(branch))
        return False

    async def make_commit(self, tree: str, parents: Sequence[str], message: str, token: str) -> str:
        """A commit in the App's name, which GitHub signs: only where neither author nor committer is given."""
        body = {"message": message, "tree": tree, "parents": list(parents)}
        said = await self.github.call("POST", f"{self._base}/git/commits", body, token=token, repeat=True)
        return str(said["sha"])

    async def forward(self, branch: str, sha: str, token: str) -> None:
        """Move a branch forward to a commit."""
        path = f"{self._base}/git/refs/heads/{quote(branch)}"
        await self.github.call("PATCH", path, {"sha": sha, "force": False}, token=token)

    async def drop_ref(self, name: str, token: str) -> None:
        """Delete a ref, given by its full name."""
        path = f"{self._base}/git/{quote(name)}"
        await self.github.call("DELETE", path, token=token)

    async def _rules(self, branch: str) -> list[dict[str, Any]]:
        return await self._pages(f"/rules/branches/{quote(branch, safe='')}", {})

    async def required(self, branch: str) -> list[tuple[str, int | None]]:
        """The checks that rulesets require on a branch, each with the App it has to come from."""
        return [
            (str(check["context"]), check.get("integration_id"))
            for rule in await self._rules(branch)
            if rule.get("type") == "required_status_checks"
            for check in rule.get("parameters", {}).get("required_status_checks", [])
        ]

    async def pages(self, model: type[M], path: str, params: dict[str, Any], *, keep: bool = False) -> list[M]:
        """All entries of a list, as models."""
        return _list(model, await self._pages(path, params, keep=keep))

    async def _pages(self, path: str, params: dict[str, Any], *, keep: bool = False) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        for page in range(1, _MOST_PAGES):
            said = await self.call("GET", path, params=params | {"per_page": _PAGE, "page": page}, keep=keep)
            found += said
            if len(said) < _PAGE:
                break
        return found

    async def call(
        self,
        method: str,
        path: str,
        body: Json = None,
        *,
        params: Json = None,
        repeat: bool | None = None,
        keep: bool = False,
    ) -> Json:
        """A request below the repository; a token that is refused is replaced once."""
        for fresh in (False, True):
            if fresh:
                self.github.forget(self.installation, self.id)
            try:
                token = await self.token()
                return await self.github.call(
                    method, self._base + path, body, token=token, params=params, repeat=repeat, keep=keep
                )
            except Refused as refused:
                if refused.status != 401 or fresh:
                    raise
        raise AssertionError


def spot(said: dict[str, Any]) -> tuple[Any, ...]:
    """What tells one annotation from another."""
    return (said.get("path"), said.get("start_line"), said.get("title"), said.get("message"))
