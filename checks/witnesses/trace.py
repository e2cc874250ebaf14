"""Observes the statements of any SQL file, whatever framework it is from: all in one transaction, each in its own, or in none."""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import replace

from checks.branch import Branch
from checks.drizzle import statements
from checks.drizzle.model import Migration, Statement, Transaction
from checks.witnesses.model import NOTHING_HELD, Failure, MigrationRun, Observation, Run
from checks.witnesses.postgres import Session
from checks.witnesses.wire import INTRANS

_OFTEN = 200


def read(text: str, path: str) -> Migration:
    """A file as one migration."""
    digest = hashlib.sha256(text.encode(errors="replace")).hexdigest()
    return Migration(path, path, 0, None, digest, text, statements.pieces(text))


def run(
    branch: Branch,
    migration: Migration,
    *,
    transaction: Transaction = "one",
    settings: Mapping[str, str] | None = None,
    seconds: float | None = None,
    told: Callable[[int], None] = lambda _: None,
) -> Run:
    """Run every statement, up to the first failure.

    Args:
        branch: with the set-up loaded: what is there existed.
        migration: the file.
        transaction: one for all; each its own, opened for it; or none, where statements that refuse one can run.
        settings: of the session, e.g. `TimeZone`.
        seconds: how long all of it may take.
        told: hears from time to time how many statements ran.
    """
    session = Session(branch, seconds=seconds)
    try:
        for name, value in (settings or {}).items():
            session.choose(name, value)
        seen, failure = _observe(session, migration, transaction, told)
    finally:
        session.close()
    rest = tuple(
        Observation(statement=s, in_transaction=transaction == "one") for s in migration.statements[len(seen) :]
    )
    return Run(
        state="ok" if failure is None else "failed",
        transaction=transaction,
        runs=(MigrationRun(migration, (*seen, *rest)),),
        failed=None if failure is None else (migration.tag, max(0, len(seen) - 1)),
        failure=failure,
    )


def _observe(
    session: Session, migration: Migration, transaction: Transaction, told: Callable[[int], None]
) -> tuple[list[Observation], Failure | None]:
    seen: list[Observation] = []
    if transaction == "one":
        session.quietly("begin")
    for statement in migration.statements:
        if statement.index % _OFTEN == 0:
            told(statement.index)
        observation = _each(session, statement) if transaction == "each" else next(session.chunk([statement]))
        seen.append(observation)
        if observation.failure is not None:
            return seen, observation.failure
    if session.wire.status == INTRANS and (failure := session.quietly("commit").failure) is not None:
        if seen:
            seen[-1] = replace(seen[-1], failure=failure, executed=False)
        return seen, failure
    return seen, None


def _each(session: Session, statement: Statement) -> Observation:
    if session.wire.status != INTRANS:
        session.quietly("begin")
    observation = next(session.chunk([statement]))
    if observation.failure is not None:
        session.quietly("rollback")
    elif session.wire.status == INTRANS and (failure := session.quietly("commit").failure) is not None:
        observation = replace(observation, failure=failure, executed=False)
    return replace(observation, in_transaction=False, held=NOTHING_HELD)
