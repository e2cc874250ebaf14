"""Runs a plan on branch databases: head's migrations on base's state, the whole chain from zero, and what it made of the schema."""

import contextlib
import re
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import psycopg

from bot import undo, zero
from bot.branches import GivesWay, Remembers, Template
from bot.progress import Say
from bot.stage import Stage, StateFailedError, play
from checks.branch import Branch
from checks.catalog import part
from checks.catalog.model import Catalog
from checks.drizzle import snapshot_sql
from checks.drizzle.entities import Unreconstructable
from checks.drizzle.model import Chain
from checks.drizzle.plan import Plan
from checks.errors import CouldNotJudge
from checks.rehearsal import Rehearsal
from checks.report import Rollback
from checks.witnesses import replay, tracking
from checks.witnesses.model import Run

_Session = psycopg.Connection[Any]

AtBase = Callable[[Branch, _Session, Callable[[], Catalog | None]], None]
PutAway = Callable[[Callable[[], None]], object]

_PULLED = re.compile(r"/\*.*\bCREATE\s+(?:TABLE|TYPE|SCHEMA|SEQUENCE)\b", re.DOTALL | re.IGNORECASE)


def rehearse(
    plan: Plan,
    stage: Stage,
    say: Say,
    *,
    at_base: AtBase = lambda _branch, _session, _schema: None,
    meanwhile: Callable[[], None] = lambda: None,
    known: Callable[[Rehearsal], None] = lambda _: None,
    put_away: PutAway = lambda close: close(),
) -> Rehearsal:
    """Run the plan; nothing that a migration does is raised, it is in the result.

    Args:
        plan: of one project.
        stage: where it is run.
        say: is told what is being done.
        at_base: is given the branch at the state that base's chain made from zero, before head's migrations run there, a session of
            ours, and the schema where that is known.
        meanwhile: called once head's migrations have run, before the chain from zero is waited for; sooner, where base's chain has
            to be run first.
        known: told all but the way back, before that is waited for.
        put_away: is given what puts the branch away, which nobody waits for here.

    Raises:
        CouldNotJudge: no branch database could be had.
    """
    with ThreadPoolExecutor(2, "rehearsal") as beside:
        whole = _Whole(plan, stage, beside, put_away)
        if not zero.follows(plan):
            whole.start()
        found, leaving = _from_base(whole, say, at_base, meanwhile)
        meanwhile()
        say("running the whole chain from zero")
        waiting = time.perf_counter()
        run, chain, ms = whole.result()
        waited = (time.perf_counter() - waiting) * 1000
        found = replace(found, zero=run, chain=chain, ms=found.ms | {"from_zero": ms, "from_zero_wait": waited})
        known(found)
        if leaving is None:
            return found
        back, stopped, took = leaving.result()
        return replace(found, back=back, stopped=stopped, ms=found.ms | {"way_back": took})


@dataclass(slots=True)
class _Whole:
    """Head's whole chain from zero: told where that is certain, else run beside all else, from the moment that it is not."""

    plan: Plan
    stage: Stage
    beside: Executor
    put_away: PutAway
    _running: Future[tuple[Run | None, Catalog | None, float]] | None = None
    _told: tuple[Run, Catalog] | None = None

    def start(self) -> None:
        """Run it, if it does not run already."""
        if self._running is None:
            self._running = self.beside.submit(_from_zero, self.plan.head, self.stage)

    def at(self, remark: bytes | None) -> None:
        """Base's state has that remark."""
        if not zero.may_follow(self.plan, remark):
            self.start()

    def after(self, found: Rehearsal, remark: bytes | None) -> None:
        """Head's migrations have run on the state with that remark."""
        if self._running is None:
            self._told = zero.told(self.plan, found, remark)
            if self._told is None:
                self.start()

    def result(self) -> tuple[Run | None, Catalog | None, float]:
        """What it did, what it built, and the milliseconds that it ran."""
        if self._told is not None:
            return *self._told, 0.0
        self.start()
        assert self._running is not None  # it was started  # noqa: S101
        return self._running.result()


