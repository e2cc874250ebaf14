"""States of a database that a test looks at and undoes: everything happens in one transaction, rolled back."""

import contextlib
from collections.abc import Iterator
from weakref import WeakKeyDictionary

import psycopg

from checks.catalog import difference, read, statements
from checks.catalog.model import Catalog

Session = psycopg.Connection[tuple[object, ...]]
NEWEST = 180000
_MOST = 64
_kept: WeakKeyDictionary[Session, dict[str, Catalog]] = WeakKeyDictionary()
_UNKNOWN = {"42601", "0A000", "22023"}  # words, features and parameters that came later


@contextlib.contextmanager
def undone(session: Session) -> Iterator[Session]:
    """Whatever happens inside is rolled back."""
    with session.transaction(force_rollback=True):
        yield session


def state(session: Session, sql: str) -> Catalog:
    """The catalog that `sql` makes; read once of a session that is where it began."""
    kept = _kept.setdefault(session, {})
    fresh = session.info.transaction_status is psycopg.pq.TransactionStatus.IDLE
    if fresh and sql in kept:
        return kept[sql]
    with undone(session):
        if sql.strip():
            session.execute(sql.encode())
        found = read.read(session)
    if fresh:
        kept[sql] = found
        for old in list(kept)[:-_MOST]:
            del kept[old]
    return found


def unknown_here(session: Session, error: psycopg.Error) -> bool:
    """Whether an older server refuses what it does not know yet; then there is no state, and nothing to tell of it."""
    return session.info.server_version < NEWEST and error.sqlstate in _UNKNOWN


def known_here(session: Session, *states: str) -> bool:
    """Whether this server knows all that makes these states; the newest has to."""
    try:
        for sql in states:
            state(session, sql)
    except psycopg.Error as error:
        if not unknown_here(session, error):
            raise
        return False
    return True


def arrive(session: Session, a: str, b: str) -> list[statements.Statement]:
    """The difference from `a` to `b`, which must lead there and leave nothing to do."""
    start, wanted = state(session, a), state(session, b)
    found = statements.sql(start, wanted)
    with undone(session):
        if a.strip():
            session.execute(a.encode())
        for statement in found:
            try:
                session.execute(statement.sql.encode())
            except psycopg.Error as error:
                raise AssertionError(f"{error}\nat: {statement.sql}\nin:\n{statements.text(found)}") from error
        got = read.read(session)
    left = difference.unified(wanted, got, before="wanted", after="got")
    assert difference.equal(got, wanted), f"{left}\nafter:\n{statements.text(found)}"
    assert statements.sql(got, wanted) == []
    return found
