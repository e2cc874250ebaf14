"""Proves a sync on PostgreSQL before anything is written: base's chain runs, the repaired one after it, and the snapshot says what it made."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from bot import overrides, rehearsal
from bot.branches import Provider
from bot.git import Repository
from bot.progress import Say
from bot.stage import Stage
from checks import policy
from checks.catalog import difference
from checks.catalog.model import Catalog, Key
from checks.change import Change
from checks.drizzle import chain as chains
from checks.drizzle import plan as plans
from checks.drizzle import snapshot_sql
from checks.drizzle.entities import Unreconstructable
from checks.drizzle.model import Chain, Migration, Project
from checks.drizzle.plan import Plan
from checks.drizzle.repair import RefusedError
from checks.rehearsal import Rehearsal
from checks.witnesses.model import Run

_NAME = re.compile(r'"((?:[^"]|"")+)"')


@dataclass(frozen=True, slots=True)
class Proof:
    """What was shown; `notes` say what was not."""

    proven: bool
    notes: tuple[str, ...] = ()


def prove(
    repository: Repository,
    base: str,
    head: str,
    commit: str,
    folders: Sequence[str],
    *,
    provider: Provider,
    seconds: float,
    say: Say,
) -> Proof:
    """Run each repaired project.

    Args:
        repository: holds all three commits.
        base: the commit whose migrations come first.
        head: the commit whose migrations were moved.
        commit: the result.
        folders: the migrations folders that were repaired.
        provider: of branch databases.
        seconds: how long each may live.
        say: is told what is being done.

    Raises:
        RefusedError: the result would be wrong; the text says why.
        CouldNotJudge: no database could be had.
    """
    change = repository.change(base, commit)
    written = policy.read(change.base.tree)
    named = {project.migrations_dir: project for project in plans.concerned(change, overrides.said(written))}
    notes: list[str] = []
    for folder in folders:
        # One that no configuration names, or none that can be read: its migrations run all the same.
        form = chains.shape(change.head.tree, folder) or "v0"
        project = named.get(folder) or Project(root="", format=form, migrations_dir=folder)
        lab = _Lab(repository, change, project, head=head, provider=provider, seconds=seconds, say=say)
        lab.extensions = written.policy.branch.extensions
        notes += lab.prove()
    return Proof(not notes, tuple(notes))


class _Lab:
    """One project's proof."""

    def __init__(
        self,
        repository: Repository,
        change: Change,
        project: Project,
        *,
        head: str,
        provider: Provider,
        seconds: float,
        say: Say,
    ) -> None:
        self._repository = repository
        self._project = project
        self._head = head
        self._provider = provider
        self._seconds = seconds
        self._say = say
        self._base = change.base.sha
        self._plan = plans.make(change, project)
        self.extensions: tuple[str, ...] = ()

    def prove(self) -> list[str]:
        """Notes on what could not be proved; none where all was."""
        plan = self._plan
        shown = self._rehearse(plan)
        if shown.before is None:
            return [f"Not proved: {note}" for note in shown.notes] or ["Not proved."]
        told = [f"Base's own chain was not proved: {shown.notes[0]}"] if shown.notes else []
        if plan.added and (shown.run is None or shown.run.state == "failed"):
            if not shown.complete or shown.run is None:
                lacking = f"it has no extension {', '.join(sorted(shown.missing))}" if shown.missing else shown.stopped
                return [*told, f"Not proved: this PostgreSQL could not run it all ({lacking})."]
            return [*told, self._failed(plan, shown.run)]
        return told + self._snapshot(plan, shown)

    def _rehearse(self, plan: Plan) -> Rehearsal:
        return rehearsal.rehearse(plan, self._stage(plan.merged), self._say)

    def _stage(self, chain: Chain) -> Stage:
        texts = [m.text for m in chain.migrations]
        return Stage.of(self._provider, texts, chain.project.table, extensions=self.extensions, seconds=self._seconds)

    def _failed(self, plan: Plan, run: Run) -> str:
        """What to say of migrations that do not run after base's, where that is not base's doing.

        Raises:
            RefusedError: they do run without base's.
        """
        if run.failed is None or run.failure is None:
            raise RefusedError(
                f"PostgreSQL refuses the result: {run.failure.message if run.failure else 'no reason given'}."
            )
        tag, number = run.failed
        migration = next((m for m in plan.added if m.tag == tag), None)
        known = migration.statements if migration is not None else ()
        statement = known[number].sql if number < len(known) else ""
        said = f'`{tag}` does not run: PostgreSQL says "{run.failure.message}" to `{_short(statement)}`.'
        alone = self._alone()
        if alone is not None and migration is not None and _failed_before(alone, migration):
            return f"Not proved: {said} It did not run before the sync either."
        said = said.replace("does not run", "does not run after base's migrations", 1)
        rival = _rival(statement, plan, alone[0] if alone else None)
        if rival is not None:
            said += f" Base's `{rival[0]}` has `{_short(rival[1])}`."
        raise RefusedError(
            f"{said} Change this branch's migration so that it fits what base does now.",
            [migration.path] if migration is not None else [],
        )

    def _alone(self) -> tuple[Plan, Rehearsal] | None:
        """Head as it was, on the commit where it left base."""
        fork = self._repository.merge_base(self._base, self._head)
        change = self._repository.change(fork, self._head)
        here = plans.concerned(change)
        same = next((p for p in here if p.migrations_dir == self._project.migrations_dir), None)
        if (
            same is None and chains.shape(change.head.tree, self._project.migrations_dir) is None
        ):  # the folder was moved
            same = here[0] if len(here) == 1 else None
            if same is None:
                return None
        plan = plans.make(change, same or self._project)
        return plan, self._rehearse(plan)

    def _snapshot(self, plan: Plan, shown: Rehearsal) -> list[str]:
        """Whether the last snapshot says what the chain made, apart from what it never said."""
        wanted = self._drawn(plan.head)
        if wanted is None or shown.after is None or shown.before is None:
            return ["The last snapshot was not compared with what the migrations make: it could not be loaded."]
        if difference.equal(wanted, shown.after):
            return []
        left = _keys(wanted, shown.after)
        before = self._drawn(plan.base)
        if before is not None:
            left -= _keys(before, shown.before)
        if left and (alone := self._alone()) is not None and alone[1].after is not None:
            own = self._drawn(alone[0].head)
            if own is not None:
                left -= _keys(own, alone[1].after)
        if left:
            named = ", ".join(sorted({_words(key) for key in left})[:5])
            raise RefusedError(
                f"After the merge the last snapshot would not say what the migrations make: {named}. "
                "Merge base, delete this branch's migrations and generate them again.",
                [plan.head.snapshots[-1].path] if plan.head.snapshots else [],
            )
        return []

    def _drawn(self, chain: Chain) -> Catalog | None:
        """The catalog that a chain's last snapshot describes; None where it cannot be had."""
        snapshot = chain.last_snapshot
        if snapshot is None:
            return None
        self._say("loading a snapshot")
        try:
            statements = snapshot_sql.ddl(chain, snapshot)
        except Unreconstructable:
            return None
        return self._stage(chain).drawn(statements)


