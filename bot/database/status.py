"""`db status`: what a database has, what it lacks, what Drizzle would skip, and what is not as the files say."""

import os
from collections.abc import Sequence
from dataclasses import dataclass, field

import psycopg

from bot.database import evidence, ours, stepping, target, tracking
from bot.database.evidence import Drift, Scratch
from bot.database.source import Source
from bot.database.stepping import Progress
from bot.database.target import Target
from bot.database.tracking import Ledger, Table
from bot.progress import Say
from checks.errors import CouldNotJudge, UserError


@dataclass(frozen=True, slots=True)
class Environment:
    """A database by the name that people give it; no target where its variable is not set."""

    name: str
    target: Target | None
    variable: str = ""


@dataclass(slots=True)
class Status:
    """One environment.

    Attributes:
        error: why it could not be looked at.
        half: migrations that were stopped half way, and after how many steps.
        drift: None where there is none; `unchecked` says why it was not looked for.
    """

    name: str
    table: Table | None = None
    ledger: Ledger | None = None
    half: dict[str, Progress] = field(default_factory=dict[str, Progress])
    drift: Drift | None = None
    unchecked: str | None = None
    error: str | None = None
    absent: bool = False

    @property
    def fine(self) -> bool:
        """Nothing is pending and nothing is wrong."""
        known = self.ledger
        if known is None:
            return self.absent
        return known.tidy and not (known.pending or known.edited or self.half or self.drift)


def environments(source: Source, url: str | None) -> list[Environment]:
    """The database that was named; else that of DATABASE_URL and those of the policy file.

    Raises:
        UserError: there is none at all.
    """
    if url is not None:
        return [Environment("database", target.of(url))]
    found: list[Environment] = []
    if os.environ.get(target.VARIABLE):
        found.append(Environment("database", target.of(None), target.VARIABLE))
    for name, said in (source.written.policy.environments if source.written else {}).items():
        given = os.environ.get(said.url_env)
        found.append(Environment(name, target.of(given, variable=said.url_env) if given else None, said.url_env))
    if not any(e.target for e in found):
        names = [target.VARIABLE, *(e.variable for e in found)]
        raise UserError(
            f"No database was named. Give its address with --url, or in {' or '.join(dict.fromkeys(names))}."
        )
    return found


def run(source: Source, asked: Sequence[Environment], say: Say, *, drift: bool = True) -> list[Status]:
    """Look at each environment; one that cannot be reached says so, and the others are looked at all the same."""
    scratch = Scratch(source.chain, source.extensions, say)
    return [_status(source, each, scratch, say, drift=drift) for each in asked]


def code(found: Sequence[Status]) -> int:
    """1 where anything is pending or wrong; 3 where that could not be seen anywhere."""
    if any(not s.fine and s.error is None for s in found):
        return 1
    return 3 if any(s.error is not None for s in found) else 0


def _status(source: Source, asked: Environment, scratch: Scratch, say: Say, *, drift: bool) -> Status:
    found = Status(asked.name)
    if asked.target is None:
        found.absent, found.unchecked = True, f"{asked.variable} is not set here, so it was not looked at."
        return found
    say(f"looking at {asked.name}")
    try:
        session = asked.target.connect()
        try:
            target.check(session, asked.target)
            look(session, asked.target, source, found)
            if drift and found.ledger is not None:
                _drift(session, source, scratch, found, found.ledger)
        finally:
            session.close()
    except UserError as error:
        found.error = str(error)
    except psycopg.Error as error:
        found.error = f"{asked.target.name} refused: {asked.target.words(error)}."
    return found


def look(session: target.Session, at: Target, source: Source, found: Status) -> None:
    """Read the rows."""
    found.table = tracking.read(session, at, source.project)
    found.ledger = tracking.compare(found.table, source.chain)
    pending = {m.tag for m in found.ledger.pending}
    found.half = {tag: how for tag, how in stepping.progress(session).items() if tag in pending}


def _drift(session: target.Session, source: Source, scratch: Scratch, found: Status, ledger: Ledger) -> None:
    if found.half:
        found.unchecked = f"{next(iter(found.half))} was stopped half way, so the schema was not compared."
        return
    try:
        real = evidence.read(session, source.chain)
        if not ledger.applied and not ours.strange(real):
            return
        expected = scratch.after(ledger.applied.keys())
        found.drift = evidence.compare(expected, real, ours.schemas([expected]))
    except CouldNotJudge as error:
        found.unchecked = f"Whether the schema has drifted could not be looked at. {error}"
