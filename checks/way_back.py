"""The way back from a plan: what does not come back with it, and what it takes out of the tracking table."""

import re
from collections.abc import Iterable, Iterator

from checks.catalog import difference, names, part
from checks.catalog.difference import Change
from checks.catalog.model import Catalog
from checks.catalog.statements import casts
from checks.catalog.tables import Column, Constraint, Table
from checks.catalog.types import Enum, Sequence
from checks.drizzle.plan import Plan
from checks.witnesses import grammar

_WRITES = {"insert_stmt": "INSERT", "update_stmt": "UPDATE", "delete_stmt": "DELETE", "merge_stmt": "MERGE"}
_OPAQUE = {"do_stmt": "the DO block", "call_stmt": "the procedure", "copy_stmt": "COPY"}
_NAME_BYTES = 63
_PLAIN = re.compile(
    r"CREATE\s+(?:TABLE|TYPE|SCHEMA|SEQUENCE|(?:UNIQUE\s+)?INDEX)\b|ALTER\s+(?:TABLE|TYPE|SEQUENCE|INDEX)\b"
    r"|DROP\s+(?:TABLE|TYPE|SCHEMA|SEQUENCE|INDEX)\b|COMMENT\s+ON\b",
    re.IGNORECASE,
)
_ASKS = re.compile(
    r"\bIF\s+(?:NOT\s+)?EXISTS\b|\bAS\s+(?:SELECT|TABLE|EXECUTE|WITH|VALUES)\b|\bLIKE\b|\bCASCADE\b", re.IGNORECASE
)


def irreversible(before: Catalog, after: Catalog, plan: Plan) -> Iterator[str]:
    """What does not come back with the way back, and the statement that saves it beforehand."""
    changes = difference.changes(before, after)
    before, after = part.of(before, after)
    gone = {change.key[1:3] for change in changes if isinstance(change.before, Table) and change.after is None}
    for change in changes:
        yield from _lost(change, before, gone)
    for change in changes:
        if isinstance(change.before, Enum) and isinstance(change.after, Enum):
            yield from _labels(change.before, change.after, after)
    born = {f"{key[1]}.{key[2]}" for key in after.objects if key[0] == "table" and key not in before.objects}
    yield from _written(plan, born)


def _lost(change: Change, before: Catalog, gone: set[tuple[str, ...]]) -> Iterator[str]:
    old, new = change.before, change.after
    if isinstance(old, Table) and new is None and old.relkind == "r":
        table = _name(old.schema, old.name)
        yield f"the rows of `{table}` (save them: CREATE TABLE {_saved(old.schema, old.name)} AS TABLE {table})"
    elif isinstance(old, Column) and not old.generated and (old.schema, old.table) not in gone:
        where = f"`{_name(old.schema, old.table)}.{names.quoted(old.name)}`"
        saving = f"(save them: {_saving(old, before)})"
        if new is None or (isinstance(new, Column) and new.generated):
            yield f"the values of {where} {saving}"
        elif isinstance(new, Column) and old.type != new.type and casts.loss(old, new):
            yield f"values of {where} that {new.type} could not hold as {old.type} did {saving}"
    elif isinstance(old, Sequence) and new is None and (old.owned_by is None or old.owned_by[:2] not in gone):
        name = _name(old.schema, old.name)
        yield f"where the sequence `{name}` had counted to (save it: SELECT last_value FROM {name})"  # noqa: S608 - quoted


def _saving(column: Column, before: Catalog) -> str:
    """Keep a column's values beside the table's key."""
    table = _name(column.schema, column.table)
    saved = _saved(column.schema, f"{column.table}_{column.name}")
    keys = [
        name
        for each in before
        if isinstance(each, Constraint)
        and each.contype == "p"
        and (each.schema, each.table) == (column.schema, column.table)
        for name in each.columns
        if name != column.name
    ]
    if not keys:
        return f"CREATE TABLE {saved} AS TABLE {table}"
    return f"CREATE TABLE {saved} AS SELECT {names.listed([*keys, column.name])} FROM {table}"  # noqa: S608 - quoted


