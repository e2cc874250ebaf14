"""What a chain leaves in its session and transaction beside the schema: asked of PostgreSQL in that session, before it ends.

A chain that was built in a session of its own and a chain that goes on in the same session differ in nothing else. What
PostgreSQL keeps and does not tell (settings with a name of one's own, the state of `setseed`, deferred events) the chain's
text is searched for, rather too widely than not.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import psycopg

from checks.drizzle.model import Chain
from checks.errors import CouldNotJudge
from checks.witnesses.wire import IDLE, INTRANS, Wire

ROWS, FUNCTIONS = "rows", "functions"
"""What is left in the database itself: it is felt only by statements that read rows or call functions."""

MOST_LOCKS = 5000
"""Of the 6,400 that a transaction may hold here and on a server with PostgreSQL's own settings."""

_LONGEST = 4_000_000

HIDDEN = re.compile(
    # A setting with a name of one's own is in no view; nor is what a name or a whole statement made of pieces sets.
    r"set_config|\bset(?:\s+(?:local|session))?\s+[\w\"]+\s*\.|setseed|\bset(?:\s+(?:local|session))?\s+\"?seed\b"
    r"|\bexecute\b(?!\s+(?:function|procedure|on)\b)"
    r"|\bset\s+(?:local\s+|session\s+(?:characteristics\s+as\s+)?)?transaction\b|\btransaction_(?:isolation|read_only|deferrable)\b",
    re.IGNORECASE,
)
_DEFERRED = re.compile(r"\bdeferr(?:able|ed)\b|\bconstraint\s+trigger\b", re.IGNORECASE)
_NEW_VALUE = re.compile(r"\badd\s+value\b", re.IGNORECASE)
_SAFE_VALUES = (
    170000  # until 16 a new value of a type that was made in the same transaction and renamed since is refused
)

_START = """
select l.virtualtransaction, session_user::text, current_user::text, current_setting('role'), {shared}
from pg_catalog.pg_locks l where l.pid = pg_catalog.pg_backend_pid() and l.locktype = 'virtualxid'
"""
_SHARED = """
(select pg_catalog.array_agg(s.name || '=' || s.setting order by s.name) from pg_catalog.pg_settings s
 where s.source = 'session' or pg_catalog.left(s.name, 12) = 'transaction_'),
(select pg_catalog.array_agg(d::text order by d.setdatabase, d.setrole) from pg_catalog.pg_db_role_setting d)
"""
# One lock is the virtual transaction's own, and what each question locks for itself is few.
_END = """
with mine as materialized (
  select l.locktype, l.virtualtransaction from pg_catalog.pg_locks l where l.pid = pg_catalog.pg_backend_pid()
)
select (select max(virtualtransaction) from mine), session_user::text, current_user::text, current_setting('role'), {shared},
 (select count(*) from mine), exists (select from mine where locktype = 'advisory'),
 pg_catalog.pg_my_temp_schema() <> 0, exists (select from pg_catalog.pg_prepared_statements),
 exists (select from pg_catalog.pg_cursors c where c.name <> ''),
 exists (select from pg_catalog.pg_listening_channels()),
 exists (select from pg_catalog.pg_constraint where condeferrable)
   or exists (select from pg_catalog.pg_trigger where tgdeferrable),
 exists (select from pg_catalog.pg_sequence where seqcache > 1),
 exists (select from pg_catalog.pg_class c where c.oid >= 16384 and c.relkind in ('r', 'm')
   and c.oid is distinct from pg_catalog.to_regclass(%s) and pg_catalog.pg_relation_size(c.oid) > 0)
   or exists (select from pg_catalog.pg_largeobject_metadata),
 exists (select from pg_catalog.pg_proc p where p.oid >= 16384 and p.prolang <> 13
   and not exists (select from pg_catalog.pg_depend d
     where d.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass and d.objid = p.oid and d.deptype = 'e'))
"""
_WORDS = (
    "advisory locks",
    "temporary objects",
    "prepared statements",
    "cursors",
    "channels",
    "deferred checks",
    "cached sequences",
    ROWS,
    FUNCTIONS,
)
_OF_TRANSACTION = frozenset({"deferred checks"})


@dataclass(frozen=True, slots=True)
class Leftovers:
    """What is left, in words, and how many locks the transaction holds (0: it has ended)."""

    words: frozenset[str]
    locks: int = 0


@dataclass(slots=True)
class Watch:
    """Looks at one session before a chain runs in it and after; `found` is None where it could not look."""

    chain: Chain
    found: Leftovers | None = None
    _began: tuple[Any, ...] = field(default=())

    def begin(self, wire: Wire) -> None:
        """Look before the chain's transaction begins: a look inside would be a query that SET TRANSACTION must come before."""
        self._began = _ask(wire, _START) or ()

    def end(self, wire: Wire) -> None:
        """Look after its last statement, in its transaction where all of it is one. It changes nothing of what comes next."""
        if not self._began:
            return
        together = self.chain.project.transaction == "one"
        if wire.status != (INTRANS if together else IDLE):
            self.found = Leftovers(frozenset({"transaction"}))
            return
        if not together:
            said = _ask(wire, _END, self._table)
        elif wire.execute("savepoint leftovers").failure is None:
            said = _ask(wire, _END, self._table)
            wire.execute("release leftovers" if said else "rollback to leftovers")
        else:
            said = None
        if said:
            self.found = Leftovers(frozenset(self._words(said, together=together)), said[6] if together else 0)

    @property
    def _table(self) -> str:
        return ".".join('"' + name.replace('"', '""') + '"' for name in self.chain.project.table)

    def _words(self, said: tuple[Any, ...], *, together: bool) -> list[str]:
        before, now = self._began, said
        words: list[str] = []
        if together and not _next(str(before[0]), str(now[0])):
            words.append("transaction")
        if before[1:4] != now[1:4] or now[1] != now[2]:
            words.append("role")
        if before[4:6] != now[4:6]:
            words.append("settings")
        words += [
            word
            for word, left in zip(_WORDS, now[7:], strict=True)
            if left and (together or word not in _OF_TRANSACTION)
        ]
        texts = [migration.text for migration in self.chain.migrations]
        if hides(texts):
            words.append("hidden settings")
        if together and any(_DEFERRED.search(text) for text in texts):
            words.append("deferred checks")
        return words


def hides(texts: Sequence[str]) -> bool:
    """Whether SQL may set what no view of PostgreSQL shows; of very long texts that is not asked, but said."""
    return sum(map(len, texts)) > _LONGEST or any(HIDDEN.search(text) for text in texts)


def holds(leftovers: Leftovers, chain: Chain, version: int) -> frozenset[str]:
    """The words that matter for what comes after a chain on a server of that version."""
    new = chain.project.transaction == "one" and version < _SAFE_VALUES
    if new and any(_NEW_VALUE.search(migration.text) for migration in chain.migrations):
        return leftovers.words | {"new values"}
    return leftovers.words


def _next(before: str, now: str) -> bool:
    """Whether a transaction is the very next one of the session: each, however it begins, takes the next number."""
    slot, _, number = before.partition("/")
    return now == f"{slot}/{int(number) + 1}"


def _ask(wire: Wire, query: str, *parameters: str) -> tuple[Any, ...] | None:
    try:
        rows = wire.ask(query.replace("{shared}", _SHARED), parameters)
    except (psycopg.Error, CouldNotJudge):
        return None
    return rows[0] if len(rows) == 1 else None
