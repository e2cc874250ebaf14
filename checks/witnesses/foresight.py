"""Which locks a plain statement takes, told from its tree, so that a long transaction need not list all its locks again.

Listing costs up to a microsecond for each lock that is held, and a transaction over two hundred files holds thousands. Two
kinds of statements are foreseen: those that name only what the transaction itself made, which lock nothing that existed,
and those that do one plain thing to one table. Whatever is not surely of these is looked at, and each look at all locks
proves what was foreseen since the last. The modes are the manual's and the same in 14 to 18:
https://www.postgresql.org/docs/current/explicit-locking.html#LOCKING-TABLES
"""

import re
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from checks.witnesses import grammar, text
from checks.witnesses import words as w
from checks.witnesses.existing import Before, Table
from checks.witnesses.grammar import Node
from checks.witnesses.hearing import Heard

_AX, _SRX, _SHARE, _SUX = "AccessExclusiveLock", "ShareRowExclusiveLock", "ShareLock", "ShareUpdateExclusiveLock"
_RX, _RS, _AS = "RowExclusiveLock", "RowShareLock", "AccessShareLock"

_LONGEST = 20_000
_WORD = re.compile(r"[a-z_\x80-\U0010ffff][\w$]*")
# Plain on what the transaction itself made. DROP INDEX and its like name things that may belong to an old table.
_PLAIN = re.compile(
    r"\s*(?:create\s+(?:table|(?:unique\s+)?index(?!\s+concurrently\b)|type|sequence|domain|policy|trigger|(?:or\s+replace\s+)?view"
    r"|(?:or\s+replace\s+)?(?:function|procedure|trigger))\b"
    r"|create\s+schema\s+(?:if\s+not\s+exists\s+)?[\w\"$]+\s*;?\s*$"
    r"|alter\s+(?:table(?!\s+all\b)|type|policy|view|sequence)\b|drop\s+(?:table|view|policy|trigger)\b"
    r"|comment\s+on\b|insert\s+into\b|update\b|delete\s+from\b|grant\b(?!.*\bin\s+schema\b))",
    re.DOTALL,
)
_UNFORESEEN = re.compile(r"\b(?:cascade|concurrently|inherits?|attach|detach|\w+_to_xml\w*|dblink\w*|u&)\b|u&['\"]")
_FUNCTION = re.compile(r"\s*create\s+(?:or\s+replace\s+)?(?:function|procedure)\b")
_EXECUTES = re.compile(r"\bexecute\b(?!\s+(?:function|procedure)\b)")
_UNSETTLING = re.compile(
    r"\s*(?:do|call|execute|import|load|discard|create\s+(?:or\s+replace\s+)?(?:operator|cast|rule|aggregate|event))\b"
)


class Foreseen(NamedTuple):
    """What a statement locks.

    Attributes:
        locks: oid and mode, each that the statement takes.
        reads: it may go through these tables, so their counters and files are to be looked at.
        scans: the table that it goes through once, and writes no other file for.
        builds: the table that it locks more (ShareLock) where it builds an index of it.
        proves: the name of the foreign key that it adds, and the table of it that existed, if it did.
    """

    locks: tuple[tuple[int, str], ...] = ()
    reads: bool = False
    scans: int | None = None
    builds: str = ""
    proves: tuple[str, int | None] = ("", None)


NOTHING = Foreseen()


