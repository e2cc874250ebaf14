"""The way back: the SQL that undoes head's migrations, run up, down and up again before it is shown."""

from functools import partial
from pathlib import Path

from bot import overrides, undo
from bot.branches import Provider
from bot.git import Repository
from bot.progress import Say, silent
from bot.rehearsal import restamped, ways
from bot.stage import Stage, StateFailedError
from checks import policy
from checks.branch import Branch
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
    found: list[tuple[Plan, Rollback]] = []
    for project in plans.concerned(change, overrides.said(written)):
        plan = plans.make(change, project)
        if plan.added:
            texts = [m.text for m in (*plan.base.migrations, *plan.head.migrations)]
            promised = written.policy.branch.extensions
            stage = Stage.of(provider, texts, project.table, extensions=promised, seconds=seconds)
            say("running head's migrations up, down and up again")
            back = prove(plan, stage)
            if back is None:
                raise UserError(
                    "Head's migrations do not run on base's state, so there is nothing to undo. `bulletproof review` says why."
                )
            found.append((plan, back))
    if not found:
        raise UserError("Head adds no migration, so there is nothing to undo.")
    return _together(found)


def _together(found: list[tuple[Plan, Rollback]]) -> Rollback:
    """The ways back of all projects, each under the folder of its migrations."""
    if len(found) == 1:
        return found[0][1]
    return Rollback(
        sql="".join(f"-- {plan.project.migrations_dir}\n{back.sql}" for plan, back in found),
        proven=all(back.proven for _, back in found),
        irreversible=tuple(line for _, back in found for line in back.irreversible),
    )


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
    with branch.connect() as session:
        after = stage.catalog_in(session)
        up = partial(replay.build_base, branch, restamped(plan), recorded=False)
        return undo.tried(undo.written(plan, before, after), lambda: session, stage, up)
