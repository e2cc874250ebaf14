"""ALTER TABLE, clause by clause."""

from collections.abc import Callable, Iterable

from checks.witnesses import clauses as c
from checks.witnesses import words
from checks.witnesses.grammar import Node

_KINDS: dict[str, c.Kind] = {
    "CONSTR_CHECK": "check",
    "CONSTR_FOREIGN": "foreign key",
    "CONSTR_UNIQUE": "unique",
    "CONSTR_PRIMARY": "primary key",
    "CONSTR_EXCLUSION": "exclusion",
}
_ALTERED = frozenset({"OBJECT_TABLE", "OBJECT_MATVIEW", "OBJECT_FOREIGN_TABLE"})
_REQUIRES = frozenset({"CONSTR_NOTNULL", "CONSTR_PRIMARY"})
_MAY_STAND_ALONE = frozenset({"check", "foreign key"})
# Weaker than AccessExclusiveLock: the manual's page of ALTER TABLE names them one by one.
_SHARE_UPDATE = {
    "AT_ValidateConstraint",
    "AT_SetStatistics",
    "AT_SetOptions",
    "AT_ResetOptions",
    "AT_SetRelOptions",
    "AT_ResetRelOptions",
    "AT_ClusterOn",
    "AT_DropCluster",
    "AT_AttachPartition",
}
_SHARE_ROW = {
    "AT_DisableTrig",
    "AT_DisableTrigAll",
    "AT_DisableTrigUser",
    "AT_EnableTrig",
    "AT_EnableTrigAll",
    "AT_EnableTrigUser",
    "AT_EnableAlwaysTrig",
    "AT_EnableReplicaTrig",
}


def table(node: Node) -> list[c.Clause]:
    """The clauses of an AlterTableStmt."""
    if node["objtype"] not in _ALTERED:
        return []
    name = words.table(node["relation"])
    strongest = 0
    made: list[c.Clause] = []
    for holder in node["cmds"]:
        command = holder["AlterTableCmd"]
        kind = command["subtype"]
        if (reader := _READERS.get(kind)) is not None:
            made += reader(name, command)
        if kind in _SHARE_UPDATE or strongest == 2:
            continue
        foreign = kind == "AT_AddConstraint" and command["def"]["Constraint"]["contype"] == "CONSTR_FOREIGN"
        strongest = max(strongest, 1 if foreign or kind in _SHARE_ROW else 2)
    if strongest:
        made.append(c.Lock(name, "AccessExclusiveLock" if strongest == 2 else "ShareRowExclusiveLock"))
    return made


def constraint(name: str, node: Node, column: str = "") -> list[c.Clause]:
    """A Constraint on a table, or on its new column."""
    kind = _KINDS.get(node["contype"])
    if kind is None:
        return []
    foreign = kind == "foreign key"
    keys = words.strings(node.get("fk_attrs" if foreign else "keys", ()))
    referenced = words.table(node["pktable"]) if foreign else ""
    added = c.AddConstraint(
        name,
        node.get("conname", ""),
        kind,
        tuple(keys) or ((column,) if column else ()),
        "skip_validation" in node or (kind in _MAY_STAND_ALONE and "is_enforced" not in node),
        bool(node.get("indexname")),
        referenced,
        column,
    )
    return [added, c.Lock(referenced, "ShareRowExclusiveLock")] if foreign else [added]


def column(name: str, node: Node, constraints: Iterable[Node]) -> c.AddColumn:
    """A ColumnDef; its constraints are told apart by `constraint`."""
    written = words.type_name(node["typeName"])
    filled = written if written in words.SERIAL else ""
    not_null = bool(filled)
    default: c.Default = "volatile" if filled else "none"
    for inner in constraints:
        kind = inner["contype"]
        if kind in _REQUIRES:
            not_null = not_null or "skip_validation" not in inner
        elif kind == "CONSTR_DEFAULT":
            default = words.default(inner["raw_expr"])
        elif kind == "CONSTR_IDENTITY":
            filled, default, not_null = "identity", "volatile", True
        elif kind == "CONSTR_GENERATED":
            filled = "generated" if inner["generated_kind"] == "s" else "virtual"
            default = "volatile" if filled == "generated" else "constant"
    return c.AddColumn(name, node["colname"], written, not_null, default, filled)


def _add_column(name: str, command: Node) -> list[c.Clause]:
    node = command["def"]["ColumnDef"]
    constraints = [holder["Constraint"] for holder in node.get("constraints", ())]
    made: list[c.Clause] = [column(name, node, constraints)]
    for each in constraints:
        made += constraint(name, each, node["colname"])
    return made


def _add_constraint(name: str, command: Node) -> list[c.Clause]:
    node = command["def"]["Constraint"]
    if node["contype"] != "CONSTR_NOTNULL":
        return constraint(name, node)
    keys = words.strings(node.get("keys", ()))
    if "skip_validation" in node:
        return [c.AddConstraint(name, node.get("conname", ""), "not null", tuple(keys), not_valid=True)]
    return [c.SetNotNull(name, keys[0] if keys else "")]


def _attach(name: str, command: Node) -> list[c.Clause]:
    partition = words.table(command["def"]["PartitionCmd"]["name"])
    return [c.AttachPartition(name, partition), c.Lock(partition, "AccessExclusiveLock")]


def _detach(_: str, command: Node) -> list[c.Clause]:
    if "concurrent" not in command["def"]["PartitionCmd"]:
        return []
    return [c.Concurrently("ALTER TABLE … DETACH PARTITION CONCURRENTLY")]


def _alter_type(name: str, command: Node) -> list[c.Clause]:
    return [c.AlterType(name, command["name"], words.type_name(command["def"]["ColumnDef"]["typeName"]))]


def _one(make: Callable[[str, str], c.Clause]) -> Callable[[str, Node], list[c.Clause]]:
    def read(name: str, command: Node) -> list[c.Clause]:
        return [make(name, command["name"])]

    return read


_READERS: dict[str, Callable[[str, Node], list[c.Clause]]] = {
    "AT_AddColumn": _add_column,
    "AT_AddConstraint": _add_constraint,
    "AT_AttachPartition": _attach,
    "AT_DetachPartition": _detach,
    "AT_AlterColumnType": _alter_type,
    "AT_DropColumn": lambda name, command: [
        c.DropColumn(name, command["name"], words.behaves(command), "missing_ok" in command)
    ],
    "AT_DropConstraint": lambda name, command: [c.DropConstraint(name, command["name"], "missing_ok" in command)],
    "AT_ValidateConstraint": _one(c.ValidateConstraint),
    "AT_SetNotNull": _one(c.SetNotNull),
    "AT_DisableTrig": _one(c.Trigger),
    "AT_EnableReplicaTrig": _one(c.Trigger),
    "AT_DisableTrigAll": lambda name, _: [c.Trigger(name, "ALL")],
    "AT_DisableTrigUser": lambda name, _: [c.Trigger(name, "USER")],
    "AT_DisableRowSecurity": lambda name, _: [c.Rls(name, "row level security is switched off")],
    "AT_NoForceRowSecurity": lambda name, _: [c.Rls(name, "its owner is no longer bound by row level security")],
}