def _failed_before(alone: tuple[Plan, Rehearsal], migration: Migration) -> bool:
    """Whether head by itself did not get past this migration either (which may have another name there)."""
    plan, shown = alone
    if shown.run is None or shown.run.failure is None:
        return False
    hashes = {m.tag: m.hash for m in plan.added}
    order = list(hashes)
    stopped = order.index(shown.run.failed[0]) if shown.run.failed and shown.run.failed[0] in hashes else 0
    here = next((n for n, tag in enumerate(order) if hashes[tag] == migration.hash), None)
    return here is None or stopped <= here


def _keys(one: Catalog, other: Catalog) -> set[Key]:
    return {change.key for change in difference.changes(one, other)}


def _rival(statement: str, plan: Plan, alone: Plan | None) -> tuple[str, str] | None:
    """Base's newer statement that speaks of the most of the same things."""
    names = set(_NAME.findall(statement))
    old = {m.tag for m in alone.base.migrations} if alone is not None else set[str]()
    best: tuple[str, str] | None = None
    most = 0
    for migration in plan.base.migrations:
        if migration.tag in old:
            continue
        for each in migration.statements:
            common = len(names & set(_NAME.findall(each.sql)))
            if common > most:
                best, most = (migration.tag, each.sql), common
    return best


def _words(key: Key) -> str:
    return f"{key[0]} {'.'.join(str(part) for part in key[1:])}"


def _short(sql: str) -> str:
    line = " ".join(sql.split())
    return line if len(line) <= 200 else f"{line[:197]}…"