class Foresight:
    """Follows the statements of a session: `read` each that is sent, in order, and ask `of` it when it ran."""

    def __init__(self, before: Before) -> None:
        """Take the names that there are."""
        self._names: dict[str, list[Table]] = {}
        for table in before.tables.values():
            self._names.setdefault(table.name, []).append(table)
        every = {name.lower() for name in before.names | before.functions}
        self._functions = {name.lower() for name in before.functions}
        self._odd = [name for name in every if not _WORD.fullmatch(name)]
        self._hot = every - {"public"}  # names that lead to a table that existed
        self._unclear: set[str] = set()  # names that may mean another table by now
        self._wed: set[int] = set()  # tables that are no longer lonely
        self._loud: set[int] = set()  # tables that are no longer quiet
        self._settled = True
        self._read: Foreseen | None = None

    def read(self, sql: str) -> None:
        """Take a statement that is sent, while the server works on it."""
        self._read = self._told(sql) if self._settled else None

    def of(self, heard: Sequence[Heard]) -> Foreseen | None:
        """What that statement locked, which ran, and during which this was heard; None where it has to be looked at."""
        found = self._read
        if found is None or not (found.builds or found.scans):
            return found
        if found.scans is not None:  # PostgreSQL says that it built the index: in that it counts one scan
            return found if [each.verb for each in heard] == ["builds"] else found._replace(reads=True, scans=None)
        if not heard:
            return found
        if any(each.verb == "validates" for each in heard):
            return None
        built = any(each.verb == "builds" and each.name == found.builds for each in heard)
        more = tuple((oid, _SHARE) for oid, _ in found.locks) if built else ()
        return Foreseen((*found.locks, *more), reads=True)

    def _told(self, sql: str) -> Foreseen | None:
        small = sql.lower()
        if len(sql) > _LONGEST:
            self._settled = small.lstrip()[:6] in {"insert", "update", "delete"}
            return None
        words = set(_WORD.findall(small))
        hot = words & self._hot
        if not hot and not any(name in small for name in self._odd):
            return self._cold(small)
        return self._warm(sql, small, hot, words)

    def _cold(self, small: str) -> Foreseen | None:
        """No word of it leads to a table that existed."""
        if _FUNCTION.match(small) and _EXECUTES.search(small):
            self._settled = False
        elif _UNSETTLING.match(small):
            return self._block(small)
        elif _PLAIN.match(small) and not _UNFORESEEN.search(small):
            return NOTHING
        return None

    def _block(self, sql: str) -> Foreseen | None:
        """Code: only the plain blocks that drizzle-kit writes around a constraint do what they say."""
        tree = grammar.parse(sql)
        inner = text.plain_block(tree.node) if tree.node is not None and tree.kind == "do_stmt" else []
        self._settled = bool(inner)
        for each in inner:
            self._link(each, plain=False)
        return NOTHING if inner else None

    def _warm(self, sql: str, small: str, hot: set[str], words: set[str]) -> Foreseen | None:
        if _UNSETTLING.match(small):
            self._block(sql)
            return None
        tree = grammar.parse(sql)
        if tree.node is None:
            self._settled = False
            return None
        found: Foreseen | None = None
        if not (words & self._functions or _UNFORESEEN.search(small) or any(name in small for name in self._odd)):
            teller = _TELLERS.get(tree.kind)
            found = teller(self, tree.node, hot) if teller is not None else None
        elif words & self._functions and tree.kind in {"select_stmt", "create_table_as_stmt", "explain_stmt"}:
            self._settled = False
        if tree.kind not in _HARMLESS:
            self._link(tree, plain=found is not None)
        return found

    # -- what becomes of names --------------------------------------------------------------------------------------

    def _link(self, tree: grammar.Tree, *, plain: bool) -> None:
        """What is named beside a table that existed leads to it from now on."""
        node = tree.node or {}
        relations = list(_relations(tree.kind, node))
        names = {relation["relname"] for relation in relations}
        made = {relation["relname"] for relation in relations[:1]} if tree.kind in _MAKES else set[str]()
        if tree.kind in _RENAMES:
            made |= names | {node["newname"]} if tree.kind == "rename_stmt" else names
            names |= made
        self._unclear |= made & self._names.keys()
        if tree.kind == "index_stmt":
            names.add(node.get("idxname", ""))
        elif tree.kind == "create_function_stmt":
            names |= set(w.strings(node["funcname"]))
        elif tree.kind == "create_domain_stmt":
            names |= set(w.strings(node["domainname"]))
        if tree.kind != "index_stmt" and not plain:
            oids = {table.oid for name in names for table in self._names.get(name, ())}
            self._loud |= oids
            if tree.kind != "alter_table_stmt" or any(h["AlterTableCmd"]["subtype"] in _WEDS for h in node["cmds"]):
                self._wed |= oids
        self._hot |= {name.lower() for name in names}

    def table(self, relation: Node) -> Table | None:
        """The table that existed and is meant for sure by a RangeVar."""
        name, schema = relation["relname"], relation.get("schemaname")
        found = self._names.get(name, [])
        if schema:
            found = [table for table in found if table.schema == schema]
        return found[0] if len(found) == 1 and name not in self._unclear else None

    def only(self, relation: Node, hot: set[str], *others: Node) -> Table | None:
        """That table, where it has no relatives and nothing else that existed is named."""
        table = self.table(relation)
        if table is None or not table.lonely or table.oid in self._wed:
            return None
        return table if hot <= {each["relname"].lower() for each in (relation, *others)} else None

    def quiet(self, relation: Node, hot: set[str]) -> Table | None:
        """That table, where changing its rows reaches no other."""
        table = self.only(relation, hot)
        quiet = table is not None and table.quiet and table.oid not in self._loud and not self._functions
        return table if quiet else None

    def old(self, relation: Node) -> bool:
        """Whether its name may mean a table that existed."""
        return relation["relname"] in self._names or relation["relname"] in self._unclear


def _relations(kind: str, node: Node) -> Iterator[Node]:
    """The tables that a statement names, its own first."""
    if kind == "alter_table_stmt":
        yield node["relation"]
        for holder in node["cmds"]:
            definition = holder["AlterTableCmd"].get("def", {})
            if w.kind(definition) in _SHALLOW:
                yield from _referenced(definition)
            else:
                yield from w.relations(definition)
    elif kind == "index_stmt":
        yield node["relation"]
    else:
        yield from w.relations(node)


def _constraints(definition: Node) -> list[Node]:
    """Those of a ColumnDef, or the Constraint itself."""
    if (constraint := definition.get("Constraint")) is not None:
        return [constraint]
    return [holder["Constraint"] for holder in definition["ColumnDef"].get("constraints", ())]


def _referenced(definition: Node) -> Iterator[Node]:
    yield from (each["pktable"] for each in _constraints(definition) if each["contype"] == "CONSTR_FOREIGN")


