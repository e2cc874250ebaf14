"""What PostgreSQL says while it works: DEBUG1 notices, told apart by the function that sent them.

A user's RAISE comes from another function, so it cannot forge them, and they are sent for empty tables as well. The texts
are not translated: DEBUG messages never are.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from psycopg import pq

_MOST = 10_000
_QUOTED = re.compile(r'"((?:[^"]|"")*)"')
_MEANINGS = {
    (b"tablecmds.c", b"ATRewriteTable"): "goes through",
    (b"tablecmds.c", b"validateForeignKeyConstraint"): "validates",
    (b"tablecmds.c", b"NotNullImpliedByRelConstraints"): "proves",
    (b"tablecmds.c", b"QueuePartitionConstraintValidation"): "proves",
    (b"index.c", b"index_build"): "builds",
}

Verb = Literal["rewrites", "verifies", "validates", "builds", "proves"]


@dataclass(frozen=True, slots=True)
class Heard:
    """One thing that PostgreSQL did.

    Attributes:
        verb: it `rewrites`, `verifies` (reads) or `builds` an index of the table `name`; it `validates` the foreign key
            `name`; or something `proves` what need not be verified.
        name: without a schema: the notices give none.
        words: as PostgreSQL put it.
    """

    verb: Verb
    name: str
    words: str


@dataclass(slots=True)
class Ear:
    """Listens to a session while it is awake."""

    awake: bool = False
    heard: list[Heard] = field(default_factory=list[Heard])

    def attach(self, pgconn: pq.abc.PGconn) -> None:
        """Hear this session from now on."""
        pgconn.notice_handler = self._hear

    def _hear(self, result: pq.abc.PGresult) -> None:
        """The fields can be read in here only."""
        if not self.awake or len(self.heard) >= _MOST:
            return
        file = result.error_field(pq.DiagnosticField.SOURCE_FILE) or b""
        function = result.error_field(pq.DiagnosticField.SOURCE_FUNCTION) or b""
        meaning = _MEANINGS.get((file, function))
        if meaning is None:
            return
        words = (result.error_field(pq.DiagnosticField.MESSAGE_PRIMARY) or b"").decode(errors="replace")
        if (heard := _MEAN[meaning](words)) is not None:
            self.heard.append(heard)


def _goes_through(words: str) -> Heard | None:
    verb: Verb | None = (
        "rewrites" if words.startswith("rewriting") else "verifies" if words.startswith("verifying") else None
    )
    quoted = _QUOTED.findall(words)
    return Heard(verb, quoted[0], words) if verb and quoted else None


def _builds(words: str) -> Heard | None:
    quoted = _QUOTED.findall(words)
    return Heard("builds", quoted[1], words) if len(quoted) > 1 else None


def _validates(words: str) -> Heard | None:
    quoted = _QUOTED.findall(words)
    return Heard("validates", quoted[0], words) if quoted else None


_MEAN: dict[str, Callable[[str], Heard | None]] = {
    "goes through": _goes_through,
    "validates": _validates,
    "builds": _builds,
    "proves": lambda words: Heard("proves", "", words),
}
