"""Asks the deployed databases that a policy names how many rows their tables hold; what it may not or cannot ask is a note."""

import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from checks.errors import CouldNotJudge, UserError
from checks.policy.model import EnvironmentSection

LARGE = 1_000_000
"""Rows from which on a table is large: to rewrite or scan it takes seconds, during which others wait."""
_OURS = "BULLETPROOF_"
_SECONDS = 5
_MOST = 10
_ROWS = """
SELECT n.nspname::text, c.relname::text, greatest(c.reltuples, s.n_live_tup, 0)::int8
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_catalog.pg_stat_all_tables s ON s.relid = c.oid
WHERE c.relkind IN ('r', 'p', 'm') AND greatest(c.reltuples, s.n_live_tup, 0) >= %s
"""
"""The planner's estimate and the statistics' count; both cost nothing to read. A partitioned table's own estimate comes from ANALYZE."""


@dataclass(frozen=True, slots=True)
class Counted:
    """What the environments say.

    Attributes:
        large: rows of tables that are large in one of them, by `schema.name`; the greatest count.
        notes: environments that were not asked, in sentences.
    """

    large: Mapping[str, int] = field(default_factory=dict[str, int])
    notes: Sequence[str] = ()


def count(named: Mapping[str, EnvironmentSection]) -> Counted:
    """Count in all of them at once. Nothing here changes a verdict by failing, and no address is ever shown."""
    if not named:
        return Counted()
    asked = [(name, said.url_env) for name, said in named.items()][:_MOST]
    with ThreadPoolExecutor(len(asked), "environments") as beside:
        answers = list(beside.map(_count, asked))
    large: dict[str, int] = {}
    notes = [answer for answer in answers if isinstance(answer, str)]
    for answer in answers:
        if not isinstance(answer, str):
            for table, rows in answer.items():
                large[table] = max(rows, large.get(table, 0))
    if len(named) > _MOST:
        notes.append(f"Only the first {_MOST} environments of the policy file were asked how large their tables are.")
    return Counted(large, notes)


def _count(asked: tuple[str, str]) -> Mapping[str, int] | str:
    """Rows by table, or the sentence that says why they are not known."""
    name, variable = asked
    unknown = f"How large the tables of the environment `{name}` are is not known:"
    if variable.upper().startswith(_OURS):
        return f"{unknown} `{variable}` is a setting of the service, not an environment's address."
    url = os.environ.get(variable)
    if not url:
        return f"{unknown} `{variable}` is not set here."
    import psycopg  # noqa: PLC0415 - only where an environment is named

    from bot.database import target  # noqa: PLC0415

    try:
        given = target.of(url).parameters
        where = target.Target({"connect_timeout": str(_SECONDS), **given})
        with where.connect(autocommit=False) as session:  # what is set ends with the transaction, behind poolers too
            session.execute("SET TRANSACTION READ ONLY")
            session.execute("SET LOCAL search_path = ''")
            session.execute("SELECT pg_catalog.set_config('statement_timeout', %s, true)", [f"{_SECONDS}s"])
            found = session.execute(_ROWS, [LARGE]).fetchall()
    except (psycopg.Error, CouldNotJudge):  # whose words name the host, and a comment may be public
        return f"{unknown} the database did not answer."
    except UserError as error:
        return f"{unknown} {error}"
    return {f"{schema}.{table}": rows for schema, table, rows in found}
