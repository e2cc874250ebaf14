"""ALTER TABLE, clause by clause."""

from collections.abc import Callable, Iterable
from typing import Any

from checks.witnesses import clauses as c
from checks.witnesses import grammar, words

_n = grammar.nodes

_KINDS: dict[int, c.Kind] = {
    _n.CONSTR_CHECK: "check",
    _n.CONSTR_FOREIGN: "foreign key",
    _n.CONSTR_UNIQUE: "unique",
    _n.CONSTR_PRIMARY: "primary key",
    _n.CONSTR_EXCLUSION: "exclusion",
}
_ALTERED = frozenset({_n.OBJECT_TABLE, _n.OBJECT_MATVIEW, _n.OBJECT_FOREIGN_TABLE})
_ADD_CONSTRAINT, _FOREIGN, _DEFAULT = _n.AT_AddConstraint, _n.CONSTR_FOREIGN, _n.CONSTR_DEFAULT
_IDENTITY, _GENERATED, _NOT_NULL = _n.CONSTR_IDENTITY, _n.CONSTR_GENERATED, _n.CONSTR_NOTNULL
_REQUIRES = frozenset({_n.CONSTR_NOTNULL, _n.CONSTR_PRIMARY})
_MAY_STAND_ALONE = frozenset({"check", "foreign key"})
# Weaker than AccessExclusiveLock: the manual's page of ALTER TABLE names them one by one.
_SHARE_UPDATE = {
    _n.AT_ValidateConstraint,
    _n.AT_SetStatistics,
    _n.AT_SetOptions,
    _n.AT_ResetOptions,
    _n.AT_SetRelOptions,
    _n.AT_ResetRelOptions,
    _n.AT_ClusterOn,
    _n.AT_DropCluster,
    _n.AT_AttachPartition,
}
_SHARE_ROW = {
    _n.AT_DisableTrig,
    _n.AT_DisableTrigAll,
    _n.AT_DisableTrigUser,
    _n.AT_EnableTrig,
    _n.AT_EnableTrigAll,
    _n.AT_EnableTrigUser,
    _n.AT_EnableAlwaysTrig,
    _n.AT_EnableReplicaTrig,
}


def table(node: Any) -> list[c.Clause]:  # noqa: ANN401 - an AlterTableStmt
    """The clauses of an ALTER TABLE."""
    if node.objtype not in _ALTERED:
        return []
    name = words.table(node.relation)
    strongest = 0
    made: list[c.Clause] = []
    for holder in node.cmds:
        command = holder.alter_table_cmd
        kind = command.subtype
        if (reader := _READERS.get(kind)) is not None:
            made += reader(name, command)
        if kind in _SHARE_UPDATE or strongest == 2:
            continue
        foreign = kind == _ADD_CONSTRAINT and getattr(command, "def").constraint.contype == _FOREIGN
        strongest = max(strongest, 1 if foreign or kind in _SHARE_ROW else 2)
    if strongest:
        made.append(c.Lock(name, "AccessExclusiveLock" if strongest == 2 else "ShareRowExclusiveLock"))
    return made


def constraint(name: str, node: Any, column: str = "") -> list[c.Clause]:  # noqa: ANN401 - a Constraint
    """A constraint on a table, or on its new column."""
    kind = _KINDS.get(node.contype)
    if kind is None:
        return []
    foreign = kind == "foreign key"
    keys = words.strings(node.fk_attrs if foreign else node.keys)
    referenced = words.table(node.pktable) if foreign else ""
    added = c.AddConstraint(
        name,
        node.conname,
        kind,
        tuple(keys) or ((column,) if column else ()),
        node.skip_validation or (kind in _MAY_STAND_ALONE and not node.is_enforced),
        bool(node.indexname),
        referenced,
        column,
    )
    return [added, c.Lock(referenced, "ShareRowExclusiveLock")] if foreign else [added]


