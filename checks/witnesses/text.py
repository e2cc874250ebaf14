"""The text witness: what a statement asks for, read from the tree of PostgreSQL's own grammar."""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import cast

from checks.witnesses import alter, grammar, shapes, tables, words
from checks.witnesses import clauses as c
from checks.witnesses.clauses import Reading
from checks.witnesses.fitting import SURELY_SHALLOW
from checks.witnesses.grammar import Node

__all__ = ["Reading", "plain_block", "read", "read_all"]

_PLAIN_BLOCK = re.compile(
    r"\s*BEGIN\s(?P<inside>.*?)\s(?:EXCEPTION\s+WHEN\s+\w+\s+THEN\s+null\s*;\s*)?END\s*;?\s*$",
    re.DOTALL | re.IGNORECASE,
)
_VERBS = {
    "TRANS_STMT_BEGIN": "BEGIN",
    "TRANS_STMT_START": "START TRANSACTION",
    "TRANS_STMT_COMMIT": "COMMIT",
    "TRANS_STMT_ROLLBACK": "ROLLBACK",
    "TRANS_STMT_PREPARE": "PREPARE TRANSACTION",
}
_DROPPED = {
    "OBJECT_TABLE": "table",
    "OBJECT_FOREIGN_TABLE": "foreign table",
    "OBJECT_VIEW": "view",
    "OBJECT_MATVIEW": "materialized view",
    "OBJECT_SCHEMA": "schema",
    "OBJECT_TYPE": "type",
    "OBJECT_DOMAIN": "domain",
    "OBJECT_INDEX": "index",
    "OBJECT_SEQUENCE": "sequence",
    "OBJECT_FUNCTION": "function",
    "OBJECT_PROCEDURE": "procedure",
    "OBJECT_EXTENSION": "extension",
    "OBJECT_TRIGGER": "trigger",
    "OBJECT_POLICY": "policy",
}
_CHANGES = frozenset({"InsertStmt", "UpdateStmt", "DeleteStmt", "MergeStmt"})
_TABLES = {"OBJECT_TABLE", "OBJECT_FOREIGN_TABLE", "OBJECT_VIEW", "OBJECT_MATVIEW"}
# As `lockdefs.h` numbers them, from 1.
_MODES = (
    *("AccessShareLock", "RowShareLock", "RowExclusiveLock", "ShareUpdateExclusiveLock"),
    *("ShareLock", "ShareRowExclusiveLock", "ExclusiveLock", "AccessExclusiveLock"),
)
_NOTHING: Node = {}


def read(sql: str) -> Reading:
    """Read one statement. Never raises for bad SQL: `problem` says why it could not be read."""
    return _reading(grammar.parse(sql))


def read_all(statements: Sequence[str]) -> list[Reading]:
    """Read each statement, faster than one by one: of many that are alike but for their names, a few."""
    readings = tables.readings(statements)
    _fill(readings, statements, lambda left: shapes.readings(left, _each))
    _fill(readings, statements, _each)
    return cast("list[Reading]", readings)


def _fill(
    readings: list[Reading | None],
    statements: Sequence[str],
    read_them: Callable[[Sequence[str]], Sequence[Reading | None]],
) -> None:
    """Read what has not been read."""
    left = [number for number, reading in enumerate(readings) if reading is None]
    for number, reading in zip(left, read_them([statements[number] for number in left]), strict=True):
        readings[number] = reading


def _each(statements: Sequence[str]) -> list[Reading]:
    return [_reading(tree) for tree in grammar.parse_all(statements)]


def _reading(tree: grammar.Tree) -> Reading:
    if tree.node is None:
        return Reading("", (), tree.problem, tree.position)
    reader = _READERS.get(tree.kind)
    try:
        return Reading(tree.kind, tuple(reader(tree.node)) if reader else ())
    except RecursionError:
        return Reading("", (), "it nests too deep")
    except LookupError as missing:  # which would be our mistake, and is told rather than lose the file
        return Reading("", (), f"its tree is not of a known form: {missing}")


def _create_table_as(node: Node) -> Iterator[c.Clause]:
    relation = node["into"]["rel"]
    name = words.table(relation)
    if node["objtype"] == "OBJECT_MATVIEW":
        yield c.CreateView(name)
    else:
        yield c.CreateTable(name, None, relation["relpersistence"] == "t", "if_not_exists" in node)


