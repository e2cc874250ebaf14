"""Show the page of a rule."""

from typing import TYPE_CHECKING

from checks import rules
from checks.errors import UserError

if TYPE_CHECKING:
    from bot.commands import Context, Permission

MAY: "Permission" = "read"
USAGE = "RULE"


def run(words: str, _context: "Context") -> str:
    """Its text and examples."""
    name, rule = known(words)
    return f"### `{name}` ({rule.severity})\n\n{rule.page.markdown}"


def known(words: str) -> tuple[str, rules.Rule]:
    """The rule that the first word names.

    Raises:
        UserError: there is none; the nearest is named.
    """
    name = words.split(maxsplit=1)[0].strip("`:").lower() if words.split() else ""
    every = rules.all_rules()
    if not name:
        raise UserError("Which rule? Its id stands beside each finding.")
    if name not in every:
        safe = "".join(c for c in name if c.isalnum() or c in "-_")[:60]
        raise UserError(f"There is no rule `{safe}`.{rules.nearest(safe, every)}")
    return name, every[name]


def waivable(words: str) -> str:
    """The rule that the first word names, or `history`: all rules that speak of a deliberate squash.

    Raises:
        UserError: there is none; the nearest is named.
    """
    first = words.split(maxsplit=1)[0].strip("`:").lower() if words.split() else ""
    return first if first == "history" else known(words)[0]
