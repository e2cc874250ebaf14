"""What is said of a sync: the message of its commit, and the reply to who asked for it."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from bot.repair.folders import Sum

if TYPE_CHECKING:
    from bot.repair.sync import Outcome

_DATABASES = (
    "Databases that ran the old numbers already (a laptop, a preview): run `bulletproof db sync` there. It moves the rows of the "
    "tracking table to the new places by content, so nothing runs twice and nothing has to be reset."
)


def reply(outcome: "Outcome") -> str:
    """What to answer to `/migrate sync`, in Markdown."""
    if outcome.status == "nothing-to-do":
        return "Nothing to do: this pull request's migrations come after base's already."
    if outcome.status == "refused":
        files = "".join(f"\n- `{path}`" for path in outcome.conflicts[:20])
        return f"Not synced, nothing was changed. {outcome.reason}{files}"
    lines = [f"Synced: {outcome.commit} merges base, and puts this pull request's migrations behind base's.", ""]
    lines += [f"- `{old}` is now `{new}`" for old, new in outcome.renamed]
    lines += [f"- {sentence}" for sentence in (*outcome.omitted, *outcome.notes)]
    if outcome.proven:
        lines.append(
            "- Proved on PostgreSQL: base's migrations run, then these, and the last snapshot says what they made."
        )
    if outcome.renamed:
        lines += ["", _DATABASES]
    return "\n".join(lines)


def message(made: Sum, base: str) -> str:
    """What moved, in the commit."""
    names = made.renamed
    first = "Put migrations behind base's" if len(names) != 1 else f"Put {names[0][1]} behind base's migrations"
    lines = [first, "", f"Merges base ({base[:12]}); its migrations are as they were."]
    lines += [f"- {old} is now {new}" for old, new in names]
    lines += [f"- {sentence}" for sentence in made.omitted]
    return "\n".join(lines) + "\n"


def some(names: Sequence[str]) -> str:
    """The first of many."""
    more = f" and {len(names) - 5} more" if len(names) > 5 else ""
    return ", ".join(names[:5]) + more
