"""Reads a webhook: its event name and body become an `Event`, which says what to look at again. Pure; nothing is fetched.

The models are ours and slim: they name what is used and ignore the rest, so that a field that GitHub adds, drops or leaves
empty loses no event.
"""

import hashlib
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from checks.errors import UserError

Kind = Literal["pull", "head", "base", "group", "ungroup", "comment", "action", "installation", "gone", "nothing"]

COMMAND = "/migrate"
_LOOK = {
    "opened", "reopened", "synchronize", "ready_for_review", "converted_to_draft", "edited", "closed",
}  # fmt: skip
_RERUN = frozenset({"rerequested"})


@dataclass(frozen=True, slots=True)
class Repository:
    """Where it happened, and the installation whose token opens it (0: it was not named, and has to be asked for)."""

    id: int
    owner: str
    name: str
    installation: int


@dataclass(frozen=True, slots=True)
class Event:
    """What a delivery asks for.

    Attributes:
        kind: what to do.
        key: equal keys are the same work; done once for many deliveries.
        repository: None for work on a whole installation.
        about: what the work needs to know; JSON.
        fresh: a person asked for a new run: no remembered report will do.
    """

    kind: Kind
    key: str = ""
    repository: Repository | None = None
    about: dict[str, Any] = field(default_factory=dict)
    fresh: bool = False


NOTHING = Event("nothing")


class Malformed(UserError):  # noqa: N818 - it is said to people in this word
    """The body is no webhook of GitHub's."""


Id = Annotated[int, Field(ge=0, lt=2**63)]
Number = Annotated[int, Field(ge=0, lt=2**31)]
# Both become parts of addresses: a name of dots alone would lead elsewhere.
FullName = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,100}/[A-Za-z0-9_.-]{0,99}[A-Za-z0-9_-][.]{0,50}$")]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class _User(_Part):
    login: str
    id: Id
    type: str = "User"


class _Repository(_Part):
    id: Id
    full_name: FullName
    default_branch: str | None = None


class _Id(_Part):
    id: Id


class _Ref(_Part):
    ref: str
    sha: str


class _Pull(_Part):
    number: Number
    head: _Ref | None = None
    base: _Ref | None = None


class _App(_Part):
    id: int


class _Suite(_Part):
    head_sha: str
    app: _App | None = None
    pull_requests: tuple[_Pull, ...] = ()


class _Action(_Part):
    identifier: str


class _Run(_Part):
    id: Id
    name: str
    head_sha: str
    app: _App | None = None
    pull_requests: tuple[_Pull, ...] = ()


class _Group(_Part):
    head_sha: str
    head_ref: str
    base_sha: str
    base_ref: str


class _Issue(_Part):
    number: Number
    pull_request: dict[str, Any] | None = None


class _Comment(_Part):
    id: Id
    body: str | None = None
    user: _User | None = None
    created_at: str | None = None


class _Installation(_Part):
    id: Id
    account: _User | None = None


class _Body(_Part):
    action: str = ""
    installation: _Installation | None = None
    repository: _Repository | None = None
    sender: _User | None = None
    pull_request: _Pull | None = None
    check_run: _Run | None = None
    check_suite: _Suite | None = None
    requested_action: _Action | None = None
    merge_group: _Group | None = None
    issue: _Issue | None = None
    comment: _Comment | None = None
    changes: dict[str, Any] | None = None
    repositories_removed: tuple[_Id, ...] = ()
    ref: str | None = None
    after: str | None = None


def read(name: str, body: bytes, *, app: int | None = None) -> Event:
    """What a delivery asks for; an event that is none of ours asks for nothing.

    Args:
        name: the header `X-GitHub-Event`.
        body: as it was signed.
        app: our App's id; checks of other Apps are none of our business.

    Raises:
        Malformed: the body is no JSON, or not what GitHub sends.
    """
    try:
        said = _Body.model_validate_json(body)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise Malformed(f"The body is not what GitHub sends: {where + ': ' if where else ''}{first['msg']}.") from None
    if name in {"installation", "installation_repositories"}:
        return _installation(said)
    reader, where = _READERS.get(name), _repository(said)
    return reader(said, where, app) if reader is not None and where is not None else NOTHING


def pull(repository: Repository, number: int, *, fresh: bool = False, head: str | None = None) -> Event:
    """Look at one pull request."""
    about: dict[str, Any] = {"number": number}
    if head:
        about["heard"] = head
    return Event("pull", f"{repository.id}#{number}", repository, about, fresh)


def _repository(said: _Body) -> Repository | None:
    if said.repository is None:
        return None
    owner, _, name = said.repository.full_name.partition("/")
    installation = said.installation.id if said.installation else 0
    return Repository(said.repository.id, owner, name, installation) if name else None


