"""What the rule `unreviewed-migration` hears of: a required approval that nobody gave."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from checks.facts import Fact, Place


@dataclass(frozen=True, kw_only=True, slots=True)
class UnreviewedMigration(Fact):
    """A migration that head adds or changes, and that nobody approved."""

    tag: str


def facts(
    migrations: Iterable[tuple[str, str]], approvals: Sequence[str] | None, *, required: bool
) -> list[UnreviewedMigration]:
    """One fact for the first of the migrations (tag and path) where an approval is required and was looked for in vain.

    Args:
        migrations: those that head adds or changes.
        approvals: who approved this head; None: approvals cannot be seen from here, which is no fact but an unknown.
        required: the policy's `review.required`.
    """
    if not required or approvals is None or approvals:
        return []
    return [UnreviewedMigration(place=Place(path=path, migration=tag), tag=tag) for tag, path in list(migrations)[:1]]
