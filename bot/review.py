"""The sentence itself: a change becomes a plan, witnesses turn it into facts, rules into findings, policy into a verdict."""

import contextlib
import gc
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace

from bot import comparison, environments, overrides, rehearsal
from bot.branches import Provider, StartsAhead
from bot.drawing import Drawing
from bot.environments import Counted
from bot.progress import Say, silent
from bot.stage import Stage
from checks import compose, evidence, policy, readers, requirements, rules, waivers, ways
from checks.change import Change
from checks.compose import Judgement, Part
from checks.drizzle import plan as plans
from checks.drizzle import projects
from checks.drizzle.plan import Plan
from checks.errors import CouldNotJudge
from checks.evidence import Known
from checks.facts import Fact
from checks.policy import PolicyFile
from checks.rehearsal import Rehearsal
from checks.report import Equality, Report, SchemaDiff, Verdict
from checks.requirements import approval, strictness

Spoken = Callable[[Change, Sequence[Plan]], tuple[Sequence[waivers.Waiver], Sequence[str]]]
"""What people said beside the files, once the change is known: waivers, and who approves its SQL."""


_Compared = tuple[Equality, tuple[Fact, ...], SchemaDiff, Known]


class _Patience:
    """A collector that looks seldom: catalogs and trees live until the report is made, and to look among them is a fifth of the work.

    It is the whole process's: the first review that begins makes it so, and the last that ends puts it back.
    """

    def __init__(self) -> None:
        self._lock, self._reviews, self._was = threading.Lock(), 0, gc.get_threshold()

    def __enter__(self) -> None:
        with self._lock:
            if self._reviews == 0:
                self._was = gc.get_threshold()
                gc.set_threshold(50_000, 20, 50)
            self._reviews += 1

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._reviews -= 1
            if self._reviews == 0:
                gc.set_threshold(*self._was)


_patience = _Patience()


def review(
    change: Change,
    *,
    provider: Provider | None,
    excused: Sequence[waivers.Waiver] = (),
    approvals: tuple[str, ...] | None = None,
    spoken: Spoken | None = None,
    seconds: float = 120.0,
    say: Say = silent,
) -> Report:
    """Judge a change.

    Args:
        change: base, head, and their trees.
        provider: of branch databases; None: there is none, one witness reads the SQL and the report says so.
        excused: waivers that people gave outside of the files.
        approvals: who approved the SQL of this head; None: that cannot be seen from here.
        spoken: more waivers and approvals, which depend on what the change is.
        seconds: how long a branch database may live.
        say: is told what is being done.

    Returns:
        The report; its verdict is `unjudged` where a branch database was asked for and could not be had.
    """
    with (
        _patience,
        _begun(provider, change) as provider,  # noqa: PLR1704 - the same, begun
        ThreadPoolExecutor(1, "leaving") as leaving,  # branches are put away while the report is made
    ):
        put_away: list[Future[None]] = []
        look = _Look(provider, seconds, say, lambda close: put_away.append(leaving.submit(close)))
        report = _review(change, look, excused, approvals, spoken)
        for each in put_away:
            each.result()
    return report


def _begun(provider: Provider | None, change: Change) -> AbstractContextManager[Provider | None]:
    """A provider that has begun to start what base will be judged on, where the change brings SQL and the provider can."""
    if isinstance(provider, StartsAhead) and any(path.endswith(".sql") for path in change.paths):
        return provider.ahead(change.base.sha)
    return contextlib.nullcontext(provider)


@dataclass(frozen=True, slots=True)
class _Look:
    """How a project's migrations are run."""

    provider: Provider | None
    seconds: float
    say: Say
    put_away: rehearsal.PutAway


