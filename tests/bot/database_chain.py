"""A chain of four migrations, and whether rows and schema agree on it."""

from bot.branches.embedded import EmbeddedBranch
from tests.bot.database_samples import BREAK, rows

STEPS = BREAK.join(
    (
        "CREATE TABLE s1(x int)", "CREATE INDEX CONCURRENTLY s2 ON s1 (x)", "CREATE TABLE s3()", "COMMIT",
        "CREATE TABLE s4()", "CREATE TABLE s5()", "DROP INDEX CONCURRENTLY s2", "CREATE INDEX CONCURRENTLY s6 ON s1 (x)",
    )
)  # fmt: skip


TEXTS = (
    "CREATE TABLE a1();" + BREAK + "CREATE TABLE a2();",
    "CREATE TABLE b1();" + BREAK + "CREATE TABLE b2();",
    STEPS,
    "CREATE TABLE c1();" + BREAK + "CREATE TABLE c2();",
)


def names(branch: EmbeddedBranch) -> set[str]:
    with branch.connect() as session:
        found = session.execute(
            "select c.relname::text from pg_class c left join pg_index i on i.indexrelid = c.oid "
            "where c.relnamespace = 'public'::regnamespace and coalesce(i.indisvalid, true)"
        ).fetchall()
    return {name for (name,) in found}


def recorded(branch: EmbeddedBranch) -> list[int]:
    with branch.connect() as session:
        there = session.execute("select to_regclass('drizzle.__drizzle_migrations')").fetchone()
    if there is None or there[0] is None:
        return []
    return [(when - 1_700_000_000_000) // 1000 for (when,) in rows(branch, "created_at")]
