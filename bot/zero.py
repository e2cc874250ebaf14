"""Knows what head's whole chain does from zero where base's has already run from zero, and left nothing that head's could feel.

The state that head's migrations run on is made by base's chain from zero, as Drizzle runs it. Where head's chain is base's
and some migrations after them, the whole chain from zero is that very run, gone on with in the same session, and where
Drizzle takes one transaction for all that is pending, in the same transaction. So it differs from head's migrations on
base's state by what a session or transaction holds beside the schema, and by nothing else. PostgreSQL was asked for that
at the end of base's run (`checks.witnesses.leftovers`); the answer is kept with the state. Where there is nothing, what
head's migrations did on base's state is what they do from zero. Whatever is in doubt is run.
"""

import contextlib
import json
import re
from collections.abc import Iterable, Sequence

import psycopg

from bot.branches import Template
from bot.stage import Stage, StateFailedError
from checks.branch import Branch
from checks.catalog import kept
from checks.catalog.model import Catalog
from checks.drizzle.model import Chain, Migration
from checks.drizzle.plan import Plan
from checks.errors import CouldNotJudge
from checks.rehearsal import Rehearsal
from checks.witnesses import calls, leftovers, replay
from checks.witnesses.leftovers import FUNCTIONS, ROWS, Leftovers
from checks.witnesses.model import Run
from checks.witnesses.postgres import CONTROL, first_words

# What asks about the session, the transaction or what else the server does.
_ASKS = re.compile(r"\bpg_(?!trgm\b)|\btxid|\bxact|\b[xc]m(?:in|ax)\b|\b(?:last|curr)val\b", re.IGNORECASE)
# Schema changes that run nothing but what is written in them.
_STILL = frozenset({"CREATE", "ALTER", "DROP", "COMMENT", "GRANT", "REVOKE"})
_RUNS = frozenset({"EXTENSION", "MATERIALIZED"})
_FEELS = re.compile(r"'\s*(?:now|today|tomorrow|yesterday)\b|\bvalidate\b|\bas\s+execute\b", re.IGNORECASE)
_LOCKS_OF_AN_OBJECT = 10  # a table with its key, its sequence and what holds its long values


def template(chain: Chain, stage: Stage) -> Template:
    """The state that a chain makes of an empty database, with a remark on what it left in its session, and its schema.

    To build it raises `StateFailedError` where the chain does not run there.
    """
    project = chain.project
    rows = [f"{m.tag} {m.when} {m.hash}" for m in chain.migrations]

    def build(branch: Branch) -> bytes | None:
        watch = leftovers.Watch(chain)
        run = replay.build_base(branch, chain, watch=watch)
        if run.state == "failed":
            raise StateFailedError(run)
        if watch.found is None:
            return None
        words = sorted(leftovers.holds(watch.found, chain, branch.version))
        said = json.dumps({"left": words, "locks": watch.found.locks}).encode()
        schema = b""
        with contextlib.suppress(CouldNotJudge, psycopg.Error):  # whoever needs it reads it, and says what is wrong
            schema = kept.to_bytes(stage.catalog(branch))
        return said + b"\n" + schema

    said_by = kept.stamp().hex()  # who would read the schema otherwise, makes it anew
    parts = [said_by, project.format, project.transaction, project.migrator, ".".join(project.table), *rows]
    return stage.template("chain", parts, build)


def follows(plan: Plan) -> bool:
    """Whether head's chain is base's, and migrations after them, run in the same way."""
    base, head = plan.base.project, plan.head.project
    same = (base.format, base.transaction, base.table, base.migrator) == (
        head.format,
        head.transaction,
        head.table,
        head.migrator,
    )
    ours = [*plan.base.migrations, *plan.added]
    untouched = not (plan.modified or plan.renamed or plan.deleted or plan.would_skip)
    return same and untouched and bool(ours) and list(map(_ran, ours)) == list(map(_ran, plan.head.migrations))


def may_follow(plan: Plan, remark: bytes | None) -> bool:
    """Whether head's new migrations can feel nothing of what base's run left, as far as can be told before they ran."""
    if not follows(plan) or (left := _read(remark)) is None:
        return False
    if not plan.added:
        return True
    hard = left.words - {ROWS, FUNCTIONS}
    texts = [migration.text for migration in plan.added]
    if hard or left.locks > leftovers.MOST_LOCKS or not _plain(texts):
        return False
    statements = [statement.sql for migration in plan.added for statement in migration.statements]
    if any(migration.unread is not None for migration in plan.added):
        return False
    if any(first_words(sql)[0] in CONTROL | {"DISCARD"} for sql in statements):
        return False
    soft = bool(left.words) or plan.head.project.transaction == "none"  # over HTTP no setting outlives its statement
    return not soft or _still(statements, texts, rows=ROWS in left.words)


def told(plan: Plan, shown: Rehearsal, remark: bytes | None) -> tuple[Run, Catalog] | None:
    """What the whole chain from zero does, and the schema that it makes; None: it has to be run.

    Args:
        plan: of one project.
        shown: head's migrations on the state that base's chain made from zero.
        remark: what was said of that state when it was made.
    """
    if not may_follow(plan, remark) or shown.before is None or shown.after is None:
        return None
    ran, left = shown.run, _read(remark)
    tags = tuple(migration.tag for migration in plan.head.migrations)
    transaction = plan.head.project.transaction
    if ran is not None and left is not None:
        seen = [observation for run in ran.runs for observation in run.observations]
        grown = max(0, len(shown.after.objects) - len(shown.before.objects))
        if ran.state != "ok" or ran.recorded != tags or ran.half_applied or ran.skipped:
            return None
        if transaction != "none" and not all(observation.in_transaction for observation in seen):
            return None
        if left.locks + grown * _LOCKS_OF_AN_OBJECT > leftovers.MOST_LOCKS:
            return None
        # A table that is written anew has its old conditions looked at again, whatever they call.
        if ROWS in left.words and any(observation.rewrites for observation in seen):
            return None
    return Run(state="ok", transaction=transaction, recorded=tags), shown.after


def catalog(remark: bytes | None) -> Catalog | None:
    """The schema of the state that has the remark; None where it has to be read."""
    return None if remark is None else kept.of_bytes(remark.partition(b"\n")[2])


def _ran(migration: Migration) -> tuple[str, int, str]:
    return migration.tag, migration.when, migration.hash


def _read(remark: bytes | None) -> Leftovers | None:
    """A remark, as `template` makes it."""
    if remark is None:
        return None
    try:
        said = json.loads(remark.partition(b"\n")[0])
        return Leftovers(frozenset(map(str, said["left"])), int(said["locks"]))
    except (ValueError, KeyError, TypeError):
        return None


def _plain(texts: Sequence[str]) -> bool:
    return not leftovers.hides(texts) and not any(map(_ASKS.search, texts))


def _still(statements: Sequence[str], texts: Iterable[str], *, rows: bool) -> bool:
    """Whether statements change the schema and call nothing: rows and functions that are there are not felt.

    Where there are no rows, the time that it is makes no difference to any.
    """
    words = [first_words(sql) for sql in statements]
    if not all(first in _STILL and second not in _RUNS for first, second, _ in words) or any(map(_FEELS.search, texts)):
        return False
    return calls.nothing(statements, but_built_in=not rows)