def _review(
    change: Change,
    look: _Look,
    excused: Sequence[waivers.Waiver],
    approvals: tuple[str, ...] | None,
    spoken: Spoken | None,
) -> Report:
    provider, say = look.provider, look.say
    began = time.perf_counter()
    say("reading both commits")
    written = policy.read(change.base.tree, rules.all_rules())
    named = overrides.said(written)
    all_plans = [plans.make(change, project) for project in plans.concerned(change, named)]
    touched = [plan for plan in all_plans if plan.touched]
    if spoken is not None:
        said, approving = spoken(change, touched)
        excused = [*excused, *said]
        approvals = tuple(dict.fromkeys([*(approvals or ()), *approving])) if approvals or approving else approvals
    with ThreadPoolExecutor(2, "reading") as beside:  # while PostgreSQL works
        looking = beside.submit(ways.read, change, written, [plan.project for plan in (touched or all_plans)])
        # Offline there is no database; and what touches no table needs no count.
        counting = beside.submit(
            environments.count, written.policy.environments if touched and provider is not None else {}
        )
        parts = tuple(_judged(change, plan, written, look, counting) for plan in touched)
        say("reading scripts and connections")
        reading, counted = looking.result(), counting.result()
    changed = [(m.tag, m.path) for plan in touched for m in (*plan.added, *(pair.after for pair in plan.modified))]
    found = [
        *reading.facts,
        *(fact for part in parts for fact in _unseen_writes(part, reading)),
        *approval.facts(changed, approvals, required=written.policy.review.required),
    ]
    findings = [
        *(finding for part in parts for finding in part.findings),
        *rules.judge(found, context := _context(written, counted)),
    ]
    granted = [*(waiver for plan in touched for waiver in waivers.of_plan(plan)), *excused]
    judgement = Judgement(
        change=change,
        survey=projects.survey(change.head.tree, named),
        parts=parts,
        loud=tuple(
            waivers.squashed(waivers.apply(policy.apply(findings, written), granted, context), _squashes(parts))
        ),
        reading=reading,
        written=written,
        wanted=policy.read(change.head.tree, rules.all_rules()),
        offline=provider is None,
        approvals=approvals,
        asides=tuple(counted.notes),
    )
    checklist = requirements.checklist(judgement.evidence())
    strict = strictness.facts(checklist, judgement.stands_on(), strict=written.policy.strict)
    judgement = replace(judgement, loud=(*judgement.loud, *policy.apply(rules.judge(strict, context), written)))
    verdict: Verdict = policy.verdict(judgement.loud)
    if any(part.shown.unjudged for part in parts):
        verdict = "unjudged"
    return judgement.report(verdict, checklist, (time.perf_counter() - began) * 1000)


def _judged(change: Change, plan: Plan, written: PolicyFile, look: _Look, counting: Future[Counted]) -> Part:
    """One project: run its migrations where there is a database, and let the rules speak."""
    stage, say = None, look.say
    if look.provider is not None:
        texts = [m.text for m in (*plan.base.migrations, *plan.head.migrations)]
        promised = written.policy.branch.extensions
        stage = Stage.of(look.provider, texts, plan.project.table, extensions=promised, seconds=look.seconds)
    ran = threading.Event()
    if stage is None:
        ran.set()
    with ThreadPoolExecutor(1, "drawing") as beside:
        head = Drawing(change, plan, stage)
        drawing = beside.submit(head.draw, ran)
        shown = Rehearsal()
        compared: list[_Compared] = []

        def compare(shown: Rehearsal) -> None:
            ran.set()
            say("comparing schema, snapshot and database")
            built = shown.chain if plan.whole else None
            equality = comparison.compare(change, plan, None if shown.unjudged else stage, built, drawing.result())
            head.learn(shown)
            known = compose.known(shown.before, shown.after)
            compared.append((*equality, compose.schema_diff(shown), known))

        if stage is not None:
            try:
                shown = rehearsal.rehearse(
                    plan, stage, say, at_base=head.at_base, meanwhile=ran.set, known=compare, put_away=look.put_away
                )
            except CouldNotJudge as error:
                shown = Rehearsal(unjudged=str(error))
                compared.clear()
        if not compared:
            compare(shown)
    [(equality, unequal, difference, known)] = compared
    say("judging")
    seen = evidence.facts_of(
        shown.run,
        plan.added,
        transaction=plan.project.transaction,
        known=known,
        complete=shown.complete,
    )
    context = replace(_context(written, counting.result()), readers=readers.of(seen, change, plan.project))
    return Part(
        plan,
        shown,
        tuple(rules.judge([*plan.facts, *seen, *compose.from_zero(plan, shown), *unequal], context)),
        equality,
        difference,
    )


def _unseen_writes(part: Part, reading: ways.Reading) -> Sequence[Fact]:
    """Writes to the tracking table that only running the SQL shows."""
    return [] if part.shown.run is None else ways.observed(part.shown.run, part.plan.project, reading.facts)


def _squashes(parts: Sequence[Part]) -> frozenset[str]:
    """Migrations that come in the place of deleted ones, and build an empty database."""
    return frozenset(
        migration.tag
        for part in parts
        if part.plan.deleted and part.shown.zero is not None and part.shown.zero.state == "ok"
        for migration in part.plan.added
    )  # fmt: skip


def _context(written: PolicyFile, counted: Counted) -> rules.Context:
    """What rules may ask beyond the facts. What the policy says of a table goes before what was counted."""
    large = {**counted.large, **written.policy.large_tables}
    return rules.Context(severities=written.policy.rules, large_tables=large)
