"""Branch databases: where a pull request's SQL runs (`embedded`, `server`, `neon`)."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from checks.branch import Branch


@dataclass(frozen=True, slots=True)
class Template:
    """A state of the database that is made once and copied afterwards.

    Attributes:
        key: hash of everything the state depends on; equal keys, equal states.
        build: brings an empty branch to that state; what it raises leaves no template behind. What it returns is a remark on
            the state, kept with it.
    """

    key: str
    build: Callable[[Branch], bytes | None]


class Provider(Protocol):
    """Makes branch databases."""

    def branch(
        self, *, template: Template | None = None, extensions: Sequence[str] = (), seconds: float = 120.0
    ) -> AbstractContextManager[Branch]:
        """A branch at `template` (None: empty), with the named extensions creatable; removed at exit, killed after `seconds`.

        Raises:
            CouldNotJudge: the database cannot be had, or was stopped for its time.
        """
        ...


@runtime_checkable
class GivesWay(Protocol):
    """A branch on this very machine, whose work can wait for others' where processors are few."""

    def give_way(self) -> None:
        """Let others go first, from the next session on."""
        ...


@runtime_checkable
class Remembers(Protocol):
    """A branch at a template that knows what was said of the template."""

    @property
    def remark(self) -> bytes | None:
        """What `Template.build` returned."""
        ...

    @property
    def found(self) -> bytes | None:
        """What was found out about the template since (`Learns`)."""
        ...


@runtime_checkable
class Learns(Protocol):
    """A provider that keeps templates, and what is found out about them later."""

    def learn(self, template: Template, extensions: Sequence[str], found: bytes) -> None:
        """Tell branches that are at the template from now on; without effect where it is not kept."""
        ...


@runtime_checkable
class StartsAhead(Protocol):
    """A provider that can begin before it is asked."""

    def ahead(self, token: str) -> AbstractContextManager[Provider]:
        """The same provider, begun with what was wanted first of one with the same token; what is not wanted then is put away."""
        ...
