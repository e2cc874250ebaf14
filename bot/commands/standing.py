"""What comments say that still stands: waivers, approvals, forced merges. Pure; GitHub is the memory.

A command that took effect is answered by a reply of ours that holds a record, unseen. It stands as long as the comment that
gave it and our reply are there and unedited, and, for a waiver or an approval, as long as what it is about is as it was.
"""

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal, Protocol, cast

from bot import replies
from checks.drizzle.model import Migration
from checks.facts import Place
from checks.report import Finding, MigrationReport, Report
from checks.tree import Tree
from checks.waivers import ALL_HISTORY, HISTORY, Waiver

Kind = Literal["waive", "unwaive", "approve", "force"]

_RECORD = re.compile(r"<!-- bulletproof-record (\{[^\n]{1,20000}\}) -->")
_GONE = "gone:"

LONGEST = 19_000
"""Characters of a record; a longer one is not read."""

MOST = 500
"""Records that are looked at, the latest: nobody reads so many, and a flood of comments stays cheap."""


class Said(Protocol):
    """A comment, as far as it matters here."""

    @property
    def id(self) -> int: ...  # noqa: D102 - GitHub's
    @property
    def author(self) -> str: ...  # noqa: D102
    @property
    def body(self) -> str: ...  # noqa: D102
    @property
    def edited(self) -> bool: ...  # noqa: D102


@dataclass(frozen=True, kw_only=True, slots=True)
class Granted:
    """A waiver that somebody gave in a comment.

    Attributes:
        bound: marks of the statements and files that it excuses, as they were.
        comment: the id of the comment.
    """

    rule: str
    reason: str
    by: str
    until: str | None
    bound: tuple[str, ...]
    comment: int


def record(kind: Kind, comment: Said, **fields: Any) -> str:  # noqa: ANN401 - JSON
    """What our reply holds, so that the command is remembered."""
    told = json.dumps({"kind": kind, "comment": comment.id, "by": comment.author, **fields})
    return f"<!-- bulletproof-record {told.replace('<', chr(92) + 'u003c').replace('>', chr(92) + 'u003e')} -->"


def waivers(comments: Sequence[Said], own: str, today: date) -> list[Granted]:
    """The waivers that stand, the oldest first.

    Args:
        comments: all of the pull request, the oldest first.
        own: our login.
        today: a waiver stands on the day of its end, and not after it.
    """
    found: list[Granted] = []
    for each in _records(comments, own):
        rule = str(each.get("rule", ""))
        if each["kind"] == "unwaive":
            found = [w for w in found if w.rule != rule]
        elif each["kind"] == "waive":
            until = each.get("until")
            if isinstance(until, str) and until < today.isoformat():
                continue
            bound = tuple(str(b) for b in cast("list[Any]", each.get("bound") or []))
            found.append(
                Granted(
                    rule=rule,
                    reason=str(each.get("reason", "")),
                    by=str(each["by"]),
                    until=until if isinstance(until, str) else None,
                    bound=bound,
                    comment=int(each["comment"]),
                )
            )
    return found


def approvals(comments: Sequence[Said], own: str, mark: str) -> tuple[str, ...]:
    """Who approved the migrations as they are now (`mark_of`)."""
    names = (str(r["by"]) for r in _records(comments, own) if r["kind"] == "approve" and r.get("mark") == mark)
    return tuple(dict.fromkeys(names))


def approved(comments: Sequence[Said], own: str) -> list[tuple[str, str]]:
    """Every approval: the mark of the SQL that was approved, and who approved it."""
    given = ((str(r.get("mark")), str(r["by"])) for r in _records(comments, own) if r["kind"] == "approve")
    return list(dict.fromkeys(given))


def forced(comments: Sequence[Said], own: str, head: str, base: str) -> tuple[str, str] | None:
    """Who forced this very head onto this very base, and why."""
    for each in reversed(_records(comments, own)):
        if each["kind"] == "force" and (each.get("head"), each.get("base")) == (head, base):
            return str(each["by"]), str(each.get("reason", ""))
    return None


