"""How a repository runs and connects: commands, drivers, and who writes the tracking table."""

from typing import TYPE_CHECKING, Any

from checks.ways.model import Connection, Reading, Unread

if TYPE_CHECKING:
    from checks.ways.reading import audit, observed, read

__all__ = ["Connection", "Reading", "Unread", "audit", "observed", "read"]


def __getattr__(name: str) -> Any:  # noqa: ANN401 - a module's attributes are of any kind
    """The readers need a parser that the checklist does without."""
    if name in {"audit", "observed", "read"}:
        from checks.ways import reading  # noqa: PLC0415 - as said

        return getattr(reading, name)
    raise AttributeError(name)
