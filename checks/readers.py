"""Who reads it: the places of the repository that name what a migration drops, renames or narrows. The only importer of sqlglot."""

import logging
import re
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from checks import facts as f
from checks.so_far import Context, Reader, SoFar, Target, full_name
from checks.tree import Tree
from checks.typescript import queries

if TYPE_CHECKING:
    from checks.change import Change
    from checks.drizzle.model import Project

SECONDS = 8.0
LONGEST_FILE = 1_000_000
LONGEST_TEXT = 20_000
A_QUERY = "a query"
DRIZZLE_TABLE = "the Drizzle table"
DEEPEST = 40

_SCRIPTS = (".ts", ".tsx", ".mts", ".cts", ".js", ".jsx", ".mjs", ".cjs")
# What is generated or somebody else's.
_ELSEWHERE = re.compile(r"(?:^|/)(?:node_modules|dist|build|out|coverage|vendor|\.[^/]+)/|\.d\.ts$|\.min\.js$")
# History: such SQL has been run, and nobody will run it on this schema again.
_HISTORY = re.compile(r"(?:^|/)(?:[^/]*migrations?[^/]*|drizzle)/(?:.*/)?[^/]+\.sql$")
_FUNCTION = re.compile(
    r"create\s+(?:or\s+replace\s+)?(?:function|procedure)\s+(?P<name>[^\s(]+).*?(?P<quote>\$\w*\$)(?P<body>.*?)(?P=quote)",
    re.IGNORECASE | re.DOTALL,
)
# A test, a seed or an old script that names it fails on a developer's machine, not in production.
_FOLDERS = "tests?|__tests__|__mocks__|e2e|specs?|fixtures?|seeds?|seeders?|examples?|docs?|[^/]*migrations?[^/]*"
_HARMLESS = re.compile(rf"(?:^|/)(?:{_FOLDERS})/|[.-](?:test|spec|seed)\.\w+$|(?:^|/)seed\.\w+$")


@dataclass(frozen=True, slots=True)
class Code:
    """What Drizzle code calls the tables of the database.

    Attributes:
        names: `schema.table` and its properties (name in code → column), by variable.
        columns: the columns of each table that is declared, by `schema.table`.
    """

    names: dict[str, tuple[str, Mapping[str, str]]] = field(default_factory=dict[str, tuple[str, Mapping[str, str]]])
    columns: dict[str, set[str]] = field(default_factory=dict[str, set[str]])

    def learn(self, declared: queries.Declared) -> None:
        """One more table; the first to claim a variable keeps it."""
        table = f"{declared.schema}.{declared.table}"
        if declared.variable:
            self.names.setdefault(declared.variable, (table, declared.properties))
        self.columns.setdefault(table, set()).update(declared.columns)

    def words(self, target: Target) -> tuple[set[str], set[str]]:
        """What a file must hold to mean a target: a name of its table, and one of its column."""
        tables, columns = {target.table}, {target.column} if target.column is not None else set[str]()
        for variable, (table, properties) in self.names.items():
            if table == f"{target.schema}.{target.table}":
                tables.add(variable)
                columns |= {p for p, column in properties.items() if target.column in {column, queries.snake(column)}}
        return tables, columns


def of(facts: Sequence[f.Fact], change: "Change", project: "Project") -> Mapping[Target, Sequence[Reader]]:
    """The readers, in head, of everything that the facts take away."""
    so_far = SoFar(Context())
    wanted: dict[Target, None] = {}
    gone: set[Target] = set()
    for fact in facts:
        if isinstance(fact, f.Removes) and not fact.returns and not so_far.created(fact.table):
            schema, _, table = full_name(fact.table).partition(".")
            targets = [Target(schema, table, column) for column in fact.gone]
            wanted |= dict.fromkeys(targets)
            gone |= set[Target]() if isinstance(fact, f.NarrowsType) else set(targets)
        so_far.learn(fact)
    if not wanted:
        return {}
    code = Code()
    for path, data in change.base.tree.read_all(project.schema_files).items():
        for declared in queries.tables(data, path):
            code.learn(declared)
    found = find(
        change.head.tree,
        wanted,
        root=project.root,
        ignore=project.migrations_dir,
        schema_files=project.schema_files,
        code=code,
    )
    # A narrower column is still declared, of course; only queries can count on what no longer fits.
    return {
        target: kept
        for target, readers in found.items()
        if (kept := [r for r in readers if target in gone or not r.what.startswith(DRIZZLE_TABLE)])
    }


