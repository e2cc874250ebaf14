"""What is so after any attack."""

from contextlib import contextmanager

import psycopg
import pytest


@contextmanager
def attacker(branch):
    """A session as hostile SQL gets it; whatever it did, it is no superuser and belongs to no role that reaches out."""
    with branch.connect() as session:
        yield session
        unchanged(session)


def unchanged(session):
    """The role is no superuser, and belongs to no role that reaches out of the cluster."""
    session.rollback()
    session.execute("RESET SESSION AUTHORIZATION")
    assert session.execute("SELECT rolsuper, rolreplication FROM pg_roles WHERE rolname = session_user").fetchone() == (
        False,
        False,
    )
    reaching = session.execute(
        "SELECT rolname FROM pg_roles WHERE pg_has_role(session_user, oid, 'MEMBER') AND (rolsuper OR rolname ~ '^pg_(exec|.*files)')"
    ).fetchall()
    assert reaching == []


def refused(session, sql, *states):
    """The statement fails, for want of rights unless other states are named."""
    with pytest.raises(psycopg.Error) as caught:
        session.execute(sql)
    assert caught.value.sqlstate in (states or ("42501",)), caught.value