def _labels(old: Enum, new: Enum, after: Catalog) -> Iterator[str]:
    """PostgreSQL cannot take a value out of an enum: the way back makes the type anew, and stops at rows that use it."""
    added = [label for label in new.labels if label not in old.labels]
    if not added:
        return
    kind = names.qualified(new.schema, new.name)
    users = [each for each in after if isinstance(each, Column) and each.type == kind]
    values = ", ".join(map(names.literal, added))
    example = ""
    if users:
        first = min(users, key=lambda column: column.key)
        table, column = _name(first.schema, first.table), names.quoted(first.name)
        example = f" (find them: SELECT * FROM {table} WHERE {column} IN ({values}))"  # noqa: S608 - quoted
    yield f"{values} of the enum `{_name(new.schema, new.name)}` in rows written since: the way back stops at them{example}"


def _written(plan: Plan, born: set[str]) -> Iterator[str]:
    """What migrations did to rows that were there; what they put into their own tables goes with those."""
    said: set[str] = set()
    for migration in plan.added:
        for statement in migration.statements:
            tree = grammar.parse(statement.sql)
            place = f"{migration.tag}, line {statement.line}"
            for verb, schema, name in _writes(tree.kind, tree.node) if tree.node is not None else ():
                table = _name(schema, name)
                if f"{schema}.{name}" in born or (line := _undone(verb, table, _saved(schema, name), place)) in said:
                    continue
                said.add(line)
                yield line
            calls = tree.kind == "select_stmt" and "(" in statement.sql
            if tree.kind in _OPAQUE or calls:
                what = _OPAQUE.get(tree.kind, "a function that SELECT calls")
                yield f"what {what} did to rows, if anything ({place})"


def writes(plan: Plan) -> tuple[set[str], bool]:
    """The tables (`schema.name`, quoted) whose rows migrations change, and whether code that nobody can read may change others."""
    tables: set[str] = set()
    opaque = False
    for migration in plan.added:
        for statement in migration.statements:
            tree = grammar.parse(statement.sql)
            if tree.node is not None:
                tables.update(names.qualified(schema, name) for _, schema, name in _writes(tree.kind, tree.node))
            opaque = opaque or tree.kind in _OPAQUE or (tree.kind == "select_stmt" and "(" in statement.sql)
    return tables, opaque


def _undone(verb: str, table: str, saved: str, place: str) -> str:
    if verb == "INSERT":
        return f"rows that {verb} put into `{table}` stay there ({place})"
    words = {"UPDATE": "what rows of `{}` were before UPDATE", "TRUNCATE": "the rows of `{}` that TRUNCATE took",
             "DELETE": "the rows of `{}` that DELETE took", "MERGE": "what rows of `{}` were before MERGE"}  # fmt: skip
    return f"{words[verb].format(table)} ({place}; save them: CREATE TABLE {saved} AS TABLE {table})"


def _writes(kind: str, node: grammar.Node) -> Iterator[tuple[str, str, str]]:
    """Verb, schema and table of every write in a statement, those in WITH included."""
    if kind == "truncate_stmt":
        for each in node["relations"]:
            yield "TRUNCATE", *_relation(each["RangeVar"])
    if kind in _WRITES:
        yield _WRITES[kind], *_relation(node["relation"])
    if kind in _WRITES or kind == "select_stmt":
        for each in node.get("withClause", {}).get("ctes", ()):
            ((inner, query),) = each["CommonTableExpr"]["ctequery"].items()
            yield from _writes(grammar.kind(inner), query)


def _relation(node: grammar.Node) -> tuple[str, str]:
    return node.get("schemaname", "public"), node["relname"]


def forget(plan: Plan) -> str:
    """Take the migrations out of the tracking table, so that they can run again."""
    hashes = ", ".join(f"'{m.hash}'" for m in plan.added)
    return f"DELETE FROM {names.qualified(*plan.project.table)} WHERE hash IN ({hashes});\n"  # noqa: S608 - quoted, and hex digits


def _saved(schema: str, name: str) -> str:
    cut = name.encode()[: _NAME_BYTES - len("_saved")].decode(errors="ignore")
    return _name(schema, f"{cut}_saved")


def _name(schema: str, name: str) -> str:
    return names.quoted(name) if schema == "public" else names.qualified(schema, name)


def unconditional(statements: Iterable[str]) -> bool:
    """Whether every statement of both ways makes, takes away or sets something, whatever else was there, or fails.

    Then the way up, gone a second time after the way down, leads where it led the first time, if a second way down ends at
    the schema that the first way up began with. What the way up makes, takes away or sets is the same after both. What it
    leaves alone, the way down has either left alone both times, or has set both times to what it was. So that schema need
    not be read to be known.
    """
    return all(_PLAIN.match(sql) and not _ASKS.search(sql) for sql in statements)
