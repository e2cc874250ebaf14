"""Runs a plan on branch databases: head's migrations on base's state, the whole chain from zero, and what it made of the schema."""

import hashlib
import re
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import psycopg

from bot.branches import Provider, Template, platforms
from bot.progress import Say
from checks.branch import Branch
from checks.catalog import read as catalogs
from checks.drizzle import snapshot_sql
from checks.drizzle.model import Chain
from checks.drizzle.plan import Plan
from checks.errors import CouldNotJudge
from checks.rehearsal import Rehearsal
from checks.witnesses import replay, tracking
from checks.witnesses.model import Failure, Run

_EXTENSION = re.compile(r'\bcreate\s+extension\s+(?:if\s+not\s+exists\s+)?"?([\w-]+)"?', re.IGNORECASE)


def rehearse(
    plan: Plan, provider: Provider, *, extensions: Sequence[str] = (), seconds: float = 120.0, say: Say
) -> Rehearsal:
    """Run the plan; nothing that a migration does is raised, it is in the result.

    Args:
        plan: of one project.
        provider: of branch databases.
        extensions: that the policy promises, besides those that the chain creates.
        seconds: how long each branch may live.
        say: is told what is being done.

    Raises:
        CouldNotJudge: no branch database could be had.
    """
    texts = [m.text for m in (*plan.base.migrations, *plan.head.migrations)]
    wanted = sorted({*extensions, *(name.lower() for text in texts for name in _EXTENSION.findall(text))})
    stage = _Stage(provider, platforms.stubs(texts), wanted, seconds)
    with ThreadPoolExecutor(1, "from-zero") as beside:
        zero = beside.submit(_from_zero, plan.head, stage)
        found = _from_base(plan, stage, say)
        say("running the whole chain from zero")
        run, ms = zero.result()
    return replace(found, zero=run, ms=found.ms | {"from_zero": ms})


@dataclass(frozen=True, slots=True)
class _Stage:
    """What every branch of one rehearsal has in common."""

    provider: Provider
    stubs: tuple[str, ...]
    extensions: Sequence[str]
    seconds: float

    def template(self, name: str, parts: Sequence[str], build: Callable[[Branch], None]) -> Template:
        """A template that depends on the stubs and on `parts`."""
        digest = hashlib.sha256()
        for part in ("3", name, *self.stubs, "", *self.extensions, "", *parts):
            digest.update(part.encode("utf-8", "surrogateescape") + b"\0")

        def staged(branch: Branch) -> None:
            _play(branch, self.stubs)
            build(branch)

        return Template(digest.hexdigest(), staged)


class _BaseFailedError(Exception):
    """Base's own chain does not run; nothing is kept of the attempt."""

    def __init__(self, run: Run) -> None:
        super().__init__()
        self.run = run


def _from_base(plan: Plan, stage: _Stage, say: Say) -> Rehearsal:
    """Try the ways to base's state, the truest first."""
    notes: list[str] = []
    missing: frozenset[str] = frozenset()
    for template, note in _ways(plan.base, stage):
        say("bringing a branch database to base's state")
        started = time.perf_counter()
        try:
            with stage.provider.branch(template=template, extensions=stage.extensions, seconds=stage.seconds) as branch:
                ms = {"branch": (time.perf_counter() - started) * 1000}
                found = _observe(plan, branch, say)
                stopped = _stopped(branch, stage.seconds)
                missing = branch.missing_extensions
        except _BaseFailedError as error:
            if not notes:
                notes.append(_told(error.run))
            continue
        said = (*notes, note) if note else ()
        return replace(found, notes=said, missing=missing, stopped=stopped, ms=ms | found.ms)
    return Rehearsal(notes=(*notes, "So head's migrations were not run."), missing=missing)


