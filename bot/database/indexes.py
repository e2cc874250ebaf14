"""What CREATE and DROP INDEX CONCURRENTLY leave behind when they are stopped: found, told from what is whole, removed."""

from psycopg import sql

from bot.database.steps import Step
from bot.database.target import Session

# The index by its name, in the schema of its table; regclass reads names as SQL does.
_FOUND = """
select i.indexrelid::regclass::text, i.indisvalid from pg_catalog.pg_index i
join pg_catalog.pg_class c on c.oid = i.indexrelid
where i.indrelid = pg_catalog.to_regclass(%s) and c.relname = (pg_catalog.parse_ident(%s))[1]
"""
_LEFT = """
select i.indexrelid::regclass::text from pg_catalog.pg_index i join pg_catalog.pg_class c on c.oid = i.indexrelid
where not i.indisvalid and c.relkind = 'i' and c.relname ~ '_cc(new|old)[0-9]*$'
"""


def done(session: Session, step: Step) -> bool:
    """What the step was to do is there already, and whole."""
    if step.index is not None:
        row = session.execute(_FOUND, (step.index[1], step.index[0])).fetchone()
        return row is not None and bool(row[1])
    if step.dropped is not None:
        row = session.execute("select pg_catalog.to_regclass(%s) is null", (step.dropped,)).fetchone()
        return row is not None and bool(row[0])
    return False


def clean(session: Session, step: Step) -> None:
    """Remove the invalid index that an earlier, stopped attempt left: a retry would fail on its name, or keep it."""
    left: list[str] = []
    if step.index is not None:
        rows = session.execute(_FOUND, (step.index[1], step.index[0])).fetchall()
        left = [name for name, valid in rows if not valid]
    elif step.queries[0].lstrip()[:7].lower() == "reindex":
        left = [name for (name,) in session.execute(_LEFT).fetchall()]
    for name in left:
        session.execute(sql.SQL("drop index concurrently if exists {}").format(sql.SQL(name)))  # pyright: ignore[reportArgumentType] - as regclass quotes it
