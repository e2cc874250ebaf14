"""Tables that inherit: which columns and checks are their parents' alone, and how they become so.

PostgreSQL makes a column inherited only as it adds it: to a child, because its parent gets it. What leaves its parent
becomes the child's own (ALTER TABLE, "NO INHERIT"). So a table that has to change in this is held by a parent of its own
for a while, which hands down what is to be inherited.
"""

from collections import defaultdict
from collections.abc import Iterator

from checks.catalog import names, spelling
from checks.catalog.code import Trigger
from checks.catalog.model import Catalog, Key, Object
from checks.catalog.statements import casts
from checks.catalog.statements.decisions import Decisions
from checks.catalog.statements.model import Statement
from checks.catalog.tables import Column, Constraint, Table

_Part = Column | Constraint


def settle(done: Decisions) -> list[Key]:
    """Note the tables that have to leave their parents for a while; what of theirs is to be made anew."""
    again: list[Key] = []
    for key in done.dropped & done.created:
        if key[0] == "column" and _own_expression(done, key):
            _leave_and_join(done, ("table", *key[1:3]))
    again += [key for key, found in done.b.objects.items() if _comes_anew(done, key, found)]
    before, after = _parts(done.a), _parts(done.b)
    waiting = [key for key in after if _stays(done, key)]
    children = _children(done)
    while waiting:
        table = waiting.pop()
        pairs = [(before.get(table, {}).get(key), part) for key, part in after[table].items()]
        moves = table in done.detached | done.attached
        if not moves and any(_stuck(was, part) for was, part in pairs):
            _leave_and_join(done, table)
            moves = True
        if not moves or table not in done.attached:
            continue
        handed = {part.key for was, part in pairs if part.inherited and _is_handed(was, part, done)}
        fresh = [key for key in handed - done.handed if key in done.a.objects and key not in done.dropped]
        again += fresh
        done.handed |= handed
        if any(part.inherited for _, part in pairs):
            done.held.add(table)
        if any(key[0] == "column" and key in done.a.objects for key in handed):
            for child in children[table]:
                if child not in done.detached:
                    _leave_and_join(done, child)
                    waiting.append(child)
    return again


def _own_expression(done: Decisions, key: Key) -> bool:
    """A partition computes a column in another way than its parent, or did: it cannot drop it while it is one."""
    table = ("table", *key[1:3])
    before, after = done.a.objects.get(table), done.b.objects.get(table)
    if not isinstance(before, Table) or not isinstance(after, Table) or not before.bound or not after.bound:
        return False
    if {table, *(("table", *parent) for parent in before.parents)} & (done.dropped | done.detached):
        return False
    above = [("column", *parent, key[3]) for parent in before.parents]
    theirs, own = [getattr(done.b.objects.get(each), "expression", "") for each in above], done.b.objects[key]
    return not done.dropped.issuperset(above) or any(each != getattr(own, "expression", "") for each in theirs)


def _comes_anew(done: Decisions, key: Key, found: Object) -> bool:
    """It goes with its parent's, or while its table is apart, and has to be there in the end."""
    was = done.a.objects.get(key)
    if was is None or key in done.dropped:
        return False
    table = ("table", *key[1:3])
    if isinstance(found, Trigger):
        return not found.definition and table in done.attached
    if isinstance(found, Constraint) and isinstance(was, Constraint) and found.contype in "cf":
        whole = done.b.objects.get(table)
        stays = isinstance(whole, Table) and bool(whole.bound) and table not in done.detached
        return stays and was.inherited and not found.inherited
    return False


def _leave_and_join(done: Decisions, table: Key) -> None:
    done.altered.setdefault(table, [])
    for catalog, tables in ((done.a, done.detached), (done.b, done.attached)):
        found = catalog.objects[table]
        if isinstance(found, Table) and found.parents:
            tables.add(table)


def _stays(done: Decisions, key: Key) -> bool:
    """A table on both sides that is no partition: those have nothing of their own."""
    before, after = done.a.objects.get(key), done.b.objects.get(key)
    return (
        isinstance(before, Table)
        and isinstance(after, Table)
        and key not in done.dropped
        and not before.bound
        and not after.bound
    )


def _stuck(was: _Part | None, part: _Part) -> bool:
    """It cannot become what it should be while its table has its parents."""
    if was is None:
        return False
    if part.inherited:
        return not was.inherited
    return was.inherited and (not part.also_here or isinstance(part, Column))


def _is_handed(was: _Part | None, part: _Part, done: Decisions) -> bool:
    if isinstance(part, Constraint) or not isinstance(was, Column) or part.key in done.dropped:
        return True
    return not was.inherited or (was.type, was.collation) != (part.type, part.collation)


