"""What the judge needs of a database: a place where hostile SQL may run and break things."""

from typing import Any, Protocol

import psycopg


class Branch(Protocol):
    """A PostgreSQL database made for one review and thrown away after it."""

    @property
    def version(self) -> int:
        """`server_version_num`, e.g. 180006."""
        ...

    @property
    def missing_extensions(self) -> frozenset[str]:
        """Extensions the chain asks for and this server does not have (`postgis`)."""
        ...

    def connect(self, *, autocommit: bool = True) -> psycopg.Connection[tuple[Any, ...]]:
        """Open a session as the branch role: it may create objects, and roles inside a private cluster, and is no superuser."""
        ...
