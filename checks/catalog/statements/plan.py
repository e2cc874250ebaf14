"""The steps of a difference, who does what along with whom, and what must come before what."""

from collections import defaultdict

from checks.catalog.model import Key
from checks.catalog.statements import graph
from checks.catalog.statements.decisions import Decisions
from checks.catalog.statements.steps import Step, table_of
from checks.catalog.statements.together import Together
from checks.catalog.tables import Constraint, Index, Table
from checks.catalog.types import Sequence


class Plan:
    """What is to be done.

    Attributes:
        along: steps that another step does along with its own.
        folded: the other way round: what a step does along.
        before: the steps that must come before a step.
        separate: steps that may not be done along with another.
    """

    def __init__(self, done: Decisions) -> None:
        self.done = done
        self.a, self.b = done.a, done.b
        self.along: dict[Step, Step] = {}
        self.folded: dict[Step, set[Key]] = defaultdict(set)
        self.before: dict[Step, set[Step]] = defaultdict(set)
        self.steps: set[Step] = set()
        self.separate: set[Step] = set()
        self.dependants = graph.reverse(done.needs_b)
        self.together = Together(done)

    def collect(self) -> None:  # noqa: C901, PLR0912 - one kind after the other
        """Find the steps, anew."""
        done = self.done
        self.along, self.folded, self.before = {}, defaultdict(set), defaultdict(set)
        self.steps = {("alter", key) for key in done.altered}
        for key in done.dropped:
            if key in done.kept_aside:
                self.steps |= {("rename", key), ("finish", key)}
            else:
                self._add("drop", key, self.together.dropped_with(key))
        for key in done.created:
            self._add("create", key, self.together.created_with(key))
        for key, found in self.b.objects.items():
            if isinstance(found, Table) and key not in done.created and (key in done.altered or found.of_type):
                self._of_type(key, found)
        for key in done.detached:
            self.steps.add(("detach", key))
        for key in done.attached:
            self.steps.add(("attach", key))
        for key in done.held:
            self.steps.add(("hold", key))
        for key, found in self.b.objects.items():
            if isinstance(found, Sequence):
                self._sequence(key, found)
            elif isinstance(found, Table):
                was = self.a.objects.get(key)
                old = (
                    was.replica_identity
                    if isinstance(was, Table) and key not in done.dropped
                    else "n"
                    if found.relkind == "f"
                    else "d"
                )
                rebuilt = ("index", found.schema, found.replica_identity) in done.created
                if old != found.replica_identity or rebuilt:
                    self.steps.add(("replica", key))
            elif isinstance(found, Index | Constraint):
                self._index_part(key, found)

    def _add(self, verb: str, key: Key, host: Step | None) -> None:
        step = (verb, key)
        if host is None or step in self.separate:
            self.steps.add(step)
        else:
            self.along[step] = host
            self.folded[host].add(key)

    def _of_type(self, key: Key, found: Table) -> None:
        was = self.a.objects[key]
        if not isinstance(was, Table):
            return
        changes = any(needed[0] == "type" and needed in self.done.altered for needed in self.done.needs_b[key])
        if was.of_type != found.of_type or changes:
            self.steps |= {(verb, key) for verb, kind in (("untype", was.of_type), ("type", found.of_type)) if kind}

    def _sequence(self, key: Key, found: Sequence) -> None:
        was = self.a.objects.get(key)
        if isinstance(was, Sequence) and was.owned_by and key not in self.done.dropped:
            column = ("column", *was.owned_by)
            lost = column in self.done.dropped or ("table", *was.owned_by[:2]) in self.done.dropped
            if lost or (was.owned_by != found.owned_by and not found.owned_by):
                self.steps.add(("disown", key))
            if found.owned_by and (lost or was.owned_by != found.owned_by):
                self.steps.add(("own", key))
        elif found.owned_by and (was is None or key in self.done.created or was != found):
            self.steps.add(("own", key))

    def _index_part(self, key: Key, found: Index | Constraint) -> None:
        up = found.parent if isinstance(found, Index) else found.index_parent
        if up is None:
            return
        whole = self.together.index(self.b, up, found)
        was = self.a.objects.get(key)
        table = ("table", *table_of(found))
        had = was.parent if isinstance(was, Index) else was.index_parent if isinstance(was, Constraint) else None
        joins = key in self.done.created or had != up
        if whole in self.done.created or (joins and table not in self.done.attached):
            self.steps.add(("attach index", key))

    def host(self, step: Step) -> Step:
        """The step that does it: itself, or the one it is done along with."""
        return self.along.get(step, step)

    def link(self, first: Step, then: Step) -> None:
        """One step comes before another, where both are taken."""
        first, then = self.host(first), self.host(then)
        if first in self.steps and then in self.steps and first != then:
            self.before[then].add(first)
