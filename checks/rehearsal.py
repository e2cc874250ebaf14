"""What a branch database showed of one project's plan."""

from dataclasses import dataclass, field

from checks.catalog.model import Catalog
from checks.report import Rollback
from checks.witnesses.model import Run


@dataclass(frozen=True, kw_only=True, slots=True)
class Rehearsal:
    """What a branch database showed.

    Attributes:
        run: head's migrations on base's state, observed. Those that Drizzle would skip run too, as `sync` would put them.
        zero: the whole chain of head on an empty database, as a new developer would run it.
        before, after: the schema at base and with head's migrations; None where that state could not be reached.
        chain: the schema that the whole chain of head builds on an empty database; None where it does not run there.
        back: the way back from `after` to `before`; proven where it was run and led there.
        notes: what had to be done otherwise than Drizzle would, in sentences.
        missing: extensions that the chain asks for and the branch database lacks.
        stopped: why the watchdog ended it, in a sentence.
        lacking: what the branch database may not do and the migrations need, in a sentence.
        unjudged: why no branch database could be had, in a sentence.
        ms: wall milliseconds by step.
    """

    run: Run | None = None
    zero: Run | None = None
    before: Catalog | None = None
    after: Catalog | None = None
    chain: Catalog | None = None
    back: Rollback | None = None
    notes: tuple[str, ...] = ()
    missing: frozenset[str] = frozenset()
    stopped: str | None = None
    lacking: str | None = None
    unjudged: str | None = None
    ms: dict[str, float] = field(default_factory=dict[str, float])

    @property
    def complete(self) -> bool:
        """The branch database had all that the chain needs, so what failed there fails in truth."""
        return not self.missing and self.stopped is None and self.lacking is None and self.unjudged is None
