"""SQL as a reader: which statement names a table or column, and whether it is sure to be that one. The only importer of sqlglot."""

import logging
import re
from collections.abc import Iterator, Sequence
from typing import Any

from checks.readers.names import Code
from checks.so_far import Target

LONGEST_TEXT = 20_000
A_QUERY = "a query"
DEEPEST = 40

_FUNCTION = re.compile(
    r"create\s+(?:or\s+replace\s+)?(?:function|procedure)\s+(?P<name>[^\s(]+).*?(?P<quote>\$\w*\$)(?P<body>.*?)(?P=quote)",
    re.IGNORECASE | re.DOTALL,
)

Hit = tuple[Target, int, str, bool]
"""A target, the line, what names it in words, and whether that is sure."""


def mentions(
    sql: str, line: int, what: str, targets: Sequence[Target], code: Code, *, fragment: bool = False
) -> Iterator[Hit]:
    """The targets that a text names, statement by statement; a fragment of a query may leave its table unsaid."""
    both = f"{sql}\n{sql.lower()}"
    targets = [t for t in targets if (t.column is not None and fragment) or t.table in both]
    targets = [t for t in targets if t.column is None or t.column in both]
    if not targets:
        return
    from checks.witnesses import grammar  # noqa: PLC0415 - loads PostgreSQL's grammar

    for span in grammar.split(sql):
        statement = sql[span.start : span.end]
        start = line + sql.count("\n", 0, span.start)
        yield from _in_statement(statement, start, what, targets, code)


def _in_statement(sql: str, line: int, what: str, targets: Sequence[Target], code: Code) -> Iterator[Hit]:
    if (function := _FUNCTION.match(sql)) is not None:
        # Its body is a text of its own: statements, or a language around them, which only mentions names.
        inside = line + sql.count("\n", 0, function.start("body"))
        named = f"function `{function['name']}`"
        for target, at, _, certain in mentions(function["body"], inside, named, targets, code):
            yield target, at, named, certain and "plpgsql" not in sql.lower()
        return
    tree = _parsed(sql)
    if tree is None and what == A_QUERY:
        return  # a sentence that begins like SQL
    if tree is None:
        for target in targets:
            word = target.column or target.table
            match = re.search(rf"\b{re.escape(word)}\b", sql)
            if match is not None and (target.column is None or re.search(rf"\b{re.escape(target.table)}\b", sql)):
                yield target, line + sql.count("\n", 0, match.start()), what, False
        return
    view = _view(tree)
    for target in targets:
        for start, certain in _mentions(tree, target, code):
            yield target, line + sql.count("\n", 0, start), view or what, certain


def _parsed(sql: str) -> Any:  # noqa: ANN401 - a sqlglot expression; None where it cannot be read
    depth = deepest = 0
    for character in sql if len(sql) <= LONGEST_TEXT else "":
        depth += (character == "(") - (character == ")")
        deepest = max(deepest, depth)
    if deepest > DEEPEST or len(sql) > LONGEST_TEXT:
        return None
    import sqlglot  # noqa: PLC0415 - 0.3 s, and only where something is taken away
    from sqlglot import exp  # noqa: PLC0415 - as above
    from sqlglot.errors import SqlglotError  # noqa: PLC0415 - as above

    logging.getLogger("sqlglot").setLevel(logging.CRITICAL)  # it logs a warning for each statement it does not know
    try:
        tree = sqlglot.parse_one(sql, read="postgres")
    except (SqlglotError, RecursionError, ValueError, AttributeError, IndexError):
        return None
    return None if isinstance(tree, exp.Command) else tree


def _view(tree: Any) -> str:  # noqa: ANN401 - as above
    from sqlglot import exp  # noqa: PLC0415 - as above

    made = tree.find(exp.Table) if isinstance(tree, exp.Create) and tree.kind == "VIEW" else None
    return f"view `{made.name}`" if made is not None else ""


