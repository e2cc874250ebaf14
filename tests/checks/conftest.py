"""What the tests of catalogs and their differences share."""

from collections.abc import Iterator

import psycopg
import pytest

from bot.branches.embedded import Embedded

SECONDS = 280


@pytest.fixture(scope="module")
def one(branches: Embedded) -> Iterator[psycopg.Connection]:
    """A session that the tests of a module share, each undoing what it does."""
    with branches.branch(seconds=SECONDS) as branch, branch.connect() as session:
        yield _quiet(session)


@pytest.fixture(scope="module")
def superuser(branches: Embedded) -> Iterator[psycopg.Connection]:
    """The same, as who may do anything."""
    with branches.branch(seconds=SECONDS) as branch, branch.admin() as session:
        yield _quiet(session)


def _quiet(session: psycopg.Connection) -> psycopg.Connection:
    session.execute("SET client_min_messages = error")
    return session