def _create_index(node: Node) -> list[c.Clause]:
    columns: list[str] = []
    for element in node["indexParams"]:
        if not (column := element["IndexElem"].get("name")):
            break
        columns.append(column)
    relation, called = node["relation"], node.get("idxname", "")
    name, unique, concurrent = words.table(relation), "unique" in node, "concurrent" in node
    # An index with a condition finds only some rows; ON ONLY makes an empty index on a partitioned table.
    made: list[c.Clause] = []
    if concurrent:
        made.append(c.Concurrently(f"CREATE {'UNIQUE ' if unique else ''}INDEX CONCURRENTLY", called))
    if concurrent or "inh" in relation:
        begins = () if "whereClause" in node else tuple(columns)
        made.append(c.CreateIndex(name, called, begins, unique, concurrent, "if_not_exists" in node))
    if not concurrent:
        made.append(c.Lock(name, "ShareLock"))
    return made


def _drop(node: Node) -> Iterator[c.Clause]:
    names: list[str] = []
    for item in node["objects"]:
        if (of := item.get("List")) is not None:
            names.append(words.full(words.strings(of["items"])))
        elif (of := item.get("TypeName")) is not None:
            names.append(words.full(words.strings(of["names"])))
        elif (of := item.get("String")) is not None:
            names.append(of["sval"])
        elif (of := item.get("ObjectWithArgs")) is not None:
            names.append(words.full(words.strings(of["objname"])))
    kind = node["removeType"]
    yield c.Drop(_DROPPED.get(kind, "object"), tuple(names), words.behaves(node), "missing_ok" in node)
    if "concurrent" in node:
        yield c.Concurrently("DROP INDEX CONCURRENTLY")
    if kind in _TABLES:
        for name in names:
            yield c.Lock(name, "AccessExclusiveLock")


def _rename(node: Node) -> Iterator[c.Clause]:
    kind = node["renameType"]
    if kind in _TABLES:
        relation = node["relation"]
        name = words.table(relation)
        yield c.Rename(name, None, f"{relation.get('schemaname', 'public')}.{node['newname']}")
        yield c.Lock(name, "AccessExclusiveLock")
    elif kind == "OBJECT_COLUMN" and node["relationType"] in _TABLES:
        name = words.table(node["relation"])
        yield c.Rename(name, node["subname"], node["newname"])
        yield c.Lock(name, "AccessExclusiveLock")
    elif kind == "OBJECT_SCHEMA":
        yield c.RenameSchema(node["subname"], node["newname"])
    elif kind == "OBJECT_TYPE":
        old = words.full(words.strings(node["object"]["List"]["items"]))
        yield c.RenameType(old, f"{old.rpartition('.')[0]}.{node['newname']}")


def _set_schema(node: Node) -> Iterator[c.Clause]:
    if node["objectType"] in _TABLES:
        name = words.table(node["relation"])
        yield c.Rename(name, None, f"{node['newschema']}.{node['relation']['relname']}")
        yield c.Lock(name, "AccessExclusiveLock")


def _enum(node: Node) -> Iterator[c.Clause]:
    if "oldVal" not in node:
        yield c.AddEnumValue(words.full(words.strings(node["typeName"])), node.get("newVal", ""))


def _truncate(node: Node) -> Iterator[c.Clause]:
    tables = tuple(words.table(relation["RangeVar"]) for relation in node["relations"])
    yield c.Truncate(tables, words.behaves(node))
    for name in tables:
        yield c.Lock(name, "AccessExclusiveLock")


def _common(node: Node) -> Iterator[c.Clause]:
    """What the common tables of a query, of whichever kind, change."""
    for cte in node.get("withClause", _NOTHING).get("ctes", ()):
        yield from _changes(cte["CommonTableExpr"]["ctequery"])


def _changes(query: Node) -> Iterable[c.Clause]:
    """What a statement within another one changes."""
    kind = words.kind(query)
    return _READERS[grammar.kind(kind)](query[kind]) if kind in _CHANGES else ()