def _from_base(
    whole: _Whole, say: Say, at_base: AtBase, meanwhile: Callable[[], None]
) -> tuple[Rehearsal, Future[tuple[Rollback | None, str | None, float]] | None]:
    """Try the ways to base's state, the truest first; the branch is left `beside` whatever comes next."""
    plan, stage = whole.plan, whole.stage
    notes: list[str] = []
    for template, note in ways(plan.base, stage):
        say("bringing a branch database to base's state")
        started = time.perf_counter()
        with contextlib.ExitStack() as opened:
            try:
                told = _telling(template, meanwhile)
                made = stage.provider.branch(template=told, extensions=stage.extensions, seconds=stage.seconds)
                branch = opened.enter_context(made)
            except StateFailedError as error:
                whole.start()
                if not notes:
                    notes.append(_told(error.run))
                continue
            ms = {"branch": (time.perf_counter() - started) * 1000}
            remark = branch.remark if isinstance(branch, Remembers) and not note else None
            whole.at(remark)
            before = whole.beside.submit(_known, remark)
            place = _Place(branch, opened)
            if not note:
                at_base(branch, place.session(), before.result)
            found = _observe(whole, place, say, before.result())
            way = _way_back(plan, found)  # before all else that is made of it: to try it takes the longest
            whole.after(found, remark)
            place.opened = opened.pop_all()
            leaving = whole.beside.submit(_leave, whole, place, way)
        said = (*notes, note) if note else ()
        missing, lacking = branch.missing_extensions, _lacking(branch, found.run)
        return replace(found, notes=said, missing=missing, lacking=lacking, ms=ms | found.ms), leaving
    return Rehearsal(notes=(*notes, "So head's migrations were not run.")), None


def _known(remark: bytes | None) -> Catalog | None:
    """Base's schema where it is known, ready to be compared."""
    found = zero.catalog(remark)
    if found is not None:
        part.mapped(found)
    return found


def _telling(template: Template, building: Callable[[], None]) -> Template:
    """The same template; says so where it has to be built."""

    def build(branch: Branch) -> bytes | None:
        building()
        return template.build(branch)

    return replace(template, build=build)


def ways(base: Chain, stage: Stage) -> Iterator[tuple[Template, str]]:
    """Templates at base's state, each with what to say where it is the one that worked."""
    project = base.project
    pulled = _is_pulled(base)
    rows = [f"{m.tag} {m.when} {m.hash}" for m in base.migrations]
    parts = [project.format, project.transaction, ".".join(project.table), *rows]
    if not pulled:
        yield zero.template(base, stage), ""
    if project.transaction == "one" and not pulled:
        apart = replace(base, project=replace(project, transaction="each"))
        yield (
            stage.template("grown", parts, _grow(apart)),
            "It does when each migration has a transaction of its own, as a database that grew with it had: judged on that.",
        )
    snapshot = base.last_snapshot
    if snapshot is not None:
        try:
            statements = snapshot_sql.ddl(base, snapshot)
        except Unreconstructable:
            return

        def draw(branch: Branch) -> None:
            play(branch, statements)
            tracking.record_all(branch, base)

        yield (
            stage.template("snapshot", [*parts, *statements], draw),
            f"Base began with `drizzle-kit pull`: its first migration is a comment. Judged on base's last snapshot ({snapshot.path})."
            if pulled
            else f"Judged on base's last snapshot instead ({snapshot.path}).",
        )


def _is_pulled(base: Chain) -> bool:
    """Whether base's first migration only says, in a comment, what the database was that `drizzle-kit pull` found."""
    first = base.migrations[0] if base.migrations else None
    if first is None or first.statements or not _PULLED.search(first.text):
        return False
    return any(s.tag == first.tag for s in base.snapshots)


def _grow(chain: Chain) -> Callable[[Branch], None]:
    def build(branch: Branch) -> None:
        run = replay.build_base(branch, chain)
        if run.state == "failed":
            raise StateFailedError(run)

    return build


@dataclass(slots=True)
class _Place:
    """A branch, and a session of ours there, which is never the migrator's.

    Attributes:
        opened: what closes both.
    """

    branch: Branch
    opened: contextlib.ExitStack
    _session: _Session | None = None

    def session(self) -> _Session:
        """That session.

        Raises:
            CouldNotJudge: the branch takes none.
        """
        if self._session is None:
            self._session = self.opened.enter_context(self.branch.connect())
        return self._session

    def session_after_sql(self) -> _Session:
        """That session; another one where SQL has ended it, which has the rights of the same role."""
        try:
            self.session().execute("select")
        except psycopg.Error:
            self._session = None
        return self.session()


