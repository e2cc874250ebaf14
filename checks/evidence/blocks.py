"""What stands as plain SQL in a block of code and, by the locks that it took, ran."""

import re
from collections.abc import Iterator

from checks.witnesses import clauses as c
from checks.witnesses import grammar, text
from checks.witnesses.model import Observation

_LONGEST = 20_000
_BODY = re.compile(r"(?P<quote>\$\w*\$)(?P<body>.*)(?P=quote)", re.DOTALL)
_SQL = r"(?:update|delete\s+from|merge\s+into|truncate|alter\s+table|alter\s+policy|create\s+policy|grant|with)\b"
_STATEMENT = re.compile(rf"(?:^|[;\n]|\b(?:begin|then|else|loop)\b)\s*(?P<sql>{_SQL}[^;]*);", re.IGNORECASE)
_EXECUTED = re.compile(rf"\bexecute\s+'(?P<sql>\s*{_SQL}(?:[^']|'')*)'\s*;", re.IGNORECASE)
_COMMENT = re.compile(r"--[^\n]*|/\*.*?\*/", re.DOTALL)
# The locks one of which such a statement cannot do without.
_ALL = frozenset({"AccessExclusiveLock"})
_TRIGGERS = _ALL | {"ShareRowExclusiveLock", "ExclusiveLock"}
_ROWS = _TRIGGERS | {"RowExclusiveLock", "ShareUpdateExclusiveLock", "ShareLock"}
_NEEDS: dict[type, frozenset[str]] = {
    c.Dml: _ROWS,
    c.Truncate: _ALL,
    c.Rls: _ALL,
    c.AlterPolicy: _ALL,
    c.Rename: _ALL,
    c.Trigger: _TRIGGERS,
}


def clauses(sql: str, observation: Observation) -> Iterator[c.Clause]:
    """The clauses of a DO block's own statements that the schema afterwards does not show."""
    body = _BODY.search(sql)
    if body is None or len(sql) > _LONGEST:
        return
    plain = _COMMENT.sub(" ", body["body"])
    for pattern in (_STATEMENT, _EXECUTED):
        for found in pattern.finditer(plain):
            statement = found["sql"].replace("''", "'") if pattern is _EXECUTED else found["sql"]
            if len(grammar.split(statement)) != 1:
                continue
            for clause in text.read(statement).clauses:
                if isinstance(clause, c.Grant) or _ran(clause, observation):
                    yield clause


def _ran(clause: c.Clause, observation: Observation) -> bool:
    """Its table is locked as it would lock it."""
    needs = _NEEDS.get(type(clause))
    tables = clause.tables if isinstance(clause, c.Truncate) else (getattr(clause, "table", ""),)
    return needs is not None and all(_locked(table, needs, observation) for table in tables)


def _locked(table: str, needs: frozenset[str], observation: Observation) -> bool:
    taken = {lock.mode for lock in observation.locks if lock.relation == table}
    return not needs.isdisjoint(taken | {observation.held.mode(table)})
