"""Where a migration does not run, or no witness could look into it."""

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
