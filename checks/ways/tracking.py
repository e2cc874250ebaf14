"""Who writes the tracking table: in SQL by PostgreSQL's own tokens, in a replay by its locks."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache

from checks.drizzle import statements
from checks.witnesses import grammar

DEFAULT = ("drizzle", "__drizzle_migrations")
DROPS_SCHEMA = re.compile(rb"\bdrop\s+schema\b", re.IGNORECASE)
"""The schema of the tracking table may go, and the table with it."""
_DEFAULT = DEFAULT[1].encode()
_WRITING = frozenset(
    {
        "RowExclusiveLock",
        "ShareUpdateExclusiveLock",
        "ShareLock",
        "ShareRowExclusiveLock",
        "ExclusiveLock",
        "AccessExclusiveLock",
    }
)
_SKIPPED = frozenset(
    {"only", "table", "if", "not", "exists", "concurrently", "foreign", "unlogged", "temp", "temporary"}
)
_DEEPEST = 4


@dataclass(frozen=True, slots=True)
class Write:
    """A statement that writes the tracking table: `INSERT INTO drizzle.__drizzle_migrations`."""

    action: str
    table: str


@dataclass(frozen=True, slots=True)
class Placed:
    """A write and its place; `statement` is its 0-based index in a migration."""

    write: Write
    line: int
    end_line: int
    statement: int | None = None
    key: str = ""


def writes(sql: str, table: tuple[str, str], depth: int = 0) -> list[Write]:
    """The writes that a text makes to the tracking table, in function bodies and DO blocks too.

    The text need not be whole or right: its tokens are read, not its tree. Strings and comments are no tokens of it.
    """
    if table[1].lower() not in sql.lower() and DEFAULT[1] not in sql.lower() and table[0].lower() not in sql.lower():
        return []
    found: list[Write] = []
    words = grammar.tokens(sql)
    lowered = [w if w[:1] in "\"'$" else w.lower() for w in words]
    for i, word in enumerate(lowered):
        if word.startswith("$") and len(word) > 4 and word.endswith("$") and depth < _DEEPEST:
            found += writes(_undollared(words[i]), table, depth + 1)
        elif word.startswith("'") and i and lowered[i - 1] == "execute" and depth < _DEEPEST:
            found += writes(words[i][1:-1].replace("''", "'"), table, depth + 1)
        else:
            found += [
                Write(action, ".".join(name))
                for action, name in _targets(lowered, i)
                if is_tracking(name, action, table)
            ]
    return list(dict.fromkeys(found))


def in_sql(text: str, table: tuple[str, str]) -> list[Placed]:
    """The writes in an SQL file, each with its statement."""
    found: list[Placed] = []
    for statement in statements.split(text)[1]:
        for write in writes(statement.sql, table):
            key = " ".join(grammar.tokens(statement.sql)).lower()[:500]
            found.append(Placed(write, statement.line, statement.end_line, statement.index, key))
    return found


def locked(relations: Sequence[tuple[str, str]], table: tuple[str, str]) -> bool:
    """Whether locks (relation, mode) that were observed show a write to the tracking table."""
    return any(relation == ".".join(table) and mode in _WRITING for relation, mode in relations)


def named(table: tuple[str, str], data: bytes) -> bool:
    """Whether TypeScript names the table: a quick look, as it is written."""
    if _DEFAULT in data or (table[1] != DEFAULT[1] and table[1].encode() in data):
        return True
    return (b"SCHEMA" in data or b"schema " in data) and DROPS_SCHEMA.search(data) is not None


@cache
def needle(table: tuple[str, str]) -> re.Pattern[bytes]:
    """What a file must contain to matter."""
    words = {table[1], DEFAULT[1]}
    return re.compile(b"|".join(re.escape(w.encode()) for w in sorted(words)), re.IGNORECASE)


def _undollared(word: str) -> str:
    tag = word[: word.index("$", 1) + 1]
    return word.removeprefix(tag).removesuffix(tag)


def _targets(words: Sequence[str], i: int) -> Iterator[tuple[str, tuple[str, ...]]]:  # noqa: C901 - one case a verb
    before = words[i - 1] if i else ""
    after = words[i + 1] if i + 1 < len(words) else ""
    match words[i]:
        case "insert" | "merge" if after == "into":
            yield from _names(f"{words[i]} into".upper(), words, i + 2, most=1)
        case "delete" if after == "from":
            yield from _names("DELETE FROM", words, i + 2, most=1)
        case "update" if before not in {"for", "do", "on", "key"}:
            yield from _names("UPDATE", words, i + 1, most=1)
        case "truncate":
            yield from _names("TRUNCATE", words, i + 1)
        case "copy":
            names = list(_names("COPY", words, i + 1, most=1))
            if "from" in words[i + 1 : i + 60] and "to" not in words[i + 1 : i + 5]:
                yield from names
        case "drop" | "alter" | "create" if after in {"table", "unlogged", "foreign"}:
            yield from _names(f"{words[i]} table".upper(), words, i + 2, most=20 if words[i] == "drop" else 1)
        case "drop" if after == "schema":
            yield from _names("DROP SCHEMA", words, i + 2)
        case "create" | "drop" | "alter" if after in {
            "index",
            "unique",
            "trigger",
            "policy",
            "rule",
            "constraint",
            "or",
        }:
            on = next((j for j in range(i + 2, min(i + 12, len(words))) if words[j] == "on"), None)
            if on is not None:
                kind = next((w for w in words[i + 1 : on] if w in {"index", "trigger", "policy", "rule"}), "")
                if kind:
                    yield from _names(f"{words[i]} {kind} on".upper(), words, on + 1, most=1)
        case _:
            return


def _names(action: str, words: Sequence[str], i: int, most: int = 20) -> Iterator[tuple[str, tuple[str, ...]]]:
    for _ in range(most):
        while i < len(words) and words[i] in _SKIPPED:
            i += 1
        name: list[str] = []
        while i < len(words) and (words[i][:1] == '"' or words[i][:1].isalpha() or words[i][:1] == "_"):
            if words[i][:1] == '"':
                name.append(words[i][1:-1].replace('""', '"'))
            else:  # a text that the scanner gave up on comes in words between white space
                name.extend(words[i].rstrip(";,)").split("."))
            i += 1
            if i >= len(words) or words[i] != ".":
                break
            i += 1
        if name:
            yield action, tuple(name)
        if i >= len(words) or words[i] != ",":
            return
        i += 1


def is_tracking(name: tuple[str, ...], action: str, table: tuple[str, str]) -> bool:
    """Whether a name means the tracking table (for DROP SCHEMA: its schema)."""
    if not name:
        return False
    last = name[len(name) - 1]
    if action == "DROP SCHEMA":
        return last == table[0] and table[0] != "public"
    for schema, own in (table, DEFAULT):
        if last == own and (name[-2] == schema if len(name) > 1 else (schema == "public" or own == DEFAULT[1])):
            return True
    return last == DEFAULT[1]
