"""What could not be resolved, collected while a schema is assembled."""

from checks.schema.model import Unresolved
from checks.schema.sqltext import Lost
from checks.typescript.values import Site, Unknown, Value


class Notes:
    """A list of things that are not known, each once."""

    def __init__(self) -> None:
        self._found: dict[tuple[str, int, str, str], Unresolved] = {}

    def add(self, unknown: Unknown, what: str, table: str | None = None, column: str | None = None) -> None:
        """Note that `what` is open because of `unknown`."""
        key = (unknown.path, unknown.line, unknown.why, what)
        self._found.setdefault(key, Unresolved(*key, table, column))

    def refused(self, site: Site, why: str, what: str, table: str | None = None, column: str | None = None) -> None:
        """Note that drizzle-kit itself would not take it, or we cannot say what it would make of it."""
        self.add(site.unknown(why), what, table, column)

    def all(self) -> tuple[Unresolved, ...]:
        """Everything, by place."""
        return tuple(sorted(self._found.values(), key=lambda u: (u.path, u.line, u.what)))


def known_text(value: Value, site: Site) -> str:
    """The value as a text.

    Raises:
        Lost: it is none, or it is not known.
    """
    if isinstance(value, str):
        return value
    raise Lost(value if isinstance(value, Unknown) else site.unknown("is not a text"))
