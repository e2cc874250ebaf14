"""What is said of a sync: the message of its commit, and the reply to who asked for it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot import git_write
from bot.git import Repository
from bot.repair.folders import Sum
from checks.render import gfm

if TYPE_CHECKING:
    from bot.repair.sync import Outcome

_LONGEST = 40_000  # bytes of a patch; a comment takes 65,536 characters
_DATABASES = (
    "Databases that ran the old numbers already (a laptop, a preview): run `bulletproof db sync` there, then "
    "`bulletproof db migrate`. The first moves the rows of the tracking table to the new places by content, so nothing runs twice "
    "and nothing has to be reset; the second runs what base brought, which `drizzle-kit migrate` would pass over."
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


@dataclass(frozen=True, kw_only=True, slots=True)
class Ways:
    """Where a person would put a commit that the App may not push.

    Attributes:
        base: the commit that a sync merges.
        branch: the base branch.
        fork: the pull request comes from one.
    """

    base: str
    branch: str
    fork: bool


def by_hand(ways: Ways, repository: Repository, outcome: "Outcome") -> str:
    """How a person makes the commit of a sync: a patch that holds all of it, and the commands."""
    commit = outcome.commit or ""
    said = patched(ways, git_write.patch(repository, outcome.head, commit), merge=ways.base)
    moved = "".join(f"\n- `{old}` would be `{new}`" for old, new in outcome.renamed)
    told = "".join(f"\n- {sentence}" for sentence in (*outcome.omitted, *outcome.notes))
    return f"{said}\n{moved}{told}" + (f"\n\n{_DATABASES}" if outcome.renamed else "")


def patched(ways: Ways, patch: str | None, *, merge: str | None = None) -> str:
    """What to run to have a commit, given as a patch, or (where it is too large for a comment) how to make it anew.

    Args:
        ways: where to.
        patch: in git's mail format.
        merge: the commit that becomes the second parent; the patch holds what it brings.
    """
    upstream = "upstream" if ways.fork else "origin"
    if patch is not None and (
        len(patch.encode()) > _LONGEST or "<!--" in patch
    ):  # that could pass for a record of ours
        patch = None
    if patch is None and merge is None:
        return "On your machine, with this branch checked out: `bulletproof db generate --static`, commit, `git push`."
    if patch is None:
        return (
            "The patch does not fit into a comment. On your machine, with this branch checked out "
            f"(`{upstream}` is your remote of this repository):\n\n```sh\ngit fetch {upstream} {_shell(ways.branch)}\n"
            f"bulletproof sync --base FETCH_HEAD\ngit push\n```"
        )
    fetch = f"git fetch {upstream} {_shell(ways.branch)}\n" if merge else ""
    record = f"git merge -s ours --no-edit {merge}   # the patch holds what base brings\n" if merge else ""
    also = " (`bulletproof sync --base FETCH_HEAD` makes the same, too)" if merge else ""
    fence = gfm.fence(patch)
    end = "" if patch.endswith("\n") else "\n"
    return (
        f"Save the patch below as `migrations.patch`, and, with this branch checked out{also}:\n\n"
        f"```sh\n{fetch}git am migrations.patch\n{record}git push\n```\n\n"
        f"<details><summary>migrations.patch</summary>\n\n{fence}diff\n{patch}{end}{fence}\n\n</details>"
    )


def _shell(name: str) -> str:
    quoted = name.replace("'", "'\\''").replace("`", "")
    return name if name.replace("/", "").replace("-", "").replace("_", "").replace(".", "").isalnum() else f"'{quoted}'"


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