def _records(comments: Sequence[Said], own: str) -> list[dict[str, Any]]:
    """The records of commands whose comments are there and as they were."""
    there = {c.id: c for c in comments if not c.edited}
    found: list[dict[str, Any]] = []
    for reply in comments:
        if reply.author != own or reply.edited or reply.body.startswith(replies.MARKER):
            continue  # the comment of the review is edited in place and quotes what pull requests hold
        for match in _RECORD.finditer(reply.body):
            try:
                value = json.loads(match[1])
            except (ValueError, RecursionError):
                continue
            given = there.get(value.get("comment"))
            if given is not None and given.author == value.get("by") and given.author != own:
                found.append(value)
    return found[-MOST:]


# -- what a waiver is about -----------------------------------------------------------------------------------------------


def rules_of(name: str) -> tuple[str, ...]:
    """The rules that a waiver of this name is about."""
    return tuple(sorted(HISTORY)) if name == ALL_HISTORY else (name,)


def bindings(report: Report, rule: str, tree: Tree | None) -> list[str]:
    """Marks of all that findings of a rule are about, as it is now; empty where there are none."""
    about = rules_of(rule)
    statements = {(m.path, s.index): s.sql for m in report.migrations for s in m.statements}
    return list(dict.fromkeys(filter(None, (_bound(f, statements, tree) for f in report.findings if f.rule in about))))


def _bound(finding: Finding, statements: dict[tuple[str, int], str], tree: Tree | None) -> str | None:
    if finding.statement is not None and (finding.path, finding.statement) in statements:
        return _of_statement(statements[finding.path, finding.statement])
    if tree is not None and tree.entry(finding.path) is None:  # deleted, as by a squash: excused while it stays so
        return f"{_GONE}{finding.path}"
    content = tree.read(finding.path) if tree is not None else None
    return None if content is None else _of_file(finding.path, content)


def placed(granted: Iterable[Granted], migrations: Iterable[Migration], tree: Tree) -> Iterator[Waiver]:
    """The waivers as the review takes them: each on what it excuses, where that is still as it was.

    Args:
        granted: what stands in the comments.
        migrations: those that head adds or changes.
        tree: head's files.
    """
    at: dict[str, list[Place]] = {}
    for m in migrations:
        for s in m.statements:
            place = Place(path=m.path, line=s.line, end_line=s.end_line, migration=m.tag, statement=s.index)
            at.setdefault(_of_statement(s.sql), []).append(place)
    for each in granted:
        for mark in each.bound:
            places = at.get(mark, [])
            if mark.startswith("file:"):
                path = mark.split(":", 2)[2]
                content = tree.read(path)
                places = [Place(path=path)] if content is not None and _of_file(path, content) == mark else []
            if mark.startswith(_GONE):
                path = mark.removeprefix(_GONE)
                places = [Place(path=path)] if tree.entry(path) is None else []
            for place in places:
                for rule in rules_of(each.rule):
                    yield Waiver(
                        rule=rule,
                        reason=each.reason,
                        by=each.by,
                        until=each.until,
                        place=place,
                        first=place.statement is None,
                    )


def mark_of(report: Report) -> str:
    """A mark of all SQL that a pull request brings; another statement, another mark. Names and numbers do not matter."""
    return mark(report.migrations)


def mark(migrations: Iterable[MigrationReport]) -> str:
    """The same, of the migrations alone."""
    digest = hashlib.sha256()
    for migration in migrations:
        for statement in migration.statements:
            digest.update(statement.sql.encode("utf-8", "surrogateescape") + b"\0")
        digest.update(b"\1")
    return digest.hexdigest()[:32]


def _of_statement(sql: str) -> str:
    return f"sql:{hashlib.sha256(sql.encode('utf-8', 'surrogateescape')).hexdigest()[:32]}"


def _of_file(path: str, content: bytes) -> str:
    return f"file:{hashlib.sha256(content).hexdigest()[:32]}:{path}"
