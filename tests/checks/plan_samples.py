"""A base with two migrations, and what is said of a head."""

from checks.drizzle.plan import Plan
from tests.checks.drizzle_samples import Story

JOURNAL = "drizzle/meta/_journal.json"


def base() -> Story:
    """What is on base when head leaves it."""
    return Story().add("users").add("orders")


def said(made: Plan, *, old: bool = False) -> list[tuple[str, str]]:
    """Kind and path of every fact that head made (or of the old ones)."""
    return [(type(f).__name__, f.place.path) for f in made.facts if f.introduced is not old]


def tags(migrations) -> list[str]:
    """Their tags."""
    return [m.tag for m in migrations]