_SHALLOW = {"Constraint", "ColumnDef"}
_MAKES = {"create_stmt", "view_stmt", "create_table_as_stmt", "create_seq_stmt"}
_RENAMES = {"rename_stmt", "alter_object_schema_stmt"}
_HARMLESS = {"comment_stmt", "insert_stmt", "update_stmt", "delete_stmt", "select_stmt", "grant_stmt", "truncate_stmt"}
_KEYS = {"CONSTR_FOREIGN", "CONSTR_EXCLUSION", "CONSTR_IDENTITY"}
_KEYED = {"serial", "bigserial", "smallserial", "serial2", "serial4", "serial8"}  # their sequence looks at the table
_WEDS = {"AT_AddInherit", "AT_DropInherit", "AT_AttachPartition", "AT_DetachPartition"}


def _alter(sight: Foresight, node: Node, hot: set[str]) -> Foreseen | None:
    if node["objtype"] != "OBJECT_TABLE":
        return None
    commands = [holder["AlterTableCmd"] for holder in node["cmds"]]
    if len(commands) == 1 and (key := _key(commands[0])) is not None:
        return _links(sight, node, key, hot)
    table = sight.only(node["relation"], hot)
    if table is None or not all(map(_is_simple, commands)):
        return None
    return Foreseen(((table.oid, _AX),), builds=table.name)


def _is_simple(command: Node) -> bool:
    """An AlterTableCmd locks its own table and no other; whatever it reads or builds on the way, PostgreSQL says."""
    if command["subtype"] in {"AT_AddColumn", "AT_AddConstraint"}:
        definition = command["def"]
        column = definition.get("ColumnDef")
        if column is not None and not _KEYED.isdisjoint(w.strings(column["typeName"]["names"])):
            return False
        return not any(each["contype"] in _KEYS or "indexname" in each for each in _constraints(definition))
    return command["subtype"] in _SIMPLE


_SIMPLE = {"AT_ColumnDefault", "AT_SetNotNull", "AT_DropNotNull"}


def _key(command: Node) -> Node | None:
    """The foreign key that an AlterTableCmd adds and proves."""
    if command["subtype"] != "AT_AddConstraint":
        return None
    constraint: Node = command["def"]["Constraint"]
    return constraint if constraint["contype"] == "CONSTR_FOREIGN" and "skip_validation" not in constraint else None


def _links(sight: Foresight, node: Node, key: Node, hot: set[str]) -> Foreseen | None:
    """A foreign key: the query that proves it reads both tables."""
    relation, target = node["relation"], key["pktable"]
    referenced = sight.only(target, hot, relation)
    own = sight.only(relation, hot, target)
    if referenced is None or (own is None and sight.old(relation)):
        return None
    locks = [(referenced.oid, mode) for mode in (_SRX, _RS, _AS)]
    locks += [(own.oid, mode) for mode in (_SRX, _AS)] if own is not None else []
    return Foreseen(tuple(locks), reads=True, proves=(key.get("conname", ""), own.oid if own is not None else None))


def _create(sight: Foresight, node: Node, hot: set[str]) -> Foreseen | None:
    relation = node["relation"]
    if not _NOT_ALONE.isdisjoint(node) or sight.old(relation):
        return None
    referenced: list[Node] = []
    for element in node.get("tableElts", ()):
        if w.kind(element) not in _SHALLOW:
            return None
        referenced += _referenced(element)
    tables = {table.oid: table for r in referenced if (table := sight.only(r, hot, relation, *referenced)) is not None}
    if any(sight.table(r) is None and sight.old(r) for r in referenced) or not tables:
        return None
    if hot - {relation["relname"].lower()} != {table.name.lower() for table in tables.values()}:
        return None
    return Foreseen(tuple((oid, mode) for oid in tables for mode in (_SRX, _AS)))


_NOT_ALONE = {"inhRelations", "if_not_exists", "ofTypename"}


def _index(sight: Foresight, node: Node, hot: set[str]) -> Foreseen | None:
    table = sight.only(node["relation"], hot)
    if table is None or "concurrent" in node or "if_not_exists" in node:
        return None
    return Foreseen(((table.oid, _SHARE),), scans=table.oid)


def _policy(sight: Foresight, node: Node, hot: set[str]) -> Foreseen | None:
    table = sight.only(node["table"], hot)
    return None if table is None else Foreseen(((table.oid, _AX),))


def _rows(sight: Foresight, node: Node, hot: set[str]) -> Foreseen | None:
    """An UPDATE, DELETE or INSERT."""
    table = sight.quiet(node["relation"], hot)
    return None if table is None else Foreseen(((table.oid, _RX),), reads=True)


_TELLERS: dict[str, Callable[[Foresight, Node, set[str]], Foreseen | None]] = {
    "alter_table_stmt": _alter,
    "create_stmt": _create,
    "index_stmt": _index,
    "create_policy_stmt": _policy,
    "insert_stmt": _rows,
    "update_stmt": _rows,
    "delete_stmt": _rows,
}
