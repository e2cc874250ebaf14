"""Puts the steps of a difference in an order that PostgreSQL accepts and people can follow."""

import heapq
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator

from checks.catalog import names, titles
from checks.catalog.code import Function
from checks.catalog.model import Catalog, Key, Object
from checks.catalog.outside import DefaultPrivileges
from checks.catalog.statements import about, decide, graph, make
from checks.catalog.statements.decide import Decisions
from checks.catalog.statements.model import Statement
from checks.catalog.tables import Column, Constraint, Default, Index, Statistics, Table
from checks.catalog.types import Sequence

Step = tuple[str, Key]
"""A verb and the object it is for."""

_KINDS = ("role", "schema", "extension", "default privileges", "collation", "type", "domain check", "sequence", "function",
          "foreign-data wrapper", "server", "user mapping", "table", "column", "default", "constraint", "index", "statistics",
          "view", "rule", "trigger", "policy", "publication", "subscription", "event trigger")  # fmt: skip
_RANK = {kind: rank for rank, kind in enumerate(_KINDS)}
_VERBS = {"disown": 0, "detach": 0, "drop": 0, "rename": 1, "create": 2, "alter": 2, "own": 3, "attach": 3, "attach index": 4,
          "replica": 4, "finish": 5}  # fmt: skip
_WORD = re.compile(r"[^\W\d][\w$]*")
_FOLDED = ("column", "default", "constraint")
_OF_TABLES = ("column", "default", "constraint", "index", "trigger", "rule", "policy", "statistics")