def _insert(node: Node) -> Iterator[c.Clause]:
    yield from _common(node)
    if node.get("selectStmt", _NOTHING).get("SelectStmt", _NOTHING).get("fromClause"):
        yield c.Dml("INSERT", words.table(node["relation"]), True)


def _function(node: Node) -> Iterator[c.Clause]:
    definer = fixed = False
    for option in node.get("options", ()):
        element = option["DefElem"]
        if element["defname"] == "security":
            definer = "boolval" in element["arg"]["Boolean"]
        elif element["defname"] == "set" and element["arg"]["VariableSetStmt"].get("name") == "search_path":
            fixed = True
    # The names in a body that is no string are looked up once, when the function is made.
    if definer and not fixed and "sql_body" not in node:
        yield c.DefinerFunction(words.full(words.strings(node["funcname"])))


def _alter_function(node: Node) -> Iterator[c.Clause]:
    for option in node["actions"]:
        element = option["DefElem"]
        if element["defname"] == "security" or (
            element["defname"] == "set" and element["arg"]["VariableSetStmt"].get("name", "") in {"search_path", ""}
        ):
            yield c.DefinerFunction(words.full(words.strings(node["func"]["objname"])), altered=True)
            return


def _alter_policy(node: Node) -> Iterator[c.Clause]:
    name, roles = words.table(node["table"]), node.get("roles")
    public = all(map(_is_public, roles)) if roles else None
    yield c.AlterPolicy(name, node["policy_name"], public, _lets_through(node))
    yield c.Lock(name, "AccessExclusiveLock")


def _policy(node: Node) -> Iterator[c.Clause]:
    name, verb = words.table(node["table"]), node["cmd_name"]
    public = all(map(_is_public, node["roles"]))
    if public and "permissive" in node and verb != "select" and _lets_through(node):
        does = "do anything with" if verb == "all" else verb
        yield c.Rls(name, f"policy `{node['policy_name']}` lets everybody {does} every row")
    yield c.Lock(name, "AccessExclusiveLock")


def _lets_through(policy: Node) -> bool:
    return any(words.is_true(policy.get(condition, _NOTHING)) for condition in ("qual", "with_check"))


def _is_public(role: Node) -> bool:
    return role["RoleSpec"]["roletype"] == "ROLESPEC_PUBLIC"


def _grant(node: Node) -> Iterator[c.Clause]:
    if "is_grant" not in node:
        return
    roles = node["grantees"]
    privileges = ", ".join(_privilege(each["AccessPriv"]) for each in node.get("privileges", ())) or "ALL"
    if not (any(map(_is_public, roles)) or privileges == "ALL" or "grant_option" in node):
        return
    to = ", ".join("PUBLIC" if _is_public(role) else role["RoleSpec"].get("rolename", "") for role in roles)
    relations = [words.table(each["RangeVar"]) for each in node.get("objects", ()) if "RangeVar" in each]
    everything = node["targtype"] in {"ACL_TARGET_ALL_IN_SCHEMA", "ACL_TARGET_DEFAULTS"}
    what = ", ".join(relations) if relations else "every object of a schema" if everything else "an object"
    for name in relations or [""]:
        yield c.Grant(privileges + (" WITH GRANT OPTION" if "grant_option" in node else ""), name or what, to, name)


def _privilege(node: Node) -> str:
    return node.get("priv_name", "").upper()


def _has(options: Iterable[Node], called: str) -> bool:
    """An option is among them, and switched on."""
    return any(o["DefElem"]["defname"] == called and words.switched_on(o["DefElem"]) for o in options)


def _vacuum(node: Node) -> Iterator[c.Clause]:
    if "is_vacuumcmd" in node and _has(node.get("options", ()), "full"):
        for relation in node.get("rels", ()):
            yield c.RewriteAll(words.table(relation["VacuumRelation"]["relation"]), "VACUUM FULL")


def _cluster(node: Node) -> Iterator[c.Clause]:
    if "relation" in node:
        yield c.RewriteAll(words.table(node["relation"]), "CLUSTER")