def column(name: str, node: Any, constraints: Iterable[Any]) -> c.AddColumn:  # noqa: ANN401 - a ColumnDef
    """A column's definition; its constraints are told apart by `constraint`."""
    written = words.type_name(node.type_name)
    filled = written if written in words.SERIAL else ""
    not_null = bool(filled)
    default: c.Default = "volatile" if filled else "none"
    for inner in constraints:
        kind = inner.contype
        if kind in _REQUIRES:
            not_null = not_null or not inner.skip_validation
        elif kind == _DEFAULT:
            default = words.default(inner.raw_expr)
        elif kind == _IDENTITY:
            filled, default, not_null = "identity", "volatile", True
        elif kind == _GENERATED:
            filled = "generated" if inner.generated_kind == "s" else "virtual"
            default = "volatile" if filled == "generated" else "constant"
    return c.AddColumn(name, node.colname, written, not_null, default, filled)


def _add_column(name: str, command: Any) -> list[c.Clause]:  # noqa: ANN401 - an AlterTableCmd
    node = getattr(command, "def").column_def
    constraints = [holder.constraint for holder in node.constraints]
    made: list[c.Clause] = [column(name, node, constraints)]
    for each in constraints:
        made += constraint(name, each, node.colname)
    return made


def _add_constraint(name: str, command: Any) -> list[c.Clause]:  # noqa: ANN401 - as above
    node = getattr(command, "def").constraint
    if node.contype != _NOT_NULL:
        return constraint(name, node)
    if node.skip_validation:
        return [c.AddConstraint(name, node.conname, "not null", tuple(words.strings(node.keys)), not_valid=True)]
    return [c.SetNotNull(name, words.strings(node.keys)[0] if node.keys else "")]


def _attach(name: str, command: Any) -> list[c.Clause]:  # noqa: ANN401 - as above
    partition = words.table(getattr(command, "def").partition_cmd.name)
    return [c.AttachPartition(name, partition), c.Lock(partition, "AccessExclusiveLock")]


def _detach(_: str, command: Any) -> list[c.Clause]:  # noqa: ANN401 - as above
    if not getattr(command, "def").partition_cmd.concurrent:
        return []
    return [c.Concurrently("ALTER TABLE … DETACH PARTITION CONCURRENTLY")]


def _alter_type(name: str, command: Any) -> list[c.Clause]:  # noqa: ANN401 - as above
    return [c.AlterType(name, command.name, words.type_name(getattr(command, "def").column_def.type_name))]


def _one(make: Callable[[str, str], c.Clause]) -> Callable[[str, Any], list[c.Clause]]:
    def read(name: str, command: Any) -> list[c.Clause]:  # noqa: ANN401 - as above
        return [make(name, command.name)]

    return read


_READERS: dict[int, Callable[[str, Any], list[c.Clause]]] = {
    _n.AT_AddColumn: _add_column,
    _n.AT_AddConstraint: _add_constraint,
    _n.AT_AttachPartition: _attach,
    _n.AT_DetachPartition: _detach,
    _n.AT_AlterColumnType: _alter_type,
    _n.AT_DropColumn: lambda name, command: [
        c.DropColumn(name, command.name, words.behaves(command), command.missing_ok)
    ],
    _n.AT_DropConstraint: lambda name, command: [c.DropConstraint(name, command.name, command.missing_ok)],
    _n.AT_ValidateConstraint: _one(c.ValidateConstraint),
    _n.AT_SetNotNull: _one(c.SetNotNull),
    _n.AT_DisableTrig: _one(c.Trigger),
    _n.AT_EnableReplicaTrig: _one(c.Trigger),
    _n.AT_DisableTrigAll: _one(lambda name, _: c.Trigger(name, "ALL")),
    _n.AT_DisableTrigUser: _one(lambda name, _: c.Trigger(name, "USER")),
    _n.AT_DisableRowSecurity: _one(lambda name, _: c.Rls(name, "row level security is switched off")),
    _n.AT_NoForceRowSecurity: _one(lambda name, _: c.Rls(name, "its owner is no longer bound by row level security")),
}