def find(
    tree: Tree,
    targets: Iterable[Target],
    *,
    root: str = "",
    ignore: str = "",
    schema_files: Sequence[str] = (),
    code: Code | None = None,
    seconds: float = SECONDS,
) -> dict[Target, list[Reader]]:
    """The places of a tree that name the targets.

    Args:
        tree: the files to look into.
        targets: tables and columns.
        root: the folder of the project; what is outside of it may speak of another database, so it is never sure.
        ignore: the folder of its migrations.
        schema_files: the files that declare its tables (none: all that declare tables).
        code: tables that are known already, to resolve what a template interpolates.
        seconds: how long it may take; files that are left then are listed as not looked at.
    """
    targets = list(targets)
    until = time.monotonic() + seconds
    files = _files(tree, ignore)
    code = code or Code()
    declared: dict[str, list[queries.Declared]] = {}
    for path, data in files.items():
        if _declares(path, data) and any(target.table.encode() in data for target in targets):
            declared[path] = list(queries.tables(data, path))
    for each in (d for declarations in declared.values() for d in declarations):
        code.learn(each)
    words = {target: code.words(target) for target in targets}
    found: dict[Target, list[Reader]] = {target: [] for target in targets}
    for path, data in sorted(files.items()):
        here = _meant(data, words)
        late = bool(here) and (time.monotonic() > until or len(data) > LONGEST_FILE)
        inside = not root or path.startswith(f"{root}/") or path in schema_files
        sure = inside and not _HARMLESS.search(path)
        if late:
            for target in here:
                found[target].append(Reader(path, 1, "too much to look into", sure=False))
            continue
        ours = not schema_files or path in schema_files
        for target, line, what, certain in _in_schema(declared.get(path, []), here):
            found[target].append(Reader(path, line, what, sure=sure and ours and certain))
        for target, line, what, certain in _in_file(path, data, here, code):
            found[target].append(Reader(path, line, what, sure=sure and certain))
    return {target: _once(readers) for target, readers in found.items() if readers}


def _files(tree: Tree, ignore: str) -> dict[str, bytes]:
    """The code of the repository."""
    return tree.read_all(
        path
        for path in tree
        if path.endswith((*_SCRIPTS, ".sql"))
        and not _ELSEWHERE.search(path)
        and not _HISTORY.search(path)
        and not (ignore and path.startswith(f"{ignore}/"))
    )


def _meant(data: bytes, words: Mapping[Target, tuple[set[str], set[str]]]) -> list[Target]:
    """The targets whose names the bytes hold; small letters may stand for capitals in SQL."""
    small = data.lower()

    def holds(some: set[str]) -> bool:
        return any(word.encode() in data or word.encode() in small for word in some)

    return [t for t, (tables, columns) in words.items() if holds(tables) and (not columns or holds(columns))]


def _declares(path: str, data: bytes) -> bool:
    return path.endswith(_SCRIPTS) and b"able(" in data and len(data) <= LONGEST_FILE


def _once(readers: list[Reader]) -> list[Reader]:
    """One reader a line, the sure ones first."""
    kept: dict[tuple[str, int], Reader] = {}
    for reader in sorted(readers, key=lambda r: (not r.sure, r.path, r.line)):
        kept.setdefault((reader.path, reader.line), reader)
    return list(kept.values())


_Hit = tuple[Target, int, str, bool]


def _in_schema(declared: Iterable[queries.Declared], targets: Sequence[Target]) -> Iterator[_Hit]:
    for each in declared:
        for target in targets:
            if (each.schema, each.table) != (target.schema, target.table):
                continue
            line = each.line if target.column is None else each.columns.get(target.column)
            if line is not None:
                yield target, line, f"{DRIZZLE_TABLE} `{each.table}`", True


def _in_file(path: str, data: bytes, targets: Sequence[Target], code: Code) -> Iterator[_Hit]:
    if not targets:
        return
    if path.endswith(".sql"):
        yield from _in_sql(data.decode("utf-8-sig", errors="replace"), 1, "SQL", targets, code)
        return
    for text in queries.texts(data, path):
        sql = _filled(text.parts, code)
        what = "a query in an `sql` template" if text.tagged else A_QUERY
        yield from _in_sql(sql, text.line, what, targets, code, fragment=text.tagged)


def _filled(parts: Sequence[str], code: Code) -> str:
    """A template as one text: Drizzle's tables and columns by their names, anything else as a name that means nothing."""
    made: list[str] = []
    for number, part in enumerate(parts):
        if number % 2 == 0:
            made.append(part)
            continue
        variable, _, prop = part.strip().partition(".")
        table, properties = code.names.get(variable, ("", dict[str, str]()))
        if table and not prop:
            name = table.removeprefix("public.")
        elif table and prop in properties:
            name = f"{table.rpartition('.')[2]}.{properties[prop]}"
        else:
            name = f"_p{number}"
        made.append(name + "\n" * part.count("\n"))
    return "".join(made)


def _in_sql(
    sql: str, line: int, what: str, targets: Sequence[Target], code: Code, *, fragment: bool = False
) -> Iterator[_Hit]:
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


def _in_statement(sql: str, line: int, what: str, targets: Sequence[Target], code: Code) -> Iterator[_Hit]:
    if (function := _FUNCTION.match(sql)) is not None:
        # Its body is a text of its own: statements, or a language around them, which only mentions names.
        inside = line + sql.count("\n", 0, function.start("body"))
        named = f"function `{function['name']}`"
        for target, at, _, certain in _in_sql(function["body"], inside, named, targets, code):
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
