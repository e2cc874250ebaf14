"""The text witness: what a statement asks for, read from the tree of PostgreSQL's own grammar."""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, cast

from checks.witnesses import alter, grammar, shapes, tables, words
from checks.witnesses import clauses as c
from checks.witnesses.clauses import Reading

__all__ = ["Reading", "plain_block", "read", "read_all"]

_n = grammar.nodes
_PLAIN_BLOCK = re.compile(
    r"\s*BEGIN\s(?P<inside>.*?)\s(?:EXCEPTION\s+WHEN\s+\w+\s+THEN\s+null\s*;\s*)?END\s*;?\s*$",
    re.DOTALL | re.IGNORECASE,
)
_VERBS = {
    _n.TRANS_STMT_BEGIN: "BEGIN",
    _n.TRANS_STMT_START: "START TRANSACTION",
    _n.TRANS_STMT_COMMIT: "COMMIT",
    _n.TRANS_STMT_ROLLBACK: "ROLLBACK",
    _n.TRANS_STMT_PREPARE: "PREPARE TRANSACTION",
}
_DROPPED = {
    _n.OBJECT_TABLE: "table",
    _n.OBJECT_FOREIGN_TABLE: "foreign table",
    _n.OBJECT_VIEW: "view",
    _n.OBJECT_MATVIEW: "materialized view",
    _n.OBJECT_SCHEMA: "schema",
    _n.OBJECT_TYPE: "type",
    _n.OBJECT_DOMAIN: "domain",
    _n.OBJECT_INDEX: "index",
    _n.OBJECT_SEQUENCE: "sequence",
    _n.OBJECT_FUNCTION: "function",
    _n.OBJECT_PROCEDURE: "procedure",
    _n.OBJECT_EXTENSION: "extension",
    _n.OBJECT_TRIGGER: "trigger",
    _n.OBJECT_POLICY: "policy",
}
_CHANGES = frozenset({"insert_stmt", "update_stmt", "delete_stmt", "merge_stmt"})
_TABLES = {_n.OBJECT_TABLE, _n.OBJECT_FOREIGN_TABLE, _n.OBJECT_VIEW, _n.OBJECT_MATVIEW}


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
    return Reading(tree.kind, tuple(reader(tree.node)) if reader else ())


def _create_table_as(node: Any) -> Iterator[c.Clause]:  # noqa: ANN401 - a CreateTableAsStmt
    name = words.table(node.into.rel)
    if node.objtype == _n.OBJECT_MATVIEW:
        yield c.CreateView(name)
    else:
        yield c.CreateTable(name, None, node.into.rel.relpersistence == "t", node.if_not_exists)


def _create_index(node: Any) -> list[c.Clause]:  # noqa: ANN401 - an IndexStmt
    columns: list[str] = []
    for element in node.index_params:
        if not (column := element.index_elem.name):
            break
        columns.append(column)
    relation, called = node.relation, node.idxname
    name = words.table(relation)
    # An index with a condition finds only some rows; ON ONLY makes an empty index on a partitioned table.
    made: list[c.Clause] = []
    if concurrent := node.concurrent:
        made.append(c.Concurrently(f"CREATE {'UNIQUE ' if node.unique else ''}INDEX CONCURRENTLY", called))
    if concurrent or relation.inh:
        begins = () if node.HasField("where_clause") else tuple(columns)
        made.append(c.CreateIndex(name, called, begins, node.unique, concurrent, node.if_not_exists))
    if not concurrent:
        made.append(c.Lock(name, "ShareLock"))
    return made


def _drop(node: Any) -> Iterator[c.Clause]:  # noqa: ANN401 - a DropStmt
    names: list[str] = []
    for item in node.objects:
        kind = item.WhichOneof("node")
        if kind == "list":
            names.append(words.full(words.strings(item.list.items)))
        elif kind == "type_name":
            names.append(words.full(words.strings(item.type_name.names)))
        elif kind == "string":
            names.append(item.string.sval)
        elif kind == "object_with_args":
            names.append(words.full(words.strings(item.object_with_args.objname)))
    yield c.Drop(_DROPPED.get(node.remove_type, "object"), tuple(names), words.behaves(node), node.missing_ok)
    if node.concurrent:
        yield c.Concurrently("DROP INDEX CONCURRENTLY")
    if node.remove_type in _TABLES:
        for name in names:
            yield c.Lock(name, "AccessExclusiveLock")


def _rename(node: Any) -> Iterator[c.Clause]:  # noqa: ANN401 - a RenameStmt
    if node.rename_type in _TABLES:
        name = words.table(node.relation)
        yield c.Rename(name, None, f"{node.relation.schemaname or 'public'}.{node.newname}")
        yield c.Lock(name, "AccessExclusiveLock")
    elif node.rename_type == _n.OBJECT_COLUMN and node.relation_type in _TABLES:
        name = words.table(node.relation)
        yield c.Rename(name, node.subname, node.newname)
        yield c.Lock(name, "AccessExclusiveLock")
    elif node.rename_type == _n.OBJECT_SCHEMA:
        yield c.RenameSchema(node.subname, node.newname)
    elif node.rename_type == _n.OBJECT_TYPE:
        old = words.full(words.strings(node.object.list.items))
        yield c.RenameType(old, f"{old.rpartition('.')[0]}.{node.newname}")


