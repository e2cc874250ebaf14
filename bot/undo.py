"""Runs the way back on a branch where head's migrations have just run, and looks where it leads."""

import contextlib

import psycopg

from bot.stage import Stage
from checks import way_back
from checks.branch import Branch
from checks.catalog import difference, statements
from checks.catalog.model import Catalog
from checks.drizzle.plan import Plan
from checks.errors import CouldNotJudge
from checks.report import Rollback


def undo(plan: Plan, stage: Stage, branch: Branch, before: Catalog, after: Catalog) -> Rollback:
    """Go from `after` back to `before`; proven where the schema is then equal to it.

    The branch is at `before` afterwards, its tracking table too, if it is proven.
    """
    made = statements.sql(after, before)
    rows = way_back.forget(plan)
    proven = False
    with contextlib.suppress(psycopg.Error, CouldNotJudge):  # not proven, then
        with branch.connect() as session, session.transaction():
            for statement in (rows, *(each.sql for each in made)):
                session.execute(statement.encode())
        proven = difference.equal(stage.catalog(branch), before)
    lost = tuple(way_back.irreversible(before, after))
    return Rollback(sql=rows + statements.text(made), proven=proven, irreversible=lost)
