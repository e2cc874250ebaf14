"""Takes a migration's text apart: into the chunks Drizzle sends, and those into statements by PostgreSQL's own scanner."""

import hashlib
from collections.abc import Sequence

from checks import collector, quick
from checks.drizzle.model import Pieces, Statement
from checks.witnesses import grammar

BREAKPOINT = "--> statement-breakpoint"

_LONG = 20_000

_statement = quick.made(Statement)


def split(text: str) -> tuple[tuple[str, ...], tuple[Statement, ...], str | None]:
    """The chunks and the statements of a migration, and why its text could not be told apart for sure (None: it could).

    Drizzle splits at the literal text of the marker wherever it stands, strings and function bodies included
    (drizzle-orm, `migrator.ts`), and sends each piece as it is. What such a cut makes of a string is reported as
    PostgreSQL would see it.
    """
    if len(text) < _LONG:
        return _split(text)
    with collector.waiting():
        return _split(text)


def _split(text: str) -> tuple[tuple[str, ...], tuple[Statement, ...], str | None]:
    chunks = tuple(text.split(BREAKPOINT))
    statements: list[Statement] = []
    unread: str | None = None
    begin = counted = 0
    line = 1
    for number, chunk in enumerate(chunks):
        for start, end, problem in grammar.split(chunk):
            at = begin + start
            line += text.count("\n", counted, at)
            counted = at
            sql = chunk[start:end]
            statements.append(_statement(len(statements), line, line + sql.count("\n"), sql, number))
            unread = unread or problem
        begin += len(chunk) + len(BREAKPOINT)
    return chunks, tuple(statements), unread


def pieces(text: str) -> Pieces:
    """The same for a migration, when it is asked for."""
    return Pieces(text, split)


def same(one: Sequence[Statement], other: Sequence[Statement]) -> bool:
    """Whether two lists of statements differ in white space, line ends, comments and the cut into chunks at most."""
    return len(one) == len(other) and all(
        a.sql == b.sql or grammar.tokens(a.sql) == grammar.tokens(b.sql) for a, b in zip(one, other, strict=True)
    )


def meaning(found: Sequence[Statement]) -> str:
    """Equal for lists of statements that are the `same`."""
    digest = hashlib.sha256()
    for statement in found:
        digest.update("\0".join(grammar.tokens(statement.sql)).encode() + b"\1")
    return digest.hexdigest()