def _set_schema(node: Any) -> Iterator[c.Clause]:  # noqa: ANN401 - an AlterObjectSchemaStmt
    if node.object_type in _TABLES:
        yield c.Rename(words.table(node.relation), None, f"{node.newschema}.{node.relation.relname}")
        yield c.Lock(words.table(node.relation), "AccessExclusiveLock")


def _enum(node: Any) -> Iterator[c.Clause]:  # noqa: ANN401 - an AlterEnumStmt
    if not node.old_val:
        yield c.AddEnumValue(words.full(words.strings(node.type_name)), node.new_val)


def _truncate(node: Any) -> Iterator[c.Clause]:  # noqa: ANN401 - a TruncateStmt
    tables = tuple(words.table(r.range_var) for r in node.relations)
    yield c.Truncate(tables, words.behaves(node))
    for name in tables:
        yield c.Lock(name, "AccessExclusiveLock")


def _common(node: Any) -> Iterator[c.Clause]:  # noqa: ANN401 - a statement that may begin with WITH
    """What the common tables of a query change."""
    for cte in node.with_clause.ctes if node.HasField("with_clause") else ():
        query = cte.common_table_expr.ctequery
        kind = query.WhichOneof("node")
        if kind in _CHANGES:
            yield from _READERS[kind](getattr(query, kind))


def _insert(node: Any) -> Iterator[c.Clause]:  # noqa: ANN401 - an InsertStmt
    yield from _common(node)
    if node.select_stmt.select_stmt.from_clause:
        yield c.Dml("INSERT", words.table(node.relation), True)


def _function(node: Any) -> Iterator[c.Clause]:  # noqa: ANN401 - a CreateFunctionStmt
    definer = fixed = False
    for option in node.options:
        element = option.def_elem
        if element.defname == "security":
            definer = element.arg.boolean.boolval
        elif element.defname == "set" and element.arg.variable_set_stmt.name == "search_path":
            fixed = True
    # The names in a body that is no string are looked up once, when the function is made.
    if definer and not fixed and not node.HasField("sql_body"):
        yield c.DefinerFunction(words.full(words.strings(node.funcname)))


def _alter_function(node: Any) -> Iterator[c.Clause]:  # noqa: ANN401 - an AlterFunctionStmt
    for option in node.actions:
        element = option.def_elem
        if element.defname == "security" or (
            element.defname == "set" and element.arg.variable_set_stmt.name in {"search_path", ""}
        ):
            yield c.DefinerFunction(words.full(words.strings(node.func.objname)), altered=True)
            return


def _alter_policy(node: Any) -> Iterator[c.Clause]:  # noqa: ANN401 - an AlterPolicyStmt
    public = all(r.role_spec.roletype == _n.ROLESPEC_PUBLIC for r in node.roles) if node.roles else None
    lets_through = words.is_true(node.qual) or words.is_true(node.with_check)
    yield c.AlterPolicy(words.table(node.table), node.policy_name, public, lets_through)
    yield c.Lock(words.table(node.table), "AccessExclusiveLock")


def _policy(node: Any) -> Iterator[c.Clause]:  # noqa: ANN401 - a CreatePolicyStmt
    public = all(r.role_spec.roletype == _n.ROLESPEC_PUBLIC for r in node.roles)
    lets_through = words.is_true(node.qual) or words.is_true(node.with_check)
    if public and node.permissive and lets_through and node.cmd_name != "select":
        verb = "do anything with" if node.cmd_name == "all" else node.cmd_name
        yield c.Rls(words.table(node.table), f"policy `{node.policy_name}` lets everybody {verb} every row")
    yield c.Lock(words.table(node.table), "AccessExclusiveLock")


def _grant(node: Any) -> Iterator[c.Clause]:  # noqa: ANN401 - a GrantStmt
    if not node.is_grant:
        return
    roles = [r.role_spec for r in node.grantees]
    public = any(r.roletype == _n.ROLESPEC_PUBLIC for r in roles)
    privileges = ", ".join(p.access_priv.priv_name.upper() for p in node.privileges) or "ALL"
    if not (public or privileges == "ALL" or node.grant_option):
        return
    to = ", ".join("PUBLIC" if r.roletype == _n.ROLESPEC_PUBLIC else r.rolename for r in roles)
    relations = [words.table(o.range_var) for o in node.objects if o.WhichOneof("node") == "range_var"]
    everything = node.targtype in {_n.ACL_TARGET_ALL_IN_SCHEMA, _n.ACL_TARGET_DEFAULTS}
    what = ", ".join(relations) if relations else "every object of a schema" if everything else "an object"
    for name in relations or [""]:
        yield c.Grant(privileges + (" WITH GRANT OPTION" if node.grant_option else ""), name or what, to, name)