def _observe(whole: _Whole, place: _Place, say: Say, before: Catalog | None) -> Rehearsal:
    """Read the schema, where it is not known, run what is pending, read it again."""
    plan, stage = whole.plan, whole.stage
    started = time.perf_counter()
    before = stage.catalog_in(place.session()) if before is None else before
    read = time.perf_counter()
    say("running head's migrations" if plan.added else "looking at the schema")
    run = replay.run(place.branch, restamped(plan)) if plan.added else None
    ran = time.perf_counter()
    after = before
    if run is not None:
        try:
            after = stage.catalog_after(place.session_after_sql(), run, before)
        except (CouldNotJudge, psycopg.Error):
            after = None  # the watchdog was faster; the run says so
    done = time.perf_counter()
    ms = {"catalog": (read - started + done - ran) * 1000, "migrations": (ran - read) * 1000}
    return Rehearsal(run=run, before=before, after=after, ms=ms)


def _way_back(plan: Plan, found: Rehearsal) -> undo.Way | None:
    """The way back from what head's migrations made; None where they did not all run."""
    if found.run is None or found.run.state != "ok" or found.before is None or found.after is None:
        return None
    return undo.written(plan, found.before, found.after)


def _leave(whole: _Whole, place: _Place, way: undo.Way | None) -> tuple[Rollback | None, str | None, float]:
    """Run the way back, and put the branch away: the way back, why the branch was stopped if it was, and milliseconds."""
    started = time.perf_counter()
    stage, branch, back = whole.stage, place.branch, None
    try:
        if way is not None:
            up = partial(replay.build_base, branch, restamped(whole.plan), recorded=False)
            back = undo.tried(way, place.session, stage, up)
        return back, _stopped(branch, stage.seconds), (time.perf_counter() - started) * 1000
    finally:
        whole.put_away(place.opened.close)


def restamped(plan: Plan) -> Chain:
    """The chain after the merge; what Drizzle would skip comes last, as `sync` would put it, so that it is seen running."""
    base = plan.base.migrations
    greatest = max((m.when for m in base), default=0)
    moved = [
        replace(m, when=max(m.when, greatest + 1 + n)) if m.tag in plan.would_skip else m
        for n, m in enumerate(plan.added)
    ]
    return replace(plan.merged, migrations=(*base, *moved))


def _from_zero(chain: Chain, stage: Stage) -> tuple[Run | None, Catalog | None, float]:
    """The whole chain on an empty database, and what it builds; None where there is nothing to run, or it failed."""
    started = time.perf_counter()
    with stage.empty() as branch:
        if isinstance(branch, GivesWay):
            branch.give_way()  # all else is sooner done, and waits for nothing of this
        run = replay.build_base(branch, chain) if chain.migrations else None
        built = stage.catalog(branch) if run is None or run.state == "ok" else None
        return run, built, (time.perf_counter() - started) * 1000


def _stopped(branch: Branch, seconds: float) -> str | None:
    if branch.stopped is None:
        return None
    limit = f"did not end within {seconds:.0f} seconds" if branch.stopped == "time" else "took too much room on disk"
    return f"The branch database was stopped: the migrations {limit}."


def _lacking(branch: Branch, run: Run | None) -> str | None:
    """A shared server has the roles that it has: a chain that needs others fails there, and perhaps only there."""
    if branch.may_create_roles or run is None or run.failure is None:
        return None
    about = {"42501": "permission denied to create role", "42704": 'role "'}.get(run.failure.sqlstate)
    if about is None or not run.failure.message.startswith(about):
        return None
    return f"No roles can be made on the server that was named: {run.failure.message}. Without `--database` it runs in a cluster of its own."


def _told(run: Run) -> str:
    """Why base's chain does not run."""
    words = run.failure.message if run.failure else run.why or "no reason given"
    where = f" at {run.failed[0]}, statement {run.failed[1] + 1}" if run.failed else ""
    return f"Base's own migrations do not run on an empty database{where}: {words}."
