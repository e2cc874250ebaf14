"""`bulletproof trace`: any SQL file, statement by statement, on a branch database: what PostgreSQL did, and what rules say of it."""

import contextlib
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from bot.branches import Provider
from bot.progress import Say, silent
from checks import compose, evidence, record, rules, waivers
from checks.branch import Branch
from checks.catalog import read as catalogs
from checks.drizzle.model import Migration, Transaction
from checks.errors import CouldNotJudge, UserError
from checks.report import TraceReport
from checks.witnesses import setup
from checks.witnesses import trace as witness
from checks.witnesses.model import Run

if TYPE_CHECKING:
    from checks.catalog.model import Catalog

_EXTENSION = re.compile(r'\bcreate\s+extension\s+(?:if\s+not\s+exists\s+)?"?([\w-]+)"?', re.IGNORECASE)


def trace(
    sql: str,
    prepared: str | None = None,
    *,
    transaction: Transaction = "one",
    provider: Provider,
    seconds: float = 120.0,
    say: Say = silent,
) -> TraceReport:
    """Run `prepared`, then every statement of `sql`, and report what each did.

    Args:
        sql: the file to trace; `-` is standard input.
        prepared: a file with what is there before, e.g. of pg_dump.
        transaction: one for all statements, one for each, or none.
        provider: of branch databases.
        seconds: how long the branch database may live.
        say: is told what is being done.

    Raises:
        UserError: a file cannot be read, or the set-up fails.
        CouldNotJudge: there is no database.
    """
    if sql == "-" == prepared:
        raise UserError("Standard input can be the SQL or the set-up, not both. Put one of them into a file.")
    say("reading the file")
    migration = witness.read(_text(sql), "standard input" if sql == "-" else sql)
    many = len(migration.statements)
    text = _text(prepared) if prepared is not None else ""
    wanted = sorted({name.lower() for name in _EXTENSION.findall(f"{migration.text}\n{text}")})
    say("starting a branch database")
    with provider.branch(extensions=wanted, seconds=seconds) as branch:
        settings: Mapping[str, str] = {}
        if prepared is not None:
            say("loading the set-up")
            settings = _load(branch, text, prepared)
        before = _catalog(branch)
        run = witness.run(
            branch,
            migration,
            transaction=transaction,
            settings=settings,
            seconds=seconds - 2,
            told=lambda done: say(f"running statement {done + 1:,} of {many:,}"),
        )
        after = _catalog(branch)
        missing = branch.missing_extensions
    say("judging")
    return _report(migration, run, before, after, complete=not missing)


def _text(name: str) -> str:
    if name == "-":
        return sys.stdin.buffer.read().decode("utf-8-sig", errors="replace")
    try:
        return Path(name).read_bytes().decode("utf-8-sig", errors="replace")
    except OSError as error:
        raise UserError(f"{name} cannot be read: {error.strerror or error}.") from None


def _load(branch: Branch, text: str, name: str) -> dict[str, str]:
    """The set-up is the user's own file: in a private cluster it runs with a superuser's rights."""
    admin = getattr(branch, "admin", None)
    with contextlib.ExitStack() as stack:
        session = stack.enter_context(admin() if admin is not None else branch.connect())
        return setup.load(session, text, name, private=admin is not None)


def _catalog(branch: Branch) -> "Catalog | None":
    try:
        with branch.connect() as session:
            return catalogs.read(session)
    except CouldNotJudge:
        return None


def _report(
    migration: Migration, run: Run, before: "Catalog | None", after: "Catalog | None", *, complete: bool
) -> TraceReport:
    found = evidence.facts_of(
        run, [migration], transaction=run.transaction, known=compose.known(before, after), complete=complete
    )
    context = rules.Context()
    findings = waivers.apply(rules.judge(found, context), waivers.read(migration), context)
    seen = {observation.statement.index: observation for observation in run.runs[0].observations}
    return TraceReport(
        statements=record.statements(migration, seen),
        findings=tuple(findings),
        coverage=evidence.coverage(run, [migration]),
    )
