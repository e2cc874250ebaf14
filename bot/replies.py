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
    return f"\n**Forced by @{gfm.prose(by)}** onto this very base: {gfm.prose(reason)}\n"


def answered(key: str) -> str:
    """Unseen, at the end of a reply: what it replies to, so that nothing is replied to twice."""
    return f"<!-- bulletproof-reply {key} -->"


def more(url: str) -> str:
    """The link to the whole report."""
    return f"\n[The whole report]({url})\n"
