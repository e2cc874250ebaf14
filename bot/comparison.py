"""Compares head's schema files, its last snapshot and what its chain builds, and where they differ asks how base was."""

import re

from bot import zero
from bot.drawing import Drawn, draw
from bot.stage import Stage, StateFailedError
from checks import equality
from checks.catalog.model import Catalog
from checks.change import Change
from checks.drizzle.model import Chain
from checks.drizzle.plan import Plan
from checks.equality import Sides
from checks.errors import CouldNotJudge
from checks.facts import Fact
from checks.report import Equality

_LOOSENS = re.compile(r"\bDROP\s+(?:CONSTRAINT|IDENTITY)\b", re.IGNORECASE)


def compare(
    change: Change, plan: Plan, stage: Stage | None, built: Catalog | None, drawn: Drawn
) -> tuple[Equality, tuple[Fact, ...]]:
    """The four-way equality of head, and what head has to do with its inequalities.

    Args:
        change: base and head.
        plan: of one project.
        stage: where schemas are made; None: there is no database, and nothing is compared.
        built: what the whole chain of head builds.
        drawn: what head's schema files and snapshot say.
    """
    fallback = _stands_on(change, plan)
    if stage is None:
        return equality.judge(Sides(schema=drawn.read), Sides(), change.paths, fallback)
    head, before = _sides(drawn, built, plan.head), Sides()
    if drawn.upon and equality.differs(head):
        head = _sides(draw(change.head.tree, plan.head, stage), built, plan.head)
    if equality.differs(head):
        old = plan.merge_base
        before = _sides(draw(change.merge_base.tree, old, stage), _built(old, stage), old)
    return equality.judge(head, before, change.paths, fallback)


def _sides(drawn: Drawn, built: Catalog | None, chain: Chain) -> Sides:
    loosening = (m for m in chain.migrations if "drop" in m.text.lower() and _LOOSENS.search(m.text))
    statements = (statement.sql for migration in loosening for statement in migration.statements)
    return Sides(
        chain=built,
        drawn=drawn.schema,
        snapshot=drawn.snapshot,
        schema=drawn.read,
        loosening=tuple(sql for sql in statements if _LOOSENS.search(sql)),
        unread=chain.newest_snapshot_is_unread,
    )


def _built(chain: Chain, stage: Stage) -> Catalog | None:
    """What a chain builds from nothing; None where it does not run there."""
    template = zero.template(chain, stage)
    try:
        with stage.provider.branch(template=template, extensions=stage.extensions, seconds=stage.seconds) as branch:
            return stage.catalog(branch)
    except (StateFailedError, CouldNotJudge):
        return None


def _stands_on(change: Change, plan: Plan) -> str:
    """A file that head changed, for facts that belong to no line: its last migration, else a schema file, else any."""
    if plan.added:
        return plan.added[-1].path
    own = [p for p in plan.project.schema_files if p in change.paths]
    inside = sorted(p for p in change.paths if p.startswith(f"{plan.project.migrations_dir}/"))
    return (own or inside or sorted(change.paths) or [plan.project.migrations_dir])[0]
