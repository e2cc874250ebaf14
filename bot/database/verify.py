"""`db verify`: files, migrations table and real schema, each against the others; without a database, the whole tree's ways."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot.database import evidence, ours, target
from bot.database.evidence import Drift, Scratch
from bot.database.source import Source
from bot.database.status import Status, look
from bot.database.target import Target
from bot.progress import Say
from checks.drizzle import projects
from checks.errors import CouldNotJudge

if TYPE_CHECKING:
    from checks.report import Finding
    from checks.ways.model import Unread


@dataclass(slots=True)
class Verified:
    """Three ways to one schema.

    Attributes:
        rows: files against the migrations table, in it what has drifted (table against schema).
        whole: all files against the schema, where not all of them are applied; None: no difference, or the same question.
        why: why schemas could not be compared.
    """

    rows: Status
    whole: Drift | None = None
    why: str | None = None
    equal: bool = False

    @property
    def code(self) -> int:
        """0 only where all three say the same, and that was seen."""
        if not self.rows.fine or self.whole is not None:
            return 1
        return 3 if self.why is not None else 0


@dataclass(frozen=True, slots=True)
class Audit:
    """What a whole tree shows, without a database: findings, how many files were looked at, and what could not be read."""

    findings: "tuple[Finding, ...]"
    looked: int
    unread: "tuple[Unread, ...]" = ()

    @property
    def code(self) -> int:
        """1 where the policy says no."""
        return 1 if any(f.severity == "error" for f in self.findings) else 0


def run(at: Target, source: Source, say: Say) -> Verified:
    """Compare; nothing is written.

    Raises:
        UserError, CouldNotJudge: the database cannot be reached, or its table not read.
    """
    found = Verified(Status("database"))
    session = at.connect()
    try:
        target.check(session, at)
        look(session, at, source, found.rows)
        ledger = found.rows.ledger
        if ledger is None:
            return found
        say("reading the schema")
        real = evidence.read(session, source.chain)
        scratch = Scratch(source.chain, source.extensions, say)
        try:
            built = scratch.after([m.tag for m in source.chain.migrations])
            within = ours.schemas([built])
            found.whole = evidence.compare(built, real, within)
            expected = scratch.after(ledger.applied.keys())
            found.rows.drift = evidence.compare(expected, real, within | ours.schemas([expected]))
            found.equal = found.whole is None
        except CouldNotJudge as error:
            found.why = f"The schemas could not be compared. {error}"
        return found
    finally:
        session.close()


def audit(source: Source) -> Audit:
    """The policy's four rules over every file: no push anywhere, one connection module, one driver, no hand on the table."""
    from checks import policy, rules, ways  # noqa: PLC0415 - without a database only

    survey = projects.survey(source.tree)
    written = source.written or policy.PolicyFile()
    reading = ways.audit(source.tree, written, survey.projects)
    context = rules.Context(severities=written.policy.rules)
    findings = policy.apply(rules.judge(reading.facts, context), written)
    return Audit(findings, reading.looked, reading.unread)
