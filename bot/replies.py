"""Every word the bot says that no report says."""

from checks.render import gfm

NAME = "Migration policy"
MARKER = "<!-- bulletproof -->"

IN_PROGRESS = "reviewing the migrations"
SUPERSEDED = "superseded by a newer commit"
CLOSED = "the pull request is closed"
NOTHING_LEFT = "### ✅ Migration policy · no migration is changed any more\n"
RERUN = ("Re-run", "Judge this commit again", "rerun")
SYNC = ("Sync migrations", "Put these migrations after the base's", "sync")


def unjudged_title() -> str:
    """The title of a check run that is no verdict."""
    return "could not judge"


def unjudged(why: str, delivery: str | None, *, enforced: bool) -> str:
    """What is shown where nothing could be judged."""
    said = f"### ❔ Could not judge this pull request\n\n{gfm.prose(why)}\n\n"
    said += "Nothing was judged, so this is not a pass: press **Re-run** to try again.\n" if enforced else (
        "Press **Re-run** to try again. Nothing is blocked: the base branch has no policy file.\n"
    )  # fmt: skip
    return said + (f"\n<sub>Delivery {gfm.code(delivery)}</sub>\n" if delivery else "")


def would_block(title: str) -> str:
    """The title of a check run that advises."""
    return f"would block: {title}"


def required(*, enforced: bool, known: bool | None, branch: str) -> str:
    """Whether the check keeps anybody from merging; what to do where it does not."""
    name = gfm.code(branch, 100)
    if known is None:
        return ""
    if known:
        return f"\nThis check is required on {name}.\n"
    if enforced:
        return (
            f"\nThis check is **not required** on {name}, so a red one can be merged. Require it in a ruleset: "
            f"status check `{NAME}`, with this App as its source.\n"
        )
    return f"\nThis is advice: {name} has no `.github/migration-policy.yml`. `bulletproof init` writes one.\n"


def forced(by: str, reason: str) -> str:
    """Below what would hold the pull request back."""
    return f"\n**Forced by {gfm.code(by, 80)}** onto this very base: {gfm.prose(reason)}\n"


# -- to commands ------------------------------------------------------------------------------------------------------

CLOSED_HERE = "This pull request is closed; nothing is done here any more."
ANOTHER_HEAD = "The branch has another head by now. Press the button there."
TOOK_TOO_LONG = "This took too long and was stopped; look at the pull request before trying again."
OUR_FAULT = "This failed by a fault of ours; look at the pull request before trying again."
FORK = "It comes from a fork, where the App may not push."
MAY_NOT_WRITE = "The App may not write to this repository (it was not given `contents: write`)."
RESTLESS = "The branch moves faster than this can be pushed, so nothing was. Ask again once it rests."
LONGEST = 60_000
"""Bytes of a reply; GitHub takes 65,536 characters."""


def unfetched(why: str) -> str:
    """The commits are not here."""
    return f"The commits could not be fetched, so nothing was done: {gfm.prose(why)}"


def moved(branch: str, text: str) -> str:
    """What is left to do once somebody else was faster."""
    return f"{gfm.code(branch)} moved while this was under way, and nothing was pushed. As it is now: {text}"


def not_pushed(why: str, by_hand: str) -> str:
    """The commit is made, and a person has to put it there."""
    return f"Not pushed: {gfm.prose(why)} The commit works, and you can make it yourself.\n\n{by_hand}"


def fitting(text: str) -> str:
    """A reply that GitHub takes: cut after a line, an open block of code closed."""
    if gfm.size(text) <= LONGEST:
        return text
    kept = text.encode()[: LONGEST - 200].decode("utf-8", "ignore").rpartition("\n")[0]
    opened = ""
    for line in kept.split("\n"):
        mark = line[: len(line) - len(line.lstrip("`"))]
        if len(mark) >= 3 and (not opened or (line == mark and len(mark) >= len(opened))):
            opened = "" if opened else mark
    return f"{kept}\n{opened}\n\n… the rest is left out: a comment does not hold it."


def forced_through(by: str, reason: str) -> str:
    """Above a report that would hold the pull request back, and does not."""
    return (
        f"### ⏩ Migration policy · forced by {gfm.code(by, 80)}\n\n"
        f"{gfm.prose(reason)}\n\nIt holds for this very head and base; another commit, and the report below holds again.\n\n"
    )


def old_annotations(count: int) -> str:
    """GitHub appends annotations and takes none back."""
    notes = "annotation in the files is" if count == 1 else "annotations in the files are"
    return (
        f"\n<sub>{count} {notes} of an earlier judgement and {'counts' if count == 1 else 'count'} no longer.</sub>\n"
    )


def answered(key: str) -> str:
    """Unseen, at the end of a reply: what it replies to, so that nothing is replied to twice."""
    return f"<!-- bulletproof-reply {key} -->"


def more(url: str) -> str:
    """The link to the whole report."""
    return f"\n[The whole report]({url})\n"
