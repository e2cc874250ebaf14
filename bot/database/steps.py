"""Cuts a migration into steps that each happen wholly or not at all, or can be told afterwards to have happened."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from checks.drizzle.model import Migration, Statement

Kind = Literal["together", "alone", "code"]

_FIRST = re.compile(r"(?:\s|--[^\n]*(?:\n|$)|/\*.*?\*/)*([A-Za-z]+)(?:\s+([A-Za-z]+))?", re.DOTALL)
_COMMENTS = re.compile(r"--[^\n]*|/\*.*?\*/", re.DOTALL)
_NAME = r'((?:"(?:[^"]|"")+"|[\w$]+)(?:\s*\.\s*(?:"(?:[^"]|"")+"|[\w$]+))?)'
# What PostgreSQL refuses inside a transaction block.
_OUTSIDE = re.compile(
    r"(?:create\s+(?:unique\s+)?index|drop\s+index|reindex\b[^;]*?|refresh\s+materialized\s+view)\s+concurrently\b"
    r"|reindex\s*\([^)]*\bconcurrently\b(?!\s*(?:false|off))[^)]*\)|reindex\s+(?:\([^)]*\)\s*)?(?:database|system|schema)\b"
    r"|alter\s+table\b.*\bdetach\s+partition\b.*\bconcurrently\s*$"
    r"|vacuum\b|cluster\s*$|alter\s+system\b|(?:create|drop)\s+(?:database|tablespace)\b|(?:create|drop)\s+subscription\b",
    re.IGNORECASE | re.DOTALL,
)
_ALLOWED = re.compile(r"refresh\b", re.IGNORECASE)  # REFRESH … CONCURRENTLY may run in a transaction
_INDEX = re.compile(
    rf"create\s+(?:unique\s+)?index\s+concurrently\s+(?:if\s+not\s+exists\s+)?{_NAME}\s+on\s+(?:only\s+)?{_NAME}",
    re.IGNORECASE,
)
_DROPPED = re.compile(
    rf"drop\s+index\s+concurrently\s+(?:if\s+exists\s+)?{_NAME}\s*(?:cascade|restrict)?\s*$", re.IGNORECASE
)
_LAST_SETTING = re.compile(r"set\s+(?!local\b|transaction\b|constraints\b)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Step:
    """A part of a migration.

    Attributes:
        kind: `together` in a transaction; `alone` outside of one, and safe to repeat; `code` outside of one, and not.
        queries: what is sent, in order.
        first: the first statement's place in the migration.
        index: of CREATE INDEX CONCURRENTLY, the names of the index and its table, as written.
        dropped: of DROP INDEX CONCURRENTLY, the name of the index, as written.
    """

    kind: Kind
    queries: tuple[str, ...]
    first: int
    index: tuple[str, str] | None = None
    dropped: str | None = None

    @property
    def settings(self) -> tuple[str, ...]:
        """What it sets for the rest of the session."""
        return tuple(query for query in self.queries if _LAST_SETTING.match(query))


def of(migration: Migration) -> tuple[Step, ...]:
    """The steps of a migration. One that ends no transaction and needs none is one step, sent as Drizzle sends it."""
    if not any(_ends(s.sql) or outside(s.sql) for s in migration.statements):
        return (Step("together", tuple(c for c in migration.chunks if c.strip()), 0),)
    return tuple(_cut(migration.statements))


def ordinary(migration: Migration) -> bool:
    """It can share a transaction with others."""
    return not any(_ends(s.sql) or outside(s.sql) for s in migration.statements)


def outside(sql: str) -> bool:
    """PostgreSQL refuses it inside a transaction."""
    bare = _COMMENTS.sub(" ", sql).strip() if "--" in sql or "/*" in sql else sql
    return _OUTSIDE.match(bare) is not None and _ALLOWED.match(bare) is None


def _ends(sql: str) -> bool:
    first, second = _words(sql)
    if first in {"COMMIT", "END", "BEGIN", "START"}:
        return True
    return first == "ABORT" or (
        first == "ROLLBACK" and not re.search(r"\bto\b", sql, re.IGNORECASE) and second != "PREPARED"
    )


def _words(sql: str) -> tuple[str, str]:
    found = _FIRST.match(sql)
    return (found[1].upper(), (found[2] or "").upper()) if found else ("", "")


def _cut(statements: Sequence[Statement]) -> list[Step]:
    """Follow the file's own BEGIN and COMMIT: Drizzle opened a transaction before it."""
    found: list[Step] = []
    held: list[Statement] = []
    open_ = True

    def close() -> None:
        if held:
            found.append(Step("together", tuple(s.sql for s in held), held[0].index))
            held.clear()

    for statement in statements:
        first, _ = _words(statement.sql)
        if _ends(statement.sql):
            if first in {"ROLLBACK", "ABORT"}:
                held.clear()
            close()
            open_ = first in {"BEGIN", "START"} or bool(re.search(r"\band\s+chain\b", statement.sql, re.IGNORECASE))
        elif outside(statement.sql):
            close()
            found.append(_alone(statement))
        elif not open_ and first in {"CALL", "DO"}:  # its body may commit
            found.append(Step("code", (statement.sql,), statement.index))
        else:
            held.append(statement)
            if not open_:
                close()
    close()
    return found


def _alone(statement: Statement) -> Step:
    bare = _COMMENTS.sub(" ", statement.sql).strip()
    made, dropped = _INDEX.match(bare), _DROPPED.match(bare)
    return Step(
        "alone",
        (statement.sql,),
        statement.index,
        (made[1], made[2]) if made else None,
        dropped[1] if dropped else None,
    )
