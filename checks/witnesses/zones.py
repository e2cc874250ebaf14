"""Whether a change between timestamp with and without time zone was spared its rewrite by the session's TimeZone alone.

https://www.postgresql.org/docs/current/sql-altertable.html says when a type change rewrites; this one depends on the zone,
because the stored values are the same only where local time is UTC.
"""

import re
from collections.abc import Mapping

from checks.witnesses.wire import Wire

_ASKS = re.compile(r"\balter\b.*\btype\s+(?:pg_catalog\.)?\"?timestamp", re.IGNORECASE | re.DOTALL)
_COLUMNS = """
select (attrelid::int8, attnum)::text, attrelid::int8, atttypid::int8, attname::text from pg_catalog.pg_attribute
where atttypid in (1114, 1184) and not attisdropped and attrelid >= 16384
"""

Stamps = Mapping[str, tuple[int, int, str]]


def asks(sql: str) -> bool:
    """Whether a statement may be such a change."""
    return "timestamp" in sql.lower() and _ASKS.search(sql) is not None


def stamps(wire: Wire) -> Stamps:
    """All columns that hold timestamps, with their tables and types."""
    return {key: (table, kind, name) for key, table, kind, name in wire.ask(_COLUMNS)}


def spared(wire: Wire, before: Stamps, rewritten: set[str], names: Mapping[int, str]) -> tuple[str, ...]:
    """One sentence for each column that changed and whose table was not rewritten."""
    after = stamps(wire)
    changed = [
        (names[table], name)
        for key, (table, kind, name) in after.items()
        if key in before and before[key][1] != kind and table in names and names[table] not in rewritten
    ]
    if not changed:
        return ()
    zone = wire.ask("select pg_catalog.current_setting('TimeZone')")[0][0]
    return tuple(
        f"`{table}` is not rewritten for `{name}` only because the session's TimeZone is {zone}; in a zone that is not UTC every row is"
        for table, name in changed
    )