def _parts(catalog: Catalog) -> dict[Key, dict[Key, _Part]]:
    """Columns and checks of the tables that inherit, or did."""
    found: dict[Key, dict[Key, _Part]] = defaultdict(dict)
    for key, each in catalog.objects.items():
        if isinstance(each, Column) or (isinstance(each, Constraint) and each.contype == "c"):
            found["table", each.schema, each.table][key] = each
    return found


def _children(done: Decisions) -> dict[Key, list[Key]]:
    found: dict[Key, list[Key]] = defaultdict(list)
    for each in done.a:
        if isinstance(each, Table) and not each.bound and _stays(done, each.key):
            for parent in each.parents:
                found["table", *parent].append(each.key)
    return found


def holder(table: Key) -> str:
    """The name of the table beside it."""
    return names.qualified(table[1], table[2][:50] + "__parent")


def aside(column: str) -> str:
    """The name of a column whose values move over."""
    return names.quoted(column[:50] + "__old")


def hold(done: Decisions, table: Key) -> Iterator[Statement]:
    """Make the parent that keeps inherited what is, and stays so."""
    columns: list[str] = []
    for key, part in done.b.objects.items():
        was = done.a.objects.get(key)
        if (
            isinstance(was, Column)
            and isinstance(part, Column)
            and key[1:3] == table[1:]
            and was.inherited
            and part.inherited
            and key not in done.handed
        ):
            collation = f" COLLATE {was.collation}" if was.collation else ""
            made = (
                f" GENERATED ALWAYS AS (NULL::{was.type}) {spelling.GENERATED[was.generated]}" if was.generated else ""
            )
            filled = " NOT NULL" if was.not_null == part.not_null == "yes" else ""
            columns.append(f"{names.quoted(was.name)} {was.type}{collation}{made}{filled}")
    yield Statement(f"CREATE TABLE {holder(table)} ({', '.join(columns)})", why="a parent for a while")
    yield Statement(f"ALTER TABLE {names.qualified(*table[1:])} INHERIT {holder(table)}")


def let_go(table: Key) -> Iterator[Statement]:
    """The other parents have it now."""
    yield Statement(f"ALTER TABLE {names.qualified(*table[1:])} NO INHERIT {holder(table)}")
    yield Statement(f"DROP TABLE {holder(table)}")


def put_aside(column: Column) -> Statement:
    """Make room for the column that is handed down."""
    table = names.qualified(column.schema, column.table)
    return Statement(f"ALTER TABLE {table} RENAME COLUMN {names.quoted(column.name)} TO {aside(column.name)}")


def hand_down(before: Column | None, after: Column, *, foreign: bool) -> Iterator[Statement]:
    """Add a column to the table beside, and so to the table; take over the values it had, where they are stored here."""
    table, name = names.qualified(after.schema, after.table), names.quoted(after.name)
    collation = f" COLLATE {after.collation}" if after.collation else ""
    made = f" GENERATED ALWAYS AS ({after.expression}) {spelling.GENERATED[after.generated]}" if after.generated else ""
    above = holder(("table", after.schema, after.table))
    yield Statement(f"ALTER TABLE {above} ADD COLUMN {name} {after.type}{collation}{made}")
    if before is not None:
        if not after.generated and not foreign:
            using = casts.using(before, after).removeprefix(" USING ").replace(name, aside(after.name))
            yield Statement(
                f"UPDATE ONLY {table} SET {name} = {using or aside(after.name)}",  # noqa: S608 - names are quoted
                bool(casts.loss(before, after)),
                casts.loss(before, after),
            )
        yield Statement(f"ALTER TABLE {table} DROP COLUMN {aside(after.name)}")
    if after.not_null == "yes":
        yield Statement(f"ALTER TABLE {above} ALTER COLUMN {name} SET NOT NULL")


def hand_down_check(found: Constraint, b: Catalog) -> Iterator[Statement]:
    """Add a check to the table beside, which has to know its columns."""
    above = holder(("table", found.schema, found.table))
    for name in found.columns:
        column = b.objects.get(("column", found.schema, found.table, name))
        if isinstance(column, Column):
            collation = f" COLLATE {column.collation}" if column.collation else ""
            yield Statement(
                f"ALTER TABLE {above} ADD COLUMN IF NOT EXISTS {names.quoted(name)} {column.type}{collation}"
            )
    yield Statement(f"ALTER TABLE {above} ADD CONSTRAINT {names.quoted(found.name)} {found.definition}")
