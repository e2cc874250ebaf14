"""The packages that open a connection to PostgreSQL, and what in them does."""

from collections.abc import Iterable
from functools import lru_cache

# package → (family, the names that open a connection; `default` is the default export, `*` any use at all)
_PACKAGES: dict[str, tuple[str, frozenset[str]]] = {
    "@neondatabase/serverless": ("neon", frozenset({"neon", "Pool", "Client"})),
    "@neon/serverless": ("neon", frozenset({"neon", "Pool", "Client"})),
    "drizzle-orm/neon-http": ("neon", frozenset({"drizzle"})),
    "drizzle-orm/neon-serverless": ("neon", frozenset({"drizzle"})),
    "drizzle-orm/neon": ("neon", frozenset({"drizzle"})),
    "pg": ("node-postgres", frozenset({"Pool", "Client"})),
    "pg-native": ("node-postgres", frozenset({"default"})),
    "pg-pool": ("node-postgres", frozenset({"default"})),
    "pg-promise": ("pg-promise", frozenset({"default"})),
    "drizzle-orm/node-postgres": ("node-postgres", frozenset({"drizzle"})),
    "postgres": ("postgres-js", frozenset({"default"})),
    "drizzle-orm/postgres-js": ("postgres-js", frozenset({"drizzle"})),
    "@vercel/postgres": ("vercel", frozenset({"createPool", "createClient", "sql", "db"})),
    "drizzle-orm/vercel-postgres": ("vercel", frozenset({"drizzle"})),
    "drizzle-orm/aws-data-api/pg": ("aws-data-api", frozenset({"drizzle"})),
    "drizzle-orm/bun-sql": ("bun-sql", frozenset({"drizzle"})),
    "drizzle-orm/xata-http": ("xata", frozenset({"drizzle"})),
    "slonik": ("slonik", frozenset({"createPool"})),
}
IMPLICIT = frozenset({"sql", "db"})  # of @vercel/postgres: any use opens the pool
NAMES = tuple(sorted({name for _, names in _PACKAGES.values() for name in names if name != "default"}))


def family(package: str) -> str | None:
    """Which driver a package belongs to: two packages of one family are one way to connect."""
    found = _entry(package)
    return None if found is None else found[0]


def openers(package: str) -> frozenset[str]:
    """The exports of a package that open a connection."""
    found = _entry(package)
    return frozenset() if found is None else found[1]


def is_driver(package: str) -> bool:
    """Whether a package opens connections to PostgreSQL."""
    return _entry(package) is not None


def under(package: str, names: Iterable[str]) -> str | None:
    """The one of `names` that a package is, or is a part of (`pg/lib/client` is of `pg`)."""
    return next((name for name in names if package == name or package.startswith(name + "/")), None)


def packages() -> tuple[str, ...]:
    """Every package known here."""
    return tuple(_PACKAGES)


@lru_cache(maxsize=4096)
def _entry(package: str) -> tuple[str, frozenset[str]] | None:
    found = _PACKAGES.get(package)
    if found is None and not package.startswith("drizzle-orm/"):
        name = under(package, ("pg", "postgres", "@neondatabase/serverless", "@vercel/postgres"))
        found = _PACKAGES.get(name) if name else None
    return found
