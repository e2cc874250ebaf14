"""States of a database that a test looks at and undoes: everything happens in one transaction, rolled back."""

import contextlib
from collections.abc import Iterator

import psycopg

from checks.catalog import difference, read, statements
from checks.catalog.model import Catalog

Session = psycopg.Connection[tuple[object, ...]]


@contextlib.contextmanager
def undone(session: Session) -> Iterator[Session]:
    """Whatever happens inside is rolled back."""
    with session.transaction(force_rollback=True):
        yield session


def state(session: Session, sql: str) -> Catalog:
    """The catalog that `sql` makes."""
    with undone(session):
        if sql.strip():
            session.execute(sql.encode())
        return read.read(session)


def arrive(session: Session, a: str, b: str) -> list[statements.Statement]:
    """The difference from `a` to `b`, which must lead there and leave nothing to do."""
    wanted = state(session, b)
    with undone(session):
        if a.strip():
            session.execute(a.encode())
        start = read.read(session)
        found = statements.sql(start, wanted)
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
