"""Show the SQL that undoes this pull request's migrations, and whether it is proven."""

from typing import TYPE_CHECKING

from checks.render import gfm

if TYPE_CHECKING:
    from bot.commands import Context, Permission

MAY: "Permission" = "write"
MOST = 40_000
"""Bytes of SQL; more does not fit into a comment."""


def run(_words: str, context: "Context") -> str:
    """Run up, down and up again; then said."""
    found = context.rollback()
    said = (
        "Proven on PostgreSQL: the migrations ran, this undid them to the very schema of base, and they ran again."
        if found.proven
        else "**Not proven**: PostgreSQL did not get back to base's very schema with it. Read it before you run it."
    )
    sql = found.sql
    if len(sql.encode()) > MOST:
        sql = sql.encode()[:MOST].decode("utf-8", "ignore").rpartition("\n")[0]
        said += " It is too long for a comment: what is left out, `bulletproof rollback` prints."
    fence = gfm.fence(sql)
    lines = [f"The way back from `{context.head[:7]}`. {said}", "", f"{fence}sql", *gfm.lines(sql), fence]
    if found.irreversible:
        lines += ["", "What it cannot bring back:", *(f"- {gfm.prose(line)}" for line in found.irreversible)]
    return "\n".join(lines)