def _vacuum(node: Any) -> Iterator[c.Clause]:  # noqa: ANN401 - a VacuumStmt
    if node.is_vacuumcmd and any(o.def_elem.defname == "full" and words.switched_on(o.def_elem) for o in node.options):
        for relation in node.rels:
            yield c.RewriteAll(words.table(relation.vacuum_relation.relation), "VACUUM FULL")


def _reindex(node: Any) -> Iterator[c.Clause]:  # noqa: ANN401 - a ReindexStmt
    if any(p.def_elem.defname == "concurrently" and words.switched_on(p.def_elem) for p in node.params):
        yield c.Concurrently("REINDEX CONCURRENTLY", node.relation.relname)
        return
    of_table = node.kind == _n.REINDEX_OBJECT_TABLE
    yield c.Reindex(words.table(node.relation) if of_table else "", node.relation.relname or node.name)


def _refresh(node: Any) -> Iterator[c.Clause]:  # noqa: ANN401 - a RefreshMatViewStmt
    yield c.Refresh(words.table(node.relation), node.concurrent or node.skip_data)


def _transaction(node: Any) -> Iterator[c.Clause]:  # noqa: ANN401 - a TransactionStmt
    if node.kind in _VERBS:
        yield c.Transaction(_VERBS[node.kind])


def _dml(verb: str) -> Callable[[Any], Iterator[c.Clause]]:
    def read_dml(node: Any) -> Iterator[c.Clause]:  # noqa: ANN401 - an UpdateStmt or DeleteStmt
        yield from _common(node)
        joins = bool(node.from_clause if verb == "UPDATE" else node.using_clause)
        named = node.HasField("where_clause") and not words.always(node.where_clause)
        present = words.not_null(node.where_clause) if named and not joins else ""
        yield c.Dml(verb, words.table(node.relation), named or joins, present)

    return read_dml


def _explain(node: Any) -> Iterator[c.Clause]:  # noqa: ANN401 - an ExplainStmt
    """With ANALYZE it runs what it explains."""
    kind = node.query.WhichOneof("node")
    if kind in _CHANGES and any(
        o.def_elem.defname == "analyze" and words.switched_on(o.def_elem) for o in node.options
    ):
        yield from _READERS[kind](getattr(node.query, kind))


def plain_block(node: Any) -> list[grammar.Tree]:  # noqa: ANN401 - a DoStmt
    """The statements of a block as drizzle-kit writes it around a constraint; [] for any other block."""
    body = next((a.def_elem.arg.string.sval for a in node.args if a.def_elem.defname == "as"), "")
    match = _PLAIN_BLOCK.match(body) if len(body) <= grammar.SURELY_SHALLOW else None
    inside = match["inside"] if match else ""
    trees = [grammar.parse(inside[span.start : span.end]) for span in grammar.split(inside)]
    return trees if all(tree.kind in shapes.PLAIN_KINDS for tree in trees) else []


def _do(node: Any) -> Iterator[c.Clause]:  # noqa: ANN401 - a DoStmt
    """A plain block is read; any other shows what it does when it runs."""
    trees = plain_block(node)
    if not trees:
        yield c.Opaque("a DO block")
        return
    for tree in trees:
        yield from _READERS[tree.kind](tree.node)


_READERS: dict[str, Callable[[Any], Iterable[c.Clause]]] = {
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
    "create_enum_stmt": lambda node: iter([c.CreateEnum(words.full(words.strings(node.type_name)))]),
    "truncate_stmt": _truncate,
    "insert_stmt": _insert,
    "update_stmt": _dml("UPDATE"),
    "delete_stmt": _dml("DELETE"),
    "explain_stmt": _explain,
    "merge_stmt": lambda node: iter([c.Dml("MERGE", words.table(node.relation), True)]),
    "create_function_stmt": _function,
    "create_policy_stmt": _policy,
    "grant_stmt": _grant,
    "alter_default_privileges_stmt": lambda node: _grant(node.action),
    "vacuum_stmt": _vacuum,
    "cluster_stmt": lambda node: iter(
        [c.RewriteAll(words.table(node.relation), "CLUSTER")] if node.indexname or node.relation.relname else []
    ),
    "reindex_stmt": _reindex,
    "refresh_mat_view_stmt": _refresh,
    "transaction_stmt": _transaction,
    "view_stmt": lambda node: iter([c.CreateView(words.table(node.view))]),
    "lock_stmt": lambda node: iter([c.Lock(words.table(r.range_var), "AccessExclusiveLock") for r in node.relations]),
    "do_stmt": _do,
    "call_stmt": lambda _: iter([c.Opaque("a procedure")]),
}
