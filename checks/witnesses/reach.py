"""Which tables a run can have changed, where its statements are so plain that they change what they name or lock, and nothing else.

PostgreSQL locks a table against other changes before it changes anything that stands in it: children, and tables that foreign
keys point to or come from, are locked like those that a statement names. What another table says in words is changed by new
names (`RENAME`, `SET SCHEMA`) and `CASCADE` alone, which are none of the statements here.
https://www.postgresql.org/docs/current/explicit-locking.html#LOCKING-TABLES
"""

from collections.abc import Callable

from checks.catalog.model import Catalog
from checks.catalog.tables import Table
from checks.witnesses import calls, grammar, words
from checks.witnesses.existing import STRENGTH
from checks.witnesses.grammar import Node
from checks.witnesses.model import Run

Name = tuple[str, str]

_MOST = 100  # statements; after more than that the whole schema is as quickly read
_CHANGES = STRENGTH["ShareUpdateExclusiveLock"]
_PLAIN = frozenset({
    "AT_AddColumn", "AT_DropColumn", "AT_AlterColumnType", "AT_ColumnDefault", "AT_SetNotNull", "AT_DropNotNull",
    "AT_AddConstraint", "AT_DropConstraint", "AT_ValidateConstraint", "AT_AddIdentity", "AT_SetIdentity", "AT_DropIdentity",
    "AT_EnableRowSecurity", "AT_DisableRowSecurity",
})  # fmt: skip


def tables(run: Run, before: Catalog) -> frozenset[Name] | None:
    """Schema and name of each; None where the run may have changed something else.

    Args:
        run: observed, statement by statement.
        before: the schema before it.
    """
    seen = [observation for each in run.runs for observation in each.observations]
    if run.state != "ok" or len(seen) > _MOST or not all(each.executed for each in seen):
        return None
    named: set[Name] = set()
    for each in seen:
        names = _named(grammar.parse(each.statement.sql))
        if names is None:
            return None
        named.update(names)
    if not calls.nothing([each.statement.sql for each in seen], but_built_in=True):
        return None  # a function may do anything, where there are rows to call it for
    there: dict[str, list[Name]] = {}
    for found in before:
        if isinstance(found, Table):
            there.setdefault(f"{found.schema}.{found.name}", []).append((found.schema, found.name))
    locked = {lock.relation for each in seen for lock in each.locks if STRENGTH[lock.mode] >= _CHANGES}
    if any(len(there.get(relation, ())) != 1 for relation in locked):
        return None
    return frozenset(named | {there[relation][0] for relation in locked})


def _named(tree: grammar.Tree) -> list[Name] | None:
    """The tables that a plain statement makes or changes by name; None where it is none."""
    told = _KINDS.get(tree.kind)
    return None if told is None or tree.node is None else told(tree.node)


def _altered(node: Node) -> list[Name] | None:
    plain = node["objtype"] == "OBJECT_TABLE" and all(_is_plain(each["AlterTableCmd"]) for each in node["cmds"])
    return [_name(node["relation"])] if plain else None


def _is_plain(command: Node) -> bool:
    return command["subtype"] in _PLAIN and not words.behaves(command)


def _dropped(node: Node) -> list[Name] | None:
    if words.behaves(node) or "concurrent" in node:
        return None
    if node["removeType"] == "OBJECT_INDEX":
        return []  # its table is locked
    if node["removeType"] != "OBJECT_TABLE":
        return None
    named = [words.strings(each["List"]["items"]) for each in node["objects"]]
    return [(each[-2] if len(each) > 1 else "public", each[-1]) for each in named]


def _name(relation: Node) -> Name:
    return (relation.get("schemaname", "public"), relation["relname"])


_KINDS: dict[str, Callable[[Node], list[Name] | None]] = {
    "create_stmt": lambda node: [_name(node["relation"])],
    "index_stmt": lambda node: None if "concurrent" in node else [_name(node["relation"])],
    "alter_table_stmt": _altered,
    "drop_stmt": _dropped,
    "create_enum_stmt": lambda _: [],
    "alter_enum_stmt": lambda node: None if "oldVal" in node else [],
}
