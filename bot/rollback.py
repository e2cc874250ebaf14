"""The way back: the SQL that undoes head's migrations, run up, down and up again before it is shown."""

import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path

import psycopg

from bot.branches import Provider
from bot.git import Repository
from bot.progress import Say, silent
from bot.rehearsal import restamped, ways
from bot.stage import Stage, StateFailedError
from checks import policy
from checks.branch import Branch
from checks.catalog import difference, names, statements
from checks.catalog.model import Catalog
from checks.catalog.tables import Column, Table
from checks.drizzle import plan as plans
from checks.drizzle.plan import Plan
from checks.errors import UserError
from checks.report import Rollback
from checks.witnesses import replay


def rollback(
    *,
    repo: Path,
    base: str | None = None,
    head: str = "HEAD",
    provider: Provider,
    seconds: float = 120.0,
    say: Say = silent,
) -> Rollback:
    """The way back from head's migrations to base's state.

    Raises:
        UserError: no such revision, or nothing to undo.
        CouldNotJudge: no branch database could be had.
    """
    repository = Repository(repo)
    change = repository.change(base or repository.default_branch(), head)
    written = policy.read(change.base.tree)
    for project in plans.concerned(change):
        plan = plans.make(change, project)
        if plan.added:
            texts = [m.text for m in (*plan.base.migrations, *plan.head.migrations)]
            promised = written.policy.branch.extensions
            stage = Stage.of(provider, texts, project.table, extensions=promised, seconds=seconds)
            say("running head's migrations up, down and up again")
            found = prove(plan, stage)
            if found is None:
                raise UserError(
                    "Head's migrations do not run on base's state, so there is nothing to undo. `bulletproof review` says why."
                )
            return found
    raise UserError("Head adds no migration, so there is nothing to undo.")


def prove(plan: Plan, stage: Stage) -> Rollback | None:
    """Up, down, up: equal catalogs at both ends. None where the way up is closed."""
    for template, _ in ways(plan.base, stage):
        try:
            with stage.provider.branch(template=template, extensions=stage.extensions, seconds=stage.seconds) as branch:
                return _there_and_back(plan, stage, branch)
        except StateFailedError:
            continue
    return None


def _there_and_back(plan: Plan, stage: Stage, branch: Branch) -> Rollback | None:
    before = stage.catalog(branch)
    if replay.build_base(branch, restamped(plan)).state == "failed":
        return None
    after = stage.catalog(branch)
    made = statements.sql(after, before)
    sql = _forget(plan) + statements.text(made)
    lost = tuple(irreversible(before, after))
    proven = _run(branch, [s.sql for s in made]) and difference.equal(stage.catalog(branch), before)
    if proven:
        with branch.connect() as session:
            session.execute(_forget(plan).encode())
        proven = replay.build_base(branch, restamped(plan)).state == "ok" and difference.equal(
            stage.catalog(branch), after
        )
    return Rollback(sql=sql, proven=proven, irreversible=lost)


def irreversible(before: Catalog, after: Catalog) -> Iterator[str]:
    """What does not come back with the way back, and the statement that saves it beforehand."""
    gone = [c for c in difference.changes(before, after) if c.after is None]
    tables = {c.key[1:3] for c in gone if isinstance(c.before, Table)}
    for change in gone:
        found = change.before
        if isinstance(found, Table):
            name = _name(found.schema, found.name)
            yield f"the rows of `{name}` (save them: CREATE TABLE {name}_saved AS TABLE {name})"
        elif isinstance(found, Column) and (found.schema, found.table) not in tables and not found.generated:
            name = _name(found.schema, found.table)
            saved = names.quoted(f"{found.table}_{found.name}_saved")
            yield f"the values of `{name}.{found.name}` (save them: CREATE TABLE {saved} AS TABLE {name})"
    for change in difference.changes(before, after):
        old, new = change.before, change.after
        if isinstance(old, Column) and isinstance(new, Column) and old.type != new.type:
            name = _name(old.schema, old.table)
            yield f"values of `{name}.{old.name}` that {new.type} could not hold as {old.type} did"


def _forget(plan: Plan) -> str:
    """Take the migrations out of the tracking table, so that they can run again."""
    hashes = ", ".join(f"'{m.hash}'" for m in plan.added)
    return f"DELETE FROM {names.qualified(*plan.project.table)} WHERE hash IN ({hashes});\n"  # noqa: S608 - quoted, and hex digits


def _run(branch: Branch, sql: Sequence[str]) -> bool:
    with branch.connect() as session, contextlib.suppress(psycopg.Error), session.transaction():
        for statement in sql:
            session.execute(statement.encode())
        return True
    return False


def _name(schema: str, name: str) -> str:
    return names.quoted(name) if schema == "public" else names.qualified(schema, name)
