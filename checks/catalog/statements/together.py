"""What comes and goes along with another object: a table's parts with the table, a partition's indexes with the whole."""

from collections import defaultdict

from checks.catalog.model import Catalog, Key
from checks.catalog.statements.decisions import Decisions
from checks.catalog.statements.steps import OF_TABLES, Step, table_of
from checks.catalog.tables import Constraint, Default, Index, Statistics, Table
from checks.catalog.types import Sequence

_FOLDED = ("column", "default", "constraint")


def _parts(catalog: Catalog) -> dict[tuple[str, str], list[Key]]:
    """What belongs to each table."""
    found: dict[tuple[str, str], list[Key]] = defaultdict(list)
    for key, each in catalog.objects.items():
        if key[0] in OF_TABLES and key[0] != "statistics":
            found[table_of(each)].append(key)
    return found


class Together:
    """Answers for one plan.

    Attributes:
        parts_a: the columns, constraints, indexes… of each table, on the one side.
        parts_b: the same on the other side.
        with_children: tables that others inherit from.
    """

    def __init__(self, done: Decisions) -> None:
        self.done = done
        self.a, self.b = done.a, done.b
        self._indexes_of: dict[tuple[str, str], list[Constraint | Index]] = defaultdict(list)
        for each in done.b:
            if isinstance(each, Index) or (isinstance(each, Constraint) and each.contype in "pu"):
                self._indexes_of[each.schema, each.table].append(each)
        self.parts_a, self.parts_b = _parts(done.a), _parts(done.b)
        self._outlived = {
            ("constraint", *parent, each.name)
            for each in done.a
            if isinstance(each, Constraint) and each.also_here
            for parent in self.parents(done.a, ("table", each.schema, each.table))
        }
        self.with_children = {parent for each in done.b if isinstance(each, Table) for parent in each.parents}

    def dropped_with(self, key: Key) -> Step | None:  # noqa: C901, PLR0911, PLR0912 - one question after the other
        """What takes it along when it goes."""
        found = self.a.objects[key]
        done = self.done
        if key[0] in OF_TABLES:
            table = ("table", *table_of(found))
            if table in done.dropped:
                return ("drop", table)
            if key in self._outlived:  # else the children's would count as inherited for ever
                return None
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
                if up is not None and (whole := self.index(self.a, up, found)) in done.dropped:
                    return ("drop", whole)
                if isinstance(found, Constraint) and found.inherited:
                    for parent in self.parents(self.a, table):
                        if ("constraint", *parent, found.name) in done.dropped:
                            return ("drop", ("constraint", *parent, found.name))
        if isinstance(found, Sequence) and found.owned_by:
            column, table = ("column", *found.owned_by), ("table", *found.owned_by[:2])
            if table in done.dropped:
                return ("drop", table)
            if column in done.dropped:
                return ("drop", column)
        return None

    def created_with(self, key: Key) -> Step | None:  # noqa: PLR0911 - one question after the other
        """What makes it along."""
        found = self.b.objects[key]
        done = self.done
        if key[0] not in _FOLDED:
            return None
        table = ("table", *table_of(found))
        if isinstance(found, Default):
            column = ("column", *key[1:])
            if table in done.created:
                return ("create", table)
            if column in done.created and not getattr(self.b.objects[column], "inherited", False):
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
        if ("table", found.schema, found.table) in self.done.attached and self.late(found):
            return True
        return any(
            (found.schema, found.table) in self.parents(self.b, child) and len(self._alike(child, found)) > 1
            for child in self.done.attached
        )

    def _alike(self, table: Key, like: Constraint | Index) -> list[Constraint | Index]:
        """The indexes of a table on the same columns."""
        return [each for each in self._indexes_of[table[1], table[2]] if each.columns == like.columns]

    def late(self, found: Constraint | Index) -> bool:
        """An index of a partition that must not be there yet when the partition is attached: it would be taken for another."""
        if isinstance(found, Constraint) and found.contype not in "pu":
            return False
        if not found.valid:  # a partition of its own lacks a part, and would get one
            return True
        if len(self._alike(("table", found.schema, found.table), found)) < 2:
            return False
        up = found.parent if isinstance(found, Index) else found.index_parent
        return up is None or self.index(self.b, up, found) in self.done.created

    def _own_needs(self, key: Key, table: Key) -> bool:
        return all(needed[:1] != ("function",) for needed in self.done.needs_b[key] if needed != table)

    def parents(self, catalog: Catalog, table: Key) -> tuple[tuple[str, str], ...]:
        """The tables that a table inherits from."""
        found = catalog.objects.get(table)
        return found.parents if isinstance(found, Table) else ()

    def index(self, catalog: Catalog, name: tuple[str, str], part: Index | Constraint) -> Key:
        """The partitioned index of that name: an index, or a constraint of a parent."""
        for parent in self.parents(catalog, ("table", *table_of(part))):
            key = ("constraint", *parent, name[1])
            if key in catalog.objects:
                return key
        return ("index", *name)
