"""What is used of GitHub's answers, and what is sent; slim, so that no field GitHub adds or drops can hurt."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field

Json: TypeAlias = Any
"""Whatever JSON holds."""
Conclusion = Literal["success", "failure", "neutral", "action_required", "cancelled"]


class _Answer(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class User(_Answer):
    """Somebody."""

    login: str
    id: int = 0
    type: str = "User"


class RepositoryName(_Answer):
    """A repository, as far as a pull request names it."""

    id: int
    full_name: str


class Side(_Answer):
    """Base or head of a pull request; the repository of a deleted fork is None."""

    ref: str
    sha: str
    repo: RepositoryName | None = None


class Pull(_Answer):
    """A pull request. Its `base.sha` is stale: base's state is read from the branch's tip."""

    number: int
    state: str
    title: str = ""
    draft: bool = False
    user: User | None = None
    head: Side
    base: Side

    @property
    def open(self) -> bool:
        """Whether it can still be merged."""
        return self.state == "open"


class Review(_Answer):
    """Somebody's review of a pull request."""

    user: User | None = None
    state: str
    commit_id: str | None = None


class Delivery(_Answer):
    """A webhook as GitHub sent it; one that is sent again has another id and the same `guid`."""

    id: int
    guid: str
    delivered_at: datetime
    status_code: int = 0

    @property
    def arrived(self) -> bool:
        """Whether somebody took it."""
        return 200 <= self.status_code < 300


class AppName(_Answer):
    """An App."""

    id: int
    slug: str = ""


class Comment(_Answer):
    """A comment in the conversation of a pull request."""

    id: int
    body: str | None = None
    user: User | None = None
    app: AppName | None = Field(default=None, alias="performed_via_github_app")
    created_at: str = ""
    updated_at: str = ""


class _Shown(_Answer):
    annotations_count: int = 0


class CheckRun(_Answer):
    """A check run as it stands."""

    id: int
    name: str
    status: str
    conclusion: str | None = None
    head_sha: str = ""
    started_at: str | None = None
    app: AppName | None = None
    output: _Shown = _Shown()


@dataclass(frozen=True, slots=True)
class Annotation:
    """A sentence at a line of a file."""

    path: str
    line: int
    end_line: int
    level: Literal["failure", "warning", "notice"]
    title: str
    message: str
    details: str = ""

    def sent(self) -> dict[str, Any]:
        """As GitHub wants it."""
        said: dict[str, Any] = {
            "path": self.path,
            "start_line": self.line,
            "end_line": self.end_line,
            "annotation_level": self.level,
            "title": self.title,
            "message": self.message,
        }
        return said | ({"raw_details": self.details} if self.details else {})


@dataclass(frozen=True, slots=True)
class Output:
    """What a check run shows."""

    title: str
    summary: str
    annotations: tuple[Annotation, ...] = ()
    actions: tuple[tuple[str, str, str], ...] = ()
    """Buttons: label, description, identifier."""
