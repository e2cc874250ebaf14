"""What both witnesses say about a release, as facts: the rules' only source about SQL.

Where PostgreSQL ran a statement, locks, rewrites and scans are its word alone. Where it did not, the text says only what
is certain whatever the tables are like.
"""

import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from checks import collector, facts
from checks.drizzle.model import Migration, Transaction
from checks.evidence.claims import Whole, claims, whole
from checks.evidence.costs import costs
from checks.evidence.deeds import deeds
from checks.evidence.known import Known
from checks.evidence.release import Release
from checks.evidence.steps import MOST, Step, place_of, steps
from checks.evidence.windows import Windows
from checks.facts import Fact, Place
from checks.witnesses import clauses as c
from checks.witnesses import long_names
from checks.witnesses.model import Run

if TYPE_CHECKING:
    from checks.report import Coverage

__all__ = ["Known", "coverage", "facts_of"]

_NEW_VALUE = re.compile(r'unsafe use of new value "(?P<value>.*)" of enum type "?(?P<enum>[^"]*)"?')
_CAST = re.compile(r"(?='([^']*)'\s*::)")
_SETTING = "only because the session's"  # zones says so
# What many deployed databases let their owner do, and a branch lets nobody: how it ends there says nothing of it.
_PLATFORM = re.compile(
    r"permission denied to create (?:event trigger|subscription)|superuser to create FOR (?:ALL|TABLES)"
    r"|permission denied to set parameter \"session_replication_role\"",
    re.IGNORECASE,
)
_UNSAFE_ENUM, _NOT_IN_TRANSACTION, _NOT_ALLOWED = "55P04", "25001", "42501"


@collector.waiting()
def facts_of(
    run: Run | None,
    migrations: Iterable[Migration],
    *,
    transaction: Transaction = "one",
    known: Known | None = None,
    complete: bool = True,
) -> list[Fact]:
    """The facts of pending migrations, in the order in which their statements run.

    Args:
        run: what PostgreSQL did with them; None where there was no database.
        migrations: those that head adds, in the order in which Drizzle runs them.
        transaction: how the migrator runs them; the run's own word goes first.
        known: what the database was like before.
        complete: the branch database had all that the chain asks for; otherwise a failure may be our own limit.
    """
    migrations = list(migrations)
    mode = run.transaction if run is not None and run.state != "skipped" else transaction
    made = steps(run, migrations, mode)
    seen = whole(made)
    release, windows = Release(known or Known()), Windows()
    found: list[Fact] = []
    long = long_names.among([step.statement.sql for step in made])
    for step in made:
        release.enter(step)
        ran = step.observation is not None
        said = claims(step, release, seen, long)
        if ran:
            said += deeds(step, release)
        said += costs(step, release)
        if said:
            found += [fact for fact in said if not _part_of_enum(fact, step, seen)] if seen.recreated else said
        if ran or (release.open.values and "::" in step.statement.sql):
            found += _failures(step, release, found, complete=complete)
        if step.reading.problem or c.Opaque in step.kinds:
            found += _unreadable(step)
        if ran:
            found += _noted(step, said)
        found += windows.see(step, release)
        release.learn(step)
    empty = (facts.NoStatements(place=_start(m)) for m in migrations if not m.statements and m.unread is None)
    return [
        *found,
        *windows.close(),
        *_beyond(made, migrations),
        *empty,
        *_unrecorded(run, migrations, complete=complete),
    ]


def coverage(run: Run | None, migrations: Iterable[Migration]) -> "Coverage":
    """How many statements were read and run, and which were neither."""
    from checks.report import Coverage, Opaque  # noqa: PLC0415 - pydantic, which facts do not need

    migrations = list(migrations)
    made = steps(run, migrations, "one")
    unread = [*(fact for step in made for fact in _unreadable(step)), *_beyond(made, migrations)]
    opaque = (
        Opaque(migration=fact.place.migration or "", statement=fact.place.statement or 0, why=fact.why)
        for fact in unread
    )
    asked = {migration.tag for migration in migrations}
    runs = run.runs if run is not None and run.state != "skipped" else ()
    return Coverage(
        statements=sum(len(migration.statements) for migration in migrations) if len(made) >= MOST else len(made),
        read=sum(not step.reading.problem for step in made),
        executed=sum(seen.executed for r in runs if r.migration.tag in asked for seen in r.observations),
        opaque=tuple(opaque),
    )


def _start(migration: Migration) -> Place:
    return Place(path=migration.path, line=1, end_line=1, migration=migration.tag)


