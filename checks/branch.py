"""What the judge needs of a database: a place where hostile SQL may run and break things."""

from typing import TYPE_CHECKING, Any, Literal, Protocol

if TYPE_CHECKING:
    import psycopg  # a branch can be on its way before the driver is loaded, which takes longer


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

    @property
    def stopped(self) -> Literal["time", "disk"] | None:
        """Why the branch was killed, if it was: it took too long, or too much room."""
        ...

    @property
    def may_create_roles(self) -> bool:
        """Whether `CREATE ROLE` can work here; on a shared server it fails for reasons that are ours, not the migration's."""
        ...

    def connect(self, *, autocommit: bool = True) -> "psycopg.Connection[tuple[Any, ...]]":
        """Open a session as the branch role: it may create objects, and roles inside a private cluster, and is no superuser."""
        ...