def _reindex(node: Node) -> Iterator[c.Clause]:
    relation: Node | None = node.get("relation")
    if _has(node.get("params", ()), "concurrently"):
        yield c.Concurrently("REINDEX CONCURRENTLY", relation["relname"] if relation else "")
        return
    of_table = words.table(relation) if relation and node["kind"] == "REINDEX_OBJECT_TABLE" else ""
    yield c.Reindex(of_table, relation["relname"] if relation else node.get("name", ""))


def _refresh(node: Node) -> Iterator[c.Clause]:
    yield c.Refresh(words.table(node["relation"]), "concurrent" in node or "skipData" in node)


def _transaction(node: Node) -> Iterator[c.Clause]:
    if (verb := _VERBS.get(node["kind"])) is not None:
        yield c.Transaction(verb)


def _dml(verb: str) -> Callable[[Node], Iterator[c.Clause]]:
    def read_dml(node: Node) -> Iterator[c.Clause]:
        yield from _common(node)
        joins = bool(node.get("fromClause" if verb == "UPDATE" else "usingClause"))
        condition = node.get("whereClause")
        named = condition is not None and not words.always(condition)
        present = words.not_null(condition) if condition is not None and named and not joins else ""
        yield c.Dml(verb, words.table(node["relation"]), named or joins, present)

    return read_dml


def _explain(node: Node) -> Iterable[c.Clause]:
    """With ANALYZE it runs what it explains."""
    return _changes(node["query"]) if _has(node.get("options", ()), "analyze") else ()


def plain_block(node: Node) -> list[grammar.Tree]:
    """The statements of a block as drizzle-kit writes it around a constraint; [] for any other block, a DoStmt."""
    options = (each["DefElem"] for each in node["args"])
    body = next((o["arg"]["String"].get("sval", "") for o in options if o["defname"] == "as"), "")
    match = _PLAIN_BLOCK.match(body) if len(body) <= SURELY_SHALLOW else None
    inside = match["inside"] if match else ""
    trees = [grammar.parse(inside[span.start : span.end]) for span in grammar.split(inside)]
    return trees if all(tree.kind in shapes.PLAIN_KINDS for tree in trees) else []


def _do(node: Node) -> Iterator[c.Clause]:
    """A plain block is read; any other shows what it does when it runs."""
    trees = plain_block(node)
    if not trees:
        yield c.Opaque("a DO block")
        return
    for tree in trees:
        if tree.node is not None:
            yield from _READERS[tree.kind](tree.node)


_READERS: dict[str, Callable[[Node], Iterable[c.Clause]]] = {
    "alter_table_stmt": alter.table,
    "alter_function_stmt": _alter_function,
    "alter_policy_stmt": _alter_policy,
    "select_stmt": _common,
    "create_stmt": tables.table,
    "create_table_as_stmt": _create_table_as,
    "index_stmt": _create_index,
    "drop_stmt": _drop,
    "rename_stmt": _rename,
    "alter_object_schema_stmt": _set_schema,
    "alter_enum_stmt": _enum,
    "create_enum_stmt": lambda node: [c.CreateEnum(words.full(words.strings(node["typeName"])))],
    "truncate_stmt": _truncate,
    "insert_stmt": _insert,
    "update_stmt": _dml("UPDATE"),
    "delete_stmt": _dml("DELETE"),
    "explain_stmt": _explain,
    "merge_stmt": lambda node: [c.Dml("MERGE", words.table(node["relation"]), True)],
    "create_function_stmt": _function,
    "create_policy_stmt": _policy,
    "grant_stmt": _grant,
    "alter_default_privileges_stmt": lambda node: _grant(node["action"]),
    "vacuum_stmt": _vacuum,
    "cluster_stmt": _cluster,
    "reindex_stmt": _reindex,
    "prepare_stmt": lambda node: [c.Prepare(node["name"], tuple(_changes(node["query"])))],
    "execute_stmt": lambda node: [c.Execute(node["name"])],
    "refresh_mat_view_stmt": _refresh,
    "transaction_stmt": _transaction,
    "view_stmt": lambda node: [c.CreateView(words.table(node["view"]))],
    "lock_stmt": lambda node: [c.Lock(words.table(r["RangeVar"]), _MODES[node["mode"] - 1]) for r in node["relations"]],
    "do_stmt": _do,
    "call_stmt": lambda _: [c.Opaque("a procedure")],
}
