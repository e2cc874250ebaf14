"""What was read of how a repository runs and connects."""

from dataclasses import dataclass
from typing import Literal

from checks.facts import Fact


@dataclass(frozen=True, slots=True)
class Connection:
    """The one module that opens connections, and its driver.

    Attributes:
        module: its path; None where there is none, or several that could be it.
        driver: the package it connects with.
        forbidden: packages that nobody may connect with.
        inferred: nobody wrote it down; it was read from the tree.
    """

    module: str | None = None
    driver: str | None = None
    forbidden: tuple[str, ...] = ()
    inferred: bool = True


@dataclass(frozen=True, slots=True)
class Unread:
    """A file that matters and could not be read."""

    path: str
    line: int
    why: str


@dataclass(frozen=True, slots=True)
class Reading:
    """The facts, and how far the reading went.

    Attributes:
        facts: what the four rules of the policy subscribe to.
        looked: how many changed files were looked at.
        unread: the files that matter and could not be read.
        connection: the standard connection.
    """

    facts: tuple[Fact, ...] = ()
    looked: int = 0
    unread: tuple[Unread, ...] = ()
    connection: Connection = Connection()


def clean(reading: Reading | None, does: str, noted: int = 0) -> tuple[Literal["met", "unknown"], str]:
    """That nothing was found, in words; unknown where nothing, or not everything, was read.

    Args:
        reading: what was read.
        does: what no file does, e.g. `runs a banned command`.
        noted: how many notes say that one might.
    """
    if reading is None:
        return "unknown", "The files of the pull request were not read."
    if reading.unread:
        first = reading.unread[0]
        more = f" (and {len(reading.unread) - 1} more)" if len(reading.unread) > 1 else ""
        return "unknown", f"`{first.path}:{first.line}` could not be read: {first.why}{more}."
    if not reading.looked:
        return "met", f"No changed file {does}."
    files = (
        "the one changed file that can matter"
        if reading.looked == 1
        else f"{reading.looked} changed files that can matter"
    )
    if noted:
        return "met", f"Of {files}, none surely {does}; {noted} may (noted)."
    return "met", f"Of {files}, none {does}."
