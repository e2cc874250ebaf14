"""Runs a migration in steps, where one transaction will not do; how far it came is committed together with the step."""

from dataclasses import dataclass, replace

import psycopg
from psycopg import sql

from bot.database import indexes, steps, tracking
from bot.database.line import Failed, Line, Result
from bot.database.steps import Step
from bot.database.target import Session
from checks.drizzle.model import Migration
from checks.errors import UserError
from checks.witnesses.model import Failure
from checks.witnesses.wire import Wire


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a migration came that runs in steps: `done` are committed; `started`: the next was begun, and is not known to have ended."""

    hash: str
    done: int
    started: bool


def progress(session: Session) -> dict[str, Progress]:
    """How far migrations in steps came in an earlier run that was stopped."""
    found = session.execute("select pg_catalog.to_regclass(%s)", (".".join(tracking.STEPS),)).fetchone()
    if found is None or found[0] is None:
        return {}
    query = sql.SQL("select tag, hash, done, started from {}").format(_place())
    return {tag: Progress(*rest) for tag, *rest in session.execute(query).fetchall()}


class Stepper:
    """Runs migrations in steps over one session."""

    def __init__(self, line: Line, result: Result) -> None:
        self._line, self._result = line, result

    def run(self, migration: Migration, before: Progress | None, *, force: bool) -> bool:
        """Run one, from where an earlier run was stopped; whether it went well."""
        _refuse_edited(migration, before, force=force)
        self._make_room()
        cut = steps.of(migration)
        done = before.done if before is not None and before.hash == migration.hash else 0
        started = before is not None and before.started
        if done:
            self._result.notes.append(f"{migration.tag} goes on at step {done + 1} of {len(cut)}.")
            for step in cut[:done]:
                for setting in step.settings:
                    self._line.wire.execute(setting)
        for number, step in enumerate(cut[done:], start=done):
            if started and step.kind == "code" and not force:
                raise UserError(
                    f"{migration.path}:{_line_of(migration, step)} was running when the last run stopped, and nothing tells whether it ended. "
                    "Look, then run it again with --force, or finish the file by hand and run `db sync`."
                )
            self._line.say(f"running {migration.tag} (step {number + 1} of {len(cut)})")
            last = number + 1 == len(cut)
            again = started
            failed = self._line.attempts(lambda step=step, number=number, last=last, again=again: self._step(migration, step, number, again=again, last=last))  # fmt: skip
            started = False
            if failed is not None:
                if number == 0:
                    self._line.own(
                        migration, sql.SQL("delete from {} where tag = %s").format(_place()), (migration.tag,)
                    )
                self._result.failed.append(replace(failed, kept=number > 0))
                return False
        if not cut:
            failed = self._line.record(migration)
            if failed is not None:
                self._result.failed.append(failed)
                return False
        self._line.relock([migration])
        self._result.applied.append(migration.tag)
        return True

    def _make_room(self) -> None:
        try:
            with self._line.session.transaction():
                if not self._has_schema():
                    self._line.session.execute("create schema if not exists drizzle")
                self._line.session.execute(
                    sql.SQL(
                        "create table if not exists {} (tag text primary key, hash text not null, done int not null, started bool not null)"
                    ).format(_place())
                )
        except psycopg.errors.InsufficientPrivilege as error:
            raise UserError(
                f"A migration that runs in steps needs {'.'.join(tracking.STEPS)}, and the role may not make it: {self._line.target.words(error)}."
            ) from None

    def _has_schema(self) -> bool:
        query = "select 1 from pg_catalog.pg_namespace where nspname = %s"
        return self._line.session.execute(query, (tracking.STEPS[0],)).fetchone() is not None

    def _step(self, migration: Migration, step: Step, number: int, *, again: bool, last: bool) -> Failed | None:
        if step.kind == "together":
            return self._whole_step(migration, step, number, last=last)
        if again and indexes.done(self._line.session, step):
            return self._note(migration, number + 1, last=last)
        failed = self._mark(migration, number, started=True)
        if failed is not None:
            return failed
        self._line.session.execute(
            "set lock_timeout = 0"
        )  # it holds nobody up while it waits, and a timeout would leave an invalid index
        indexes.clean(self._line.session, step)
        outcome = self._line.wire.execute(step.queries[0])
        if outcome.failure is not None:
            if self._line.wire.gone is None:
                indexes.clean(self._line.session, step)
                self._line.settings()
            return Failed(migration, step.first, outcome.failure)
        self._line.settings()
        return self._note(migration, number + 1, last=last)

    def _whole_step(self, migration: Migration, step: Step, number: int, *, last: bool) -> Failed | None:
        failed = self._line.sent(migration, "begin")
        for place, query in enumerate(step.queries):
            if failed is None:
                outcome = self._line.wire.execute(query)
                if outcome.failure is not None:
                    failed = Failed(migration, step.first + place, outcome.failure)
        failed = (
            failed
            or self._note(migration, number + 1, last=last, inside=True)
            or self._line.sent(migration, "commit", last=True)
        )
        if failed is not None:
            self._line.wire.execute("rollback")
        return failed

    def _note(self, migration: Migration, done: int, *, last: bool, inside: bool = False) -> Failed | None:
        """Keep that a step is done; with the last, the migration's row instead."""
        if not last:
            return self._mark(migration, done, started=False)
        failed = None if inside else self._line.sent(migration, "begin")
        forget = sql.SQL("delete from {} where tag = %s").format(_place())
        failed = failed or self._line.record(migration) or self._line.own(migration, forget, (migration.tag,))
        if inside:
            return failed
        return failed or self._line.sent(migration, "commit", last=True)

    def _mark(self, migration: Migration, done: int, *, started: bool) -> Failed | None:
        query = sql.SQL(
            "insert into {} (tag, hash, done, started) values (%s, %s, %s, %s) "
            "on conflict (tag) do update set hash = excluded.hash, done = excluded.done, started = excluded.started"
        ).format(_place())
        return self._line.own(migration, query, (migration.tag, migration.hash, done, started))


def play(wire: Wire, migration: Migration) -> Failure | None:
    """Run a migration on a database of ours, in the same steps, with no row."""
    for step in steps.of(migration):
        together = step.kind == "together"
        queries = ("begin", *step.queries, "commit") if together else step.queries
        for query in queries:
            failure = wire.execute(query).failure
            if failure is not None:
                wire.execute("rollback")
                return failure
    return None


def _refuse_edited(migration: Migration, before: Progress | None, *, force: bool) -> None:
    if before is not None and before.hash != migration.hash and not force:
        raise UserError(
            f"{migration.tag} was stopped after step {before.done} and edited since, so what is left of it cannot be known. "
            "Undo the edit, or finish it by hand and run `db sync`."
        )


def _line_of(migration: Migration, step: Step) -> int:
    return next((s.line for s in migration.statements if s.index == step.first), 1)


def _place() -> sql.Composed:
    return sql.SQL("{}.{}").format(*map(sql.Identifier, tracking.STEPS))