class Plan:
    """The steps, who does what along with whom, and what must come before what."""

    def __init__(self, done: Decisions) -> None:
        self.done = done
        self.a, self.b = done.a, done.b
        self.along: dict[Step, Step] = {}
        self.folded: dict[Step, set[Key]] = defaultdict(set)
        self.before: dict[Step, set[Step]] = defaultdict(set)
        self.steps: set[Step] = set()
        self.separate: set[Step] = set()
        self._dependants = graph.reverse(done.needs_b)
        self._indexes_of: dict[tuple[str, str], list[Constraint | Index]] = defaultdict(list)
        for each in done.b:
            if isinstance(each, Index) or (isinstance(each, Constraint) and each.contype in "pu"):
                self._indexes_of[each.schema, each.table].append(each)

    def statements(self) -> list[Statement]:
        """All of them, in order."""
        order = self._order()
        while order is None:  # a cycle: take apart what CREATE TABLE or DROP TABLE would do at once
            order = self._order()
        return [statement for step in order for statement in self._say(step)]

    def _order(self) -> list[Step] | None:
        self._collect()
        self._connect()
        order, stuck = _sorted(self.steps, self.before)
        if not stuck:
            return order
        loose = {
            step
            for step, host in self.along.items()
            if host in stuck
            and step not in self.separate
            and step[1][0] in {"default", "constraint", "trigger", "policy", "rule", "index"}
        }
        if loose:
            self.separate |= loose
            return None
        rebuilt = [
            key for verb, key in stuck if verb == "alter" and key[0] in {"view", "function", "policy", "default"}
        ]
        if rebuilt:
            decide.rebuild(self.done, rebuilt)
            return None
        return order + sorted(stuck, key=_priority)

    def _collect(self) -> None:
        done = self.done
        self.along, self.folded, self.before = {}, defaultdict(set), defaultdict(set)
        self.steps = {("alter", key) for key in done.altered}
        for key in done.dropped:
            if key in done.kept_aside:
                self.steps |= {("rename", key), ("finish", key)}
            else:
                self._add("drop", key, self._dropped_with(key))
        for key in done.created:
            self._add("create", key, self._created_with(key))
        for key in done.detached:
            self.steps.add(("detach", key))
        for key in done.attached:
            self.steps.add(("attach", key))
        for key, found in self.b.objects.items():
            if isinstance(found, Sequence):
                self._sequence(key, found)
            elif isinstance(found, Table):
                was = self.a.objects.get(key)
                old = (
                    was.replica_identity
                    if isinstance(was, Table) and key not in done.dropped
                    else "n"
                    if found.relkind == "f"
                    else "d"
                )
                rebuilt = ("index", found.schema, found.replica_identity) in done.created
                if old != found.replica_identity or rebuilt:
                    self.steps.add(("replica", key))
            elif isinstance(found, Index | Constraint):
                self._index_part(key, found)

    def _add(self, verb: str, key: Key, host: Step | None) -> None:
        step = (verb, key)
        if host is None or step in self.separate:
            self.steps.add(step)
        else:
            self.along[step] = host
            self.folded[host].add(key)

    def _dropped_with(self, key: Key) -> Step | None:
        """What takes it along when it goes."""
        found = self.a.objects[key]
        done = self.done
        if key[0] in _OF_TABLES:
            table = ("table", *_table_of(found))
            if table in done.dropped:
                return ("drop", table)
            if isinstance(found, Constraint | Index | Default | Statistics):
                columns = (
                    found.columns
                    if isinstance(found, Constraint | Index)
                    else (found.column,)
                    if isinstance(found, Default)
                    else ()
                )
                for column in columns:
                    if ("column", *table[1:], column) in done.dropped:
                        return ("drop", ("column", *table[1:], column))
            if isinstance(found, Constraint | Index) and table not in done.detached:
                up = found.parent if isinstance(found, Index) else found.index_parent
                if up is not None and (whole := self._index(self.a, up, found)) in done.dropped:
                    return ("drop", whole)
                if isinstance(found, Constraint) and found.inherited:
                    for parent in self._parents(self.a, table):
                        if ("constraint", *parent, found.name) in done.dropped:
                            return ("drop", ("constraint", *parent, found.name))
        if isinstance(found, Sequence) and found.owned_by:
            column, table = ("column", *found.owned_by), ("table", *found.owned_by[:2])
            if table in done.dropped:
                return ("drop", table)
            if column in done.dropped:
                return ("drop", column)
        return None

    def _created_with(self, key: Key) -> Step | None:
        """What makes it along."""
        found = self.b.objects[key]
        done = self.done
        if key[0] not in _FOLDED:
            return None
        table = ("table", *_table_of(found))
        if isinstance(found, Default):
            column = ("column", *key[1:])
            if table in done.created:
                return ("create", table)
            if column in done.created:
                return ("create", column)
            return None
        if table not in done.created:
            return None
        if isinstance(found, Constraint):
            simple = (
                not found.index_options
                and not found.clustered
                and not found.definition.endswith(("NOT VALID", "NOT ENFORCED"))
            )
            if found.contype == "f" or not simple or self._doubled(found) or self._ambiguous(found):
                return None
            if found.contype == "x" and not self._own_needs(key, table):
                return None
        return ("create", table)

    def _doubled(self, found: Constraint) -> bool:
        """CREATE TABLE keeps one of two constraints on the same columns."""
        return found.contype == "u" and any(
            isinstance(each, Constraint) and (each.contype == "p" or each.name < found.name)
            for each in self._alike(("table", found.schema, found.table), found)
        )

    def _ambiguous(self, found: Constraint) -> bool:
        """A partition has two indexes that ATTACH PARTITION could take for the part of this one."""
        if found.contype not in "pu":
            return False
        if ("table", found.schema, found.table) in self.done.attached and self._late(found):
            return True
        return any(
            (found.schema, found.table) in self._parents(self.b, child) and len(self._alike(child, found)) > 1
            for child in self.done.attached
        )

    def _alike(self, table: Key, like: Constraint | Index) -> list[Constraint | Index]:
        """The indexes of a table on the same columns."""
        return [each for each in self._indexes_of[table[1], table[2]] if each.columns == like.columns]

    def _late(self, found: Constraint | Index) -> bool:
        """An index of a partition that must not be there yet when the partition is attached: it would be taken for another."""
        if isinstance(found, Constraint) and found.contype not in "pu":
            return False
        if len(self._alike(("table", found.schema, found.table), found)) < 2:
            return False
        up = found.parent if isinstance(found, Index) else found.index_parent
        return up is None or self._index(self.b, up, found) in self.done.created

    def _own_needs(self, key: Key, table: Key) -> bool:
        return all(needed[:1] != ("function",) for needed in self.done.needs_b[key] if needed != table)

    def _parents(self, catalog: Catalog, table: Key) -> tuple[tuple[str, str], ...]:
        found = catalog.objects.get(table)
        return found.parents if isinstance(found, Table) else ()

    def _index(self, catalog: Catalog, name: tuple[str, str], part: Index | Constraint) -> Key:
        """The partitioned index of that name: an index, or a constraint of a parent."""
        for parent in self._parents(catalog, ("table", *_table_of(part))):
            key = ("constraint", *parent, name[1])
            if key in catalog.objects:
                return key
        return ("index", *name)

    def _sequence(self, key: Key, found: Sequence) -> None:
        was = self.a.objects.get(key)
        if isinstance(was, Sequence) and was.owned_by and key not in self.done.dropped:
            column = ("column", *was.owned_by)
            lost = column in self.done.dropped or ("table", *was.owned_by[:2]) in self.done.dropped
            if lost or (was.owned_by != found.owned_by and not found.owned_by):
                self.steps.add(("disown", key))
            if found.owned_by and (lost or was.owned_by != found.owned_by):
                self.steps.add(("own", key))
        elif found.owned_by and (was is None or key in self.done.created or was != found):
            self.steps.add(("own", key))

    def _index_part(self, key: Key, found: Index | Constraint) -> None:
        up = found.parent if isinstance(found, Index) else found.index_parent
        if up is None:
            return
        whole = self._index(self.b, up, found)
        was = self.a.objects.get(key)
        table = ("table", *_table_of(found))
        had = was.parent if isinstance(was, Index) else was.index_parent if isinstance(was, Constraint) else None
        joins = key in self.done.created or had != up
        if whole in self.done.created or (joins and table not in self.done.attached):
            self.steps.add(("attach index", key))

    def _host(self, step: Step) -> Step:
        return self.along.get(step, step)

    def _link(self, first: Step, then: Step) -> None:
        first, then = self._host(first), self._host(then)
        if first in self.steps and then in self.steps and first != then:
            self.before[then].add(first)

    def _connect(self) -> None:
        done = self.done
        for key, needed in done.needs_a.items():
            for wanted in needed:
                leaves: Step = ("drop", key) if key in done.dropped and key not in done.kept_aside else ("alter", key)
                if wanted in done.kept_aside:
                    if key in done.dropped:
                        self._link(("rename" if key in done.kept_aside else "drop", key), ("rename", wanted))
                    self._link(leaves, ("finish", wanted))
                    continue
                if wanted in done.dropped:
                    self._link(leaves, ("drop", wanted))
                    if key in done.kept_aside:
                        self._link(("finish", key), ("drop", wanted))
                elif (key in done.dropped and _touches(key, wanted)) or (key in done.altered and self._freed(key)):
                    self._link(leaves, ("alter", wanted))
        for key, needed in done.needs_b.items():
            comes: Step = ("create", key) if key in done.created else ("alter", key)
            for wanted in needed:
                if wanted in done.created:
                    self._link(("create", wanted), comes)
                elif _touches(key, wanted):
                    self._link(("alter", wanted), comes)
        for key in done.dropped & done.created:
            self._link(("rename" if key in done.kept_aside else "drop", key), ("create", key))
        for key in done.kept_aside:
            self._link(("create", key), ("finish", key))
        self._claims()
        self._default_privileges()
        self._inheritance()
        self._sequences()
        self._mentions()

    def _mentions(self) -> None:
        """A body that is a string may name what is made in the same go; better late than wrong, where no circle forbids it."""
        bodies = [
            found for key in self.done.created if isinstance(found := self.b.objects[key], Function) and found.text_body
        ]
        made = [
            key
            for key in self.done.created
            if key[0] in {"function", "table", "view"} and self._host(("create", key)) in self.steps
        ]
        by_name: dict[str, list[Key]] = defaultdict(list)
        for key in made:
            by_name[key[2]].append(key)
        for found in bodies:
            words = set(_WORD.findall(found.definition))
            for name in sorted(words & by_name.keys()):
                for key in by_name[name]:
                    first, then = ("create", key), ("create", found.key)
                    if key != found.key and not self._reaches(then, first):
                        self._link(first, then)

    def _reaches(self, first: Step, then: Step) -> bool:
        """`first` has to come before `then`."""
        stack, seen = [then], {then}
        while stack:
            for earlier in self.before.get(stack.pop(), ()):
                if earlier == first:
                    return True
                if earlier not in seen:
                    seen.add(earlier)
                    stack.append(earlier)
        return False

    def _freed(self, key: Key) -> bool:
        """A generated column becomes a plain one, which no longer needs those it was computed from."""
        before, after = self.a.objects[key], self.b.objects[key]
        return (
            isinstance(before, Column) and isinstance(after, Column) and bool(before.generated) and not after.generated
        )

    def _claims(self) -> None:
        """Relations share their names, and so do types: who has a name leaves before another takes it."""
        holders: dict[tuple[str, str], list[Step]] = defaultdict(list)
        for verb, keys in (("drop", self.done.dropped), ("alter", self.done.altered)):
            for key in keys:
                for name in _names(self.a.objects[key]):
                    holders[name].append((verb, key))
        for verb, keys in (("create", self.done.created), ("alter", self.done.altered)):
            for key in keys:
                for name in _names(self.b.objects[key]):
                    for holder in holders.get(name, ()):
                        if holder[1] != key and (holder[0], verb) != ("alter", "alter"):
                            self._link(holder, (verb, key))

    def _default_privileges(self) -> None:
        changed = [step for step in self.steps if step[1][0] == "default privileges"]
        kinds = {"r": ("table", "view"), "S": ("sequence",), "f": ("function",), "T": ("type",), "n": ("schema",)}
        for step in changed:
            found = self.b.objects.get(step[1]) or self.a.objects[step[1]]
            if isinstance(found, DefaultPrivileges):
                for key in self.done.created:
                    if key[0] in kinds.get(found.objects, ()) and ("schema", found.schema) != key:
                        self._link(step, ("create", key))

    def _inheritance(self) -> None:
        done = self.done
        for key in done.detached:
            table = self.a.objects[key]
            for parent in self._parents(self.a, key):
                self._link(("detach", key), ("drop", ("table", *parent)))
            for other, found in self.a.objects.items():
                if other[0] in _OF_TABLES and other[0] != "statistics":
                    home = _table_of(found)
                    if home in self._parents(self.a, key) or home == (key[1], key[2]):
                        self._link(("detach", key), ("drop", other))
                        self._link(("detach", key), ("alter", other))
            self._link(("detach", key), ("alter", table.key))
            self._link(("detach", key), ("attach", key))
        for key in done.attached:
            homes = {(key[1], key[2]), *self._parents(self.b, key)}
            self._link(("create", key), ("attach", key))
            for parent in self._parents(self.b, key):
                self._link(("create", ("table", *parent)), ("attach", key))
                self._link(("attach", ("table", *parent)), ("attach", key))
            for other, found in self.b.objects.items():
                if other[0] in {"column", "default", "constraint", "index"}:
                    home = _table_of(found)
                    own = home == (key[1], key[2])
                    if own and isinstance(found, Index | Constraint) and self._late(found):
                        self._link(("attach", key), ("create", other))
                        continue
                    if (own and not (isinstance(found, Constraint) and found.contype == "f")) or (
                        home in homes and other[0] == "column"
                    ):
                        for verb in ("create", "alter"):
                            self._link((verb, other), ("attach", key))
            for other in self.steps:
                if (
                    other[0] == "drop"
                    and other[1][0] in {"constraint", "column", "index"}
                    and other[1][1:3] == key[1:3]
                ):
                    self._link(other, ("attach", key))
                if other[0] == "create" and other[1][0] in {"index", "constraint"}:
                    index = self.b.objects[other[1]]
                    if isinstance(index, Constraint) and index.contype not in "pu":
                        continue
                    if _table_of(index) in self._parents(self.b, key):
                        self._link(("attach", key), other)  # else PostgreSQL chooses among the parts that fit
                if other[0] == "detach" and other[1] != key:
                    self._link(other, ("attach", key))
                if other[0] == "drop" and other[1][0] == "table":
                    self._link(other, ("attach", key))
        for step in self.steps:
            if step[0] == "attach index":
                part = self.b.objects[step[1]]
                if isinstance(part, Index | Constraint):
                    up = part.parent if isinstance(part, Index) else part.index_parent
                    whole = self._index(self.b, up or ("", ""), part)
                    self._link(("create", step[1]), step)
                    self._link(("create", whole), step)
                    self._link(("attach", ("table", *_table_of(part))), step)
                    self._link(("attach index", whole), step)
                    for other in self._dependants.get(whole, ()):  # a foreign key needs the whole index, valid
                        self._link(step, ("create", other))
            elif step[0] == "replica":
                table = self.b.objects[step[1]]
                if isinstance(table, Table):
                    self._link(("create", table.key), step)
                    for key in (
                        ("index", table.schema, table.replica_identity),
                        ("constraint", table.schema, table.name, table.replica_identity),
                    ):
                        for verb in ("create", "alter"):
                            self._link((verb, key), step)

        for key in done.created:
            for parent in self._parents(self.b, key):  # a new child takes over its parent's defaults as they are
                for column in self.b.objects:
                    if column[0] == "column" and column[1:3] == parent:
                        for verb in ("create", "alter", "drop"):
                            self._link((verb, ("default", *column[1:])), ("create", key))

    def _sequences(self) -> None:
        for verb, key in list(self.steps):
            if verb == "disown":
                was = self.a.objects[key]
                if isinstance(was, Sequence) and was.owned_by:
                    self._link((verb, key), ("drop", ("column", *was.owned_by)))
                    self._link((verb, key), ("drop", ("table", *was.owned_by[:2])))
                    self._link((verb, key), ("own", key))
            elif verb == "own":
                found = self.b.objects[key]
                if isinstance(found, Sequence) and found.owned_by:
                    for host in (
                        ("create", key),
                        ("alter", key),
                        ("create", ("column", *found.owned_by)),
                        ("create", ("table", *found.owned_by[:2])),
                    ):
                        self._link(host, (verb, key))

    def _say(self, step: Step) -> Iterator[Statement]:
        verb, key = step
        found = self.b.objects.get(key) or self.a.objects[key]
        match verb:
            case "drop":
                yield from self._plain(key, self._drop(key))
            case "create":
                yield from self._plain(key, self._create(step))
            case "alter":
                before, after = self.a.objects[key], self.b.objects[key]
                yield from self._plain(key, self.done.altered[key])
                yield from about.statements(before, after, self.b)
            case "rename":
                yield Statement(
                    f"ALTER {_type_word(self.a.objects[key])} {names.qualified(*key[1:])} RENAME TO {decide.aside(key)}"
                )
            case "finish":
                yield Statement(f"DROP {_type_word(self.a.objects[key])} {names.quoted(key[1])}.{decide.aside(key)}")
            case "detach":
                for parent in self._parents(self.a, key):
                    yield self._leave(key, parent)
            case "attach":
                table = self.b.objects[key]
                if isinstance(table, Table):
                    yield from self._join(table)
            case "attach index" if isinstance(found, Index | Constraint):
                up = found.parent if isinstance(found, Index) else found.index_parent
                if up is not None:
                    yield Statement(
                        f"ALTER INDEX {names.qualified(*up)} ATTACH PARTITION {names.qualified(found.schema, found.name)}"
                    )
            case "own" if isinstance(found, Sequence) and found.owned_by:
                yield Statement(
                    f"ALTER SEQUENCE {names.qualified(*key[1:])} OWNED BY {names.qualified(*found.owned_by)}"
                )
            case "disown":
                yield Statement(f"ALTER SEQUENCE {names.qualified(*key[1:])} OWNED BY NONE")
            case "replica" if isinstance(found, Table):
                yield make.replica_identity(found)
            case _:
                return

    def _plain(self, key: Key, statements: Iterable[Statement]) -> Iterator[Statement]:
        """ONLY is said of tables that have children."""
        table = key[1:3]
        children = any(isinstance(each, Table) and table in each.parents for each in self.b)
        for each in statements:
            sql = each.sql if children else each.sql.replace("ALTER TABLE ONLY ", "ALTER TABLE ", 1)
            yield each if sql == each.sql else Statement(sql, each.loses_data, each.why)

    def _drop(self, key: Key) -> Iterator[Statement]:
        found = self.a.objects[key]
        if (
            isinstance(found, Constraint)
            and found.inherited
            and ("table", found.schema, found.table) not in self.done.detached
        ):
            return
        if isinstance(found, Column) and found.inherited and ("table", found.schema, found.table) in self.done.detached:
            yield from make.drop(_local(found))
            return
        parts = self.folded.get(("drop", key), ())
        if isinstance(found, Index) and any(part[0] == "constraint" for part in parts):
            yield Statement(
                f"DROP INDEX {names.qualified(found.schema, found.name)} CASCADE",
                why="with the constraints of its partitions",
            )
            return
        yield from make.drop(found)

    def _create(self, step: Step) -> Iterator[Statement]:
        key = step[1]
        found = self.b.objects[key]
        folded = self.folded.get(step, set())
        if self._comes_by_itself(found):
            yield from about.statements(None, found, self.b)
            return
        if (
            isinstance(found, Column)
            and found.inherited
            and ("table", found.schema, found.table) in self.done.attached
            and key in self.done.created
        ):
            found = _local(found)
        yield from make.create(found, self.b, folded)
        yield from about.statements(None, found, self.b)
        for part in sorted(folded, key=lambda part: (_RANK.get(part[0], 0), part)):
            yield from about.statements(None, self.b.objects[part], self.b)

    def _comes_by_itself(self, found: Object) -> bool:
        """Constraints that a parent hands down."""
        if isinstance(found, Default):
            for parent in self._parents(self.b, ("table", found.schema, found.table)):
                column, default = ("column", *parent, found.column), ("default", *parent, found.column)
                theirs = self.b.objects.get(default)
                if (
                    column in self.done.created
                    and isinstance(theirs, Default)
                    and theirs.expression == found.expression
                    and default in self.done.created
                ):
                    return ("table", found.schema, found.table) not in self.done.attached
            return False
        if not isinstance(found, Constraint) or not found.inherited:
            return False
        table = ("table", found.schema, found.table)
        if found.contype == "f":
            return True
        return found.contype == "c" and table not in self.done.attached

    def _leave(self, key: Key, parent: tuple[str, str]) -> Statement:
        was = self.a.objects[key]
        up, child = names.qualified(*parent), names.qualified(*key[1:])
        if isinstance(was, Table) and was.bound:
            return Statement(f"ALTER TABLE {up} DETACH PARTITION {child}")
        return Statement(f"ALTER TABLE {child} NO INHERIT {up}")

    def _join(self, table: Table) -> Iterator[Statement]:
        child = names.qualified(table.schema, table.name)
        for parent in table.parents:
            up = names.qualified(*parent)
            if table.bound:
                yield Statement(f"ALTER TABLE {up} ATTACH PARTITION {child} {table.bound}")
            else:
                yield Statement(f"ALTER TABLE {child} INHERIT {up}")


