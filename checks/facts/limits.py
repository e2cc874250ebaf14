"""Where a migration does not run, where nobody could look, and what holds only in this session."""

from dataclasses import dataclass

from checks.facts.base import Fact


@dataclass(frozen=True, kw_only=True, slots=True)
class Fails(Fact):
    """The migration does not run.

    Attributes:
        complete: the branch database had all that the chain asks for; otherwise our limits may be the reason.
        from_zero: it runs on base's state, and fails where the whole chain runs on an empty database.
    """

    sqlstate: str
    message: str
    complete: bool = True
    from_zero: bool = False
    half_applied: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Unreadable(Fact):
    """A statement that no witness could look into."""

    why: str


@dataclass(frozen=True, kw_only=True, slots=True)
class NotObserved(Fact):
    """A statement ran, and what it did was not seen in full."""

    why: str


@dataclass(frozen=True, kw_only=True, slots=True)
class NoStatements(Fact):
    """A migration holds nothing that runs: it is empty, or has comments only."""


@dataclass(frozen=True, kw_only=True, slots=True)
class DependsOnSession(Fact):
    """Under other settings of the session the statement would do more. `how` is a sentence without its full stop."""

    how: str