def _pull_request(said: _Body, where: Repository, _app: int | None) -> Event:
    if said.pull_request is None or said.action not in _LOOK:
        return NOTHING
    # A comment may be about a push of a moment ago: what was heard of the head is kept with the work.
    return pull(where, said.pull_request.number, head=said.pull_request.head.sha if said.pull_request.head else None)


def _review(said: _Body, where: Repository, _app: int | None) -> Event:
    return pull(where, said.pull_request.number) if said.pull_request is not None else NOTHING


def _check_run(said: _Body, where: Repository, app: int | None) -> Event:
    run = said.check_run
    if run is None or not _ours(run.app, app):
        return NOTHING
    if said.action == "requested_action" and said.requested_action is not None:
        about = {
            "identifier": said.requested_action.identifier,
            "head": run.head_sha,
            "numbers": [p.number for p in run.pull_requests],
            "sender": said.sender.login if said.sender else "",
        }
        return Event("action", f"{where.id}/{run.id}/{said.requested_action.identifier}", where, about)
    return _head(where, run.head_sha, run.pull_requests) if said.action in _RERUN else NOTHING


def _check_suite(said: _Body, where: Repository, app: int | None) -> Event:
    suite = said.check_suite
    if suite is None or not _ours(suite.app, app) or said.action not in {"requested", "rerequested"}:
        return NOTHING
    return _head(where, suite.head_sha, suite.pull_requests, fresh=said.action == "rerequested")


def _head(where: Repository, sha: str, pulls: tuple[_Pull, ...], *, fresh: bool = True) -> Event:
    """Whatever has this commit as its head: for forks GitHub names no pull request, and a merge group has none."""
    if len(pulls) == 1:
        return pull(where, pulls[0].number, fresh=fresh)
    return Event("head", f"{where.id}^{sha}", where, {"head": sha}, fresh)


def _comment(said: _Body, where: Repository, _app: int | None) -> Event:
    issue, comment = said.issue, said.comment
    if issue is None or comment is None or issue.pull_request is None:
        return NOTHING
    changed = said.changes.get("body") if said.changes else None
    before: object = changed.get("from") if isinstance(changed, dict) else None  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
    texts = (comment.body or "", before if isinstance(before, str) else "")
    if not any(COMMAND in text for text in texts):
        return NOTHING
    about = {
        "number": issue.number,
        "comment": comment.id,
        "action": said.action,
        "sender": said.sender.login if said.sender else "",
    }
    return Event("comment", f"{where.id}#{issue.number}/{comment.id}", where, about)


def _group(said: _Body, where: Repository, _app: int | None) -> Event:
    group = said.merge_group
    if group is None:
        return NOTHING
    kind: Kind = "ungroup" if said.action == "destroyed" else "group"
    about = {"head": group.head_sha, "head_ref": group.head_ref, "base": group.base_sha, "base_ref": group.base_ref}
    if said.action not in {"checks_requested", "destroyed"}:
        return NOTHING
    return Event(kind, f"{where.id}!{group.head_sha}", where, about)


def _push(said: _Body, where: Repository, _app: int | None) -> Event:
    if not said.ref or not said.ref.startswith("refs/heads/") or said.ref.startswith("refs/heads/gh-readonly-queue/"):
        return NOTHING
    branch = said.ref.removeprefix("refs/heads/")
    default = said.repository.default_branch if said.repository else None
    return Event("base", f"{where.id}@{branch}", where, {"branch": branch, "default": branch == default})


def _renamed(said: _Body, where: Repository, _app: int | None) -> Event:
    if said.action == "deleted":
        return _gone([where.id])
    # Every event carries the repository's present name, and taking it down is all there is to do.
    about = {"repository": where.id}
    known = said.action in {"renamed", "transferred"}
    return Event("installation", f"repository:{where.id}", where, about) if known else NOTHING


def _gone(repositories: list[int]) -> Event:
    """Repositories that we see no longer."""
    mark = hashlib.sha256(repr(sorted(repositories)).encode()).hexdigest()[:16]
    return Event("gone", f"repositories:{mark}", about={"repositories": repositories})


def _installation(said: _Body) -> Event:
    if said.installation is None:
        return NOTHING
    if said.repositories_removed and said.action == "removed":
        return _gone([each.id for each in said.repositories_removed])
    gone = said.action in {"deleted", "suspend"}
    return Event(
        "gone" if gone else "installation", f"installation:{said.installation.id}", about={"id": said.installation.id}
    )


def _ours(app: _App | None, ours: int | None) -> bool:
    return ours is None or (app is not None and app.id == ours)


_READERS = {
    "pull_request": _pull_request,
    "pull_request_review": _review,
    "check_run": _check_run,
    "check_suite": _check_suite,
    "issue_comment": _comment,
    "merge_group": _group,
    "push": _push,
    "repository": _renamed,
}

NAMES = frozenset({*_READERS, "installation", "installation_repositories", "ping"})
"""Events that we know."""