def _touches(key: Key, wanted: Key) -> bool:
    """What is altered in a table itself (persistence, row-level security) matters to its constraints alone."""
    return wanted[0] not in {"table", "schema"} or (wanted[0] == "table" and key[0] == "constraint")


def _local(column: Column) -> Column:
    from dataclasses import replace  # noqa: PLC0415

    return replace(column, inherited=False)


def _type_word(found: Object) -> str:
    return "DOMAIN" if titles.called(found).startswith("DOMAIN") else "TYPE"


def _table_of(found: Object) -> tuple[str, str]:
    if isinstance(found, Statistics):
        return (found.table_schema, found.table)
    return (found.key[1], getattr(found, "table", ""))


def _names(found: Object) -> Iterator[tuple[str, str]]:
    """Names that no other object may have at the same time."""
    schema = found.key[1] if len(found.key) > 1 else ""
    if found.key[0] in {"table", "view", "sequence", "index"}:
        yield (schema, found.key[2])
    if found.key[0] == "type":
        yield (schema, found.key[2])
    if isinstance(found, Constraint) and found.contype in "pux":
        yield (schema, found.name)
    if isinstance(found, Column) and found.identity:
        yield (found.identity.schema, found.identity.name)


def _priority(step: Step) -> tuple[object, ...]:
    verb, key = step
    rank = _RANK.get(key[0], len(_KINDS))
    if verb == "drop" and key[0] != "default privileges":
        rank = -rank
    if key[0] in {"role", "schema", "extension", "default privileges"} and verb in {"create", "alter"}:
        return (0, -100 + rank, *step)
    return (_VERBS[verb], rank, key, verb)


def _sorted(steps: set[Step], before: dict[Step, set[Step]]) -> tuple[list[Step], set[Step]]:
    """Steps in order, and those that wait for each other."""
    waiting = {step: set(before.get(step, ())) & steps for step in steps}
    after: dict[Step, list[Step]] = defaultdict(list)
    for step, firsts in waiting.items():
        for first in firsts:
            after[first].append(step)
    ready = [(_priority(step), step) for step, firsts in waiting.items() if not firsts]
    heapq.heapify(ready)
    order: list[Step] = []
    while ready:
        _, step = heapq.heappop(ready)
        order.append(step)
        del waiting[step]
        for then in after[step]:
            waiting[then].discard(step)
            if not waiting[then]:
                heapq.heappush(ready, (_priority(then), then))
    return order, set(waiting)


def functions_first_seen(steps: Iterable[Step], b: Catalog) -> bool:
    """Some function body is a string that may name what does not exist yet."""
    made = [b.objects[key] for verb, key in steps if verb in {"create", "alter"} and key in b.objects]
    return any(isinstance(each, Function) and each.text_body for each in made)