def _ways(base: Chain, stage: _Stage) -> Iterator[tuple[Template, str]]:
    """Templates at base's state, each with what to say where it is the one that worked."""
    project = base.project
    rows = [f"{m.tag} {m.when} {m.hash}" for m in base.migrations]
    parts = [project.format, project.transaction, ".".join(project.table), *rows]
    yield stage.template("chain", parts, _grow(base)), ""
    if project.transaction == "one":
        apart = replace(base, project=replace(project, transaction="each"))
        yield (
            stage.template("grown", parts, _grow(apart)),
            "It does when each migration has a transaction of its own, as a database that grew with it had: judged on that.",
        )
    snapshot = base.last_snapshot
    if snapshot is not None:
        statements = snapshot_sql.ddl(base, snapshot)

        def draw(branch: Branch) -> None:
            _play(branch, statements)
            tracking.record_all(branch, base)

        yield (
            stage.template("snapshot", [*parts, *statements], draw),
            f"Judged on base's last snapshot instead ({snapshot.path}).",
        )


def _grow(chain: Chain) -> Callable[[Branch], None]:
    def build(branch: Branch) -> None:
        run = replay.build_base(branch, chain)
        if run.state == "failed":
            raise _BaseFailedError(run)

    return build


def _play(branch: Branch, statements: Sequence[str]) -> None:
    """Run statements of ours; one that fails means that this way to base's state is closed."""
    with branch.connect() as session:
        for statement in statements:
            try:
                session.execute(statement.encode())
            except psycopg.Error as error:
                failure = Failure(error.sqlstate or "XX000", error.diag.message_primary or str(error))
                raise _BaseFailedError(Run(state="failed", transaction="each", failure=failure)) from None


def _observe(plan: Plan, branch: Branch, say: Say) -> Rehearsal:
    """Read the schema, run what is pending, read it again."""
    ignored = _ours(plan)
    with branch.connect() as session:
        started = time.perf_counter()
        before = catalogs.read(session, ignore=ignored)
    read = time.perf_counter()
    say("running head's migrations" if plan.added else "looking at the schema")
    run = replay.run(branch, _restamped(plan)) if plan.added else None
    ran = time.perf_counter()
    after = before
    if run is not None:
        try:
            with branch.connect() as session:
                after = catalogs.read(session, ignore=ignored)
        except (CouldNotJudge, psycopg.Error):
            after = None  # the watchdog was faster; the run says so
    done = time.perf_counter()
    ms = {"catalog": (read - started + done - ran) * 1000, "migrations": (ran - read) * 1000}
    return Rehearsal(run=run, before=before, after=after, ms=ms)


def _restamped(plan: Plan) -> Chain:
    """The chain after the merge; what Drizzle would skip comes last, as `sync` would put it, so that it is seen running."""
    base = plan.base.migrations
    greatest = max((m.when for m in base), default=0)
    moved = [
        replace(m, when=max(m.when, greatest + 1 + n)) if m.tag in plan.would_skip else m
        for n, m in enumerate(plan.added)
    ]
    return replace(plan.merged, migrations=(*base, *moved))


def _from_zero(chain: Chain, stage: _Stage) -> tuple[Run | None, float]:
    """The whole chain on an empty database; None where there is nothing to run."""
    started = time.perf_counter()
    if not chain.migrations:
        return None, 0.0
    template = stage.template("zero", [], lambda _: None) if stage.stubs else None
    with stage.provider.branch(template=template, extensions=stage.extensions, seconds=stage.seconds) as branch:
        run = replay.build_base(branch, chain)
        return run, (time.perf_counter() - started) * 1000


def _ours(plan: Plan) -> tuple[str, ...]:
    """The tracking table is Drizzle's, not a part of the schema under review."""
    schema, table = plan.project.table
    return ("drizzle", f"{schema}.{table}") if schema == "drizzle" else (f"{schema}.{table}",)


def _stopped(branch: Branch, seconds: float) -> str | None:
    reason = getattr(branch, "stopped", None)
    if reason is None:
        return None
    limit = f"did not end within {seconds:.0f} seconds" if reason == "time" else "took too much room on disk"
    return f"The branch database was stopped: the migrations {limit}."


def _told(run: Run) -> str:
    """Why base's chain does not run."""
    words = run.failure.message if run.failure else run.why or "no reason given"
    where = f" at {run.failed[0]}, statement {run.failed[1] + 1}" if run.failed else ""
    return f"Base's own migrations do not run on an empty database{where}: {words}."