def _mentions(tree: Any, target: Target, code: Code) -> Iterator[tuple[int, bool]]:  # noqa: ANN401 - as above
    """Where a statement names a target, each with whether it is sure to be that one."""
    from sqlglot import exp  # noqa: PLC0415 - as above

    if isinstance(tree, _silent()) and tree.find(exp.Select) is None:
        return
    common = {cte.alias_or_name for cte in tree.find_all(exp.CTE)}
    made = {tree.find(exp.Table)} if isinstance(tree, exp.Create) else set[Any]()
    meant = [t for t in tree.find_all(exp.Table) if t not in made and _is(t, target, common)]
    if target.column is None:
        for table in meant:
            yield table.this.meta.get("start", 0), True
        return
    for insert in tree.find_all(exp.Insert, exp.Copy):
        if isinstance(insert.this, exp.Schema) and insert.this.this in meant:
            for name in insert.this.expressions:
                if name.name == target.column:
                    yield name.meta.get("start", 0), True
    for column in tree.find_all(exp.Column):
        if _name(column.this) == target.column and (certain := _belongs(column, target, meant, code)) is not None:
            yield column.this.meta.get("start", 0), certain


def _silent() -> tuple[type, ...]:
    """Statements that make or change things: they read nothing."""
    from sqlglot import exp  # noqa: PLC0415 - as above

    return (exp.Create, exp.Alter, exp.Drop, exp.Comment, exp.Grant)


def _belongs(column: Any, target: Target, meant: Sequence[Any], code: Code) -> bool | None:  # noqa: ANN401 - as above
    """Whether a column is the target's: True, False (perhaps), None (no)."""
    from sqlglot import exp  # noqa: PLC0415 - as above

    kinds = (exp.Select, exp.Update, exp.Delete, exp.Insert, exp.Merge)
    query = column.find_ancestor(*kinds)
    outer = 0
    while query is not None:
        sources = _sources(query)
        if column.table:
            source = next((s for s in sources if s.alias_or_name == column.table), None)
            if source is not None:
                return True if source in meant else None
        elif any(source in meant for source in sources):
            others = [s for s in sources if s not in meant]
            known = all(
                isinstance(s, exp.Table)
                and target.column not in code.columns.get(f"{s.db or 'public'}.{s.name}", {target.column})
                for s in others
            )
            return outer == 0 and known
        query, outer = query.find_ancestor(*kinds), outer + 1
    if column.root().find(exp.Table) is not None:
        return None
    # A fragment of a query: which table it is about stands elsewhere, unless it says so itself.
    return {"": False, target.table: True}.get(column.table)


def _sources(query: Any) -> list[Any]:  # noqa: ANN401 - as above
    """The tables and subqueries that a query's own clauses name."""
    from sqlglot import exp  # noqa: PLC0415 - as above

    first: Any = query.this if not isinstance(query, exp.Select) else None
    first = first.this if isinstance(first, exp.Schema) else first
    beginning: Any = query.args.get("from_") or query.args.get("from")
    clauses: list[Any] = [first, beginning, query.args.get("using"), *(query.args.get("joins") or [])]
    found: list[Any] = []
    for clause in clauses:
        each: Any
        for each in clause if isinstance(clause, list) else [clause]:  # pyright: ignore[reportUnknownVariableType] - sqlglot's arguments are untyped
            item: Any = each.this if isinstance(each, exp.From | exp.Join) else each  # pyright: ignore[reportUnknownVariableType] - as above
            if isinstance(item, exp.Table | exp.Subquery):
                joined: list[Any] = item.args.get("joins") or []
                found += [item, *(join.this for join in joined)]
    return found


def _is(table: Any, target: Target, common: set[str]) -> bool:  # noqa: ANN401 - as above
    if _name(table.this) != target.table or (not table.db and table.name in common):
        return False
    return table.db in {"", target.schema} if target.schema == "public" else table.db == target.schema or not table.db


def _name(identifier: Any) -> str:  # noqa: ANN401 - as above
    """The name as PostgreSQL takes it: in small letters unless it is quoted."""
    name = str(getattr(identifier, "name", ""))
    return name if getattr(identifier, "quoted", True) else name.lower()
