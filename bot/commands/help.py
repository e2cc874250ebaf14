"""List the commands, and who may give them."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bot.commands import Context, Permission

MAY: "Permission" = "read"


def run(_words: str, _context: "Context") -> str:
    """A table, made from the commands themselves."""
    from bot import commands  # noqa: PLC0415 - it finds this module

    rows = [
        f"| `/migrate {' '.join(filter(None, (c.name, c.usage)))}` | {c.about} | {c.may} |"
        for c in commands.every().values()
    ]
    return "\n".join(["| Command | What it does | Takes |", "|---|---|---|", *rows])