def _failures(step: Step, release: Release, found: list[Fact], *, complete: bool) -> Iterator[Fact]:
    failure = step.observation.failure if step.observation is not None else None
    if failure is None:
        yield from _new_value_offline(step, release)
        return
    if failure.sqlstate == _UNSAFE_ENUM and (match := _NEW_VALUE.search(failure.message)) is not None:
        yield facts.UsesNewEnumValue(place=step.place, enum=match["enum"], value=match["value"])
        return
    told = any(isinstance(fact, facts.ConcurrentlyInTransaction) and fact.place == step.place for fact in found)
    if not (told and failure.sqlstate == _NOT_IN_TRANSACTION):
        yield facts.Fails(
            place=step.place,
            sqlstate=failure.sqlstate,
            message=failure.message,
            # What does not end in time is no limit of the database's.
            complete=failure.stopped
            or (complete and not (failure.sqlstate == _NOT_ALLOWED and _PLATFORM.search(failure.message))),
            half_applied=step.transaction is None,
        )


def _unrecorded(run: Run | None, migrations: list[Migration], *, complete: bool) -> Iterator[facts.Fails]:
    """A failure that no statement had: in the migrator's own row, or when its transaction was to end."""
    if run is None or run.failure is None or any(o.failure for r in run.runs for o in r.observations):
        return
    tag = run.failed[0] if run.failed else ""
    named = [m for m in migrations if m.tag == tag] or migrations[:1]
    for migration in named:
        last = migration.statements[-1] if migration.statements else None
        yield facts.Fails(
            place=Place(
                path=migration.path,
                line=last.line if last else 1,
                end_line=last.end_line if last else 1,
                migration=migration.tag,
                statement=last.index if last else None,
            ),
            sqlstate=run.failure.sqlstate,
            message=f"after the last statement, where the migrator records and commits: {run.failure.message}",
            # A role that the SQL chose may have other rights where it will run.
            complete=(complete and run.failure.sqlstate != _NOT_ALLOWED) or run.failure.stopped,
        )


def _new_value_offline(step: Step, release: Release) -> Iterator[Fact]:
    """Without a database: a cast that names the new value and its enum is certain."""
    sql = step.statement.sql
    if not release.open.values or "::" not in sql or step.executed or step.transaction is None:
        return
    cast = set(_CAST.findall(sql))
    for enum, value in release.open.values:
        if value not in cast and ("'" not in value or f"'{value}'" not in sql):
            continue
        short = enum.removeprefix("public.")
        name = (
            rf'(?:"?public"?\.)?"?{re.escape(short)}"?' if short != enum else re.escape(enum).replace(r"\.", r'"?\."?')
        )
        if re.search(rf"'{re.escape(value)}'\s*::\s*\"?{name}", sql):
            yield facts.UsesNewEnumValue(place=step.place, enum=short, value=value)


def _noted(step: Step, said: list[Fact]) -> Iterator[Fact]:
    """What the postgres witness could not see, or saw only because of the session's settings."""
    if step.observation is None or not step.observation.notes:
        return
    told = any(isinstance(fact, facts.ChangesType) and fact.depends_on_zone for fact in said)
    for note in dict.fromkeys(step.observation.notes):
        if _SETTING not in note:
            yield facts.NotObserved(place=step.place, why=note)
        elif not told:
            yield facts.DependsOnSession(place=step.place, how=note)


def _unreadable(step: Step) -> Iterator[facts.Unreadable]:
    observation = step.observation
    if observation is not None and (observation.executed or observation.failure is not None):
        return
    if step.reading.problem:
        yield facts.Unreadable(place=step.place, why=step.reading.problem)
    for clause in step.of(c.Opaque):
        yield facts.Unreadable(place=step.place, why=f"{clause.what} shows what it does only when it runs")


def _beyond(made: list[Step], migrations: Iterable[Migration]) -> Iterator[facts.Unreadable]:
    """The statements that were too many, at the first of them."""
    left = sum(len(migration.statements) for migration in migrations) - len(made)
    if len(made) < MOST or left <= 0:
        return
    looked = {(step.migration.tag, step.statement.index) for step in made}
    for migration in migrations:
        for statement in migration.statements:
            if (migration.tag, statement.index) not in looked:
                more = f", and so do {left - 1:,} others" if left > 1 else ""
                why = f"it comes after the first {MOST:,}{more}"
                yield facts.Unreadable(place=place_of(migration, statement), why=why)
                return


def _part_of_enum(fact: Fact, step: Step, seen: Whole) -> bool:
    """The way over text that an enum takes when it is made anew is one story, told once."""
    if not isinstance(fact, facts.RewritesTable | facts.NarrowsType | facts.ChangesType | facts.BlocksReads):
        return False
    changed = [f"{clause.table}.{clause.column}" for clause in step.of(c.AlterType)]
    return bool(changed) and seen.over_text.issuperset(changed)
