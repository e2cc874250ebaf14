"""Write the migration that `schema.ts` asks for, and push it."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bot.commands import Context, Permission

MAY: "Permission" = "write"
USAGE = "[--rename OLD=NEW] [--drop NAME] [--keep NAME] [--name NAME] [--config FILE]"


def run(words: str, context: "Context") -> str:
    """Do it; the reply shows the SQL, or asks what only people know."""
    return context.generate(words)
